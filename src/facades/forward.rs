//! Asks a friend's node for what it holds, and passes its answer on.
//!
//! Friends' items have the friend's ids, so the path is the same on both nodes. Where that node is off, another one that holds
//! the same file is asked under the id it has there: the same rendition is made of the same blocks. Nothing else of a request passes but a few
//! headers, and nothing of an answer that could make the page of this node run, keep or send something: headers and types
//! from a fixed list, statuses that say something of the item. Who may see the item here was decided before.
use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Full};

use super::App;
use super::error::Refusal;
use super::holders::{self, Way};
use super::ipfs;
use crate::accounts::Caller;
use crate::catalog::Item;
use crate::content::Cid;
use crate::content::cid;
use crate::exchange;
use crate::friends::{BlockFailure, BlockPlace, FriendPicture, Friends, PictureKind, PictureOf};
use crate::playback::RenditionId;

/// Names the one of our people for whom a friend's node is asked, where what is asked for is shared with some of them only. Set
/// here, from who signed in, and never taken from a request; see [`Accounts::on_behalf`](crate::accounts::Accounts::on_behalf).
pub(super) const FOR: HeaderName = HeaderName::from_static("potluck-for");
/// Headers of a request that a friend's node is told.
const ASKED: [HeaderName; 4] = [header::ACCEPT, header::RANGE, header::IF_RANGE, header::IF_NONE_MATCH];
/// Headers of an answer that are believed.
const TOLD: [HeaderName; 5] =
    [header::CONTENT_LENGTH, header::CONTENT_RANGE, header::ACCEPT_RANGES, header::ETAG, header::RETRY_AFTER];
/// Types that an answer may have; others are bytes.
const TYPES: [&str; 18] = [
    "application/json",
    "application/octet-stream",
    "application/vnd.apple.mpegurl",
    "application/vnd.ipld.raw",
    "audio/aac",
    "audio/flac",
    "audio/mp4",
    "audio/mpeg",
    "audio/ogg",
    "font/otf",
    "font/ttf",
    "image/avif",
    "image/gif",
    "image/jpeg",
    "image/png",
    "image/webp",
    "text/vtt",
    "text/x-ssa",
];
/// Bytes of an answer at most, but of the file itself: a segment of the heaviest film.
const ANSWER_MAX: u64 = 256 * 1024 * 1024;
/// Bytes of the sound of a whole file: a day of it.
const SOUND_MAX: u64 = 4 * 1024 * 1024 * 1024;
/// Friends who make the same pieces of a file as the one that is asked for them.
const PREPARED_MAX: usize = 2;
/// A file may have grown since we heard of it by as much.
const FILE_SLACK: u64 = 1024 * 1024;

/// What a request asks. Its body is never read: what may be forwarded asks by its path alone.
pub(super) struct Question {
    method: Method,
    uri: Uri,
    headers: HeaderMap,
}

impl Question {
    pub fn of<B>(request: &axum::http::Request<B>) -> Self {
        Self { method: request.method().clone(), uri: request.uri().clone(), headers: request.headers().clone() }
    }
}

/// The answer of a friend that holds an item.
pub(super) async fn to_holder(
    app: &App,
    caller: &Caller,
    item: &Item,
    question: Question,
) -> Result<Response, Refusal> {
    let ways = holders::ways(app, caller, item).await?;
    if let Some(cid) = question.block() {
        return block(app, caller, &ways, item, &cid, &question).await;
    }
    let whole = question.uri.path().ends_with("/file");
    let size = item.file.as_ref().map_or(0, |file| file.size);
    let longest = match whole {
        true => size.saturating_add(FILE_SLACK),
        false if question.uri.path().ends_with("/sound") => SOUND_MAX,
        false => ANSWER_MAX,
    };
    let mut refused = None;
    for way in &ways {
        let asked = question.by(way, item, caller)?;
        match by_way(app, way, asked, longest, ways.len() > 1).await {
            Ok(response) if !lacks(&response) => {
                prepare(app, caller, item, &question, ways.iter().filter(|other| *other != way))?;
                return Ok(response);
            }
            // The friend whose item it is shown as says why, else the first one.
            other if refused.is_none() || way.item == item.id => refused = Some(other),
            _ => {}
        }
    }
    refused.unwrap_or_else(|| Err(Refusal::not_found()))
}

