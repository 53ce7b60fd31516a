//! `/ipfs` and `/ipns`: what they answer, and that who may not see learns nothing. Here what is in libraries; a module for each other group.
mod cars;
mod data;
mod elsewhere;
mod folders;
mod http_rules;
mod names;
mod node;
mod tars;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use ::bytes::Bytes;
use axum::body::Body;
use axum::extract::Request;
use axum::response::Response;
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use http::{HeaderMap, Method, StatusCode};
use http_body_util::BodyExt;
use parking_lot::Mutex;
use potluck::blocks::{Elsewhere, Fetch, FetchError, Fetched, FetchedOptions, May, Named, Names, NamesError};
use potluck::content::ipns::Name;
use potluck::content::unixfs::folder::{self, FolderEntry};
use potluck::content::unixfs::{Layout, Profile, leaves_of};
use potluck::content::{Cid, car, cid};
use potluck::facades::ipfs::{self, Gate, GatewayRequest, Namespace, Sight};

use crate::blocks::{Kitchen, bytes};

const MIB: usize = 1024 * 1024;

/// Shows the listed roots.
#[derive(Clone)]
struct Guests {
    private: HashSet<Cid>,
    public: HashSet<Cid>,
    folders: HashMap<Cid, Bytes>,
    may: May,
}

impl Gate for Guests {
    fn sight<'a>(&'a self, roots: &'a [Cid]) -> BoxFuture<'a, Sight> {
        let sight = match () {
            () if roots.iter().any(|root| self.public.contains(root)) => Sight::Public,
            () if roots.iter().any(|root| self.private.contains(root)) => Sight::Private,
            () => Sight::Hidden,
        };
        async move { sight }.boxed()
    }

    fn folder<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        let found = self.folders.get(cid).cloned();
        async move { found }.boxed()
    }

    fn may(&self) -> May {
        self.may
    }
}

/// What other nodes have.
#[derive(Clone, Default)]
struct Others(Arc<Mutex<Shelves>>);

#[derive(Default)]
struct Shelves {
    blocks: HashMap<Cid, Bytes>,
    names: HashMap<Name, Named>,
    asked: Vec<Cid>,
    failing: Option<FetchError>,
}

impl Fetch for Others {
    fn fetch<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Result<Bytes, FetchError>> {
        let mut shelves = self.0.lock();
        shelves.asked.push(*cid);
        let failing = shelves.failing.clone().map_or(Err(FetchError::NotFound), Err);
        let found = shelves.blocks.get(cid).cloned().map_or(failing, Ok);
        async move { found }.boxed()
    }

    fn session(&self, _: &Cid) -> Arc<dyn Fetch> {
        Arc::new(self.clone())
    }
}

impl Names for Others {
    fn resolve(&self, name: Name, ask: bool) -> BoxFuture<'_, Result<Named, NamesError>> {
        let found = self.0.lock().names.get(&name).filter(|_| ask).cloned();
        async move { found.ok_or(NamesError::NotFound) }.boxed()
    }
}

impl Others {
    fn put(&self, cid: Cid, bytes: impl Into<Bytes>) -> Cid {
        self.0.lock().blocks.insert(cid, bytes.into());
        cid
    }

    fn raw(&self, bytes: &[u8]) -> Cid {
        self.put(cid::of_raw(bytes), bytes.to_vec())
    }

    fn file(&self, bytes: &[u8], profile: Profile) -> Cid {
        let layout = Layout::of(bytes, profile);
        for (leaf, bytes) in layout.leaves.iter().zip(leaves_of(bytes, profile)) {
            self.put(leaf.0, bytes.to_vec());
        }
        self.0.lock().blocks.extend(layout.nodes);
        layout.root
    }

    fn folder(&self, entries: &[(&str, Cid)]) -> Cid {
        let entry = |(name, cid): &(&str, Cid)| FolderEntry { name: (*name).to_owned(), cid: *cid, tsize: 1536 };
        let built = folder::build(entries.iter().map(entry).collect()).unwrap();
        self.0.lock().blocks.extend(built.nodes);
        built.root
    }

    fn asked(&self) -> usize {
        self.0.lock().asked.len()
    }
}

