//! Music: from the files to tracks, albums, artists, genres and folders.
use std::collections::HashSet;
use std::fs;

use potluck::catalog::music::{AlbumFilter, AlbumOrder, Hearer, PlaylistChange, Target, TrackFilter, Wanted};
use potluck::catalog::record::VARIOUS;
use potluck::catalog::{Item, ItemKind, ItemState, Library, LibraryKind};

use crate::comics::picture;
use crate::shelf::{ACCOUNT, Shelf};
use crate::tunes::{of_album, sound, tune, tune_with_picture};

async fn music() -> (Shelf, Library, Hearer) {
    let shelf = Shelf::new().await;
    let library = shelf.library("music", LibraryKind::Music).await;
    let hearer = Hearer { account: ACCOUNT.to_owned(), libraries: vec![library.id.clone()] };
    (shelf, library, hearer)
}

fn put(shelf: &Shelf, place: &str, bytes: impl AsRef<[u8]>) {
    let path = shelf.path(place);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, bytes).unwrap();
}

async fn titles(shelf: &Shelf, hearer: &Hearer) -> Vec<String> {
    let albums = shelf.catalog.albums(hearer.clone(), AlbumOrder::Title, AlbumFilter::default(), 500, 0).await.unwrap();
    albums.into_iter().map(|album| format!("{}: {} ({})", album.artist, album.title, album.songs)).collect()
}

#[tokio::test]
async fn tags_make_tracks_albums_artists_and_genres() {
    let (shelf, library, hearer) = music().await;
    put(
        &shelf,
        "music/a/2.mp3",
        tune(&[
            ("TIT2", "Second"),
            ("TPE1", "Ann\u{0}Bob"),
            ("TPE2", "Ann"),
            ("TALB", "The Album"),
            ("TRCK", "2/2"),
            ("TPOS", "1/1"),
            ("TDRC", "1999-05-01"),
            ("TCON", "Jazz\u{0}Blues"),
            ("TCOM", "Cleo"),
            ("TXXX:MusicBrainz Album Id", "5e0d9b0a-5d0b-4b0e-9d0e-0d9b0a5d0b4b"),
        ]),
    );
    put(
        &shelf,
        "music/a/1.mp3",
        tune(&[
            ("TIT2", "First"),
            ("TPE1", "Ann"),
            ("TPE2", "Ann"),
            ("TALB", "The Album"),
            ("TRCK", "1"),
            ("TCON", "Jazz"),
            ("TDRC", "1999"),
            ("TXXX:MusicBrainz Album Id", "5e0d9b0a-5d0b-4b0e-9d0e-0d9b0a5d0b4b"),
        ]),
    );
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (2, 0));
    assert_eq!(titles(&shelf, &hearer).await, ["Ann: The Album (2)"]);
    let artists = shelf.catalog.artists(hearer.clone()).await.unwrap();
    assert_eq!(artists.iter().map(|a| (a.name.as_str(), a.albums)).collect::<Vec<_>>(), [("Ann", 1)]);
    let albums = shelf.catalog.albums_of(hearer.clone(), artists[0].number).await.unwrap();
    assert_eq!((albums[0].year, albums[0].genres.clone()), (Some(1999), vec!["Blues".to_owned(), "Jazz".to_owned()]));
    let tracks = shelf.catalog.tracks_of_album(hearer.clone(), albums[0].number).await.unwrap();
    let told: Vec<_> = tracks.iter().map(|t| (t.track, t.title.as_str(), t.format.as_str())).collect();
    assert_eq!(told, [(Some(1), "First", "mp3"), (Some(2), "Second", "mp3")]);
    assert!((tracks[0].seconds - 1.0).abs() < 0.2, "{}", tracks[0].seconds);
    let roles: Vec<_> = tracks[1].artists.iter().map(|a| (a.role.as_str(), a.name.as_str())).collect();
    assert_eq!(roles, [("artist", "Ann"), ("artist", "Bob"), ("composer", "Cleo"), ("albumartist", "Ann")]);
    let genres = shelf.catalog.genres(hearer).await.unwrap();
    let genres: Vec<_> = genres.iter().map(|g| (g.name.as_str(), g.songs, g.albums)).collect();
    assert_eq!(genres, [("Blues", 1, 1), ("Jazz", 2, 1)]);
}

