//! An item keeps its id: renamed, moved, re-mounted, edited, swapped, deleted and restored.
use std::fs;

use potluck::catalog::{ItemState, Library, LibraryKind, LibraryState, Progress};

use crate::shelf::{ACCOUNT, Shelf, video};

const HALF: Progress = Progress { position: 0.5, completed: false };

async fn one_film(place: &str) -> (Shelf, Library, String) {
    let shelf = Shelf::new().await;
    let library = shelf.library("films", LibraryKind::Movies).await;
    shelf.put(&format!("films/{place}"), "a");
    shelf.scan(&library).await;
    let id = shelf.at(&format!("films/{place}")).await.id;
    shelf.catalog.set_progress(ACCOUNT, &id, HALF).await.unwrap();
    (shelf, library, id)
}

async fn progress(shelf: &Shelf, id: &str) -> Option<Progress> {
    shelf.catalog.item(id, ACCOUNT).await.unwrap().progress
}

#[tokio::test]
async fn a_renamed_file_is_the_same_item_and_is_not_read_again() {
    let (shelf, library, id) = one_film("Old Name (2001).mp4").await;
    shelf.rename("films/Old Name (2001).mp4", "films/sub/New Name (2002).mp4");
    let scan = shelf.scan(&library).await;
    let item = shelf.at("films/sub/New Name (2002).mp4").await;
    assert_eq!((item.id.as_str(), item.title.as_str(), item.year), (id.as_str(), "New Name", Some(2002)));
    assert_eq!((scan.moved, scan.added, scan.trashed, scan.bytes_total), (1, 0, 0, 0));
    assert_eq!(progress(&shelf, &id).await, Some(HALF));
    assert_eq!(shelf.bytes(&item).await, video("a"));
    assert_eq!(shelf.items(None).await.len(), 1);
}

#[tokio::test]
async fn a_file_moved_to_another_library_is_the_same_item_whichever_is_scanned_first() {
    for new_first in [true, false] {
        let (shelf, films, id) = one_film("A (2001).mp4").await;
        let clips = shelf.library("clips", LibraryKind::Videos).await;
        shelf.rename("films/A (2001).mp4", "clips/A (2001).mp4");
        let order = if new_first { [&clips, &films] } else { [&films, &clips] };
        // The last file of the other library is gone with it: that library counts as away, and nothing is lost by that.
        let bytes = shelf.scan(order[0]).await.bytes_total + shelf.scan(order[1]).await.bytes_total;
        let item = shelf.at("clips/A (2001).mp4").await;
        assert_eq!((&item.id, &item.library, bytes), (&id, &clips.id, 0), "new first: {new_first}");
        assert_eq!(item.state, ItemState::Present);
        assert_eq!(progress(&shelf, &id).await, Some(HALF));
        assert_eq!(shelf.items(None).await.len(), 1);
    }
}

#[tokio::test]
async fn a_library_mounted_elsewhere_keeps_its_items_without_reading_them() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    fs::rename(shelf.path("films"), shelf.path("elsewhere")).unwrap();
    shelf.scan(&library).await;
    assert_eq!(shelf.state(&id).await, ItemState::Unavailable);
    shelf.catalog.set_library_path(&library.id, &shelf.path("elsewhere")).await.unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.bytes_total, scan.moved, scan.added), (0, 0, 0));
    let item = shelf.at("elsewhere/A (2001).mp4").await;
    assert_eq!((item.id.as_str(), item.state), (id.as_str(), ItemState::Present));
    assert_eq!(shelf.bytes(&item).await, video("a"));
}

#[tokio::test]
async fn a_folder_added_as_a_new_library_brings_its_items_along() {
    let (shelf, films, id) = one_film("A (2001).mp4").await;
    fs::rename(shelf.path("films"), shelf.path("elsewhere")).unwrap();
    shelf.scan(&films).await;
    let elsewhere = shelf.library("elsewhere", LibraryKind::Movies).await;
    let scan = shelf.scan(&elsewhere).await;
    assert_eq!((shelf.at("elsewhere/A (2001).mp4").await.id, scan.bytes_total), (id, 0));
}

#[tokio::test]
async fn an_edit_in_place_keeps_the_item_and_changes_the_cid() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    let before = shelf.at("films/A (2001).mp4").await.file.unwrap().cid;
    shelf.put("films/A (2001).mp4", "another tag");
    let scan = shelf.scan(&library).await;
    let item = shelf.at("films/A (2001).mp4").await;
    assert_eq!((item.id.as_str(), scan.changed, scan.added), (id.as_str(), 1, 0));
    assert_ne!(item.file.as_ref().unwrap().cid, before);
    assert_eq!(shelf.bytes(&item).await, video("another tag"));
    assert_eq!(progress(&shelf, &id).await, Some(HALF));
}