struct Gateway {
    kitchen: Kitchen,
    guests: Guests,
    others: Others,
    elsewhere: Elsewhere,
    own_origin: bool,
}

struct Answer {
    status: StatusCode,
    headers: HeaderMap,
    body: Vec<u8>,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |v| v.to_str().unwrap())
    }

    fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }
}

impl Gateway {
    /// For a stranger.
    fn new() -> Self {
        let kitchen = Kitchen::new();
        let folder = kitchen.folder.path().join("fetched");
        let options = FetchedOptions { folder, quota_bytes: 1 << 30, blocks_max: 10_000, spare_bytes: 0 };
        let elsewhere = Elsewhere::new(Fetched::open(options).unwrap());
        let others = Others::default();
        elsewhere.set_fetch(Some(Arc::new(others.clone())));
        elsewhere.set_names(Some(Arc::new(others.clone())));
        let (private, public, folders) = Default::default();
        let guests = Guests { private, public, folders, may: May::Nothing };
        Self { kitchen, guests, others, elsewhere, own_origin: false }
    }

    /// For somebody who may fetch.
    fn fetching() -> Self {
        let mut this = Self::new();
        this.guests.may = May::Fetch;
        this
    }

    /// A file that the caller may see.
    async fn shown(&mut self, name: &str, bytes: &[u8]) -> Cid {
        let cid = self.hidden(name, bytes).await;
        self.guests.private.insert(cid);
        cid
    }

    async fn hidden(&self, name: &str, bytes: &[u8]) -> Cid {
        self.kitchen.import(&self.kitchen.write(name, bytes)).await.unwrap().cid
    }

    async fn ask(&self, request: Request<Body>) -> Answer {
        let path = percent_encoding::percent_decode_str(request.uri().path()).decode_utf8().unwrap();
        let (namespace, path) = match path.strip_prefix("/ipfs/") {
            Some(path) => (Namespace::Ipfs, path),
            None => (Namespace::Ipns, path.strip_prefix("/ipns/").unwrap()),
        };
        let (root, path) =
            path.split_once('/').map_or((path, ""), |(root, path)| (root, if path.is_empty() { "/" } else { path }));
        let (method, headers, query) = (request.method(), request.headers(), request.uri().query());
        let asked = GatewayRequest { method, headers, query, namespace, root, path, own_origin: self.own_origin };
        let gateway = ipfs::Gateway::new(self.kitchen.blocks.clone(), Some(self.elsewhere.clone()));
        answer(gateway.get(Arc::new(self.guests.clone()), asked).await).await
    }

    async fn get(&self, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(request(Method::GET, uri, headers)).await
    }

    async fn head(&self, uri: &str, headers: &[(&str, &str)]) -> Answer {
        self.ask(request(Method::HEAD, uri, headers)).await
    }
}

fn request(method: Method, uri: &str, headers: &[(&str, &str)]) -> Request<Body> {
    let builder = Request::builder().method(method).uri(uri);
    headers.iter().fold(builder, |b, (k, v)| b.header(*k, *v)).body(Body::empty()).unwrap()
}

async fn answer(response: Response) -> Answer {
    let (parts, body) = response.into_parts();
    let body = body.collect().await.unwrap().to_bytes().to_vec();
    Answer { status: parts.status, headers: parts.headers, body }
}

#[tokio::test]
async fn a_file_is_answered_whole_and_in_parts() {
    let mut gateway = Gateway::new();
    let content = bytes(2 * MIB + 9);
    let cid = gateway.shown("a.mp4", &content).await;
    let whole = gateway.get(&format!("/ipfs/{cid}?filename=Soup%20(2020).mp4"), &[]).await;
    assert_eq!(whole.status, StatusCode::OK);
    assert!(whole.body == content);
    assert_eq!(whole.header("etag"), format!("\"{cid}\""));
    assert_eq!(whole.header("content-type"), "video/mp4");
    assert_eq!(whole.header("accept-ranges"), "bytes");
    assert_eq!(whole.header("cache-control"), "private, max-age=29030400, immutable");
    assert_eq!(whole.header("x-content-type-options"), "nosniff");
    assert_eq!(whole.header("content-security-policy"), "sandbox");
    assert_eq!(whole.header("x-ipfs-path"), format!("/ipfs/{cid}"));
    assert!(whole.header("content-disposition").starts_with("inline; filename=\"Soup (2020).mp4\""));
    let part = gateway.get(&format!("/ipfs/{cid}"), &[("range", "bytes=1048570-1048585")]).await;
    assert_eq!(part.status, StatusCode::PARTIAL_CONTENT);
    assert!(part.body == content[1_048_570..1_048_586]);
    assert_eq!(part.header("content-range"), format!("bytes 1048570-1048585/{}", content.len()));
    assert_eq!(part.header("content-length"), "16");
    let past = gateway.get(&format!("/ipfs/{cid}"), &[("range", "bytes=99999999-")]).await;
    assert_eq!(past.status, StatusCode::RANGE_NOT_SATISFIABLE);
    assert_eq!(past.header("content-range"), format!("bytes */{}", content.len()));
}

