//! The queue that goes on at another device, and bookmarks. Bookmarks are in episodes of podcasts too; queues hold songs.
use super::browse::one_track;
use super::call::{Answer, Call};
use super::dates::instant;
use super::fault::Fault;
use super::podcasts;
use super::shapes;
use super::things::{Thing, hearer, named, tracks};
use super::tree::Element;
use crate::catalog::music::{PlayQueue, Track};

/// Letters of a comment and of a program's name.
const TEXT_MAX: usize = 1000;

/// `getPlayQueue`
pub(super) async fn show(call: Call) -> Result<Answer, Fault> {
    let (queue, tracks) = saved(&call).await?;
    let current = queue.current.and_then(|place| queue.tracks.get(place)).map(|n| Thing::Track(*n).id());
    Ok(Answer::one("playQueue", element(&call, &queue, &tracks)?.maybe("current", current)))
}

/// `getPlayQueueByIndex`
pub(super) async fn show_by_index(call: Call) -> Result<Answer, Fault> {
    let (queue, tracks) = saved(&call).await?;
    Ok(Answer::one("playQueueByIndex", element(&call, &queue, &tracks)?.maybe("currentIndex", queue.current)))
}

/// What was saved, without what cannot be seen any more: the place of what plays follows.
async fn saved(call: &Call) -> Result<(PlayQueue, Vec<Track>), Fault> {
    let catalog = call.app.node().catalog();
    let nothing =
        PlayQueue { tracks: Vec::new(), current: None, position_ms: 0, changed_at: 0, changed_by: String::new() };
    let mut queue = catalog.play_queue(&call.account()?.id).await?.unwrap_or(nothing);
    let playing = queue.current.and_then(|place| queue.tracks.get(place)).copied();
    let tracks = catalog.tracks_by_number(hearer(call).await?, queue.tracks.clone()).await?;
    if tracks.len() != queue.tracks.len() {
        queue.tracks = tracks.iter().map(|track| track.number).collect();
        queue.current = playing.and_then(|playing| queue.tracks.iter().position(|n| *n == playing));
    }
    Ok((queue, tracks))
}

/// DSub dies of a queue without `changed` and `position`.
fn element(call: &Call, queue: &PlayQueue, tracks: &[Track]) -> Result<Element, Fault> {
    Ok(Element::new()
        .with("username", call.account()?.name.as_str())
        .with("position", queue.position_ms)
        .with("changed", instant(queue.changed_at))
        .with("changedBy", queue.changed_by.as_str())
        .many("entry", tracks.iter().map(shapes::song).collect()))
}

/// `savePlayQueue`: without songs what was saved is forgotten.
pub(super) async fn save(call: Call) -> Result<Answer, Fault> {
    let songs = tracks(&call, "id");
    let current = match call.params.one("current").map(Thing::parse) {
        None => None,
        Some(Some(Thing::Track(number))) => songs.iter().position(|song| *song == number),
        Some(Some(Thing::Episode(_))) => None,
        Some(_) => return Err(Fault::absent("song")),
    };
    keep(&call, songs, current).await
}

/// `savePlayQueueByIndex`
pub(super) async fn save_by_index(call: Call) -> Result<Answer, Fault> {
    let songs = tracks(&call, "id");
    let current = call.params.int("currentIndex")?;
    let place = current.and_then(|place| usize::try_from(place).ok()).filter(|place| *place < songs.len());
    match (songs.is_empty(), current, place) {
        (false, None, _) => Err(Fault::missing("currentIndex")),
        (false, Some(_), None) => Err(Fault::invalid("currentIndex: must be a place in the queue, from 0")),
        _ => keep(&call, songs, place).await,
    }
}

async fn keep(call: &Call, songs: Vec<i64>, current: Option<usize>) -> Result<Answer, Fault> {
    if songs.is_empty() && call.params.one("id").is_some() {
        // Where podcasts alone are heard, the music goes on later where it was.
        let podcasts = call.params.all("id").any(|id| matches!(Thing::parse(id), Some(Thing::Episode(_))));
        return if podcasts { Ok(Answer::done()) } else { Err(Fault::absent("song")) };
    }
    let queue = PlayQueue {
        tracks: songs,
        current,
        position_ms: call.params.int("position")?.unwrap_or_default().max(0).cast_unsigned(),
        changed_at: jiff::Timestamp::now().as_millisecond(),
        changed_by: short(call.params.one("c").unwrap_or_default()),
    };
    call.app.node().catalog().save_play_queue(hearer(call).await?, queue).await?;
    Ok(Answer::done())
}

fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

/// `getBookmarks`
pub(super) async fn bookmarks(call: Call) -> Result<Answer, Fault> {
    let (hearer, catalog) = (hearer(&call).await?, call.app.node().catalog());
    let marks = catalog.bookmarks(hearer.clone()).await?;
    let songs = catalog.tracks_by_number(hearer, marks.iter().map(|mark| mark.track).collect()).await?;
    let account = call.account()?;
    let element = |position_ms: u64, comment: &str, created_at: i64, changed_at: i64| {
        Element::new()
            .with("position", position_ms)
            .with("username", account.name.as_str())
            .with("comment", comment)
            .with("created", instant(created_at))
            .with("changed", instant(changed_at))
    };
    let mut elements = Vec::new();
    for mark in &marks {
        let Some(song) = songs.iter().find(|song| song.number == mark.track) else { continue };
        let told = element(mark.position_ms, &mark.comment, mark.created_at, mark.changed_at);
        elements.push((mark.changed_at, told.one("entry", shapes::song(song))));
    }
    for mark in catalog.episode_marks(&account.id).await? {
        let told = element(mark.position_ms, &mark.comment, mark.created_at, mark.changed_at);
        let episode = catalog.episode(mark.episode, &account.id).await?;
        elements.push((mark.changed_at, told.one("entry", podcasts::element(&episode))));
    }
    elements.sort_by_key(|(changed_at, _)| std::cmp::Reverse(*changed_at));
    let elements = elements.into_iter().map(|(_, element)| element).collect();
    Ok(Answer::one("bookmarks", Element::new().many("bookmark", elements)))
}

/// `createBookmark`
pub(super) async fn mark(call: Call) -> Result<Answer, Fault> {
    call.params.need("position")?;
    let position = call.params.int("position")?.unwrap_or_default().max(0).cast_unsigned();
    let comment = short(call.params.one("comment").unwrap_or_default());
    if let Some(Thing::Episode(number)) = Thing::parse(call.params.need("id")?) {
        let account = &call.account()?.id;
        call.app.node().catalog().mark_episode(account, number, position, comment).await?;
        return Ok(Answer::done());
    }
    let track = one_track(&call).await?;
    call.app.node().catalog().bookmark(hearer(&call).await?, track.number, position, comment).await?;
    Ok(Answer::done())
}

/// `deleteBookmark`
pub(super) async fn unmark(call: Call) -> Result<Answer, Fault> {
    let (catalog, account) = (call.app.node().catalog(), &call.account()?.id);
    match named(&call, "bookmark")? {
        Thing::Track(number) => catalog.remove_bookmark(account, number).await?,
        Thing::Episode(number) => catalog.unmark_episode(account, number).await?,
        _ => return Err(Fault::absent("bookmark")),
    }
    Ok(Answer::done())
}
