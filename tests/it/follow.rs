//! A node that follows another's changes ends with what that one shares, whatever happened in between and in which order.
use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use parking_lot::Mutex;
use potluck::catalog::limits::Limits;
use potluck::catalog::record::{Description, Place, Record, ShowName, Stat};
use potluck::catalog::shared::{Changes, RemovedItem, SharedItem, SharedLibrary};
use potluck::catalog::{
    Catalog, Id, ItemFilter, ItemKind, ItemState, Library, LibraryKind, LibraryState, Listed, Progress, ProgressFilter,
    Seen, Sort, Visibility,
};
use potluck::content::cid;
use potluck::database::{Database, DatabaseOptions, Durability, migrations};
use proptest::prelude::*;

const FRIEND: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
const OTHER: &str = "01890a5d-ac96-774b-bcce-b302099a8058";
const ANN: &str = "ann";
const MANY: u64 = 1_000_000;

fn open() -> (tempfile::TempDir, Catalog) {
    let folder = tempfile::tempdir().unwrap();
    let options = DatabaseOptions { durability: Durability::Normal, ..DatabaseOptions::default() };
    let database = Database::open(&folder.path().join("catalog.db"), &options, migrations::CATALOG).unwrap();
    (folder, Catalog::new(database))
}

async fn library(catalog: &Catalog, name: &str, kind: LibraryKind) -> Library {
    let path = PathBuf::from(format!("/srv/{name}"));
    catalog.add_library(name, kind, &path, Visibility::Private).await.unwrap()
}

/// A film with bytes of its own.
fn film(library: &Library, title: &str, year: i32) -> Record {
    Record {
        item: None,
        place: Place { library: library.id.clone(), path: PathBuf::from(format!("{title}.mkv")) },
        kind: ItemKind::Movie,
        stat: Stat { size: 7, modified_ns: 1, inode: 1, device: 1 },
        cid: Some(cid::of_raw(format!("{}{title}", library.id).as_bytes())),
        facts: None,
        book: None,
        music: None,
        problem: None,
        retry: false,
        description: Description { title: title.to_owned(), year: Some(year), ..Description::default() },
    }
}

fn episode(library: &Library, show: &str, number: i32) -> Record {
    let name = ShowName { key: show.to_owned(), title: show.to_owned(), year: None, place: None, renamed_from: None };
    let title = format!("{show} {number}");
    let description = Description {
        show: Some(name),
        season: Some(1),
        episode: Some(number),
        ..film(library, &title, 0).description
    };
    Record { kind: ItemKind::Episode, description, ..film(library, &title, 0) }
}

/// Asks and takes in until there is nothing more. Returns how many pages that were.
async fn follow(from: &Catalog, to: &Catalog, seen: Option<Vec<Id>>, limit: usize) -> usize {
    for pages in 1.. {
        let since = to.friend_cursor(FRIEND).await.unwrap();
        let page = from.changes(Seen { libraries: seen.clone(), ..Seen::default() }, since, limit).await.unwrap();
        page.check().unwrap();
        let more = page.more;
        let taken = to.take_changes(FRIEND, page, MANY).await.unwrap();
        assert_eq!(taken.refused, 0);
        if !more {
            return pages;
        }
    }
    unreachable!()
}

fn everything(kind: ItemKind) -> ItemFilter {
    ItemFilter { account: ANN.to_owned(), kind: Some(kind), limit: 500, ..ItemFilter::default() }
}

async fn list(catalog: &Catalog, filter: ItemFilter) -> Vec<Listed> {
    catalog.items(filter).await.unwrap().items
}

/// What one sees of an item: its id, library, title, number, state, size, show, and what its show counts.
async fn seen(catalog: &Catalog, libraries: Option<Vec<Id>>) -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    for kind in [ItemKind::Movie, ItemKind::Episode, ItemKind::Show, ItemKind::Video] {
        let filter = ItemFilter { libraries: libraries.clone(), ..everything(kind) };
        for listed in list(catalog, filter).await {
            let whole = catalog.item(&listed.item.id, "").await.unwrap().item;
            let file =
                whole.file.as_ref().map(|file| (file.cid, file.size, file.path.file_name().map(ToOwned::to_owned)));
            all.insert(format!(
                "{} {} {:?} {:?} {} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
                whole.id,
                whole.library,
                whole.kind,
                whole.state,
                whole.title,
                whole.sort_title,
                whole.year,
                whole.show,
                whole.overview,
                file,
                listed.show_title,
                listed.episodes,
            ));
        }
    }
    all
}

