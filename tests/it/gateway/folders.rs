//! Folders as pages: what they list, where they redirect, and what in them never runs.
use super::*;
use potluck::content::unixfs::node::encode_symlink;

struct Site {
    gateway: Gateway,
    root: Cid,
    inner: Cid,
}

fn site() -> Site {
    let gateway = Gateway::fetching();
    let file = gateway.others.raw(b"soup\n");
    let inner = gateway.others.folder(&[("file-źł.txt", file)]);
    let middle = gateway.others.folder(&[("ę", inner)]);
    let root = gateway.others.folder(&[("ą", middle), ("a & <b>\"", file)]);
    Site { gateway, root, inner }
}

#[tokio::test]
async fn a_folder_without_a_slash_is_sent_to_the_one_with_it_and_keeps_its_query() {
    let Site { gateway, root, .. } = site();
    for (asked, location) in [
        ("", "/"),
        ("/%C4%85/%C4%99", "/%C4%85/%C4%99/"),
        ("?a=b&filename=x", "/?a=b&filename=x"),
        ("/%C4%85?x=%2F", "/%C4%85/?x=%2F"),
    ] {
        for method in [Method::GET, Method::HEAD] {
            let answer = gateway.ask(request(method, &format!("/ipfs/{root}{asked}"), &[])).await;
            assert_eq!(answer.status, StatusCode::MOVED_PERMANENTLY, "{asked}");
            assert_eq!(answer.header("location"), format!("/ipfs/{root}{location}"));
        }
    }
    for raw in ["?format=raw", "?format=car", "?format=dag-json"] {
        assert_eq!(gateway.get(&format!("/ipfs/{root}{raw}"), &[]).await.status, StatusCode::OK, "{raw}");
    }
}

#[tokio::test]
async fn a_listing_has_names_sizes_and_the_way_back_and_nothing_that_runs() {
    let Site { gateway, root, inner } = site();
    let deep = gateway.get(&format!("/ipfs/{root}/%C4%85/%C4%99/"), &[]).await;
    let (text, base) = (deep.text(), format!("/ipfs/{root}"));
    assert_eq!((deep.status, deep.header("content-type")), (StatusCode::OK, "text/html; charset=utf-8"));
    for part in [
        format!("Index of {base}/ą/ę"),
        format!(
            "/ipfs/<a href=\"{base}\">{root}</a>/<a href=\"{base}/%C4%85\">ą</a>/<a href=\"{base}/%C4%85/%C4%99\">ę</a>"
        ),
        format!("<a href=\"{base}/%C4%85/%C4%99/..\">..</a>"),
        format!("<a href=\"{base}/%C4%85/%C4%99/file-%C5%BA%C5%82.txt\">file-źł.txt</a>"),
        format!("href=\"/ipfs/{}?filename=", cid::of_raw(b"soup\n")),
        "1.5 KiB".to_owned(),
    ] {
        assert!(text.contains(&part), "{part} is not in {text}");
    }
    assert!(!text.contains("<script") && deep.header("content-security-policy").starts_with("default-src 'none'"));
    assert_eq!(deep.header("etag"), format!("\"DirIndex-1_CID-{inner}\""));
    assert_eq!(deep.header("cache-control"), "private, max-age=604800, stale-while-revalidate=2678400");
    assert_eq!(deep.header("ipfs-uri"), format!("ipfs://{root}/%C4%85/%C4%99/"));
    assert!(!deep.headers.contains_key("x-ipfs-path"), "no header holds this path as it is");
    assert_eq!(deep.header("x-ipfs-roots").split(',').count(), 3);
    let top = gateway.get(&format!("{base}/"), &[]).await;
    assert!(!top.text().contains(">..</a>") && top.text().contains("a &amp; &lt;b&gt;&#34;"), "{}", top.text());
}

