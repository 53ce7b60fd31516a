//! Reaches the node that owns the data folder: through its control socket where it runs, or by running it here, without
//! carriers, for as long as the command takes. Either way the command speaks the native API as local admin.
use std::sync::Arc;

use anyhow::{Context as _, anyhow, bail};
use axum::body::Body;
use axum::http::{Method, Request, Response, header};
use http_body_util::BodyExt as _;
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::Place;
use crate::facades::native::model::Problem;
use crate::facades::{NodeRouter, connect_control};
use crate::node::{Node, control_socket};

/// A way to the node.
pub(super) enum Control {
    /// It runs in another process.
    Running(std::path::PathBuf),
    /// It runs in this one.
    Hosted(Node, NodeRouter),
}

/// Whether a node runs on this data folder and answers.
pub(super) async fn running(place: &Place) -> Option<Control> {
    let socket = control_socket(&place.data);
    connect_control(&socket).await.ok().map(|_| Control::Running(socket))
}

impl Control {
    /// The node of the data folder, started here if it does not run.
    pub async fn open(place: &Place) -> anyhow::Result<Self> {
        if let Some(running) = running(place).await {
            return Ok(running);
        }
        let mut options = place.config()?.node_options(&place.data);
        (options.watch, options.rescan, options.webrtc) = (false, None, None);
        options.playback.thumbnails = None;
        if let Some(links) = &mut options.links {
            links.keep = false;
        }
        options.scrub.every = None;
        // Nobody looks again later: a file that is still being written is told by its reader, not by its age.
        options.settle = std::time::Duration::ZERO;
        let node = Node::start(options).await?;
        let router = NodeRouter::local(node.clone());
        Ok(Self::Hosted(node, router))
    }

    /// Lets a node that was started here reach friends' nodes. One that runs elsewhere does already.
    pub async fn link(&self) -> anyhow::Result<()> {
        if let Self::Hosted(node, router) = self {
            node.start_links(Arc::new(router.clone())).await?;
        }
        Ok(())
    }

    /// Stops the node if it was started here.
    pub async fn close(self) {
        if let Self::Hosted(node, _) = self {
            node.stop().await;
        }
    }

    /// Calls the API and reads the answer.
    pub async fn call<T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> anyhow::Result<T> {
        let bytes = self.send(method, path, body).await?.into_body().collect().await?.to_bytes();
        let text = if bytes.is_empty() { b"null" } else { &bytes[..] };
        serde_json::from_slice(text).with_context(|| format!("the node's answer to {path} is not what was expected"))
    }

    /// Reads from the API.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.call(Method::GET, path, None::<&()>).await
    }

    /// Calls the API; a refusal becomes an error with the node's own sentence.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&(impl Serialize + Sync)>,
    ) -> anyhow::Result<Response<Body>> {
        let mut request = Request::builder().method(method).uri(path).header(header::HOST, "localhost");
        let body = match body {
            Some(body) => {
                request = request.header(header::CONTENT_TYPE, "application/json");
                Body::from(serde_json::to_vec(body)?)
            }
            None => Body::empty(),
        };
        told(self.exchange(request.body(body)?).await?).await
    }

    /// Sends something else than JSON.
    pub async fn put_in(&self, path: &str, kind: &str, body: Body) -> anyhow::Result<Response<Body>> {
        let request = Request::builder().method(Method::POST).uri(path).header(header::HOST, "localhost");
        told(self.exchange(request.header(header::CONTENT_TYPE, kind).body(body)?).await?).await
    }

    async fn exchange(&self, mut request: Request<Body>) -> anyhow::Result<Response<Body>> {
        match self {
            Self::Hosted(_, router) => {
                request.extensions_mut().insert(router.local_caller());
                Ok(router.answer(request).await)
            }
            Self::Running(socket) => {
                let stream = connect_control(socket).await.context("the node stopped answering")?;
                let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await?;
                // Ends with the answer's body.
                tokio::spawn(connection);
                Ok(sender.send_request(request).await?.map(Body::new))
            }
        }
    }
}

/// A refusal as an error, in the node's own words.
async fn told(response: Response<Body>) -> anyhow::Result<Response<Body>> {
    if response.status().is_success() {
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let bytes = body.collect().await?.to_bytes();
    let plain = parts.headers.get(header::CONTENT_TYPE).is_some_and(|kind| kind.as_bytes().starts_with(b"text/plain"));
    match serde_json::from_slice::<Problem>(&bytes) {
        Ok(problem) => bail!("{}", problem.message),
        Err(_) if plain => bail!("{}", String::from_utf8_lossy(&bytes).trim_end()),
        Err(_) => Err(anyhow!("the node answered {}", parts.status)),
    }
}
