//! TARs of files and folders: what is in them, and that none of their names leads elsewhere.
use super::*;
use potluck::content::ipld::DAG_CBOR;
use potluck::content::unixfs::node::{encode_any, encode_symlink};
use std::io::Read as _;

#[derive(Debug, Clone, PartialEq, Eq)]
enum Entry {
    File(Vec<u8>),
    Folder,
    Link(String),
}

fn file(bytes: &[u8]) -> Entry {
    Entry::File(bytes.to_vec())
}

fn entries(tar: &[u8]) -> Vec<(String, Entry)> {
    let mut archive = tar::Archive::new(tar);
    let entry = |entry: std::io::Result<tar::Entry<'_, &[u8]>>| {
        let mut entry = entry.unwrap();
        let path = String::from_utf8(entry.path_bytes().into_owned()).unwrap();
        let link = entry.link_name_bytes().map(|target| String::from_utf8(target.into_owned()).unwrap());
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let kind = match entry.header().entry_type() {
            tar::EntryType::Regular => Entry::File(bytes),
            tar::EntryType::Directory => Entry::Folder,
            tar::EntryType::Symlink => Entry::Link(link.unwrap()),
            other => panic!("{other:?}"),
        };
        (path, kind)
    };
    archive.entries().unwrap().map(entry).collect()
}

impl Gateway {
    async fn tar(&self, cid: &Cid) -> Answer {
        self.get(&format!("/ipfs/{cid}?format=tar"), &[]).await
    }

    /// An answer whose body may break.
    async fn stream(&self, cid: &Cid) -> Response {
        let (method, headers) = (Method::GET, HeaderMap::new());
        let (query, root) = (Some("format=tar"), cid.to_string());
        let (namespace, root, path, own_origin) = (Namespace::Ipfs, root.as_str(), "", false);
        let asked = GatewayRequest { method: &method, headers: &headers, query, namespace, root, path, own_origin };
        let gateway = ipfs::Gateway::new(self.kitchen.blocks.clone(), Some(self.elsewhere.clone()));
        gateway.get(Arc::new(self.guests.clone()), asked).await
    }

    fn link(&self, target: &str) -> Cid {
        let link = encode_symlink(target);
        self.others.put(cid::of_node(&link), link)
    }
}

#[tokio::test]
async fn a_file_is_a_tar_of_one_entry_that_is_called_as_its_cid() {
    let mut gateway = Gateway::fetching();
    let here = gateway.shown("film.mp4", &bytes(2 * MIB + 9)).await;
    let there = gateway.others.raw(b"I am a file\n");
    let (tar, none) = ([("accept", "application/x-tar")], []);
    for (cid, content) in [(here, bytes(2 * MIB + 9)), (there, b"I am a file\n".to_vec())] {
        for (query, headers) in [("?format=tar", &none[..]), ("", &tar[..])] {
            let answer = gateway.get(&format!("/ipfs/{cid}{query}"), headers).await;
            assert_eq!((answer.status, answer.header("content-type")), (StatusCode::OK, "application/x-tar"));
            assert!(entries(&answer.body) == [(cid.to_string(), Entry::File(content.clone()))], "{cid}");
            assert_eq!(answer.header("etag"), format!("W/\"{cid}.x-tar\""));
            let disposition = format!("attachment; filename=\"{cid}.tar\"");
            assert!(answer.header("content-disposition").starts_with(&disposition));
            assert_eq!(answer.header("cache-control"), "private, max-age=29030400, immutable");
            assert_eq!((answer.header("accept-ranges"), answer.header("x-content-type-options")), ("none", "nosniff"));
            assert_eq!(answer.body.len() % 512, 0);
        }
    }
    let named = gateway.get(&format!("/ipfs/{there}?filename=test%D1%82.tar&format=tar"), &[]).await;
    let disposition = "attachment; filename=\"test_.tar\"; filename*=UTF-8''test%D1%82.tar";
    assert_eq!(named.header("content-disposition"), disposition);
    let negotiated = gateway.get(&format!("/ipfs/{there}"), &tar).await;
    assert_eq!(negotiated.header("content-location"), format!("/ipfs/{there}?format=tar"));
    for known in [format!("W/\"{there}.x-tar\""), format!("\"x\", \"{there}.x-tar\""), "*".to_owned()] {
        let answer = gateway.get(&format!("/ipfs/{there}?format=tar"), &[("if-none-match", &known)]).await;
        assert_eq!((answer.status, answer.body.len()), (StatusCode::NOT_MODIFIED, 0), "{known}");
    }
    let head = gateway.head(&format!("/ipfs/{there}?format=tar"), &[]).await;
    assert_eq!((head.status, head.body.len(), head.header("etag")), (StatusCode::OK, 0, negotiated.header("etag")));
}