/// A copied piece of a film, and a page of a book, has the same blocks wherever it is made, but only once it was: others who hold the
/// file make it too.
fn prepare<'a>(
    app: &App,
    caller: &Caller,
    item: &Item,
    question: &Question,
    others: impl Iterator<Item = &'a Way>,
) -> Result<(), Refusal> {
    if !question.cuts() {
        return Ok(());
    }
    for way in others.filter(|way| holders::online(app, &way.friend)).take(PREPARED_MAX) {
        friends(app)?.prepare(way.friend.clone(), question.by(way, item, caller)?);
    }
    Ok(())
}

/// One block, from all who hold the file: it is checked here, so it does not matter who gave it.
async fn block(
    app: &App,
    caller: &Caller,
    ways: &[Way],
    item: &Item,
    cid: &Cid,
    question: &Question,
) -> Result<Response, Refusal> {
    if let Some(unchanged) = ipfs::block_unchanged(cid, &question.headers) {
        return Ok(unchanged);
    }
    let place = |way: &Way| {
        let (asked, _) = question.by(way, item, caller)?.into_parts();
        Ok(BlockPlace { friend: way.friend.clone(), uri: asked.uri, headers: asked.headers })
    };
    let places = ways.iter().map(place).collect::<Result<_, Refusal>>()?;
    let found = friends(app)?.block(places, cid).await;
    found.map(|bytes| ipfs::block(cid, bytes)).map_err(|(friend, failure)| match failure {
        BlockFailure::Off(error) => error.into(),
        BlockFailure::Absent => Refusal::not_found(),
        BlockFailure::Broken | BlockFailure::Lie => Refusal::friend_failed(&name_of(app, &friend), &failure),
    })
}

/// A picture of a friend's item: as it is kept here, else as the friend has it, else as one does who holds the same film.
pub(super) async fn picture(
    app: &App,
    caller: &Caller,
    item: &Item,
    kind: PictureKind,
) -> Result<FriendPicture, Refusal> {
    let mut ways = holders::ways(app, caller, item).await?;
    // Whoever is away may have left its picture here.
    ways.sort_by_key(|way| way.item != item.id);
    let mut refused = None;
    for Way { friend, library, item, person } in ways {
        let (told, ()) = named(axum::http::Request::new(()), person.as_deref())?.into_parts();
        let of = PictureOf { friend, library, item, kind, headers: told.headers };
        match friends(app)?.picture(of).await {
            Ok(Some(picture)) => return Ok(picture),
            Ok(None) => {}
            Err(error) => refused = refused.or(Some(error)),
        }
    }
    Err(refused.map_or_else(Refusal::not_found, Refusal::from))
}

/// Another holder may have what this one has not, or cannot give now: its file may be damaged or its slots taken.
pub(super) fn lacks(response: &Response) -> bool {
    matches!(response.status(), StatusCode::NOT_FOUND | StatusCode::SERVICE_UNAVAILABLE | StatusCode::TOO_MANY_REQUESTS)
}

async fn by_way(
    app: &App,
    way: &Way,
    asked: axum::http::Request<exchange::Body>,
    longest: u64,
    others: bool,
) -> Result<Response, Refusal> {
    let friends = friends(app)?;
    let answer = match others {
        true => friends.ask_while_alive(&way.friend, asked, longest).await?,
        false => friends.ask(&way.friend, asked, longest).await?,
    };
    passed_on(answer, &name_of(app, &way.friend))
}

/// Sends a small JSON body to a friend's node, for one of our people where one is named, and returns the JSON it answers with.
pub(super) async fn post_json(
    app: &App,
    friend: &str,
    path: &str,
    person: Option<&str>,
    body: Vec<u8>,
) -> Result<Bytes, Refusal> {
    let body = Full::new(Bytes::from(body)).map_err(|never| match never {}).boxed_unsync();
    let json = HeaderValue::from_static("application/json");
    let request = axum::http::Request::post(path).header(header::CONTENT_TYPE, json).body(body);
    let request = named(request.map_err(|error| Refusal::internal(&error))?, person)?;
    let answer = friends(app)?.ask(friend, request, FILE_SLACK).await?;
    let name = name_of(app, friend);
    if answer.status() != StatusCode::OK {
        return Err(Refusal::friend_answered(&name, answer.status()));
    }
    let body = answer.into_body().collect().await;
    body.map(http_body_util::Collected::to_bytes).map_err(|_| Refusal::friend_answered(&name, StatusCode::OK))
}

