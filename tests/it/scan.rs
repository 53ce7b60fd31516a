//! Folders of videos become items, whatever is in them, and stay so through edits, stops and lost indexes.
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;

use potluck::blocks::BlockError;
use potluck::catalog::{Item, ItemKind, ItemState, LibraryKind};
use potluck::library::{ItemChange, LibraryEvent, ScanState};
use tokio_util::sync::CancellationToken;

use crate::shelf::{ACCOUNT, Shelf, event, video};

fn titles(items: &[Item]) -> Vec<&str> {
    items.iter().map(|item| item.title.as_str()).collect()
}

#[tokio::test]
async fn a_folder_of_films_becomes_items_with_facts_and_pictures() {
    let shelf = Shelf::new().await;
    let library = shelf.library("films", LibraryKind::Movies).await;
    shelf.put("films/The Zebra (2001)/The Zebra (2001).mp4", "a");
    shelf.write("films/The Zebra (2001)/poster.jpg", b"jpeg");
    shelf.write("films/The Zebra (2001)/fanart.jpg", b"jpeg");
    shelf.write("films/The Zebra (2001)/The Zebra (2001).de.srt", b"1");
    let nfo = "<movie><title>Das Zebra</title><plot>Stripes.</plot><genre>Nature</genre></movie>";
    shelf.write("films/The Zebra (2001)/movie.nfo", nfo.as_bytes());
    shelf.put("films/An Ape (1999).mp4", "b");
    let mut events = shelf.importer.events();
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.files_total, scan.files_done, scan.problems), (2, 2, 2, 0));
    assert_eq!((scan.bytes_done, scan.bytes_total), (scan.bytes_total, 2 * video("a").len() as u64));
    assert_eq!(titles(&shelf.items(None).await), ["An Ape", "Das Zebra"]);

    let zebra = shelf.at("films/The Zebra (2001)/The Zebra (2001).mp4").await;
    let file = zebra.file.clone().unwrap();
    assert_eq!(
        (zebra.year, zebra.overview.as_deref(), zebra.genres.clone()),
        (Some(2001), Some("Stripes."), vec!["Nature".to_owned()])
    );
    assert_eq!((file.width, file.height, file.hdr, file.size), (Some(128), Some(72), None, video("a").len() as u64));
    assert!((zebra.duration.unwrap() - 1.0).abs() < 0.2 && file.facts.unwrap().streams[0].codec == "h264");
    assert_eq!(zebra.artwork.poster.unwrap().file_name().unwrap(), "poster.jpg");
    assert_eq!(file.sidecars[0].file_name().unwrap(), "The Zebra (2001).de.srt");
    let ape = shelf.at("films/An Ape (1999).mp4").await;
    let frame = ape.artwork.poster.unwrap();
    assert!(
        frame.starts_with(shelf.data()) && fs::read(frame).unwrap().starts_with(&[0xff, 0xd8]),
        "a frame of the film"
    );

    let added = |e| matches!(e, LibraryEvent::Item { change: ItemChange::Added, .. }).then_some(());
    event(&mut events, added).await;
    event(&mut events, added).await;
    event(&mut events, |e| matches!(e, LibraryEvent::Scan(p) if p.state == ScanState::Done).then_some(())).await;
}

