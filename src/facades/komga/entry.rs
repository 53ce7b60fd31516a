//! Who calls Komga's API: Basic, `X-API-Key`, a bearer key, the session's cookie or header, or what a program is remembered by.
//!
//! Kobo readers have their key in the path, and nothing else that they send says who they are: what they call a token they were
//! given without looking, and cookies confuse them.
//!
//! Whoever proves who they are gets a session, unless they came with one of theirs; it opens nothing but what is below `/komga`.
//! Tokens of other servers on this host, whose cookies have the same name, are passed over.
use std::collections::HashMap;
use std::collections::hash_map::DefaultHasher;
use std::hash::{Hash, Hasher};

use axum::http::{HeaderMap, HeaderName, HeaderValue, Uri, header};
use axum::response::Response;
use parking_lot::Mutex;

use super::base::Base;
use super::kobo;
use super::params::Params;
use crate::accounts::{Accounts, Caller, SessionKind};
use crate::facades::App;
use crate::facades::caller::{cookies, name_and_secret};
use crate::facades::error::Refusal;
use crate::facades::proxies::Front;

/// Name of the session's cookie.
pub(super) const SESSION: &str = "KOMGA-SESSION";
/// Name of the cookie that a program is remembered by.
pub(super) const REMEMBER: &str = "komga-remember-me";
/// The header that stands for the session's cookie, in both directions.
const TOKEN: HeaderName = HeaderName::from_static("x-auth-token");
/// How long a program keeps what it is remembered by.
const REMEMBERED_SECONDS: u64 = 365 * 24 * 3600;
/// Sessions that are known to be handed out again.
const RECENT_MAX: usize = 1024;

/// Sessions that were handed out lately: a program that keeps no cookies gets the same one with each call.
#[derive(Default)]
pub(in crate::facades) struct Readers(Mutex<HashMap<u64, String>>);

impl Readers {
    async fn token(&self, accounts: &Accounts, caller: &Caller, agent: &str) -> Option<String> {
        let mut hasher = DefaultHasher::new();
        (caller.id(), &caller.credential, caller.address, agent).hash(&mut hasher);
        let key = hasher.finish();
        let known = self.0.lock().get(&key).cloned();
        let alive = |token: &String| {
            let owner = accounts.by_session_of(SessionKind::Reader, token, caller.address);
            owner.is_some_and(|owner| owner.id() == caller.id())
        };
        if let Some(token) = known.filter(alive) {
            return Some(token);
        }
        let begun = accounts.begin_session(caller, SessionKind::Reader).await;
        let token = begun.inspect_err(|error| tracing::debug!(%error, "a reading program has no session")).ok()?.token;
        let mut recent = self.0.lock();
        if recent.len() >= RECENT_MAX {
            recent.clear();
        }
        recent.insert(key, token.clone());
        Some(token)
    }
}

/// Whoever came in, and what they are to take with them.
#[derive(Debug)]
pub(in crate::facades) struct Entered {
    /// Who it is.
    pub caller: Caller,
    headers: Vec<(HeaderName, String)>,
}

impl Entered {
    /// Puts cookies and tokens on the answer, unless it has cookies of its own.
    pub fn leave(self, response: &mut Response) {
        if response.headers().contains_key(header::SET_COOKIE) {
            return;
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                response.headers_mut().append(name, value);
            }
        }
    }
}

