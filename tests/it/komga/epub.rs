//! EPUBs as Komelia reads them: manifest, files, positions, and a place within a chapter.
use reqwest::Method;
use serde_json::{Value, json};

use super::shape::faults;
use super::{Reader, library};
use crate::comics::{comic, pdf, prose};
use crate::harness::TestNode;

async fn book() -> (TestNode, Reader, String) {
    let node = TestNode::start(&[]).await;
    let (_, _, id) = library(&node, &[("Prose/Prose 1.epub", prose())]).await;
    let reader = Reader::new(&node);
    (node, reader, format!("/api/v1/books/{id}"))
}

fn link() -> Value {
    json!({"href": "string", "type": "string", "alternate": [{}], "children": [{}], "properties": {}})
}

fn locator() -> Value {
    json!({"href": "string", "type": "string", "title": "string?", "locations": {"fragments": ["string"], "position": "int?",
        "progression": "number?", "totalProgression": "number?"}})
}

fn progression() -> Value {
    json!({"modified": "string", "device": {"id": "string", "name": "string"}, "locator": locator()})
}

fn told(modified: &str, href: &str, part: f64) -> Value {
    json!({"modified": modified, "device": {"id": "d1", "name": "Phone"}, "locator": {"href": href, "type": "application/xhtml+xml",
        "title": "One", "locations": {"fragment": ["here"], "position": 1, "progression": part, "totalProgression": 0.9}, "text": null}})
}

#[tokio::test]
async fn an_epub_has_a_manifest_whose_files_are_there_and_run_nothing() {
    let (node, reader, path) = book().await;
    let answer = reader.get(&format!("{path}/manifest")).await;
    assert_eq!(answer.headers()["content-type"], "application/webpub+json");
    let manifest: Value = answer.json().await.unwrap();
    let mut metadata = json!({"title": "string", "modified": "instant", "numberOfPages": "int", "description": "string?", "published": "string?",
        "language": "string?", "identifier": "string?", "belongsTo": {"series": [{"name": "string", "position": "number", "links": [{}]}]}, "rendition": {"layout": "string"}});
    for name in [
        "author",
        "translator",
        "editor",
        "artist",
        "illustrator",
        "letterer",
        "penciler",
        "colorist",
        "inker",
        "contributor",
        "publisher",
        "subject",
    ] {
        metadata[name] = json!(["string"]);
    }
    let entry = json!({"title": "string", "href": "string?", "children": [{}]});
    let shape = json!({"context": "string", "metadata": metadata, "links": [link()], "images": [link()], "readingOrder": [link()],
        "resources": [link()], "toc": [entry], "landmarks": [entry], "pageList": [entry]});
    assert_eq!(faults(&shape, &manifest, "manifest"), Vec::<String>::new());
    let toc = manifest["toc"].as_array().unwrap();
    assert_eq!((&toc[0]["title"], toc.len()), (&json!("One"), 2));
    assert!(toc[1]["href"].as_str().unwrap().ends_with("/resource/OEBPS/two.xhtml#end"), "{toc:?}");
    let order = manifest["readingOrder"].as_array().unwrap();
    assert_eq!(order[0]["href"], format!("{}/komga{path}/resource/OEBPS/one%20a.xhtml", node.url));
    for file in order.iter().chain(manifest["resources"].as_array().unwrap()) {
        let href = file["href"].as_str().unwrap();
        let answer = reader.get(href.strip_prefix(&format!("{}/komga", node.url)).unwrap()).await;
        assert_eq!(answer.status(), 200, "{href}");
        if href.contains("/resource/") {
            let policy = answer.headers()["content-security-policy"].to_str().unwrap().to_owned();
            assert!(
                policy.contains("script-src 'none'") && policy.contains("sandbox") && !policy.contains("allow-scripts"),
                "{policy}"
            );
            let wanted =
                if href.ends_with(".js") { "application/octet-stream" } else { file["type"].as_str().unwrap() };
            assert_eq!(answer.headers()["content-type"], wanted, "{href}");
        }
    }
    for wrong in ["nothing.xhtml", "../../../etc/passwd", "META-INF/container.xml", "mimetype"] {
        assert_eq!(reader.status(&format!("{path}/resource/{wrong}")).await, 404, "{wrong}");
    }
    assert_eq!(reader.status(&format!("{path}/manifest/epub")).await, 200);
    assert_eq!(reader.status(&format!("{path}/manifest/pdf")).await, 400);
    node.stop().await;
}

