//! The sound of a whole file as an answer, for every dialect that plays music: with ranges where it is kept, as it comes where it is
//! being made. `HEAD` starts nothing.
//!
//! What is being made has no ranges: a part that does not fit what a program has already would spoil its copy, so the whole comes
//! with 200, whatever was asked. What goes wrong in the middle ends the connection, so that nobody takes it for whole.
use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header::{
    ACCEPT_RANGES, CACHE_CONTROL, CONTENT_LENGTH, CONTENT_RANGE, CONTENT_TYPE, ETAG, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode};
use axum::response::Response;
use futures_util::stream;

use super::App;
use super::bytes::{self, Cache};
use super::error::Refusal;
use crate::content::ranges::Wanted;
use crate::playback::{ComingSound, KeptSound, Sound, SoundForm, Source, Watcher};

/// Seconds of the sound, which programs that play music look for.
const DURATION: HeaderName = HeaderName::from_static("x-content-duration");

/// What is wanted of a file's sound.
pub(super) struct Wish<'a> {
    pub source: &'a Source,
    pub form: SoundForm,
    /// With `Content-Length` where it is known before the sound is made.
    pub length: bool,
    pub watcher: &'a Watcher,
}

/// Answers a `GET` or `HEAD`. Whether the caller may hear it was decided before.
///
/// # Errors
/// What keeps it from being made; nothing was sent then.
pub(super) async fn answer(
    app: &App,
    wish: Wish<'_>,
    method: &Method,
    headers: &HeaderMap,
) -> Result<Response, Refusal> {
    let (playback, Wish { source, form, watcher, .. }) = (app.node().playback(), &wish);
    let mut response = match playback.kept_sound(source, form, watcher).await {
        Some(kept) => of_kept(&kept, method, headers),
        // Of what is not made the length is not known, and an empty body has one.
        None if method == Method::HEAD => {
            Response::new(Body::from_stream(stream::empty::<Result<Bytes, Infallible>>()))
        }
        None => match playback.sound(source, form, watcher).await? {
            Sound::Kept(kept) => of_kept(&kept, method, headers),
            Sound::Coming(coming) => of_coming(coming, wish.length),
        },
    };
    let seconds = source.facts.duration - form.offset().as_secs_f64();
    if seconds > 0.0 {
        bytes::set(&mut response, DURATION, &format!("{seconds:.3}"));
    }
    let headers = response.headers_mut();
    headers.entry(ACCEPT_RANGES).or_insert(HeaderValue::from_static("none"));
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.codec().content_type()));
    headers.insert(CACHE_CONTROL, Cache::Revalidate.header());
    headers.insert(X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    Ok(response)
}

fn of_kept(kept: &KeptSound, method: &Method, headers: &HeaderMap) -> Response {
    let (tag, size) = (format!("\"{}\"", kept.tag()), kept.size());
    if bytes::not_modified(headers, &tag) {
        return bytes::unchanged(&tag, Cache::Revalidate);
    }
    let (range, part) = match bytes::asked(method, headers, &tag, size) {
        Wanted::Unsatisfiable => return bytes::unsatisfiable(size),
        Wanted::Part(range) => (range, true),
        Wanted::Whole => (0..size, false),
    };
    let body = if method == Method::HEAD { Body::empty() } else { Body::from_stream(kept.read(range.clone())) };
    let mut response = Response::new(body);
    if part {
        *response.status_mut() = StatusCode::PARTIAL_CONTENT;
        bytes::set(&mut response, CONTENT_RANGE, &format!("bytes {}-{}/{size}", range.start, range.end - 1));
    }
    bytes::set(&mut response, ETAG, &tag);
    response.headers_mut().insert(CONTENT_LENGTH, (range.end - range.start).into());
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("bytes"));
    response
}

fn of_coming(coming: ComingSound, with_length: bool) -> Response {
    let length = coming.length().filter(|_| with_length);
    let mut response = Response::new(Body::from_stream(coming.read()));
    if let Some(length) = length {
        response.headers_mut().insert(CONTENT_LENGTH, length.into());
    }
    response
}
