//! Who asks for music, and what of it has the shapes of the API.
use super::{model, shapes};
use crate::accounts::Caller;
use crate::catalog::music::{Album, Artist, ArtistRef, Hearer, Track};
use crate::catalog::{ItemKind, Listed};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::lyrics;

/// The caller, with all libraries of music that it may see, friends' too.
pub(super) async fn hearer(app: &App, caller: &Caller) -> Result<Hearer, Refusal> {
    let libraries = app.node().catalog().libraries().await?.into_iter();
    let seen = libraries.filter(|library| library.kind.is_heard() && caller.may_see(&library.id));
    Ok(Hearer { account: caller.id().to_owned(), libraries: seen.map(|library| library.id).collect() })
}

/// For an item that the caller may see.
pub(super) fn of_item(caller: &Caller, listed: &Listed) -> Hearer {
    Hearer { account: caller.id().to_owned(), libraries: vec![listed.item.library.clone()] }
}

/// The track that an item is, as its own file says.
pub(super) async fn track(app: &App, caller: &Caller, listed: &Listed) -> Result<Option<Track>, Refusal> {
    if listed.item.kind != ItemKind::Track {
        return Ok(None);
    }
    let found = app.node().catalog().tracks_by_number(of_item(caller, listed), vec![listed.number]).await?;
    Ok(found.into_iter().next())
}

/// What is known of a track or an album of ours; of other things nothing is.
pub(super) async fn facts(app: &App, caller: &Caller, listed: &Listed) -> Result<Option<model::MusicFacts>, Refusal> {
    if listed.item.friend.is_some() {
        return Ok(None);
    }
    match listed.item.kind {
        ItemKind::Track => Ok(track(app, caller, listed).await?.map(|track| of_track(&track))),
        ItemKind::Album => {
            let hearer = of_item(caller, listed);
            let found = app.node().catalog().albums_by_number(hearer, vec![listed.number]).await?;
            Ok(found.first().map(of_album))
        }
        _ => Ok(None),
    }
}

fn of_track(track: &Track) -> model::MusicFacts {
    model::MusicFacts {
        artists: makers(&track.artists),
        gain: gain(&track.told.replay_gain),
        sample_rate: Some(track.sample_rate).filter(|hertz| *hertz > 0),
        lyrics: lyrics::has(track),
    }
}

/// Of an album's gains only those are the album's that its first track says are.
fn of_album(album: &Album) -> model::MusicFacts {
    let told = &album.told.replay_gain;
    let own = crate::media::music::ReplayGain { track_gain: None, track_peak: None, ..*told };
    model::MusicFacts { artists: makers(&album.artists), gain: gain(&own), sample_rate: None, lyrics: false }
}

fn makers(artists: &[ArtistRef]) -> Vec<model::Maker> {
    let maker = |artist: &ArtistRef| model::Maker {
        id: artist.id.clone(),
        name: artist.name.clone(),
        role: artist.role.clone(),
    };
    artists.iter().map(maker).collect()
}

fn gain(told: &crate::media::music::ReplayGain) -> Option<model::ReplayGain> {
    let gain = model::ReplayGain {
        track_gain: told.track_gain,
        track_peak: told.track_peak,
        album_gain: told.album_gain,
        album_peak: told.album_peak,
    };
    (!told.is_empty()).then_some(gain)
}

/// An artist as a list shows it.
pub(super) fn artist(artist: Artist) -> model::ArtistSummary {
    model::ArtistSummary {
        poster: artist.cover.map(|album| format!("/api/v1/items/{album}/poster")),
        id: artist.id,
        name: artist.name,
        album_count: artist.albums,
        starred_at: artist.opinion.starred_at,
        rating: artist.opinion.rating,
    }
}

/// Items as a list shows them.
pub(super) async fn summaries(
    app: &App,
    caller: &Caller,
    listed: Vec<Listed>,
) -> Result<Vec<model::ItemSummary>, Refusal> {
    let mut items = Vec::with_capacity(listed.len());
    for one in listed {
        items.push(shapes::summary(app, caller, one).await?);
    }
    Ok(items)
}
