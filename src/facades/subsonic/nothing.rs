//! Answers to calls about music while none is served: empty in the form that each has, after what the call needs was looked at.
use super::call::{Answer, Call};
use super::dates;
use super::fault::Fault;
use super::params::Params;
use super::tree::Element;

/// Words that names are sorted without.
const ARTICLES: &str = "The El La Los Las Le Les";
/// Orders in which albums are listed.
const ALBUM_LISTS: &[&str] = &[
    "random",
    "newest",
    "highest",
    "frequent",
    "recent",
    "alphabeticalByName",
    "alphabeticalByArtist",
    "starred",
    "byYear",
    "byGenre",
];

/// `getIndexes`
pub(super) async fn indexes(_: Call) -> Result<Answer, Fault> {
    let indexes = Element::new().with("lastModified", 0_i64).with("ignoredArticles", ARTICLES);
    Ok(Answer::one("indexes", indexes.many("index", vec![]).many("child", vec![])))
}

/// `getArtists`
pub(super) async fn artists(_: Call) -> Result<Answer, Fault> {
    Ok(Answer::one("artists", Element::new().with("ignoredArticles", ARTICLES).many("index", vec![])))
}

/// `getAlbumList`
pub(super) async fn album_list(call: Call) -> Result<Answer, Fault> {
    albums(&call.params, "albumList")
}

/// `getAlbumList2`
pub(super) async fn album_list_2(call: Call) -> Result<Answer, Fault> {
    albums(&call.params, "albumList2")
}

fn albums(params: &Params, name: &'static str) -> Result<Answer, Fault> {
    let order = params.need("type")?;
    if !ALBUM_LISTS.contains(&order) {
        return Err(Fault::invalid(format!("type: must be one of {}", ALBUM_LISTS.join(", "))));
    }
    let more: &[&str] = match order {
        "byYear" => &["fromYear", "toYear"],
        "byGenre" => &["genre"],
        _ => &[],
    };
    more.iter().try_for_each(|name| params.need(name).map(|_| ()))?;
    Ok(Answer::one(name, Element::new().many("album", vec![])))
}

/// `search`, the one of version 1.0.
pub(super) async fn search(_: Call) -> Result<Answer, Fault> {
    let result = Element::new().with("offset", 0_i64).with("totalHits", 0_i64).many("match", vec![]);
    Ok(Answer::one("searchResult", result))
}

/// `getLyrics`
pub(super) async fn lyrics(call: Call) -> Result<Answer, Fault> {
    let told = |name| call.params.one(name);
    let lyrics = Element::new().maybe("artist", told("artist")).maybe("title", told("title")).text("");
    Ok(Answer::one("lyrics", lyrics))
}

/// `getPlayQueue`. DSub dies of a queue without `changed` and `position`.
pub(super) async fn play_queue(call: Call) -> Result<Answer, Fault> {
    Ok(Answer::one("playQueue", queue(&call)?))
}

/// `getPlayQueueByIndex`
pub(super) async fn play_queue_by_index(call: Call) -> Result<Answer, Fault> {
    Ok(Answer::one("playQueueByIndex", queue(&call)?))
}

fn queue(call: &Call) -> Result<Element, Fault> {
    let name = call.account()?.name.as_str();
    let queue = Element::new().with("username", name).with("position", 0_i64).with("changed", dates::instant(0));
    Ok(queue.with("changedBy", "").many("entry", vec![]))
}

/// `savePlayQueue` and `savePlayQueueByIndex`: without songs there is nothing to be saved.
pub(super) async fn save_play_queue(call: Call) -> Result<Answer, Fault> {
    match call.params.one("id") {
        Some(_) => Err(Fault::absent("song")),
        None => Ok(Answer::done()),
    }
}

/// `star` and `unstar`: what is not there is passed over.
pub(super) async fn star(call: Call) -> Result<Answer, Fault> {
    let any = ["id", "albumId", "artistId"].iter().any(|name| call.params.one(name).is_some());
    if any { Ok(Answer::done()) } else { Err(Fault::missing("id")) }
}
