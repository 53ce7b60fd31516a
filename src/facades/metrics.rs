//! `/metrics` for Prometheus.
use std::sync::atomic::{AtomicU64, Ordering};

use axum::extract::State;
use axum::http::{HeaderMap, header};
use axum::response::{IntoResponse, Response};
use prometheus_client::collector::Collector;
use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric};
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;

use super::App;
use super::carrier::Traffic;
use super::error::Refusal;
use crate::accounts::{Caller, TokenHash};
use crate::exchange::CarrierState;
use crate::media::MediaState;

/// Who may read `/metrics`. Admins always may.
#[derive(Debug, Clone, Default)]
pub struct MetricsAccess {
    /// Also whoever asks from this machine itself.
    pub loopback: bool,
    /// Also whoever brings this token as `Authorization: Bearer`.
    pub token: Option<TokenHash>,
}

impl MetricsAccess {
    /// Whether the request brings the token.
    pub(super) fn takes(&self, headers: &HeaderMap) -> bool {
        let bearer = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
        let token = bearer.and_then(|value| value.split_once(' ')).map(|(_, token)| TokenHash::of(token.trim()));
        self.token.is_some() && self.token == token
    }

    /// Lets a caller through or says why not.
    pub(super) fn allows(&self, caller: &Caller, headers: &HeaderMap) -> Result<(), Refusal> {
        if caller.is_admin() || (self.loopback && caller.address.is_loopback()) || self.takes(headers) {
            return Ok(());
        }
        Err(if caller.account.is_some() {
            Refusal::forbidden("only an admin may read the figures")
        } else {
            Refusal::unauthenticated()
        })
    }
}

/// Figures at the moment they are asked for.
#[derive(Debug)]
struct Figures {
    uptime_seconds: f64,
    carriers: Vec<(&'static str, CarrierState)>,
    media: MediaState,
    blocks: u64,
}

impl Collector for Figures {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), std::fmt::Error> {
        gauge(&mut encoder, "potluck_uptime_seconds", "Since the node's start", self.uptime_seconds)?;
        gauge(&mut encoder, "potluck_media_workers_running", "Media worker processes", self.media.running as f64)?;
        gauge(&mut encoder, "potluck_media_workers_busy", "Media workers at work", self.media.busy as f64)?;
        gauge(&mut encoder, "potluck_blocks", "Blocks in the index", self.blocks as f64)?;
        ConstCounter::new(self.media.failures).encode(encoder.encode_descriptor(
            "potluck_media_worker_failures",
            "Media workers ended by a crash or a limit",
            None,
            prometheus_client::metrics::MetricType::Counter,
        )?)?;
        type Pick = fn(&CarrierState) -> u64;
        let counters: [(&str, &str, Pick); 3] = [
            ("potluck_requests", "Requests answered", |s| s.requests),
            ("potluck_sent_bytes", "Bytes sent", |s| s.bytes_sent),
            ("potluck_received_bytes", "Bytes received", |s| s.bytes_received),
        ];
        for (name, help, pick) in counters {
            let kind = prometheus_client::metrics::MetricType::Counter;
            let mut family = encoder.encode_descriptor(name, help, None, kind)?;
            for (carrier, state) in &self.carriers {
                ConstCounter::new(pick(state)).encode(family.encode_family(&[("carrier", *carrier)])?)?;
            }
        }
        let kind = prometheus_client::metrics::MetricType::Gauge;
        let mut family = encoder.encode_descriptor("potluck_connections", "Open connections", None, kind)?;
        for (carrier, state) in &self.carriers {
            ConstGauge::new(state.connections).encode(family.encode_family(&[("carrier", *carrier)])?)?;
        }
        Ok(())
    }
}

fn gauge(encoder: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: f64) -> Result<(), std::fmt::Error> {
    let kind = prometheus_client::metrics::MetricType::Gauge;
    ConstGauge::new(value).encode(encoder.encode_descriptor(name, help, None, kind)?)
}

/// What a TCP carrier moved, in the words of the other.
pub(super) fn moved(traffic: &Traffic) -> CarrierState {
    let value = |n: &AtomicU64| n.load(Ordering::Relaxed);
    CarrierState {
        connections: value(&traffic.connections),
        requests: value(&traffic.requests),
        bytes_sent: value(&traffic.sent),
        bytes_received: value(&traffic.received),
    }
}

/// `GET /metrics` in the OpenMetrics text format.
pub(super) async fn show(State(app): State<App>) -> Result<Response, Refusal> {
    let node = app.node();
    let mut carriers = vec![("http", moved(app.http())), ("https", moved(app.https()))];
    carriers.extend(node.webrtc().map(|webrtc| ("webrtc", webrtc.state())));
    carriers.extend(node.links().map(|links| ("iroh", links.iroh().state())));
    carriers.extend(node.ipfs().map(|ipfs| ("libp2p", ipfs.libp2p().carrier())));
    let (blocks, _) = blocks(&app).await?;
    let figures =
        Figures { uptime_seconds: node.uptime().as_secs_f64(), carriers, media: node.media().state(), blocks };
    let mut registry = Registry::default();
    registry.register_collector(Box::new(figures));
    let mut text = String::new();
    encode(&mut text, &registry).map_err(|error| Refusal::internal(&error))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response())
}

async fn blocks(app: &App) -> Result<(u64, u64), Refusal> {
    let totals = app.node().blocks().totals().await.map_err(|error| Refusal::internal(&error))?;
    Ok((totals.blocks, totals.objects))
}