#[tokio::test]
async fn a_folder_of_shows_becomes_shows_and_episodes_in_order() {
    let shelf = Shelf::new().await;
    let library = shelf.library("shows", LibraryKind::Shows).await;
    shelf.put("shows/The Show (2005)/Season 01/The Show S01E10.mp4", "10");
    shelf.put("shows/The Show (2005)/Season 01/The Show S01E02-E03 - Two.mp4", "2");
    shelf.put("shows/The Show (2005)/Specials/The Show S00E01.mp4", "s");
    shelf.put("shows/Another.Show.S02E01.mp4", "x");
    shelf.write("shows/The Show (2005)/tvshow.nfo", b"<tvshow><title>Our Show</title><plot>All of it.</plot></tvshow>");
    shelf.write("shows/The Show (2005)/season01-poster.jpg", b"jpeg");
    shelf.scan(&library).await;
    let shows = shelf.items(Some(ItemKind::Show)).await;
    assert_eq!(titles(&shows), ["Another Show", "Our Show"]);
    let whole = shelf.catalog.item(&shows[1].id, ACCOUNT).await.unwrap().item;
    assert_eq!((whole.year, whole.overview.as_deref()), (Some(2005), Some("All of it.")));
    assert_eq!(shows[1].artwork.poster.as_ref().unwrap().file_name().unwrap(), "season01-poster.jpg");
    assert!(shows[0].artwork.poster.is_some(), "a frame of an episode");

    let episodes = shelf.items(None).await;
    let numbers: Vec<_> = episodes.iter().map(|e| (e.season, e.episode, e.episode_end)).collect();
    let wanted =
        [(Some(2), Some(1), None), (Some(0), Some(1), None), (Some(1), Some(2), Some(3)), (Some(1), Some(10), None)];
    assert_eq!(numbers, wanted);
    let next = shelf.catalog.neighbours(&episodes[2].id, ACCOUNT).await.unwrap();
    assert_eq!(next.next.unwrap().item.id, episodes[3].id);
    assert_eq!(next.previous.unwrap().item.id, episodes[1].id);
    assert!(shelf.catalog.next_episode(&episodes[3].id, ACCOUNT).await.unwrap().is_none());
    let listed = shelf.catalog.item(&shows[1].id, ACCOUNT).await.unwrap();
    assert_eq!(listed.episodes, Some(3));
}

#[tokio::test]
async fn files_that_are_no_videos_are_items_that_say_what_is_wrong() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    shelf.write("clips/empty.mp4", b"");
    shelf.write("clips/text.mp4", b"Dear diary, this is no film.");
    shelf.write(
        "clips/garbage.mkv",
        &(0..20_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>(),
    );
    shelf.write("clips/cut.mp4", &video("a")[..600]);
    shelf.put("clips/good.mp4", "good");
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (5, 4));
    for item in shelf.items(None).await {
        let good = item.title == "good";
        assert_eq!(item.state == ItemState::Present, good, "{item:?}");
        assert_eq!(item.problem.is_none(), good, "{item:?}");
    }
    assert_eq!(shelf.catalog.alerts().await.unwrap().unreadable_total, 4);
    // Unchanged, they are not tried again; changed into a film, it is the same item.
    assert_eq!(shelf.scan(&library).await.bytes_total, 0);
    let id = shelf.at("clips/text.mp4").await.id;
    shelf.put("clips/text.mp4", "now a film");
    shelf.scan(&library).await;
    let item = shelf.at("clips/text.mp4").await;
    assert_eq!((item.id, item.state, item.problem), (id, ItemState::Present, None));
}

#[tokio::test]
async fn names_that_are_not_utf8_are_shown_as_well_as_can_be_and_play() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let path = library.path.join(OsStr::from_bytes(b"caf\xe9.mp4"));
    fs::write(&path, video("a")).unwrap();
    shelf.scan(&library).await;
    let item = shelf.items(None).await.pop().unwrap();
    assert_eq!(item.title, "caf\u{fffd}");
    assert_eq!(item.file.as_ref().unwrap().path, path);
    assert_eq!(shelf.bytes(&item).await, video("a"));
    assert_eq!(shelf.scan(&library).await.bytes_total, 0);
}

#[tokio::test]
async fn links_that_loop_or_lead_nowhere_do_no_harm() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    shelf.put("clips/a/one.mp4", "a");
    std::os::unix::fs::symlink(&library.path, library.path.join("a/loop")).unwrap();
    std::os::unix::fs::symlink("/nowhere/film.mp4", library.path.join("gone.mp4")).unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.problems), (1, 1));
}

