//! Moving in from Komga: a library of comics, a database as Komga leaves it, and programs that go on with Komga's ids. And from
//! Navidrome, in `music`.
mod covers;
mod komga;
mod music;
mod navidrome;
mod odd;

use std::path::{Path, PathBuf};
use std::process::Output;

use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::process::Command;

use crate::comics::{comic, described, page};
use crate::harness::{PASSWORD, TestNode, client};
use komga::{Komga, Version};

/// Ids in Komga's form.
const LIBRARY: &str = "0LIB00000000A";
const SAGA: &str = "0SAGA00000001";
const ETOILE: &str = "0ETOILE000001";
const ADMIN: &str = "0USER00000001";
const KID: &str = "0USER00000002";
const KEY: &str = "0123456789abcdef0123456789abcdef";
const SECRET: &str = "her old password";

/// A node, a folder of comics that it does not know yet, and Komga's database of it.
struct Scene {
    node: TestNode,
    komga: Komga,
    comics: PathBuf,
}

fn book(n: u32) -> String {
    format!("0BOOK0000000{n}")
}

fn put(path: &Path, bytes: &[u8]) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, bytes).unwrap();
}

impl Scene {
    /// Two series with three and two books, an admin and somebody else, with what they read.
    async fn new(version: Version) -> Self {
        let node = TestNode::start(&[]).await;
        let folder = node.data().parent().unwrap().to_owned();
        let comics = folder.join("my comics");
        let komga = Komga::new(&folder.join("config"), version);
        let scene = Self { node, komga, comics };
        scene.komga.library(LIBRARY, scene.root());
        scene.komga.series(SAGA, LIBRARY, &format!("{}/Saga", scene.root()));
        scene.komga.series(ETOILE, LIBRARY, &format!("{}/Étoile", scene.root()));
        let told = "<Summary>Of the file.</Summary><Writer>Jane</Writer>";
        for (n, series, name, bytes) in [
            (1, SAGA, "Saga/Saga 1.cbz", comic(1)),
            (2, SAGA, "Saga/Saga 2.cbz", comic(2)),
            (3, SAGA, "Saga/Saga 3.cbz", comic(3)),
            (4, ETOILE, "Étoile/Étoile 1.cbz", described(4, told)),
            (5, ETOILE, "Étoile/Étoile 2.cbz", comic(5)),
        ] {
            put(&scene.comics.join(name), &bytes);
            scene.komga.book(&book(n), series, LIBRARY, &format!("{}/{name}", scene.root()), bytes.len());
        }
        scene.komga.user(ADMIN, "Eve@example.org", SECRET, true);
        scene.komga.user(KID, "kid@example.org", "short", false);
        scene.komga.read(&book(1), ADMIN, 3, true, "2022-01-01 10:00:00.000");
        scene.komga.read(&book(2), ADMIN, 2, false, "2022-01-02 10:00:00");
        scene.komga.read(&book(4), KID, 1, false, "2022-01-03T10:00:00");
        if version == Version::Late {
            scene.komga.key("0KEY000000001", ADMIN, KEY);
        }
        scene
    }

    fn root(&self) -> &str {
        self.comics.to_str().unwrap()
    }

    async fn command(&self, arguments: &[&str]) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_potluck"));
        command.arg("--data").arg(self.node.data()).args(["import", "komga"]).args(arguments);
        command.output().await.unwrap()
    }

    /// What is told of it as JSON.
    async fn import(&self, more: &[&str]) -> Value {
        let database = self.komga.path.to_str().unwrap();
        let output = self.command(&[&[database, "--json"], more].concat()).await;
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    fn reader(&self) -> Reader {
        Reader { client: client(), url: format!("{}/komga", self.node.url) }
    }
}

/// A program for reading that knows nothing but what it knew of Komga.
struct Reader {
    client: Client,
    url: String,
}

impl Reader {
    async fn get(&self, path: &str) -> Value {
        self.get_as(path, "eve@example.org", SECRET).await
    }

