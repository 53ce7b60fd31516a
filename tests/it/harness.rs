//! A whole node in this process: a data folder, a library, port 0 on loopback, and HTTP clients to talk to it.
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Once;
use std::time::Duration;

use potluck::accounts::{Account, AccountsOptions, NewAccount};
use potluck::catalog::{LibraryKind, Visibility};
use potluck::exchange::iroh::IrohOptions;
use potluck::facades::native::model::{ItemPage, ItemSummary};
use potluck::facades::{self, ServeOptions, Service, TlsMode};
use potluck::friends::FriendsOptions;
use potluck::friends::links::{LINK_UNUSED, LinksOptions};
use potluck::friends::replicas::ReplicasOptions;
use potluck::library::ScanState;
use potluck::node::{ListensOptions, Node, NodeEvent, NodeOptions, PodcastsOptions, ScrubOptions, Store};
use potluck::playback::PlaybackOptions;
use reqwest::{Client, Method, RequestBuilder, Response};
use serde_json::json;

use crate::fixtures::media_options;

/// Of every account here.
pub const PASSWORD: &str = "a pinch of salt";

/// A node that runs. Stops when it is told to; its folders go when it is dropped.
pub struct TestNode {
    pub service: Service,
    pub url: String,
    pub library: String,
    folder: tempfile::TempDir,
    links: Option<LinksOptions>,
}

/// What a test wants other than usual.
pub struct Wishes {
    pub node: NodeOptions,
    pub serve: ServeOptions,
    pub visibility: Visibility,
    pub kind: LibraryKind,
}

impl TestNode {
    /// A node with an admin `ada` and a library of kind `videos` that holds these files.
    pub async fn start(files: &[PathBuf]) -> Self {
        Self::with(files, |_| {}).await
    }

    /// The same with other settings.
    pub async fn with(files: &[PathBuf], wish: impl FnOnce(&mut Wishes)) -> Self {
        provider();
        let folder = tempfile::tempdir().unwrap();
        let (data, films) = (folder.path().join("data"), folder.path().join("films"));
        std::fs::create_dir(&films).unwrap();
        for file in files {
            std::fs::copy(file, films.join(file.file_name().unwrap())).unwrap();
        }
        let (node, serve_as) = (node_options(&data), serve_options());
        let mut wishes = Wishes { node, serve: serve_as, visibility: Visibility::Private, kind: LibraryKind::Videos };
        wish(&mut wishes);
        let admin = NewAccount {
            name: "ada".into(),
            password: PASSWORD.into(),
            admin: true,
            libraries: None,
            max_bit_rate: None,
        };
        let store = Store::create(&data, cheap(), admin).await.unwrap();
        let library = store.catalog.add_library("Films", wishes.kind, &films, wishes.visibility).await.unwrap();
        store.close().await;
        let links = wishes.node.links.clone();
        let service = serve(wishes.node, wishes.serve).await;
        Self { url: service.url(), service, library: library.id, folder, links }
    }

    pub fn node(&self) -> &Node {
        self.service.node()
    }

    /// The folder of the library.
    pub fn films(&self) -> PathBuf {
        self.folder.path().join("films")
    }

    pub fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    /// Stops it and starts it again on the same data folder.
    pub async fn restart(self) -> Self {
        self.restart_with(|_| {}).await
    }

    /// The same with other settings.
    pub async fn restart_with(self, wish: impl FnOnce(&mut NodeOptions)) -> Self {
        self.halt().await.wake(wish).await
    }

    /// Stops it for a while.
    pub async fn halt(self) -> HaltedNode {
        let Self { service, library, folder, links, .. } = self;
        service.stop().await;
        HaltedNode { library, folder, links }
    }

    pub async fn stop(self) {
        self.service.stop().await;
    }

    /// Makes an account that may see these libraries; `None` for all.
    pub async fn account(&self, name: &str, libraries: Option<Vec<String>>) -> Account {
        let new =
            NewAccount { name: name.into(), password: PASSWORD.into(), admin: false, libraries, max_bit_rate: None };
        self.node().accounts().add(new).await.unwrap()
    }

    /// A client with its own cookies, signed in.
    pub async fn signed_in(&self, name: &str) -> Browser {
        let browser = self.browser();
        let answer = browser.sign_in(name, PASSWORD).await;
        assert_eq!(answer.status(), 200, "signing in as {name}");
        browser
    }