#[tokio::test]
async fn what_has_no_tags_is_named_by_its_place() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/Some Band/Their Album (2001)/03 - A Song.mp3", sound());
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, ["Some Band: Their Album (1)"]);
    let tracks = shelf.catalog.tracks(hearer, TrackFilter::default(), 10, 0).await.unwrap();
    let track = &tracks[0];
    assert_eq!((track.title.as_str(), track.track, track.year), ("A Song", Some(3), Some(2001)));
    assert_eq!(track.artist, "Some Band");
}

#[tokio::test]
async fn an_album_of_many_artists_in_one_folder_is_one_album() {
    let (shelf, library, hearer) = music().await;
    for (n, artist) in ["Ann", "Bob", "Cleo"].iter().enumerate() {
        let number = n.to_string();
        put(
            &shelf,
            &format!("music/hits/{n}.mp3"),
            tune(&[("TIT2", "x"), ("TPE1", artist), ("TALB", "Hits"), ("TRCK", &number)]),
        );
    }
    put(&shelf, "music/other hits/1.mp3", tune(&[("TIT2", "x"), ("TPE1", "Dora"), ("TALB", "Hits")]));
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, [format!("{VARIOUS}: Hits (3)"), "Dora: Hits (1)".to_owned()]);
}

#[tokio::test]
async fn discs_in_folders_of_their_own_are_one_album() {
    let (shelf, library, hearer) = music().await;
    for disc in ["1", "2"] {
        for track in ["1", "2"] {
            let frames = [("TIT2", "x"), ("TPE1", "Ann"), ("TALB", "Double"), ("TRCK", track), ("TPOS", disc)];
            put(&shelf, &format!("music/Double/CD{disc}/{track}.mp3"), tune(&frames));
        }
    }
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, ["Ann: Double (4)"]);
    let tracks = shelf.catalog.tracks(hearer, TrackFilter::default(), 10, 0).await.unwrap();
    let order: Vec<_> = tracks.iter().map(|t| (t.disc.unwrap(), t.track.unwrap())).collect();
    assert_eq!(order, [(1, 1), (1, 2), (2, 1), (2, 2)]);
}

#[tokio::test]
async fn real_folders_are_walked_as_they_are_on_disk() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/B/one.mp3", of_album(1, "One", "Ann", "Red"));
    put(&shelf, "music/A/inner/two.mp3", of_album(1, "Two", "Ann", "Blue"));
    put(&shelf, "music/loose.mp3", of_album(1, "Loose", "Ann", "Green"));
    shelf.scan(&library).await;
    let top = shelf.catalog.top_directories(hearer.clone()).await.unwrap();
    assert_eq!(top.directories.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["A", "B"]);
    assert_eq!(top.tracks.iter().map(|t| t.title.as_str()).collect::<Vec<_>>(), ["Loose"]);
    let (a, inside) = shelf.catalog.directory(hearer.clone(), top.directories[0].number).await.unwrap();
    assert_eq!((a.name.as_str(), inside.tracks.len(), inside.directories[0].name.as_str()), ("A", 0, "inner"));
    assert_eq!(inside.directories[0].parent, Some(a.number));
    // A folder that is gone is listed no more.
    fs::remove_dir_all(shelf.path("music/A")).unwrap();
    shelf.scan(&library).await;
    let top = shelf.catalog.top_directories(hearer.clone()).await.unwrap();
    assert_eq!(top.directories.iter().map(|d| d.name.as_str()).collect::<Vec<_>>(), ["B"]);
    assert!(shelf.catalog.directory(hearer, a.number).await.is_err());
}

