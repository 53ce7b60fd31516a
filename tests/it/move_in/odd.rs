//! Moving in from what is not as it should be: files that moved, folders with other paths, old and broken databases.
use std::path::Path;

use reqwest::Method;
use serde_json::{Value, json};

use super::komga::{Version, url};
use super::{ADMIN, LIBRARY, SAGA, Scene, book, put};
use crate::comics::{comic, prose};

#[tokio::test]
async fn a_moved_file_is_recognised_by_its_bytes_or_its_name() {
    let scene = Scene::new(Version::Late).await;
    let bytes = std::fs::read(scene.comics.join("Saga/Saga 2.cbz")).unwrap();
    let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&bytes));
    scene.komga.sql(&format!("UPDATE BOOK SET FILE_HASH = '{hash}' WHERE ID = '{}'", book(2)));
    // An old row of what is book 1 now, as Komga leaves it in its trash after a rename.
    let one = std::fs::read(scene.comics.join("Saga/Saga 1.cbz")).unwrap();
    scene.komga.book("0OLD1", SAGA, LIBRARY, &format!("{}/Saga/old name.cbz", scene.root()), one.len());
    let hash = format!("{:032x}", xxhash_rust::xxh3::xxh3_128(&one));
    scene
        .komga
        .sql(&format!("UPDATE BOOK SET FILE_HASH = '{hash}', DELETED_DATE = '2022-01-01 00:00:00' WHERE ID = '0OLD1'"));
    std::fs::rename(scene.comics.join("Saga/Saga 2.cbz"), scene.comics.join("Saga/Two.cbz")).unwrap();
    std::fs::create_dir(scene.comics.join("Else")).unwrap();
    put(&scene.comics.join("Saga/Saga 3.cbz"), &[comic(3), vec![0; 100]].concat());
    let three = std::fs::metadata(scene.comics.join("Saga/Saga 3.cbz")).unwrap().len();
    scene.komga.sql(&format!("UPDATE BOOK SET FILE_SIZE = {three} WHERE ID = '{}'", book(3)));
    std::fs::rename(scene.comics.join("Saga/Saga 3.cbz"), scene.comics.join("Else/Saga 3.cbz")).unwrap();
    std::fs::remove_file(scene.comics.join("Étoile/Étoile 2.cbz")).unwrap();
    let report = scene.import(&[]).await;
    let books = &report["books"];
    let counts = ["total", "by_path", "by_content", "by_name", "not_here", "from_trash"]
        .map(|name| books[name].as_u64().unwrap());
    assert_eq!(counts, [5, 2, 1, 1, 1, 1], "{report}");
    assert_eq!(report["not_matched"]["first"], json!([format!("{}/Étoile/Étoile 2.cbz", scene.root())]));
    let reader = scene.reader();
    assert_eq!(reader.get(&format!("/api/v1/books/{}", book(2))).await["name"], "Two");
    assert_eq!(reader.get(&format!("/api/v1/books/{}", book(2))).await["readProgress"]["page"], 2);
    assert_eq!(reader.get("/api/v1/books/0OLD1").await["id"], book(1), "the id that is shown is the later one");
    scene.node.stop().await;
}

