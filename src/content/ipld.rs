//! Blocks of data that are not UnixFS: DAG-CBOR, DAG-JSON and their plain forms. What they link to, and where a path through
//! them leads.
//!
//! Sources: the IPLD specifications of DAG-CBOR and DAG-JSON; "Traversing through DAG-JSON and DAG-CBOR" of the path gateway.
use ipld_core::ipld::Ipld;
use serde_json::Value;

use super::Cid;
use super::cid;

/// Codec of DAG-CBOR.
pub const DAG_CBOR: u64 = 0x71;
/// Codec of DAG-JSON.
pub const DAG_JSON: u64 = 0x0129;
/// Codec of plain CBOR, which has no links.
pub const CBOR: u64 = 0x51;
/// Codec of plain JSON, which has no links.
pub const JSON: u64 = 0x0200;
/// Largest block that is decoded.
pub const BLOCK_MAX: usize = 2 * 1024 * 1024;

/// Why a block cannot be read.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum IpldError {
    /// Larger than [`BLOCK_MAX`].
    #[error("the block is larger than {BLOCK_MAX} bytes")]
    TooLarge,
    /// Not what its codec says.
    #[error("the block is not valid {0}")]
    Malformed(&'static str),
}

/// Where a path through a block leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Followed {
    /// To another block, after so many names.
    Link(Cid, usize),
    /// To something within the block.
    Within,
    /// Nowhere.
    Nowhere,
}

/// One kind of tree or the other.
enum Data {
    Cbor(Ipld),
    Json(Value),
}

/// What a block links to, in the order of the block, as often as it does. Nothing for codecs that have no links here.
///
/// # Errors
/// See [`IpldError`].
pub fn links(codec: u64, bytes: &[u8]) -> Result<Vec<Cid>, IpldError> {
    let mut found = Vec::new();
    match decode(codec, bytes)? {
        Some(Data::Cbor(data)) => cbor_links(&data, &mut found),
        Some(Data::Json(data)) => json_links(&data, &mut found),
        None => {}
    }
    Ok(found)
}

/// Follows names through a block, as far as a link or the last name.
///
/// # Errors
/// See [`IpldError`].
pub fn follow(codec: u64, bytes: &[u8], names: &[&str]) -> Result<Followed, IpldError> {
    Ok(match decode(codec, bytes)? {
        Some(Data::Cbor(data)) => walk(&data, names, cbor_child, cbor_link),
        Some(Data::Json(data)) => walk(&data, names, json_child, json_link),
        None => Followed::Nowhere,
    })
}

/// Whether a block is what its codec says.
///
/// # Errors
/// See [`IpldError`].
pub fn check(codec: u64, bytes: &[u8]) -> Result<(), IpldError> {
    decode(codec, bytes).map(|_| ())
}

fn decode(codec: u64, bytes: &[u8]) -> Result<Option<Data>, IpldError> {
    if bytes.len() > BLOCK_MAX {
        return Err(IpldError::TooLarge);
    }
    match codec {
        DAG_CBOR => serde_ipld_dagcbor::from_slice(bytes)
            .map(|data| Some(Data::Cbor(data)))
            .map_err(|_| IpldError::Malformed("DAG-CBOR")),
        DAG_JSON => serde_json::from_slice(bytes)
            .map(|data| Some(Data::Json(data)))
            .map_err(|_| IpldError::Malformed("DAG-JSON")),
        _ => Ok(None),
    }
}

fn walk<'a, T>(
    data: &'a T,
    names: &[&str],
    child: fn(&'a T, &str) -> Option<&'a T>,
    link: fn(&T) -> Option<Cid>,
) -> Followed {
    let mut at = data;
    for (used, name) in names.iter().enumerate() {
        match child(at, name) {
            None => return Followed::Nowhere,
            Some(below) => match link(below) {
                Some(cid) => return Followed::Link(cid, used + 1),
                None => at = below,
            },
        }
    }
    Followed::Within
}

