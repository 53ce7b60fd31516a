//! Stars, ratings, and what is heard.
use super::call::{Answer, Call};
use super::fault::Fault;
use super::podcasts;
use super::shapes;
use super::things::{Thing, hearer};
use super::tree::Element;
use crate::catalog::music::{Heard, Target, Track};

/// Something may be heard this long ago, in milliseconds, and be heard now as far as anybody is told.
const NOW_MS: i64 = 1000;

/// Letters of a program's name.
const PROGRAM_MAX: usize = 64;

/// `star`
pub(super) async fn star(call: Call) -> Result<Answer, Fault> {
    starred(&call, true).await
}

/// `unstar`
pub(super) async fn unstar(call: Call) -> Result<Answer, Fault> {
    starred(&call, false).await
}

/// What is not there is passed over.
async fn starred(call: &Call, starred: bool) -> Result<Answer, Fault> {
    let names = ["id", "albumId", "artistId"];
    if names.iter().all(|name| call.params.one(name).is_none()) {
        return Err(Fault::missing("id"));
    }
    let ids = names.iter().flat_map(|name| call.params.all(name));
    let targets: Vec<Target> = ids.filter_map(Thing::parse).filter_map(Thing::target).collect();
    call.app.node().catalog().star(hearer(call).await?, targets, starred).await?;
    Ok(Answer::done())
}

/// `setRating`: 1 to 5, and 0 for none.
pub(super) async fn rate(call: Call) -> Result<Answer, Fault> {
    let id = call.params.need("id")?;
    call.params.need("rating")?;
    let rating = call.params.int("rating")?.unwrap_or_default();
    let rating = u8::try_from(rating).ok().filter(|rating| *rating <= 5);
    let rating = rating.ok_or_else(|| Fault::invalid("rating: must be 0 to 5"))?;
    let target = Thing::parse(id).and_then(Thing::target).ok_or_else(|| Fault::absent("song"))?;
    let rating = (rating > 0).then_some(rating);
    call.app.node().catalog().rate(hearer(&call).await?, target, rating).await?;
    Ok(Answer::done())
}

/// `getStarred`
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let hearer = hearer(&call).await?;
    let (artists, albums, tracks) = call.app.node().catalog().starred(hearer.clone()).await?;
    let folders = call.app.node().catalog().starred_directories(hearer).await?;
    let albums = albums.iter().map(shapes::album_folder).chain(folders.iter().map(shapes::folder)).collect();
    let element = Element::new()
        .many("artist", artists.iter().map(shapes::artist).collect())
        .many("album", albums)
        .many("song", tracks.iter().map(shapes::song).collect());
    Ok(Answer::one("starred", element))
}

/// `getStarred2`
pub(super) async fn list_2(call: Call) -> Result<Answer, Fault> {
    let (artists, albums, tracks) = call.app.node().catalog().starred(hearer(&call).await?).await?;
    let element = Element::new()
        .many("artist", artists.iter().map(shapes::artist).collect())
        .many("album", albums.iter().map(shapes::album).collect())
        .many("song", tracks.iter().map(shapes::song).collect());
    Ok(Answer::one("starred2", element))
}

/// `scrobble`: what was heard, now or at times; with `submission=false` what is being heard.
pub(super) async fn scrobble(call: Call) -> Result<Answer, Fault> {
    call.params.need("id")?;
    let (ids, times): (Vec<_>, _) = (call.params.all("id").map(Thing::parse).collect(), call.params.ints("time")?);
    if !times.is_empty() && times.len() != ids.len() {
        return Err(Fault::invalid("time: one is needed for each id"));
    }
    if !call.params.flag("submission")?.unwrap_or(true) {
        return match ids.first() {
            Some(Some(Thing::Track(track))) => playing(&call, *track).await,
            Some(Some(Thing::Episode(_))) => podcasts::named(&call, "id").await.map(|_| Answer::done()),
            _ => Err(Fault::absent("song")),
        };
    }
    let now = jiff::Timestamp::now().as_millisecond();
    let at = |place: usize| times.get(place).copied().filter(|at| (1..=now + NOW_MS).contains(at)).unwrap_or(now);
    let (mut songs, mut episodes) = (Vec::new(), Vec::new());
    for (place, thing) in ids.into_iter().enumerate() {
        match thing {
            Some(Thing::Track(track)) => songs.push((track, at(place))),
            Some(Thing::Episode(episode)) => episodes.push((episode, at(place))),
            _ => {}
        }
    }
    let (catalog, account) = (call.app.node().catalog(), &call.account()?.id);
    let found = catalog.heard_episodes(account, episodes).await?
        + catalog.heard(hearer(&call).await?, songs, tell(&call).await?).await?.len();
    call.app.node().listens().wake();
    if found == 0 { Err(Fault::absent("song")) } else { Ok(Answer::done()) }
}