#[tokio::test]
async fn a_place_in_an_epub_is_the_same_share_of_it_however_komga_counts_its_pages() {
    let scene = Scene::new(Version::Late).await;
    let files = [(6, "Prose/Prose 1.epub", 2), (7, "Prose/Prose 2.epub", 6), (8, "Prose/Prose 3.epub", 10)];
    scene.komga.series("0PROSE0000001", LIBRARY, &format!("{}/Prose", scene.root()));
    for (n, name, page) in files {
        // A comment makes each another file.
        let mut epub = prose();
        *epub.iter_mut().nth_back(1).unwrap() = n as u8;
        epub.resize(epub.len() + n as usize, b'x');
        put(&scene.comics.join(name), &epub);
        let size = std::fs::metadata(scene.comics.join(name)).unwrap().len() as usize;
        scene.komga.book(&book(n), "0PROSE0000001", LIBRARY, &format!("{}/{name}", scene.root()), size);
        scene.komga.sql(&format!(
            "UPDATE MEDIA SET MEDIA_TYPE = 'application/epub+zip', PAGE_COUNT = 10 WHERE BOOK_ID = '{}'",
            book(n)
        ));
        scene.komga.read(&book(n), ADMIN, page, page == 10, "2022-05-06 07:08:09");
    }
    assert_eq!(scene.import(&[]).await["progress"], json!({"taken": 6, "known": 0, "not_here": 0}));
    let reader = scene.reader();
    // Two chapters: a fifth of the book is in the first, three fifths are in the second.
    for (n, page, completed, file) in
        [(6, 1, false, "OEBPS/one a.xhtml"), (7, 2, false, "OEBPS/two.xhtml"), (8, 2, true, "OEBPS/two.xhtml")]
    {
        let told = reader.get(&format!("/api/v1/books/{}", book(n))).await["readProgress"].clone();
        assert_eq!((&told["page"], &told["completed"]), (&json!(page), &json!(completed)), "{n}");
        let place = reader.get(&format!("/api/v1/books/{}/progression", book(n))).await;
        assert_eq!(place["locator"]["href"], file, "{n}");
        assert_eq!(place["modified"], "2022-05-06T07:08:09.000Z", "{n}");
    }
    // Read on there: the place follows. Read on here, to a place within a chapter: that stays.
    scene.komga.read(&book(6), ADMIN, 9, false, "2022-05-07 07:08:09");
    assert_eq!(scene.import(&[]).await["progress"]["taken"], 1);
    assert_eq!(reader.get(&format!("/api/v1/books/{}", book(6))).await["readProgress"]["page"], 2);
    let here = json!({"modified": "2026-01-01T10:00:00Z", "device": {"id": "d", "name": "Phone"}, "locator": {
        "href": "OEBPS/one a.xhtml", "type": "application/xhtml+xml", "locations": {"progression": 0.25}}});
    let path = format!("/api/v1/books/{}/progression", book(6));
    assert_eq!(reader.send(Method::PUT, &path, here).await, 204);
    assert_eq!(scene.import(&[]).await["progress"], json!({"taken": 0, "known": 6, "not_here": 0}));
    let place = reader.get(&path).await;
    assert_eq!(place["locator"]["locations"]["progression"], 0.25);
    scene.node.stop().await;
}

#[tokio::test]
async fn folders_that_komga_saw_elsewhere_are_mapped_and_those_that_are_not_are_told_of() {
    let scene = Scene::new(Version::Late).await;
    let sql = "UPDATE LIBRARY SET ROOT = replace(ROOT, ?1, ?2); ";
    let (here, there) = (url(scene.root(), false), "file:/data/comics");
    for (table, column) in [("LIBRARY", "ROOT"), ("SERIES", "URL"), ("BOOK", "URL")] {
        let sql = sql.replace("LIBRARY", table).replace("ROOT", column);
        scene.komga.db.execute(sql.trim_end_matches("; "), [here.as_str(), there]).unwrap();
    }
    scene.komga.library("0OTHER", "/data/elsewhere");
    let unmapped = scene.import(&["--dry-run"]).await;
    assert!(unmapped["libraries"].as_array().unwrap().iter().all(|one| one["state"] == "missing"), "{unmapped}");
    assert_eq!((&unmapped["books"]["not_here"], &unmapped["not_matched"]["total"]), (&json!(5), &json!(7)));
    let plain = scene.command(&[scene.komga.path.to_str().unwrap(), "--dry-run"]).await;
    let told = String::from_utf8_lossy(&plain.stdout).into_owned();
    assert!(told.contains("--map /data/comics=/its/path/here") && told.contains("Nothing was changed"), "{told}");
    let map = format!("/data/comics={}", scene.root());
    let report = scene.import(&["--map", &map]).await;
    assert_eq!(report["books"]["by_path"], 5, "{report}");
    assert_eq!(scene.reader().get(&format!("/api/v1/books/{}", book(1))).await["readProgress"]["completed"], true);
    let wrong = scene.command(&["x.sqlite", "--map", "nonsense"]).await;
    assert_eq!(wrong.status.code(), Some(2));
    scene.node.stop().await;
}

#[tokio::test]
async fn a_database_of_an_old_komga_is_read_as_far_as_it_goes() {
    let scene = Scene::new(Version::First).await;
    let report = scene.import(&[]).await;
    assert_eq!((&report["books"]["by_path"], &report["accounts"]["added"]), (&json!(5), &json!(2)), "{report}");
    assert_eq!(report["progress"]["taken"], 3);
    let reader = scene.reader();
    let me = reader.get("/api/v2/users/me").await;
    assert!(me["roles"].as_array().unwrap().contains(&json!("ADMIN")));
    assert_eq!(reader.get(&format!("/api/v1/books/{}", book(1))).await["readProgress"]["completed"], true);
    scene.node.stop().await;
}

