//! `/ipns/`: what names stand for, how long that is believed, and their records.
use super::*;
use std::time::Duration;

const KEY: &str = "k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r";

fn named(gateway: &Gateway, name: &str, path: String, ttl: u64) -> Name {
    let name = Name::parse(name).unwrap();
    let named = Named { path, ttl: Duration::from_secs(ttl), record: Some(Bytes::from_static(b"a signed record")) };
    gateway.others.0.lock().names.insert(name, named);
    name
}

#[tokio::test]
async fn a_name_leads_through_its_path_to_content() {
    let gateway = Gateway::fetching();
    let soup = gateway.others.raw(b"soup");
    let inner = gateway.others.folder(&[("soup.txt", soup)]);
    let root = gateway.others.folder(&[("menu", inner)]);
    named(&gateway, KEY, format!("/ipfs/{root}/menu"), 60);
    let answer = gateway.get(&format!("/ipns/{KEY}/soup.txt"), &[]).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "soup"));
    assert_eq!(answer.header("x-ipfs-path"), format!("/ipns/{KEY}/soup.txt"));
    assert_eq!(answer.header("ipfs-uri"), format!("ipns://{KEY}/soup.txt"));
    let above = gateway.get(&format!("/ipns/{KEY}/..%2Fmenu/soup.txt"), &[]).await;
    assert_eq!(above.status, StatusCode::NOT_FOUND, "nothing leads above what the name stands for");
    assert_eq!(answer.header("x-ipfs-roots"), format!("{root},{inner},{soup}"));
    assert_eq!(answer.header("cache-control"), "private, max-age=60");
    assert_eq!(answer.header("etag"), format!("\"{soup}\""));
    let folder = gateway.get(&format!("/ipns/{KEY}"), &[]).await;
    assert_eq!(folder.header("location"), format!("/ipns/{KEY}/"));
    let listing = gateway.get(&format!("/ipns/{KEY}/"), &[]).await;
    assert_eq!((listing.status, listing.header("cache-control")), (StatusCode::OK, "private, max-age=60"));
    assert!(listing.text().contains(&format!("<a href=\"/ipns/{KEY}/soup.txt\">")));
}

#[tokio::test]
async fn a_name_in_another_form_is_sent_to_its_usual_one() {
    let mut gateway = Gateway::fetching();
    let name = Name::parse(KEY).unwrap();
    // The first two are pairs that other gateways are held to.
    for (asked, usual) in [
        (
            "12D3KooWRBy97UB99e3J6hiPesre1MZeuNQvfan4gBziswrRJsNK",
            "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8",
        ),
        ("QmcJM7PRfkSbcM5cf1QugM5R37TLRKyJGgBEhXjLTB8uA2", "k2k4r8ol4m8kkcqz509c1rcjwunebj02gcnm5excpx842u736nja8ger"),
        (name.peer_id().as_str(), KEY),
        (name.to_cid().to_string().as_str(), KEY),
    ] {
        for (rest, location) in
            [("", ""), ("/root2/", "/root2/"), ("/%C4%85?format=raw&x=%2F", "/%C4%85?format=raw&x=%2F")]
        {
            let answer = gateway.get(&format!("/ipns/{asked}{rest}"), &[]).await;
            assert_eq!(answer.status, StatusCode::FOUND, "{asked}{rest}");
            assert_eq!(answer.header("location"), format!("/ipns/{usual}{location}"));
        }
    }
    gateway.own_origin = true;
    assert_eq!(gateway.get(&format!("/ipns/{}", name.peer_id()), &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn names_of_names_end_somewhere_and_the_shortest_time_counts() {
    let gateway = Gateway::fetching();
    let soup = gateway.others.raw(b"soup");
    let folder = gateway.others.folder(&[("a", gateway.others.folder(&[("b", soup)]))]);
    let other = Name::of_ed25519(&[7; 32]);
    named(&gateway, KEY, format!("/ipns/{other}/a"), 30);
    named(&gateway, &other.to_string(), format!("/ipfs/{folder}"), 90);
    let answer = gateway.get(&format!("/ipns/{KEY}/b"), &[]).await;
    assert_eq!((answer.text(), answer.header("cache-control")), ("soup", "private, max-age=30"));
    named(&gateway, &other.to_string(), format!("/ipns/{KEY}"), 90);
    assert_eq!(gateway.get(&format!("/ipns/{KEY}/b"), &[]).await.status, StatusCode::BAD_GATEWAY);
}

#[tokio::test]
async fn a_record_is_given_to_who_checks_it() {
    let gateway = Gateway::fetching();
    named(&gateway, KEY, format!("/ipfs/{}", gateway.others.raw(b"soup")), 60);
    let kind = "application/vnd.ipfs.ipns-record";
    for (uri, accept) in [(format!("/ipns/{KEY}?format=ipns-record"), ""), (format!("/ipns/{KEY}"), kind)] {
        let answer = gateway.get(&uri, &[("accept", accept)]).await;
        assert_eq!((answer.text(), answer.header("content-type")), ("a signed record", kind));
        assert!(
            answer.header("content-disposition").starts_with(&format!("attachment; filename=\"{KEY}.ipns-record\""))
        );
        assert_eq!(answer.header("cache-control"), "public, max-age=60");
        let head = gateway.head(&uri, &[("accept", accept)]).await;
        assert_eq!((head.body.len(), head.header("content-length")), (0, "15"));
    }
    let called = gateway.get(&format!("/ipns/{KEY}?format=ipns-record&filename=test%D1%82.ipns-record"), &[]).await;
    let disposition = "attachment; filename=\"test_.ipns-record\"; filename*=UTF-8''test%D1%82.ipns-record";
    assert_eq!(called.header("content-disposition"), disposition);
    for wrong in [format!("/ipns/{KEY}/a"), format!("/ipfs/{}", cid::of_raw(b"soup"))] {
        let answer = gateway.get(&format!("{wrong}?format=ipns-record"), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
    }
}

#[tokio::test]
async fn a_name_that_leads_nowhere_says_why() {
    let gateway = Gateway::fetching();
    let unknown = Name::of_ed25519(&[9; 32]);
    named(&gateway, KEY, "/ipfs/not-a-cid".to_owned(), 60);
    for (name, status) in [
        (unknown.to_string(), 404),
        (KEY.to_owned(), 502),
        ("en.wikipedia-on-ipfs.org".to_owned(), 404),
        ("nonsense".to_owned(), 400),
    ] {
        assert_eq!(gateway.get(&format!("/ipns/{name}/"), &[]).await.status, status, "{name}");
    }
}

#[tokio::test]
async fn who_may_not_fetch_has_no_names_looked_up() {
    let gateway = Gateway::new();
    named(&gateway, KEY, format!("/ipfs/{}", gateway.others.raw(b"soup")), 60);
    assert_eq!(gateway.get(&format!("/ipns/{KEY}"), &[]).await.status, StatusCode::NOT_FOUND);
}
