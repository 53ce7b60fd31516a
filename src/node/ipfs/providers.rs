//! Reads whom a delegated router names: schema `peer` of the Delegated Routing V1 HTTP API. What else is in an answer is passed over.
use http::header::CONTENT_TYPE;
use serde::Deserialize;
use serde_json::Value;
use tokio::time::Instant;

use super::near::{Place, place};
use crate::content::ipns::Name;
use crate::exchange::libp2p::{PeerId, is_address};
use crate::node::web::{Got, WebError};

/// Addresses of one node that are tried.
const ADDRESSES_MAX: usize = 8;
/// What is read of an answer, in bytes, and of one line.
const ANSWER_MAX: usize = 1024 * 1024;
const LINE_MAX: usize = 64 * 1024;
const LINES: &str = "application/x-ndjson";
/// How a node is called that speaks Bitswap.
const BITSWAP: &str = "transport-bitswap";

/// A node that is said to have something.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Provider {
    pub peer: PeerId,
    pub addresses: Vec<String>,
}

/// At most `most` of an answer, until then. `house`: the server is in this house, and may know of others there.
pub(super) async fn read(got: Got, house: bool, most: usize, until: Instant) -> Result<Vec<Provider>, WebError> {
    if got.header(CONTENT_TYPE).is_some_and(|kind| kind.starts_with(LINES)) {
        return Ok(lines(got, house, most, until).await);
    }
    match tokio::time::timeout_at(until, got.body.all(ANSWER_MAX)).await {
        Ok(all) => Ok(listed(&all?, house, most)),
        Err(_) => Ok(Vec::new()),
    }
}

/// A line each, until there are enough, or it took too long.
async fn lines(mut got: Got, house: bool, most: usize, until: Instant) -> Vec<Provider> {
    let (mut found, mut rest, mut read) = (Vec::new(), Vec::new(), 0);
    while let Ok(Ok(Some(piece))) = tokio::time::timeout_at(until, got.body.next()).await {
        read += piece.len();
        rest.extend_from_slice(&piece);
        while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = rest.drain(..=end).collect();
            found.extend(serde_json::from_slice(&line).ok().and_then(|record| provider(record, house)));
            if found.len() >= most {
                return found;
            }
        }
        if read > ANSWER_MAX || rest.len() > LINE_MAX {
            return found;
        }
    }
    // The last line may end without a new one.
    found.extend(serde_json::from_slice(&rest).ok().and_then(|record| provider(record, house)));
    found
}

fn listed(body: &[u8], house: bool, most: usize) -> Vec<Provider> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Providers {
        providers: Vec<Value>,
    }
    let all = serde_json::from_slice::<Providers>(body).map(|all| all.providers).unwrap_or_default();
    all.into_iter().filter_map(|record| provider(record, house)).take(most).collect()
}

/// The nodes that a delegated router's answer names, in either of its forms, by their ids and addresses: what this node would connect
/// to. `house` as the router stands in this house or not.
#[must_use]
pub fn routed(body: &[u8], house: bool) -> Vec<(String, Vec<String>)> {
    let line = |line| serde_json::from_slice(line).ok().and_then(|record| provider(record, house));
    let found = listed(body, house, usize::MAX).into_iter().chain(body.split(|byte| *byte == b'\n').filter_map(line));
    found.map(|provider| (provider.peer.to_string(), provider.addresses)).collect()
}

/// Reads a record of the schema `peer`, of a node that can be reached and may speak Bitswap. Others are passed over.
fn provider(record: Value, house: bool) -> Option<Provider> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Peer {
        schema: String,
        #[serde(rename = "ID")]
        id: String,
        addrs: Option<Vec<String>>,
        protocols: Option<Vec<String>>,
    }
    let record: Peer = serde_json::from_value(record).ok()?;
    let protocols = record.protocols.unwrap_or_default();
    if record.schema != "peer" || !protocols.is_empty() && !protocols.iter().any(|name| name == BITSWAP) {
        return None;
    }
    let peer = PeerId::from_bytes(&Name::parse(&record.id).ok()?.to_bytes()).ok()?;
    // A name may lead into the house too.
    let allowed = |address: &String| match place(address) {
        Place::Internet => true,
        Place::House | Place::Name => house,
        Place::Unknown => false,
    };
    let addresses = record.addrs.unwrap_or_default().into_iter();
    let addresses: Vec<String> =
        addresses.filter(|address| allowed(address) && is_address(address, false)).take(ADDRESSES_MAX).collect();
    (!addresses.is_empty()).then_some(Provider { peer, addresses })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const ID: &str = "12D3KooWEfL19QqRGGLraaAYw1XA3dtDdVRYaHt6jymFxcuQo3Zm";

    fn read(record: Value) -> Option<Vec<String>> {
        provider(record, false).map(|provider| provider.addresses)
    }

    #[test]
    fn a_peer_is_read_by_either_form_of_its_id() {
        let cid = Name::parse(ID).unwrap().to_cid().to_string();
        for id in [ID, &cid] {
            let record = json!({"Schema": "peer", "ID": id, "Addrs": ["/ip4/1.1.1.1/tcp/1"], "more": {"x": 1}});
            assert_eq!(provider(record, false).unwrap().peer.to_string(), ID);
        }
    }

    #[test]
    fn what_cannot_be_asked_is_passed_over() {
        let peer = |addresses: Value| json!({"Schema": "peer", "ID": ID, "Addrs": addresses});
        for record in [
            json!({"Schema": "bitswap", "ID": ID, "Addrs": ["/ip4/1.1.1.1/tcp/1"]}),
            json!({"Schema": "peer", "ID": "nobody", "Addrs": ["/ip4/1.1.1.1/tcp/1"]}),
            json!({"Schema": "peer", "ID": ID, "Protocols": ["transport-ipfs-gateway-http"], "Addrs": ["/ip4/1.1.1.1/tcp/1"]}),
            json!({"Schema": "peer", "ID": ID}),
            json!(["peer"]),
            peer(json!("/ip4/1.1.1.1/tcp/1")),
            peer(json!(["/ip4/1.1.1.1/nonsense"])),
        ] {
            assert_eq!(read(record.clone()), None, "{record}");
        }
    }

    #[test]
    fn a_server_of_the_internet_leads_nobody_into_the_house() {
        let addresses =
            ["/ip4/192.168.0.1/tcp/80", "/dns4/printer.local/tcp/80", "/ip4/127.0.0.1/tcp/1", "/ip4/1.1.1.1/tcp/1"];
        let record = json!({"Schema": "peer", "ID": ID, "Addrs": addresses});
        assert_eq!(read(record.clone()), Some(vec!["/ip4/1.1.1.1/tcp/1".to_owned()]));
        assert_eq!(provider(record, true).unwrap().addresses, addresses);
    }
}
