//! OPDS 2 as Cantook and Thorium walk through it: by links alone, from the start to a page, a file, a place in a book.
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::{Reader, book_ids, library, scene, series_id};
use crate::comics::{comic, described, epub, page, pdf, picture, zip};
use crate::harness::TestNode;

const ACQUISITION: &str = "http://opds-spec.org/acquisition";
const PROGRESSION: &str = "http://www.cantook.com/api/progression";

/// What an address leads to: its media type and JSON.
async fn open(reader: &Reader, address: &str) -> (String, Value) {
    let answer = reader.get(reader.path(address)).await;
    assert_eq!(answer.status(), 200, "{address}");
    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
    (kind, answer.json().await.unwrap())
}

async fn feed(reader: &Reader, address: &str) -> Value {
    let (kind, feed) = open(reader, address).await;
    assert_eq!(kind, "application/opds+json", "{address}");
    feed
}

/// The address behind the link of a list that has this title, or this relation.
fn link<'a>(links: &'a Value, name: &str) -> &'a str {
    let named = |link: &&Value| link["title"] == name || link["rel"] == name;
    let found = links.as_array().and_then(|links| links.iter().find(named));
    found.and_then(|link| link["href"].as_str()).unwrap_or_else(|| panic!("no link {name} in {links:#}"))
}

fn group<'a>(feed: &'a Value, title: &str) -> &'a Value {
    let found = feed["groups"].as_array().and_then(|all| all.iter().find(|group| group["metadata"]["title"] == title));
    found.unwrap_or_else(|| panic!("no group {title} in {feed:#}"))
}

fn titles<'a>(list: &'a Value) -> Vec<&'a str> {
    let all = list.as_array().unwrap_or_else(|| panic!("no list: {list:#}"));
    let title = |entry: &'a Value| entry.get("title").or_else(|| entry.pointer("/metadata/title"));
    all.iter().map(|entry| title(entry).and_then(Value::as_str).unwrap()).collect()
}

async fn bytes(reader: &Reader, address: &str) -> (Response, bytes::Bytes) {
    let answer = reader.get(reader.path(address)).await;
    assert_eq!(answer.status(), 200, "{address}");
    let head = reader.call(Method::HEAD, reader.path(address)).send().await.unwrap();
    (head, answer.bytes().await.unwrap())
}

#[tokio::test]
async fn a_reader_finds_its_way_by_links_from_the_start_to_a_page_and_a_file() {
    let (node, reader) = scene().await;
    let start = feed(&reader, "/opds/v2/catalog").await;
    assert_eq!(titles(&group(&start, "Libraries")["navigation"]), ["Comics"]);
    assert_eq!(titles(&start["navigation"]), ["Recommended", "Browse"], "there are no lists");
    for group in start["groups"].as_array().unwrap() {
        feed(&reader, link(&group["links"], "self")).await;
    }
    let browse = feed(&reader, link(&start["navigation"], "Browse")).await;
    assert_eq!(titles(&browse["navigation"]), ["Alone", "Étoile", "Saga"], "by title");
    let paging = ["numberOfItems", "itemsPerPage", "currentPage"].map(|name| browse["metadata"][name].clone());
    assert_eq!(paging, [3, 20, 1].map(Value::from));
    let saga = feed(&reader, link(&browse["navigation"], "Saga")).await;
    assert_eq!(saga["metadata"]["numberOfItems"], 3);
    let book = &saga["publications"][0];
    assert_eq!(book["metadata"]["belongsTo"]["series"][0]["name"], "Saga");
    assert_eq!(book["metadata"]["numberOfPages"], 3);

    let (head, file) = bytes(&reader, link(&book["links"], ACQUISITION)).await;
    assert_eq!(file, comic(1));
    assert!(head.headers()["content-disposition"].to_str().unwrap().contains("Saga 1.cbz"));
    let acquisition = book["links"].as_array().unwrap().iter().find(|link| link["rel"] == ACQUISITION).unwrap();
    assert_eq!(acquisition["type"], "application/vnd.comicbook+zip");
    for image in book["images"].as_array().unwrap() {
        let (head, _) = bytes(&reader, image["href"].as_str().unwrap()).await;
        assert_eq!(head.headers()["content-type"], "image/jpeg");
    }
    let (kind, manifest) = open(&reader, link(&book["links"], "self")).await;
    assert_eq!(kind, "application/divina+json");
    let order = manifest["readingOrder"].as_array().unwrap();
    let first = order[0]["href"].as_str().unwrap();
    assert!(first.ends_with("/pages/1?contentNegotiation=false"), "{first}");
    assert_eq!((order.len(), &order[0]["width"], &order[0]["height"]), (3, &60.into(), &90.into()));
    assert_eq!(bytes(&reader, first).await.1, page(1));
    node.stop().await;
}

