//! What is answered where something was not done: a number that programs know, and a sentence for people. The status of HTTP is 200.
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use super::tree::Element;
use crate::accounts::AccountsError;
use crate::catalog::CatalogError;
use crate::facades::error::{Denied, Refusal, Told};

/// Numbers of the protocol.
pub(super) const GENERIC: u16 = 0;
pub(super) const MISSING: u16 = 10;
pub(super) const CREDENTIALS: u16 = 40;
pub(super) const NO_TOKENS: u16 = 41;
pub(super) const CONFLICTING: u16 = 43;
pub(super) const API_KEY: u16 = 44;
pub(super) const FORBIDDEN: u16 = 50;
pub(super) const ABSENT: u16 = 70;

/// A failed answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facades) struct Fault {
    pub code: u16,
    pub message: String,
    /// The word that the audit has for it.
    denied: Option<&'static str>,
}

impl Fault {
    pub fn new(code: u16, message: impl Into<String>) -> Self {
        let denied = match code {
            CREDENTIALS | NO_TOKENS | API_KEY => Some("wrong_password"),
            _ => None,
        };
        Self { code, message: message.into(), denied }
    }

    /// A parameter is not there.
    pub fn missing(name: &str) -> Self {
        Self::new(MISSING, format!("the parameter {name} is missing"))
    }

    /// A parameter cannot be used: which, and what it may be.
    pub fn invalid(message: impl Into<String>) -> Self {
        Self::new(GENERIC, message)
    }

    /// There is no such thing for this caller.
    pub fn absent(what: &str) -> Self {
        Self::new(ABSENT, format!("there is no such {what}"))
    }

    /// Whether it says that there is no such thing.
    pub fn is_absent(&self) -> bool {
        self.code == ABSENT
    }

    /// This caller may not.
    pub fn forbidden(message: impl Into<String>) -> Self {
        Self { denied: Some("forbidden"), ..Self::new(FORBIDDEN, message) }
    }

    pub fn element(&self) -> Element {
        Element::new().with("code", i64::from(self.code)).with("message", self.message.as_str())
    }

    /// Of an answer that the policy check or the router gave.
    pub fn of(response: &Response) -> Self {
        let message = response.extensions().get::<Told>().map(|told| told.0.clone());
        let message =
            message.unwrap_or_else(|| response.status().canonical_reason().unwrap_or_default().to_lowercase());
        match response.status() {
            // Nothing was brought, so that nothing was tried.
            StatusCode::UNAUTHORIZED => Self::new(MISSING, "u with p, u with t and s, or apiKey is needed"),
            StatusCode::FORBIDDEN => Self::new(FORBIDDEN, message),
            StatusCode::NOT_FOUND => Self::new(ABSENT, message),
            _ => Self::new(GENERIC, message),
        }
    }
}

impl IntoResponse for Fault {
    /// A response that carries it; it is written when the form of the answer is known.
    fn into_response(self) -> Response {
        let mut response = StatusCode::OK.into_response();
        if let Some(word) = self.denied {
            response.extensions_mut().insert(Denied(word));
        }
        response.extensions_mut().insert(self);
        response
    }
}

impl From<CatalogError> for Fault {
    fn from(error: CatalogError) -> Self {
        match &error {
            CatalogError::NotFound(what) => Self::absent(what),
            CatalogError::Conflict(_) | CatalogError::Invalid(_) => Self::new(GENERIC, error.to_string()),
            CatalogError::Database(_) => Self::internal(error),
        }
    }
}

impl From<AccountsError> for Fault {
    fn from(error: AccountsError) -> Self {
        let message = error.to_string();
        match error {
            AccountsError::WrongPassword | AccountsError::WrongInvite => Self::new(CREDENTIALS, message),
            AccountsError::TooMany(_) => Self { denied: Some("rate_limited"), ..Self::new(GENERIC, message) },
            AccountsError::NotFound(what) => Self::absent(what),
            AccountsError::Busy | AccountsError::Conflict(_) | AccountsError::Invalid(_) => Self::new(GENERIC, message),
            AccountsError::Database(_) | AccountsError::Hash(_) => Self::internal(error),
        }
    }
}

impl Fault {
    /// Of a refusal that a part for all dialects gave.
    pub fn refused(refusal: Refusal) -> Self {
        Self::of(&refusal.into_response())
    }

    /// Something is broken on our side. Logged with its causes, and told without them.
    fn internal(error: impl std::error::Error + 'static) -> Self {
        let response = Refusal::internal(&error).into_response();
        Self::of(&response)
    }
}
