//! Node to node: bytes of a friend's node over iroh, beside the same bytes over plain HTTPS in the same run: on loopback, where
//! both ends are in this process and CPU is that of both, and on a long path, with and without loss.
use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use http_body_util::{BodyExt as _, StreamBody};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use potluck::exchange::iroh::{Iroh, IrohOptions, Peer, Recognise, Recognised};
use potluck::exchange::{Body, Responder};
use rustls::pki_types::PrivateKeyDer;
use tokio::runtime::Handle;
use tokio_rustls::TlsAcceptor;

use crate::table::Table;
use crate::wan::{self, Wan};

const BLOCK: usize = 1024 * 1024;
pub const LOOPBACK: &str = "127.0.0.1";

/// A path, requests at once, MiB of each, and what is asked.
#[derive(Clone, Copy)]
pub struct Stretch {
    pub round_trip_ms: u32,
    pub loss_percent: f64,
    pub readers: usize,
    pub mebibytes: usize,
    pub asked: &'static str,
}

const LONG_PATHS: &[Stretch] = &[
    Stretch { round_trip_ms: 50, loss_percent: 0.0, readers: 1, mebibytes: 192, asked: "-" },
    Stretch { round_trip_ms: 50, loss_percent: 0.0, readers: 4, mebibytes: 96, asked: "at least 50 MB/s" },
    Stretch { round_trip_ms: 50, loss_percent: 0.5, readers: 1, mebibytes: 64, asked: "-" },
    Stretch { round_trip_ms: 50, loss_percent: 0.5, readers: 4, mebibytes: 16, asked: "at least 6.3 MB/s" },
];

/// MiB of an answer on loopback; `POTLUCK_BENCH_GIB` makes it more.
fn mebibytes() -> usize {
    let gib = std::env::var("POTLUCK_BENCH_GIB").ok().and_then(|n| n.parse::<f64>().ok()).unwrap_or(1.0);
    (gib * 1024.0).max(16.0) as usize
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    for (readers, asked) in [(1, "at least 350 MB/s"), (4, "-")] {
        let path = Stretch { round_trip_ms: 0, loss_percent: 0.0, readers, mebibytes: mebibytes(), asked };
        runtime.block_on(row(table, &path, LOOPBACK, runtime.handle()))?;
    }
    for path in LONG_PATHS {
        let Some(wan) = Wan::up(path.round_trip_ms, path.loss_percent)? else { continue };
        let far = wan.far_runtime()?;
        runtime.block_on(row(table, path, wan::FAR, far.handle()))?;
    }
    Ok(())
}

async fn row(table: &mut Table, path: &Stretch, host: &str, there: &Handle) -> anyhow::Result<()> {
    let (friend, https) = (over_iroh(path, host, there).await?, over_https(path, host, there).await?);
    let Stretch { round_trip_ms, loss_percent, readers, .. } = path;
    let what = format!("node to node, {round_trip_ms} ms, {loss_percent} % loss, {readers} at once");
    table.row(&what, friend.text(), path.asked, format!("HTTPS {}", https.text()));
    Ok(())
}

pub struct Run {
    pub megabytes_a_second: f64,
    pub cpu_a_gigabyte: f64,
}

impl Run {
    pub fn text(&self) -> String {
        format!("{:.1} MB/s, {:.2} CPU-s/GB", self.megabytes_a_second, self.cpu_a_gigabyte)
    }
}

/// Has as many readers as asked for read one answer each, after one that is not counted.
async fn timed<F: Future<Output = anyhow::Result<usize>>>(read: impl Fn() -> F, readers: usize) -> anyhow::Result<Run> {
    read().await?;
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let moved: usize = futures_util::future::try_join_all((0..readers).map(|_| read())).await?.into_iter().sum();
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    Ok(Run { megabytes_a_second: moved as f64 / 1e6 / seconds, cpu_a_gigabyte: cpu / (moved as f64 / 1e9) })
}

/// The same bytes again and again.
fn endless(mebibytes: usize) -> Body {
    let block = Bytes::from(vec![0x5a; BLOCK]);
    let frames = stream::repeat_with(move || Ok(http_body::Frame::data(block.clone()))).take(mebibytes);
    Body::new(StreamBody::new(frames))
}

/// Answers with so many MiB.
struct Site(usize);

impl Responder<()> for Site {
    fn respond(&self, (): (), _: http::Request<Body>) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        let body = endless(self.0);
        Box::pin(async { http::Response::new(body) })
    }
}

async fn start(host: &str, seed: u8, mebibytes: usize) -> anyhow::Result<Iroh<()>> {
    let options = IrohOptions { listen: SocketAddr::new(host.parse()?, 0), ..IrohOptions::default() };
    let recognise: Recognise<()> = Arc::new(|_, _| Recognised { caller: (), known: true });
    Ok(Iroh::start(options, &[seed; 32], recognise, Arc::new(Site(mebibytes))).await?)
}

async fn over_iroh(path: &Stretch, host: &str, there: &Handle) -> anyhow::Result<Run> {
    let (far, mebibytes) = (host.to_owned(), path.mebibytes);
    let serving = there.spawn(async move { start(&far, 1, mebibytes).await }).await??;
    let asking = start(if host == LOOPBACK { host } else { wan::NEAR }, 2, mebibytes).await?;
    let peer = Peer { endpoint: serving.id().to_owned(), addresses: serving.addresses() };
    let read = || async {
        let mut body = asking.send(&peer, http::Request::get("/").body(Body::default())?).await?.into_body();
        let mut moved = 0;
        while let Some(frame) = body.frame().await {
            let frame = frame.map_err(|error| anyhow::anyhow!(error))?;
            moved += frame.data_ref().map_or(0, Bytes::len);
        }
        Ok(moved)
    };
    let run = timed(read, path.readers).await?;
    asking.stop().await;
    there.spawn(async move { serving.stop().await }).await?;
    Ok(run)
}

pub async fn over_https(path: &Stretch, host: &str, there: &Handle) -> anyhow::Result<Run> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?;
    let address = SocketAddr::new(host.parse()?, 0);
    let listener = there.spawn(tokio::net::TcpListener::bind(address)).await??;
    let url = format!("https://{}/", listener.local_addr()?);
    let server = there.spawn(serve(listener, TlsAcceptor::from(Arc::new(config)), path.mebibytes));
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).http1_only().build()?;
    let read = || async {
        let mut body = client.get(&url).send().await?.bytes_stream();
        let mut moved = 0;
        while let Some(part) = body.next().await {
            moved += part?.len();
        }
        Ok(moved)
    };
    let run = timed(read, path.readers).await?;
    server.abort();
    Ok(run)
}

async fn serve(listener: tokio::net::TcpListener, tls: TlsAcceptor, mebibytes: usize) {
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(move |_| async move {
                Ok::<_, std::convert::Infallible>(http::Response::new(endless(mebibytes)))
            });
            // A client that has what it wanted closes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// CPU this process has used, user and system.
pub fn cpu_seconds() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = usage.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}