#[tokio::test]
async fn who_did_not_sign_in_is_told_how() {
    let (node, reader) = scene().await;
    for path in ["/opds/v2/catalog", "/opds/v2", "/opds/v2/no/such"] {
        let answer = reader.bare(Method::GET, path).send().await.unwrap();
        assert_eq!(answer.status(), 401, "{path}");
        let headers = answer.headers();
        assert_eq!(headers["content-type"], "application/opds-authentication+json");
        assert!(headers["www-authenticate"].to_str().unwrap().starts_with("Basic"));
        let link = headers["link"].to_str().unwrap().to_owned();
        assert!(
            link.ends_with("rel=\"http://opds-spec.org/auth/document\"; type=\"application/opds-authentication+json\"")
        );
        let told: Value = answer.json().await.unwrap();
        assert_eq!(told["authentication"][0]["type"], "http://opds-spec.org/auth/basic");
        let address = link.split(['<', '>']).nth(1).unwrap();
        assert_eq!(told["id"], address);
        let document = reader.bare(Method::GET, reader.path(address)).send().await.unwrap();
        assert_eq!(document.status(), 200, "nobody has to sign in to be told how to");
        assert_eq!(document.json::<Value>().await.unwrap(), told);
    }
    assert_eq!(reader.status("/opds/v2/no/such").await, 404);
    let other = reader.at(format!("{}/komga", node.url)).bare(Method::GET, "/opds/v1.2/catalog").send().await.unwrap();
    assert_eq!(other.headers()["content-type"], "application/json", "the words of OPDS 2 are for OPDS 2 alone");
    node.stop().await;
}

#[tokio::test]
async fn the_later_of_two_places_in_a_book_counts_and_is_the_same_everywhere() {
    let (node, reader) = scene().await;
    let id = book_ids(&reader, &series_id(&reader, "Saga").await).await.remove(0);
    let saga = feed(&reader, &format!("/opds/v2/series/{}", series_id(&reader, "Saga").await)).await;
    let path = reader.path(link(&saga["publications"][0]["links"], PROGRESSION)).to_owned();
    assert_eq!(reader.status(&path).await, 204, "nothing was read");
    let device = json!({"id": "x", "name": "Phone"});
    let told = |modified: &str, locations: Value| json!({"modified": modified, "device": device, "locator": {"href": "", "type": "image/jpeg", "locations": locations}});
    assert_eq!(reader.send(Method::PUT, &path, &told("2026-01-02T10:00:00Z", json!({"position": 2}))).await.0, 204);
    let (kind, place) = open(&reader, &path).await;
    assert_eq!(kind, "application/vnd.readium.progression+json");
    assert_eq!(place["modified"], "2026-01-02T10:00:00Z");
    assert_eq!(place["locator"]["locations"]["position"], 2);
    assert_eq!(bytes(&reader, place["locator"]["href"].as_str().unwrap()).await.1, page(200));
    assert_eq!(reader.json(&format!("/api/v1/books/{id}")).await["readProgress"]["page"], 2);
    let start = feed(&reader, "/opds/v2/catalog").await;
    assert_eq!(titles(&group(&start, "Keep reading")["publications"]).len(), 1);

    let earlier = told("2026-01-02T09:59:59Z", json!({"position": 3}));
    assert_eq!(reader.send(Method::PUT, &path, &earlier).await.0, 409);
    let zone = told("2026-01-02T12:00:00.5+01:00", json!({"totalProgression": 0.99}));
    assert_eq!(reader.send(Method::PUT, &path, &zone).await.0, 204, "by the part of the whole");
    assert_eq!(open(&reader, &path).await.1["modified"], "2026-01-02T11:00:00Z");
    assert_eq!(reader.json(&format!("/api/v1/books/{id}")).await["readProgress"]["completed"], true);
    let page = json!({"modified": "2026-01-03T10:00:00Z", "device": device, "locator": {"href": "http://x/y/pages/1?z", "type": "image/jpeg"}});
    assert_eq!(reader.send(Method::PUT, &path, &page).await.0, 204, "by the address of the page");
    assert_eq!(open(&reader, &path).await.1["locator"]["locations"]["position"], 1);
    for wrong in [
        told("yesterday", json!({"position": 1})),
        told("2026-01-04T10:00:00", json!({"position": 1})),
        told("2026-01-04T10:00:00Z", json!({"position": 4})),
        told("2026-01-04T10:00:00Z", json!({"position": 0})),
        told("2026-01-04T10:00:00Z", json!({"position": -1})),
        told("2026-01-04T10:00:00Z", json!({"totalProgression": 1.5})),
        told("2026-01-04T10:00:00Z", json!({})),
        json!({}),
        json!([]),
    ] {
        assert_eq!(reader.send(Method::PUT, &path, &wrong).await.0, 400, "{wrong}");
    }
    let typed = reader.call(Method::PUT, &path).header("content-type", "application/vnd.readium.progression+json");
    let sent = typed.body(told("2026-01-05T10:00:00Z", json!({"position": 2})).to_string()).send().await.unwrap();
    assert_eq!(sent.status(), 204, "its own media type is JSON too");
    let ahead = told("2999-01-05T10:00:00Z", json!({"position": 1}));
    assert_eq!(reader.send(Method::PUT, &path, &ahead).await.0, 204);
    let now = open(&reader, &path).await.1["modified"].as_str().unwrap().to_owned();
    assert!(now.as_str() > "2026-01-05" && now.as_str() < "2999", "a time to come is now: {now}");
    node.stop().await;
}

