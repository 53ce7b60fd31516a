//! Renditions and their segments by CID, for players that fetch blocks from several sources.
use axum::extract::State;
use axum::http::StatusCode;

use super::capabilities;
use super::model::{
    BlockRef, CapabilityQuery, Problem, Rendition, RenditionMethod, Renditions, Segment, SegmentBlocks, SegmentQuery,
    VideoRange,
};
use super::shapes::{decision, playable};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Path, Query, SeenItem};
use crate::playback::{self, PlaybackError, Source, Watcher};

/// Segments told at once.
const SEGMENTS_MAX: u64 = 32;

/// The renditions of an item, and how it plays.
#[utoipa::path(get, path = "/api/v1/items/{id}/renditions", tag = "playback", 
    params(("id" = String, Path), CapabilityQuery),
    responses((status = 200, body = Renditions), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn list(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    Query(query): Query<CapabilityQuery>,
) -> Result<axum::Json<Renditions>, Refusal> {
    let client = capabilities::of(query, &caller)?;
    let source = playable(&item)?;
    let playback = app.node().playback();
    let choice = match playback.choice(&source, &client).await {
        Ok(choice) => choice,
        Err(PlaybackError::Unsupported(_)) => {
            let decision = decision(playback.decide(&source.facts, &client));
            return Ok(axum::Json(Renditions { decision, renditions: Vec::new() }));
        }
        Err(error) => return Err(error.into()),
    };
    let mut renditions = Vec::new();
    for rendition in choice.renditions() {
        renditions.push(shape(&app, &source, rendition).await?);
    }
    Ok(axum::Json(Renditions { decision: decision(choice.decision), renditions }))
}

async fn shape(app: &App, source: &Source, rendition: &playback::Rendition) -> Result<Rendition, Refusal> {
    let init = match rendition.transcoded {
        false => Some(blocks(&app.node().playback().init(source, &rendition.id, &Watcher::default()).await?)),
        true => None,
    };
    Ok(Rendition {
        id: rendition.id.clone(),
        kind: rendition.kind,
        codecs: rendition.codecs.clone(),
        language: rendition.language.clone(),
        name: rendition.name.clone(),
        descriptor: rendition.descriptor.to_string(),
        segments: rendition.segments.len() as u64,
        duration: rendition.segments.last().map_or(0.0, |(start, duration)| start + duration),
        method: if rendition.transcoded { RenditionMethod::Transcode } else { RenditionMethod::Copy },
        default: rendition.default,
        width: rendition.size.map(|(width, _)| width),
        height: rendition.size.map(|(_, height)| height),
        frame_rate: rendition.frame_rate,
        video_range: rendition.video_range.map(|range| match range {
            "PQ" => VideoRange::Pq,
            "HLG" => VideoRange::Hlg,
            _ => VideoRange::Sdr,
        }),
        channels: rendition.channels,
        bit_rate: rendition.peak_bit_rate,
        init,
    })
}

/// The initialisation section of a rendition.
#[utoipa::path(get, path = "/api/v1/items/{id}/renditions/{rendition}/init", tag = "playback",
    params(("id" = String, Path), ("rendition" = String, Path)),
    responses((status = 200, body = SegmentBlocks), (status = 404, body = Problem), (status = 429, body = Problem)))]
pub(in crate::facades) async fn init(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    path: Path<(String, String)>,
) -> Result<axum::Json<SegmentBlocks>, Refusal> {
    let (Path((_, rendition)), source) = (path, playable(&item)?);
    let init = app.node().playback().init(&source, &rendition, &capabilities::watcher(&caller)).await?;
    Ok(axum::Json(blocks(&init)))
}

/// The caller watches this item no more: what is transcoded for it alone may stop.
#[utoipa::path(post, path = "/api/v1/items/{id}/stopped", tag = "playback", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn stopped(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
) -> StatusCode {
    if let Some(cid) = item.item.file.as_ref().and_then(|file| file.cid) {
        app.node().playback().stopped(&cid, &capabilities::watcher(&caller).viewer);
    }
    StatusCode::NO_CONTENT
}

/// What a made piece consists of.
pub(super) fn blocks(segment: &playback::Segment) -> SegmentBlocks {
    let leaves = segment.layout.leaves.iter();
    SegmentBlocks {
        cid: segment.layout.root.to_string(),
        size: segment.layout.size,
        blocks: leaves.map(|(cid, size)| BlockRef { cid: cid.to_string(), size: *size }).collect(),
    }
}

/// A window of segments with the blocks that make them up and who holds them.
#[utoipa::path(get, path = "/api/v1/items/{id}/renditions/{rendition}/segments", tag = "playback",
    params(("id" = String, Path), ("rendition" = String, Path), SegmentQuery),
    responses((status = 200, body = Vec<Segment>), (status = 403, body = Problem), (status = 404, body = Problem),
        (status = 415, body = Problem), (status = 429, body = Problem)))]
pub(in crate::facades) async fn segments(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    path: Path<(String, String)>,
    Query(query): Query<SegmentQuery>,
) -> Result<axum::Json<Vec<Segment>>, Refusal> {
    let (Path((_, id)), source) = (path, playable(&item)?);
    let count = query.count.unwrap_or(4);
    if !(1..=SEGMENTS_MAX).contains(&count) {
        return Err(Refusal::invalid(format!("count: must be 1 to {SEGMENTS_MAX}")));
    }
    let (playback, watcher) = (app.node().playback(), capabilities::watcher(&caller));
    let rendition = playback.rendition(&source, &id, &watcher).await?;
    let last = query.from.saturating_add(count).min(rendition.segments.len() as u64);
    let mut window = Vec::new();
    for n in query.from..last {
        let made = match n == query.from {
            true => Some(playback.segment(&source, &id, n, &watcher).await?),
            false => playback.next(&source, &rendition, n, &watcher).await?,
        };
        // What comes after a gap is asked for when the gap is filled.
        let Some(made) = made else { break };
        window.push(told(&rendition, n, made));
    }
    Ok(axum::Json(window))
}

fn told(rendition: &playback::Rendition, n: u64, made: playback::Segment) -> Segment {
    let span = usize::try_from(n).ok().and_then(|n| rendition.segments.get(n));
    let (start, duration) = span.copied().unwrap_or_default();
    Segment { n, start, duration, content: blocks(&made), encoder: made.encoder, sources: vec!["node".to_owned()] }
}
