//! Asks ListenBrainz, or a server that speaks as it does: JSON over HTTP, with a token.
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use serde_json::Value;

use crate::node::web::{Reach, Web, WebError, address};

/// A question and its answer take this long at most.
const PATIENCE: Duration = Duration::from_secs(20);
/// Longest answer, in bytes.
const ANSWER_MAX: usize = 64 * 1024;

/// What a server answered.
pub(super) struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    /// Null where it is no JSON.
    pub body: Value,
}

/// Asks one server.
pub(super) struct Client {
    base: String,
    web: Web,
}

impl Client {
    /// Of a server at `http://…` or `https://…`, wherever a person says that it is.
    pub fn new(base: &str) -> Self {
        Self { base: base.trim_end_matches('/').to_owned(), web: Web::new(Reach::Everywhere) }
    }

    /// Asks with a token; a body is sent as JSON.
    ///
    /// # Errors
    /// See [`WebError`]; whatever status was answered is none.
    pub async fn ask(&self, method: Method, path: &str, token: &str, body: Option<&Value>) -> Result<Answer, WebError> {
        match tokio::time::timeout(PATIENCE, self.exchange(method, path, token, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(WebError::Unreachable(self.base.clone(), "it does not answer".to_owned())),
        }
    }

    async fn exchange(
        &self,
        method: Method,
        path: &str,
        token: &str,
        body: Option<&Value>,
    ) -> Result<Answer, WebError> {
        let url = address(&format!("{}{path}", self.base))?;
        let mut headers = HeaderMap::new();
        let secret = HeaderValue::try_from(format!("Token {token}"));
        headers.insert(header::AUTHORIZATION, secret.map_err(|_| WebError::Address(self.base.clone()))?);
        if body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        let bytes = body.map(|body| Bytes::from(body.to_string())).unwrap_or_default();
        let got = self.web.send(&url, method, &headers, bytes).await?;
        let bytes = got.body.all(ANSWER_MAX).await?;
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        Ok(Answer { status: got.status, headers: got.headers, body })
    }
}
