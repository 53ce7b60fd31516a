//! What is said to a pinning service, and what it says: schemas of the IPFS Pinning Service API 1.0.0.
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Longest text of a service that is passed on, in characters.
const TEXT_MAX: usize = 300;
/// Longest id of a pin, in bytes.
const REQUEST_MAX: usize = 512;
/// Things that a service says of a pin.
const INFO_MAX: usize = 20;
/// Addresses that are told to a service, and taken of it.
pub(super) const ADDRESSES_MAX: usize = 20;
/// Longest name of a pin, in characters.
pub(super) const NAME_MAX: usize = 255;

/// How a pin stands at the service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PinState {
    /// It waits.
    Queued,
    /// It is being fetched.
    Pinning,
    /// It is there.
    Pinned,
    /// It could not be fetched.
    Failed,
}

impl PinState {
    /// As the specification writes it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Pinning => "pinning",
            Self::Pinned => "pinned",
            Self::Failed => "failed",
        }
    }
}

/// A pin of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinInfo {
    /// Its id there; empty where that is none that can be asked about.
    pub request: String,
    /// See [`PinState`].
    pub state: PinState,
    /// As the service writes it.
    pub cid: String,
    /// What it is called there.
    pub name: Option<String>,
    /// When, as the service writes it (RFC 3339).
    pub created: String,
    /// What else the service says of it.
    pub info: BTreeMap<String, String>,
}

/// Some pins of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PinPage {
    /// How many there are with these and those that come after.
    pub total: u64,
    /// Newest first.
    pub pins: Vec<PinInfo>,
}

/// `Pin`
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Pin {
    pub cid: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub origins: Vec<String>,
}

/// `Pin` as others wrote it: only what is needed of it.
#[derive(Debug, Clone, Deserialize)]
struct Kept {
    cid: String,
    name: Option<String>,
}

/// `PinStatus`
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PinStatus {
    requestid: String,
    pub status: PinState,
    created: String,
    pin: Kept,
    #[serde(default)]
    delegates: Vec<String>,
    info: Option<BTreeMap<String, Value>>,
}

/// `PinResults`
#[derive(Debug, Clone, Deserialize)]
pub(super) struct PinResults {
    pub count: u64,
    pub results: Vec<PinStatus>,
}

/// `Failure`
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct Failure {
    error: Reason,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Reason {
    reason: String,
    details: Option<String>,
}

impl Failure {
    /// The words of the service, after a colon; nothing where it said nothing that can be read.
    pub fn said(body: &[u8]) -> String {
        let error = serde_json::from_slice::<Self>(body).unwrap_or_default().error;
        let words: Vec<String> =
            [Some(error.reason), error.details].into_iter().flatten().map(|text| plain(&text)).collect();
        let words: Vec<String> = words.into_iter().filter(|text| !text.is_empty()).collect();
        if words.is_empty() { String::new() } else { format!(": {}", words.join(", ")) }
    }
}

impl PinStatus {
    /// Its id, where that is one that can be asked about.
    pub fn request(&self) -> Option<&str> {
        Some(self.requestid.as_str()).filter(|request| is_request(request))
    }

    /// Why, where it says so.
    pub fn details(&self) -> Option<String> {
        let details = self.info.as_ref()?.get("status_details")?;
        Some(text(details)).filter(|text| !text.is_empty())
    }

    /// Nodes of the service that fetch.
    pub fn delegates(&self) -> impl Iterator<Item = &String> {
        self.delegates.iter().take(ADDRESSES_MAX)
    }

    /// For people.
    pub fn info(&self) -> PinInfo {
        let info = self.info.iter().flatten().take(INFO_MAX).map(|(key, value)| (plain(key), text(value)));
        PinInfo {
            request: self.request().unwrap_or_default().to_owned(),
            state: self.status,
            cid: plain(&self.pin.cid),
            name: self.pin.name.as_deref().map(plain),
            created: plain(&self.created),
            info: info.collect(),
        }
    }

    /// Whether it is a pin of this, by this name.
    pub fn is(&self, pin: &Pin) -> bool {
        self.pin.cid == pin.cid && self.pin.name == pin.name
    }
}

/// What a service's answer says, whatever was asked: a list of pins, one pin, or a failure; and what would be asked about again, by ids.
#[must_use]
pub fn answered(body: &[u8]) -> (Vec<PinInfo>, Vec<String>, String) {
    let list = serde_json::from_slice::<PinResults>(body).map(|list| list.results).unwrap_or_default();
    let all: Vec<PinStatus> = list.into_iter().chain(serde_json::from_slice(body)).collect();
    let known = all.iter().filter_map(|pin| pin.request().map(str::to_owned)).collect();
    (all.iter().map(PinStatus::info).collect(), known, Failure::said(body))
}

/// Whether a text may be the id of a pin, and a part of a path.
pub(super) fn is_request(text: &str) -> bool {
    (1..=REQUEST_MAX).contains(&text.len()) && text != "." && text != ".." && !text.chars().any(char::is_control)
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => plain(text),
        other => plain(&other.to_string()),
    }
}

fn plain(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(TEXT_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_service_says_of_a_failure_is_one_line_of_limited_length() {
        let body = format!(r#"{{"error":{{"reason":"NO_FUNDS","details":"pay\n up{}"}}}}"#, "x".repeat(1000));
        let said = Failure::said(body.as_bytes());
        assert!(said.starts_with(": NO_FUNDS, pay upx") && said.len() < 400, "{said}");
        assert_eq!(Failure::said(br#"{"error":{"reason":"BAD"}}"#), ": BAD");
        for odd in [&b"<html>"[..], b"", b"{}", b"[]", br#"{"error":"x"}"#] {
            assert_eq!(Failure::said(odd), "");
        }
    }

    #[test]
    fn a_pin_is_read_with_little_and_with_much() {
        let least =
            r#"{"requestid":"r","status":"queued","created":"2020-07-27T17:32:28Z","pin":{"cid":"Qm"},"delegates":[]}"#;
        let read: PinStatus = serde_json::from_str(least).unwrap();
        assert_eq!((read.request(), read.status, read.info().name), (Some("r"), PinState::Queued, None));
        let much = r#"{"requestid":"..","status":"failed","created":"x","pin":{"cid":"Qm","name":"n","meta":{"a":"b"}},
            "info":{"status_details":"no\u0007 room","dag_size":7},"more":[]}"#;
        let read: PinStatus = serde_json::from_str(much).unwrap();
        assert_eq!((read.request(), read.details().as_deref()), (None, Some("no room")));
        assert_eq!((read.info().info["dag_size"].as_str(), read.info().request.as_str()), ("7", ""));
        assert!(serde_json::from_str::<PinStatus>(&least.replace("queued", "lost")).is_err());
    }
}