    async fn get_as(&self, path: &str, name: &str, password: &str) -> Value {
        let request = self.client.get(format!("{}{path}", self.url)).basic_auth(name, Some(password));
        let answer = request.send().await.unwrap();
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn send(&self, method: Method, path: &str, body: Value) -> u16 {
        let request = self.client.request(method, format!("{}{path}", self.url)).json(&body);
        request.basic_auth("eve@example.org", Some(SECRET)).send().await.unwrap().status().as_u16()
    }

    async fn status_with_key(&self, path: &str, key: &str) -> u16 {
        let fresh = client();
        fresh.get(format!("{}{path}", self.url)).header("X-API-Key", key).send().await.unwrap().status().as_u16()
    }
}

#[tokio::test]
async fn what_a_reader_stored_of_komga_goes_on_working() {
    let scene = Scene::new(Version::Late).await;
    let report = scene.import(&[]).await;
    assert_eq!(report["libraries"][0]["state"], "added", "{report}");
    assert_eq!((&report["series"]["by_path"], &report["books"]["by_path"]), (&json!(2), &json!(5)), "{report}");
    let reader = scene.reader();
    let series = reader.get(&format!("/api/v1/series/{SAGA}")).await;
    assert_eq!((&series["id"], &series["metadata"]["title"]), (&json!(SAGA), &json!("Saga")));
    assert_eq!((&series["libraryId"], &series["created"]), (&json!(LIBRARY), &json!("2021-02-03T04:05:06Z")));
    let books = reader.get(&format!("/api/v1/series/{SAGA}/books?unpaged=true")).await;
    let ids: Vec<&str> = books["content"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap()).collect();
    assert_eq!(ids, [book(1), book(2), book(3)]);
    assert!(books["content"].as_array().unwrap().iter().all(|one| one["seriesId"] == SAGA));
    let all = reader.get("/api/v1/series?sort=metadata.titleSort,asc").await;
    let ids: Vec<&Value> = all["content"].as_array().unwrap().iter().map(|one| &one["id"]).collect();
    assert_eq!(ids, [&json!(ETOILE), &json!(SAGA)]);
    assert_eq!(reader.get("/api/v1/libraries").await[0]["id"], LIBRARY);
    let named = reader.get(&format!("/api/v1/series?library_id={LIBRARY}")).await;
    assert_eq!(named["totalElements"], 2);
    assert_eq!(reader.get("/api/v1/series?library_id=nothing").await["totalElements"], 0);
    assert_eq!(reader.get(&format!("/api/v1/books/{}/pages", book(2))).await.as_array().unwrap().len(), 3);
    assert_eq!(reader.get(&format!("/api/v1/books/{}/next", book(1))).await["id"], book(2));
    let conditions = json!({"condition": {"seriesId": {"operator": "is", "value": SAGA}}});
    let listed =
        reader.client.post(format!("{}/api/v1/books/list", reader.url)).basic_auth("eve@example.org", Some(SECRET));
    let listed: Value = listed.json(&conditions).send().await.unwrap().json().await.unwrap();
    assert_eq!(listed["totalElements"], 3);
    scene.node.stop().await;
}

#[tokio::test]
async fn an_item_is_found_by_its_own_id_too_and_keeps_it() {
    let scene = Scene::new(Version::Late).await;
    scene.import(&[]).await;
    let ada = scene.node.signed_in("ada").await;
    let shown: Value = ada.get(&format!("/api/v1/items/{}", book(1))).send().await.unwrap().json().await.unwrap();
    let own = shown["id"].as_str().unwrap();
    assert!(own.len() == 36 && own != book(1), "{shown}");
    let reader = scene.reader();
    assert_eq!(reader.get(&format!("/api/v1/books/{own}")).await["id"], book(1));
    // A move changes neither.
    std::fs::rename(scene.comics.join("Saga"), scene.comics.join("Renamed")).unwrap();
    let mut scan = Command::new(env!("CARGO_BIN_EXE_potluck"));
    let scanned = scan.arg("--data").arg(scene.node.data()).arg("scan").output().await.unwrap();
    assert!(scanned.status.success());
    assert_eq!(reader.get(&format!("/api/v1/series/{SAGA}")).await["metadata"]["title"], "Renamed");
    assert_eq!(reader.get(&format!("/api/v1/books/{}", book(1))).await["id"], book(1));
    scene.node.stop().await;
}

#[tokio::test]
async fn old_passwords_and_keys_open_and_a_password_is_kept_as_ours_are_from_then_on() {
    let scene = Scene::new(Version::Late).await;
    scene.import(&[]).await;
    let stored = async || {
        let catalog = rusqlite::Connection::open(scene.node.data().join("catalog.db")).unwrap();
        let sql = "SELECT password FROM account WHERE name_key = 'eve@example.org'";
        catalog.query_row(sql, [], |r| r.get::<_, String>(0)).unwrap()
    };
    assert!(stored().await.starts_with("$2a$"));
    let reader = scene.reader();
    let wrong =
        reader.client.get(format!("{}/api/v2/users/me", reader.url)).basic_auth("eve@example.org", Some("wrong"));
    assert_eq!(wrong.send().await.unwrap().status(), 401);
    assert!(stored().await.starts_with("$2a$"), "a wrong password changes nothing");
    let me = reader.get("/api/v2/users/me").await;
    assert!(me["roles"].as_array().unwrap().contains(&json!("ADMIN")));
    assert!(stored().await.starts_with("$argon2id$"));
    assert_eq!(reader.get("/api/v2/users/me").await["email"], "Eve@example.org");
    // Shorter than what is asked of new ones.
    let kid = scene.reader().get_as("/api/v2/users/me", "kid@example.org", "short").await;
    assert!(!kid["roles"].as_array().unwrap().contains(&json!("ADMIN")));
    assert_eq!(reader.status_with_key(&format!("/api/v1/books/{}", book(1)), KEY).await, 200);
    let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA512, KEY.as_bytes());
    let leaked = data_encoding::HEXLOWER.encode(hash.as_ref());
    assert_eq!(
        reader.status_with_key("/api/v1/libraries", &leaked).await,
        401,
        "what is in the database opens nothing"
    );
    let keys = reader.get("/api/v2/users/me/api-keys").await;
    assert_eq!((&keys[0]["comment"], &keys[0]["createdDate"]), (&json!("my phone"), &json!("2021-02-03T04:05:06Z")));
    scene.node.stop().await;
}

