//! Kobo readers, with the calls that a device makes on its days.
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::{Value, json};

use super::{Reader, book_ids, library, scanned, series_id};
use crate::comics::{comic, epub, zip};
use crate::harness::TestNode;

/// A device as its owner set it up: with the address and a key, and nothing else.
struct Kobo {
    client: Client,
    /// `api_endpoint`.
    address: String,
    /// `x-kobo-synctoken`, as it was received last.
    token: Option<String>,
}

/// What a sync told, by kinds, and in how many answers.
struct Told {
    all: Vec<Value>,
    answers: usize,
}

impl Told {
    fn of(&self, kind: &str) -> Vec<&Value> {
        self.all.iter().filter_map(|told| told.get(kind)).collect()
    }

    fn kinds(&self) -> Vec<&str> {
        self.all.iter().map(|told| told.as_object().unwrap().keys().next().unwrap().as_str()).collect()
    }
}

impl Kobo {
    async fn new(node: &TestNode, name: &str) -> Self {
        let id = node.node().accounts().named(name).unwrap().id;
        let key = node.node().accounts().add_api_key(&id, "Kobo").await.unwrap().1;
        Self::at(format!("{}/komga/kobo/{key}", node.url))
    }

    fn at(address: String) -> Self {
        // Without cookies: a device sends back none.
        Self { client: Client::builder().build().unwrap(), address, token: None }
    }

    /// A second device with the same key.
    fn other(&self) -> Self {
        Self::at(self.address.clone())
    }

    /// With the token that it was given for `AccessToken`, which is no key of ours.
    fn call(&self, method: Method, address: &str) -> RequestBuilder {
        let call = self.client.request(method, address).bearer_auth("potluck");
        call.header("user-agent", "Mozilla/5.0 (Kobo Touch 0376/4.38)").header("x-kobo-devicemodel", "Kobo Libra 2")
    }

    async fn get(&self, path: &str) -> Response {
        self.call(Method::GET, &format!("{}{path}", self.address)).send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        let answer = self.get(path).await;
        assert_eq!(answer.status(), 200, "{path}");
        answer.json().await.unwrap()
    }

    async fn put(&self, id: &str, body: &Value) -> (u16, Value) {
        let call = self.call(Method::PUT, &format!("{}/v1/library/{id}/state", self.address)).json(body);
        let answer = call.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }

    /// One answer of a sync, which changes no token.
    async fn ask(&self) -> Response {
        let query = "Filter=ALL&DownloadUrlFilter=Generic,Android&PrioritizeRecentReads=true&x=[{}]";
        let mut call = self.call(Method::GET, &format!("{}/v1/library/sync?{query}", self.address));
        if let Some(token) = &self.token {
            call = call.header("x-kobo-synctoken", token);
        }
        let answer = call.send().await.unwrap();
        assert_eq!(answer.status(), 200);
        answer
    }

    /// A whole sync.
    async fn sync(&mut self) -> Told {
        let mut told = Told { all: Vec::new(), answers: 0 };
        loop {
            let answer = self.ask().await;
            assert!(answer.headers().get("set-cookie").is_none(), "cookies confuse a device");
            self.token = Some(answer.headers()["x-kobo-synctoken"].to_str().unwrap().to_owned());
            let more = answer.headers().get("x-kobo-sync").is_some_and(|more| more == "continue");
            told.all.extend(answer.json::<Vec<Value>>().await.unwrap());
            told.answers += 1;
            if !more {
                return told;
            }
        }
    }
}

