//! Covers that people put up.
use image::ImageFormat;
use reqwest::{Method, Response};
use serde_json::{Value, json};

use super::komelia::Ear;
use super::shape::faults;
use super::{Reader, book_ids, scene, series_id};
use crate::comics::{page, picture};

async fn put_up(reader: &Reader, path: &str, bytes: &[u8], more: &str) -> Response {
    let mut body = b"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"c.png\"\r\n\r\n".to_vec();
    body.extend_from_slice(bytes);
    body.extend_from_slice(format!("\r\n{more}--b--\r\n").as_bytes());
    let call = reader.call(Method::POST, &format!("{path}/thumbnails"));
    call.header("content-type", "multipart/form-data; boundary=b").body(body).send().await.unwrap()
}

fn cover(field: &str) -> Value {
    let mut shape = json!({"id": "string", "type": "string", "selected": "bool", "mediaType": "string", "fileSize": "int",
        "width": "int", "height": "int"});
    shape[field] = "string".into();
    shape
}

async fn small(reader: &Reader, path: &str) -> Vec<u8> {
    let answer = reader.get(&format!("{path}/thumbnail")).await;
    assert_eq!((answer.status().as_u16(), answer.headers()["content-type"].to_str().unwrap()), (200, "image/jpeg"));
    answer.bytes().await.unwrap().to_vec()
}

#[tokio::test]
async fn a_cover_that_is_put_up_is_shown_until_another_is_selected_or_it_is_removed() {
    let (node, reader) = scene().await;
    let mut ear = Ear::of(&reader).await;
    let series = series_id(&reader, "Saga").await;
    let book = book_ids(&reader, &series).await.remove(0);
    let png = picture(9, 2000, 3000, ImageFormat::Png);
    for (path, field, event) in [
        (format!("/api/v1/series/{series}"), "seriesId", "ThumbnailSeries"),
        (format!("/api/v1/books/{book}"), "bookId", "ThumbnailBook"),
    ] {
        let before = small(&reader, &path).await;
        let all = reader.json(&format!("{path}/thumbnails")).await;
        assert_eq!(faults(&json!([cover(field)]), &all, &path), Vec::<String>::new());
        let own = all[0]["id"].as_str().unwrap().to_owned();
        assert_eq!((all.as_array().unwrap().len(), &all[0]["selected"]), (1, &json!(true)));
        let answer = put_up(&reader, &path, &png, "").await;
        assert_eq!(answer.status(), 200);
        let made: Value = answer.json().await.unwrap();
        assert_eq!(faults(&cover(field), &made, &path), Vec::<String>::new());
        assert_eq!(
            (&made["type"], &made["selected"], &made["height"]),
            (&json!("USER_UPLOADED"), &json!(true), &json!(1600))
        );
        assert_eq!(ear.hear(&format!("{event}Added")).await["selected"], true);
        assert_ne!(small(&reader, &path).await, before);
        let id = made["id"].as_str().unwrap();
        let one = reader.get(&format!("{path}/thumbnails/{id}")).await;
        assert_eq!(one.bytes().await.unwrap().to_vec(), small(&reader, &path).await);
        let list = if field == "bookId" { "books" } else { "series" };
        let asked =
            json!({"condition": {"poster": {"operator": "is", "value": {"type": "USER_UPLOADED", "selected": true}}}});
        let found = reader.send(Method::POST, &format!("/api/v1/{list}/list"), &asked).await.1;
        assert_eq!(found["totalElements"], 1, "{found}");
        let chosen = reader.call(Method::PUT, &format!("{path}/thumbnails/{own}/selected")).send().await.unwrap();
        assert_eq!(chosen.status(), 202);
        assert_eq!(small(&reader, &path).await, before);
        assert_eq!(
            reader.call(Method::DELETE, &format!("{path}/thumbnails/{own}")).send().await.unwrap().status(),
            400
        );
        assert_eq!(reader.call(Method::DELETE, &format!("{path}/thumbnails/{id}")).send().await.unwrap().status(), 202);
        assert_eq!(ear.hear(&format!("{event}Deleted")).await["selected"], false);
        assert_eq!(reader.json(&format!("{path}/thumbnails")).await.as_array().unwrap().len(), 1);
    }
    let left = std::fs::read_dir(node.data().join("covers")).unwrap().count();
    assert_eq!(left, 0, "pictures go with their covers");
    node.stop().await;
}

