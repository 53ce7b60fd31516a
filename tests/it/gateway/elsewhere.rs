//! Content that is in no library: who gets it, where it comes from, what stays, and that nothing hidden comes out that way.
use super::*;
use potluck::content::unixfs::node::encode_any;

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_file_from_elsewhere_is_fetched_once_and_kept() {
    let gateway = Gateway::fetching();
    let content = bytes(3 * MIB + 7);
    let root = gateway.others.file(&content, Profile::V1_2025);
    for _ in 0..2 {
        let answer = gateway.get(&format!("/ipfs/{root}?filename=film.mp4"), &[]).await;
        assert_eq!((answer.status, answer.body == content), (StatusCode::OK, true));
        assert_eq!(answer.header("cache-control"), "private, max-age=29030400, immutable");
        assert_eq!(gateway.others.asked(), 5, "the root and four leaves");
    }
    let part = gateway.get(&format!("/ipfs/{root}"), &[("range", "bytes=1048570-1048585")]).await;
    assert_eq!((part.status, &part.body[..]), (StatusCode::PARTIAL_CONTENT, &content[1_048_570..1_048_586]));
}

#[tokio::test]
async fn only_the_blocks_of_a_range_are_fetched_and_for_a_head_the_root_alone() {
    let gateway = Gateway::fetching();
    let content = bytes(40 * MIB);
    let root = gateway.others.file(&content, Profile::V1_2025);
    let head = gateway.head(&format!("/ipfs/{root}?filename=a.mp4"), &[]).await;
    assert_eq!((head.header("content-length"), gateway.others.asked()), (content.len().to_string().as_str(), 1));
    let last = gateway.get(&format!("/ipfs/{root}?filename=a.mp4"), &[("range", "bytes=-10")]).await;
    assert_eq!((&last.body[..], gateway.others.asked()), (&content[content.len() - 10..], 2));
}

#[tokio::test]
async fn who_may_not_fetch_gets_what_is_pinned_and_causes_no_question() {
    let mut gateway = Gateway::new();
    let (pinned, other) = (gateway.others.raw(b"soup"), gateway.others.raw(b"bread"));
    let mut pinning = gateway.elsewhere.fetched().pin();
    pinning.put(&pinned, &Bytes::from_static(b"soup")).unwrap();
    pinning.keep(vec![pinned], String::new(), 0).unwrap();
    for (may, status) in [(May::Nothing, 404), (May::Pinned, 200)] {
        gateway.guests.may = may;
        assert_eq!(gateway.get(&format!("/ipfs/{pinned}"), &[]).await.status, status, "{may:?}");
        assert_eq!(gateway.get(&format!("/ipfs/{other}"), &[]).await.status, StatusCode::NOT_FOUND);
    }
    assert_eq!(gateway.others.asked(), 0);
}

#[tokio::test]
async fn a_folder_from_elsewhere_opens_no_file_of_a_library() {
    let mut gateway = Gateway::fetching();
    let secret = bytes(2 * MIB);
    let hidden = gateway.hidden("hidden", &secret).await;
    let shown = gateway.shown("shown", b"for everyone here").await;
    let leaf = Layout::of(&secret, Profile::V1_2025).leaves[0].0;
    let file = encode_any(None, &[(leaf, MIB as u64)]);
    let file = gateway.others.put(cid::of_node(&file), file);
    let folder = gateway.others.folder(&[("file", hidden), ("leaf", leaf), ("made", file), ("shown", shown)]);
    for path in ["file", "leaf", "file?format=raw", "leaf?format=raw", "made"] {
        let answer = gateway.get(&format!("/ipfs/{folder}/{path}"), &[]).await;
        assert_eq!(answer.status, StatusCode::NOT_FOUND, "{path}");
    }
    let whole = gateway.get(&format!("/ipfs/{file}?format=raw"), &[]).await;
    assert_eq!(whole.status, StatusCode::OK, "the node itself is nobody's");
    assert_eq!(gateway.get(&format!("/ipfs/{folder}/shown"), &[]).await.body, b"for everyone here");
}

#[tokio::test]
async fn what_is_hidden_here_looks_as_what_nobody_has_also_to_who_may_fetch() {
    let gateway = Gateway::fetching();
    let hidden = gateway.hidden("hidden", b"secret").await;
    let missing = cid::of_raw(b"nowhere");
    for rest in ["", "?format=raw", "?format=car", "/a", "?format=dag-json"] {
        for headers in [&[][..], &[("cache-control", "only-if-cached")], &[("if-none-match", "*")]] {
            let expected = gateway.get(&format!("/ipfs/{missing}{rest}"), headers).await;
            let answer = gateway.get(&format!("/ipfs/{hidden}{rest}"), headers).await;
            let right =
                (answer.status, &answer.headers, &answer.body) == (expected.status, &expected.headers, &expected.body);
            assert!(right && expected.status.is_client_error(), "{rest} {}", answer.status);
        }
    }
}