#[tokio::test]
async fn progress_comes_along_and_only_what_is_later_counts() {
    let scene = Scene::new(Version::Late).await;
    let report = scene.import(&[]).await;
    assert_eq!(report["progress"], json!({"taken": 3, "known": 0, "not_here": 0}));
    let reader = scene.reader();
    let progress = async |n: u32| reader.get(&format!("/api/v1/books/{}", book(n))).await["readProgress"].clone();
    let first = progress(1).await;
    assert_eq!((&first["completed"], &first["readDate"]), (&json!(true), &json!("2022-01-01T10:00:00Z")));
    assert_eq!((&progress(2).await["page"], &progress(2).await["completed"]), (&json!(2), &json!(false)));
    assert_eq!(progress(4).await, Value::Null, "that was somebody else");
    let tracker = reader.get(&format!("/api/v2/series/{SAGA}/read-progress/tachiyomi")).await;
    assert_eq!((&tracker["booksReadCount"], &tracker["booksInProgressCount"]), (&json!(1), &json!(1)));
    // Read on here; what Komga has is older, and then newer.
    let path = format!("/api/v1/books/{}/read-progress", book(2));
    assert_eq!(reader.send(Method::PATCH, &path, json!({"page": 3})).await, 204);
    assert_eq!(scene.import(&[]).await["progress"], json!({"taken": 0, "known": 3, "not_here": 0}));
    assert_eq!(progress(2).await["page"], 3);
    scene.komga.read(&book(1), ADMIN, 1, false, "2023-01-01 10:00:00");
    assert_eq!(scene.import(&[]).await["progress"]["taken"], 1);
    assert_eq!((&progress(1).await["page"], &progress(1).await["completed"]), (&json!(1), &json!(false)));
    scene.node.stop().await;
}