#[derive(Debug, Clone)]
enum Step {
    Add(usize, u8),
    Rename(u8, String),
    Trash(u8),
    Move(u8, usize),
    Describe(u8, Option<String>),
    Share(usize),
    Withdraw(usize),
    /// Pages of this many entries.
    Follow(usize),
}

fn step() -> impl Strategy<Value = Step> {
    let title = "[a-z]{3,6}";
    prop_oneof![
        4 => (0..3usize, any::<u8>()).prop_map(|(library, n)| Step::Add(library, n)),
        2 => (any::<u8>(), title).prop_map(|(n, title)| Step::Rename(n, title)),
        2 => any::<u8>().prop_map(Step::Trash),
        1 => (any::<u8>(), 0..2usize).prop_map(|(n, library)| Step::Move(n, library)),
        1 => (any::<u8>(), proptest::option::of(title)).prop_map(|(n, text)| Step::Describe(n, text)),
        1 => (0..3usize).prop_map(Step::Share),
        1 => (0..3usize).prop_map(Step::Withdraw),
        2 => (1..5usize).prop_map(Step::Follow),
    ]
}

/// The node that shares, as the steps made it.
struct Sharer {
    catalog: Catalog,
    libraries: Vec<Library>,
    shared: BTreeSet<usize>,
    items: Vec<(i64, Record)>,
}

impl Sharer {
    fn seen(&self) -> Option<Vec<Id>> {
        Some(self.shared.iter().map(|n| self.libraries[*n].id.clone()).collect())
    }

    async fn change(&mut self, n: u8, change: impl FnOnce(&mut Record)) {
        let count = self.items.len();
        let Some((number, record)) = self.items.get_mut(usize::from(n) % count.max(1)) else { return };
        record.item = Some(*number);
        change(record);
        self.catalog.record(record.clone()).await.unwrap();
    }

