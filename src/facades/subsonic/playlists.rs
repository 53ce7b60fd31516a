//! Playlists.
use super::call::{Answer, Call};
use super::dates::instant;
use super::fault::Fault;
use super::shapes;
use super::things::{Thing, hearer, tracks};
use super::tree::Element;
use crate::catalog::music::{Playlist, PlaylistChange, Track};

/// Letters of a name or a comment.
const TEXT_MAX: usize = 4000;

/// `getPlaylists`: one's own, and those that everybody sees.
pub(super) async fn list(call: Call) -> Result<Answer, Fault> {
    let mut elements = Vec::new();
    for playlist in call.app.node().catalog().playlists(hearer(&call).await?).await? {
        elements.push(element(&call, &playlist)?);
    }
    Ok(Answer::one("playlists", Element::new().many("playlist", elements)))
}

/// `getPlaylist`
pub(super) async fn show(call: Call) -> Result<Answer, Fault> {
    let number = named(&call, "id")?;
    answer(&call, number).await
}

async fn answer(call: &Call, number: i64) -> Result<Answer, Fault> {
    let (playlist, songs): (Playlist, Vec<Track>) =
        call.app.node().catalog().playlist(hearer(call).await?, number).await?;
    let element = element(call, &playlist)?.many("entry", songs.iter().map(shapes::song).collect());
    Ok(Answer::one("playlist", element))
}

fn element(call: &Call, playlist: &Playlist) -> Result<Element, Fault> {
    let own = playlist.owner == call.account()?.id;
    let owner = call.app.node().accounts().name_of(&playlist.owner).unwrap_or_default();
    Ok(Element::new()
        .with("id", Thing::Playlist(playlist.number).id())
        .with("name", playlist.name.as_str())
        .with("comment", playlist.comment.as_str())
        .with("owner", owner)
        .with("public", playlist.public)
        .with("songCount", playlist.songs)
        .with("duration", playlist.seconds.round() as i64)
        .with("created", instant(playlist.created_at))
        .with("changed", instant(playlist.changed_at))
        .with("coverArt", Thing::Playlist(playlist.number).id())
        .with("readonly", !own))
}

/// `createPlaylist`: a new one of that name, or other songs for one that is there.
pub(super) async fn create(call: Call) -> Result<Answer, Fault> {
    let (songs, catalog) = (tracks(&call, "songId"), call.app.node().catalog());
    if call.params.one("playlistId").is_some() {
        let number = own(&call, "playlistId").await?;
        let change = PlaylistChange { tracks: Some(songs), name: text(&call, "name"), ..PlaylistChange::default() };
        catalog.change_playlist(hearer(&call).await?, number, change).await?;
        return answer(&call, number).await;
    }
    call.params.need("name")?;
    let name = text(&call, "name").unwrap_or_default();
    let number = catalog.add_playlist(hearer(&call).await?, name, songs).await?;
    answer(&call, number).await
}

/// `updatePlaylist`: places to be removed are those of the list as it was; what is added comes after.
pub(super) async fn update(call: Call) -> Result<Answer, Fault> {
    let number = own(&call, "playlistId").await?;
    let remove = call.params.ints("songIndexToRemove")?.into_iter().filter_map(|place| usize::try_from(place).ok());
    let change = PlaylistChange {
        name: text(&call, "name"),
        comment: call.params.all("comment").next().map(short),
        public: call.params.flag("public")?,
        remove: remove.collect(),
        add: tracks(&call, "songIdToAdd"),
        tracks: None,
        moved: None,
    };
    call.app.node().catalog().change_playlist(hearer(&call).await?, number, change).await?;
    Ok(Answer::done())
}

/// `deletePlaylist`
pub(super) async fn delete(call: Call) -> Result<Answer, Fault> {
    let number = own(&call, "id").await?;
    call.app.node().catalog().remove_playlist(number).await?;
    Ok(Answer::done())
}

fn text(call: &Call, name: &str) -> Option<String> {
    call.params.one(name).map(short)
}

/// As much as is kept of what somebody writes.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|c| !c.is_control() || *c == '\n').take(TEXT_MAX).collect()
}

fn named(call: &Call, name: &str) -> Result<i64, Fault> {
    match Thing::parse(call.params.need(name)?) {
        Some(Thing::Playlist(number)) => Ok(number),
        _ => Err(Fault::absent("playlist")),
    }
}

/// The playlist that a parameter names, which must be the caller's own to be changed.
async fn own(call: &Call, name: &str) -> Result<i64, Fault> {
    let number = named(call, name)?;
    let playlist = call.app.node().catalog().playlist_alone(hearer(call).await?, number).await?;
    if playlist.owner == call.account()?.id {
        Ok(number)
    } else {
        Err(Fault::forbidden("only who made a playlist changes it"))
    }
}
