//! Lists of the catalog: complete, in order, of what one may see, whatever is typed.
use std::path::PathBuf;

use potluck::catalog::record::{Description, Place, Record, ShowName, Stat};
use potluck::catalog::{
    Catalog, CatalogError, ItemFilter, ItemKind, Library, LibraryKind, Listed, Progress, ProgressFilter, Sort,
    Visibility,
};
use potluck::database::{Database, DatabaseOptions, Durability, migrations};
use potluck::media::{Facts, HdrFormat, Stream, StreamKind};
use proptest::prelude::*;

const ANN: &str = "ann";

struct Fixture {
    _folder: tempfile::TempDir,
    catalog: Catalog,
    films: Library,
    clips: Library,
    shows: Library,
}

fn open() -> (tempfile::TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let options = DatabaseOptions { durability: Durability::Normal, ..DatabaseOptions::default() };
    let database = Database::open(&folder.path().join("catalog.db"), &options, migrations::CATALOG).unwrap();
    (folder, Catalog::new(database))
}

fn record(library: &Library, kind: ItemKind, name: &str, n: u64, description: Description) -> Record {
    let video: Stream = serde_json::from_value(serde_json::json!({
        "index": 0, "kind": StreamKind::Video, "codec": "hevc", "default": true, "width": 3840, "height": 2160,
        "hdr": HdrFormat::DolbyVision,
    }))
    .unwrap();
    #[allow(clippy::cast_precision_loss)]
    let facts = Facts { duration: (n % 7) as f64, streams: vec![video], ..Facts::default() };
    Record {
        item: None,
        place: Place { library: library.id.clone(), path: PathBuf::from(name) },
        kind,
        stat: Stat { size: 100 + n, modified_ns: 1, inode: n, device: 1 },
        cid: None,
        facts: Some(facts),
        book: None,
        music: None,
        problem: None,
        retry: false,
        description,
    }
}

fn named(title: &str, year: Option<i32>) -> Description {
    Description { title: title.to_owned(), year, ..Description::default() }
}

/// Forty films with many ties, ten clips, a show of six episodes.
async fn fixture() -> Fixture {
    let (folder, catalog) = open();
    let add = |name: &'static str, kind| {
        let catalog = catalog.clone();
        async move {
            let path = PathBuf::from(format!("/srv/{name}"));
            catalog.add_library(name, kind, &path, Visibility::Private).await.unwrap()
        }
    };
    let films = add("films", LibraryKind::Movies).await;
    let clips = add("clips", LibraryKind::Videos).await;
    let shows = add("shows", LibraryKind::Shows).await;
    for n in 0..40 {
        let year = (n % 3 > 0).then(|| 1990 + i32::try_from(n % 5).unwrap());
        let title = format!("The Film {}", n % 13);
        let new = record(&films, ItemKind::Movie, &format!("{n}.1080p.mkv"), n, named(&title, year));
        catalog.record(new).await.unwrap();
    }
    for n in 0..10 {
        let new = record(&clips, ItemKind::Video, &format!("Clip {n}.mp4"), 100 + n, named(&format!("Clip {n}"), None));
        catalog.record(new).await.unwrap();
    }
    for n in 0..6 {
        let show = ShowName {
            key: "show".to_owned(),
            title: "Été à Zürich".to_owned(),
            year: None,
            place: None,
            renamed_from: None,
        };
        let numbers = Description {
            show: Some(show),
            season: Some(1),
            episode: i32::try_from(10 - n).ok(),
            ..named("Pilot", None)
        };
        catalog.record(record(&shows, ItemKind::Episode, &format!("{n}.mkv"), 200 + n, numbers)).await.unwrap();
    }
    Fixture { _folder: folder, catalog, films, clips, shows }
}

fn everything() -> ItemFilter {
    ItemFilter { account: ANN.to_owned(), limit: 500, ..ItemFilter::default() }
}

async fn pages(catalog: &Catalog, filter: &ItemFilter, limit: u32) -> Vec<Listed> {
    let mut filter = ItemFilter { limit, cursor: None, ..filter.clone() };
    let (mut all, mut total) = (Vec::new(), None);
    loop {
        let page = catalog.items(filter.clone()).await.unwrap();
        assert!(page.items.len() <= limit as usize);
        assert_eq!(page.total.is_some(), filter.cursor.is_none(), "the total is on the first page only");
        total = total.or(page.total);
        all.extend(page.items);
        match page.next {
            Some(next) => filter.cursor = Some(next),
            None => break,
        }
    }
    assert_eq!(total, Some(all.len() as u64), "{filter:?}");
    all
}