    async fn apply(&mut self, step: Step, follower: &Catalog) {
        match step {
            Step::Add(library, n) => {
                let to = &self.libraries[library];
                let title = format!("{n} {}", self.items.len());
                let record = if library == 2 {
                    episode(to, &format!("show {}", n % 3), i32::from(n))
                } else {
                    film(to, &title, 1999)
                };
                let path = PathBuf::from(format!("{}.mkv", self.items.len()));
                let record = Record { place: Place { path, ..record.place.clone() }, ..record };
                let touched = self.catalog.record(record.clone()).await.unwrap();
                self.items.push((touched.number, record));
            }
            Step::Rename(n, title) => self.change(n, |record| record.description.title = title).await,
            Step::Describe(n, text) => self.change(n, |record| record.description.overview = text).await,
            Step::Move(n, library) => {
                let to = self.libraries[library].id.clone();
                self.change(n, |record| {
                    if record.kind == ItemKind::Movie {
                        record.place.library = to
                    }
                })
                .await;
            }
            Step::Trash(n) => {
                if let Some((number, _)) = self.items.get(usize::from(n) % self.items.len().max(1)) {
                    self.catalog.trash(vec![*number]).await.unwrap();
                    if n % 2 == 0 {
                        let gone = self.catalog.purge(i64::MAX).await.unwrap();
                        self.items.retain(|(number, _)| gone.iter().all(|(touched, _)| touched.number != *number));
                    }
                }
            }
            Step::Share(library) => drop(self.shared.insert(library)),
            Step::Withdraw(library) => drop(self.shared.remove(&library)),
            Step::Follow(limit) => drop(follow(&self.catalog, follower, self.seen(), limit).await),
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_changes_grants_and_withdrawals_gives_the_same_items(steps in proptest::collection::vec(step(), 1..40)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(async {
            let ((_kept, catalog), (_too, follower)) = (open(), open());
            let libraries = vec![
                library(&catalog, "films", LibraryKind::Movies).await,
                library(&catalog, "more films", LibraryKind::Movies).await,
                library(&catalog, "shows", LibraryKind::Shows).await,
            ];
            let mut sharer = Sharer { catalog, libraries, shared: BTreeSet::from([0]), items: Vec::new() };
            for step in steps {
                sharer.apply(step, &follower).await;
            }
            follow(&sharer.catalog, &follower, sharer.seen(), 3).await;
            assert_eq!(seen(&follower, None).await, seen(&sharer.catalog, sharer.seen()).await);
            let known: BTreeSet<Id> = follower.libraries().await.unwrap().into_iter().map(|l| l.id).collect();
            assert_eq!(known, sharer.seen().unwrap().into_iter().collect());
            assert_eq!(follow(&sharer.catalog, &follower, sharer.seen(), 1).await, 1, "and then there is nothing new");
        });
    }
}

/// Two films, followed.
async fn followed() -> (Vec<tempfile::TempDir>, Catalog, Catalog, Library) {
    let ((one, from), (two, to)) = (open(), open());
    let films = library(&from, "films", LibraryKind::Movies).await;
    for (title, year) in [("Arrival", 2016), ("Brazil", 1985)] {
        from.record(film(&films, title, year)).await.unwrap();
    }
    follow(&from, &to, None, 500).await;
    (vec![one, two], from, to, films)
}

fn titles(listed: &[Listed]) -> Vec<&str> {
    listed.iter().map(|listed| listed.item.title.as_str()).collect()
}

#[tokio::test]
async fn a_resync_of_what_did_not_change_is_tiny() {
    let (_folders, from, to, films) = followed().await;
    let since = to.friend_cursor(FRIEND).await.unwrap();
    for n in 0..200 {
        from.record(film(&films, &format!("Film {n}"), 2000)).await.unwrap();
    }
    let page = from.changes(Seen::default(), since, 1000).await.unwrap();
    let again = from.changes(Seen::default(), page.next.clone(), 1000).await.unwrap();
    assert_eq!((page.items.len(), again.items.len(), &again.next), (200, 0, &page.next));
    let bytes = serde_json::to_vec(&again).unwrap().len();
    assert!(bytes < 1000, "{bytes} bytes");
    let arrival = list(&from, everything(ItemKind::Movie)).await.remove(0);
    from.set_progress(ANN, &arrival.item.id, Progress { position: 5.0, completed: false }).await.unwrap();
    assert_eq!(
        from.changes(Seen::default(), page.next.clone(), 10).await.unwrap().next,
        page.next,
        "progress is nobody's business"
    );
}

#[tokio::test]
async fn progress_is_kept_while_a_share_is_withdrawn() {
    let (_folders, from, to, films) = followed().await;
    let arrival = list(&to, everything(ItemKind::Movie)).await.remove(0).item;
    to.set_progress(ANN, &arrival.id, Progress { position: 5.0, completed: false }).await.unwrap();
    follow(&from, &to, Some(Vec::new()), 500).await;
    assert!(list(&to, everything(ItemKind::Movie)).await.is_empty() && to.libraries().await.unwrap().is_empty());
    assert!(to.item(&arrival.id, ANN).await.is_err(), "what is withdrawn is not there at all");
    assert!(to.library(&films.id).await.is_err());
    follow(&from, &to, None, 500).await;
    let back = to.item(&arrival.id, ANN).await.unwrap();
    assert_eq!(back.progress.map(|progress| progress.position), Some(5.0));
    assert_eq!(titles(&list(&to, everything(ItemKind::Movie)).await), ["Arrival", "Brazil"]);
}

#[tokio::test]
async fn what_is_ours_already_is_hidden_as_a_further_source() {
    let (_folders, from, to, films) = followed().await;
    let own = library(&to, "films", LibraryKind::Movies).await;
    let same_title = film(&own, "Arrival", 2016);
    let copy = Record { cid: film(&films, "Brazil", 1985).cid, ..film(&own, "Brazil (Director's Cut)", 1985) };
    let ours = to.record(same_title).await.unwrap();
    let copied = to.record(copy).await.unwrap();
    let shown = list(&to, everything(ItemKind::Movie)).await;
    assert_eq!(titles(&shown), ["Arrival", "Brazil (Director's Cut)"]);
    assert!(shown.iter().all(|listed| listed.item.friend.is_none()), "ours are the ones that are shown");
    for id in [&ours.id, &copied.id] {
        let twins = to.twins(id).await.unwrap();
        assert_eq!(twins.iter().map(|twin| twin.friend.as_str()).collect::<Vec<_>>(), [FRIEND]);
        let whole = to.item(&twins[0].item, ANN).await.unwrap().item;
        assert_eq!(whole.state, ItemState::Present, "a link to the twin still opens it");
    }
    let found = ItemFilter { text: Some("arrival".to_owned()), ..everything(ItemKind::Movie) };
    assert_eq!(list(&to, found).await.len(), 1);
    to.trash(vec![ours.number]).await.unwrap();
    let shown = list(&to, everything(ItemKind::Movie)).await;
    assert_eq!(shown[0].item.friend.as_deref(), Some(FRIEND), "when ours goes, the friend's is shown");
    to.remove_library(&own.id).await.unwrap();
    assert_eq!(titles(&list(&to, everything(ItemKind::Movie)).await), ["Arrival", "Brazil"]);
    follow(&from, &to, None, 500).await;
}

#[tokio::test]
async fn who_may_see_a_friends_library_alone_sees_all_of_it() {
    let (_folders, from, to, films) = followed().await;
    let own = library(&to, "films", LibraryKind::Movies).await;
    to.record(film(&own, "Arrival", 2016)).await.unwrap();
    let of = |libraries: Vec<&Id>| {
        let libraries = Some(libraries.into_iter().cloned().collect());
        ItemFilter { libraries, ..everything(ItemKind::Movie) }
    };
    let arrival = list(&to, of(vec![&films.id])).await.remove(0).item;
    to.set_progress(ANN, &arrival.id, Progress { position: 5.0, completed: false }).await.unwrap();
    for (sort, progress, friends, both) in [
        (Sort::Title, None, vec!["Arrival", "Brazil"], vec!["Arrival", "Brazil"]),
        (Sort::Watched, None, vec!["Arrival", "Brazil"], vec!["Arrival", "Brazil"]),
        (Sort::Watched, Some(ProgressFilter::Started), vec!["Arrival"], vec!["Arrival"]),
        (Sort::Title, Some(ProgressFilter::Unwatched), vec!["Brazil"], vec!["Brazil"]),
    ] {
        for (libraries, expected) in [(vec![&films.id], friends), (vec![&films.id, &own.id], both)] {
            let page = to.items(ItemFilter { sort, progress, ..of(libraries) }).await.unwrap();
            let mut found = titles(&page.items);
            found.sort_unstable();
            assert_eq!((found, page.total), (expected.clone(), Some(expected.len() as u64)), "{sort:?} {progress:?}");
        }
    }
    follow(&from, &to, None, 500).await;
}

#[tokio::test]
async fn episodes_that_both_have_are_shown_once() {
    let ((_one, from), (_two, to)) = (open(), open());
    let (theirs, ours) =
        (library(&from, "shows", LibraryKind::Shows).await, library(&to, "shows", LibraryKind::Shows).await);
    for number in 1..=3 {
        from.record(episode(&theirs, "Dark", number)).await.unwrap();
    }
    for number in 1..=2 {
        to.record(episode(&ours, "Dark", number)).await.unwrap();
    }
    follow(&from, &to, None, 2).await;
    let shown = list(&to, everything(ItemKind::Episode)).await;
    let numbers: Vec<_> = shown.iter().map(|listed| (listed.item.episode, listed.item.friend.is_some())).collect();
    assert_eq!(numbers, [(Some(1), false), (Some(2), false), (Some(3), true)]);
    to.record(episode(&ours, "Dark", 3)).await.unwrap();
    let shows = list(&to, everything(ItemKind::Show)).await;
    assert_eq!(
        shows.iter().map(|show| (show.episodes, show.item.friend.is_some())).collect::<Vec<_>>(),
        [(Some(3), false)]
    );
}

fn told(library: &str, id: &str) -> SharedItem {
    serde_json::from_value(serde_json::json!({
        "id": id, "library": library, "kind": "movie", "state": "present", "title": "Stolen", "added_at": i64::from(u32::MAX),
    }))
    .unwrap()
}

fn page(library: &str, items: Vec<SharedItem>, removed: Vec<RemovedItem>) -> Changes {
    let kind = LibraryKind::Movies;
    let state = LibraryState::Available;
    let libraries = vec![SharedLibrary { id: library.to_owned(), name: "Films".to_owned(), kind, state, people: None }];
    Changes { libraries, items, removed, next: "AA".to_owned(), more: false }
}

#[tokio::test]
async fn for_whom_a_library_is_is_known_before_anything_of_it_can_be_seen() {
    let (_folder, to) = open();
    let notes_taken = Arc::new(Mutex::new(Vec::new()));
    let (reader, notes, runtime) = (to.clone(), Arc::clone(&notes_taken), tokio::runtime::Handle::current());
    let note = move |limits: Limits| {
        let shown = runtime.block_on(reader.libraries()).unwrap();
        let names = |library: &Library| limits.get(&library.id).map(|names| names.join(","));
        let listed: Vec<String> = limits.values().map(|names| names.join(",")).collect();
        notes.lock().push((listed.join(";"), shown.iter().map(names).collect::<Vec<_>>()));
    };
    to.tell_limits(note).await.unwrap();
    let library = uuid::Uuid::now_v7().to_string();
    let take = async |people: Option<&str>| {
        let mut shared = page(&library, Vec::new(), Vec::new());
        shared.libraries[0].people = people.map(|name| vec![name.to_owned()]);
        to.take_changes(FRIEND, shared, MANY).await.unwrap();
    };
    take(Some("anna")).await;
    take(Some("ben")).await;
    to.take_changes(FRIEND, Changes::default(), MANY).await.unwrap();
    take(Some("carl")).await;
    to.forget_friend(FRIEND).await.unwrap();
    take(None).await;
    // Each list that was told, and for whom by it is what others see at that moment.
    let told = |list: &str, shown: &[&str]| {
        (list.to_owned(), shown.iter().map(|names| Some((*names).to_owned())).collect::<Vec<_>>())
    };
    let expected = [
        told("", &[]),
        told("anna", &[]),
        told("ben", &["ben"]),
        told("ben", &["ben"]),
        told("carl", &[]),
        told("carl", &["carl"]),
        told("", &[]),
    ];
    assert_eq!(*notes_taken.lock(), expected);
}

#[tokio::test]
async fn a_friend_cannot_touch_what_is_ours_or_another_friends() {
    let (_folder, to) = open();
    let own = library(&to, "films", LibraryKind::Movies).await;
    let mine = to.record(film(&own, "Mine", 2000)).await.unwrap();
    let (lib, id) = (uuid::Uuid::now_v7().to_string(), uuid::Uuid::now_v7().to_string());
    to.take_changes(OTHER, page(&lib, vec![told(&lib, &id)], Vec::new()), MANY).await.unwrap();
    let gone = |id: &str, library: &str| RemovedItem { id: id.to_owned(), library: library.to_owned() };
    let theirs = uuid::Uuid::now_v7().to_string();
    let told_limits = Arc::new(Mutex::new(Limits::new()));
    let limits = Arc::clone(&told_limits);
    to.tell_limits(move |told| *limits.lock() = told).await.unwrap();
    let hiding = |library: &str| {
        let mut lie = page(library, Vec::new(), Vec::new());
        lie.libraries[0].people = Some(vec!["nobody".to_owned()]);
        lie
    };
    for lie in [
        hiding(&own.id),
        hiding(&lib),
        page(&own.id, vec![told(&own.id, &mine.id)], vec![gone(&mine.id, &own.id)]),
        page(&lib, vec![told(&lib, &id)], vec![gone(&id, &lib)]),
        page(
            &theirs,
            vec![told(&theirs, &mine.id), told(&theirs, &id)],
            vec![gone(&mine.id, &own.id), gone(&id, &lib)],
        ),
    ] {
        let taken = to.take_changes(FRIEND, lie, MANY).await.unwrap();
        assert!(taken.refused > 0 && taken.removed.is_empty());
    }
    assert_eq!(*told_limits.lock(), Limits::new(), "nothing of others is hidden");
    to.take_changes(FRIEND, hiding(&theirs), MANY).await.unwrap();
    assert_eq!(*told_limits.lock(), Limits::from([(theirs, vec!["nobody".to_owned()])]), "only what is their own");
    let shown = list(&to, everything(ItemKind::Movie)).await;
    assert_eq!(titles(&shown), ["Mine", "Stolen"]);
    assert_eq!(shown[1].item.friend.as_deref(), Some(OTHER));
    assert!(shown[1].item.added_at <= shown[0].item.added_at + 60_000, "a clock that is ahead puts nothing first");
    let libraries = to.libraries().await.unwrap();
    assert_eq!(libraries.iter().filter(|library| library.name == "Films").count(), 2, "names need not be different");
    assert!(
        to.changes(Seen::default(), String::new(), 500).await.unwrap().libraries.iter().all(|l| l.id == own.id),
        "nothing is passed on"
    );
    assert_eq!(to.forget_friend(OTHER).await.unwrap(), [lib]);
}

#[tokio::test]
async fn a_friend_has_no_more_items_than_allowed() {
    let (_folder, to) = open();
    let lib = uuid::Uuid::now_v7().to_string();
    let items = (0..10).map(|_| told(&lib, &uuid::Uuid::now_v7().to_string())).collect();
    let taken = to.take_changes(FRIEND, page(&lib, items, Vec::new()), 4).await.unwrap();
    assert_eq!((taken.added.len(), taken.refused), (4, 6));
}