#[tokio::test]
async fn each_answer_tells_its_address_in_one_form() {
    let mut gateway = Gateway::fetching();
    let soup = gateway.others.raw(b"soup");
    let inner = gateway.others.folder(&[("b.txt", gateway.others.raw(b"nested")), ("file!'()*~.txt", soup)]);
    let names = ["a#b?c.txt", "100% sure.txt", "emoji🚀.txt", "Portugal%2C+España=Peninsula Ibérica.txt"];
    let entries = [("a", inner), ("a/b.txt", gateway.others.raw(b"never reached")), ("plain.txt", soup)];
    let root = gateway.others.folder(&[&entries[..], &names.map(|name| (name, soup))[..]].concat());
    let old = Cid::new_v0(*root.hash()).unwrap();
    for (asked, uri, path) in [
        (format!("{root}/plain.txt?filename=x&format=json"), "/plain.txt", Some("/plain.txt")),
        (format!("{root}/a%2F..%2Fplain%2Etxt"), "/plain.txt", Some("/plain.txt")),
        (format!("{root}/a/b.txt"), "/a/b.txt", Some("/a/b.txt")),
        (format!("{root}/a%2Fb.txt"), "/a/b.txt", Some("/a/b.txt")),
        (format!("{root}/a/file!%27%28%29*~.txt"), "/a/file%21%27%28%29%2A~.txt", Some("/a/file!'()*~.txt")),
        (format!("{root}/a%23b%3fc.txt"), "/a%23b%3Fc.txt", Some("/a#b?c.txt")),
        (format!("{root}/100%25%20sure.txt"), "/100%25%20sure.txt", Some("/100% sure.txt")),
        (format!("{root}/emoji%F0%9F%9A%80.txt"), "/emoji%F0%9F%9A%80.txt", None),
        (
            format!("{root}/Portugal%252C+Espa%c3%b1a=Peninsula%20Ib%C3%A9rica%2etxt"),
            "/Portugal%252C%2BEspa%C3%B1a%3DPeninsula%20Ib%C3%A9rica.txt",
            None,
        ),
        (format!("{root}/a/"), "/a/", Some("/a/")),
    ] {
        let answer = gateway.get(&format!("/ipfs/{asked}"), &[]).await;
        assert_eq!(
            (answer.status, answer.header("ipfs-uri")),
            (StatusCode::OK, format!("ipfs://{root}{uri}").as_str())
        );
        let expected = path.map(|path| format!("/ipfs/{root}{path}")).unwrap_or_default();
        assert_eq!(answer.header("x-ipfs-path"), expected, "{asked}");
        assert_ne!(answer.body, b"never reached");
    }
    let moved = gateway.get(&format!("/ipfs/{old}"), &[]).await;
    assert_eq!((moved.status.as_u16(), moved.header("ipfs-uri")), (301, format!("ipfs://{root}").as_str()));
    assert_eq!(moved.header("x-ipfs-path"), format!("/ipfs/{old}"));
    gateway.own_origin = true;
    let own = gateway.get(&format!("/ipfs/{root}/plain.txt"), &[]).await;
    assert_eq!(own.header("ipfs-uri"), format!("ipfs://{root}/plain.txt"));
}

#[tokio::test]
async fn a_listing_that_is_known_already_is_not_sent_again() {
    let Site { gateway, root, .. } = site();
    let uri = format!("/ipfs/{root}/");
    let tag = gateway.get(&uri, &[]).await.header("etag").to_owned();
    for known in [tag.clone(), format!("W/{tag}"), format!("\"x\", {tag}"), format!("W/\"{root}\""), "*".into()] {
        let answer = gateway.get(&uri, &[("if-none-match", &known)]).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
    }
    assert_eq!(gateway.get(&uri, &[("if-none-match", "\"x\"")]).await.status, StatusCode::OK);
    let head = gateway.head(&uri, &[]).await;
    assert_eq!((head.status, head.body.len(), head.header("etag")), (StatusCode::OK, 0, tag.as_str()));
}

