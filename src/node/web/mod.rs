//! Asks servers of others over HTTP/1.1, by TLS where their address says so: a connection for each question, for there is one now and then.
//!
//! Nothing is sent along that would tell who asks. Where addresses come from others, [`Reach::Public`] keeps to what everybody can reach: the
//! address that is connected to is the one that was looked at, also after each redirect. This folder alone speaks HTTP as a client over TCP.
mod network;

use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio_rustls::TlsConnector;
use tokio_util::task::AbortOnDropHandle;
use url::{Host, Position, Url};

pub use network::Network;
pub(super) use network::Reach;

/// Finding and connecting to a server, and the head of its answer, take this long at most.
const PATIENCE: Duration = Duration::from_secs(20);
/// One of several addresses is given up after this.
const CONNECTING: Duration = Duration::from_secs(8);
/// Between two pieces of an answer.
const SILENCE: Duration = Duration::from_secs(30);
/// How often a server may send on to another.
const REDIRECTS_MAX: usize = 5;
/// Addresses of a name that are tried.
const ADDRESSES_MAX: usize = 4;
const AGENT: &str = concat!("potluck/", env!("CARGO_PKG_VERSION"));

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum WebError {
    /// Nothing is at that address, or it says nothing, or not all of it.
    #[error("{0} cannot be reached: {1}")]
    Unreachable(String, String),
    /// No address of a server.
    #[error("{0} is not the address of a server")]
    Address(String),
    /// It is where [`Reach`] does not go.
    #[error("{0} is an address of this machine or of a private network, from which nothing is fetched")]
    Private(String),
    /// Each server sends on to another.
    #[error("{0} sends on to other addresses again and again")]
    Redirects(String),
    /// The answer is longer than what is read of it, in bytes.
    #[error("the answer of {0} is longer than {1} bytes")]
    TooLong(String, usize),
}

/// Reads an address of the web: `http` or `https`, without a name and password in it, for these would be told to whoever is there.
///
/// # Errors
/// [`WebError::Address`].
pub fn address(text: &str) -> Result<Url, WebError> {
    let wrong = || WebError::Address(text.chars().take(200).collect());
    let url = Url::parse(text.trim()).map_err(|_| wrong())?;
    let plain = url.username().is_empty() && url.password().is_none();
    let known = ["http", "https"].contains(&url.scheme()) && url.host().is_some();
    if plain && known { Ok(url) } else { Err(wrong()) }
}

/// Asks servers.
pub(super) struct Web {
    /// Made when it is needed first: reading the machine's authorities takes a while.
    tls: OnceLock<TlsConnector>,
    reach: Reach,
}

/// An answer whose body is still to come.
pub(super) struct Got {
    /// That answered, after all redirects.
    pub url: Url,
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Coming,
}

impl Got {
    /// A header as text.
    pub fn header(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }
}

/// The body of an answer, piece by piece; dropping it closes the connection.
pub(super) struct Coming {
    host: String,
    incoming: Incoming,
    _driving: AbortOnDropHandle<()>,
}

impl Coming {
    /// The next piece; `None` where the whole was there.
    ///
    /// # Errors
    /// [`WebError::Unreachable`] where it breaks off, or nothing comes for long.
    pub async fn next(&mut self) -> Result<Option<Bytes>, WebError> {
        loop {
            let frame = tokio::time::timeout(SILENCE, self.incoming.frame()).await;
            let frame = frame.map_err(|_| unreachable(&self.host, "it went silent"))?;
            let Some(frame) = frame else { return Ok(None) };
            if let Ok(bytes) = frame.map_err(|error| unreachable(&self.host, error))?.into_data() {
                return Ok(Some(bytes));
            }
        }
    }

    /// All of it, where it has at most `most` bytes.
    ///
    /// # Errors
    /// As [`Coming::next`]; [`WebError::TooLong`].
    pub async fn all(mut self, most: usize) -> Result<Bytes, WebError> {
        let mut all = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if all.len() + piece.len() > most {
                return Err(WebError::TooLong(self.host, most));
            }
            all.extend_from_slice(&piece);
        }
        Ok(all.freeze())
    }
}

fn unreachable(host: &str, why: impl std::fmt::Display) -> WebError {
    WebError::Unreachable(host.to_owned(), why.to_string())
}

impl Web {
    /// Of servers that may be there.
    pub fn new(reach: Reach) -> Self {
        Self { tls: OnceLock::new(), reach }
    }

    /// Trusts certificates that this machine's authorities gave.
    fn connector() -> TlsConnector {
        let mut roots = rustls::RootCertStore::empty();
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let config = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .expect("the provider speaks the versions that rustls does")
            .with_root_certificates(roots)
            .with_no_client_auth();
        TlsConnector::from(Arc::new(config))
    }

    /// Gets what is at an address, wherever it is by now; the headers go to each server on the way.
    ///
    /// # Errors
    /// See [`WebError`]; whatever status was answered is none.
    pub async fn get(&self, url: &Url, headers: &HeaderMap) -> Result<Got, WebError> {
        let mut at = url.clone();
        for _ in 0..=REDIRECTS_MAX {
            let got = self.send(&at, Method::GET, headers, Bytes::new()).await?;
            let moved = matches!(got.status.as_u16(), 301 | 302 | 303 | 307 | 308);
            let Some(to) = got.header(header::LOCATION).filter(|_| moved) else { return Ok(got) };
            let joined = at.join(to).map_err(|_| WebError::Address(to.chars().take(200).collect()))?;
            at = address(joined.as_str())?;
        }
        Err(WebError::Redirects(host_of(url)))
    }

