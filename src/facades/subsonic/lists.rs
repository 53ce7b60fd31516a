//! Lists of albums and songs, and search.
use super::call::{Answer, Call};
use super::fault::Fault;
use super::shapes;
use super::things::{Thing, hearer, named, part};
use super::tree::Element;
use crate::catalog::music::{Album, AlbumFilter, AlbumOrder, Artist, Track, TrackFilter, Wanted};

/// Albums of a list, and songs of one, where nobody says how many.
const ALBUMS: u32 = 10;
const SONGS: u32 = 50;
/// Of each kind that a search finds.
const FOUND: i64 = 20;
/// And at most.
const FOUND_MAX: i64 = 10_000;

/// `getAlbumList`
pub(super) async fn albums(call: Call) -> Result<Answer, Fault> {
    let albums = listed(&call).await?;
    Ok(Answer::one("albumList", Element::new().many("album", albums.iter().map(shapes::album_folder).collect())))
}

/// `getAlbumList2`
pub(super) async fn albums_2(call: Call) -> Result<Answer, Fault> {
    let albums = listed(&call).await?;
    Ok(Answer::one("albumList2", Element::new().many("album", albums.iter().map(shapes::album).collect())))
}

async fn listed(call: &Call) -> Result<Vec<Album>, Fault> {
    let (order, filter) = order(call)?;
    let (count, offset) = part(call, "size", ALBUMS)?;
    Ok(call.app.node().catalog().albums(hearer(call).await?, order, filter, count, offset).await?)
}

fn order(call: &Call) -> Result<(AlbumOrder, AlbumFilter), Fault> {
    let year = |name| call.params.need(name).and_then(|_| call.params.int(name)).map(Option::unwrap_or_default);
    let all = AlbumFilter::default();
    Ok(match call.params.need("type")? {
        "random" => (AlbumOrder::Random, all),
        "newest" => (AlbumOrder::Added, all),
        "highest" => (AlbumOrder::Rating, all),
        "frequent" => (AlbumOrder::Plays, all),
        "recent" => (AlbumOrder::Played, all),
        "starred" => (AlbumOrder::Starred, all),
        "alphabeticalByName" => (AlbumOrder::Title, all),
        "alphabeticalByArtist" => (AlbumOrder::Artist, all),
        "byGenre" => (AlbumOrder::Title, AlbumFilter { genre: Some(call.params.need("genre")?.to_owned()), ..all }),
        // From a later year to an earlier one means the newest first.
        "byYear" => {
            let (from, to) = (year("fromYear")?, year("toYear")?);
            let order = if from > to { AlbumOrder::YearDescending } else { AlbumOrder::Year };
            let limit = |year: i64| i32::try_from(year).unwrap_or(i32::MAX);
            (order, AlbumFilter { from_year: Some(limit(from.min(to))), to_year: Some(limit(from.max(to))), ..all })
        }
        _ => return Err(Fault::invalid("type: there is no list of that name")),
    })
}

/// `getRandomSongs`
pub(super) async fn random(call: Call) -> Result<Answer, Fault> {
    let year = |name| call.params.int(name).map(|year| year.and_then(|year| i32::try_from(year).ok()));
    let filter = TrackFilter {
        genre: call.params.one("genre").map(str::to_owned),
        from_year: year("fromYear")?,
        to_year: year("toYear")?,
        random: true,
        ..TrackFilter::default()
    };
    songs(&call, "randomSongs", filter, part(&call, "size", ALBUMS)?).await
}

/// `getSongsByGenre`
pub(super) async fn of_genre(call: Call) -> Result<Answer, Fault> {
    let filter = TrackFilter { genre: Some(call.params.need("genre")?.to_owned()), ..TrackFilter::default() };
    songs(&call, "songsByGenre", filter, part(&call, "count", ALBUMS)?).await
}

async fn songs(
    call: &Call,
    name: &'static str,
    filter: TrackFilter,
    (count, offset): (u32, u64),
) -> Result<Answer, Fault> {
    let tracks = call.app.node().catalog().tracks(hearer(call).await?, filter, count, offset).await?;
    Ok(song_list(name, &tracks))
}

fn song_list(name: &'static str, tracks: &[Track]) -> Answer {
    Answer::one(name, Element::new().many("song", tracks.iter().map(shapes::song).collect()))
}

/// `getTopSongs`: those of an artist that the account heard most. The artist by name, or by its id.
pub(super) async fn top(call: Call) -> Result<Answer, Fault> {
    // DSub calls the count size.
    let count = if call.params.one("count").is_some() { "count" } else { "size" };
    let (count, _) = part(&call, count, SONGS)?;
    let artist = match call.params.one("id").and_then(Thing::parse) {
        Some(Thing::Artist(number)) => Some(number),
        _ => artist_named(&call, call.params.need("artist")?).await?,
    };
    let Some(artist) = artist else { return Ok(song_list("topSongs", &[])) };
    songs(&call, "topSongs", TrackFilter { artist: Some(artist), ..TrackFilter::default() }, (count, 0)).await
}