#[tokio::test]
async fn an_edit_written_anew_and_renamed_keeps_the_item() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    shelf.put("films/.A (2001).mp4.tmp", "another tag");
    shelf.rename("films/.A (2001).mp4.tmp", "films/A (2001).mp4");
    let scan = shelf.scan(&library).await;
    assert_eq!((shelf.at("films/A (2001).mp4").await.id, scan.changed, scan.added), (id, 1, 0));
}

#[tokio::test]
async fn a_touched_file_is_read_again_and_is_the_same() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    let file = fs::File::options().write(true).open(shelf.path("films/A (2001).mp4")).unwrap();
    file.set_modified(std::time::SystemTime::UNIX_EPOCH).unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!((shelf.at("films/A (2001).mp4").await.id, scan.changed, scan.moved, scan.added), (id, 0, 0, 0));
}

#[tokio::test]
async fn a_copy_is_a_new_item_that_shares_the_content() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    fs::copy(shelf.path("films/A (2001).mp4"), shelf.path("films/B (2001).mp4")).unwrap();
    fs::hard_link(shelf.path("films/A (2001).mp4"), shelf.path("films/C (2001).mp4")).unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!(scan.added, 2);
    let items = shelf.items(None).await;
    assert_eq!(items.iter().filter(|item| item.id == id).count(), 1);
    let cid = items[0].file.as_ref().unwrap().cid.unwrap();
    assert!(items.iter().all(|item| item.file.as_ref().unwrap().cid == Some(cid)));
    assert_eq!(shelf.catalog.items_of(&cid).await.unwrap().len(), 3);
    assert_eq!(shelf.at("films/A (2001).mp4").await.id, id);
}

#[tokio::test]
async fn two_files_that_swap_names_are_followed_by_their_items() {
    let (shelf, library, a) = one_film("A (2001).mp4").await;
    shelf.put("films/B (2002).mp4", "b");
    shelf.scan(&library).await;
    let b = shelf.at("films/B (2002).mp4").await.id;
    shelf.rename("films/A (2001).mp4", "films/.x");
    shelf.rename("films/B (2002).mp4", "films/A (2001).mp4");
    shelf.rename("films/.x", "films/B (2002).mp4");
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.moved, scan.bytes_total, scan.trashed), (2, 0, 0));
    let (now_a, now_b) = (shelf.at("films/A (2001).mp4").await, shelf.at("films/B (2002).mp4").await);
    assert_eq!((&now_a.id, &now_b.id), (&b, &a));
    assert_eq!((shelf.bytes(&now_a).await, shelf.bytes(&now_b).await), (video("b"), video("a")));
    assert_eq!(now_b.title, "B");
}

#[tokio::test]
async fn files_that_swap_contents_are_followed_by_their_items() {
    let (shelf, library, a) = one_film("A (2001).mp4").await;
    shelf.put("films/B (2002).mp4", "b");
    shelf.scan(&library).await;
    let b = shelf.at("films/B (2002).mp4").await.id;
    shelf.put("films/A (2001).mp4", "b");
    shelf.put("films/B (2002).mp4", "a");
    shelf.scan(&library).await;
    assert_eq!((shelf.at("films/A (2001).mp4").await.id, shelf.at("films/B (2002).mp4").await.id), (b, a));
    assert_eq!(shelf.items(None).await.len(), 2);
}

#[tokio::test]
async fn a_file_copied_to_another_disk_and_deleted_here_is_the_same_item_by_its_content() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    shelf.put("films/sub/A (2001).mp4", "a");
    fs::remove_file(shelf.path("films/A (2001).mp4")).unwrap();
    let scan = shelf.scan(&library).await;
    assert_eq!((shelf.at("films/sub/A (2001).mp4").await.id, scan.moved, scan.added, scan.trashed), (id, 1, 0, 0));
}

#[tokio::test]
async fn a_moved_file_whose_place_another_takes_goes_with_its_item() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    shelf.rename("films/A (2001).mp4", "films/old/A (2001).mp4");
    shelf.put("films/A (2001).mp4", "a better copy");
    let scan = shelf.scan(&library).await;
    assert_eq!((scan.moved, scan.added, scan.changed), (1, 1, 0));
    assert_eq!(shelf.at("films/old/A (2001).mp4").await.id, id);
    assert_ne!(shelf.at("films/A (2001).mp4").await.id, id);
}

