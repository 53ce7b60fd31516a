//! The rules of HTTP that caches and players hold the gateway to.
use super::*;

#[tokio::test]
async fn a_type_is_found_by_the_name_and_then_by_the_bytes() {
    let gateway = Gateway::fetching();
    for (content, name, kind) in [
        (&b"{\"soup\": 1}"[..], "", "application/json"),
        (b"just text", "", "text/plain; charset=utf-8"),
        (b"\x89PNG\r\n\x1a\n", "", "image/png"),
        (b"<svg xmlns='x'></svg>", "", "image/svg+xml"),
        (b"\0\x01\x02", "", "application/octet-stream"),
        (b"just text", "a.html", "text/html; charset=utf-8"),
        (b"just text", "film.mkv", "video/x-matroska"),
    ] {
        let cid = gateway.others.raw(content);
        let query = if name.is_empty() { String::new() } else { format!("?filename={name}") };
        for method in [Method::GET, Method::HEAD] {
            let answer = gateway.ask(request(method, &format!("/ipfs/{cid}{query}"), &[])).await;
            assert_eq!(answer.header("content-type"), kind, "{name} {}", String::from_utf8_lossy(content));
        }
    }
}

#[tokio::test]
async fn any_form_of_a_block_is_answered_in_parts_and_known_by_its_own_tag() {
    let gateway = Gateway::fetching();
    let cid = gateway.others.raw(b"{\"soup\": 1}");
    let mut tags = HashSet::new();
    for query in ["", "?format=raw", "?format=json", "?format=dag-json"] {
        let uri = format!("/ipfs/{cid}{query}");
        let whole = gateway.get(&uri, &[]).await;
        let part = gateway.get(&uri, &[("range", "bytes=1-3")]).await;
        assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &whole.body[1..4]), "{query}");
        assert_eq!(part.header("content-range"), format!("bytes 1-3/{}", whole.body.len()));
        let past = gateway.get(&uri, &[("range", "bytes=999-")]).await;
        assert_eq!(past.status, StatusCode::RANGE_NOT_SATISFIABLE, "{query}");
        let known = gateway.get(&uri, &[("if-none-match", &format!("\"x\", W/{}", whole.header("etag")))]).await;
        assert_eq!(known.status, StatusCode::NOT_MODIFIED, "{query}");
        tags.insert(whole.header("etag").to_owned());
    }
    assert_eq!(tags.len(), 3, "JSON of a file is the file");
}

#[tokio::test]
async fn a_form_that_was_negotiated_has_an_address_of_its_own() {
    let gateway = Gateway::fetching();
    let cid = gateway.others.raw(b"soup");
    for (query, accept, location) in [
        ("", "application/vnd.ipld.raw", "?format=raw"),
        ("?filename=x&format=car", "application/vnd.ipld.raw", "?filename=x&format=car"),
        ("?download=true", "application/vnd.ipld.car;dups=y", "?download=true&format=car"),
        ("?format=raw", "application/vnd.ipld.raw", ""),
        ("", "text/html", ""),
    ] {
        let answer = gateway.get(&format!("/ipfs/{cid}{query}"), &[("accept", accept)]).await;
        let expected = if location.is_empty() { String::new() } else { format!("/ipfs/{cid}{location}") };
        assert_eq!((answer.status, answer.header("content-location")), (StatusCode::OK, expected.as_str()), "{accept}");
    }
}

#[tokio::test]
async fn a_service_worker_is_refused_where_it_would_be_one_of_the_node() {
    let mut gateway = Gateway::fetching();
    let cid = gateway.others.raw(b"self.x = 1");
    let script = [("service-worker", "script")];
    assert_eq!(gateway.get(&format!("/ipfs/{cid}"), &script).await.status, StatusCode::BAD_REQUEST);
    gateway.own_origin = true;
    assert_eq!(gateway.get(&format!("/ipfs/{cid}"), &script).await.status, StatusCode::OK);
}

#[tokio::test]
async fn a_download_is_saved_under_its_name_and_names_of_any_script_are_kept() {
    let gateway = Gateway::fetching();
    let cid = gateway.others.raw(b"soup");
    let named = gateway.get(&format!("/ipfs/{cid}?download=true&filename=test%D1%82%D0%B5.pdf"), &[]).await;
    let disposition = named.header("content-disposition");
    assert_eq!(disposition, "attachment; filename=\"test__.pdf\"; filename*=UTF-8''test%D1%82%D0%B5.pdf");
    let car = gateway.get(&format!("/ipfs/{cid}?format=car&filename=soup.car"), &[]).await;
    assert!(car.header("content-disposition").starts_with("attachment; filename=\"soup.car\""));
    assert_eq!(car.header("x-content-type-options"), "nosniff");
}