#[tokio::test]
async fn a_folder_is_a_tar_of_all_that_is_in_it() {
    let gateway = Gateway::fetching();
    let (content, long) = (bytes(3 * MIB + 7), "long ".repeat(40));
    let film = gateway.others.file(&content, Profile::V1_2025);
    let soup = gateway.others.raw(b"soup");
    let empty = gateway.others.folder(&[]);
    let inner = gateway.others.folder(&[("file-źł.txt", soup), (&long, soup)]);
    let middle = gateway.others.folder(&[("ę", inner), ("empty", empty)]);
    let links = [("away", gateway.link("/etc/passwd")), ("far", gateway.link(&format!("../{long}")))];
    let root = gateway
        .others
        .folder(&[&[("ą", middle), ("film.mp4", film), ("zero", gateway.others.raw(b""))], &links[..]].concat());
    let answer = gateway.tar(&root).await;
    let expected = vec![
        (format!("{root}/"), Entry::Folder),
        (format!("{root}/away"), Entry::Link("/etc/passwd".into())),
        (format!("{root}/far"), Entry::Link(format!("../{long}"))),
        (format!("{root}/film.mp4"), Entry::File(content)),
        (format!("{root}/zero"), file(b"")),
        (format!("{root}/ą/"), Entry::Folder),
        (format!("{root}/ą/empty/"), Entry::Folder),
        (format!("{root}/ą/ę/"), Entry::Folder),
        (format!("{root}/ą/ę/file-źł.txt"), file(b"soup")),
        (format!("{root}/ą/ę/{long}"), file(b"soup")),
    ];
    assert!(entries(&answer.body) == expected, "{:?}", entries(&answer.body).iter().map(|e| &e.0).collect::<Vec<_>>());
    let part = gateway.get(&format!("/ipfs/{root}/%C4%85/%C4%99?format=tar"), &[]).await;
    assert_eq!(entries(&part.body)[0], (format!("{inner}/"), Entry::Folder), "the end of the path is the root");
    assert_eq!(part.header("x-ipfs-roots"), format!("{root},{middle},{inner}"));
}

#[tokio::test]
async fn a_sharded_folder_is_a_tar_of_each_of_its_files() {
    let gateway = Gateway::fetching();
    let names: Vec<String> = (0..6000).map(|n| format!("a dish with a rather long name {n:05}.txt")).collect();
    let soup = gateway.others.raw(b"soup");
    let root = gateway.others.folder(&names.iter().map(|name| (name.as_str(), soup)).collect::<Vec<_>>());
    let mut told = entries(&gateway.tar(&root).await.body);
    assert_eq!(told.remove(0), (format!("{root}/"), Entry::Folder));
    told.sort_by(|one, other| one.0.cmp(&other.0));
    assert!(told.iter().all(|(_, entry)| *entry == file(b"soup")));
    assert_eq!(
        told.into_iter().map(|(path, _)| path).collect::<Vec<_>>(),
        names.iter().map(|name| format!("{root}/{name}")).collect::<Vec<_>>()
    );
}

