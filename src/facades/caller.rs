//! Resolves who is asking, for every carrier, and keeps a line of what was refused.
//!
//! A carrier that knows its caller (the control socket, a data channel) leaves a [`Caller`] with the request; headers do
//! not matter then. Over TCP the credentials are, in this order: `Authorization: Bearer` with an API key,
//! `Authorization: Basic` with a name and its password or API key, the session cookie. Credentials that a browser sends by
//! itself (cookie, Basic) change something only from our own page. Below `/komga` and `/rest` the credentials are those of
//! [`komga`] and [`subsonic`].
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use data_encoding::BASE64;

use super::error::{Denied, Refusal};
use super::proxies::{Connection, Front, text};
use super::{App, komga, subsonic};
use crate::accounts::{AuditLine, Caller, Credential};

/// Name of the session cookie.
pub(super) const COOKIE: &str = "potluck_session";

/// The outermost layer: names the caller, refuses forged calls, writes down what was refused.
pub(super) async fn identify(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let known = request.extensions().get::<Caller>().cloned();
    let front = request
        .extensions()
        .get::<Connection>()
        .map(|connection| app.options().trusted_proxies.front(*connection, request.headers(), request.uri()));
    let asked = komga::is_below(request.uri().path()).then(|| komga::Asked::of(&request, front.as_ref()));
    let mut music = None;
    if subsonic::is_below(request.uri().path()) {
        let (read, told) = subsonic::Asked::of(request).await;
        (request, music) = (read, Some(told));
    }
    let mut entered = None;
    let caller = match (known, &front, &music) {
        (_, _, Some(subsonic::Asked { failed: Some(fault), .. })) => Err(fault.clone().into_response()),
        (Some(caller), ..) => Ok(caller),
        (None, Some(front), Some(music)) => {
            subsonic::enter(&app, front, request.uri().path(), &music.params, request.headers()).await
        }
        (None, Some(front), None) if komga::is_for_nobody(request.uri().path()) => Ok(Caller::nobody(front.address)),
        (None, Some(front), None) if asked.is_some() => {
            let reader = reader(&app, front, request.method(), request.headers(), request.uri()).await;
            reader.map_err(IntoResponse::into_response).map(|reader| {
                let caller = reader.caller.clone();
                entered = Some(reader);
                caller
            })
        }
        (None, Some(front), None) => {
            over_http(&app, front, request.method(), request.headers()).await.map_err(IntoResponse::into_response)
        }
        (None, None, _) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    };
    let challenge = asked.is_none() && music.is_none() && wants_challenge(request.headers());
    let line = Line::of(&request, caller.as_ref().ok(), front.as_ref());
    let response = match caller {
        Ok(caller) => {
            request.extensions_mut().insert(caller);
            request.extensions_mut().insert(app.clone());
            if let Some(front) = front {
                request.extensions_mut().insert(front);
            }
            next.run(request).await
        }
        Err(refusal) => refusal,
    };
    let response = match (asked, music) {
        (Some(asked), _) => komga::finish(&app, asked, entered, response).await,
        (None, Some(music)) => subsonic::finish(&music, response),
        (None, None) => response,
    };
    finish(&app, line, challenge, response)
}

async fn over_http(app: &App, front: &Front, method: &Method, headers: &HeaderMap) -> Result<Caller, Refusal> {
    let accounts = app.node().accounts();
    let authorization = headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok());
    let caller = match authorization.and_then(|value| value.split_once(' ')) {
        Some((scheme, key)) if scheme.eq_ignore_ascii_case("bearer") => {
            match accounts.by_api_key(key.trim(), front.address) {
                Some(caller) => caller,
                // Not an account's key, but what the figures may ask for: their policy looks at it again.
                None if app.options().metrics.takes(headers) => Caller::nobody(front.address),
                None => return Err(Refusal::unauthenticated()),
            }
        }
        Some((scheme, pair)) if scheme.eq_ignore_ascii_case("basic") => {
            let (name, secret) = name_and_secret(pair.trim()).ok_or_else(Refusal::unauthenticated)?;
            accounts.by_name(&name, &secret, front.address).await?
        }
        _ => session_cookie(headers)
            .and_then(|token| accounts.by_session(token, front.address))
            .unwrap_or_else(|| Caller::nobody(front.address)),
    };
    deliberate(&caller, front, method, headers)?;
    Ok(caller)
}

/// A program for reading, by its own ways of saying who it is.
async fn reader(
    app: &App,
    front: &Front,
    method: &Method,
    headers: &HeaderMap,
    uri: &Uri,
) -> Result<komga::Entered, Refusal> {
    let entered = komga::enter(app, front, headers, uri).await?;
    deliberate(&entered.caller, front, method, headers)?;
    Ok(entered)
}

/// What changes something is not done because another site had a browser ask for it. A key is nothing that a browser brings by
/// itself.
fn deliberate(caller: &Caller, front: &Front, method: &Method, headers: &HeaderMap) -> Result<(), Refusal> {
    if !method.is_safe() && !matches!(caller.credential, Credential::ApiKey(_)) && !from_own_page(headers, front) {
        return Err(Refusal::forbidden("this call came from another site's page"));
    }
    Ok(())
}