/// An EPUB of five chapters of the same length, which `seed` tells from others.
fn novel(title: &str, seed: usize) -> Vec<u8> {
    let chapters = 0..5;
    let items: String = chapters
        .clone()
        .map(|n| format!("<item id=\"x{n}\" href=\"Text/ch{n}.xhtml\" media-type=\"application/xhtml+xml\"/>"))
        .collect();
    let order: String = chapters.clone().map(|n| format!("<itemref idref=\"x{n}\"/>")).collect();
    let opf = format!(
        "<package xmlns=\"http://www.idpf.org/2007/opf\" version=\"3.0\"><metadata xmlns:dc=\"http://purl.org/dc/elements/1.1/\">\
         <dc:title>{title}</dc:title><dc:creator>Jane Doe</dc:creator><dc:language>de-AT</dc:language></metadata>\
         <manifest><item id=\"c\" href=\"c.jpg\" media-type=\"image/jpeg\" properties=\"cover-image\"/>{items}</manifest><spine>{order}</spine></package>"
    );
    let container = "<container xmlns=\"urn:oasis:names:tc:opendocument:xmlns:container\" version=\"1.0\"><rootfiles>\
        <rootfile full-path=\"OEBPS/book.opf\" media-type=\"application/oebps-package+xml\"/></rootfiles></container>";
    let mut files = vec![
        ("mimetype".to_owned(), b"application/epub+zip".to_vec()),
        ("META-INF/container.xml".to_owned(), container.as_bytes().to_vec()),
        ("OEBPS/book.opf".to_owned(), opf.into_bytes()),
        ("OEBPS/c.jpg".to_owned(), crate::comics::page(9)),
    ];
    for n in chapters {
        let text = format!(
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><p>{}</p></body></html>",
            format!("{seed:08} {n} ").repeat(186)
        );
        files.push((format!("OEBPS/Text/ch{n}.xhtml"), text.into_bytes()));
    }
    let files: Vec<(&str, Vec<u8>)> = files.iter().map(|(name, bytes)| (name.as_str(), bytes.clone())).collect();
    zip(&files)
}

/// A node with two novels, a comic and a story; the library's id.
async fn scene() -> (TestNode, Reader, String) {
    let node = TestNode::start(&[]).await;
    let files = [
        ("Novels/Novel 1.epub", novel("First", 1)),
        ("Novels/Novel 2.kepub.epub", novel("Second", 2)),
        ("Saga/Saga 1.cbz", comic(1)),
        ("Story.epub", epub()),
    ];
    let (id, _, _) = library(&node, &files).await;
    let reader = Reader::new(&node);
    (node, reader, id)
}

fn title(entitlement: &Value) -> String {
    entitlement["BookMetadata"]["Title"].as_str().unwrap().to_owned()
}

fn titles(told: &Told) -> Vec<String> {
    let mut titles: Vec<String> = told.of("NewEntitlement").into_iter().map(title).collect();
    titles.sort();
    titles
}

fn id_of(told: &Told, wanted: &str) -> String {
    let found = told.of("NewEntitlement").into_iter().find(|told| title(told) == wanted).unwrap();
    found["BookEntitlement"]["Id"].as_str().unwrap().to_owned()
}

/// Some of the way: in the third of five chapters, from its beginning.
fn forty(at: &str) -> Value {
    json!({"ReadingStates": [{
        "EntitlementId": "as the path says", "LastModified": at, "PriorityTimestamp": at,
        "CurrentBookmark": {"LastModified": at, "ProgressPercent": 40, "ContentSourceProgressPercent": 0,
            "Location": {"Source": "OEBPS/Text/ch2.xhtml", "Type": "KoboSpan", "Value": "kobo.1.1"}},
        "Statistics": {"LastModified": at, "SpentReadingMinutes": 12, "RemainingTimeMinutes": 99},
        "StatusInfo": {"LastModified": at, "Status": "Reading", "TimesStartedReading": 1},
    }]})
}

fn now() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}

async fn rescan(node: &TestNode, library: &str) {
    let mut events = node.node().events();
    node.signed_in("ada").await.post(&format!("/api/v1/libraries/{library}/scan")).send().await.unwrap();
    scanned(&mut events, library).await;
}

