//! What a gateway request asks for, in its query and its `Accept` header.
use http::HeaderMap;
use http::header::ACCEPT;
use percent_encoding::percent_decode_str;

use crate::content::ranges::entity_bytes;

/// In which form the content is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// The bytes of the file.
    Plain,
    /// One block.
    Raw,
    /// Blocks in a CAR.
    Car,
}

/// How much of a DAG a CAR holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// The last block alone.
    Block,
    /// The file, or the folder without what is in it.
    Entity,
    /// Everything below.
    All,
}

/// See the module.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Query {
    pub format: Format,
    pub scope: Scope,
    /// Checked to be well-formed.
    pub entity_bytes: Option<String>,
    pub filename: Option<String>,
    pub download: bool,
}

impl Query {
    /// Reads both; an error is what to tell the caller.
    pub fn read(query: Option<&str>, headers: &HeaderMap) -> Result<Self, &'static str> {
        let mut out =
            Self { format: accepted(headers)?, scope: Scope::All, entity_bytes: None, filename: None, download: false };
        for pair in query.unwrap_or_default().split('&') {
            let (key, value) = pair.split_once('=').unwrap_or((pair, ""));
            let value = percent_decode_str(value).decode_utf8_lossy().into_owned();
            match key {
                "format" => out.format = format(&value)?,
                "dag-scope" => out.scope = scope(&value)?,
                "entity-bytes" => out.entity_bytes = Some(checked(value)?),
                "filename" if !value.is_empty() => out.filename = Some(value),
                "download" => out.download = value == "true",
                _ => {}
            }
        }
        Ok(out)
    }
}

fn format(value: &str) -> Result<Format, &'static str> {
    match value {
        "raw" => Ok(Format::Raw),
        "car" => Ok(Format::Car),
        _ => Err("format is raw or car"),
    }
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

/// The first trustless type in `Accept`; whatever else is there means the file itself.
fn accepted(headers: &HeaderMap) -> Result<Format, &'static str> {
    let values = headers.get_all(ACCEPT).iter().filter_map(|v| v.to_str().ok());
    for range in values.flat_map(|v| v.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        match parts.next() {
            Some("application/vnd.ipld.raw") => return Ok(Format::Raw),
            Some("application/vnd.ipld.car") => {
                let other = |part: &str| part.strip_prefix("version=").is_some_and(|version| version != "1");
                return if parts.any(other) { Err("only CAR version 1 is spoken here") } else { Ok(Format::Car) };
            }
            _ => {}
        }
    }
    Ok(Format::Plain)
}
