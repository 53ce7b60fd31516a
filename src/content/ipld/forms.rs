//! Other forms of the same data: DAG-JSON with its reserved `/`, and the logical form of dag-pb.
use bytes::Bytes;
use data_encoding::BASE64_NOPAD;
use ipld_core::ipld::Ipld;
use ipld_dagpb::PbNode;
use serde_json::{Map, Number, Value};

use crate::content::cid;

/// As DAG-JSON. What JSON has no number for becomes nothing. `None` where a map has the reserved `/` as its only name: it would be read
/// as a link or as bytes.
pub(super) fn to_json(data: &Ipld) -> Option<Value> {
    Some(match data {
        Ipld::Null => Value::Null,
        Ipld::Bool(yes) => Value::Bool(*yes),
        Ipld::Integer(number) => Number::from_i128(*number).map_or(Value::Null, Value::Number),
        Ipld::Float(number) => Number::from_f64(*number).map_or(Value::Null, Value::Number),
        Ipld::String(text) => Value::String(text.clone()),
        Ipld::Bytes(bytes) => reserved(reserved_bytes(bytes)),
        Ipld::Link(cid) => reserved(Value::String(cid.to_string())),
        Ipld::List(list) => Value::Array(list.iter().map(to_json).collect::<Option<_>>()?),
        Ipld::Map(map) if map.len() == 1 && map.contains_key("/") => return None,
        Ipld::Map(map) => {
            let entries = map.iter().map(|(name, data)| Some((name.clone(), to_json(data)?)));
            Value::Object(entries.collect::<Option<_>>()?)
        }
    })
}

fn reserved(value: Value) -> Value {
    Value::Object(Map::from_iter([("/".to_owned(), value)]))
}

fn reserved_bytes(bytes: &[u8]) -> Value {
    Value::Object(Map::from_iter([("bytes".to_owned(), Value::String(BASE64_NOPAD.encode(bytes)))]))
}

/// From DAG-JSON; `None` where what stands under the reserved `/` is neither a CID nor bytes.
pub(super) fn of_json(json: Value) -> Option<Ipld> {
    Some(match json {
        Value::Null => Ipld::Null,
        Value::Bool(yes) => Ipld::Bool(yes),
        Value::Number(number) => match number.as_i128() {
            Some(whole) => Ipld::Integer(whole),
            None => Ipld::Float(number.as_f64()?),
        },
        Value::String(text) => Ipld::String(text),
        Value::Array(list) => Ipld::List(list.into_iter().map(of_json).collect::<Option<_>>()?),
        Value::Object(map) if map.len() == 1 && map.contains_key("/") => of_reserved(map.get("/")?)?,
        Value::Object(map) => {
            let entries = map.into_iter().map(|(name, value)| Some((name, of_json(value)?)));
            Ipld::Map(entries.collect::<Option<_>>()?)
        }
    })
}

fn of_reserved(value: &Value) -> Option<Ipld> {
    match value {
        Value::String(text) => cid::parse(text).ok().map(Ipld::Link),
        Value::Object(map) if map.len() == 1 => {
            let text = map.get("bytes")?.as_str()?.trim_end_matches('=');
            BASE64_NOPAD.decode(text.as_bytes()).ok().map(Ipld::Bytes)
        }
        _ => None,
    }
}

/// A dag-pb node: its data, if it has any, and its links.
pub(super) fn of_node(bytes: &[u8]) -> Option<Ipld> {
    let PbNode { links, data } = PbNode::from_bytes(Bytes::copy_from_slice(bytes)).ok()?;
    let links = links.into_iter().map(|link| {
        let hash = ("Hash".to_owned(), Ipld::Link(link.cid));
        let name = link.name.map(|name| ("Name".to_owned(), Ipld::String(name)));
        let size = link.size.map(|size| ("Tsize".to_owned(), Ipld::Integer(size.into())));
        Ipld::Map([Some(hash), name, size].into_iter().flatten().collect())
    });
    let links = ("Links".to_owned(), Ipld::List(links.collect()));
    let data = data.map(|data| ("Data".to_owned(), Ipld::Bytes(data.to_vec())));
    Some(Ipld::Map([data, Some(links)].into_iter().flatten().collect()))
}
