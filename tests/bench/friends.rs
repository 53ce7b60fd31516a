//! Node to node: bytes of a friend's node over iroh on loopback, beside the same bytes over plain HTTPS in the same run.
//! Both ends are in this process, so CPU is that of both.
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
use tokio_rustls::TlsAcceptor;

use crate::table::Table;

const BLOCK: usize = 1024 * 1024;
/// Requests at once, and what is asked of them.
const WAYS: [(usize, &str); 2] = [(1, "at least 350 MB/s"), (4, "-")];

/// Blocks of one answer; `POTLUCK_BENCH_GIB` makes it more.
fn blocks() -> usize {
    let gib = std::env::var("POTLUCK_BENCH_GIB").ok().and_then(|n| n.parse::<f64>().ok()).unwrap_or(1.0);
    (gib * 1024.0).max(16.0) as usize
}

pub fn measure(table: &mut Table) -> anyhow::Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    // Whoever was first installed the same one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    runtime.block_on(async {
        for (streams, asked) in WAYS {
            let (friend, https) = (over_iroh(streams).await?, over_https(streams).await?);
            let what = format!("node to node, loopback, {streams} at once");
            table.row(&what, friend.text(), asked, format!("HTTPS {}", https.text()));
        }
        Ok(())
    })
}

struct Run {
    megabytes_a_second: f64,
    cpu_a_gigabyte: f64,
}

impl Run {
    fn text(&self) -> String {
        format!("{:.0} MB/s, {:.2} CPU-s/GB", self.megabytes_a_second, self.cpu_a_gigabyte)
    }
}

/// Has as many readers as asked for read one answer each.
async fn timed<F: Future<Output = anyhow::Result<usize>>>(read: impl Fn() -> F, readers: usize) -> anyhow::Result<Run> {
    read().await?;
    let (begin, cpu) = (Instant::now(), cpu_seconds());
    let moved: usize = futures_util::future::try_join_all((0..readers).map(|_| read())).await?.into_iter().sum();
    let (seconds, cpu) = (begin.elapsed().as_secs_f64(), cpu_seconds() - cpu);
    Ok(Run { megabytes_a_second: moved as f64 / 1e6 / seconds, cpu_a_gigabyte: cpu / (moved as f64 / 1e9) })
}

/// The same bytes again and again.
fn endless() -> Body {
    let block = Bytes::from(vec![0x5a; BLOCK]);
    let frames = stream::repeat_with(move || Ok(http_body::Frame::data(block.clone()))).take(blocks());
    Body::new(StreamBody::new(frames))
}

struct Site;

impl Responder<()> for Site {
    fn respond(&self, (): (), _: http::Request<Body>) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        Box::pin(async { http::Response::new(endless()) })
    }
}

async fn over_iroh(readers: usize) -> anyhow::Result<Run> {
    let options = IrohOptions { listen: SocketAddr::from(([127, 0, 0, 1], 0)), ..IrohOptions::default() };
    let recognise: Recognise<()> = Arc::new(|_, _| Recognised { caller: (), known: true });
    let serving = Iroh::start(options.clone(), &[1; 32], Arc::clone(&recognise), Arc::new(Site)).await?;
    let asking = Iroh::start(options, &[2; 32], recognise, Arc::new(Site)).await?;
    let peer = Peer { endpoint: serving.id().to_owned(), addresses: serving.addresses() };
    let run = timed(
        || async {
            let mut body = asking.send(&peer, http::Request::get("/").body(Body::default())?).await?.into_body();
            let mut moved = 0;
            while let Some(frame) = body.frame().await {
                let frame = frame.map_err(|error| anyhow::anyhow!(error))?;
                moved += frame.data_ref().map_or(0, Bytes::len);
            }
            Ok(moved)
        },
        readers,
    )
    .await?;
    asking.stop().await;
    serving.stop().await;
    Ok(run)
}

async fn over_https(readers: usize) -> anyhow::Result<Run> {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()])?;
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config =
        rustls::ServerConfig::builder().with_no_client_auth().with_single_cert(vec![made.cert.der().clone()], key)?;
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await?;
    let url = format!("https://localhost:{}/", listener.local_addr()?.port());
    let server = tokio::spawn(serve(listener, TlsAcceptor::from(Arc::new(config))));
    let client = reqwest::Client::builder().tls_danger_accept_invalid_certs(true).http1_only().build()?;
    let run = timed(
        || async {
            let mut body = client.get(&url).send().await?.bytes_stream();
            let mut moved = 0;
            while let Some(part) = body.next().await {
                moved += part?.len();
            }
            Ok(moved)
        },
        readers,
    )
    .await?;
    server.abort();
    Ok(run)
}

async fn serve(listener: tokio::net::TcpListener, tls: TlsAcceptor) {
    while let Ok((stream, _)) = listener.accept().await {
        let tls = tls.clone();
        tokio::spawn(async move {
            let Ok(stream) = tls.accept(stream).await else { return };
            let service = service_fn(|_| async { Ok::<_, std::convert::Infallible>(http::Response::new(endless())) });
            // A client that has what it wanted closes.
            let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service).await;
        });
    }
}

/// CPU this process has used, user and system.
fn cpu_seconds() -> f64 {
    let usage = std::fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = usage.rsplit(')').next().unwrap_or_default();
    let ticks: f64 = after_name.split_whitespace().skip(11).take(2).filter_map(|field| field.parse::<f64>().ok()).sum();
    ticks / rustix::param::clock_ticks_per_second() as f64
}
