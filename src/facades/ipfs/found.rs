//! Where a request leads: from a CID or name through the path to the last CID, asking at each step whether the caller may see it.
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_LENGTH};
use http::{HeaderMap, Method, StatusCode};

use super::refusal::{not_found, of_dag, of_name, refusal};
use super::request::{Format, Query};
use super::seen::{Place, Seen};
use super::{Gate, Gateway, GatewayRequest, Namespace, block};
use crate::blocks::dag::path::{self, Led};
use crate::blocks::dag::{DagError, Source as _};
use crate::blocks::{May, Named, NamesError};
use crate::content::Cid;
use crate::content::cid::{self, sha256};
use crate::content::ipns::Name;
use crate::facades::bytes::Cache;

/// Names that stand for names that stand for names.
const NAMES_MAX: usize = 8;
/// A name is asked for again after a day at the latest.
const TTL_MAX: Duration = Duration::from_secs(24 * 3600);

/// See the module.
pub(super) struct Found {
    pub seen: Arc<Seen>,
    /// The CIDs of the path and the blocks that prove it.
    pub led: Led,
    /// Whether the last block is in a library.
    pub here: bool,
    pub cache: Cache,
    /// The last name of the path, for guessing a type.
    pub name: Option<String>,
}

/// What stands behind the first name of a request.
struct Root {
    cid: Cid,
    /// Names between the CID and the request's own path.
    path: String,
    ttl: Option<Duration>,
}

impl Found {
    /// Looks for what is asked; an error is the answer.
    pub async fn look(gateway: &Gateway, gate: Arc<dyn Gate>, request: &GatewayRequest<'_>) -> Result<Self, Response> {
        let root = root(gateway, &*gate, request).await?;
        let cached = only_if_cached(request.headers);
        let may = if cached { gate.may().min(May::Kept) } else { gate.may() };
        let session = gateway.elsewhere.as_ref().map(|elsewhere| elsewhere.session(root.cid, may));
        let seen = Arc::new(Seen::new(gateway.blocks.clone(), gate, session.filter(|_| may > May::Nothing)));
        let path = [root.path.as_str(), request.path].join("/");
        Self::walk(seen, &root, &path).await.map_err(|error| match error {
            DagError::NotFound(_) if cached => refusal(StatusCode::PRECONDITION_FAILED, "it is not here"),
            error => of_dag(&error),
        })
    }

    async fn walk(seen: Arc<Seen>, root: &Root, path: &str) -> Result<Self, DagError> {
        let led = path::resolve(&*seen, root.cid, path).await?;
        let last = led.last();
        let (here, public) = match seen.place(&last).await? {
            Place::Here { public } => (true, public),
            Place::Folder(_) => (false, true),
            // What nobody has ends here, and not after the answer began.
            Place::Elsewhere => {
                seen.block(&last).await?;
                (false, false)
            }
        };
        let cache = match root.ttl {
            Some(ttl) => Cache::Named { public, seconds: ttl.min(TTL_MAX).as_secs().try_into().unwrap_or(0) },
            None if public => Cache::Public,
            None => Cache::Private,
        };
        let name = path::names(path).last().map(str::to_owned);
        Ok(Self { seen, led, here, cache, name })
    }

    pub fn last(&self) -> Cid {
        self.led.last()
    }

    pub fn roots(&self) -> String {
        self.led.cids.iter().map(ToString::to_string).collect::<Vec<_>>().join(",")
    }
}

/// Whether only what is here is wanted, and nothing from elsewhere.
#[must_use]
pub fn only_if_cached(headers: &HeaderMap) -> bool {
    let values = headers.get_all(CACHE_CONTROL).iter().filter_map(|value| value.to_str().ok());
    values.flat_map(|value| value.split(',')).any(|rule| rule.trim().eq_ignore_ascii_case("only-if-cached"))
}

async fn root(gateway: &Gateway, gate: &dyn Gate, request: &GatewayRequest<'_>) -> Result<Root, Response> {
    match request.namespace {
        Namespace::Ipfs => {
            let cid = cid::parse(request.root).map_err(|_| refusal(StatusCode::BAD_REQUEST, "this is not a CID"))?;
            Ok(Root { cid, path: String::new(), ttl: None })
        }
        Namespace::Ipns => behind(gateway, gate, request.root).await,
    }
}

/// The CID behind a name, which may stand for another name.
async fn behind(gateway: &Gateway, gate: &dyn Gate, first: &str) -> Result<Root, Response> {
    let (mut name, mut below, mut ttl) = (first.to_owned(), String::new(), TTL_MAX);
    for _ in 0..NAMES_MAX {
        let named = resolve(gateway, gate, &name).await?;
        ttl = ttl.min(named.ttl);
        let mut parts = named.path.trim_start_matches('/').splitn(3, '/');
        let (space, root, rest) = (parts.next(), parts.next().unwrap_or_default(), parts.next().unwrap_or_default());
        below = [rest, below.as_str()].join("/");
        match space {
            Some("ipfs") => {
                let wrong = || of_name(&NamesError::Wrong("it stands for what is no CID".to_owned()));
                let cid = cid::parse(root).map_err(|_| wrong())?;
                return Ok(Root { cid, path: below, ttl: Some(ttl) });
            }
            Some("ipns") => name = root.to_owned(),
            _ => return Err(of_name(&NamesError::Wrong("it stands for no path of content".to_owned()))),
        }
    }
    Err(of_name(&NamesError::Wrong("it stands for too many names".to_owned())))
}

async fn resolve(gateway: &Gateway, gate: &dyn Gate, text: &str) -> Result<Named, Response> {
    let name = match Name::parse(text) {
        Ok(name) => name,
        Err(_) if text.contains('.') => {
            return Err(refusal(StatusCode::NOT_FOUND, "names of DNS are not looked up here"));
        }
        Err(error) => return Err(refusal(StatusCode::BAD_REQUEST, error)),
    };
    let names = gateway.elsewhere.as_ref().and_then(|elsewhere| elsewhere.names());
    let names = names.ok_or_else(|| of_name(&NamesError::NotFound))?;
    names.resolve(name, gate.may() == May::Fetch).await.map_err(|error| of_name(&error))
}

/// The record of a name, for who checks it.
pub(super) async fn record(
    gateway: &Gateway,
    gate: &dyn Gate,
    request: &GatewayRequest<'_>,
    query: &Query,
) -> Response {
    if request.namespace != Namespace::Ipns || !request.path.trim_matches('/').is_empty() {
        return refusal(StatusCode::BAD_REQUEST, "a record is one of a name below /ipns/, without a path");
    }
    let named = match resolve(gateway, gate, request.root).await {
        Ok(named) => named,
        Err(refused) => return refused,
    };
    let Some(record) = named.record else { return not_found() };
    let seconds = named.ttl.min(TTL_MAX).as_secs().try_into().unwrap_or(0);
    let tag = format!("\"{}.ipns-record\"", data_encoding::HEXLOWER.encode(&sha256(&record)[..16]));
    let (len, usual) = (record.len(), format!("{}.ipns-record", request.root));
    let name = query.filename.as_deref().unwrap_or(&usual);
    let cache = Cache::Named { public: true, seconds };
    let kind = Format::IpnsRecord.media_type();
    let mut response = block::attachment(request, &tag, cache, kind, name, record);
    if request.method == Method::HEAD {
        response.headers_mut().insert(CONTENT_LENGTH, len.into());
    }
    response
}