fn friends(app: &App) -> Result<&Friends, Refusal> {
    app.node().friends().ok_or_else(|| Refusal::unavailable("friends are switched off on this node"))
}

fn name_of(app: &App, friend: &str) -> String {
    app.node().accounts().friend(friend).map(|friend| friend.name).unwrap_or_default()
}

impl Question {
    /// The block that is asked for as a whole, if it is one.
    fn block(&self) -> Option<Cid> {
        let (_, cid) = self.uri.path().split_once("/blocks/")?;
        let whole = self.method == Method::GET && !self.headers.contains_key(header::RANGE);
        cid::parse(cid).ok().filter(|_| whole)
    }

    /// Whether the answer names blocks that come of copying pieces of the file.
    fn cuts(&self) -> bool {
        let path = self.uri.path();
        if path.ends_with("/pages/blocks") {
            return true;
        }
        let rendition = path.strip_suffix("/segments").and_then(|path| path.rsplit('/').next());
        rendition.is_some_and(|id| id.parse().is_ok_and(|id: RenditionId| !id.is_transcoded()))
    }

    /// The same question by one way, for the caller where that matters.
    fn by(&self, way: &Way, item: &Item, caller: &Caller) -> Result<axum::http::Request<exchange::Body>, Refusal> {
        named(self.request(way.uri(&self.uri, &item.id), caller)?, way.person.as_deref())
    }

    /// The same question to a friend's node, where it has this address, without anything that is not that friend's business.
    fn request(&self, uri: Uri, caller: &Caller) -> Result<axum::http::Request<exchange::Body>, Refusal> {
        let limit = caller.account.as_ref().and_then(|account| account.max_bit_rate);
        let target = match limit.filter(|_| uri.path().ends_with("/renditions") || uri.path().ends_with("/master.m3u8"))
        {
            Some(limit) => format!("{}?{}", uri.path(), limited(uri.query().unwrap_or_default(), limit)),
            None => uri.path_and_query().map(ToString::to_string).unwrap_or_default(),
        };
        let mut request = axum::http::Request::builder().method(&self.method).uri(target);
        for name in ASKED {
            if let Some(value) = self.headers.get(&name) {
                request = request.header(name, value);
            }
        }
        let empty = http_body_util::Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync();
        request.body(empty).map_err(|_| Refusal::not_found())
    }
}

/// The question for one of our people, where one is named.
fn named<B>(mut request: axum::http::Request<B>, person: Option<&str>) -> Result<axum::http::Request<B>, Refusal> {
    if let Some(name) = person {
        let name = HeaderValue::from_bytes(name.as_bytes()).map_err(|error| Refusal::internal(&error))?;
        request.headers_mut().insert(FOR, name);
    }
    Ok(request)
}

/// A query with the limit of the caller's account here, which the friend's node cannot know.
fn limited(query: &str, limit: u64) -> String {
    let (told, mut rest): (Vec<&str>, Vec<&str>) = query.split('&').partition(|pair| pair.starts_with("bit_rate="));
    let asked = told.iter().filter_map(|pair| pair.strip_prefix("bit_rate=")?.parse().ok()).min();
    let least = format!("bit_rate={}", asked.unwrap_or(limit).min(limit));
    rest.retain(|pair| !pair.is_empty());
    rest.push(&least);
    rest.join("&")
}

/// What of a friend's answer is passed on. What it says of who may ask is between the nodes, and no business of the caller.
fn passed_on(answer: axum::http::Response<exchange::Body>, name: &str) -> Result<Response, Refusal> {
    let (parts, body) = answer.into_parts();
    match parts.status.as_u16() {
        200 | 204 | 206 | 304 | 400 | 404 | 415 | 416 | 429 | 503 => {}
        _ => return Err(Refusal::friend_answered(name, parts.status)),
    }
    let mut response = (parts.status, Body::new(body)).into_response();
    let headers = response.headers_mut();
    for header in TOLD {
        if let Some(value) = parts.headers.get(&header) {
            headers.insert(header, value.clone());
        }
    }
    headers.insert(header::CONTENT_TYPE, known_type(&parts.headers));
    headers.insert(header::CACHE_CONTROL, kept(&parts.headers));
    // What a friend sends is shown by our page's players, and never is a page itself.
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static("sandbox"));
    Ok(response)
}