    /// A client with its own cookies that is not signed in.
    pub fn browser(&self) -> Browser {
        Browser { client: client(), url: self.url.clone() }
    }

    /// The playable items, once the library was scanned to its end.
    pub async fn imported(&self) -> Vec<ItemSummary> {
        let mut events = self.node().events();
        while self.node().importer().progress(&self.library).is_some() || !self.scanned().await {
            let ended = |e: &NodeEvent| matches!(e, NodeEvent::Scan(p) if matches!(p.state, ScanState::Done | ScanState::Failed));
            while !ended(&events.recv().await.unwrap()) {}
        }
        let page = self.signed_in("ada").await.get("/api/v1/items?limit=500").send().await.unwrap();
        page.json::<ItemPage>().await.unwrap().items
    }

    async fn scanned(&self) -> bool {
        self.node().catalog().library(&self.library).await.unwrap().scanned_at.is_some()
    }
}

/// A node that is stopped; its folders are there.
pub struct HaltedNode {
    library: String,
    folder: tempfile::TempDir,
    links: Option<LinksOptions>,
}

impl HaltedNode {
    /// Starts it again on the same data folder.
    pub async fn wake(self, wish: impl FnOnce(&mut NodeOptions)) -> TestNode {
        let Self { library, folder, links } = self;
        let mut node = NodeOptions { links: links.clone(), ..node_options(&folder.path().join("data")) };
        wish(&mut node);
        let service = serve(node, serve_options()).await;
        TestNode { url: service.url(), service, library, folder, links }
    }
}

async fn serve(node: NodeOptions, serve: ServeOptions) -> Service {
    let node = Node::start(node).await.unwrap();
    facades::serve(node, serve).await.unwrap()
}

/// A client and the node it talks to.
#[derive(Clone)]
pub struct Browser {
    client: Client,
    url: String,
}

impl Browser {
    pub fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("{}{path}", self.url))
    }

    pub fn get(&self, path: &str) -> RequestBuilder {
        self.request(Method::GET, path)
    }

    pub fn post(&self, path: &str) -> RequestBuilder {
        self.request(Method::POST, path)
    }

    pub async fn sign_in(&self, name: &str, password: &str) -> Response {
        let body = json!({"username": name, "password": password});
        self.post("/api/v1/login").json(&body).send().await.unwrap()
    }

    pub async fn status(&self, path: &str) -> u16 {
        self.get(path).send().await.unwrap().status().as_u16()
    }
}

/// Accepts whatever certificate a test node made.
pub fn client() -> Client {
    provider();
    let builder = Client::builder().cookie_store(true).tls_danger_accept_invalid_certs(true);
    builder.timeout(Duration::from_secs(60)).build().unwrap()
}

/// The one TLS provider of this program.
pub fn provider() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| rustls::crypto::aws_lc_rs::default_provider().install_default().unwrap());
}

/// Password checks that cost nothing.
pub fn cheap() -> AccountsOptions {
    AccountsOptions { argon2_memory_kib: 64, argon2_passes: 1, ..AccountsOptions::default() }
}

fn node_options(data: &Path) -> NodeOptions {
    NodeOptions {
        data: data.to_owned(),
        accounts: cheap(),
        watch: false,
        rescan: None,
        settle: Duration::ZERO,
        keep_trashed: Duration::from_secs(3600),
        media: media_options(),
        playback: PlaybackOptions::default(),
        webrtc: None,
        links: None,
        friends: FriendsOptions::default(),
        scrub: ScrubOptions::default(),
        ipfs: None,
        replicas: ReplicasOptions::default(),
        listens: ListensOptions::default(),
        podcasts: PodcastsOptions::default(),
        fetched_bytes: 64 * 1024 * 1024,
    }
}

/// Links with friends' nodes on loopback.
pub fn links(name: &str) -> LinksOptions {
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let iroh = IrohOptions { listen, dial_time: Duration::from_secs(5), ..IrohOptions::default() };
    LinksOptions { name: name.to_owned(), keep: true, awake_max: 256, unused: LINK_UNUSED, ipfs: None, iroh }
}

fn serve_options() -> ServeOptions {
    ServeOptions {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        komga: None,
        tls: TlsMode::Off,
        connections_max: 4096,
        facades: facades::FacadeOptions::default(),
    }
}
