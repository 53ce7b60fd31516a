//! What a gateway request asks for, in its query and its `Accept` header. The query counts where both say something.
use http::HeaderMap;
use http::header::ACCEPT;
use percent_encoding::percent_decode_str;

use crate::blocks::dag::Scope;
use crate::content::ranges::entity_bytes;

/// Types in an `Accept` header that are looked at.
const TYPES_MAX: usize = 64;

/// In which form the content is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The file, the folder's page, or data as it is.
    Plain,
    /// One block.
    Raw,
    /// Blocks in a CAR.
    Car,
    /// A file or folder in a TAR.
    Tar,
    /// Data as DAG-JSON.
    DagJson,
    /// Data as DAG-CBOR.
    DagCbor,
    /// Data as JSON; files as they are.
    Json,
    /// Data as CBOR; files as they are.
    Cbor,
    /// What says what a name stands for.
    IpnsRecord,
}

/// Each format with its name in the query and its media type.
const FORMATS: [(Format, &str, &str); 8] = [
    (Format::Raw, "raw", "application/vnd.ipld.raw"),
    (Format::Car, "car", "application/vnd.ipld.car"),
    (Format::Tar, "tar", "application/x-tar"),
    (Format::DagJson, "dag-json", "application/vnd.ipld.dag-json"),
    (Format::DagCbor, "dag-cbor", "application/vnd.ipld.dag-cbor"),
    (Format::Json, "json", "application/json"),
    (Format::Cbor, "cbor", "application/cbor"),
    (Format::IpnsRecord, "ipns-record", "application/vnd.ipfs.ipns-record"),
];

impl Format {
    /// Its name in the query; empty for [`Format::Plain`].
    pub fn name(self) -> &'static str {
        FORMATS.iter().find(|(format, ..)| *format == self).map_or("", |(_, name, _)| name)
    }

    /// Its media type; empty for [`Format::Plain`].
    pub fn media_type(self) -> &'static str {
        FORMATS.iter().find(|(format, ..)| *format == self).map_or("", |(.., kind)| kind)
    }

    /// Whether the caller checks what it gets, and a browser never shows it.
    pub fn is_trustless(self) -> bool {
        matches!(self, Self::Raw | Self::Car | Self::IpnsRecord)
    }
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub format: Format,
    /// The `Accept` header alone says so, or something else than the query: a cache needs to know.
    pub negotiated: bool,
    /// A browser asks.
    pub html: bool,
    pub scope: Scope,
    /// Checked to be well-formed.
    pub entity_bytes: Option<String>,
    /// Whether a CAR has a block each time that the DAG leads to it.
    pub again: bool,
    /// Whether its order was left open.
    pub any_order: bool,
    pub filename: Option<String>,
    pub download: bool,
}

/// What is asked of a CAR.
#[derive(Debug, Clone, Copy, Default)]
struct CarParams {
    again: bool,
    any_order: bool,
}

impl CarParams {
    /// Takes one parameter in; an error is what to tell the caller.
    fn take(&mut self, name: &str, value: &str) -> Result<(), &'static str> {
        match (name, value) {
            ("version", "1") => {}
            ("version", _) => return Err("only CAR version 1 is spoken here"),
            ("order", "dfs" | "unk") => self.any_order = value == "unk",
            ("order", _) => return Err("the order of a CAR is dfs or unk"),
            ("dups", "y" | "n") => self.again = value == "y",
            ("dups", _) => return Err("dups is y or n"),
            _ => {}
        }
        Ok(())
    }
}

impl Query {
    /// Reads both; an error is what to tell the caller.
    pub fn read(query: Option<&str>, headers: &HeaderMap) -> Result<Self, &'static str> {
        let pairs: Vec<(&str, String)> = query.unwrap_or_default().split('&').map(pair).collect();
        let accept = Accept::read(headers);
        let named = pairs.iter().filter(|(key, _)| *key == "format").map(|(_, value)| format(value)).next_back();
        let named = named.transpose()?;
        let (accepted, mut car) = accept.choose(named)?;
        let mut out = Self {
            format: named.or(accepted).unwrap_or(Format::Plain),
            negotiated: accepted.is_some() && accepted != named,
            html: accept.html,
            scope: Scope::All,
            entity_bytes: None,
            again: false,
            any_order: false,
            filename: None,
            download: false,
        };
        let mut scope_told = false;
        for (key, value) in pairs {
            match key {
                "dag-scope" => (out.scope, scope_told) = (scope(&value)?, true),
                "entity-bytes" => out.entity_bytes = Some(checked(value)?),
                "car-version" | "car-order" | "car-dups" => car.take(key.trim_start_matches("car-"), &value)?,
                "filename" if !value.is_empty() => out.filename = Some(value),
                "download" => out.download = value == "true",
                _ => {}
            }
        }
        if out.entity_bytes.is_some() && !scope_told {
            out.scope = Scope::Entity;
        }
        (out.again, out.any_order) = (car.again, car.any_order);
        Ok(out)
    }
}

/// One pair of a query, its value decoded.
fn pair(text: &str) -> (&str, String) {
    let (key, value) = text.split_once('=').unwrap_or((text, ""));
    (key, percent_decode_str(value).decode_utf8_lossy().into_owned())
}

fn format(value: &str) -> Result<Format, &'static str> {
    let known = FORMATS.iter().find(|(_, name, _)| *name == value).map(|(format, ..)| *format);
    known.ok_or("format is raw, car, tar, dag-json, dag-cbor, json, cbor or ipns-record")
}

