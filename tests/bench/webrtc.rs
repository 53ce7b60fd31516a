//! Node to Chromium over WebRTC, with an HTTP fetch of the same blocks beside it: speed, and what the node's CPU pays.
//!
//! The browser runs the page's own exchange code. Long round trips and loss come from a userspace link between two
//! network namespaces; without root those rows are left out, which the run says.
use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;

use anyhow::{Context, ensure};
use axum::extract::{Path as UrlPath, State};
use axum::http::{StatusCode, header};
use axum::response::{Html, IntoResponse};
use axum::routing::get;
use axum::{Json, Router};
use bytes::Bytes;
use http_body_util::BodyExt;
use potluck::exchange::webrtc::{WebRtc, WebRtcOptions};
use potluck::exchange::{Body, Responder};
use serde_json::{Value, json};
use tower::ServiceExt;

use crate::table::Table;
use crate::wan::{self, Wan};

const BLOCK: usize = 1024 * 1024;
const BLOCKS: u8 = 32;

/// A path to measure: round trip in ms, loss in percent, MiB to move, the speed that is asked for.
struct Stretch {
    round_trip_ms: u32,
    loss_percent: f64,
    mebibytes: usize,
    asked: &'static str,
}

const PATHS: &[Stretch] = &[
    Stretch { round_trip_ms: 0, loss_percent: 0.0, mebibytes: 128, asked: ">= 18 MB/s" },
    Stretch { round_trip_ms: 50, loss_percent: 0.0, mebibytes: 64, asked: ">= 7 MB/s" },
    Stretch { round_trip_ms: 100, loss_percent: 0.0, mebibytes: 48, asked: ">= 3.5 MB/s" },
    Stretch { round_trip_ms: 50, loss_percent: 0.5, mebibytes: 32, asked: ">= 2 MB/s" },
];

/// Measures every path.
pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let bundle = bundle()?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let node = runtime.block_on(Node::start(bundle))?;
    for path in PATHS {
        let through_link = path.round_trip_ms > 0 || path.loss_percent > 0.0;
        let wan = if through_link { Wan::up(path.round_trip_ms, path.loss_percent)? } else { None };
        if through_link && wan.is_none() {
            continue;
        }
        let url = format!("http://{}:{}", if through_link { wan::NEAR } else { "127.0.0.1" }, node.port);
        let http = browse(&url, path.mebibytes, false, wan.is_some())?;
        let webrtc = browse(&url, path.mebibytes, true, wan.is_some())?;
        row(table, path, &webrtc, &http);
    }
    runtime.block_on(node.carrier.stop());
    Ok(())
}

fn row(table: &mut Table, path: &Stretch, webrtc: &Run, http: &Run) {
    let what = format!("node to Chromium over WebRTC, {} ms, {} % loss", path.round_trip_ms, path.loss_percent);
    let figure = format!(
        "{:.1} MB/s ({} connections, {:.0} % over WebRTC)",
        webrtc.megabytes_a_second,
        webrtc.connections,
        webrtc.share * 100.0
    );
    table.row(&what, figure, path.asked, format!("HTTP fetch {:.1} MB/s", http.megabytes_a_second));
    let reference = format!("HTTP fetch {:.4}", http.cpu_a_mebibyte);
    let cpu = format!("{:.3} CPU-s/MiB", webrtc.cpu_a_mebibyte);
    table.row(&format!("  the node's CPU, {} ms", path.round_trip_ms), cpu, "<= 0.04 CPU-s/MiB", reference);
}

/// What one browser run gave.
struct Run {
    megabytes_a_second: f64,
    cpu_a_mebibyte: f64,
    share: f64,
    connections: u64,
}

fn browse(url: &str, mebibytes: usize, webrtc: bool, far: bool) -> anyhow::Result<Run> {
    let script = here().join("browse.mjs");
    let mut command = if far {
        let mut command = Command::new("ip");
        command.args(["netns", "exec", wan::NAMESPACE, "node"]);
        command
    } else {
        Command::new("node")
    };
    let output = command.arg(script).args([url, &mebibytes.to_string(), &webrtc.to_string()]).output()?;
    ensure!(output.status.success(), "the browser run broke: {}", String::from_utf8_lossy(&output.stderr));
    let answer: Value = serde_json::from_slice(&output.stdout)?;
    eprintln!("  {answer}");
    let number = |name: &str| answer[name].as_f64().with_context(|| format!("no {name} in {answer}"));
    let moved = (mebibytes * BLOCK) as f64;
    Ok(Run {
        megabytes_a_second: moved / 1e6 / number("seconds")?,
        cpu_a_mebibyte: number("cpuSeconds")? / mebibytes as f64,
        share: number("webrtcBytes")? / moved,
        connections: number("connections")? as u64,
    })
}

