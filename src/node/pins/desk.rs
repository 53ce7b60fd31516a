//! Asks one pinning service, and makes of what went wrong a sentence that says what to do.
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE};
use http::{HeaderMap, HeaderValue, Method, StatusCode};
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::de::DeserializeOwned;

use super::words::{Failure, Pin, PinPage, PinResults, PinState, PinStatus, is_request};
use super::{PinsError, web};
use crate::node::web::{Web, WebError};

/// Longest answer, in bytes: a page of 1,000 pins with what services say of them.
const ANSWER_MAX: usize = 4 * 1024 * 1024;
/// A question and its whole answer take this long at most.
const PATIENCE: Duration = Duration::from_secs(40);
/// Without it, a service lists only what it has pinned.
const ALL: &str = "status=queued&status=pinning&status=pinned&status=failed";

/// A service, asked with its token.
pub(super) struct Desk<'a> {
    web: &'a Web,
    name: &'a str,
    url: &'a str,
    token: &'a str,
}

impl<'a> Desk<'a> {
    pub fn new(web: &'a Web, name: &'a str, url: &'a str, token: &'a str) -> Self {
        Self { web, name, url, token }
    }

    /// Pins before a time, newest first.
    pub async fn page(&self, before: Option<&str>, limit: u32) -> Result<PinPage, PinsError> {
        let before = before.map(|time| format!("&before={}", escaped(time))).unwrap_or_default();
        let found: PinResults = self.json(Method::GET, &format!("/pins?limit={limit}&{ALL}{before}"), None).await?;
        let pins = found.results.iter().take(limit as usize).map(PinStatus::info).collect();
        Ok(PinPage { total: found.count, pins })
    }

    /// A pin that is there already, or on its way, by CID and name.
    pub async fn find(&self, pin: &Pin) -> Result<Option<PinStatus>, PinsError> {
        let name = pin.name.as_deref().map(|name| format!("&name={}", escaped(name))).unwrap_or_default();
        let path = format!("/pins?limit=10&{ALL}&cid={}{name}", escaped(&pin.cid));
        let found: PinResults = self.json(Method::GET, &path, None).await?;
        Ok(found
            .results
            .into_iter()
            .find(|told| told.is(pin) && told.status != PinState::Failed && told.request().is_some()))
    }

    pub async fn add(&self, pin: &Pin) -> Result<PinStatus, PinsError> {
        self.status(Method::POST, "/pins", Some(pin)).await
    }

    pub async fn replace(&self, request: &str, pin: &Pin) -> Result<PinStatus, PinsError> {
        self.status(Method::POST, &self.pin(request)?, Some(pin)).await
    }

    pub async fn get(&self, request: &str) -> Result<PinStatus, PinsError> {
        self.status(Method::GET, &self.pin(request)?, None).await
    }

    pub async fn remove(&self, request: &str) -> Result<(), PinsError> {
        self.ask(Method::DELETE, &self.pin(request)?, None).await.map(drop)
    }

    fn pin(&self, request: &str) -> Result<String, PinsError> {
        if is_request(request) {
            Ok(format!("/pins/{}", escaped(request)))
        } else {
            Err(PinsError::Missing(self.name()))
        }
    }

    /// A pin that can be asked about again.
    async fn status(&self, method: Method, path: &str, pin: Option<&Pin>) -> Result<PinStatus, PinsError> {
        let told: PinStatus = self.json(method, path, pin).await?;
        if told.request().is_some() { Ok(told) } else { Err(self.odd("a pin without an id")) }
    }

    async fn json<T: DeserializeOwned>(&self, method: Method, path: &str, pin: Option<&Pin>) -> Result<T, PinsError> {
        let body = self.ask(method, path, pin).await?;
        serde_json::from_slice(&body).map_err(|error| match error.classify() {
            serde_json::error::Category::Data => self.odd("a field is missing, or is something else"),
            _ => self.odd("no JSON"),
        })
    }

    async fn ask(&self, method: Method, path: &str, pin: Option<&Pin>) -> Result<Bytes, PinsError> {
        let late = || PinsError::Web(WebError::Unreachable(self.name(), "it does not answer".to_owned()));
        tokio::time::timeout(PATIENCE, self.exchange(method, path, pin)).await.map_err(|_| late())?
    }

    async fn exchange(&self, method: Method, path: &str, pin: Option<&Pin>) -> Result<Bytes, PinsError> {
        let url = web::address(&format!("{}{path}", self.url))?;
        let mut headers = HeaderMap::from_iter([(ACCEPT, HeaderValue::from_static("application/json"))]);
        let mut bearer =
            HeaderValue::try_from(format!("Bearer {}", self.token)).map_err(|_| PinsError::Token(self.name()))?;
        bearer.set_sensitive(true);
        headers.insert(AUTHORIZATION, bearer);
        let body = pin.map(|pin| serde_json::to_vec(pin).unwrap_or_default()).unwrap_or_default();
        if pin.is_some() {
            headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        // Redirects are not followed: the token is for this server.
        let got = self.web.send(&url, method, &headers, body.into()).await?;
        let status = got.status;
        let body = got.body.all(ANSWER_MAX).await;
        if status.is_success() {
            return body.map_err(|error| match error {
                WebError::TooLong(..) => self.odd("an endless answer"),
                error => error.into(),
            });
        }
        let said = Failure::said(&body.unwrap_or_default());
        Err(self.refused(status, path.starts_with("/pins/"), &said))
    }

    /// `pin`: it was asked about one.
    fn refused(&self, status: StatusCode, pin: bool, said: &str) -> PinsError {
        let (name, said) = (self.name(), said.to_owned());
        match status.as_u16() {
            401 | 403 => PinsError::Token(name),
            402 | 409 => PinsError::Funds(name, said),
            404 if pin => PinsError::Missing(name),
            404 => self.odd("nothing is there"),
            300..=399 => self.odd("it sends on to another address"),
            408 | 425 | 429 | 500..=599 => PinsError::Failed(name, status.as_u16(), said),
            number => PinsError::Refused(name, number, said),
        }
    }

    fn odd(&self, what: &str) -> PinsError {
        PinsError::Odd(self.name(), what.to_owned())
    }

    fn name(&self) -> String {
        self.name.to_owned()
    }
}

fn escaped(text: &str) -> String {
    utf8_percent_encode(text, NON_ALPHANUMERIC).to_string()
}