#[tokio::test]
async fn a_part_of_a_file_of_an_epub_is_sent_alone() {
    let (node, reader, path) = book().await;
    let file = format!("{path}/resource/OEBPS/two.xhtml");
    let whole = reader.get(&file).await;
    assert_eq!(whole.headers()["accept-ranges"], "bytes");
    let (tag, whole) = (whole.headers()["etag"].clone(), whole.bytes().await.unwrap());
    let ask = async |range: &str, same: &[u8]| {
        let call = reader.call(Method::GET, &file).header("range", range).header("if-range", same);
        let answer = call.send().await.unwrap();
        let told = answer.headers().get("content-range").map(|told| told.to_str().unwrap().to_owned());
        assert!(answer.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
        (answer.status().as_u16(), told, answer.bytes().await.unwrap())
    };
    let size = whole.len();
    let (status, told, part) = ask("bytes=100-199", tag.as_bytes()).await;
    assert_eq!((status, told), (206, Some(format!("bytes 100-199/{size}"))));
    assert!(part == whole[100..200]);
    let (status, _, part) = ask("bytes=-7", tag.as_bytes()).await;
    assert!(status == 206 && part == whole[size - 7..]);
    let (status, told, _) = ask(&format!("bytes={size}-"), tag.as_bytes()).await;
    assert_eq!((status, told), (416, Some(format!("bytes */{size}"))));
    let (status, _, all) = ask("bytes=100-199", b"\"another\"").await;
    assert!(status == 200 && all == whole, "what a program has is of another book");
    node.stop().await;
}

#[tokio::test]
async fn a_place_within_a_chapter_is_kept_until_somebody_reads_on_elsewhere() {
    let (node, reader, path) = book().await;
    let at = format!("{path}/progression");
    assert_eq!(reader.status(&at).await, 204, "nothing was read");
    let positions = reader.json(&format!("{path}/positions")).await;
    assert_eq!(
        faults(&json!({"total": "int", "positions": [locator()]}), &positions, "positions"),
        Vec::<String>::new()
    );
    assert!(positions["total"].as_u64().unwrap() > 4, "{positions}");
    let set = async |body: Value| reader.send(Method::PUT, &at, &body).await.0;
    assert_eq!(
        set(told("2026-01-01T10:00:00Z", &format!("{}/komga{path}/resource/OEBPS/one%20a.xhtml#x", node.url), 0.5))
            .await,
        204
    );
    let now = reader.json(&at).await;
    assert_eq!(faults(&progression(), &now, "progression"), Vec::<String>::new());
    assert_eq!((&now["modified"], &now["device"]["name"]), (&json!("2026-01-01T10:00:00.000Z"), &json!("Phone")));
    let locations = &now["locator"]["locations"];
    assert_eq!((&locations["progression"], &locations["fragments"]), (&json!(0.5), &json!(["here"])));
    assert!(locations["totalProgression"].as_f64().unwrap() < 0.5, "it is computed here: {now}");
    let page = reader.json(&path).await["readProgress"].clone();
    assert_eq!((&page["page"], &page["completed"]), (&json!(1), &json!(false)));
    assert_eq!(set(told("2025-12-31T10:00:00Z", "OEBPS/two.xhtml", 0.1)).await, 409, "older than what is known");
    assert_eq!(set(told("2026-01-01T10:00:01Z", "OEBPS/two.xhtml", 1.0)).await, 204, "later by the device's own clock");
    assert_eq!(reader.json(&path).await["readProgress"]["completed"], true);
    for wrong in [
        told("yesterday", "OEBPS/two.xhtml", 0.1),
        told("2026-02-01T10:00:00Z", "OEBPS/three.xhtml", 0.1),
        told("2026-02-01T10:00:00Z", "OEBPS/two.xhtml", 1.5),
        json!({"modified": "2026-02-01T10:00:00Z"}),
        json!({}),
        json!([]),
    ] {
        assert_eq!(set(wrong.clone()).await, 400, "{wrong}");
    }
    // Somebody reads on who tells of no places within chapters.
    let ada = node.signed_in("ada").await;
    let id = path.rsplit('/').next().unwrap();
    let moved = ada
        .request(Method::PUT, &format!("/api/v1/items/{id}/progress"))
        .json(&json!({"position": 1.0, "completed": false}));
    assert!(moved.send().await.unwrap().status().is_success());
    let now = reader.json(&at).await;
    assert_eq!(
        (&now["locator"]["href"], &now["locator"]["locations"]["progression"]),
        (&json!("OEBPS/one a.xhtml"), &json!(0.0))
    );
    assert_eq!(now["device"]["name"], "Potluck");
    assert_eq!(set(told("2026-01-01T10:00:02Z", "OEBPS/two.xhtml", 0.5)).await, 409, "the page read later");
    node.stop().await;
}

#[tokio::test]
async fn the_page_and_komelia_know_of_each_other_where_in_a_chapter_somebody_is() {
    let (node, reader, path) = book().await;
    let ada = node.signed_in("ada").await;
    let item = format!("/api/v1/items/{}", path.rsplit('/').next().unwrap());
    let place = async || ada.get(&format!("{item}/place")).send().await.unwrap();
    assert_eq!(place().await.status(), 204, "nothing was read");
    let turn = async |body: Value| {
        ada.request(Method::PUT, &format!("{item}/progress")).json(&body).send().await.unwrap().status()
    };
    assert_eq!(turn(json!({"position": 2.0, "completed": false, "part": 0.25})).await, 204);
    assert_eq!(place().await.json::<Value>().await.unwrap(), json!({"part": 0.25}));
    let now = reader.json(&format!("{path}/progression")).await;
    assert_eq!(faults(&progression(), &now, "progression"), Vec::<String>::new());
    assert_eq!(
        (&now["locator"]["href"], &now["locator"]["locations"]["progression"]),
        (&json!("OEBPS/two.xhtml"), &json!(0.25))
    );
    let later = "2126-01-01T10:00:00Z";
    let set = reader.send(Method::PUT, &format!("{path}/progression"), &told(later, "OEBPS/two.xhtml", 0.75)).await;
    assert_eq!(set.0, 204);
    assert_eq!(place().await.json::<Value>().await.unwrap(), json!({"part": 0.75}));
    for wrong in [
        json!({"position": 2.0, "completed": false, "part": 1.5}),
        json!({"position": 9.0, "completed": false, "part": 0.5}),
    ] {
        assert_eq!(turn(wrong.clone()).await, 400, "{wrong}");
    }
    assert_eq!(turn(json!({"position": 1.0, "completed": false})).await, 204);
    assert_eq!(place().await.status(), 204, "it is of another chapter");
    node.stop().await;
}

#[tokio::test]
async fn comics_and_pdfs_have_pages_for_places() {
    let node = TestNode::start(&[]).await;
    let (_, _, id) = library(&node, &[("A/A 1.cbz", comic(1)), ("B/B 1.pdf", pdf(2))]).await;
    let reader = Reader::new(&node);
    let path = format!("/api/v1/books/{id}");
    let answer = reader.get(&format!("{path}/manifest")).await;
    assert_eq!(answer.headers()["content-type"], "application/divina+json");
    let manifest: Value = answer.json().await.unwrap();
    let first = manifest["readingOrder"][0].clone();
    assert_eq!(
        faults(&json!({"href": "string", "type": "string", "width": "int", "height": "int"}), &first, "page"),
        Vec::<String>::new()
    );
    let href = first["href"].as_str().unwrap().strip_prefix(&format!("{}/komga", node.url)).unwrap().to_owned();
    assert_eq!(reader.get(&href).await.headers()["content-type"], "image/jpeg");
    assert_eq!(reader.status(&format!("{path}/positions")).await, 400);
    assert_eq!(reader.status(&format!("{path}/manifest/epub")).await, 400);
    let at = format!("{path}/progression");
    let told = |page: u32| {
        json!({"modified": "2026-01-01T10:00:00Z", "device": {"id": "d", "name": "n"},
        "locator": {"href": "", "type": "image/jpeg", "locations": {"position": page}}})
    };
    for (page, status) in [(0, 400), (4, 400), (3, 204)] {
        assert_eq!(reader.send(Method::PUT, &at, &told(page)).await.0, status, "{page}");
    }
    assert_eq!(reader.json(&path).await["readProgress"]["completed"], true);
    let page = reader.json("/api/v1/series?search=B").await["content"][0]["id"].as_str().unwrap().to_owned();
    let pdf =
        reader.json(&format!("/api/v1/series/{page}/books")).await["content"][0]["id"].as_str().unwrap().to_owned();
    let manifest = reader.json(&format!("/api/v1/books/{pdf}/manifest")).await;
    assert_eq!(manifest["readingOrder"].as_array().unwrap().len(), 2);
    let read = reader.send(Method::PATCH, &format!("/api/v1/books/{pdf}/read-progress"), &json!({"page": 1})).await;
    assert_eq!(read.0, 204);
    let now = reader.json(&format!("/api/v1/books/{pdf}/progression")).await;
    assert_eq!(faults(&progression(), &now, "progression"), Vec::<String>::new());
    assert_eq!(now["locator"]["locations"]["position"], 1);
    node.stop().await;
}