fn here() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/bench/webrtc")
}

/// The page's exchange as one script, made by the page's own tools.
fn bundle() -> anyhow::Result<String> {
    let output = Command::new("node").arg(here().join("bundle.mjs")).output()?;
    ensure!(output.status.success(), "no bundle (npm ci in web first): {}", String::from_utf8_lossy(&output.stderr));
    Ok(String::from_utf8(output.stdout)?)
}

/// The node's side: blocks, the page, and both carriers.
struct Node {
    port: u16,
    carrier: WebRtc<()>,
}

#[derive(Clone)]
struct Shelf {
    blocks: Arc<HashMap<String, Bytes>>,
    carrier: Option<WebRtc<()>>,
    bundle: Arc<String>,
}

struct Blocks(Router);

impl Responder<()> for Blocks {
    fn respond(
        &self,
        (): (),
        request: http::Request<Body>,
    ) -> std::pin::Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        let router = self.0.clone();
        Box::pin(async move {
            let response =
                router.oneshot(request.map(axum::body::Body::new)).await.unwrap_or_else(|never| match never {});
            response.map(|body| Body::new(body.map_err(Into::into)))
        })
    }
}

impl Node {
    async fn start(bundle: String) -> anyhow::Result<Self> {
        let blocks: HashMap<String, Bytes> = (0..BLOCKS).map(|n| named(&noise(n))).collect();
        let mut shelf = Shelf { blocks: Arc::new(blocks), carrier: None, bundle: Arc::new(bundle) };
        let router = Router::new().route("/ipfs/{cid}", get(block)).with_state(shelf.clone());
        let options = WebRtcOptions { listen: SocketAddr::from(([0, 0, 0, 0], 0)), ..WebRtcOptions::default() };
        let carrier = WebRtc::start(options, Arc::new(Blocks(router.clone()))).await?;
        shelf.carrier = Some(carrier.clone());
        let site = Router::new()
            .route(
                "/",
                get(|| async {
                    Html("<!doctype html><title>bench</title><script type=module src=/bundle.js></script>")
                }),
            )
            .route("/bundle.js", get(script))
            .route("/blocks", get(names))
            .route("/cpu", get(|| async { Json(json!(cpu_seconds())) }))
            .route("/api/v1/webrtc", get(settings).post(answer))
            .with_state(shelf)
            .merge(router);
        let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await?;
        let port = listener.local_addr()?.port();
        tokio::spawn(async move { axum::serve(listener, site).await });
        Ok(Self { port, carrier })
    }
}

async fn block(State(shelf): State<Shelf>, UrlPath(cid): UrlPath<String>) -> impl IntoResponse {
    shelf.blocks.get(&cid).cloned().ok_or(StatusCode::NOT_FOUND)
}

async fn script(State(shelf): State<Shelf>) -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "text/javascript")], shelf.bundle.to_string())
}

async fn names(State(shelf): State<Shelf>) -> Json<Vec<String>> {
    Json(shelf.blocks.keys().cloned().collect())
}

async fn settings() -> Json<Value> {
    Json(json!({"enabled": true, "ice_servers": [], "connections_max": 8}))
}

async fn answer(State(shelf): State<Shelf>, Json(offer): Json<Value>) -> Result<Json<Value>, (StatusCode, String)> {
    let carrier = shelf.carrier.ok_or((StatusCode::SERVICE_UNAVAILABLE, String::new()))?;
    let sdp = offer["sdp"].as_str().unwrap_or_default().to_owned();
    let answered = carrier.answer((), sdp).await.map_err(|error| (StatusCode::BAD_REQUEST, error.to_string()))?;
    Ok(Json(json!({ "sdp": answered })))
}

/// A block that nothing on the way can compress.
fn noise(seed: u8) -> Bytes {
    let mut state = u64::from(seed) + 1;
    let next = || {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()
    };
    std::iter::repeat_with(next).take(BLOCK / 8).flatten().collect()
}

fn named(bytes: &Bytes) -> (String, Bytes) {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    let mut cid = vec![1, 0x55, 0x12, 32];
    cid.extend(digest.as_ref());
    (format!("b{}", data_encoding::BASE32_NOPAD.encode(&cid).to_lowercase()), bytes.clone())
}

/// CPU this process has used, user and system. The browser is another process.
fn cpu_seconds() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = usage.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}