#[tokio::test]
async fn feeds_are_narrowed_searched_and_paged() {
    let (node, reader) = scene().await;
    let browse = feed(&reader, "/opds/v2/libraries/browse").await;
    let facet = &browse["facets"][0];
    assert_eq!(
        (&facet["metadata"]["title"], titles(&facet["links"])),
        (&"Publisher".into(), vec!["All", "Star Press"])
    );
    let narrowed = feed(&reader, link(&facet["links"], "Star Press")).await;
    assert_eq!(titles(&narrowed["navigation"]), ["Étoile"]);
    assert_eq!(link(&narrowed["facets"][0]["links"], "self"), link(&facet["links"], "Star Press"));

    let etoile = feed(&reader, link(&browse["navigation"], "Étoile")).await;
    assert_eq!(etoile["metadata"]["numberOfItems"], 2);
    let books = &etoile["publications"][0]["metadata"];
    assert_eq!((&books["author"], &books["penciler"]), (&json!(["Jane Doe", "Joe"]), &json!(["Ann"])));
    let (_, manifest) = open(&reader, link(&etoile["publications"][0]["links"], "self")).await;
    assert_eq!(manifest["metadata"]["readingProgression"], "rtl");
    assert_eq!(manifest["metadata"]["language"], "fr");

    let mut seen = Vec::new();
    let mut at = Some("/opds/v2/libraries/browse?size=2".to_owned());
    while let Some(address) = at {
        let page = feed(&reader, &address).await;
        seen.extend(titles(&page["navigation"]).into_iter().map(str::to_owned));
        let links = page["links"].as_array().unwrap();
        assert_eq!(links.iter().any(|link| link["rel"] == "previous"), seen.len() > 2);
        at = links.iter().find(|link| link["rel"] == "next").map(|link| link["href"].as_str().unwrap().to_owned());
    }
    assert_eq!(seen, ["Alone", "Étoile", "Saga"]);

    let search = link(&browse["links"], "search");
    assert!(search.ends_with("{?query}"), "{search}");
    let found = feed(&reader, &search.replace("{?query}", "?query=etoile")).await;
    assert_eq!(titles(&group(&found, "Series")["navigation"]), ["Étoile"]);
    for nothing in ["", "?query=", "?query=%20", "?query=nowhere", "?query=%22%28"] {
        let found = feed(&reader, &search.replace("{?query}", nothing)).await;
        assert!(found.get("groups").is_none(), "{nothing}: {found:#}");
    }
    node.stop().await;
}