#[tokio::test]
async fn lists_have_covers_and_keep_them_through_a_restart() {
    let (node, reader) = scene().await;
    let series = series_id(&reader, "Saga").await;
    let (_, list) = reader
        .send(Method::POST, "/api/v1/collections", &json!({"name": "Mine", "ordered": false, "seriesIds": [series]}))
        .await;
    let path = format!("/api/v1/collections/{}", list["id"].as_str().unwrap());
    let before = small(&reader, &path).await;
    assert_eq!(reader.json(&format!("{path}/thumbnails")).await, json!([]));
    let part = "--b\r\nContent-Disposition: form-data; name=\"selected\"\r\n\r\nfalse\r\n";
    let answer = put_up(&reader, &path, &picture(9, 200, 300, ImageFormat::WebP), part).await;
    assert_eq!(answer.status(), 200, "{}", answer.text().await.unwrap());
    let shown = small(&reader, &path).await;
    assert_ne!(shown, before, "the first is shown, as there is no other");
    std::fs::write(node.data().join("covers/left-behind.jpg"), b"x").unwrap();
    let node = node.restart().await;
    let reader = Reader::new(&node);
    assert_eq!(small(&reader, &path).await, shown);
    assert_eq!(std::fs::read_dir(node.data().join("covers")).unwrap().count(), 1, "what nothing has is swept");
    let all = reader.json(&format!("{path}/thumbnails")).await;
    assert_eq!(faults(&json!([cover("collectionId")]), &all, &path), Vec::<String>::new());
    node.stop().await;
}

#[tokio::test]
async fn what_is_no_picture_or_too_much_is_refused() {
    let (node, reader) = scene().await;
    node.account("bob", None).await;
    let path = format!("/api/v1/series/{}", series_id(&reader, "Saga").await);
    let png = picture(9, 20, 30, ImageFormat::Png);
    let large = vec![0xff; 8 * 1024 * 1024 + 1];
    let cases: [&[u8]; 4] = [b"hello", b"", &png[..png.len() / 2], &large];
    for bytes in cases {
        let status = put_up(&reader, &path, bytes, "").await.status().as_u16();
        assert!([400, 413].contains(&status), "{status} for {} bytes", bytes.len());
    }
    assert_eq!(reader.send(Method::POST, &format!("{path}/thumbnails"), &json!({})).await.0, 400);
    assert_eq!(put_up(&Reader::named(&node, "bob"), &path, &png, "").await.status(), 403, "only admins put covers up");
    for _ in 0..20 {
        assert_eq!(put_up(&reader, &path, &png, "").await.status(), 200);
    }
    assert_eq!(put_up(&reader, &path, &png, "").await.status(), 400);
    assert_eq!(reader.json(&format!("{path}/thumbnails")).await.as_array().unwrap().len(), 21, "none made room");
    node.stop().await;
}

#[tokio::test]
async fn a_list_of_four_shows_them_as_one_picture_and_a_shorter_one_its_first() {
    let (node, reader) = scene().await;
    let mut books = book_ids(&reader, &series_id(&reader, "Saga").await).await;
    books.extend(book_ids(&reader, &series_id(&reader, "Étoile").await).await);
    let list = async |books: &[String]| {
        let body = json!({"name": format!("First {}", books.len()), "summary": "", "ordered": true, "bookIds": books});
        let (status, made) = reader.send(Method::POST, "/api/v1/readlists", &body).await;
        assert_eq!(status, 200, "{made}");
        format!("/api/v1/readlists/{}/thumbnail", made["id"].as_str().unwrap())
    };
    let (three, five) = (list(&books[..3]).await, list(&books).await);
    let drawn =
        async |path: &str| image::load_from_memory(&reader.get(path).await.bytes().await.unwrap()).unwrap().to_rgb8();
    let one = drawn(&three).await;
    assert_eq!((one.width(), one.height()), (60, 90), "the cover of the first");
    let whole = drawn(&five).await;
    assert_eq!((whole.width(), whole.height()), (212, 300));
    for (seed, (x, y)) in (1..).zip([(50, 70), (150, 70), (50, 220), (150, 220)]) {
        let wanted = image::load_from_memory(&page(seed)).unwrap().to_rgb8().get_pixel(9, 9).0;
        let there = whole.get_pixel(x, y).0;
        assert!(there.iter().zip(wanted).all(|(a, b)| a.abs_diff(b) < 12), "{seed}: {there:?} {wanted:?}");
    }
    let answer = reader.get(&five).await;
    let tag = answer.headers()["etag"].clone();
    assert_eq!(answer.headers()["cache-control"], "max-age=3600, private");
    let again = reader.call(Method::GET, &five).header("if-none-match", tag).send().await.unwrap();
    assert_eq!(again.status(), 304);
    node.stop().await;
}