#[tokio::test]
async fn a_folder_with_an_index_is_that_page_in_a_sandbox() {
    let gateway = Gateway::fetching();
    let page = gateway.others.raw(b"<!DOCTYPE html><script>alert(1)</script>");
    let site = gateway.others.folder(&[("index.html", page), ("x.js", page)]);
    let root = gateway.others.folder(&[("site", site)]);
    let answer = gateway.get(&format!("/ipfs/{root}/site/"), &[]).await;
    assert!(answer.status == StatusCode::OK && answer.text().contains("alert"));
    assert_eq!(answer.header("content-security-policy"), "sandbox");
    assert_eq!(answer.header("content-type"), "text/html; charset=utf-8");
    assert_eq!(answer.header("etag"), format!("\"{site}\""), "of the folder");
    assert_eq!(answer.header("cache-control"), "private, max-age=29030400, immutable");
    assert_eq!(answer.header("x-ipfs-roots"), format!("{root},{site}"));
    let known = gateway.get(&format!("/ipfs/{root}/site/"), &[("if-none-match", &format!("\"{site}\""))]).await;
    assert_eq!(known.status, StatusCode::NOT_MODIFIED);
    let part = gateway.get(&format!("/ipfs/{root}/site/"), &[("range", "bytes=0-8")]).await;
    assert_eq!((part.status, part.text()), (StatusCode::PARTIAL_CONTENT, "<!DOCTYPE"));
    let folder = gateway.others.folder(&[("index.html", site)]);
    assert!(gateway.get(&format!("/ipfs/{folder}/"), &[]).await.text().contains("Index of"), "a folder is no page");
}

#[tokio::test]
async fn an_index_that_cannot_be_had_is_an_error_and_not_a_listing() {
    let gateway = Gateway::fetching();
    let (here, nowhere) = (gateway.others.raw(b"soup"), cid::of_raw(b"<!DOCTYPE html>"));
    let site = gateway.others.folder(&[("index.html", nowhere), ("soup", here)]);
    for (failing, status) in [
        (None, StatusCode::NOT_FOUND),
        (Some(FetchError::TimedOut), StatusCode::GATEWAY_TIMEOUT),
        (Some(FetchError::Refused("nobody answers".into())), StatusCode::BAD_GATEWAY),
    ] {
        gateway.others.0.lock().failing = failing;
        let answer = gateway.get(&format!("/ipfs/{site}/"), &[]).await;
        assert_eq!((answer.status, answer.header("cache-control")), (status, "no-store"), "{}", answer.text());
    }
    gateway.others.raw(b"<!DOCTYPE html>");
    assert_eq!(gateway.get(&format!("/ipfs/{site}/"), &[]).await.text(), "<!DOCTYPE html>");
}

#[tokio::test]
async fn a_sharded_folder_is_listed_and_each_of_its_files_is_found() {
    let gateway = Gateway::fetching();
    let names: Vec<String> = (0..6000).map(|n| format!("a dish with a rather long name {n:05}.txt")).collect();
    let file = gateway.others.raw(b"soup");
    let entries: Vec<(&str, Cid)> = names.iter().map(|name| (name.as_str(), file)).collect();
    let root = gateway.others.folder(&entries);
    let answer = gateway.get(&format!("/ipfs/{root}/"), &[]).await;
    assert!(names.iter().all(|name| answer.text().contains(&format!(">{name}</a>"))));
    let one = gateway.get(&format!("/ipfs/{root}/{}", names[4711].replace(' ', "%20")), &[]).await;
    assert_eq!((one.text(), one.header("content-type")), ("soup", "text/plain; charset=utf-8"));
    let none = gateway.get(&format!("/ipfs/{root}/nothing"), &[]).await;
    assert!(none.status == StatusCode::NOT_FOUND && none.text().contains("\"nothing\""), "{}", none.text());
}

