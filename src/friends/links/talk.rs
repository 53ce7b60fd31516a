//! What friends' nodes say to each other besides what anyone asks the API: the two calls of the table that only nodes make.
use http::{Method, StatusCode, header};
use http_body_util::{BodyExt as _, Full};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::LinksError;
use crate::accounts::Caller;
use crate::exchange::Body;
use crate::exchange::iroh::{Iroh, IrohError, Peer};

/// Longest answer that is read.
const ANSWER_MAX: usize = 64 * 1024;
/// Longest reason of another node that is passed on to a person, in characters.
const REASON_MAX: usize = 200;

/// What a node says of itself.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct Greeting {
    /// As it introduces itself.
    pub name: String,
    /// Where it can be reached.
    pub addresses: Vec<String>,
    /// Its id in the network of IPFS, where it takes part in that: it may have there what is shared with it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ipfs: Option<String>,
}

/// What a node brings that was invited.
#[derive(Clone, Serialize, Deserialize, ToSchema)]
pub struct Redemption {
    /// Of the invite.
    pub secret: String,
    /// As it introduces itself.
    pub name: String,
    /// Where it can be reached.
    pub addresses: Vec<String>,
}

/// How another node refuses.
#[derive(Deserialize)]
struct Refusal {
    message: String,
}

pub(super) async fn redeem(iroh: &Iroh<Caller>, peer: &Peer, redemption: &Redemption) -> Result<Greeting, LinksError> {
    iroh.connect(peer).await?;
    post(iroh, peer, "/api/v1/friends/redeem", redemption).await
}

pub(super) async fn hello(iroh: &Iroh<Caller>, peer: &Peer, own: &Greeting) -> Result<Greeting, LinksError> {
    post(iroh, peer, "/api/v1/friends/hello", own).await
}

async fn post<T: DeserializeOwned>(
    iroh: &Iroh<Caller>,
    peer: &Peer,
    path: &str,
    body: &(impl Serialize + Sync),
) -> Result<T, LinksError> {
    let body = serde_json::to_vec(body).map_err(|_| LinksError::Nonsense)?;
    let body = Body::new(Full::from(body).map_err(|never| match never {}));
    let request = http::Request::builder()
        .method(Method::POST)
        .uri(path)
        .header(header::HOST, "friend")
        .header(header::CONTENT_TYPE, "application/json")
        .body(body)
        .map_err(|_| LinksError::Nonsense)?;
    let response = iroh.send(peer, request).await?;
    let status = response.status();
    let bytes = whole(response.into_body()).await?;
    if status.is_success() {
        return serde_json::from_slice(&bytes).map_err(|_| LinksError::Nonsense);
    }
    Err(refused(status, &bytes))
}

/// A body that is short enough.
async fn whole(mut body: Body) -> Result<Vec<u8>, LinksError> {
    let mut bytes = Vec::new();
    while let Some(frame) = body.frame().await {
        let frame = frame.map_err(|error| IrohError::Lost(error.to_string()))?;
        bytes.extend_from_slice(frame.data_ref().map_or(&[], |data| &data[..]));
        if bytes.len() > ANSWER_MAX {
            return Err(LinksError::Nonsense);
        }
    }
    Ok(bytes)
}

fn refused(status: StatusCode, body: &[u8]) -> LinksError {
    let told = serde_json::from_slice::<Refusal>(body).map(|refusal| refusal.message);
    let tame = |text: String| text.chars().filter(|c| !c.is_control()).take(REASON_MAX).collect();
    LinksError::Refused(told.map_or_else(|_| format!("it answered {status}"), tame))
}