#[tokio::test]
async fn a_deleted_file_goes_to_the_trash_and_comes_back_as_itself() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    shelf.put("films/B (2002).mp4", "b");
    shelf.scan(&library).await;
    let away = shelf.videos.path().join("outside.mp4");
    for back_at in ["films/A (2001).mp4", "films/other/C (2003).mp4"] {
        let now_at = shelf.at_id(&id).await;
        fs::rename(&now_at, &away).unwrap();
        let scan = shelf.scan(&library).await;
        assert_eq!((scan.trashed, shelf.state(&id).await), (1, ItemState::Trashed));
        assert_eq!(shelf.items(None).await.len(), 1, "what is in the trash is in no list");
        fs::create_dir_all(shelf.path(back_at).parent().unwrap()).unwrap();
        fs::rename(&away, shelf.path(back_at)).unwrap();
        let scan = shelf.scan(&library).await;
        assert_eq!((shelf.at(back_at).await.id, scan.bytes_total), (id.clone(), 0));
        assert_eq!(progress(&shelf, &id).await, Some(HALF));
    }
}

#[tokio::test]
async fn a_deleted_file_that_is_restored_from_a_backup_is_itself_by_content() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    shelf.put("films/B (2002).mp4", "b");
    shelf.scan(&library).await;
    fs::remove_file(shelf.path("films/A (2001).mp4")).unwrap();
    shelf.scan(&library).await;
    shelf.put("films/restored/X.mp4", "a");
    shelf.scan(&library).await;
    assert_eq!(shelf.at("films/restored/X.mp4").await.id, id);
}

#[tokio::test]
async fn a_library_whose_folder_is_missing_or_empty_is_away_and_forgets_nothing() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    for empty in [false, true] {
        fs::rename(shelf.path("films"), shelf.path("unmounted")).unwrap();
        if empty {
            fs::create_dir(shelf.path("films")).unwrap();
        }
        let scan = shelf.scan(&library).await;
        assert_eq!(scan.trashed, 0);
        assert_eq!(shelf.catalog.library(&library.id).await.unwrap().state, LibraryState::Unavailable);
        let item = shelf.items(None).await.pop().unwrap();
        assert_eq!((item.id.as_str(), item.state), (id.as_str(), ItemState::Unavailable));
        let cid = item.file.unwrap().cid.unwrap();
        assert!(shelf.catalog.items_of(&cid).await.unwrap().is_empty());
        assert!(shelf.catalog.libraries_of(&cid).await.unwrap().is_empty());
        assert_eq!(shelf.catalog.alerts().await.unwrap().unavailable.len(), 1);
        fs::remove_dir(shelf.path("films")).ok();
        fs::rename(shelf.path("unmounted"), shelf.path("films")).unwrap();
        let scan = shelf.scan(&library).await;
        assert_eq!((scan.bytes_total, shelf.state(&id).await), (0, ItemState::Present));
        assert_eq!(progress(&shelf, &id).await, Some(HALF));
    }
}

#[tokio::test]
async fn what_was_long_in_the_trash_is_forgotten() {
    let (shelf, library, id) = one_film("A (2001).mp4").await;
    shelf.put("films/B (2002).mp4", "b");
    shelf.scan(&library).await;
    let cid = shelf.at("films/A (2001).mp4").await.file.unwrap().cid.unwrap();
    fs::remove_file(shelf.path("films/A (2001).mp4")).unwrap();
    shelf.scan(&library).await;
    assert_eq!(shelf.state(&id).await, ItemState::Trashed);
    let mut options = Shelf::options(shelf.data(), false);
    options.keep_trashed = std::time::Duration::ZERO;
    let (c, b, m) = (shelf.catalog.clone(), shelf.blocks.clone(), shelf.media.clone());
    let eager = potluck::library::Importer::on_demand(options, c, b, m).await.unwrap();
    eager.scan(&library.id).await.unwrap();
    eager.idle().await;
    assert!(shelf.catalog.item(&id, ACCOUNT).await.is_err());
    assert_eq!(shelf.blocks.stat(&cid).await.unwrap(), None);
    eager.stop().await;
}

#[tokio::test]
async fn a_renamed_show_keeps_its_id_and_its_episodes_theirs() {
    let shelf = Shelf::new().await;
    let library = shelf.library("shows", LibraryKind::Shows).await;
    shelf.put("shows/Old/Season 1/Old S01E01.mp4", "1");
    shelf.put("shows/Old/Season 1/Old S01E02.mp4", "2");
    shelf.scan(&library).await;
    let show = shelf.items(Some(potluck::catalog::ItemKind::Show)).await.remove(0);
    let episodes: Vec<String> = shelf.items(None).await.into_iter().map(|item| item.id).collect();
    shelf.rename("shows/Old", "shows/New");
    shelf.scan(&library).await;
    let shows = shelf.items(Some(potluck::catalog::ItemKind::Show)).await;
    assert_eq!(shows.len(), 1);
    assert_eq!((&shows[0].id, shows[0].title.as_str()), (&show.id, "New"));
    let now = shelf.items(None).await;
    assert_eq!(now.iter().map(|item| item.id.clone()).collect::<Vec<_>>(), episodes);
    assert!(now.iter().all(|item| item.show.as_ref() == Some(&show.id)));
}