#[tokio::test]
async fn who_asks_only_for_what_is_here_starts_no_fetch() {
    let gateway = Gateway::fetching();
    let root = gateway.others.raw(b"soup");
    let cached = [("cache-control", "max-age=0, only-if-cached")];
    for method in [Method::GET, Method::HEAD] {
        let answer = gateway.ask(request(method, &format!("/ipfs/{root}"), &cached)).await;
        assert_eq!((answer.status, gateway.others.asked()), (StatusCode::PRECONDITION_FAILED, 0));
    }
    gateway.get(&format!("/ipfs/{root}"), &[]).await;
    assert_eq!(gateway.get(&format!("/ipfs/{root}"), &cached).await.status, StatusCode::OK);
}

#[tokio::test]
async fn each_way_to_get_nothing_has_its_status() {
    let gateway = Gateway::fetching();
    let missing = cid::of_raw(b"nowhere");
    for (error, status) in [
        (FetchError::NotFound, 404),
        (FetchError::TimedOut, 504),
        (FetchError::Refused("nobody answers".into()), 502),
        (FetchError::Cancelled, 503),
    ] {
        gateway.others.0.lock().failing = Some(error.clone());
        let answer = gateway.get(&format!("/ipfs/{missing}"), &[]).await;
        assert_eq!(answer.status, status, "{error}");
        assert_eq!(answer.header("retry-after").is_empty(), status == 404, "{error}");
    }
}

#[tokio::test]
async fn dags_that_lie_and_blocks_that_cannot_be_checked_are_told_as_what_they_are() {
    let gateway = Gateway::fetching();
    let leaf = gateway.others.raw(b"boom");
    let lies = encode_any(None, &[(leaf, 9)]);
    let lies = gateway.others.put(cid::of_node(&lies), lies);
    let mut deep = leaf;
    for _ in 0..1000 {
        let node = encode_any(None, &[(deep, 4)]);
        deep = gateway.others.put(cid::of_node(&node), node);
    }
    let wrong = gateway.others.put(cid::of_node(b"\xff\xff"), &b"\xff\xff"[..]);
    let odd_hash = Cid::new_v1(cid::RAW, cid_hash(0x16, &[7; 32]));
    gateway.others.put(odd_hash, &b"x"[..]);
    let odd_codec = gateway.others.put(Cid::new_v1(0x300, *leaf.hash()), &b"boom"[..]);
    for cid in [lies, deep, wrong, odd_hash, odd_codec] {
        let answer = gateway.get(&format!("/ipfs/{cid}"), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{cid}: {}", answer.text());
    }
    assert_eq!(gateway.get(&format!("/ipfs/{odd_codec}?format=raw"), &[]).await.body, b"boom");
    let liar = gateway.others.put(cid::of_raw(b"soup"), &b"salt"[..]);
    assert_eq!(gateway.get(&format!("/ipfs/{liar}"), &[]).await.status, StatusCode::BAD_GATEWAY);
}

fn cid_hash(code: u64, digest: &[u8]) -> multihash::Multihash<64> {
    multihash::Multihash::wrap(code, digest).unwrap()
}

#[tokio::test]
async fn an_identity_cid_is_for_anyone() {
    let gateway = Gateway::new();
    let answer = gateway.get("/ipfs/bafkqabtimvwgy3yk", &[]).await;
    assert_eq!((answer.status, answer.text()), (StatusCode::OK, "hello\n"));
    assert_eq!(answer.header("cache-control"), "public, max-age=29030400, immutable");
    let probe = gateway.head("/ipfs/bafkqaaa?format=raw", &[]).await;
    assert_eq!((probe.status, probe.header("content-length")), (StatusCode::OK, "0"));
    let car = gateway.get("/ipfs/bafkqaaa?format=car", &[]).await;
    let read = car::read(&car.body).unwrap();
    assert_eq!((read.roots, read.blocks.len()), (vec![cid::parse("bafkqaaa").unwrap()], 0));
}

#[tokio::test]
async fn blocks_of_other_hash_functions_are_served() {
    let gateway = Gateway::fetching();
    let digest =
        data_encoding::HEXLOWER.decode(b"bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319").unwrap();
    let blake = gateway.others.put(Cid::new_v1(cid::RAW, cid_hash(0xb220, &digest)), &b"abc"[..]);
    assert_eq!(gateway.get(&format!("/ipfs/{blake}"), &[]).await.text(), "abc");
}