#[tokio::test]
async fn a_symbolic_link_is_told_and_not_followed() {
    let gateway = Gateway::fetching();
    let link = encode_symlink("foo");
    let link = gateway.others.put(cid::of_node(&link), link);
    let root = gateway.others.folder(&[("bar", link), ("foo", gateway.others.raw(b"content of foo"))]);
    let answer = gateway.get(&format!("/ipfs/{root}/bar"), &[]).await;
    assert_eq!((answer.text(), answer.header("content-type")), ("foo", "inode/symlink"));
    assert_eq!(gateway.get(&format!("/ipfs/{root}/bar/x"), &[]).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_root_with_an_origin_of_its_own_has_short_addresses_and_may_run() {
    let mut gateway = Gateway::fetching();
    let page = gateway.others.raw(b"<!DOCTYPE html><script>run()</script>");
    let inner = gateway.others.folder(&[("a", page)]);
    let root = gateway.others.folder(&[("index.html", page), ("inner", inner)]);
    gateway.own_origin = true;
    let answer = gateway.get(&format!("/ipfs/{root}/"), &[]).await;
    assert_eq!(answer.header("content-security-policy"), "frame-ancestors 'self'");
    assert_eq!(answer.header("x-ipfs-path"), format!("/ipfs/{root}/"));
    let moved = gateway.get(&format!("/ipfs/{root}/inner?x=1"), &[]).await;
    assert_eq!(moved.header("location"), "/inner/?x=1");
    let listing = gateway.get(&format!("/ipfs/{root}/inner/"), &[]).await;
    assert!(listing.text().contains("<a href=\"/inner/a\">a</a>"), "{}", listing.text());
}

#[tokio::test]
async fn the_folder_of_what_is_public_is_for_anyone_and_opens_nothing_else() {
    let mut gateway = Gateway::new();
    let (public, hidden) = (gateway.hidden("a", b"soup").await, gateway.hidden("b", b"secret").await);
    gateway.guests.public.insert(public);
    let entry = |name: &str, cid| FolderEntry { name: name.to_owned(), cid, tsize: 4 };
    let built = folder::build(vec![entry("a", public), entry("b", hidden)]).unwrap();
    gateway.guests.folders.extend(built.nodes);
    let listing = gateway.get(&format!("/ipfs/{}/", built.root), &[]).await;
    assert!(listing.status == StatusCode::OK && listing.header("cache-control").starts_with("public"));
    let soup = gateway.get(&format!("/ipfs/{}/a", built.root), &[]).await;
    assert_eq!((soup.text(), soup.header("cache-control")), ("soup", "public, max-age=29030400, immutable"));
    assert_eq!(gateway.get(&format!("/ipfs/{}/b", built.root), &[]).await.status, StatusCode::NOT_FOUND);
}

/// A folder with one file, as a flat one and as a shard, with the node's data before its links and after them (IPIP-550).
const ORDERS: [(&str, &str); 4] = [
    (
        "bafybeigqvyloizmfcdy6scaxnyltftzptaruqa3hnnplfzsbf4sqteiwlm",
        "0a02080112330a24015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03120968656c6c6f2e7478741806",
    ),
    (
        "bafybeigdcg7pksx2zk5336vrfsktjodlr4rbfz37qr3koc5xboxe5ekv24",
        "12330a24015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03120968656c6c6f2e74787418060a020801",
    ),
    (
        "bafybeicwgy2rlqmqqu3yy2tqvm2wbgdvy3snu4sbbv4wqpvpnoplpzxz74",
        "0a250805121c80000000000000000000000000000000000000000000000000000000282230800212350a24015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03120b444668656c6c6f2e7478741806",
    ),
    (
        "bafybeicjwkfslu7gwyywffvqgse5kiibojtktxcdqhgv7ldj5fjdacuceq",
        "12350a24015512205891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03120b444668656c6c6f2e74787418060a250805121c800000000000000000000000000000000000000000000000000000002822308002",
    ),
];

#[tokio::test]
async fn a_node_is_read_in_either_order_of_its_parts_and_given_as_it_is() {
    let gateway = Gateway::fetching();
    gateway.others.raw(b"hello\n");
    for (root, block) in ORDERS {
        let block = data_encoding::HEXLOWER.decode(block.as_bytes()).unwrap();
        gateway.others.put(cid::parse(root).unwrap(), block.clone());
        assert_eq!(gateway.get(&format!("/ipfs/{root}/hello.txt"), &[]).await.text(), "hello\n", "{root}");
        assert_eq!(gateway.get(&format!("/ipfs/{root}?format=raw"), &[]).await.body, block);
    }
}