fn ids(items: &[Listed]) -> Vec<String> {
    items.iter().map(|listed| listed.item.id.clone()).collect()
}

async fn watch(f: &Fixture, item: &str, position: f64, completed: bool) {
    f.catalog.set_progress(ANN, item, Progress { position, completed }).await.unwrap();
}

#[tokio::test]
async fn every_list_comes_whole_and_in_order_in_pages_of_any_size() {
    let f = fixture().await;
    let all = f.catalog.items(everything()).await.unwrap().items;
    for (n, listed) in all.iter().enumerate().take(30) {
        watch(&f, &listed.item.id, 1.0, n % 3 == 0).await;
    }
    let sorts = [Sort::Title, Sort::Added, Sort::Year, Sort::YearDescending, Sort::Duration, Sort::Watched];
    let watched =
        [None, Some(ProgressFilter::Started), Some(ProgressFilter::Completed), Some(ProgressFilter::Unwatched)];
    let parts: [fn(&Fixture) -> ItemFilter; 7] = [
        |_| everything(),
        |_| ItemFilter { kind: Some(ItemKind::Movie), ..everything() },
        |f| ItemFilter { libraries: Some(vec![f.films.id.clone()]), ..everything() },
        |_| ItemFilter { text: Some("film".to_owned()), ..everything() },
        |_| ItemFilter { text: Some("zurich pil".to_owned()), kind: Some(ItemKind::Episode), ..everything() },
        |_| ItemFilter { from: Some("Film 5".to_owned()), ..everything() },
        |_| ItemFilter { libraries: Some(Vec::new()), ..everything() },
    ];
    for part in parts {
        for (sort, progress) in sorts.into_iter().flat_map(|sort| watched.map(|progress| (sort, progress))) {
            let filter = ItemFilter { sort, progress, ..part(&f) };
            let whole = pages(&f.catalog, &filter, 500).await;
            let mut unique = ids(&whole);
            unique.sort();
            unique.dedup();
            assert_eq!(unique.len(), whole.len(), "{filter:?}");
            for limit in [1, 7] {
                assert_eq!(ids(&pages(&f.catalog, &filter, limit).await), ids(&whole), "{filter:?} by {limit}");
            }
        }
    }
}

#[tokio::test]
async fn sorts_order_by_what_they_say() {
    let f = fixture().await;
    let list = |sort| {
        let filter = ItemFilter { sort, ..everything() };
        let catalog = f.catalog.clone();
        async move { catalog.items(filter).await.unwrap().items }
    };
    let titles: Vec<String> = list(Sort::Title).await.into_iter().map(|l| l.item.title).collect();
    assert_eq!(titles[..2], ["Clip 0", "Clip 1"]);
    assert_eq!(titles[10..16], ["Pilot"; 6], "episodes sort by their show, Été");
    let film = |n: usize| titles.iter().position(|title| *title == format!("The Film {n}")).unwrap();
    assert!(film(2) < film(10) && titles.last().unwrap() == "The Film 12");
    let years: Vec<_> = list(Sort::Year).await.into_iter().map(|l| l.item.year).collect();
    assert!(years.iter().position(Option::is_none).unwrap() > 20 && years.iter().flatten().is_sorted());
    let years: Vec<_> = list(Sort::YearDescending).await.into_iter().map(|l| l.item.year).collect();
    assert!(years.iter().flatten().rev().is_sorted() && years.last().unwrap().is_none());
    let durations: Vec<_> = list(Sort::Duration).await.into_iter().map(|l| l.item.duration.unwrap()).collect();
    assert!(durations.is_sorted());
    let added: Vec<_> = list(Sort::Added).await.into_iter().map(|l| l.item.added_at).collect();
    assert!(added.iter().rev().is_sorted());
}