#[tokio::test]
async fn a_folder_that_is_renamed_keeps_its_stars_and_so_do_those_in_it() {
    let (shelf, library, hearer) = music().await;
    for (folder, album) in [("A/inner", "Blue"), ("A/other", "Grey"), ("B", "Red")] {
        put(&shelf, &format!("music/{folder}/one.mp3"), of_album(1, "One", "Ann", album));
    }
    shelf.scan(&library).await;
    let named = async |name: &str| {
        let top = shelf.catalog.top_directories(hearer.clone()).await.unwrap().directories;
        top.into_iter().find(|folder| folder.name == name).unwrap()
    };
    let (_, inside) = shelf.catalog.directory(hearer.clone(), named("A").await.number).await.unwrap();
    let targets = [named("A").await.number, inside.directories[0].number].map(Target::Directory);
    shelf.catalog.star(hearer.clone(), targets.to_vec(), true).await.unwrap();
    let starred = async || {
        let starred = shelf.catalog.starred_directories(hearer.clone()).await.unwrap();
        let mut names: Vec<String> = starred.into_iter().map(|folder| folder.name).collect();
        names.sort();
        names
    };
    fs::rename(shelf.path("music/A"), shelf.path("music/Renamed")).unwrap();
    shelf.scan(&library).await;
    assert_eq!(starred().await, ["Renamed", "inner"]);
    let top = shelf.catalog.top_directories(hearer.clone()).await.unwrap().directories;
    assert_eq!(top.iter().map(|folder| folder.name.as_str()).collect::<Vec<_>>(), ["B", "Renamed"]);
    // Into a folder that was there before: what it is itself stays as it was.
    fs::rename(shelf.path("music/Renamed/inner"), shelf.path("music/B/inner")).unwrap();
    fs::remove_dir_all(shelf.path("music/Renamed")).unwrap();
    shelf.scan(&library).await;
    let (b, inside) = shelf.catalog.directory(hearer.clone(), named("B").await.number).await.unwrap();
    assert!(b.opinion.starred_at.is_none() && inside.directories[0].opinion.starred_at.is_some());
}

#[tokio::test]
async fn a_track_keeps_its_id_when_it_is_moved_and_tagged_anew_and_its_album_keeps_its_own() {
    let (shelf, library, hearer) = music().await;
    for n in 1..=3 {
        put(&shelf, &format!("music/a/{n}.mp3"), of_album(n, &format!("Song {n}"), "Ann", "Old Name"));
    }
    shelf.scan(&library).await;
    let albums = shelf.items(Some(ItemKind::Album)).await;
    let before: Vec<String> = shelf.items(Some(ItemKind::Track)).await.into_iter().map(|track| track.id).collect();
    fs::create_dir_all(shelf.path("music/b")).unwrap();
    for n in 1..=3 {
        fs::remove_file(shelf.path(&format!("music/a/{n}.mp3"))).unwrap();
        put(&shelf, &format!("music/a/{n}.mp3"), of_album(n, &format!("Song {n}"), "Ann", "New Name"));
    }
    shelf.scan(&library).await;
    let tracks = shelf.items(Some(ItemKind::Track)).await;
    assert_eq!(tracks.iter().map(|t| t.id.clone()).collect::<Vec<_>>(), before);
    let now = shelf.items(Some(ItemKind::Album)).await;
    assert_eq!((now.len(), now[0].title.as_str()), (1, "New Name"));
    assert_eq!(now[0].id, albums[0].id, "the album is the same under another name");
    assert_eq!(titles(&shelf, &hearer).await, ["Ann: New Name (3)"]);
    fs::rename(shelf.path("music/a"), shelf.path("music/b/moved")).unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.moved, scan.added, scan.trashed), (3, 0, 0));
    let tracks = shelf.items(Some(ItemKind::Track)).await;
    assert_eq!(tracks.iter().map(|t| t.id.clone()).collect::<Vec<_>>(), before);
}

#[tokio::test]
async fn one_track_that_leaves_for_a_new_album_takes_the_old_one_not_along() {
    let (shelf, library, hearer) = music().await;
    for n in 1..=3 {
        put(&shelf, &format!("music/a/{n}.mp3"), of_album(n, &format!("Song {n}"), "Ann", "Album"));
    }
    shelf.scan(&library).await;
    let album = shelf.items(Some(ItemKind::Album)).await[0].id.clone();
    put(&shelf, "music/a/1.mp3", of_album(1, "Song 1, alone", "Ann", "Single"));
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, ["Ann: Album (2)", "Ann: Single (1)"]);
    assert_eq!(shelf.items(Some(ItemKind::Album)).await[0].id, album);
}

