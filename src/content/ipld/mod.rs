//! Blocks of data that are not UnixFS: DAG-CBOR, DAG-JSON and their plain forms. What they link to, and where a path through
//! them leads.
//!
//! Sources: the IPLD specifications of DAG-CBOR and DAG-JSON; "Traversing through DAG-JSON and DAG-CBOR" of the path gateway.
mod forms;

use ipld_core::ipld::Ipld;

use super::Cid;
use super::cid::{DAG_PB, RAW};

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
    /// Of a codec that is not known here.
    #[error("codec {0:#x} is not known here")]
    UnknownCodec(u64),
    /// It has a map that DAG-JSON takes for a link or for bytes.
    #[error("the block has a map whose only name is \"/\", which DAG-JSON takes for something else")]
    Reserved,
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

/// What a block links to, in the order of the block, as often as it does. Nothing for codecs that have no links here.
///
/// # Errors
/// See [`IpldError`].
pub fn links(codec: u64, bytes: &[u8]) -> Result<Vec<Cid>, IpldError> {
    let mut found = Vec::new();
    if let Some(data) = linked(codec, bytes)? {
        collect(&data, &mut found);
    }
    Ok(found)
}

/// Follows names through a block, as far as a link or the last name.
///
/// # Errors
/// See [`IpldError`].
pub fn follow(codec: u64, bytes: &[u8], names: &[&str]) -> Result<Followed, IpldError> {
    let Some(data) = linked(codec, bytes)? else { return Ok(Followed::Nowhere) };
    let mut at = &data;
    for (used, name) in names.iter().enumerate() {
        match child(at, name) {
            None => return Ok(Followed::Nowhere),
            Some(Ipld::Link(cid)) => return Ok(Followed::Link(*cid, used + 1)),
            Some(below) => at = below,
        }
    }
    Ok(Followed::Within)
}

/// Writes a block's data in another form: `to` is [`DAG_CBOR`] or [`DAG_JSON`]. Bytes are as they are where that is the block's
/// codec, after they were checked. dag-pb has its logical form, and what is plain bytes is one value.
///
/// # Errors
/// See [`IpldError`].
pub fn convert(codec: u64, bytes: &[u8], to: u64) -> Result<Vec<u8>, IpldError> {
    let data = decode(codec, bytes)?;
    let same = matches!((codec, to), (DAG_CBOR | CBOR, DAG_CBOR) | (DAG_JSON | JSON, DAG_JSON));
    match to {
        _ if same => Ok(bytes.to_vec()),
        DAG_CBOR => serde_ipld_dagcbor::to_vec(&data).map_err(|_| IpldError::Malformed("DAG-CBOR")),
        _ => {
            let json = forms::to_json(&data).ok_or(IpldError::Reserved)?;
            serde_json::to_vec(&json).map_err(|_| IpldError::Malformed("DAG-JSON"))
        }
    }
}

fn linked(codec: u64, bytes: &[u8]) -> Result<Option<Ipld>, IpldError> {
    if matches!(codec, DAG_CBOR | DAG_JSON) { decode(codec, bytes).map(Some) } else { Ok(None) }
}

fn decode(codec: u64, bytes: &[u8]) -> Result<Ipld, IpldError> {
    if bytes.len() > BLOCK_MAX {
        return Err(IpldError::TooLarge);
    }
    match codec {
        DAG_CBOR | CBOR => serde_ipld_dagcbor::from_slice(bytes).map_err(|_| IpldError::Malformed("DAG-CBOR")),
        DAG_JSON | JSON => {
            let json = serde_json::from_slice(bytes).map_err(|_| IpldError::Malformed("DAG-JSON"))?;
            forms::of_json(json).ok_or(IpldError::Malformed("DAG-JSON"))
        }
        RAW => Ok(Ipld::Bytes(bytes.to_vec())),
        DAG_PB => forms::of_node(bytes).ok_or(IpldError::Malformed("dag-pb")),
        _ => Err(IpldError::UnknownCodec(codec)),
    }
}

fn child<'a>(data: &'a Ipld, name: &str) -> Option<&'a Ipld> {
    match data {
        Ipld::Map(map) => map.get(name),
        Ipld::List(list) => list.get(name.parse::<usize>().ok()?),
        _ => None,
    }
}

fn collect(data: &Ipld, found: &mut Vec<Cid>) {
    match data {
        Ipld::Link(cid) => found.push(*cid),
        Ipld::List(list) => list.iter().for_each(|item| collect(item, found)),
        Ipld::Map(map) => map.values().for_each(|item| collect(item, found)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::content::cid;
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
        assert_eq!(links(DAG_JSON, &vec![b' '; BLOCK_MAX + 1]), Err(IpldError::TooLarge));
    }

    #[test]
    fn data_has_the_same_meaning_in_both_forms() {
        let [(_, cbor), (_, json)] = both();
        let value = |bytes: &[u8]| serde_json::from_slice::<serde_json::Value>(bytes).unwrap();
        let mut of_cbor = value(&convert(DAG_CBOR, &cbor, DAG_JSON).unwrap());
        of_cbor["b"]["e"] = serde_json::json!({"/": {"bytes": "AQID"}});
        assert_eq!(of_cbor, value(&json));
        let back = convert(DAG_JSON, &json, DAG_CBOR).unwrap();
        assert_eq!(value(&convert(DAG_CBOR, &back, DAG_JSON).unwrap()), value(&json));
        assert_eq!(convert(DAG_CBOR, &cbor, DAG_CBOR).unwrap(), cbor);
        assert_eq!(convert(RAW, b"abc", DAG_JSON).unwrap(), br#"{"/":{"bytes":"YWJj"}}"#);
        assert_eq!(convert(0x300, b"", DAG_JSON), Err(IpldError::UnknownCodec(0x300)));
        for wrong in [r#"{"/":"not a cid"}"#, r#"{"/":{"bytes":"?"}}"#, "{", ""] {
            assert_eq!(convert(DAG_JSON, wrong.as_bytes(), DAG_CBOR), Err(IpldError::Malformed("DAG-JSON")), "{wrong}");
        }
    }

    #[test]
    fn a_folder_has_the_logical_form_of_the_specification() {
        let entry =
            |name: &str| crate::content::unixfs::folder::FolderEntry { name: name.into(), cid: linked(), tsize: 4 };
        let built = crate::content::unixfs::folder::build(vec![entry("a")]).unwrap();
        let json = convert(DAG_PB, &built.nodes[0].1, DAG_JSON).unwrap();
        let text = format!(
            r#"{{"Data":{{"/":{{"bytes":"CAE"}}}},"Links":[{{"Hash":{{"/":"{}"}},"Name":"a","Tsize":4}}]}}"#,
            linked()
        );
        assert_eq!(String::from_utf8(json).unwrap(), text);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = (links(DAG_CBOR, &bytes), links(DAG_JSON, &bytes), follow(DAG_CBOR, &bytes, &["a", "0"]));
            for codec in [DAG_CBOR, DAG_JSON, DAG_PB, RAW] {
                let _ = convert(codec, &bytes, DAG_JSON);
            }
        }
    }
}