#[tokio::test]
async fn what_was_written_comes_with_its_locks_and_what_files_say_stays() {
    let scene = Scene::new(Version::Late).await;
    scene.komga.sql(&format!(
        "UPDATE SERIES_METADATA SET TITLE = 'The Saga', TITLE_LOCK = 1, STATUS = 'ENDED', SUMMARY = 'By a tool.',
            AGE_RATING = 12, AGE_RATING_LOCK = 1, READING_DIRECTION = 'RIGHT_TO_LEFT', TOTAL_BOOK_COUNT = 9 WHERE SERIES_ID = '{SAGA}';
         INSERT INTO SERIES_METADATA_GENRE VALUES ('drama', '{SAGA}'), ('action', '{SAGA}');
         INSERT INTO SERIES_METADATA_LINK VALUES ('Site', 'https://example.org/saga', '{SAGA}'), ('Bad', 'javascript:x', '{SAGA}');
         INSERT INTO SERIES_METADATA_ALTERNATE_TITLE VALUES ('jp', 'サガ', '{SAGA}');
         UPDATE BOOK_METADATA SET TITLE = 'Dawn', TITLE_LOCK = 1, NUMBER = '0', NUMBER_LOCK = 1, NUMBER_SORT = 0.5, NUMBER_SORT_LOCK = 1,
            RELEASE_DATE = '2012-03-04', ISBN = '9783161484100' WHERE BOOK_ID = '{one}';
         UPDATE BOOK_METADATA SET SUMMARY = 'By a tool.' WHERE BOOK_ID = '{four}';
         INSERT INTO BOOK_METADATA_AUTHOR VALUES ('Ann', 'penciller', '{one}'), ('Joe', 'writer', '{four}');",
        one = book(1),
        four = book(4)
    ));
    let report = scene.import(&[]).await;
    let reader = scene.reader();
    let series = reader.get(&format!("/api/v1/series/{SAGA}")).await["metadata"].clone();
    for (field, value, locked) in [
        ("title", json!("The Saga"), true),
        ("status", json!("ENDED"), true),
        ("summary", json!("By a tool."), true),
        ("ageRating", json!(12), true),
        ("readingDirection", json!("RIGHT_TO_LEFT"), true),
        ("totalBookCount", json!(9), true),
        ("genres", json!(["action", "drama"]), true),
        ("links", json!([{"label": "Site", "url": "https://example.org/saga"}]), true),
        ("alternateTitles", json!([{"label": "jp", "title": "サガ"}]), true),
        ("publisher", json!(""), false),
    ] {
        assert_eq!((&series[field], &series[format!("{field}Lock")]), (&value, &json!(locked)), "{field}");
    }
    let dawn = reader.get(&format!("/api/v1/books/{}", book(1))).await["metadata"].clone();
    assert_eq!((&dawn["title"], &dawn["number"], &dawn["numberSort"]), (&json!("Dawn"), &json!("0"), &json!(0.5)));
    assert_eq!((&dawn["releaseDate"], &dawn["isbn"]), (&json!("2012-03-04"), &json!("9783161484100")));
    assert_eq!(dawn["authors"], json!([{"name": "Ann", "role": "penciller"}]));
    let told = reader.get(&format!("/api/v1/books/{}", book(4))).await["metadata"].clone();
    assert_eq!((&told["summary"], &told["summaryLock"]), (&json!("Of the file."), &json!(false)), "its file tells it");
    assert_eq!(told["authors"], json!([{"name": "Jane", "role": "writer"}]));
    assert_eq!(report["metadata"]["left"], 2, "{report}");
    let found = reader.get("/api/v1/series?genre=drama&search=saga").await;
    assert_eq!(found["content"][0]["id"], SAGA);
    scene.node.stop().await;
}