#[tokio::test]
async fn trashed_tracks_are_not_counted_and_come_back_as_they_were() {
    let (shelf, library, hearer) = music().await;
    for n in 1..=2 {
        put(&shelf, &format!("music/a/{n}.mp3"), of_album(n, &format!("Song {n}"), "Ann", "Album"));
    }
    shelf.scan(&library).await;
    let before = shelf.items(Some(ItemKind::Track)).await;
    let kept = fs::read(shelf.path("music/a/2.mp3")).unwrap();
    fs::remove_file(shelf.path("music/a/2.mp3")).unwrap();
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, ["Ann: Album (1)"]);
    put(&shelf, "music/a/2.mp3", kept);
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, ["Ann: Album (2)"]);
    let now = shelf.items(Some(ItemKind::Track)).await;
    assert_eq!(now.iter().map(|t| &t.id).collect::<Vec<_>>(), before.iter().map(|t| &t.id).collect::<Vec<_>>());
    let top = shelf.catalog.top_directories(hearer.clone()).await.unwrap();
    let (_, inside) = shelf.catalog.directory(hearer, top.directories[0].number).await.unwrap();
    assert_eq!(inside.tracks.len(), 2, "it is in its folder again");
}

#[tokio::test]
async fn the_cover_beside_tracks_or_else_the_picture_in_one_is_the_albums() {
    let (shelf, library, _) = music().await;
    put(&shelf, "music/a/1.mp3", tune_with_picture(&[("TIT2", "One"), ("TPE1", "Ann"), ("TALB", "Inside")], 7));
    put(&shelf, "music/a/2.mp3", tune_with_picture(&[("TIT2", "Two"), ("TPE1", "Ann"), ("TALB", "Inside")], 7));
    put(&shelf, "music/b/1.mp3", tune_with_picture(&[("TIT2", "One"), ("TPE1", "Ann"), ("TALB", "Beside")], 7));
    put(&shelf, "music/b/Folder.JPG", picture(9, 80, 80, image::ImageFormat::Jpeg));
    shelf.scan(&library).await;
    let albums = shelf.items(Some(ItemKind::Album)).await;
    assert_eq!(albums[0].artwork.poster.as_deref(), Some(shelf.path("music/b/Folder.JPG").as_path()));
    let inside = albums[1].artwork.poster.as_ref().expect("a picture was taken");
    assert!(inside.starts_with(shelf.data()) && inside.is_file(), "{}", inside.display());
    let tracks = shelf.items(Some(ItemKind::Track)).await;
    let of_album = |title: &str| {
        let id = &albums.iter().find(|album| album.title == title).unwrap().id;
        tracks.iter().filter(|t| t.show.as_ref() == Some(id)).map(|t| t.artwork.poster.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of_album("Inside"), vec![Some(inside.clone()); 2], "one picture was taken for both");
}

#[tokio::test]
async fn search_finds_by_the_beginnings_of_words_and_nothing_else_finds_all() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/1.mp3", of_album(1, "Morning Étude", "Édith P.", "Days"));
    put(&shelf, "music/2.mp3", of_album(1, "Evening", "Frank", "Nights"));
    shelf.scan(&library).await;
    let ask = async |text: &str| {
        let all = Wanted { artists: (20, 0), albums: (20, 0), tracks: (20, 0) };
        let found = shelf.catalog.find_music(hearer.clone(), text.to_owned(), all).await.unwrap();
        let artists: Vec<String> = found.artists.into_iter().map(|a| a.name).collect();
        let albums: Vec<String> = found.albums.into_iter().map(|a| a.title).collect();
        let tracks: Vec<String> = found.tracks.into_iter().map(|t| t.title).collect();
        (artists, albums, tracks)
    };
    let list = |of: &[&str]| of.iter().map(|s| (*s).to_owned()).collect::<Vec<_>>();
    assert_eq!(ask("edith").await, (list(&["Édith P."]), list(&["Days"]), list(&["Morning Étude"])));
    assert_eq!(ask("etude morn").await, (list(&[]), list(&[]), list(&["Morning Étude"])));
    assert_eq!(ask("").await.2, ["Morning Étude", "Evening"]);
    assert_eq!(ask("\"' OR *").await, (list(&[]), list(&[]), list(&[])));
}

