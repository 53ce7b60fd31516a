//! Walking through a library: by tags, and by the real folders.
use super::call::{Answer, Call};
use super::fault::Fault;
use super::podcasts;
use super::shapes;
use super::things::{Thing, hearer, named};
use super::tree::Element;
use crate::catalog::music::{Album, Hearer, Inside, Track};

/// Words that names are sorted without.
const ARTICLES: &str = "The An A";

/// `getIndexes`: the folders at the top of each library, and the songs that lie beside them.
pub(super) async fn indexes(call: Call) -> Result<Answer, Fault> {
    let hearer = hearer(&call).await?;
    let changed = super::folders::seen(&call.app, call.account()?).await?;
    let changed =
        changed.into_iter().filter(|folder| hearer.libraries.contains(&folder.id)).filter_map(|f| f.scanned_at);
    let changed = changed.max().unwrap_or(0);
    let element = Element::new().with("lastModified", changed).with("ignoredArticles", ARTICLES);
    if call.params.int("ifModifiedSince")?.is_some_and(|since| since >= changed) {
        return Ok(Answer::one("indexes", element.many("index", vec![]).many("child", vec![])));
    }
    let Inside { directories, tracks } = call.app.node().catalog().top_directories(hearer).await?;
    let folders = directories.iter().map(|folder| (folder.sort_key.clone(), shapes::top_folder(folder)));
    let element = element.many("index", shapes::by_letter(folders));
    Ok(Answer::one("indexes", element.many("child", tracks.iter().map(shapes::song).collect())))
}

/// `getMusicDirectory`: a real folder; of an album its songs, of an artist its albums.
pub(super) async fn directory(call: Call) -> Result<Answer, Fault> {
    let (hearer, catalog) = (hearer(&call).await?, call.app.node().catalog());
    let element = match named(&call, "directory")? {
        Thing::Directory(number) => {
            let (folder, Inside { directories, tracks }) = catalog.directory(hearer, number).await?;
            // What lies above the top is no folder.
            let above = folder.parent.filter(|_| folder.place.components().count() > 1);
            let children = directories.iter().map(shapes::folder).chain(tracks.iter().map(shapes::song)).collect();
            Element::new()
                .with("id", Thing::Directory(number).id())
                .with("name", folder.name.as_str())
                .maybe("parent", above.map(|n| Thing::Directory(n).id()))
                .many("child", children)
        }
        Thing::Album(number) => {
            let (album, songs) = whole_album(&call, hearer, number).await?;
            let parent = album.artists.first().map(|artist| Thing::Artist(artist.number).id());
            Element::new()
                .with("id", Thing::Album(number).id())
                .with("name", album.title.as_str())
                .maybe("parent", parent)
                .many("child", songs.iter().map(shapes::song).collect())
        }
        Thing::Artist(number) => {
            let artist = catalog.artist(hearer.clone(), number).await?;
            let albums = catalog.albums_of(hearer, number).await?;
            Element::new()
                .with("id", Thing::Artist(number).id())
                .with("name", artist.name.as_str())
                .many("child", albums.iter().map(shapes::album_folder).collect())
        }
        Thing::Channel(number) => {
            let channel = catalog.podcast(number).await?;
            Element::new()
                .with("id", Thing::Channel(number).id())
                .with("name", channel.title.as_str())
                .many("child", podcasts::episodes(&call, number).await?)
        }
        Thing::Track(_) | Thing::Playlist(_) | Thing::Episode(_) => return Err(Fault::absent("directory")),
    };
    Ok(Answer::one("directory", element))
}

/// `getArtists`
pub(super) async fn artists(call: Call) -> Result<Answer, Fault> {
    let artists = call.app.node().catalog().artists(hearer(&call).await?).await?;
    let artists = artists.iter().map(|artist| (artist.sort_key.clone(), shapes::artist(artist)));
    let element = Element::new().with("ignoredArticles", ARTICLES);
    Ok(Answer::one("artists", element.many("index", shapes::by_letter(artists))))
}

/// `getArtist`
pub(super) async fn artist(call: Call) -> Result<Answer, Fault> {
    let Thing::Artist(number) = named(&call, "artist")? else { return Err(Fault::absent("artist")) };
    let (hearer, catalog) = (hearer(&call).await?, call.app.node().catalog());
    let artist = catalog.artist(hearer.clone(), number).await?;
    let albums = catalog.albums_of(hearer, number).await?;
    Ok(Answer::one("artist", shapes::artist(&artist).many("album", albums.iter().map(shapes::album).collect())))
}