#[tokio::test]
async fn collections_and_read_lists_keep_their_ids_and_orders() {
    let scene = Scene::new(Version::Late).await;
    scene.komga.sql(&format!(
        "INSERT INTO COLLECTION VALUES ('0COLL', 'Best', 1, '2021-01-01 00:00:00', '2021-01-02 00:00:00');
         INSERT INTO COLLECTION_SERIES VALUES ('0COLL', '{SAGA}', 0), ('0COLL', '{ETOILE}', 1);
         INSERT INTO READLIST VALUES ('0LIST', 'Order', 'How to read', 1, '2021-01-01 00:00:00', '2021-01-02 00:00:00');
         INSERT INTO READLIST_BOOK VALUES ('0LIST', '{}', 0), ('0LIST', '{}', 1), ('0LIST', 'gone', 2);
         INSERT INTO READLIST VALUES ('0EMPTY', 'Nothing', '', 1, NULL, NULL);",
        book(4),
        book(1)
    ));
    let report = scene.import(&[]).await;
    assert_eq!((&report["collections"]["added"], &report["read_lists"]["added"]), (&json!(1), &json!(1)), "{report}");
    assert_eq!((&report["read_lists"]["not_here"], &report["read_lists"]["refused"]), (&json!(1), &json!(1)));
    let reader = scene.reader();
    assert_eq!(reader.get("/api/v1/collections/0COLL").await["seriesIds"], json!([SAGA, ETOILE]));
    let list = reader.get("/api/v1/readlists/0LIST").await;
    assert_eq!((&list["summary"], &list["bookIds"]), (&json!("How to read"), &json!([book(4), book(1)])));
    assert_eq!(list["createdDate"], "2021-01-01T00:00:00Z");
    assert_eq!(reader.get(&format!("/api/v1/readlists/0LIST/books/{}/next", book(4))).await["id"], book(1));
    // Changed there, and not here.
    scene.komga.sql(&format!("INSERT INTO READLIST_BOOK VALUES ('0LIST', '{}', 3)", book(5)));
    assert_eq!(scene.import(&[]).await["read_lists"]["changed"], 1);
    // Changed on both sides: here counts.
    assert_eq!(reader.send(Method::PATCH, "/api/v1/readlists/0LIST", json!({"name": "Mine"})).await, 204);
    scene.komga.sql("UPDATE READLIST SET NAME = 'Theirs' WHERE ID = '0LIST'");
    assert_eq!(scene.import(&[]).await["read_lists"]["refused"], 2);
    assert_eq!(reader.get("/api/v1/readlists/0LIST").await["name"], "Mine");
    assert_eq!(reader.send(Method::DELETE, "/api/v1/collections/0COLL", json!({})).await, 204);
    assert_eq!(scene.import(&[]).await["collections"]["removed"], 1);
    scene.node.stop().await;
}

/// Everything in the tables that moving in writes.
fn state(node: &TestNode) -> Vec<String> {
    let catalog = rusqlite::Connection::open(node.data().join("catalog.db")).unwrap();
    let mut all = Vec::new();
    for table in [
        "library",
        "item",
        "book",
        "series",
        "overview",
        "watched",
        "alias",
        "library_alias",
        "shelf_list",
        "shelf_list_item",
        "account",
        "account_library",
        "api_key",
        "cover",
        "moved_list",
        "moved_cover",
        "moved_account",
        "moved_key",
    ] {
        let mut statement = catalog.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns: Vec<String> = statement.column_names().iter().map(|name| (*name).to_owned()).collect();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            // Scans and uses write these whenever they come by.
            let kept =
                columns.iter().enumerate().filter(|(_, name)| !["scanned_at", "used_at"].contains(&name.as_str()));
            let values: Vec<String> = kept.map(|(n, _)| format!("{:?}", row.get_ref(n).unwrap())).collect();
            all.push(format!("{table}: {}", values.join(" ")));
        }
    }
    all
}