#[tokio::test]
async fn collections_and_read_lists_are_feeds_in_their_order() {
    let (node, reader) = scene().await;
    let (saga, etoile) = (series_id(&reader, "Saga").await, series_id(&reader, "Étoile").await);
    let books = [book_ids(&reader, &saga).await, book_ids(&reader, &etoile).await];
    let collection = json!({"name": "Both, of all", "ordered": true, "seriesIds": [saga, etoile]});
    assert_eq!(reader.send(Method::POST, "/api/v1/collections", &collection).await.0, 200);
    let list = json!({"name": "Way", "summary": "Read so.", "ordered": true, "bookIds": [books[1][0], books[0][1]]});
    assert_eq!(reader.send(Method::POST, "/api/v1/readlists", &list).await.0, 200);
    let start = feed(&reader, "/opds/v2/catalog").await;
    assert_eq!(titles(&start["navigation"]), ["Recommended", "Browse", "Collections", "Read lists"]);
    let collections = feed(&reader, link(&start["navigation"], "Collections")).await;
    let collection = feed(&reader, link(&collections["navigation"], "Both, of all")).await;
    assert_eq!(titles(&collection["navigation"]), ["Saga", "Étoile"]);
    let lists = feed(&reader, link(&start["navigation"], "Read lists")).await;
    let list = feed(&reader, link(&lists["navigation"], "Way")).await;
    let series = |n: usize| list["publications"][n]["metadata"]["belongsTo"]["series"][0]["name"].as_str().unwrap();
    assert_eq!((series(0), series(1), &list["metadata"]["description"]), ("Étoile", "Saga", &"Read so.".into()));

    node.account("out", Some(Vec::new())).await;
    let out = Reader::named(&node, "out");
    let library = reader.json("/api/v1/libraries").await[0]["id"].as_str().unwrap().to_owned();
    for path in [
        format!("series/{saga}"),
        format!("libraries/{library}"),
        format!("libraries/{library}/browse"),
        format!("books/{}/manifest", books[0][0]),
        format!("books/{}/progression", books[0][0]),
    ] {
        assert_eq!(reader.status(&format!("/opds/v2/{path}")).await / 100, 2, "{path}");
        assert_eq!(out.status(&format!("/opds/v2/{path}")).await, 404, "{path}");
    }
    let nothing = feed(&out, "/opds/v2/catalog").await;
    assert_eq!(
        (titles(&nothing["navigation"]), nothing["groups"].as_array().unwrap().len()),
        (vec!["Recommended", "Browse"], 1)
    );
    assert_eq!(feed(&out, "/opds/v2/libraries/browse").await["metadata"]["numberOfItems"], 0);
    node.stop().await;
}

#[tokio::test]
async fn a_library_has_feeds_of_its_own() {
    let (node, reader) = scene().await;
    let folder = node.data().with_file_name("more");
    std::fs::create_dir_all(folder.join("Other")).unwrap();
    std::fs::write(folder.join("Other/1.cbz"), described(9, "<Publisher>Else</Publisher><Tags>Red</Tags>")).unwrap();
    let mut events = node.node().events();
    let ada = node.signed_in("ada").await;
    let body = json!({"name": "More", "kind": "comics", "path": folder});
    let made: Value = ada.post("/api/v1/libraries").json(&body).send().await.unwrap().json().await.unwrap();
    super::scanned(&mut events, made["id"].as_str().unwrap()).await;

    let start = feed(&reader, "/opds/v2/catalog").await;
    assert_eq!(start["metadata"]["title"], "Potluck");
    let libraries = &group(&start, "Libraries")["navigation"];
    assert_eq!(titles(libraries), ["Comics", "More"]);
    let more = feed(&reader, link(libraries, "More")).await;
    assert_eq!(more["metadata"]["title"], "More - Recommended");
    assert_eq!(titles(&group(&more, "Latest series")["navigation"]), ["Other"]);
    assert_eq!(group(&more, "Latest books")["publications"].as_array().unwrap().len(), 1);
    let browse = feed(&reader, link(&more["navigation"], "Browse")).await;
    assert_eq!(titles(&browse["navigation"]), ["Other"]);
    assert_eq!(titles(&browse["facets"][0]["links"]), ["All", "Else"]);
    let all = feed(&reader, link(&start["navigation"], "Browse")).await;
    assert_eq!(titles(&all["navigation"]), ["Alone", "Étoile", "Other", "Saga"]);
    assert_eq!(titles(&all["facets"][0]["links"]), ["All", "Else", "Star Press"]);
    for group in more["groups"].as_array().unwrap() {
        let whole = feed(&reader, link(&group["links"], "self")).await;
        assert_eq!(whole["metadata"]["numberOfItems"], 1, "{group}");
    }
    let films = node.library.clone();
    assert_eq!(reader.status(&format!("/opds/v2/libraries/{films}/browse")).await, 404, "films are no books");
    node.stop().await;
}

