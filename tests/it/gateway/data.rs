//! DAG-CBOR, DAG-JSON, CBOR and JSON: as they are, in another form, and paths through them.
use super::*;
use ipld_core::ipld;
use ipld_core::ipld::Ipld;
use potluck::content::ipld::{CBOR, DAG_CBOR, DAG_JSON, JSON};

fn put(gateway: &Gateway, codec: u64, bytes: Vec<u8>) -> Cid {
    gateway.others.put(cid::of_digest(codec, &cid::sha256(&bytes)), bytes)
}

fn cbor(gateway: &Gateway, data: &Ipld) -> Cid {
    put(gateway, DAG_CBOR, serde_ipld_dagcbor::to_vec(data).unwrap())
}

#[tokio::test]
async fn data_is_given_as_it_is_with_the_type_of_its_codec() {
    let gateway = Gateway::fetching();
    for (codec, bytes, kind, disposition) in [
        (DAG_JSON, &br#"{"a":1}"#[..], "application/vnd.ipld.dag-json", "inline"),
        (JSON, br#"{ "a" : 1 }"#, "application/json", "inline"),
        (DAG_CBOR, b"\xa1aa\x01", "application/vnd.ipld.dag-cbor", "attachment"),
        (CBOR, b"\xa1aa\x01", "application/cbor", "attachment"),
    ] {
        let cid = put(&gateway, codec, bytes.to_vec());
        let answer = gateway.get(&format!("/ipfs/{cid}"), &[]).await;
        assert_eq!((answer.status, &answer.body[..], answer.header("content-type")), (StatusCode::OK, bytes, kind));
        let end = if disposition == "inline" { "json" } else { "cbor" };
        assert!(answer.header("content-disposition").starts_with(&format!("{disposition}; filename=\"{cid}.{end}\"")));
        assert_eq!(answer.header("content-security-policy"), "sandbox");
    }
}

#[tokio::test]
async fn data_is_given_in_the_form_that_is_asked_for() {
    let gateway = Gateway::fetching();
    let soup = gateway.others.raw(b"soup");
    let cbor = cbor(&gateway, &ipld!({ "dish": Ipld::Link(soup), "n": 1 }));
    let json = format!("{{\"dish\":{{\"/\":\"{soup}\"}},\"n\":1}}");
    for (query, accept) in [("?format=dag-json", ""), ("?format=json", ""), ("", "application/vnd.ipld.dag-json")] {
        let answer = gateway.get(&format!("/ipfs/{cbor}{query}"), &[("accept", accept)]).await;
        assert_eq!((answer.status, answer.text()), (StatusCode::OK, json.as_str()), "{query} {accept}");
    }
    let plain = put(&gateway, JSON, json.clone().into_bytes());
    let back = gateway.get(&format!("/ipfs/{plain}?format=dag-cbor"), &[]).await;
    assert_eq!(back.header("content-type"), "application/vnd.ipld.dag-cbor");
    let native = gateway.get(&format!("/ipfs/{cbor}?format=dag-cbor"), &[]).await;
    assert_eq!(back.body, native.body);
    let folder = gateway.others.folder(&[("a", soup)]);
    let node = gateway.get(&format!("/ipfs/{folder}?format=dag-json"), &[]).await;
    assert!(node.text().contains("\"Links\":[{\"Hash\":{\"/\":"), "{}", node.text());
    let odd = put(&gateway, 0x300, b"x".to_vec());
    let refused = gateway.get(&format!("/ipfs/{odd}?format=dag-json"), &[]).await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE);
    // A map of CBOR that would be a link in DAG-JSON.
    let slash = self::cbor(&gateway, &ipld!({ "a": { "/": soup.to_string() } }));
    let refused = gateway.get(&format!("/ipfs/{slash}?format=dag-json"), &[]).await;
    assert_eq!(refused.status, StatusCode::NOT_ACCEPTABLE, "{}", refused.text());
    assert_eq!(gateway.get(&format!("/ipfs/{slash}?format=dag-cbor"), &[]).await.status, StatusCode::OK);
    let broken = put(&gateway, DAG_JSON, b"{".to_vec());
    assert_eq!(gateway.get(&format!("/ipfs/{broken}?format=dag-json"), &[]).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(gateway.get(&format!("/ipfs/{broken}?format=raw"), &[]).await.text(), "{");
}

#[tokio::test]
async fn json_of_a_file_is_the_file() {
    let gateway = Gateway::fetching();
    let text = gateway.others.raw(b"just text");
    for format in ["json", "cbor"] {
        let answer = gateway.get(&format!("/ipfs/{text}?format={format}"), &[]).await;
        assert_eq!((answer.text(), answer.header("content-type")), ("just text", "text/plain; charset=utf-8"));
    }
}

#[tokio::test]
async fn a_path_follows_links_and_ends_at_one() {
    let gateway = Gateway::fetching();
    let end = cbor(&gateway, &ipld!({ "hello": "this is no link" }));
    let middle = put(&gateway, DAG_JSON, format!("{{\"bar\":{{\"/\":\"{end}\"}}}}").into_bytes());
    let start = cbor(&gateway, &ipld!({ "foo": { "link": Ipld::Link(middle) } }));
    let answer = gateway.get(&format!("/ipfs/{start}/foo/link/bar?format=dag-json"), &[]).await;
    assert_eq!(answer.text(), "{\"hello\":\"this is no link\"}");
    assert_eq!(answer.header("x-ipfs-roots"), format!("{start},{middle},{end}"));
    let within = gateway.get(&format!("/ipfs/{start}/foo"), &[]).await;
    assert_eq!(within.status, StatusCode::NOT_IMPLEMENTED);
    assert!(within.text().contains("reading IPLD Kinds other than Links (CBOR Tag 42) is not implemented"));
    let nowhere = gateway.get(&format!("/ipfs/{start}/foo/nothing"), &[]).await;
    assert_eq!(nowhere.status, StatusCode::NOT_FOUND);
    let car = gateway.get(&format!("/ipfs/{start}/foo/link/bar?format=car"), &[]).await;
    let cids: Vec<Cid> = car::read(&car.body).unwrap().blocks.iter().map(|(cid, _)| *cid).collect();
    assert_eq!(cids, [start, middle, end]);
}

#[tokio::test]
async fn a_browser_gets_a_page_about_data_with_its_forms() {
    let gateway = Gateway::fetching();
    let cid = cbor(&gateway, &ipld!({ "<b>": 1 }));
    let html = [("accept", "text/html,application/xhtml+xml,*/*;q=0.8")];
    let page = gateway.get(&format!("/ipfs/{cid}"), &html).await;
    assert_eq!((page.status, page.header("content-type")), (StatusCode::OK, "text/html"));
    assert!(page.text().contains("<meta charset=\"utf-8\">") && page.text().trim_end().ends_with("</html>"));
    assert!(!page.headers.contains_key("content-disposition"));
    assert_eq!(page.header("cache-control"), "private, max-age=604800, stale-while-revalidate=2678400");
    for range in ["bytes=7-9", "bytes=7-9,1-3"] {
        let part = gateway.get(&format!("/ipfs/{cid}"), &[html[0], ("range", range)]).await;
        assert_eq!((part.status, &part.body), (StatusCode::OK, &page.body), "{range}");
    }
    assert!(page.text().contains(&format!("<a href=\"/ipfs/{cid}?format=dag-json\">")) && !page.text().contains("<b>"));
    assert!(page.header("etag").starts_with("\"DagIndex-"));
    let json = gateway.get(&format!("/ipfs/{cid}?format=dag-json"), &html).await;
    assert_eq!(json.text(), "{\"<b>\":1}");
}

#[tokio::test]
async fn caches_are_told_nothing_of_a_page_about_data_for_anyone() {
    let gateway = Gateway::new();
    let empty = Cid::new_v1(DAG_CBOR, multihash::Multihash::wrap(0, b"\xa0").unwrap());
    let (uri, html) = (format!("/ipfs/{empty}"), ("accept", "text/html"));
    let page = gateway.get(&uri, &[html]).await;
    assert!(page.status == StatusCode::OK && page.text().contains("</html>"), "{}", page.text());
    let known = gateway.get(&uri, &[html, ("if-none-match", page.header("etag"))]).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    for answer in [page, known] {
        assert!(!answer.headers.contains_key("cache-control"));
    }
    assert_eq!(gateway.get(&uri, &[]).await.header("cache-control"), "public, max-age=29030400, immutable");
}