#[tokio::test]
async fn bad_ranges_get_the_whole_and_of_several_the_first_is_given() {
    let mut gateway = Gateway::new();
    let cid = gateway.shown("a", b"soup").await;
    for range in ["bytes=", "bytes=3-1", "bytes=a-b", "pieces=0-1", "bytes=0-0,x", "bytes=0-1-2", "bytes==0-1"] {
        let answer = gateway.get(&format!("/ipfs/{cid}"), &[("range", range)]).await;
        assert_eq!((answer.status, answer.body.as_slice()), (StatusCode::OK, &b"soup"[..]), "{range}");
    }
    for query in ["", "?format=raw"] {
        let uri = format!("/ipfs/{cid}{query}");
        let whole = gateway.get(&uri, &[]).await;
        let first = gateway.get(&uri, &[("range", "bytes=2-3,0-1")]).await;
        assert_eq!((first.status, first.text()), (StatusCode::PARTIAL_CONTENT, "up"), "{query}");
        assert_eq!((first.header("content-range"), first.header("content-length")), ("bytes 2-3/4", "2"));
        assert_eq!(first.header("content-type"), whole.header("content-type"));
    }
    let twice = gateway.get(&format!("/ipfs/{cid}"), &[("range", "bytes=0-1"), ("range", "bytes=2-3")]).await;
    assert_eq!(twice.status, StatusCode::OK);
}

#[tokio::test]
async fn a_cached_answer_is_not_sent_again_and_a_resumed_one_fits() {
    let mut gateway = Gateway::new();
    let cid = gateway.shown("a", b"soup").await;
    let (uri, tag) = (format!("/ipfs/{cid}"), format!("\"{cid}\""));
    let cached = gateway.get(&uri, &[("if-none-match", &tag)]).await;
    assert_eq!((cached.status, cached.body.len()), (StatusCode::NOT_MODIFIED, 0));
    assert_eq!(cached.header("etag"), tag);
    let fits = gateway.get(&uri, &[("range", "bytes=1-"), ("if-range", &tag)]).await;
    assert_eq!((fits.status, fits.body.as_slice()), (StatusCode::PARTIAL_CONTENT, &b"oup"[..]));
    for other in ["\"other\"", "Wed, 21 Oct 2015 07:28:00 GMT", &format!("W/{tag}")] {
        let whole = gateway.get(&uri, &[("range", "bytes=1-"), ("if-range", other)]).await;
        assert_eq!((whole.status, whole.body.as_slice()), (StatusCode::OK, &b"soup"[..]), "{other}");
    }
}

#[tokio::test]
async fn head_says_what_get_would_without_its_body() {
    let mut gateway = Gateway::new();
    let cid = gateway.shown("a", &bytes(MIB + 1)).await;
    for query in ["", "?format=raw", "?format=car"] {
        let uri = format!("/ipfs/{cid}{query}");
        let head = gateway.ask(request(Method::HEAD, &uri, &[("range", "bytes=0-1")])).await;
        let get = gateway.get(&uri, &[]).await;
        assert_eq!((head.status, head.body.len()), (StatusCode::OK, 0));
        for name in ["etag", "content-type", "content-length", "cache-control", "content-disposition"] {
            assert_eq!(head.header(name), get.header(name), "{query} {name}");
        }
    }
}

