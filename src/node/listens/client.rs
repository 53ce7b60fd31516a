//! Asks a server over HTTP/1.1, by TLS where its address says so: a connection for each question, for there is one now and then.
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, StatusCode, Uri, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use serde_json::Value;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// A question and its answer take this long at most.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum AskError {
    /// Nothing is at that address, or it says nothing.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// No address of a server.
    #[error("{0} is not the address of a server")]
    Address(String),
}

/// What a server answered.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null where it is no JSON.
    pub body: Value,
}

/// Asks one server.
pub(super) struct Client {
    base: String,
    tls: TlsConnector,
}

impl Client {
    /// Of a server at `http://…` or `https://…`, whose certificate one of this machine's authorities gave.
    pub fn new(base: &str) -> Self {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks the versions that rustls does")
            .with_root_certificates(roots)
            .with_no_client_auth();
        Self { base: base.trim_end_matches('/').to_owned(), tls: TlsConnector::from(Arc::new(config)) }
    }

    /// Asks with a token; a body is sent as JSON.
    ///
    /// # Errors
    /// See [`AskError`]; whatever status was answered is none.
    pub async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Result<Answer, AskError> {
        let unreachable = |why: String| AskError::Unreachable(self.base.clone(), why);
        match tokio::time::timeout(PATIENCE, self.exchange(method, path, token, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(unreachable("it does not answer".to_owned())),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<Answer, AskError> {
        let address = || AskError::Address(self.base.clone());
        let uri: Uri = format!("{}{path}", self.base).parse().map_err(|_| address())?;
        let host = uri.host().ok_or_else(address)?.trim_matches(['[', ']']).to_owned();
        let secure = uri.scheme_str() == Some("https");
        let port = uri.port_u16().unwrap_or(if secure { 443 } else { 80 });
        let request = self.request(method, &uri, token, body).ok_or_else(address)?;
        let failed = |error: &dyn std::fmt::Display| AskError::Unreachable(self.base.clone(), error.to_string());
        let stream = TcpStream::connect((host.as_str(), port)).await.map_err(|error| failed(&error))?;
        if !secure {
            return converse(stream, request).await.map_err(|error| failed(&error));
        }
        let name = ServerName::try_from(host).map_err(|_| address())?;
        let stream = self.tls.connect(name, stream).await.map_err(|error| failed(&error))?;
        converse(stream, request).await.map_err(|error| failed(&error))
    }

    fn request(&self, method: Method, uri: &Uri, token: &str, body: Option<&Value>) -> Option<Request<Full<Bytes>>> {
        let mut request = Request::builder()
            .method(method)
            .uri(uri.path_and_query()?.as_str())
            .header(header::HOST, uri.authority()?.as_str())
            .header(header::USER_AGENT, concat!("potluck/", env!("CARGO_PKG_VERSION")))
            .header(header::AUTHORIZATION, format!("Token {token}"));
        if body.is_some() {
            request = request.header(header::CONTENT_TYPE, "application/json");
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        request.body(Full::new(bytes)).ok()
    }
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn converse<S>(stream: S, request: Request<Full<Bytes>>) -> Result<Answer, Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driving = tokio::spawn(connection);
    let answer = answer(sender, request).await;
    // Nothing more is asked on it.
    driving.abort();
    answer
}

async fn answer(mut sender: http1::SendRequest<Full<Bytes>>, request: Request<Full<Bytes>>) -> Result<Answer, Failure> {
    let (parts, body) = sender.send_request(request).await?.into_parts();
    let bytes = Limited::new(body, ANSWER_MAX).collect().await?.to_bytes();
    let body = serde_json::from_slice(&bytes).unwrap_or_default();
    Ok(Answer { status: parts.status, headers: parts.headers, body })
}