    /// Asks once, and returns with the head of the answer.
    ///
    /// # Errors
    /// As [`Web::get`], but for redirects.
    pub async fn send(&self, url: &Url, method: Method, headers: &HeaderMap, body: Bytes) -> Result<Got, WebError> {
        let host = host_of(url);
        match tokio::time::timeout(PATIENCE, self.exchange(url, method, headers, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(unreachable(&host, "it does not answer")),
        }
    }

    async fn exchange(&self, url: &Url, method: Method, headers: &HeaderMap, body: Bytes) -> Result<Got, WebError> {
        let host = host_of(url);
        let request = request(url, method, headers, body).ok_or_else(|| WebError::Address(url.to_string()))?;
        let stream = self.connect(url).await?;
        let (response, driving) = match url.scheme() {
            "https" => {
                let name = host.trim_matches(['[', ']']).to_owned();
                let name = ServerName::try_from(name).map_err(|_| WebError::Address(url.to_string()))?;
                let tls = self.tls.get_or_init(Self::connector);
                let stream = tls.connect(name, stream).await.map_err(|error| unreachable(&host, error))?;
                converse(stream, request).await
            }
            _ => converse(stream, request).await,
        }
        .map_err(|error| unreachable(&host, error))?;
        let (parts, incoming) = response.into_parts();
        let body = Coming { host, incoming, _driving: driving };
        Ok(Got { url: url.clone(), status: parts.status, headers: parts.headers, body })
    }

    /// Connects to the first address that takes the connection, of those that may be reached.
    async fn connect(&self, url: &Url) -> Result<TcpStream, WebError> {
        let (host, port) = (host_of(url), url.port_or_known_default().unwrap_or(80));
        let found: Vec<SocketAddr> = match url.host() {
            Some(Host::Ipv4(ip)) => vec![SocketAddr::new(IpAddr::V4(ip), port)],
            Some(Host::Ipv6(ip)) => vec![SocketAddr::new(IpAddr::V6(ip), port)],
            _ => lookup_host((host.as_str(), port)).await.map_err(|error| unreachable(&host, error))?.collect(),
        };
        let allowed: Vec<SocketAddr> = found.iter().copied().filter(|at| self.reach.allows(at.ip())).collect();
        if allowed.is_empty() && !found.is_empty() {
            return Err(WebError::Private(host));
        }
        let mut failed = unreachable(&host, "it has no address");
        for at in allowed.into_iter().take(ADDRESSES_MAX) {
            match tokio::time::timeout(CONNECTING, TcpStream::connect(at)).await {
                Ok(Ok(stream)) => return Ok(stream),
                Ok(Err(error)) => failed = unreachable(&host, error),
                Err(_) => failed = unreachable(&host, "it does not answer"),
            }
        }
        Err(failed)
    }
}

fn host_of(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_owned()
}

fn request(url: &Url, method: Method, headers: &HeaderMap, body: Bytes) -> Option<Request<Full<Bytes>>> {
    let mut request = Request::builder()
        .method(method)
        .uri(&url[Position::BeforePath..Position::AfterQuery])
        .header(header::HOST, &url[Position::BeforeHost..Position::AfterPort])
        .body(Full::new(body))
        .ok()?;
    let own = request.headers_mut();
    own.insert(header::USER_AGENT, HeaderValue::from_static(AGENT));
    own.extend(headers.iter().map(|(name, value)| (name.clone(), value.clone())));
    Some(request)
}

type Failure = Box<dyn std::error::Error + Send + Sync>;

async fn converse<S>(
    stream: S,
    request: Request<Full<Bytes>>,
) -> Result<(Response<Incoming>, AbortOnDropHandle<()>), Failure>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let driving = AbortOnDropHandle::new(tokio::spawn(async move {
        // What goes wrong is told by the answer or its body.
        let _ = connection.await;
    }));
    Ok((sender.send_request(request).await?, driving))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_one_of_the_web_and_tells_no_password() {
        for good in
            ["http://a.example/feed", " HTTPS://a.example:8443/?x=1#y ", "http://[::1]/", "http://bücher.example"]
        {
            assert!(address(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "a.example",
            "ftp://a.example/",
            "file:///etc/passwd",
            "http://ann:x@a.example/",
            "http://ann@a.example/",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_request_names_its_server_alone() {
        let url = address("http://A.example:81/a b?c=d#e").unwrap();
        let sent = request(&url, Method::GET, &HeaderMap::new(), Bytes::new()).unwrap();
        assert_eq!(
            (sent.uri().to_string().as_str(), &sent.headers()[header::HOST]),
            ("/a%20b?c=d", &HeaderValue::from_static("a.example:81"))
        );
        let names: Vec<&str> = sent.headers().keys().map(header::HeaderName::as_str).collect();
        assert_eq!(names, ["host", "user-agent"]);
    }
}