#[tokio::test]
async fn names_that_lead_outside_are_refused_and_those_that_stay_inside_are_straightened() {
    let gateway = Gateway::fetching();
    let soup = gateway.others.raw(b"soup");
    for name in ["../evil", "..", ".", "", "/etc/passwd", "a/../../evil", "a//b", "a/..", "..\\evil"] {
        let bad = gateway.others.folder(&[("a", soup), (name, soup)]);
        for root in [bad, gateway.others.folder(&[("deep", gateway.others.folder(&[("er", bad)]))])] {
            let answer = gateway.tar(&root).await;
            // From deeper down this one stays inside.
            if root != bad && matches!(name, "../evil" | "a/../../evil") {
                assert!(entries(&answer.body).iter().any(|entry| entry.0 == format!("{root}/deep/evil")), "{name:?}");
                continue;
            }
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{name:?}");
            assert!(
                answer.text().contains("relative UnixFS paths outside the root are now allowed"),
                "{}",
                answer.text()
            );
        }
    }
    let foobar = gateway.others.folder(&[("../foobar/file", soup), ("x", soup)]);
    let root = gateway.others.folder(&[("foobar", foobar), ("other/file", soup)]);
    let paths: Vec<String> = entries(&gateway.tar(&root).await.body).into_iter().map(|entry| entry.0).collect();
    let expected = ["", "foobar/", "foobar/file", "foobar/x", "other/file"].map(|path| format!("{root}/{path}"));
    assert_eq!(paths, expected);
}

#[tokio::test]
async fn nothing_is_written_behind_a_symbolic_link() {
    let gateway = Gateway::fetching();
    let (soup, link) = (gateway.others.raw(b"soup"), gateway.link("/etc"));
    let folder = gateway.others.folder(&[("passwd", soup)]);
    for bad in [
        &[("a", link), ("a", folder)][..],
        &[("a", link), ("a", soup)],
        &[("a", link), ("a/passwd", soup)],
        &[("a", link), ("b", gateway.others.folder(&[("../a/x/passwd", soup)]))],
    ] {
        let root = gateway.others.folder(bad);
        let answer = gateway.tar(&root).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{bad:?}");
    }
    let root = gateway.others.folder(&[("a", link), ("ab", folder), ("b", link)]);
    assert_eq!(entries(&gateway.tar(&root).await.body).len(), 5, "of other names, even where they begin alike");
}

#[tokio::test]
async fn what_goes_wrong_on_the_way_breaks_the_tar_and_what_goes_wrong_at_once_is_an_error() {
    let gateway = Gateway::fetching();
    let film = gateway.others.file(&bytes(2 * MIB), Profile::V1_2025);
    let leaf = gateway.others.raw(b"boom");
    let lies = encode_any(None, &[(leaf, 9)]);
    let lies = gateway.others.put(cid::of_node(&lies), lies);
    let data = Cid::new_v1(DAG_CBOR, multihash::Multihash::wrap(0, b"\xa0").unwrap());
    for (name, bad, status) in [
        ("z", cid::of_raw(b"nowhere"), 404),
        ("z", lies, 400),
        ("z", data, 400),
        ("z", gateway.link(""), 400),
        ("z/../../x", leaf, 400),
    ] {
        let small = gateway.others.folder(&[(name, bad)]);
        assert_eq!(gateway.tar(&small).await.status, status, "{name} {bad}");
        let large = gateway.others.folder(&[("film", film), (name, bad)]);
        let response = gateway.stream(&large).await;
        assert_eq!(response.status(), StatusCode::OK);
        assert!(response.into_body().collect().await.is_err(), "{name} {bad}: a reader is not told that this was all");
    }
    assert_eq!(gateway.tar(&data).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn a_tar_opens_nothing_that_is_hidden() {
    let gateway = Gateway::fetching();
    let hidden = gateway.hidden("hidden", b"secret").await;
    let folder = gateway.others.folder(&[("a", gateway.others.raw(b"soup")), ("b", hidden)]);
    assert_eq!(gateway.tar(&folder).await.status, StatusCode::NOT_FOUND);
    assert_eq!(gateway.tar(&hidden).await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn no_more_is_fetched_than_somebody_reads() {
    let gateway = Gateway::fetching();
    let film = gateway.others.file(&bytes(60 * MIB), Profile::V1_2025);
    let films = gateway.others.folder(&[("a", film), ("b", film)]);
    let mut at = gateway.others.raw(b"boom");
    for _ in 0..60 {
        at = gateway.others.folder(&[("a", at), ("b", at), ("c", at)]);
    }
    for (root, most) in [(films, 30), (at, 200)] {
        let before = gateway.others.asked();
        let mut body = gateway.stream(&root).await.into_body();
        assert!(body.frame().await.unwrap().unwrap().into_data().unwrap().len() >= 512);
        drop(body);
        assert!(gateway.others.asked() - before < most, "{}", gateway.others.asked() - before);
    }
}