fn scope(value: &str) -> Result<Scope, &'static str> {
    match value {
        "block" => Ok(Scope::Block),
        "entity" => Ok(Scope::Entity),
        "all" => Ok(Scope::All),
        _ => Err("dag-scope is block, entity or all"),
    }
}

fn checked(value: String) -> Result<String, &'static str> {
    entity_bytes(&value, u64::MAX).map(|_| value).ok_or("entity-bytes is from:to, where to may be *")
}

/// What the caller takes, the most wanted first.
struct Accept<'a> {
    formats: Vec<(Format, &'a str)>,
    html: bool,
}

impl<'a> Accept<'a> {
    fn read(headers: &'a HeaderMap) -> Self {
        let values = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok());
        let types: Vec<(&str, &str)> =
            values.flat_map(|v| v.split(',')).take(TYPES_MAX).map(|t| t.split_once(';').unwrap_or((t, ""))).collect();
        let is = |kind: &str, name: &str| kind.trim().eq_ignore_ascii_case(name);
        let known = types.iter().filter_map(|(kind, params)| {
            let (format, ..) = FORMATS.iter().find(|(_, _, name)| is(kind, name))?;
            Some((*format, *params))
        });
        let mut formats: Vec<(Format, &str)> = known.filter(|(_, params)| weight(params) > 0).collect();
        formats.sort_by_key(|(_, params)| std::cmp::Reverse(weight(params)));
        Self { formats, html: types.iter().any(|(kind, _)| is(kind, "text/html")) }
    }

    /// The first format that can be given, where `named` leaves it open; and what is asked of a CAR.
    fn choose(&self, named: Option<Format>) -> Result<(Option<Format>, CarParams), &'static str> {
        let mut refused = None;
        for (format, params) in &self.formats {
            let mut car = CarParams::default();
            let taken = if *format == Format::Car { each(params, &mut car) } else { Ok(()) };
            match taken {
                Ok(()) => return Ok((Some(*format), car)),
                Err(reason) => refused = refused.or(Some(reason)),
            }
        }
        match refused.filter(|_| named.is_none()) {
            Some(reason) => Err(reason),
            None => Ok((None, CarParams::default())),
        }
    }
}

fn each(params: &str, car: &mut CarParams) -> Result<(), &'static str> {
    params
        .split(';')
        .filter_map(|param| param.trim().split_once('='))
        .try_for_each(|(name, value)| car.take(name.trim(), value.trim().trim_matches('"')))
}

/// How much a type is wanted, in thousandths.
fn weight(params: &str) -> u32 {
    let q = params.split(';').find_map(|param| param.trim().strip_prefix("q="));
    q.and_then(|q| q.trim().parse::<f32>().ok()).map_or(1000, |q| (q.clamp(0.0, 1.0) * 1000.0) as u32)
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(query: &str, accept: &str) -> Result<Query, &'static str> {
        let mut headers = HeaderMap::new();
        if !accept.is_empty() {
            headers.insert(ACCEPT, HeaderValue::from_str(accept).unwrap());
        }
        Query::read(Some(query), &headers)
    }

    #[test]
    fn the_query_counts_before_the_header_and_the_most_wanted_type_first() {
        for (query, accept, format, negotiated) in [
            ("", "", Format::Plain, false),
            ("", "text/html,*/*", Format::Plain, false),
            ("", "foo, application/vnd.ipld.dag-json,bar", Format::DagJson, true),
            ("", "application/vnd.ipld.raw;q=0.1, application/vnd.ipld.car;q=0.9", Format::Car, true),
            ("", "application/vnd.ipld.raw;q=0", Format::Plain, false),
            ("format=raw", "application/vnd.ipld.car", Format::Raw, true),
            ("format=raw", "application/vnd.ipld.raw", Format::Raw, false),
            ("format=raw", "application/vnd.ipld.car;version=2", Format::Raw, false),
            ("format=car&format=cbor", "", Format::Cbor, false),
        ] {
            let read = read(query, accept).unwrap();
            assert_eq!((read.format, read.negotiated), (format, negotiated), "{query} {accept}");
        }
    }

    #[test]
    fn a_car_is_negotiated_and_the_query_says_the_last_word() {
        let car = |query: &str, params: &str| {
            let read = read(query, &format!("application/vnd.ipld.car{params}"))?;
            Ok::<_, &'static str>((read.again, read.any_order))
        };
        assert_eq!(car("", ""), Ok((false, false)));
        assert_eq!(car("", "; version=1; order=unk; dups=y"), Ok((true, true)));
        assert_eq!(car("car-dups=n&car-order=dfs&car-version=1", ";dups=y;order=unk"), Ok((false, false)));
        assert_eq!(car("", ";order=foo, application/vnd.ipld.car;dups=y;q=0.5"), Ok((true, false)));
        for (query, params) in [("", ";version=2"), ("", ";order=foo"), ("", ";dups=maybe"), ("car-version=2", "")] {
            assert!(car(query, params).is_err(), "{query} {params}");
        }
    }

    #[test]
    fn entity_bytes_mean_the_entity() {
        assert_eq!(read("format=car&entity-bytes=0:*", "").unwrap().scope, Scope::Entity);
        assert_eq!(read("format=car&entity-bytes=0:*&dag-scope=all", "").unwrap().scope, Scope::All);
        assert!(read("entity-bytes=1", "").is_err() && read("dag-scope=x", "").is_err());
    }
}