#[tokio::test]
async fn what_is_no_music_is_marked_and_the_rest_is_there() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/noise.mp3", vec![0x55; 5000]);
    put(&shelf, "music/empty.flac", []);
    put(&shelf, "music/good.mp3", of_album(1, "Good", "Ann", "Album"));
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (3, 2));
    let states: Vec<ItemState> = shelf.items(Some(ItemKind::Track)).await.into_iter().map(|t| t.state).collect();
    assert_eq!(states.iter().filter(|s| **s == ItemState::Unreadable).count(), 2);
    assert!(titles(&shelf, &hearer).await.contains(&"Ann: Album (1)".to_owned()));
}

/// More than are read, hashed and written together, with all that can be wrong among them.
#[tokio::test]
async fn of_many_tracks_each_is_what_its_own_file_says() {
    const TRACKS: u32 = 300;
    let (shelf, library, _) = music().await;
    let damaged = |n: u32| n % 50 == 7;
    let is_at = |track: &Item, name: &str| track.file.as_ref().is_some_and(|file| file.path.ends_with(name));
    for n in 0..TRACKS {
        let bytes =
            if damaged(n) { vec![0x55; 5000 + n as usize] } else { of_album(n, &format!("Song {n}"), "Ann", "All") };
        put(&shelf, &format!("music/{:03}.mp3", n), bytes);
    }
    // The same bytes under another name, far from the first.
    put(&shelf, "music/copy.mp3", fs::read(shelf.path("music/001.mp3")).unwrap());
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (u64::from(TRACKS) + 1, 6));
    let tracks = shelf.items(Some(ItemKind::Track)).await;
    for n in 0..TRACKS {
        let name = format!("{n:03}.mp3");
        let of_file: Vec<_> = tracks.iter().filter(|track| is_at(track, &name)).collect();
        let [track] = of_file[..] else { panic!("{name}: {} items", of_file.len()) };
        let title = if damaged(n) { format!("{n:03}") } else { format!("Song {n}") };
        let state = if damaged(n) { ItemState::Unreadable } else { ItemState::Present };
        assert_eq!((track.title.as_str(), track.state), (title.as_str(), state));
    }
    let ids = |tracks: &[Item]| tracks.iter().map(|track| track.id.clone()).collect::<HashSet<_>>();
    let place = |name: &str| shelf.path(&format!("music/{name}"));
    fs::create_dir(place("moved")).unwrap();
    for n in (0..TRACKS).step_by(2) {
        fs::rename(place(&format!("{n:03}.mp3")), place(&format!("moved/{n:03}.mp3"))).unwrap();
    }
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.moved, scan.trashed), (0, u64::from(TRACKS) / 2, 0));
    assert_eq!(ids(&shelf.items(Some(ItemKind::Track)).await), ids(&tracks));
}

#[tokio::test]
async fn libraries_that_somebody_may_not_see_are_in_no_answer() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/a/1.mp3", of_album(1, "Song", "Ann", "Album"));
    shelf.scan(&library).await;
    let album =
        shelf.catalog.albums(hearer.clone(), AlbumOrder::Added, AlbumFilter::default(), 9, 0).await.unwrap()[0].clone();
    let track = shelf.catalog.tracks_of_album(hearer.clone(), album.number).await.unwrap()[0].clone();
    let nobody = Hearer { account: ACCOUNT.to_owned(), libraries: Vec::new() };
    let catalog = &shelf.catalog;
    assert!(catalog.artists(nobody.clone()).await.unwrap().is_empty());
    assert!(catalog.artist(nobody.clone(), album.artists[0].number).await.is_err());
    assert!(catalog.albums_of(nobody.clone(), album.artists[0].number).await.unwrap().is_empty());
    assert!(catalog.albums_by_number(nobody.clone(), vec![album.number]).await.unwrap().is_empty());
    assert!(catalog.tracks_of_album(nobody.clone(), album.number).await.unwrap().is_empty());
    assert!(catalog.tracks_by_number(nobody.clone(), vec![track.number]).await.unwrap().is_empty());
    assert!(catalog.directory(nobody.clone(), track.directory.unwrap()).await.is_err());
    assert!(catalog.genres(nobody.clone()).await.unwrap().is_empty());
    let all = Wanted { artists: (20, 0), albums: (20, 0), tracks: (20, 0) };
    assert_eq!(catalog.find_music(nobody, String::new(), all).await.unwrap(), Default::default());
}