#[tokio::test]
async fn what_a_link_led_to_is_away_not_deleted() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let disk = tempfile::tempdir().unwrap();
    fs::write(disk.path().join("a.mp4"), video("a")).unwrap();
    shelf.put("clips/b.mp4", "b");
    std::os::unix::fs::symlink(disk.path().join("folder"), library.path.join("linked")).unwrap();
    fs::create_dir(disk.path().join("folder")).unwrap();
    fs::rename(disk.path().join("a.mp4"), disk.path().join("folder/a.mp4")).unwrap();
    shelf.scan(&library).await;
    let id = shelf.at("clips/linked/a.mp4").await.id;
    fs::rename(disk.path().join("folder"), disk.path().join("unmounted")).unwrap();
    assert_eq!(shelf.scan(&library).await.trashed, 0);
    assert_eq!(shelf.state(&id).await, ItemState::Unavailable);
    fs::rename(disk.path().join("unmounted"), disk.path().join("folder")).unwrap();
    assert_eq!(shelf.scan(&library).await.bytes_total, 0);
    assert_eq!(shelf.state(&id).await, ItemState::Present);
}

#[tokio::test]
async fn a_file_that_may_not_be_read_says_so_and_is_read_once_it_may() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let path = shelf.put("clips/a.mp4", "a");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o0)).unwrap();
    if fs::File::open(&path).is_ok() {
        // Root may read everything: nothing to see here.
        return;
    }
    shelf.scan(&library).await;
    let item = shelf.at("clips/a.mp4").await;
    assert_eq!(item.state, ItemState::Unreadable);
    assert!(item.problem.unwrap().contains("permissions"));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    shelf.scan(&library).await;
    assert_eq!(shelf.at("clips/a.mp4").await.state, ItemState::Present);
}

#[tokio::test]
async fn a_file_written_a_moment_ago_waits_until_it_is_quiet() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let mut options = Shelf::options(shelf.data(), false);
    options.settle = std::time::Duration::from_millis(300);
    let (c, b, m) = (shelf.catalog.clone(), shelf.blocks.clone(), shelf.media.clone());
    let patient = potluck::library::Importer::on_demand(options, c, b, m).await.unwrap();
    let mut events = patient.events();
    shelf.put("clips/a.mp4", "a");
    patient.scan(&library.id).await.unwrap();
    let done = |e| match e {
        LibraryEvent::Scan(p) if p.state == ScanState::Done => Some(p.added),
        _ => None,
    };
    assert_eq!(event(&mut events, done).await, 0, "it is too young");
    assert_eq!(event(&mut events, done).await, 1, "looked at again");
    patient.idle().await;
    patient.stop().await;
}

#[tokio::test]
async fn what_was_imported_before_a_stop_is_not_read_again() {
    let mut shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let size = video("film 00").len() as u64;
    for n in 0..12 {
        shelf.put(&format!("clips/film {n:02}.mp4"), &format!("film {n:02}"));
    }
    let mut events = shelf.importer.events();
    shelf.importer.scan(&library.id).await.unwrap();
    let mut added = 0;
    event(&mut events, |e| {
        added += u32::from(matches!(e, LibraryEvent::Item { change: ItemChange::Added, .. }));
        (added == 3).then_some(())
    })
    .await;
    shelf = shelf.restart().await;
    let before = shelf.items(None).await;
    assert!((3..12).contains(&before.len()), "{} of 12", before.len());
    let scan = shelf.scan(&library).await;
    assert_eq!(scan.added, 12 - before.len() as u64);
    assert_eq!(scan.bytes_total, scan.added * size);
    let after = shelf.items(None).await;
    assert_eq!(after.len(), 12);
    assert!(before.iter().all(|old| after.iter().any(|new| new.id == old.id)));
}