#[tokio::test]
async fn what_one_watches_comes_back_in_the_order_of_watching_and_is_ones_own() {
    let f = fixture().await;
    let all = f.catalog.items(everything()).await.unwrap().items;
    for (n, position, completed) in [(5, 10.0, false), (9, 0.0, true), (3, 20.0, false)] {
        watch(&f, &all[n].item.id, position, completed).await;
    }
    let list = |progress, account: &str| {
        let filter = ItemFilter { sort: Sort::Watched, progress, account: account.to_owned(), ..everything() };
        let catalog = f.catalog.clone();
        async move { catalog.items(filter).await.unwrap() }
    };
    let started = list(Some(ProgressFilter::Started), ANN).await;
    let mut wanted = vec![all[3].item.id.clone(), all[5].item.id.clone()];
    wanted.sort();
    let mut got = ids(&started.items);
    got.sort();
    assert_eq!((got, started.total), (wanted, Some(2)));
    assert_eq!(started.items.iter().filter_map(|l| l.progress).map(|p| p.position).sum::<f64>(), 30.0);
    assert_eq!(ids(&list(Some(ProgressFilter::Completed), ANN).await.items), [all[9].item.id.clone()]);
    assert_eq!(list(Some(ProgressFilter::Unwatched), ANN).await.total, Some(53));
    assert_eq!(list(None, ANN).await.items.len(), 56);
    assert_eq!(list(Some(ProgressFilter::Started), "bob").await.total, Some(0));
    watch(&f, &all[3].item.id, 0.0, false).await;
    assert_eq!(list(Some(ProgressFilter::Started), ANN).await.total, Some(1), "back at the start is not begun");
    assert_eq!(f.catalog.remove_progress(ANN).await.unwrap(), 2);
    assert_eq!(list(Some(ProgressFilter::Unwatched), ANN).await.total, Some(56));
    let nonsense =
        f.catalog.set_progress(ANN, &all[0].item.id, Progress { position: f64::NAN, completed: false }).await;
    assert!(matches!(nonsense, Err(CatalogError::Invalid(_))));
    let nobody = f.catalog.set_progress(ANN, "no-such-item", Progress { position: 1.0, completed: false }).await;
    assert!(matches!(nobody, Err(CatalogError::NotFound("item"))));
}

#[tokio::test]
async fn search_finds_the_starts_of_words_in_titles_shows_and_file_names() {
    let f = fixture().await;
    let found = |text: &'static str| {
        let filter = ItemFilter { text: Some(text.to_owned()), ..everything() };
        let catalog = f.catalog.clone();
        async move { catalog.items(filter).await.unwrap().items.len() }
    };
    for (text, count) in [
        ("film", 40),
        ("FIL the", 40),
        ("film 12", 3),
        ("ete", 6),
        ("ÉTÉ zur", 6),
        ("1080", 40),
        ("clip 3", 1),
        ("nothing", 0),
        ("\"*\" -- ;", 0),
        ("  ", 56),
    ] {
        assert_eq!(found(text).await, count, "{text}");
    }
    let filter = ItemFilter { text: Some("ete".to_owned()), kind: Some(ItemKind::Show), ..everything() };
    let shows = f.catalog.items(filter).await.unwrap().items;
    assert_eq!((shows.len(), shows[0].episodes), (1, Some(6)));
    let hidden = ItemFilter { text: Some("ete".to_owned()), libraries: Some(vec![f.clips.id.clone()]), ..everything() };
    assert!(f.catalog.items(hidden).await.unwrap().items.is_empty());
}

#[tokio::test]
async fn a_search_that_very_many_items_match_is_as_exact_as_one_of_few() {
    let f = fixture().await;
    for n in 0..2200_u64 {
        let description = named(&format!("Many {}", n * 7919 % 1000), i32::try_from(1900 + n % 50).ok());
        f.catalog.record(record(&f.films, ItemKind::Movie, &format!("m{n}.mkv"), 1000 + n, description)).await.unwrap();
    }
    for sort in [Sort::Title, Sort::YearDescending, Sort::Added] {
        let all = ItemFilter { sort, ..everything() };
        let wanted: Vec<String> = pages(&f.catalog, &all, 500)
            .await
            .into_iter()
            .filter(|l| l.item.title.starts_with("Many"))
            .map(|l| l.item.id)
            .collect();
        let found = pages(&f.catalog, &ItemFilter { text: Some("man".to_owned()), ..all }, 300).await;
        assert_eq!((ids(&found), wanted.len()), (wanted, 2200), "{sort:?}");
    }
}