#[tokio::test]
async fn a_dry_run_tells_all_and_changes_nothing_and_neither_does_a_second_time() {
    let scene = Scene::new(Version::Late).await;
    scene.komga.sql(&format!("UPDATE SERIES_METADATA SET TITLE = 'Other', TITLE_LOCK = 1 WHERE SERIES_ID = '{SAGA}'"));
    scene.komga.cover("SERIES", SAGA, "0COVER", "USER_UPLOADED", true, &page(9));
    let before = state(&scene.node);
    let plan = scene.import(&["--dry-run"]).await;
    let library = &plan["libraries"][0];
    assert_eq!((&library["state"], &library["files"], &library["kind"]), (&json!("new"), &json!(5), &json!("comics")));
    assert_eq!((&plan["dry_run"], &plan["accounts"]["added"]), (&json!(true), &json!(2)));
    assert_eq!(state(&scene.node), before);
    let first = scene.import(&[]).await;
    let after = state(&scene.node);
    let plan = scene.import(&["--dry-run"]).await;
    let again = scene.import(&[]).await;
    assert_eq!(state(&scene.node), after);
    assert_eq!((&first["books"]["ids"], &again["books"]["ids"]), (&json!(5), &json!(0)));
    assert_eq!(
        (&again["metadata"]["taken"], &again["accounts"]["added"], &again["accounts"]["keys"]),
        (&json!(0), &json!(0), &json!(0))
    );
    assert_eq!((&plan["progress"], &plan["books"]), (&again["progress"], &again["books"]));
    // Changed here since: that stays.
    let reader = scene.reader();
    assert_eq!(
        reader.send(Method::PATCH, &format!("/api/v1/series/{SAGA}/metadata"), json!({"title": "Mine"})).await,
        204
    );
    scene.import(&[]).await;
    assert_eq!(reader.get(&format!("/api/v1/series/{SAGA}")).await["metadata"]["title"], "Mine");
    scene.komga.sql(&format!("UPDATE SERIES_METADATA SET TITLE = 'Newer' WHERE SERIES_ID = '{SAGA}'"));
    let told = scene.import(&[]).await;
    assert_eq!(told["conflicts"]["first"], json!([format!("series {SAGA}: title was written here too, and stays")]));
    scene.node.stop().await;
}

#[tokio::test]
async fn what_was_taken_away_here_does_not_come_back() {
    let scene = Scene::new(Version::Late).await;
    scene.import(&[]).await;
    let reader = scene.reader();
    let path = "/api/v2/users/me/api-keys/0KEY000000001";
    assert_eq!(reader.send(Method::DELETE, path, json!({})).await, 204);
    let kid = scene.node.node().accounts().named("kid@example.org").unwrap().id;
    scene.node.node().accounts().remove(&kid).await.unwrap();
    let again = scene.import(&[]).await;
    assert_eq!((&again["accounts"]["added"], &again["accounts"]["keys"]), (&json!(0), &json!(0)), "{again}");
    assert_eq!(reader.status_with_key("/api/v1/libraries", KEY).await, 401);
    assert!(scene.node.node().accounts().named("kid@example.org").is_err());
    scene.node.stop().await;
}

#[tokio::test]
async fn accounts_see_what_they_saw_and_whom_the_node_cannot_restrict_sees_nothing() {
    let scene = Scene::new(Version::Late).await;
    scene.komga.user("0U3", "some@example.org", SECRET, false);
    scene.komga.user("0U4", "all@example.org", SECRET, false);
    scene.komga.user("0U5", "ADA", SECRET, false);
    scene.komga.sql(&format!(
        "UPDATE USER SET AGE_RESTRICTION = 12 WHERE ID = '{KID}'; UPDATE USER SET SHARED_ALL_LIBRARIES = 0 WHERE ID = '0U3';
         INSERT INTO USER_LIBRARY_SHARING VALUES ('0U3', '{LIBRARY}'), ('0U3', 'nothing');"
    ));
    let report = scene.import(&[]).await;
    let library = report["libraries"][0]["library"].as_str().unwrap().to_owned();
    let accounts = scene.node.node().accounts();
    let sees = |name: &str| accounts.named(name).unwrap().libraries;
    assert_eq!(sees("kid@example.org"), Some(vec![]));
    assert_eq!(sees("some@example.org"), Some(vec![library.clone()]));
    assert_eq!(sees("all@example.org"), Some(vec![library]), "not the films of this node");
    assert_eq!(sees("eve@example.org"), None, "an admin");
    assert!(accounts.named("ada").unwrap().admin, "she keeps her rights");
    accounts.by_name("ada", PASSWORD, std::net::Ipv4Addr::LOCALHOST.into()).await.unwrap();
    let notes = report["accounts"]["notes"].to_string();
    assert!(notes.contains("kid@example.org: it was kept from some age ratings"), "{notes}");
    assert!(notes.contains("ADA: an account here has this name"), "{notes}");
    scene.node.stop().await;
}