#[tokio::test]
async fn what_is_not_komgas_is_refused_with_a_sentence() {
    let scene = Scene::new(Version::Late).await;
    let folder = scene.node.data().with_file_name("files");
    put(&folder.join("text.sqlite"), b"not a database at all");
    put(&folder.join("short.sqlite"), b"SQLite format 3\0and then nothing");
    put(&folder.join("empty.sqlite"), b"");
    rusqlite::Connection::open(folder.join("other.sqlite")).unwrap().execute_batch("CREATE TABLE book (id)").unwrap();
    for name in ["text", "empty", "other", "short", "missing"] {
        let path = folder.join(format!("{name}.sqlite"));
        let refused = scene.command(&[path.to_str().unwrap()]).await;
        let told = String::from_utf8_lossy(&refused.stderr).into_owned();
        assert_eq!(refused.status.code(), Some(1), "{name}: {told}");
        let says =
            if ["text", "empty", "other"].contains(&name) { "not a database of Komga's" } else { "cannot be read" };
        assert!(told.contains(says), "{name}: {told}");
    }
    scene.node.stop().await;
}

#[tokio::test]
async fn values_that_cannot_be_do_no_harm() {
    let scene = Scene::new(Version::Late).await;
    let long = "x".repeat(200_000);
    scene.komga.sql(&format!(
        "PRAGMA ignore_check_constraints = ON;
         UPDATE SERIES_METADATA SET TITLE = x'ff00ff', TITLE_LOCK = 'yes', STATUS = 'GOING', STATUS_LOCK = 1, SUMMARY = '{long}',
            SUMMARY_LOCK = 1, AGE_RATING = -5, AGE_RATING_LOCK = 1, TOTAL_BOOK_COUNT = 1e300, READING_DIRECTION = 'UP' WHERE SERIES_ID = '{SAGA}';
         UPDATE BOOK_METADATA SET NUMBER_SORT = 9e999, NUMBER_SORT_LOCK = 1, RELEASE_DATE = 'soon', RELEASE_DATE_LOCK = 1,
            TITLE = '{long}', TITLE_LOCK = 1, ISBN = 17 WHERE BOOK_ID = '{one}';
         INSERT INTO BOOK_METADATA_AUTHOR VALUES ('', '', '{one}'), ('{long}', 'writer', '{one}'), (x'00', 'writer', '{one}');
         INSERT INTO SERIES_METADATA_LINK VALUES ('', 'https://[', '{SAGA}');
         INSERT INTO BOOK (ID, NAME, URL, SERIES_ID, LIBRARY_ID, FILE_SIZE) VALUES ('', '', '', '', '', -1),
            ('../../etc', 'a', 'file:/%00', '{SAGA}', '{LIBRARY}', 'big'), ('0ODD1', 'b', 'http://x/', '{SAGA}', '{LIBRARY}', 9223372036854775807),
            ('0ODD2', 'c', 'file:{root}/../../../etc/passwd', '{SAGA}', '{LIBRARY}', 1), ('0ODD3', '{long}', '{long}', 'x', 'y', 1);
         INSERT INTO LIBRARY VALUES ('0L2', '', ''), ('0L3', '{long}', 'file:/'), ('0L4', 'x', 'file:/proc/self/fd/');
         INSERT INTO READ_PROGRESS (BOOK_ID, USER_ID, PAGE, COMPLETED, LAST_MODIFIED_DATE, READ_DATE) VALUES
            ('{three}', '{ADMIN}', -7, 'maybe', 'never', x'01'), ('{five}', '{ADMIN}', 4000000000, 0, 99999999999999999, 5);
         INSERT INTO USER (ID, EMAIL, PASSWORD) VALUES ('0U8', '', ''), ('0U9', 'a:b@c', 'plain'), ('0U10', 'c@d', '$2a$31$aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa');
         INSERT INTO USER_API_KEY VALUES ('0K1', '{ADMIN}', NULL, 'nonsense', ''), ('0K2', 'nobody', NULL, 'ff', '');
         INSERT INTO COLLECTION VALUES ('..', 'x', 1, NULL, NULL), ('0C2', '', 1, NULL, NULL), ('0C3', '{long}', 'x', 'y', 'z');
         INSERT INTO COLLECTION_SERIES VALUES ('0C3', '{SAGA}', 'first'), ('0C3', '{SAGA}', 1), ('..', '{SAGA}', 1), ('0C2', '{SAGA}', 1);",
        one = book(1),
        three = book(3),
        five = book(5),
        root = scene.root(),
    ));
    let report = scene.import(&[]).await;
    assert_eq!(report["books"]["by_path"], 5, "{report}");
    let reader = scene.reader();
    let series = reader.get(&format!("/api/v1/series/{SAGA}")).await;
    assert_eq!(series["metadata"]["summary"].as_str().unwrap().len(), 100_000);
    assert_eq!((&series["metadata"]["status"], &series["metadata"]["ageRating"]), (&json!("ONGOING"), &Value::Null));
    let first = reader.get(&format!("/api/v1/books/{}", book(1))).await;
    assert_eq!(first["metadata"]["title"].as_str().unwrap().len(), 1000);
    assert_eq!(reader.get(&format!("/api/v1/books/{}", book(5))).await["readProgress"]["page"], 3);
    assert_eq!(reader.get("/api/v1/collections/0C3").await["seriesIds"], json!([SAGA]));
    let notes = report["accounts"]["notes"].to_string();
    assert!(notes.contains("c@d: its password cannot be checked here"), "{notes}");
    scene.node.stop().await;
}

