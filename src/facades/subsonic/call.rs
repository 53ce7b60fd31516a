//! One call, as a method gets it, and what it answers.
use std::convert::Infallible;
use std::sync::Arc;

use axum::extract::{FromRequest as _, FromRequestParts, Request};
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use axum::response::{IntoResponse, Response};

use parking_lot::Mutex;
use serde::de::DeserializeOwned;

use super::fault::Fault;
use super::params::Params;
use super::tree::Element;
use crate::accounts::{Account, Caller, Credential};
use crate::facades::App;
use crate::facades::extract::Json;
use crate::facades::proxies::Front;

/// Bytes of JSON at most: what a program plays is a few KiB.
const JSON_MAX: usize = 64 * 1024;

/// What a method works with.
#[derive(Clone)]
pub(in crate::facades) struct Call {
    pub app: App,
    pub caller: Caller,
    pub params: Arc<Params>,
    pub method: Method,
    pub headers: HeaderMap,
    pub through: Through,
    pub body: Sent,
}

/// What came with the call besides its parameters, until somebody reads it.
#[derive(Clone)]
pub(in crate::facades) struct Sent(Arc<Mutex<Option<Request>>>);

impl Sent {
    pub fn new(request: Request) -> Self {
        Self(Arc::new(Mutex::new(Some(request))))
    }

    /// Reads it as JSON.
    ///
    /// # Errors
    /// [`Fault`] for anything else, for too much, and for what comes too slowly.
    pub async fn json<T: DeserializeOwned>(&self) -> Result<T, Fault> {
        let request = self.0.lock().take().unwrap_or_default();
        let Json(read) = Json::<T, JSON_MAX>::from_request(request, &()).await.map_err(Fault::refused)?;
        Ok(read)
    }
}

/// How the call reached us; not known where no TCP connection brought it.
#[derive(Debug, Clone, Default)]
pub(in crate::facades) struct Through(pub Option<Front>);

impl<S: Sync> FromRequestParts<S> for Through {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self(parts.extensions.get::<Front>().cloned()))
    }
}

impl Call {
    /// Who calls.
    ///
    /// # Errors
    /// [`Fault`] for nobody, whom the policy check does not let here.
    pub fn account(&self) -> Result<&Account, Fault> {
        self.caller.account.as_ref().ok_or_else(|| Fault::forbidden("sign in first"))
    }

    /// Whether it may change accounts: a program's own password never does.
    pub fn manages_people(&self) -> bool {
        self.caller.is_admin() && !self.is_app()
    }

    /// Whether a program calls with a password of its own.
    pub fn is_app(&self) -> bool {
        matches!(self.caller.credential, Credential::App(_))
    }
}

/// What a method answers: the contents of the envelope, which is written later.
#[derive(Debug, Clone, Default)]
pub(in crate::facades) struct Answer(pub Element);

impl Answer {
    /// Nothing but that it was done.
    pub fn done() -> Self {
        Self::default()
    }

    /// One element.
    pub fn one(name: &'static str, element: Element) -> Self {
        Self(Element::new().one(name, element))
    }
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        let mut response = ().into_response();
        response.extensions_mut().insert(self.0);
        response
    }
}