#[tokio::test]
async fn lists_carry_what_they_show_and_not_the_facts() {
    let f = fixture().await;
    let filter = ItemFilter { show: None, kind: Some(ItemKind::Episode), ..everything() };
    let listed = f.catalog.items(filter).await.unwrap().items.remove(0);
    assert_eq!((listed.show_title.as_deref(), listed.item.episode), (Some("Été à Zürich"), Some(5)));
    let file = listed.item.file.unwrap();
    assert_eq!(
        (file.width, file.height, file.hdr, file.facts),
        (Some(3840), Some(2160), Some(HdrFormat::DolbyVision), None)
    );
    let of_show = ItemFilter { show: listed.item.show.clone(), limit: 4, ..everything() };
    let page = f.catalog.items(of_show).await.unwrap();
    let numbers: Vec<_> = page.items.iter().filter_map(|l| l.item.episode).collect();
    assert_eq!((numbers, page.total), (vec![5, 6, 7, 8], Some(6)));
    let whole = f.catalog.item(&listed.item.id, ANN).await.unwrap();
    assert!(whole.item.file.unwrap().facts.is_some());
}

#[tokio::test]
async fn limits_and_cursors_that_cannot_be_are_refused() {
    let f = fixture().await;
    for limit in [0, 501] {
        let refused = f.catalog.items(ItemFilter { limit, ..everything() }).await;
        assert!(matches!(refused, Err(CatalogError::Invalid(_))));
    }
    let next = f.catalog.items(ItemFilter { limit: 5, ..everything() }).await.unwrap().next;
    let other = ItemFilter { sort: Sort::Added, cursor: next, ..everything() };
    assert!(matches!(f.catalog.items(other).await, Err(CatalogError::Invalid(_))));
}

#[tokio::test]
async fn a_library_has_a_name_and_a_folder_of_its_own() {
    let f = fixture().await;
    let add = |name: &'static str, path: &'static str| {
        let catalog = f.catalog.clone();
        async move { catalog.add_library(name, LibraryKind::Movies, &PathBuf::from(path), Visibility::Private).await }
    };
    for (name, path) in
        [("FILMS", "/srv/x"), ("x", "/srv/films"), ("x", "/srv/films/sub"), ("x", "/srv"), ("x", "/srv/./clips/")]
    {
        assert!(matches!(add(name, path).await, Err(CatalogError::Conflict(_))), "{name} {path}");
    }
    for (name, path) in [("", "/a"), ("x", "relative"), ("x", "/"), ("a\nb", "/a")] {
        assert!(matches!(add(name, path).await, Err(CatalogError::Invalid(_))), "{name} {path}");
    }
    add("filmstrips", "/srv/filmstrips").await.unwrap();
    let renamed = f.catalog.change_library(&f.clips.id, Some("Films"), None).await;
    assert!(matches!(renamed, Err(CatalogError::Conflict(_))));
    f.catalog.change_library(&f.clips.id, Some("Clips!"), Some(Visibility::Public)).await.unwrap();
    let names: Vec<String> = f.catalog.libraries().await.unwrap().into_iter().map(|l| l.name).collect();
    assert_eq!(names, ["Clips!", "films", "filmstrips", "shows"]);
}

#[tokio::test]
async fn totals_follow_what_comes_and_goes() {
    let f = fixture().await;
    let totals = f.catalog.totals(&f.shows.id).await.unwrap();
    assert_eq!((totals.items, totals.bytes), (6, (0..6).map(|n| 300 + n).sum()));
    let episodes = f.catalog.known(&f.shows.id, None).await.unwrap();
    f.catalog.trash(episodes.iter().map(|e| e.item).collect()).await.unwrap();
    assert_eq!(f.catalog.totals(&f.shows.id).await.unwrap().items, 0);
    let shows = ItemFilter { kind: Some(ItemKind::Show), ..everything() };
    assert_eq!(f.catalog.items(shows.clone()).await.unwrap().total, Some(0), "a show goes with its last episode");
    f.catalog.seen(vec![(episodes[0].item, episodes[0].stat)]).await.unwrap();
    assert_eq!(f.catalog.items(shows.clone()).await.unwrap().total, Some(1), "and comes back with one");
    f.catalog.purge(i64::MAX).await.unwrap();
    assert_eq!(f.catalog.items(shows).await.unwrap().items[0].episodes, Some(1));
    f.catalog.remove_library(&f.films.id).await.unwrap();
    assert_eq!(f.catalog.items(everything()).await.unwrap().total, Some(11));
    let gone = f.catalog.remove_library(&f.films.id).await;
    assert!(matches!(gone, Err(CatalogError::NotFound("library"))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn any_text_is_a_valid_search(text in "\\PC{0,24}|[\"*()^:{}+ \\-ANDORT\\x00]{0,24}") {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let (_folder, catalog) = open();
            let filter = ItemFilter { text: Some(text.clone()), from: Some(text), ..everything() };
            catalog.items(filter).await.unwrap();
        });
    }
}