#[tokio::test]
async fn a_raw_block_is_exactly_the_block() {
    let mut gateway = Gateway::new();
    let content = bytes(2 * MIB);
    let root = gateway.shown("a", &content).await;
    let layout = Layout::of(&content, Profile::V1_2025);
    let accept = [("accept", "application/vnd.ipld.raw")];
    for (answer, block) in [
        (gateway.get(&format!("/ipfs/{root}?format=raw"), &[]).await, layout.nodes[0].1.to_vec()),
        (gateway.get(&format!("/ipfs/{root}"), &accept).await, layout.nodes[0].1.to_vec()),
        (gateway.get(&format!("/ipfs/{}?format=raw", layout.leaves[1].0), &[]).await, content[MIB..].to_vec()),
    ] {
        assert_eq!(answer.status, StatusCode::OK);
        assert!(answer.body == block);
        assert_eq!(answer.header("content-type"), "application/vnd.ipld.raw");
        assert!(answer.header("content-disposition").starts_with("attachment; filename=\""));
    }
    let version_0 = Cid::new_v0(*root.hash()).unwrap();
    assert!(gateway.get(&format!("/ipfs/{version_0}"), &[]).await.body == content);
}

#[tokio::test]
async fn a_car_holds_the_dag_or_the_part_that_is_asked_for() {
    let mut gateway = Gateway::new();
    let content = bytes(4 * MIB + 1);
    let root = gateway.shown("a", &content).await;
    let layout = Layout::of(&content, Profile::V1_2025);
    let leaf = |n: usize| layout.leaves[n].0;
    for (query, blocks) in [
        ("", vec![root, leaf(0), leaf(1), leaf(2), leaf(3), leaf(4)]),
        ("&dag-scope=entity", vec![root, leaf(0), leaf(1), leaf(2), leaf(3), leaf(4)]),
        ("&dag-scope=block", vec![root]),
        ("&dag-scope=entity&entity-bytes=1048576:2097152", vec![root, leaf(1), leaf(2)]),
        ("&dag-scope=entity&entity-bytes=-1:*", vec![root, leaf(4)]),
        ("&dag-scope=entity&entity-bytes=99999999:*", vec![root]),
    ] {
        let answer = gateway.get(&format!("/ipfs/{root}?format=car{query}"), &[]).await;
        assert_eq!(answer.status, StatusCode::OK);
        assert_eq!(answer.header("content-type"), "application/vnd.ipld.car; version=1; order=dfs; dups=n");
        let car::Car { roots, blocks: read } = car::read(&answer.body).unwrap();
        assert_eq!(roots, [root]);
        assert_eq!(read.iter().map(|(cid, _)| *cid).collect::<Vec<_>>(), blocks, "{query}");
    }
    let tags: HashSet<String> =
        futures_util::future::join_all(["", "&dag-scope=block", "&entity-bytes=0:1"].map(|query| {
            let uri = format!("/ipfs/{root}?format=car{query}");
            let gateway = &gateway;
            async move { gateway.get(&uri, &[]).await.header("etag").to_owned() }
        }))
        .await
        .into_iter()
        .collect();
    assert_eq!(tags.len(), 3, "each CAR has its own tag");
}

#[tokio::test]
async fn what_is_hidden_looks_exactly_like_what_is_not_here() {
    let mut gateway = Gateway::new();
    let content = bytes(MIB + 5);
    let hidden = gateway.hidden("hidden", &content).await;
    gateway.shown("other", b"soup").await;
    let leaf = Layout::of(&content, Profile::V1_2025).leaves[0].0;
    let missing = cid::of_raw(b"nowhere");
    let tag = format!("\"{hidden}\"");
    let requests: [(&str, &[(&str, &str)]); 9] = [
        ("", &[]),
        ("?format=raw", &[]),
        ("?format=car", &[]),
        ("?format=car&entity-bytes=0:1", &[]),
        ("/a/b?format=car", &[]),
        ("/..", &[]),
        ("", &[("range", "bytes=0-1")]),
        ("", &[("range", "bytes=99999999-")]),
        ("", &[("if-none-match", "*"), ("if-range", &tag)]),
    ];
    for (rest, headers) in requests {
        let expected = gateway.get(&format!("/ipfs/{missing}{rest}"), headers).await;
        assert_eq!(expected.status, StatusCode::NOT_FOUND);
        for cid in [hidden, leaf] {
            let answer = gateway.get(&format!("/ipfs/{cid}{rest}"), headers).await;
            assert_eq!(
                (answer.status, &answer.headers, &answer.body),
                (expected.status, &expected.headers, &expected.body),
                "{rest}"
            );
        }
    }
}