pub(super) fn name_and_secret(pair: &str) -> Option<(String, String)> {
    let decoded = String::from_utf8(BASE64.decode(pair.as_bytes()).ok()?).ok()?;
    let (name, secret) = decoded.split_once(':')?;
    Some((name.to_owned(), secret.to_owned()))
}

fn session_cookie(headers: &HeaderMap) -> Option<&str> {
    cookies(headers, COOKIE).next()
}

/// The values of all cookies of a name: there are several where several paths have one.
pub(super) fn cookies<'a>(headers: &'a HeaderMap, name: &'static str) -> impl Iterator<Item = &'a str> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(';'));
    all.filter_map(|pair| pair.trim().split_once('=')).filter(move |(key, _)| *key == name).map(|(_, value)| value)
}

/// A browser says where a changing call comes from, by `Sec-Fetch-Site` where the page is secure and by `Origin` always.
/// A program sends neither, and no other site can make it call us.
pub(super) fn from_own_page(headers: &HeaderMap, front: &Front) -> bool {
    if let Some(site) = text(headers, "sec-fetch-site") {
        return site == "same-origin" || site == "none";
    }
    let Some(origin) = text(headers, header::ORIGIN.as_str()) else { return !headers.contains_key(header::ORIGIN) };
    let scheme = front.scheme();
    front.host.as_ref().is_some_and(|host| origin.eq_ignore_ascii_case(&format!("{scheme}://{host}")))
}

/// Players ask for a name and password when they are challenged; a browser would show a window of its own over our page.
fn wants_challenge(headers: &HeaderMap) -> bool {
    let agent = text(headers, header::USER_AGENT.as_str()).unwrap_or_default();
    !agent.starts_with("Mozilla/") && !headers.contains_key("sec-fetch-mode")
}

/// What the audit says of a request, taken before the request is consumed.
struct Line {
    account: Option<String>,
    address: String,
    method: Method,
    path: String,
}

impl Line {
    fn of(request: &Request, caller: Option<&Caller>, front: Option<&Front>) -> Self {
        let address = front.map(|f| f.address).or(caller.map(|c| c.address));
        Self {
            account: caller.and_then(named),
            address: address.map(|a| a.to_string()).unwrap_or_default(),
            method: request.method().clone(),
            path: komga::without_key(request.uri().path()),
        }
    }
}

/// The name of an account; of a node that nobody knows, the beginning of its key.
fn named(caller: &Caller) -> Option<String> {
    match (&caller.account, &caller.credential) {
        (Some(account), _) => Some(account.name.clone()),
        (None, Credential::Endpoint(key) | Credential::Sent { endpoint: key, .. }) => {
            Some(format!("node {}", key.chars().take(12).collect::<String>()))
        }
        (None, _) => None,
    }
}

/// Tells of an attempt to sign in as someone, for the audit.
#[derive(Debug, Clone)]
pub(super) struct TriedName(pub String);

fn finish(app: &App, line: Line, challenge: bool, mut response: Response) -> Response {
    if let Some(Denied(word)) = response.extensions().get::<Denied>().copied() {
        let tried = response.extensions().get::<TriedName>().map(|name| name.0.clone());
        app.node().accounts().audit(AuditLine {
            at: 0,
            account: tried.or(line.account),
            address: line.address,
            method: line.method.to_string(),
            path: line.path,
            status: response.status().as_u16(),
            reason: word.to_owned(),
        });
    }
    let headers = response.headers_mut();
    if challenge && headers.get(header::WWW_AUTHENTICATE).is_none() {
        let unauthorized = response.status() == StatusCode::UNAUTHORIZED;
        if unauthorized {
            let realm = HeaderValue::from_static("Basic realm=\"Potluck\", charset=\"UTF-8\"");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, realm);
        }
    }
    response.headers_mut().insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    response
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_changing_call_of_another_site_is_told_from_ours() {
        let front =
            Front { secure: true, host: Some("films.example:8443".into()), ..Front::at("::1".parse().unwrap()) };
        for (name, value, ours) in [
            ("sec-fetch-site", "same-origin", true),
            ("sec-fetch-site", "same-site", false),
            ("sec-fetch-site", "cross-site", false),
            ("origin", "https://films.example:8443", true),
            ("origin", "http://films.example:8443", false),
            ("origin", "https://films.example", false),
            ("origin", "https://films.example:8443.evil.example", false),
            ("origin", "null", false),
            ("user-agent", "curl", true),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(name, HeaderValue::from_static(value));
            assert_eq!(from_own_page(&headers, &front), ours, "{name}: {value}");
        }
    }

    #[test]
    fn the_session_cookie_is_found_among_others() {
        let mut headers = HeaderMap::new();
        headers.append(header::COOKIE, HeaderValue::from_static("a=b; potluck_session=xyz; c=d"));
        assert_eq!(session_cookie(&headers), Some("xyz"));
    }
}