/// Names the caller.
///
/// # Errors
/// [`Refusal`] for credentials that are wrong.
pub(in crate::facades) async fn enter(
    app: &App,
    front: &Front,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<Entered, Refusal> {
    let accounts = app.node().accounts();
    if let Some(key) = kobo::key_of(uri.path()) {
        let caller = accounts.by_api_key(key, front.address).ok_or_else(Refusal::unauthenticated)?;
        return Ok(Entered { caller, headers: Vec::new() });
    }
    let session = tokens(headers).find_map(|token| accounts.by_session_of(SessionKind::Reader, token, front.address));
    let proved = proved(accounts, front, headers).await?;
    let known = match (&proved, &session) {
        (Some(caller), Some(session)) => caller.id() == session.id(),
        (None, Some(_)) => true,
        (_, None) => false,
    };
    let remember = proved.is_some() && Params::parse(uri.query().unwrap_or_default()).flag("remember-me") == Some(true);
    let caller = proved.or(session).or_else(|| remembered(accounts, front, headers));
    let Some(caller) = caller else {
        return Ok(Entered { caller: Caller::nobody(front.address), headers: Vec::new() });
    };
    let (mut given, base) = (Vec::new(), Base::of(front));
    if !known {
        let agent = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let token = app.readers().token(accounts, &caller, agent).await;
        given.extend(token.map(|token| match headers.contains_key(TOKEN) {
            true => (TOKEN, token),
            false => (header::SET_COOKIE, cookie(SESSION, &token, None, &base, front.secure)),
        }));
    }
    if remember && let Ok(begun) = accounts.begin_session(&caller, SessionKind::Remembered).await {
        let cookie = cookie(REMEMBER, &begun.token, Some(REMEMBERED_SECONDS), &base, front.secure);
        given.push((header::SET_COOKIE, cookie));
    }
    Ok(Entered { caller, headers: given })
}

/// Tokens of sessions: that of the header, then those of all cookies of the name.
pub(super) fn tokens(headers: &HeaderMap) -> impl Iterator<Item = &str> {
    let told = headers.get(TOKEN).and_then(|v| v.to_str().ok());
    told.into_iter().chain(cookies(headers, SESSION))
}

async fn proved(accounts: &Accounts, front: &Front, headers: &HeaderMap) -> Result<Option<Caller>, Refusal> {
    let text = |name: &str| headers.get(name).map(|v| v.to_str().unwrap_or_default().trim());
    let by_key = |key: &str| accounts.by_api_key(key, front.address).ok_or_else(Refusal::unauthenticated).map(Some);
    // KOReader sends a key as the name of its user.
    if let Some(key) = text("x-api-key").or_else(|| text("x-auth-user")) {
        return by_key(key);
    }
    let Some(authorization) = text(header::AUTHORIZATION.as_str()) else { return Ok(None) };
    match authorization.split_once(' ') {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => by_key(key.trim()),
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            let (name, secret) = name_and_secret(pair.trim()).ok_or_else(Refusal::unauthenticated)?;
            Ok(Some(accounts.by_name(&name, &secret, front.address).await?))
        }
        _ => Ok(None),
    }
}

fn remembered(accounts: &Accounts, front: &Front, headers: &HeaderMap) -> Option<Caller> {
    cookies(headers, REMEMBER).find_map(|token| accounts.by_session_of(SessionKind::Remembered, token, front.address))
}

/// Ends what the caller came with.
///
/// # Errors
/// [`Refusal`] where the accounts cannot be written.
pub(super) async fn leave(accounts: &Accounts, headers: &HeaderMap) -> Result<(), Refusal> {
    for token in tokens(headers) {
        accounts.end_session(SessionKind::Reader, token).await?;
    }
    for token in cookies(headers, REMEMBER) {
        accounts.end_session(SessionKind::Remembered, token).await?;
    }
    Ok(())
}

/// Of a session that ends with its program unless it says for how many seconds it is kept. `Lax`, and only for Komga's API: calls
/// that change something are checked besides.
pub(super) fn cookie(name: &str, token: &str, seconds: Option<u64>, base: &Base, secure: bool) -> String {
    let secure = if secure { "; Secure" } else { "" };
    let kept = seconds.map(|seconds| format!("; Max-Age={seconds}")).unwrap_or_default();
    let path = base.cookie_path();
    format!("{name}={token}; Path={path}{kept}; HttpOnly; SameSite=Lax{secure}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cookie_is_secure_over_tls_alone_and_for_komga_alone() {
        let base = Base::default();
        assert_eq!(cookie("a", "t", None, &base, false), "a=t; Path=/komga; HttpOnly; SameSite=Lax");
        let ended = "a=t; Path=/komga; Max-Age=0; HttpOnly; SameSite=Lax; Secure";
        assert_eq!(cookie("a", "t", Some(0), &base, true), ended);
    }

    #[test]
    fn tokens_are_of_the_header_and_of_every_cookie_of_the_name() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("KOMGA-SESSION=one; a=b; KOMGA-SESSION=two"));
        headers.append(TOKEN, HeaderValue::from_static("three"));
        assert_eq!(tokens(&headers).collect::<Vec<_>>(), ["three", "one", "two"]);
    }
}