async fn artist_named(call: &Call, name: &str) -> Result<Option<i64>, Fault> {
    let wanted = Wanted { artists: (100, 0), ..Wanted::default() };
    let found = call.app.node().catalog().find_music(hearer(call).await?, name.to_owned(), wanted).await?;
    let same = |artist: &&Artist| artist.name.to_lowercase() == name.to_lowercase();
    Ok(found.artists.iter().find(same).map(|artist| artist.number))
}

/// `getSimilarSongs`
pub(super) async fn similar(call: Call) -> Result<Answer, Fault> {
    alike(&call, "similarSongs").await
}

/// `getSimilarSongs2`
pub(super) async fn similar_2(call: Call) -> Result<Answer, Fault> {
    alike(&call, "similarSongs2").await
}

/// Songs of the same genre, in no order; where nobody says what genre it is, of the same artist.
async fn alike(call: &Call, name: &'static str) -> Result<Answer, Fault> {
    let (hearer, catalog) = (hearer(call).await?, call.app.node().catalog());
    let (count, _) = part(call, "count", SONGS)?;
    let seed = match named(call, "song")? {
        Thing::Track(number) => catalog.tracks_by_number(hearer.clone(), vec![number]).await?,
        Thing::Album(number) => catalog.tracks_of_album(hearer.clone(), number).await?,
        Thing::Artist(number) => {
            let filter = TrackFilter { artist: Some(number), ..TrackFilter::default() };
            catalog.tracks(hearer.clone(), filter, 1, 0).await?
        }
        Thing::Directory(number) => catalog.directory(hearer.clone(), number).await?.1.tracks,
        Thing::Playlist(_) | Thing::Channel(_) | Thing::Episode(_) => return Err(Fault::absent("song")),
    };
    let Some(first) = seed.first() else { return Ok(song_list(name, &[])) };
    let genre = first.genres.first().cloned();
    let artist = first.artists.iter().find(|artist| artist.role == "artist").map(|artist| artist.number);
    let artist = artist.filter(|_| genre.is_none());
    let filter = TrackFilter { genre, artist, random: true, ..TrackFilter::default() };
    let mut found = catalog.tracks(hearer, filter, count.saturating_add(1), 0).await?;
    found.retain(|track| track.number != first.number);
    found.truncate(count as usize);
    Ok(song_list(name, &found))
}

/// `search2`
pub(super) async fn search_2(call: Call) -> Result<Answer, Fault> {
    found(&call, "searchResult2", shapes::album_folder).await
}

/// `search3`
pub(super) async fn search_3(call: Call) -> Result<Answer, Fault> {
    found(&call, "searchResult3", shapes::album).await
}

async fn found(call: &Call, name: &'static str, shape: fn(&Album) -> Element) -> Result<Answer, Fault> {
    let part = |kind: &str| -> Result<(u32, u64), Fault> {
        let count = call.params.int(&format!("{kind}Count"))?.unwrap_or(FOUND).clamp(0, FOUND_MAX) as u32;
        Ok((count, call.params.int(&format!("{kind}Offset"))?.unwrap_or(0).max(0).cast_unsigned()))
    };
    let wanted = Wanted { artists: part("artist")?, albums: part("album")?, tracks: part("song")? };
    let text = text(call.params.one("query").unwrap_or_default());
    let found = call.app.node().catalog().find_music(hearer(call).await?, text, wanted).await?;
    let element = Element::new()
        .many("artist", found.artists.iter().map(shapes::artist).collect())
        .many("album", found.albums.iter().map(shape).collect())
        .many("song", found.tracks.iter().map(shapes::song).collect());
    Ok(Answer::one(name, element))
}

/// Some programs send two quotes for nothing, and others a star at the end of each word.
fn text(query: &str) -> String {
    query.trim().trim_matches('"').replace('*', " ").trim().to_owned()
}

/// `search`, the one of version 1.0.
pub(super) async fn search(call: Call) -> Result<Answer, Fault> {
    let words = ["any", "title", "album", "artist"].iter().filter_map(|name| call.params.one(name));
    let text = text(&words.collect::<Vec<_>>().join(" "));
    let (count, offset) = part(&call, "count", FOUND as u32)?;
    let wanted = Wanted { tracks: (count, offset), ..Wanted::default() };
    let found = call.app.node().catalog().find_music(hearer(&call).await?, text, wanted).await?;
    let total = offset + found.tracks.len() as u64;
    let result = Element::new().with("offset", offset).with("totalHits", total);
    Ok(Answer::one("searchResult", result.many("match", found.tracks.iter().map(shapes::song).collect())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quotes_and_stars_around_words_are_no_part_of_them() {
        for (query, wanted) in
            [("\"\"", ""), ("abba*", "abba"), ("\"dark side\"", "dark side"), ("  ", ""), ("a* b*", "a  b")]
        {
            assert_eq!(text(query), wanted);
        }
    }
}