async fn playing(call: &Call, track: i64) -> Result<Answer, Fault> {
    let found = call.app.node().catalog().tracks_by_number(hearer(call).await?, vec![track]).await?;
    let song = found.first().ok_or_else(|| Fault::absent("song"))?;
    begun(call, song).await?;
    Ok(Answer::done())
}

/// A program plays this now.
async fn begun(call: &Call, song: &Track) -> Result<(), Fault> {
    let program = call.params.one("c").unwrap_or_default();
    call.app.now_playing().begun(call.account()?, program, song.number);
    if let Some(program) = tell(call).await? {
        call.app.node().listens().hears(&call.account()?.id, Heard::of(song, &program));
    }
    Ok(())
}

/// By which program the caller hears, where that is to be told elsewhere.
async fn tell(call: &Call) -> Result<Option<String>, Fault> {
    let wanted = call.app.node().accounts().listening(&call.account()?.id).await?.is_some();
    let program = call.params.one("c").unwrap_or_default();
    Ok(wanted.then(|| program.chars().filter(|c| !c.is_control()).take(PROGRAM_MAX).collect()))
}

/// `reportPlayback`
pub(super) async fn report(call: Call) -> Result<Answer, Fault> {
    let need = |name| call.params.need(name);
    let (media, state) = (need("mediaId")?.to_owned(), need("state")?.to_owned());
    need("mediaType")?;
    need("positionMs")?;
    let position = call.params.int("positionMs")?.unwrap_or_default().max(0);
    let track = match Thing::parse(&media) {
        Some(Thing::Track(track)) => track,
        Some(Thing::Episode(_)) => return report_episode(&call, &state, position).await,
        _ => return Err(Fault::absent("song")),
    };
    let found = call.app.node().catalog().tracks_by_number(hearer(&call).await?, vec![track]).await?;
    let song = found.into_iter().next().ok_or_else(|| Fault::absent("song"))?;
    let program = call.params.one("c").unwrap_or_default();
    match state.as_str() {
        "starting" => begun(&call, &song).await?,
        "playing" | "paused" => call.app.now_playing().begun(call.account()?, program, track),
        "stopped" => {
            call.app.now_playing().ended(call.account()?, program);
            let heard = is_heard(position as f64 / 1000.0, song.seconds);
            if heard && !call.params.flag("ignoreScrobble")?.unwrap_or(false) {
                let now = jiff::Timestamp::now().as_millisecond();
                call.app.node().catalog().heard(hearer(&call).await?, vec![(track, now)], tell(&call).await?).await?;
                call.app.node().listens().wake();
            }
        }
        _ => return Err(wrong_state()),
    }
    Ok(Answer::done())
}

fn wrong_state() -> Fault {
    Fault::invalid("state: must be starting, playing, paused or stopped")
}

/// Of an episode nothing is told to others while it is heard; how often it was is counted.
async fn report_episode(call: &Call, state: &str, position: i64) -> Result<Answer, Fault> {
    let episode = podcasts::named(call, "mediaId").await?;
    if !["starting", "playing", "paused", "stopped"].contains(&state) {
        return Err(wrong_state());
    }
    let heard = state == "stopped" && is_heard(position as f64 / 1000.0, episode.seconds);
    if heard && !call.params.flag("ignoreScrobble")?.unwrap_or(false) {
        let heard = vec![(episode.number, jiff::Timestamp::now().as_millisecond())];
        call.app.node().catalog().heard_episodes(&call.account()?.id, heard).await?;
    }
    Ok(Answer::done())
}

/// Half of it, or four minutes: what counts as heard everywhere.
fn is_heard(position: f64, seconds: f64) -> bool {
    position >= 240.0 || seconds > 0.0 && position >= seconds / 2.0
}

/// `getNowPlaying`
pub(super) async fn now_playing(call: Call) -> Result<Answer, Fault> {
    let hearer = hearer(&call).await?;
    let mut entries = Vec::new();
    for (number, playing) in call.app.now_playing().all().into_iter().enumerate() {
        // What the caller may not see of what others hear is not told.
        let found = call.app.node().catalog().tracks_by_number(hearer.clone(), vec![playing.track]).await?;
        let Some(track) = found.first() else { continue };
        let entry = shapes::song(track)
            .with("username", playing.name)
            .with("minutesAgo", playing.since.elapsed().as_secs() / 60)
            .with("playerId", number + 1)
            .with("playerName", playing.program);
        entries.push(entry);
    }
    Ok(Answer::one("nowPlaying", Element::new().many("entry", entries)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn half_of_a_song_or_four_minutes_are_heard() {
        assert!(is_heard(30.0, 60.0) && is_heard(240.0, 3600.0));
        assert!(!is_heard(29.0, 60.0) && !is_heard(239.0, 3600.0) && !is_heard(10.0, 0.0));
    }
}