fn known_type(headers: &HeaderMap) -> HeaderValue {
    let told = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let essence = told.split(';').next().unwrap_or_default().trim();
    let plain = essence.bytes().all(|b| b.is_ascii_alphanumeric() || b"/.-+".contains(&b));
    let known = TYPES.contains(&essence) || plain && essence.starts_with("video/");
    let text = if known { essence } else { "application/octet-stream" };
    HeaderValue::from_str(text).unwrap_or(HeaderValue::from_static("application/octet-stream"))
}

/// How long the caller may keep it: as long as a friend says of what has a CID, else it asks again.
fn kept(headers: &HeaderMap) -> HeaderValue {
    const PICTURE: &str = "private, max-age=300";
    const CONTENT: &str = "private, max-age=29030400, immutable";
    let told = headers.get(header::CACHE_CONTROL).and_then(|value| value.to_str().ok());
    HeaderValue::from_static(match told {
        Some(PICTURE) => PICTURE,
        Some(CONTENT) => CONTENT,
        Some("no-store") => "no-store",
        _ => "private, no-cache",
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::exchange::Body as Carried;

    fn empty() -> Carried {
        http_body_util::Empty::<Bytes>::new().map_err(|never| match never {}).boxed_unsync()
    }

    #[test]
    fn only_a_few_headers_reach_a_friend() {
        let mut headers = HeaderMap::new();
        for (name, value) in [
            ("cookie", "potluck_session=x"),
            ("authorization", "Bearer x"),
            ("range", "bytes=0-1"),
            ("x-forwarded-for", "1.2.3.4"),
            ("potluck-for", "anna"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        let question = Question { method: Method::GET, uri: Uri::from_static("/api/v1/items/x/file?a=b"), headers };
        let asked = question.request("/api/v1/items/x/file?a=b".parse().unwrap(), &Caller::local()).unwrap();
        assert_eq!(asked.headers().keys().map(HeaderName::as_str).collect::<Vec<_>>(), ["range"]);
        assert_eq!(asked.uri(), "/api/v1/items/x/file?a=b");
    }

    #[test]
    fn any_name_that_somebody_may_have_is_carried() {
        for name in ["anna", "Änne Müller", "안나", "-"] {
            let asked = named(axum::http::Request::new(()), Some(name)).unwrap();
            assert_eq!(asked.headers()[FOR].as_bytes(), name.as_bytes());
        }
        assert!(named(axum::http::Request::new(()), None).unwrap().headers().is_empty());
    }

    #[test]
    fn only_a_few_headers_and_types_come_back() {
        let answer = axum::http::Response::builder()
            .header("content-type", "text/html")
            .header("set-cookie", "potluck_session=y")
            .header("location", "https://elsewhere.example")
            .header("content-length", "0")
            .header("cache-control", "public, max-age=99999999")
            .header("clear-site-data", "*");
        let response = passed_on(answer.body(empty()).unwrap(), "Bob").unwrap();
        let mut names: Vec<_> = response.headers().keys().map(|name| name.as_str().to_owned()).collect();
        names.sort();
        assert_eq!(names, ["cache-control", "content-length", "content-security-policy", "content-type"]);
        assert_eq!(response.headers()["content-type"], "application/octet-stream");
        assert_eq!(response.headers()["cache-control"], "private, no-cache");
    }

    #[test]
    fn a_refusal_between_nodes_is_not_told_as_the_callers_own() {
        for status in [301, 401, 403, 500] {
            let answer = axum::http::Response::builder().status(status).body(empty()).unwrap();
            assert!(passed_on(answer, "Bob").is_err(), "{status}");
        }
    }

    #[test]
    fn the_limit_of_the_account_here_goes_along() {
        assert_eq!(limited("", 5), "bit_rate=5");
        assert_eq!(limited("video=h264&bit_rate=9&hdr=true", 5), "video=h264&hdr=true&bit_rate=5");
        assert_eq!(limited("bit_rate=3&bit_rate=8", 5), "bit_rate=3");
    }
}