#[tokio::test]
async fn a_device_is_told_where_everything_is_and_finds_it_there() {
    let (node, _, _) = scene().await;
    let kobo = Kobo::new(&node, "ada").await;
    let answer = kobo.get("/v1/initialization").await;
    assert_eq!(answer.headers()["x-kobo-apitoken"], "e30=");
    assert!(answer.headers().contains_key("etag"));
    let resources = answer.json::<Value>().await.unwrap()["Resources"].take();
    for (name, value) in resources.as_object().unwrap() {
        let value = value.as_str().unwrap();
        assert!(
            value.starts_with(&kobo.address) || value == "False" || value == "True",
            "{name} is elsewhere: {value}"
        );
    }
    assert_eq!(resources["library_sync"], format!("{}/v1/library/sync", kobo.address));
    for name in ["image_host", "image_url_template", "image_url_quality_template", "reading_state", "device_auth"] {
        assert!(resources[name].is_string(), "{name}");
    }
    let body = json!({"AffiliateName": "Kobo", "DeviceId": "d", "SerialNumber": "n", "UserKey": "mine"});
    let token = kobo.call(Method::POST, resources["device_auth"].as_str().unwrap()).json(&body).send().await.unwrap();
    let token: Value = token.json().await.unwrap();
    assert_eq!((&token["UserKey"], &token["TokenType"]), (&json!("mine"), &json!("Bearer")));
    assert!(token["AccessToken"].is_string() && token["RefreshToken"].is_string() && token["TrackingId"].is_string());
    for (method, path) in [
        (Method::GET, "/v1/user/profile"),
        (Method::GET, "/v1/user/loyalty/benefits"),
        (Method::POST, "/v1/analytics/gettests"),
        (Method::POST, "/v1/library/tags"),
        (Method::DELETE, "/v1/library/01890a5d-ac96-774b-bcce-b302099a8057"),
        (Method::PUT, "/v1/products/x/rating/4"),
        (Method::GET, ""),
    ] {
        let answer = kobo.call(method, &format!("{}{path}", kobo.address)).send().await.unwrap();
        assert_eq!((answer.status().as_u16(), answer.json::<Value>().await.unwrap()), (200, json!({})), "{path}");
    }
    for host in [kobo.address.as_str(), &format!("{}/komga", node.url), &node.url] {
        let asked = kobo.call(Method::POST, &format!("{host}/api/v3/content/checkforchanges")).json(&json!([]));
        assert_eq!(asked.send().await.unwrap().json::<Value>().await.unwrap(), json!([]), "{host}");
    }
    node.stop().await;
}