#[tokio::test]
async fn every_format_has_the_manifest_that_suits_it() {
    let node = TestNode::start(&[]).await;
    let webp = zip(&[("1.webp", picture(1, 60, 90, image::ImageFormat::WebP)), ("2.jpg", page(2))]);
    let files = [("Odd/Odd 1.cbz", webp), ("Odd/Odd 2.pdf", pdf(3)), ("Odd/Odd 3.epub", epub())];
    library(&node, &files).await;
    let reader = Reader::new(&node);
    let browse = feed(&reader, "/opds/v2/libraries/browse").await;
    let odd = feed(&reader, browse["navigation"][0]["href"].as_str().unwrap()).await;
    let [comic, pdf, epub] = [0, 1, 2].map(|n| &odd["publications"][n]["links"]);

    let (_, manifest) = open(&reader, link(comic, "self")).await;
    let first = &manifest["readingOrder"][0];
    assert_eq!((&first["type"], &first["alternate"][0]["type"]), (&"image/webp".into(), &"image/jpeg".into()));
    let (head, _) = bytes(&reader, first["alternate"][0]["href"].as_str().unwrap()).await;
    assert_eq!(head.headers()["content-type"], "image/jpeg");
    assert!(manifest["readingOrder"][1].get("alternate").is_none());

    let (kind, manifest) = open(&reader, link(pdf, "self")).await;
    assert_eq!(
        (kind.as_str(), &manifest["readingOrder"][0]["type"]),
        ("application/webpub+json", &"application/pdf".into())
    );
    assert!(bytes(&reader, manifest["readingOrder"][0]["href"].as_str().unwrap()).await.1.starts_with(b"%PDF"));
    let (kind, manifest) = open(&reader, link(pdf, "alternate")).await;
    assert_eq!((kind.as_str(), manifest["readingOrder"].as_array().unwrap().len()), ("application/divina+json", 3));
    let (head, _) = bytes(&reader, manifest["readingOrder"][2]["href"].as_str().unwrap()).await;
    assert_eq!(head.headers()["content-type"], "image/jpeg");

    let (kind, publication) = open(&reader, link(epub, "self")).await;
    assert_eq!(kind, "application/opds-publication+json");
    assert!(bytes(&reader, link(&publication["links"], ACQUISITION)).await.1.starts_with(b"PK"));
    let place = json!({"modified": "2026-01-02T10:00:00Z", "device": {"id": "x", "name": "y"},
        "locator": {"href": "b.xhtml", "type": "application/xhtml+xml", "locations": {"position": 99, "totalProgression": 0.6}}});
    let path = reader.path(link(epub, PROGRESSION)).to_owned();
    assert_eq!(reader.send(Method::PUT, &path, &place).await.0, 204);
    assert_eq!(open(&reader, &path).await.1["locator"]["locations"]["position"], 2, "of two documents");
    let manifest = |links: &Value, kind: &str| format!("{}/{kind}", link(links, "self"));
    for (links, kind, wanted) in
        [(comic, "pdf", 400), (comic, "epub", 400), (epub, "divina", 400), (epub, "epub", 200), (pdf, "pdf", 200)]
    {
        assert_eq!(reader.status(reader.path(&manifest(links, kind))).await, wanted, "{kind}");
    }
    node.stop().await;
}

#[tokio::test]
async fn what_did_not_change_is_not_sent_again() {
    let (node, reader) = scene().await;
    for path in ["/opds/v2/catalog", "/opds/v2/libraries/browse", "/opds/v1.2/series"] {
        let tag = reader.get(path).await.headers()["etag"].clone();
        let again = reader.call(Method::GET, path).header("if-none-match", &tag).send().await.unwrap();
        assert_eq!(again.status(), 304, "{path}");
    }
    node.stop().await;
}

#[tokio::test]
async fn odd_names_are_words_in_feeds_and_nothing_else() {
    let node = TestNode::start(&[]).await;
    let info = "<Series>A &amp; \"B\" {query}</Series><Publisher>C, D &amp; E?</Publisher><Tags>x/y #1</Tags>";
    library(&node, &[("A/ü #1%20 {pageNumber}?.cbz", described(1, info)), ("A/2.cbz", described(2, info))]).await;
    let reader = Reader::new(&node);
    let browse = feed(&reader, "/opds/v2/libraries/browse").await;
    assert_eq!(titles(&browse["navigation"]), ["A & \"B\" {query}"]);
    let narrowed = feed(&reader, link(&browse["facets"][0]["links"], "C, D & E?")).await;
    assert_eq!(narrowed["metadata"]["numberOfItems"], 1);
    let series = feed(&reader, browse["navigation"][0]["href"].as_str().unwrap()).await;
    let tagged = feed(&reader, link(&series["facets"][0]["links"], "x/y #1")).await;
    assert_eq!(tagged["metadata"]["numberOfItems"], 2);
    let mut files = Vec::new();
    for book in series["publications"].as_array().unwrap() {
        files.push(bytes(&reader, link(&book["links"], ACQUISITION)).await.1);
    }
    assert!(files.contains(&described(1, info).into()) && files.contains(&described(2, info).into()));
    node.stop().await;
}