#[tokio::test]
async fn what_was_hashed_but_not_written_down_is_not_hashed_again() {
    let shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let path = shelf.put("clips/a.mp4", "a");
    let imported = shelf.blocks.import(&path, |_| {}, &CancellationToken::new()).await.unwrap();
    shelf.scan(&library).await;
    assert_eq!(shelf.at("clips/a.mp4").await.file.unwrap().cid, Some(imported.cid));
}

#[tokio::test]
async fn a_lost_block_index_is_made_again_and_items_stay() {
    let mut shelf = Shelf::new().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    shelf.put("clips/a.mp4", "a");
    shelf.put("clips/b.mp4", "b");
    shelf.scan(&library).await;
    let before = shelf.at("clips/a.mp4").await;
    shelf = shelf.restart_without_blocks().await;
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.added, scan.changed), (0, 0));
    let after = shelf.at("clips/a.mp4").await;
    assert_eq!((&after.id, after.file.as_ref().unwrap().cid), (&before.id, before.file.unwrap().cid));
    assert_eq!(shelf.bytes(&after).await, video("a"));
}

/// Other bytes under the same size and time, as a bad disk or copy gives them.
fn rot(path: &std::path::Path) {
    let modified = fs::metadata(path).unwrap().modified().unwrap();
    let mut bytes = fs::read(path).unwrap();
    let last = bytes.len() - 1;
    bytes[last] ^= 1;
    fs::write(path, bytes).unwrap();
    fs::File::options().write(true).open(path).unwrap().set_modified(modified).unwrap();
}

#[tokio::test]
async fn a_damaged_file_is_marked_told_and_not_served_until_it_is_right_again() {
    let shelf = Shelf::watching().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    let path = shelf.put("clips/a.mp4", "a");
    shelf.scan(&library).await;
    let item = shelf.at("clips/a.mp4").await;
    let cid = item.file.clone().unwrap().cid.unwrap();
    let mut events = shelf.importer.events();
    rot(&path);
    assert!(matches!(shelf.blocks.get(&cid).await, Err(BlockError::Damaged { .. })));
    event(&mut events, |e| matches!(e, LibraryEvent::Item { id, .. } if id == item.id).then_some(())).await;
    assert_eq!(shelf.state(&item.id).await, ItemState::Damaged);
    assert!(shelf.catalog.items_of(&cid).await.unwrap().is_empty());
    assert_eq!(shelf.catalog.alerts().await.unwrap().damaged[0].id, item.id);
    assert_eq!(shelf.catalog.totals(&library.id).await.unwrap().damaged, 1);
    shelf.scan(&library).await;
    assert_eq!(shelf.state(&item.id).await, ItemState::Damaged, "still wrong");
    rot(&path);
    shelf.scan(&library).await;
    assert_eq!(shelf.state(&item.id).await, ItemState::Present);
    assert_eq!(shelf.bytes(&item).await, video("a"));
    shelf.importer.stop().await;
}

#[tokio::test]
async fn a_file_found_changed_while_it_is_served_is_read_again() {
    let shelf = Shelf::watching().await;
    let library = shelf.library("clips", LibraryKind::Videos).await;
    shelf.put("clips/a.mp4", "a");
    shelf.scan(&library).await;
    let item = shelf.at("clips/a.mp4").await;
    let cid = item.file.unwrap().cid.unwrap();
    let mut events = shelf.importer.events();
    shelf.put("clips/a.mp4", "edited");
    shelf.blocks.get(&cid).await.unwrap_err();
    event(&mut events, |e| matches!(e, LibraryEvent::Item { id, .. } if id == item.id).then_some(())).await;
    shelf.importer.idle().await;
    let now = shelf.at("clips/a.mp4").await;
    assert_eq!(now.id, item.id);
    assert_ne!(now.file.unwrap().cid, Some(cid));
    shelf.importer.stop().await;
}