#[tokio::test]
async fn a_day_of_a_device_and_what_happens_elsewhere_meanwhile() {
    let (node, reader, library) = scene().await;
    let mut kobo = Kobo::new(&node, "ada").await;
    let told = kobo.sync().await;
    assert_eq!(told.answers, 1);
    assert_eq!(titles(&told), ["First", "Prose", "Second"], "the comic is nothing for it");
    assert_eq!(told.all.len(), 3, "{:?}", told.kinds());
    assert!(kobo.sync().await.all.is_empty(), "nothing is told twice");

    // It fetches one.
    let first = told.of("NewEntitlement").into_iter().find(|told| title(told) == "First").unwrap().clone();
    let id = id_of(&told, "First");
    let said = &first["BookMetadata"];
    assert_eq!(kobo.json(&format!("/v1/library/{id}/metadata")).await, json!([said]));
    assert_eq!((&said["Language"], &said["Contributors"]), (&json!("de"), &json!(["Jane Doe"])));
    assert_eq!((&said["Series"]["Name"], &said["Series"]["Number"]), (&json!("Novels"), &json!("1")));
    let download = &said["DownloadUrls"][0];
    assert_eq!(download["Format"], "EPUB3");
    let file = kobo.call(Method::GET, download["Url"].as_str().unwrap()).send().await.unwrap();
    let bytes = file.bytes().await.unwrap();
    assert_eq!((bytes.len() as u64, &bytes[..]), (download["Size"].as_u64().unwrap(), &novel("First", 1)[..]));
    let second = told.of("NewEntitlement").into_iter().find(|told| title(told) == "Second").unwrap();
    assert_eq!(second["BookMetadata"]["DownloadUrls"][0]["Format"], "KEPUB");
    let image = format!("/v1/books/{}/thumbnail/355/530/false/image.jpg", said["CoverImageId"].as_str().unwrap());
    for image in [image.clone(), image.replace("/false/", "/90/true/")] {
        let answer = kobo.get(&image).await;
        assert_eq!(
            (answer.status().as_u16(), &answer.headers()["content-type"]),
            (200, &"image/jpeg".parse().unwrap())
        );
    }

    // It is read to 40 %.
    let unread = kobo.json(&format!("/v1/library/{id}/state")).await;
    assert_eq!((&unread[0]["StatusInfo"]["Status"], &unread[0]["EntitlementId"]), (&json!("ReadyToRead"), &json!(id)));
    let (status, result) = kobo.put(&id, &forty(&now())).await;
    assert_eq!((status, &result["RequestResult"]), (200, &json!("Success")));
    assert_eq!(result["UpdateResults"][0]["CurrentBookmarkResult"]["Result"], "Success");
    let ada = node.signed_in("ada").await;
    let item: Value = ada.get(&format!("/api/v1/items/{id}")).send().await.unwrap().json().await.unwrap();
    assert_eq!(item["progress"]["position"], 3.0, "the page of the node: {item}");
    let book = reader.json(&format!("/api/v1/books/{id}")).await;
    assert_eq!((&book["readProgress"]["page"], &book["readProgress"]["completed"]), (&json!(3), &json!(false)));
    let place = reader.json(&format!("/api/v1/books/{id}/progression")).await;
    assert_eq!(
        (&place["locator"]["href"], &place["device"]["name"]),
        (&json!("OEBPS/Text/ch2.xhtml"), &json!("Kobo Libra 2"))
    );
    let mark = kobo.json(&format!("/v1/library/{id}/state")).await[0]["CurrentBookmark"].take();
    assert_eq!((&mark["ProgressPercent"], &mark["Location"]["Value"]), (&json!(40.0), &json!("kobo.1.1")));
    kobo.sync().await;

    // Somebody reads on in the page, a read list is made, words are changed.
    let on = ada.request(Method::PUT, &format!("/api/v1/items/{id}/progress"));
    let on = on.json(&json!({"position": 5.0, "completed": false})).send().await.unwrap();
    assert!(on.status().is_success());
    let list = json!({"name": "Winter", "bookIds": [id, id_of(&told, "Second")]});
    let list = reader.send(Method::POST, "/api/v1/readlists", &list).await.1["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/books/{}/metadata", id_of(&told, "Second"));
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"title": "Zweitens"})).await.0, 204);
    let news = kobo.sync().await;
    let mut kinds = news.kinds();
    kinds.sort_unstable();
    assert_eq!(kinds, ["ChangedProductMetadata", "ChangedReadingState", "NewTag"], "no file is to be taken again");
    let state = &news.of("ChangedReadingState")[0]["ReadingState"];
    assert_eq!((&state["EntitlementId"], &state["StatusInfo"]["Status"]), (&json!(id), &json!("Reading")));
    let mark = &state["CurrentBookmark"];
    assert_eq!(
        (&mark["Location"]["Source"], &mark["ContentSourceProgressPercent"]),
        (&json!("OEBPS/Text/ch4.xhtml"), &json!(0.0))
    );
    assert_eq!(mark["ProgressPercent"], 80.0);
    assert_eq!(news.of("ChangedProductMetadata")[0]["Title"], "Zweitens");
    let tag = &news.of("NewTag")[0]["Tag"];
    assert_eq!((&tag["Name"], &tag["Id"], tag["Items"].as_array().unwrap().len()), (&json!("Winter"), &json!(list), 2));
    assert_eq!(tag["Items"][0], json!({"RevisionId": id, "Type": "ProductRevisionTagItem"}));
    let late = kobo.put(&id, &forty("2026-01-01T10:00:00Z")).await;
    assert_eq!(
        late.1["UpdateResults"][0]["CurrentBookmarkResult"]["Result"], "Ignored",
        "what is older counts no more"
    );
    assert_eq!(reader.json(&format!("/api/v1/books/{id}")).await["readProgress"]["page"], 5);

    // It is finished on the device, which then names the book's beginning.
    let mut done = forty(&now());
    done["ReadingStates"][0]["StatusInfo"]["Status"] = json!("Finished");
    done["ReadingStates"][0]["CurrentBookmark"]["Location"]["Source"] = json!("OEBPS/Text/ch0.xhtml");
    assert_eq!(kobo.put(&id, &done).await.0, 200);
    let read = reader.json(&format!("/api/v1/books/{id}")).await["readProgress"].take();
    assert_eq!((&read["page"], &read["completed"]), (&json!(5), &json!(true)));
    kobo.sync().await;

    // A book goes, the list changes with it; then the list is removed, and the book comes back.
    let folder = node.data().with_file_name("comics");
    let away = folder.with_file_name("away.epub");
    std::fs::rename(folder.join("Novels/Novel 2.kepub.epub"), &away).unwrap();
    rescan(&node, &library).await;
    let news = kobo.sync().await;
    assert_eq!(news.kinds(), ["ChangedEntitlement", "ChangedTag"]);
    let gone = &news.of("ChangedEntitlement")[0]["BookEntitlement"];
    assert_eq!((&gone["IsRemoved"], &gone["Id"]), (&json!(true), &json!(id_of(&told, "Second"))));
    assert_eq!(news.of("ChangedTag")[0]["Tag"]["Items"].as_array().unwrap().len(), 1);
    reader.call(Method::DELETE, &format!("/api/v1/readlists/{list}")).send().await.unwrap();
    std::fs::rename(&away, folder.join("Novels/Novel 2.kepub.epub")).unwrap();
    rescan(&node, &library).await;
    let news = kobo.sync().await;
    assert_eq!(news.kinds(), ["NewEntitlement", "DeletedTag"]);
    assert_eq!(news.of("DeletedTag")[0]["Tag"]["Id"], list);
    assert!(kobo.sync().await.all.is_empty());

    // Another device with the same key is told everything, with how far one is.
    let told = kobo.other().sync().await;
    let first = told.of("NewEntitlement").into_iter().find(|told| title(told) == "First").unwrap();
    assert_eq!(first["ReadingState"]["StatusInfo"]["Status"], "Finished");
    assert_eq!(first["ReadingState"]["CurrentBookmark"]["ProgressPercent"], 100.0);
    assert!(kobo.sync().await.all.is_empty(), "and takes nothing from the first");
    node.stop().await;
}