/// `getAlbum`
pub(super) async fn album(call: Call) -> Result<Answer, Fault> {
    let Thing::Album(number) = named(&call, "album")? else { return Err(Fault::absent("album")) };
    let (album, songs) = whole_album(&call, hearer(&call).await?, number).await?;
    Ok(Answer::one("album", shapes::album(&album).many("song", songs.iter().map(shapes::song).collect())))
}

async fn whole_album(call: &Call, hearer: Hearer, number: i64) -> Result<(Album, Vec<Track>), Fault> {
    let catalog = call.app.node().catalog();
    let found = catalog.albums_by_number(hearer.clone(), vec![number]).await?;
    let album = found.into_iter().next().ok_or_else(|| Fault::absent("album"))?;
    Ok((album, catalog.tracks_of_album(hearer, number).await?))
}

/// `getSong`
pub(super) async fn song(call: Call) -> Result<Answer, Fault> {
    let element = match Thing::parse(call.params.need("id")?) {
        Some(Thing::Episode(_)) => podcasts::element(&podcasts::named(&call, "id").await?),
        _ => shapes::song(&one_track(&call).await?),
    };
    Ok(Answer::one("song", element))
}

/// The track that `id` names.
///
/// # Errors
/// [`Fault`] for what is no track, or none that the account may see.
pub(super) async fn one_track(call: &Call) -> Result<Track, Fault> {
    track_named(call, "id").await
}

/// The track that a parameter names.
///
/// # Errors
/// [`Fault`] where it is missing, names something else, or may not be seen.
pub(super) async fn track_named(call: &Call, name: &str) -> Result<Track, Fault> {
    let Some(Thing::Track(number)) = Thing::parse(call.params.need(name)?) else { return Err(Fault::absent("song")) };
    let found = call.app.node().catalog().tracks_by_number(hearer(call).await?, vec![number]).await?;
    found.into_iter().next().ok_or_else(|| Fault::absent("song"))
}

/// `getGenres`
pub(super) async fn genres(call: Call) -> Result<Answer, Fault> {
    let genres = call.app.node().catalog().genres(hearer(&call).await?).await?;
    let element = |genre: crate::catalog::music::Genre| {
        Element::new().with("songCount", genre.songs).with("albumCount", genre.albums).text(genre.name)
    };
    Ok(Answer::one("genres", Element::new().many("genre", genres.into_iter().map(element).collect())))
}

/// `getArtistInfo`
pub(super) async fn artist_info(call: Call) -> Result<Answer, Fault> {
    about(&call, "artistInfo").await
}

/// `getArtistInfo2`
pub(super) async fn artist_info_2(call: Call) -> Result<Answer, Fault> {
    about(&call, "artistInfo2").await
}

/// Nothing is asked of strangers' servers; what the tags say is told. An album, a song and a folder are taken for their artist.
async fn about(call: &Call, name: &'static str) -> Result<Answer, Fault> {
    let (hearer, catalog) = (hearer(call).await?, call.app.node().catalog());
    let mbid = match named(call, "artist")? {
        Thing::Artist(number) => catalog.artist(hearer, number).await?.mbid,
        Thing::Directory(number) => catalog.directory(hearer, number).await.map(|_| String::new())?,
        Thing::Album(number) => whole_album(call, hearer, number).await.map(|_| String::new())?,
        Thing::Track(_) => one_track(call).await.map(|_| String::new())?,
        Thing::Playlist(_) | Thing::Channel(_) | Thing::Episode(_) => return Err(Fault::absent("artist")),
    };
    let element = if mbid.is_empty() { Element::new() } else { Element::new().plain("musicBrainzId", mbid) };
    Ok(Answer::one(name, element))
}

/// `getAlbumInfo` and `getAlbumInfo2`
pub(super) async fn album_info(call: Call) -> Result<Answer, Fault> {
    let hearer = hearer(&call).await?;
    let mbid = match named(&call, "album")? {
        Thing::Album(number) => whole_album(&call, hearer, number).await?.0.told.musicbrainz.release,
        Thing::Track(_) => one_track(&call).await?.told.musicbrainz.release,
        Thing::Directory(number) => call.app.node().catalog().directory(hearer, number).await.map(|_| None)?,
        Thing::Artist(_) | Thing::Playlist(_) | Thing::Channel(_) | Thing::Episode(_) => {
            return Err(Fault::absent("album"));
        }
    };
    let element = mbid.map_or_else(Element::new, |mbid| Element::new().plain("musicBrainzId", mbid));
    Ok(Answer::one("albumInfo", element))
}