#[tokio::test]
async fn an_album_that_was_one_before_keeps_its_id_and_stars_when_a_stray_track_comes_home() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/a/1.mp3", of_album(1, "One", "Ann", "Greatest Hit"));
    for n in 2..=3 {
        put(&shelf, &format!("music/a/{n}.mp3"), of_album(n, &format!("Song {n}"), "Ann", "Greatest Hits"));
    }
    shelf.scan(&library).await;
    let albums = shelf.catalog.albums(hearer.clone(), AlbumOrder::Title, AlbumFilter::default(), 9, 0).await.unwrap();
    let hits = albums.into_iter().find(|album| album.title == "Greatest Hits").unwrap();
    shelf.catalog.star(hearer.clone(), vec![Target::Item(hits.number)], true).await.unwrap();
    put(&shelf, "music/a/1.mp3", of_album(1, "One, tagged anew", "Ann", "Greatest Hits"));
    shelf.scan(&library).await;
    let albums = shelf.catalog.albums(hearer, AlbumOrder::Title, AlbumFilter::default(), 9, 0).await.unwrap();
    assert_eq!((albums.len(), albums[0].number, albums[0].songs), (1, hits.number, 3));
    assert!(albums[0].opinion.starred_at.is_some());
}

#[tokio::test]
async fn places_in_a_playlist_are_those_that_are_shown() {
    let (shelf, library, hearer) = music().await;
    for n in 1..=3 {
        put(&shelf, &format!("music/a/{n}.mp3"), of_album(n, &format!("Song {n}"), "Ann", "Album"));
    }
    shelf.scan(&library).await;
    let tracks = shelf.catalog.tracks(hearer.clone(), TrackFilter::default(), 9, 0).await.unwrap();
    let numbers = tracks.iter().map(|track| track.number).collect();
    let list = shelf.catalog.add_playlist(hearer.clone(), "Mine".to_owned(), numbers).await.unwrap();
    let away = fs::read(shelf.path("music/a/1.mp3")).unwrap();
    fs::remove_file(shelf.path("music/a/1.mp3")).unwrap();
    shelf.scan(&library).await;
    let change = PlaylistChange { remove: vec![1], ..PlaylistChange::default() };
    shelf.catalog.change_playlist(hearer.clone(), list, change).await.unwrap();
    put(&shelf, "music/a/1.mp3", away);
    shelf.scan(&library).await;
    let (_, left) = shelf.catalog.playlist(hearer, list).await.unwrap();
    assert_eq!(left.iter().map(|track| track.title.as_str()).collect::<Vec<_>>(), ["Song 1", "Song 2"]);
}

#[tokio::test]
async fn artists_are_found_whatever_stands_between_their_letters() {
    let (shelf, library, hearer) = music().await;
    for (n, artist) in ["AC/DC", "P!nk", "N*E*R*D"].iter().enumerate() {
        put(&shelf, &format!("music/{n}.mp3"), of_album(1, "x", artist, artist));
    }
    shelf.scan(&library).await;
    for (text, wanted) in [("AC/DC", "AC/DC"), ("dc", "AC/DC"), ("p!nk", "P!nk"), ("n*e*r*d", "N*E*R*D")] {
        let all = Wanted { artists: (20, 0), ..Wanted::default() };
        let found = shelf.catalog.find_music(hearer.clone(), text.to_owned(), all).await.unwrap();
        assert_eq!(found.artists.iter().map(|a| a.name.as_str()).collect::<Vec<_>>(), [wanted], "{text}");
    }
}

#[tokio::test]
async fn what_only_an_old_name_said_is_not_kept_under_a_new_one() {
    let (shelf, library, hearer) = music().await;
    put(&shelf, "music/Artst/Albun/01 x.mp3", sound());
    shelf.scan(&library).await;
    fs::create_dir_all(shelf.path("music/Artist")).unwrap();
    fs::rename(shelf.path("music/Artst/Albun"), shelf.path("music/Artist/Album")).unwrap();
    shelf.scan(&library).await;
    assert_eq!(titles(&shelf, &hearer).await, ["Artist: Album (1)"]);
}