#[tokio::test]
async fn a_leaf_shared_with_a_visible_file_may_be_seen() {
    let mut gateway = Gateway::new();
    gateway.hidden("hidden", &bytes(2 * MIB)).await;
    let shown = gateway.shown("shown", &[bytes(2 * MIB), b"more".to_vec()].concat()).await;
    let leaf = Layout::of(&bytes(2 * MIB), Profile::V1_2025).leaves[0].0;
    assert_eq!(gateway.get(&format!("/ipfs/{leaf}?format=raw"), &[]).await.status, StatusCode::OK);
    gateway.guests.private.remove(&shown);
    gateway.guests.public.insert(shown);
    let answer = gateway.get(&format!("/ipfs/{leaf}?format=raw"), &[]).await;
    assert_eq!(answer.header("cache-control"), "public, max-age=29030400, immutable");
}

#[tokio::test]
async fn malformed_requests_are_refused_before_anything_is_looked_up() {
    let mut gateway = Gateway::new();
    let cid = gateway.shown("a", b"soup").await;
    let long = "b".repeat(5000);
    for name in ["x", "..", "%2e%2e%2fetc", "bafkrei", "%00", "%F0%9F%8D%B2", &long] {
        assert_eq!(gateway.get(&format!("/ipfs/{name}"), &[]).await.status, StatusCode::BAD_REQUEST, "{name:.20}");
    }
    for query in ["format=zip", "format=car&dag-scope=some", "format=car&entity-bytes=x", "format="] {
        assert_eq!(gateway.get(&format!("/ipfs/{cid}?{query}"), &[]).await.status, StatusCode::BAD_REQUEST, "{query}");
    }
    let version_2 = [("accept", "application/vnd.ipld.car;version=2")];
    assert_eq!(gateway.get(&format!("/ipfs/{cid}"), &version_2).await.status, StatusCode::BAD_REQUEST);
    let deep = "/a".repeat(1000);
    for path in ["/a", "/../../etc/passwd", "/%2e%2e/%2e%2e", "//x//", &deep] {
        assert_eq!(gateway.get(&format!("/ipfs/{cid}{path}"), &[]).await.status, StatusCode::NOT_FOUND, "{path:.20}");
    }
}

#[tokio::test]
async fn a_damaged_file_is_an_error_and_not_a_broken_answer() {
    let mut gateway = Gateway::new();
    let cid = gateway.shown("a", b"soup").await;
    let path = gateway.kitchen.folder.path().join("a");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    let modified = file.metadata().unwrap().modified().unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"S", 0).unwrap();
    file.set_modified(modified).unwrap();
    for query in ["", "?format=raw", "?format=car"] {
        let answer = gateway.get(&format!("/ipfs/{cid}{query}"), &[]).await;
        assert_eq!(answer.status, StatusCode::INTERNAL_SERVER_ERROR, "{query}");
        assert_eq!(answer.header("cache-control"), "no-store");
    }
    file.set_modified(modified + std::time::Duration::from_secs(2)).unwrap();
    let answer = gateway.get(&format!("/ipfs/{cid}"), &[]).await;
    assert_eq!((answer.status, answer.header("retry-after")), (StatusCode::SERVICE_UNAVAILABLE, "10"));
}

#[tokio::test]
async fn an_empty_file_is_answered() {
    let mut gateway = Gateway::new();
    let cid = gateway.shown("a", b"").await;
    let answer = gateway.get(&format!("/ipfs/{cid}"), &[]).await;
    assert_eq!((answer.status, answer.header("content-length")), (StatusCode::OK, "0"));
    let part = gateway.get(&format!("/ipfs/{cid}"), &[("range", "bytes=0-")]).await;
    assert_eq!(part.status, StatusCode::RANGE_NOT_SATISFIABLE);
    let raw = gateway.get(&format!("/ipfs/{cid}?format=car"), &[]).await;
    assert_eq!(car::read(&raw.body).unwrap().blocks, [(cid, &b""[..])]);
}
