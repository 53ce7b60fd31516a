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
        assert_eq!(gateway.get(&uri, &[("if-none-match", "*")]).await.status, StatusCode::NOT_MODIFIED, "{query}");
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

#[tokio::test]
async fn head_says_of_every_form_what_get_would() {
    let gateway = Gateway::fetching();
    let data = b"\xa1aa\x01".to_vec();
    let data = gateway.others.put(cid::of_digest(potluck::content::ipld::DAG_CBOR, &cid::sha256(&data)), data);
    let page = gateway.others.raw(b"<!DOCTYPE html>");
    let site = gateway.others.folder(&[("index.html", page)]);
    let link = potluck::content::unixfs::node::encode_symlink("foo");
    let link = gateway.others.put(cid::of_node(&link), link);
    let root = gateway.others.folder(&[("data", data), ("link", link), ("site", site), ("text", page)]);
    for (path, accept) in [
        ("/", ""),
        ("", ""),
        ("/site/", ""),
        ("/site", ""),
        ("/link", ""),
        ("/text", ""),
        ("/text?format=raw", ""),
        ("/data", ""),
        ("/data", "text/html"),
        ("/data?format=dag-json", ""),
        ("/data?format=cbor", ""),
        ("?format=dag-cbor", ""),
        ("?format=car", ""),
        ("/nothing", ""),
    ] {
        let (uri, headers) = (format!("/ipfs/{root}{path}"), [("accept", accept)]);
        let (head, get) = (gateway.head(&uri, &headers).await, gateway.get(&uri, &headers).await);
        assert_eq!((head.status, &head.headers), (get.status, &get.headers), "{path} {accept}");
        assert!(head.body.is_empty() || !get.status.is_success(), "{path} {accept}");
    }
}

#[tokio::test]
async fn a_range_is_given_also_where_other_parts_of_the_file_are_nowhere() {
    let gateway = Gateway::fetching();
    // The type is found by the first 512 bytes.
    let parts = ["one ", "two ", "three"].map(|word| word.repeat(600)[..1024].to_owned());
    let root = gateway.others.file(parts.concat().as_bytes(), Profile { leaf_size: 1024, links_max: 10 });
    gateway.others.0.lock().blocks.remove(&cid::of_raw(parts[1].as_bytes()));
    for (range, part) in [("bytes=997-1000", &parts[0][997..1001]), ("bytes=2200-2201", &parts[2][152..154])] {
        let answer = gateway.get(&format!("/ipfs/{root}"), &[("range", range)]).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::PARTIAL_CONTENT, part), "{range}");
        assert_eq!(answer.header("content-range"), format!("bytes {}/3072", &range[6..]));
        assert_eq!(answer.header("content-type"), "text/plain; charset=utf-8");
    }
    let missing = gateway.get(&format!("/ipfs/{root}"), &[("range", "bytes=1500-1501")]).await;
    assert_eq!(missing.status, StatusCode::NOT_FOUND);
}