#[tokio::test]
async fn komga_may_run_and_finds_its_folder_as_it_left_it() {
    let scene = Scene::new(Version::Late).await;
    let files = |folder: &Path| {
        let mut names: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        names.sort();
        names
    };
    let folder = scene.komga.path.parent().unwrap().to_owned();
    // It is open, and what was written last is in the WAL alone.
    scene.komga.sql("BEGIN IMMEDIATE; UPDATE USER SET EMAIL = 'late@example.org' WHERE EMAIL = 'kid@example.org'; COMMIT; BEGIN IMMEDIATE;");
    let before = files(&folder);
    let report = scene.import(&["--dry-run"]).await;
    assert_eq!((&report["accounts"]["added"], files(&folder)), (&json!(2), before), "{report}");
    scene.komga.sql("COMMIT");
    // A copy of it with its WAL, as a backup takes it.
    let copy = scene.node.data().with_file_name("backup");
    std::fs::create_dir(&copy).unwrap();
    for ending in ["", "-wal"] {
        let of = |folder: &Path| folder.join(format!("database.sqlite{ending}"));
        std::fs::copy(of(&folder), of(&copy)).unwrap();
    }
    let before = files(&copy);
    let output = scene.command(&[copy.join("database.sqlite").to_str().unwrap(), "--dry-run", "--json"]).await;
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["accounts"]["added"], 2);
    assert_eq!(files(&copy), before, "no file of ours stays beside it");
    let left: Vec<_> =
        files(&scene.node.data()).into_iter().filter(|name| name.to_string_lossy().starts_with("moving-in-")).collect();
    assert!(left.is_empty(), "{left:?}");
    scene.node.stop().await;
}

#[tokio::test]
async fn it_works_with_the_node_stopped_and_with_its_libraries_known() {
    let scene = Scene::new(Version::Late).await;
    let comics = scene.comics.to_str().unwrap().to_owned();
    let ada = scene.node.signed_in("ada").await;
    let body = json!({"name": "My own name", "kind": "comics", "path": comics});
    assert_eq!(ada.post("/api/v1/libraries").json(&body).send().await.unwrap().status(), 201);
    let Scene { node, komga, comics } = scene;
    let data = node.data();
    let halted = node.halt().await;
    let database = komga.path.to_str().unwrap().to_owned();
    let mut command = tokio::process::Command::new(env!("CARGO_BIN_EXE_potluck"));
    command.arg("--data").arg(&data).args(["import", "komga", &database, "--json"]);
    command.env("POTLUCK_IPFS__ENABLED", "false");
    command.env("POTLUCK_WEBRTC__LISTEN", "127.0.0.1:0").env("POTLUCK_FRIENDS__LISTEN", "127.0.0.1:0");
    let output = command.output().await.unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(
        (&report["libraries"][0]["state"], &report["books"]["by_path"]),
        (&json!("here"), &json!(5)),
        "{report}"
    );
    let node = halted.wake(|_| {}).await;
    let scene = Scene { node, komga, comics };
    assert_eq!(scene.reader().get(&format!("/api/v1/series/{SAGA}")).await["booksCount"], 3);
    scene.node.stop().await;
}