#[tokio::test]
async fn other_bytes_are_an_entitlement_again() {
    let (node, _, library) = scene().await;
    let mut kobo = Kobo::new(&node, "ada").await;
    let id = id_of(&kobo.sync().await, "First");
    let path = node.data().with_file_name("comics").join("Novels/Novel 1.epub");
    std::fs::write(path, novel("First, again", 3)).unwrap();
    rescan(&node, &library).await;
    let news = kobo.sync().await;
    assert_eq!(id_of(&news, "First, again"), id);
    assert_eq!(news.of("ChangedProductMetadata").len(), 1, "{:?}", news.kinds());
    node.stop().await;
}

#[tokio::test]
async fn an_answer_that_is_lost_is_told_again() {
    let (node, reader, library) = scene().await;
    let mut kobo = Kobo::new(&node, "ada").await;
    kobo.ask().await;
    let told = kobo.sync().await;
    assert_eq!(titles(&told), ["First", "Prose", "Second"], "as the first answer did not arrive");
    let list = json!({"name": "Winter", "bookIds": [id_of(&told, "First")]});
    assert_eq!(reader.send(Method::POST, "/api/v1/readlists", &list).await.0, 200);
    std::fs::remove_file(node.data().with_file_name("comics").join("Story.epub")).unwrap();
    rescan(&node, &library).await;
    for _ in 0..2 {
        let lost: Vec<Value> = kobo.ask().await.json().await.unwrap();
        assert_eq!(lost.len(), 2, "{lost:?}");
    }
    assert_eq!(kobo.sync().await.kinds(), ["ChangedEntitlement", "NewTag"]);
    assert!(kobo.sync().await.all.is_empty());
    node.stop().await;
}

