//! `potluck serve`.
use std::io;
use std::net::SocketAddr;

use anyhow::Context as _;
use clap::Args;
use tokio::signal::unix::{SignalKind, signal};
use tracing_subscriber::EnvFilter;

use super::{Place, output};
use crate::config::{Config, LogFormat};
use crate::facades::{self, Service};
use crate::node::Node;

/// Run the node until SIGTERM or Ctrl-C
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  potluck --data ~/potluck serve                          on this machine only
  potluck --data ~/potluck serve --listen 0.0.0.0:8096    for everyone in your network
  POTLUCK_SERVER__TLS=self-signed potluck --data ~/potluck serve --listen 0.0.0.0:8443

One line with the address is printed when the node is ready; logs go to standard error. Settings: node.toml in the data
folder, or POTLUCK_<SECTION>__<KEY> in the environment.")]
pub(super) struct Serve {
    /// Address and port, instead of server.listen; port 0 for any
    #[arg(long, value_name = "ADDR")]
    listen: Option<SocketAddr>,
}

impl Serve {
    pub async fn run(self, place: &Place) -> anyhow::Result<()> {
        let mut config = place.config()?;
        if let Some(listen) = self.listen {
            config.server.listen = listen;
        }
        log(&config);
        // Before anything starts, so that a signal at any moment is heard.
        let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
        raise_descriptor_limit();
        let options = config.serve_options()?;
        let node = Node::start(config.node_options(&place.data)).await?;
        let service = match facades::serve(node.clone(), options).await {
            Ok(service) => service,
            Err(error) => {
                node.stop().await;
                return Err(error.into());
            }
        };
        announce(&service)?;
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        tokio::select! {
            () = service.stop() => {}
            _ = interrupt.recv() => anyhow::bail!("stopped at once, in the middle of things"),
        }
        Ok(())
    }
}

fn announce(service: &Service) -> io::Result<()> {
    tracing::info!(
        node.id = service.node().id(),
        server.address = %service.address(),
        komga.address = service.komga_address().map(tracing::field::display),
        tls.fingerprint = service.fingerprint(),
        duration_ms = u64::try_from(service.node().uptime().as_millis()).unwrap_or(u64::MAX),
        "the node is ready"
    );
    match service.fingerprint() {
        None => output::line(format_args!("Potluck is ready at {}/", service.url())),
        Some(print) => {
            output::line(format_args!("Potluck is ready at {}/ (certificate SHA-256 {print})", service.url()))
        }
    }
}

fn log(config: &Config) {
    let filter = EnvFilter::try_new(&config.log.level).unwrap_or_else(|_| EnvFilter::new("info"));
    let builder = tracing_subscriber::fmt().with_env_filter(filter).with_writer(io::stderr);
    // A second subscriber in one process is a test's; the first stays.
    let _ = match config.log.format {
        LogFormat::Text => builder.with_ansi(io::IsTerminal::is_terminal(&io::stderr())).try_init(),
        LogFormat::Json => builder.json().flatten_event(true).try_init(),
    };
    tracing::debug!(settings = ?config, "settings");
}

/// A thousand browsers and a few thousand files need more descriptors than a shell gives at first.
fn raise_descriptor_limit() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let limit = getrlimit(Resource::Nofile);
    let raised = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    if let Err(error) = raised.context("raising the number of open files") {
        tracing::debug!(error = %error, "the limit stays");
    }
}