fn cbor_child<'a>(data: &'a Ipld, name: &str) -> Option<&'a Ipld> {
    match data {
        Ipld::Map(map) => map.get(name),
        Ipld::List(list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

fn cbor_link(data: &Ipld) -> Option<Cid> {
    if let Ipld::Link(cid) = data { Some(*cid) } else { None }
}

fn cbor_links(data: &Ipld, found: &mut Vec<Cid>) {
    match data {
        Ipld::Link(cid) => found.push(*cid),
        Ipld::List(list) => list.iter().for_each(|item| cbor_links(item, found)),
        Ipld::Map(map) => map.values().for_each(|item| cbor_links(item, found)),
        _ => {}
    }
}

fn json_child<'a>(data: &'a Value, name: &str) -> Option<&'a Value> {
    match data {
        Value::Object(map) => map.get(name),
        Value::Array(list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

/// A link is a map with the one key `/` and a CID as text under it.
fn json_link(data: &Value) -> Option<Cid> {
    let map = data.as_object().filter(|map| map.len() == 1)?;
    cid::parse(map.get("/")?.as_str()?).ok()
}

fn json_links(data: &Value, found: &mut Vec<Cid>) {
    match data {
        Value::Array(list) => list.iter().for_each(|item| json_links(item, found)),
        Value::Object(map) => match json_link(data) {
            Some(cid) => found.push(cid),
            None => map.values().for_each(|item| json_links(item, found)),
        },
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ipld_core::ipld;
    use proptest::prelude::*;

    fn linked() -> Cid {
        cid::of_raw(b"soup")
    }

    fn both() -> [(u64, Vec<u8>); 2] {
        let cbor = ipld!({ "a": [1, Ipld::Link(linked())], "b": { "c": Ipld::Link(linked()), "d": "text" } });
        let json = serde_json::json!({
            "a": [1, {"/": linked().to_string()}],
            "b": {"c": {"/": linked().to_string()}, "d": "text", "e": {"/": {"bytes": "AQID"}}}
        });
        [(DAG_CBOR, serde_ipld_dagcbor::to_vec(&cbor).unwrap()), (DAG_JSON, serde_json::to_vec(&json).unwrap())]
    }

    #[test]
    fn links_are_found_in_their_order_and_as_often_as_they_are_there() {
        for (codec, bytes) in both() {
            assert_eq!(links(codec, &bytes), Ok(vec![linked(), linked()]), "{codec:#x}");
            assert_eq!(links(CBOR, &bytes), Ok(Vec::new()));
        }
    }

    #[test]
    fn a_path_leads_to_a_link_or_into_the_block_or_nowhere() {
        for (codec, bytes) in both() {
            let to = |names: &[&str]| follow(codec, &bytes, names).unwrap();
            assert_eq!(to(&["b", "c", "more"]), Followed::Link(linked(), 2));
            assert_eq!(to(&["a", "1"]), Followed::Link(linked(), 2));
            assert_eq!(to(&["b"]), Followed::Within);
            assert_eq!(to(&[]), Followed::Within);
            assert_eq!(to(&["b", "x"]), Followed::Nowhere);
            assert_eq!(to(&["b", "d", "x"]), Followed::Nowhere);
            assert_eq!(to(&["a", "2"]), Followed::Nowhere);
        }
    }

    #[test]
    fn deep_nests_and_long_claims_are_errors() {
        let deep = [vec![0x81; 500_000], vec![0]].concat();
        assert_eq!(links(DAG_CBOR, &deep), Err(IpldError::Malformed("DAG-CBOR")));
        let claims = [0x9b, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        assert_eq!(links(DAG_CBOR, &claims), Err(IpldError::Malformed("DAG-CBOR")));
        let deep = "[".repeat(500_000);
        assert_eq!(links(DAG_JSON, deep.as_bytes()), Err(IpldError::Malformed("DAG-JSON")));
        assert_eq!(check(DAG_JSON, &vec![b' '; BLOCK_MAX + 1]), Err(IpldError::TooLarge));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (links(DAG_CBOR, &bytes), links(DAG_JSON, &bytes), follow(DAG_CBOR, &bytes, &["a", "0"]));
        }
    }
}