#[tokio::test]
async fn a_large_library_comes_in_answers_of_a_hundred() {
    let node = TestNode::start(&[]).await;
    let names: Vec<String> = (0..205).map(|n| format!("Many/Many {n}.epub")).collect();
    let files: Vec<(&str, Vec<u8>)> =
        names.iter().enumerate().map(|(n, name)| (name.as_str(), novel(&format!("Many {n:03}"), n))).collect();
    library(&node, &files).await;
    let mut kobo = Kobo::new(&node, "ada").await;
    let first = kobo.ask().await;
    assert_eq!(first.headers()["x-kobo-sync"], "continue");
    assert_eq!(first.json::<Vec<Value>>().await.unwrap().len(), 100);
    let told = kobo.sync().await;
    assert_eq!(told.answers, 3);
    let wanted: Vec<String> = (0..205).map(|n| format!("Many {n:03}")).collect();
    assert_eq!(titles(&told), wanted);
    assert!(kobo.sync().await.all.is_empty());
    node.stop().await;
}

#[tokio::test]
async fn a_device_sees_what_its_account_may_see_and_loses_what_it_may_not_see_any_more() {
    let (node, _, library) = scene().await;
    let ann = node.account("ann", Some(vec![library.clone()])).await.id;
    node.account("out", Some(Vec::new())).await;
    let (mut kobo, mut out) = (Kobo::new(&node, "ann").await, Kobo::new(&node, "out").await);
    let told = kobo.sync().await;
    assert!(out.sync().await.all.is_empty());
    let id = id_of(&told, "First");
    for path in [
        format!("/v1/library/{id}/metadata"),
        format!("/v1/library/{id}/state"),
        format!("/v1/books/{id}/file/epub"),
        format!("/v1/books/{id}/thumbnail/300/300/false/image.jpg"),
    ] {
        assert_eq!(
            (kobo.get(&path).await.status().as_u16(), out.get(&path).await.status().as_u16()),
            (200, 404),
            "{path}"
        );
    }
    assert_eq!(out.put(&id, &forty(&now())).await.0, 404);
    // Another's token is a token of nobody.
    out.token = kobo.token.clone();
    assert!(out.sync().await.all.is_empty());
    let nothing = potluck::accounts::AccountChange { libraries: Some(Some(Vec::new())), ..Default::default() };
    node.node().accounts().update(&ann, nothing, &potluck::accounts::Caller::local()).await.unwrap();
    assert_eq!(kobo.sync().await.kinds(), ["ChangedEntitlement"; 3]);
    node.stop().await;
}

