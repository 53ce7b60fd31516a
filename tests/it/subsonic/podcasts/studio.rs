//! Where podcasts come from: a server beside the node whose pages the test writes.
use std::collections::HashMap;
use std::convert::Infallible;
use std::sync::Arc;

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use futures_util::{StreamExt as _, stream};
use parking_lot::Mutex;
use tokio::sync::mpsc;

/// What a server answers at a path.
#[derive(Clone)]
pub(super) enum Page {
    /// These bytes, as a server that knows ranges and tags sends them.
    Bytes(Bytes),
    /// So many of them, and then the line breaks.
    Cut(Bytes, usize),
    /// So many of them, and then nothing more.
    Stalled(Bytes, usize),
    Packed(Bytes),
    Endless,
    To(String),
    Status(u16),
}

#[derive(Clone)]
struct Desk {
    pages: Arc<Mutex<HashMap<String, Page>>>,
    asked: mpsc::UnboundedSender<(String, HeaderMap)>,
}

/// Where podcasts come from.
pub(super) struct Studio {
    pub url: String,
    desk: Desk,
    pub asked: mpsc::UnboundedReceiver<(String, HeaderMap)>,
}

impl Studio {
    pub async fn open() -> Self {
        Self::at("127.0.0.1:0").await
    }

    pub async fn at(address: &str) -> Self {
        let (sender, asked) = mpsc::unbounded_channel();
        let desk = Desk { pages: Arc::default(), asked: sender };
        let router = axum::Router::new().fallback(answer).with_state(desk.clone());
        let listener = tokio::net::TcpListener::bind(address).await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, desk, asked }
    }

    pub fn put(&self, path: &str, page: Page) {
        self.desk.pages.lock().insert(path.to_owned(), page);
    }

    /// A feed of these episodes: name and path of the file, the newest last.
    pub fn put_feed(&self, episodes: &[(&str, &str)]) {
        self.put("/feed", Page::Bytes(self.feed(episodes).into()));
    }

    pub fn feed(&self, episodes: &[(&str, &str)]) -> String {
        let items: String = episodes
            .iter()
            .enumerate()
            .map(|(n, (title, path))| {
                let file = if path.starts_with('/') { format!("{}{path}", self.url) } else { (*path).to_owned() };
                format!(
                    "<item><title>{title}</title><guid>{title}</guid><pubDate>{:02} Mar 2025 10:00:00 GMT</pubDate>\
                    <description>&lt;p&gt;About {title}&lt;/p&gt;</description><itunes:duration>1:00</itunes:duration>\
                    <enclosure url=\"{file}\" type=\"audio/mpeg\" length=\"7\"/></item>",
                    n + 1
                )
            })
            .collect();
        format!(
            "<rss version=\"2.0\" xmlns:itunes=\"http://www.itunes.com/dtds/podcast-1.0.dtd\"><channel><title>Dough</title>\
            <description>About bread</description><itunes:image href=\"{}/cover\"/>{items}</channel></rss>",
            self.url
        )
    }

    /// The next request for a path; others before it are passed over.
    pub async fn next(&mut self, path: &str) -> HeaderMap {
        loop {
            let (asked, headers) = self.asked.recv().await.unwrap();
            if asked == path {
                return headers;
            }
        }
    }
}

async fn answer(State(desk): State<Desk>, request: Request<Body>) -> Response<Body> {
    let path = request.uri().path().to_owned();
    desk.asked.send((path.clone(), request.headers().clone())).unwrap();
    let page = desk.pages.lock().get(&path).cloned();
    match page {
        None => status(404),
        Some(Page::Status(code)) => status(code),
        Some(Page::To(url)) => {
            Response::builder().status(302).header(header::LOCATION, url).body(Body::empty()).unwrap()
        }
        Some(Page::Endless) => Response::new(Body::from_stream(stream::repeat_with(|| {
            Ok::<_, Infallible>(Bytes::from(vec![b' '; 64 * 1024]))
        }))),
        Some(Page::Packed(bytes)) => {
            Response::builder().header(header::CONTENT_ENCODING, "gzip").body(Body::from(bytes)).unwrap()
        }
        Some(Page::Bytes(bytes)) => ranged(&bytes, bytes.len(), false, request.headers()),
        Some(Page::Cut(bytes, at)) => ranged(&bytes, at, false, request.headers()),
        Some(Page::Stalled(bytes, at)) => ranged(&bytes, at, true, request.headers()),
    }
}

fn status(code: u16) -> Response<Body> {
    Response::builder().status(code).body(Body::empty()).unwrap()
}

/// The bytes from where they are asked for up to `end`, with a tag that follows from all of them.
fn ranged(bytes: &Bytes, end: usize, stalls: bool, headers: &HeaderMap) -> Response<Body> {
    let tag = format!("\"{:x}\"", bytes.iter().fold(bytes.len() as u64, |sum, b| sum.wrapping_mul(31) + u64::from(*b)));
    if headers.get(header::IF_NONE_MATCH).is_some_and(|known| known == &tag) {
        return status(304);
    }
    let same = headers.get(header::IF_RANGE).is_some_and(|known| known == &tag);
    let from = headers.get(header::RANGE).filter(|_| same).map(|range| {
        range.to_str().unwrap().trim_start_matches("bytes=").trim_end_matches('-').parse::<usize>().unwrap()
    });
    let (start, code) = (from.unwrap_or(0), if from.is_some() { 206 } else { 200 });
    let begun = stream::iter([Ok(bytes.slice(start..end.max(start)))]);
    let body = match (end < bytes.len(), stalls) {
        (false, _) => Body::from(bytes.slice(start..)),
        (true, true) => Body::from_stream(begun.chain(stream::pending::<Result<Bytes, std::io::Error>>())),
        // What came before is sent when there is nothing more at once.
        (true, false) => Body::from_stream(begun.chain(stream::once(async {
            tokio::task::yield_now().await;
            Err(std::io::Error::other("cut"))
        }))),
    };
    let mut response = Response::new(body);
    *response.status_mut() = StatusCode::from_u16(code).unwrap();
    let own = response.headers_mut();
    own.insert(header::ETAG, HeaderValue::try_from(tag).unwrap());
    own.insert(header::CONTENT_LENGTH, (bytes.len() - start).into());
    if code == 206 {
        let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
        own.insert(header::CONTENT_RANGE, HeaderValue::try_from(range).unwrap());
    }
    response
}
