//! Covers that people uploaded to Komga.
use image::ImageFormat;
use reqwest::Method;
use serde_json::{Value, json};

use super::komga::Version;
use super::{ETOILE, Reader, SAGA, SECRET, Scene, book};
use crate::comics::picture;

const UPLOADED: &str = "USER_UPLOADED";

fn cover(seed: u8) -> Vec<u8> {
    picture(seed, 400, 600, ImageFormat::Png)
}

/// The colour that a picture here has in its middle.
async fn colour(reader: &Reader, path: &str) -> [u8; 3] {
    let request = reader.client.get(format!("{}{path}", reader.url)).basic_auth("eve@example.org", Some(SECRET));
    let answer = request.send().await.unwrap();
    assert_eq!(answer.status(), 200, "{path}");
    let drawn = image::load_from_memory(&answer.bytes().await.unwrap()).unwrap().to_rgb8();
    drawn.get_pixel(drawn.width() / 2, drawn.height() / 2).0
}

/// Whether it is that of a cover, but for what JPEG does to it.
fn is(colour: [u8; 3], seed: u8) -> bool {
    let wanted = image::load_from_memory(&cover(seed)).unwrap().to_rgb8().get_pixel(0, 0).0;
    colour.iter().zip(wanted).all(|(one, other)| one.abs_diff(other) < 6)
}

/// Ids of the covers that somebody put up, and whether they are shown.
async fn put_up(reader: &Reader, path: &str) -> Vec<(String, bool)> {
    let all = reader.get(&format!("{path}/thumbnails")).await;
    let put_up = all.as_array().unwrap().iter().filter(|cover| cover["type"] == UPLOADED);
    let told = |cover: &Value| (cover["id"].as_str().unwrap().to_owned(), cover["selected"] == true);
    put_up.map(told).collect()
}

/// A collection, a read list, and covers of all kinds, among them what is not to be taken.
async fn scene() -> Scene {
    let scene = Scene::new(Version::Late).await;
    scene.komga.sql(&format!(
        "INSERT INTO COLLECTION VALUES ('0COLL', 'Best', 1, '2021-01-01 00:00:00', '2021-01-02 00:00:00');
         INSERT INTO COLLECTION_SERIES VALUES ('0COLL', '{SAGA}', 0), ('0COLL', '{ETOILE}', 1);
         INSERT INTO READLIST VALUES ('0LIST', 'Order', '', 1, '2021-01-01 00:00:00', '2021-01-02 00:00:00');
         INSERT INTO READLIST_BOOK VALUES ('0LIST', '{}', 0);",
        book(4)
    ));
    let one = book(1);
    for (of, thing, id, kind, shown, bytes) in [
        ("SERIES", SAGA, "0COVER1", UPLOADED, true, cover(1)),
        ("SERIES", SAGA, "0COVER2", UPLOADED, false, cover(2)),
        ("BOOK", &one, "0COVER3", UPLOADED, true, cover(3)),
        ("BOOK", &book(2), "0MADE", "GENERATED", true, cover(4)),
        ("COLLECTION", "0COLL", "0COVER5", UPLOADED, true, cover(5)),
        ("READLIST", "0LIST", "0COVER6", UPLOADED, true, cover(6)),
        ("BOOK", "0GONE", "0COVER7", UPLOADED, true, cover(7)),
        ("SERIES", ETOILE, "0COVER8", UPLOADED, true, b"<svg onload='x'/>".to_vec()),
        ("SERIES", ETOILE, "../../0COVER9", UPLOADED, true, cover(9)),
    ] {
        scene.komga.cover(of, thing, id, kind, shown, &bytes);
    }
    scene
}

#[tokio::test]
async fn uploaded_covers_come_with_their_ids_and_are_shown_as_they_were() {
    let scene = scene().await;
    let report = scene.import(&[]).await;
    assert_eq!(report["covers"], json!({"taken": 5, "known": 0, "refused": 1, "not_here": 1}), "{report}");
    assert!(report["not_carried"].as_array().unwrap().is_empty(), "{report}");
    let why = report["conflicts"]["first"][0].as_str().unwrap();
    assert!(why.starts_with(&format!("cover of series {ETOILE}: ")) && why.contains("must be a picture"), "{why}");
    let reader = scene.reader();
    let saga = format!("/api/v1/series/{SAGA}");
    assert_eq!(put_up(&reader, &saga).await, [("0COVER1".to_owned(), true), ("0COVER2".to_owned(), false)]);
    let one = format!("/api/v1/books/{}", book(1));
    for (path, id, seed) in [
        (&*saga, "0COVER1", 1),
        (&one, "0COVER3", 3),
        ("/api/v1/collections/0COLL", "0COVER5", 5),
        ("/api/v1/readlists/0LIST", "0COVER6", 6),
    ] {
        assert!(is(colour(&reader, &format!("{path}/thumbnail")).await, seed), "{path}");
        assert!(is(colour(&reader, &format!("{path}/thumbnails/{id}")).await, seed), "{path}");
    }
    assert!(is(colour(&reader, &format!("{saga}/thumbnails/0COVER2")).await, 2));
    assert!(put_up(&reader, &format!("/api/v1/books/{}", book(2))).await.is_empty(), "Komga made that one");
    let covers = scene.node.data().join("covers");
    assert_eq!(std::fs::read_dir(covers).unwrap().count(), 5, "and nothing beside them");
    scene.node.stop().await;
}

#[tokio::test]
async fn a_cover_comes_once_and_what_people_chose_here_stays() {
    let scene = scene().await;
    scene.import(&[]).await;
    let reader = scene.reader();
    let saga = format!("/api/v1/series/{SAGA}");
    assert_eq!(reader.send(Method::DELETE, &format!("{saga}/thumbnails/0COVER1"), json!({})).await, 202);
    let again = scene.import(&[]).await["covers"].clone();
    assert_eq!(again, json!({"taken": 0, "known": 5, "refused": 1, "not_here": 1}));
    assert_eq!(put_up(&reader, &saga).await, [("0COVER2".to_owned(), false)], "it was removed here");
    // A later one is shown where nothing is that somebody put up.
    let one = format!("/api/v1/books/{}", book(1));
    scene.komga.cover("SERIES", SAGA, "0LATER1", UPLOADED, true, &cover(11));
    scene.komga.cover("BOOK", &book(1), "0LATER2", UPLOADED, true, &cover(12));
    let plan = scene.import(&["--dry-run"]).await["covers"].clone();
    assert_eq!((&plan["taken"], put_up(&reader, &saga).await.len()), (&json!(3), 1), "two, and what is no picture");
    assert_eq!(scene.import(&[]).await["covers"]["taken"], 2);
    assert_eq!(put_up(&reader, &saga).await, [("0COVER2".to_owned(), false), ("0LATER1".to_owned(), true)]);
    assert_eq!(put_up(&reader, &one).await, [("0COVER3".to_owned(), true), ("0LATER2".to_owned(), false)]);
    assert!(is(colour(&reader, &format!("{one}/thumbnail")).await, 3));
    scene.node.stop().await;
}