#[tokio::test]
async fn changes_in_a_watched_folder_are_seen() {
    let mut shelf = Shelf::watching().await;
    let library = shelf.library("films", LibraryKind::Movies).await;
    shelf.put("films/A (2001).mp4", "a");
    shelf = shelf.restart().await;
    shelf.importer.idle().await;
    let id = shelf.at("films/A (2001).mp4").await.id;
    let mut events = shelf.importer.events();
    let change = |wanted| {
        move |e| match e {
            LibraryEvent::Item { change, id, .. } if change == wanted => Some(id),
            _ => None,
        }
    };
    shelf.put("films/B (2002)/B (2002).mp4", "b");
    event(&mut events, change(ItemChange::Added)).await;
    shelf.importer.idle().await;
    let b = shelf.at("films/B (2002)/B (2002).mp4").await.id;

    shelf.rename("films/A (2001).mp4", "films/sub/C (2003).mp4");
    event(&mut events, change(ItemChange::Changed)).await;
    shelf.importer.idle().await;
    assert_eq!(shelf.at("films/sub/C (2003).mp4").await.id, id);

    shelf.write("films/B (2002)/movie.nfo", b"<movie><title>Bee</title></movie>");
    assert_eq!(event(&mut events, change(ItemChange::Changed)).await, b);
    assert_eq!(shelf.at("films/B (2002)/B (2002).mp4").await.title, "Bee");

    fs::remove_dir_all(shelf.path("films/B (2002)")).unwrap();
    assert_eq!(event(&mut events, change(ItemChange::Removed)).await, b);
    assert_eq!(shelf.state(&b).await, ItemState::Trashed);
    assert_eq!(shelf.catalog.library(&library.id).await.unwrap().name, "films");
    shelf.importer.stop().await;
}

#[tokio::test]
async fn a_library_added_later_is_scanned_and_a_removed_one_is_left() {
    let shelf = Shelf::watching().await;
    let mut events = shelf.importer.events();
    let library = shelf.library("films", LibraryKind::Movies).await;
    shelf.put("films/A (2001).mp4", "a");
    shelf.importer.reload().await.unwrap();
    event(&mut events, |e| {
        matches!(e, LibraryEvent::Scan(p) if p.state == ScanState::Done && p.added == 1).then_some(())
    })
    .await;
    shelf.catalog.remove_library(&library.id).await.unwrap();
    shelf.importer.reload().await.unwrap();
    event(&mut events, |e| matches!(e, LibraryEvent::Library(id) if id == library.id).then_some(())).await;
    assert!(shelf.items(None).await.is_empty());
    assert!(shelf.importer.scan(&library.id).await.is_err());
    shelf.importer.stop().await;
}

#[tokio::test]
async fn a_new_picture_or_a_lost_one_changes_only_the_description() {
    let shelf = Shelf::new().await;
    let library = shelf.library("films", LibraryKind::Movies).await;
    shelf.put("films/A (2001).mp4", "a");
    shelf.scan(&library).await;
    shelf.write("films/A (2001)-poster.png", b"png");
    let scan = shelf.scan(&library).await;
    assert_eq!(scan.bytes_total, 0);
    assert_eq!(shelf.at("films/A (2001).mp4").await.artwork.poster, Some(shelf.path("films/A (2001)-poster.png")));
    fs::remove_file(shelf.path("films/A (2001)-poster.png")).unwrap();
    shelf.scan(&library).await;
    assert!(shelf.at("films/A (2001).mp4").await.artwork.poster.unwrap().starts_with(shelf.data()));
}

#[tokio::test]
async fn trailers_and_samples_are_no_films() {
    let shelf = Shelf::new().await;
    let library = shelf.library("films", LibraryKind::Movies).await;
    shelf.put("films/A (2001)/A (2001).mp4", "a");
    shelf.put("films/A (2001)/A (2001)-trailer.mp4", "t");
    shelf.put("films/A (2001)/Extras/Making of.mp4", "m");
    assert_eq!(shelf.scan(&library).await.added, 1);
}