#[tokio::test]
async fn a_wrong_key_is_refused_without_a_word_and_no_key_is_written_down() {
    let (node, reader, _) = scene().await;
    let kobo = Kobo::at(format!("{}/komga/kobo/0123456789abcdef0123456789abcdef", node.url));
    for path in ["/v1/initialization", "/v1/library/sync", "/v1/user/profile", ""] {
        let answer = kobo.get(path).await;
        assert_eq!(answer.status(), 401, "{path}");
        assert!(answer.headers().get("set-cookie").is_none() && answer.headers().get("www-authenticate").is_none());
        assert_eq!(answer.json::<Value>().await.unwrap(), json!({}), "{path}");
    }
    // The name and password of an account, and its session, are of no use here.
    let answer = reader.get("/kobo/0123456789abcdef0123456789abcdef/v1/initialization").await;
    assert_eq!(answer.status(), 401);
    let right = Kobo::new(&node, "ada").await;
    let key = right.address.rsplit('/').next().unwrap().to_owned();
    let absent = right.get("/v1/library/01890a5d-ac96-774b-bcce-b302099a8057/state").await;
    assert_eq!(absent.status(), 404);
    assert!(!absent.text().await.unwrap().contains(&key));
    let accounts = node.node().accounts().clone();
    node.stop().await;
    let audit = format!("{:?}", accounts.audit_lines(20).await.unwrap());
    assert!(audit.contains("/komga/kobo/***/v1/initialization") && !audit.contains("0123456789abcdef"), "{audit}");
}

#[tokio::test]
async fn odd_tokens_and_bodies_are_answered_and_never_a_failure() {
    let (node, reader, _) = scene().await;
    let mut kobo = Kobo::new(&node, "ada").await;
    let id = id_of(&kobo.sync().await, "First");
    let good = kobo.token.clone().unwrap();
    let turned: String = good.chars().rev().collect();
    for odd in ["", "x", "a.b", "e30=", "AAAA", &"A".repeat(4000), &good[..good.len() - 4], &turned] {
        let mut other = kobo.other();
        other.token = Some(odd.to_owned());
        assert_eq!(titles(&other.sync().await).len(), 3, "{odd}: a device of nobody is told everything");
    }
    assert_eq!(titles(&kobo.sync().await).len(), 3, "a key has eight devices: the ninth takes the place of the first");
    for (body, wanted) in [
        (json!({}), 400),
        (json!([]), 400),
        (json!({"ReadingStates": []}), 400),
        (json!({"ReadingStates": [{}]}), 200),
        (json!({"ReadingStates": [{"LastModified": "yesterday"}]}), 400),
        (json!({"ReadingStates": [{"CurrentBookmark": {"ProgressPercent": "x"}}]}), 400),
        (json!({"ReadingStates": [{"CurrentBookmark": {"Location": {"Source": "../../etc/passwd"}}}]}), 400),
        (json!({"ReadingStates": [{"StatusInfo": {"Status": "ReadyToRead"}}]}), 200),
    ] {
        assert_eq!(kobo.put(&id, &body).await.0, wanted, "{body}");
    }
    let huge = json!({"ReadingStates": [], "x": "x".repeat(100_000)});
    assert_eq!(kobo.put(&id, &huge).await.0, 413);
    assert_eq!(
        reader.json(&format!("/api/v1/books/{id}")).await["readProgress"],
        Value::Null,
        "none of these is a place"
    );
    let far = json!({"ReadingStates": [{"LastModified": "9000-01-01T00:00:00Z", "CurrentBookmark": {"ProgressPercent": -5}}]});
    assert_eq!(kobo.put(&id, &far).await.0, 200);
    let comic = book_ids(&reader, &series_id(&reader, "Saga").await).await.remove(0);
    assert_eq!(kobo.get(&format!("/v1/books/{comic}/file/epub")).await.status(), 404, "a comic is nothing for a Kobo");
    for path in ["/v1/library/../state", "/v1/library/%00/state", "/v1/books/x/thumbnail/a/b/c/d/image.jpg", "/v1/[]{}"]
    {
        assert!(kobo.get(path).await.status().as_u16() < 500, "{path}");
    }
    let auth = format!("{}/v1/auth/device", kobo.address);
    for body in ["", "{", "[1]", "null"] {
        let answer = kobo.call(Method::POST, &auth).body(body).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{body}");
    }
    node.stop().await;
}
