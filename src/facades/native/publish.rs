//! Publishing renditions of an item, for admins.
use axum::body::Body;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::model::{Problem, Publish, PublishProgress};
use super::shapes::playable;
use crate::accounts::Caller;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::error::with_causes;
use crate::facades::extract::{Asker, Json, Path};
use crate::playback::{self, Playback, Source};

/// Lines that may wait for a slow reader. Those after them are left out, but for the last.
const LINES_MAX: usize = 64;

/// Makes all segments of renditions and puts them into a folder with one CID (admin). The answer is a line of JSON for
/// each piece; the last one has the root or a problem. Whoever stops reading stops the work; what is made stays.
#[utoipa::path(post, path = "/api/v1/items/{id}/publish", tag = "playback", params(("id" = String, Path)),
    request_body = Publish,
    responses((status = 200, content_type = "application/x-ndjson", body = PublishProgress),
        (status = 403, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn publish(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(wish): Json<Publish>,
) -> Result<Response, Refusal> {
    let source = playable(&seen(&app, &caller, &id).await?)?;
    for wanted in wish.renditions.iter().filter(|id| id.parse::<playback::SubtitleId>().is_err()) {
        app.node().playback().rendition(&source, wanted, &playback::Watcher::default()).await?;
    }
    let (lines, read) = mpsc::channel(LINES_MAX);
    let stop = app.node().tasks().stopping().child_token();
    let reader = stop.clone().drop_guard();
    let playback = app.node().playback().clone();
    app.node().tasks().spawn("publish", |_| run(playback, source, id, wish.renditions, lines, stop));
    let body = stream::unfold((read, reader), |(mut read, reader)| async move {
        let line: PublishProgress = read.recv().await?;
        let mut text = serde_json::to_vec(&line).unwrap_or_default();
        text.push(b'\n');
        Some((Ok::<_, std::convert::Infallible>(Bytes::from(text)), (read, reader)))
    });
    Ok(([(header::CONTENT_TYPE, "application/x-ndjson")], Body::from_stream(body)).into_response())
}

async fn seen(app: &App, caller: &Caller, id: &str) -> Result<crate::catalog::Listed, Refusal> {
    Ok(app.node().catalog().item(id, caller.id()).await?)
}

async fn run(
    playback: Playback,
    source: Source,
    item: String,
    renditions: Vec<String>,
    lines: mpsc::Sender<PublishProgress>,
    stop: CancellationToken,
) {
    let mut last = PublishProgress::default();
    let tell = |progress: playback::PublishProgress| {
        last = PublishProgress {
            done: progress.done,
            total: progress.total,
            bytes: progress.bytes,
            rendition: Some(progress.rendition),
            ..PublishProgress::default()
        };
        // A reader that is slow misses some.
        let _ = lines.try_send(last.clone());
    };
    let published = playback.publish(&source, &item, &renditions, tell, &stop).await;
    match published {
        Ok(published) => {
            last.playlist = Some(format!("/ipfs/{}/master.m3u8", published.root));
            last.root = Some(published.root.to_string());
        }
        Err(error) => last.problem = Some(with_causes(&error)),
    }
    // Nobody reading any more is not an error.
    let _ = lines.send(last).await;
}
