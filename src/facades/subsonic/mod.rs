//! Subsonic's protocol with OpenSubsonic's additions below `/rest`, for the programs that speak it: DSub first.
//!
//! ```text
//! answer::Asked (query and form) ──► entry (who) ──► routes (may they) ──► methods (which) ──► a handler
//! answer::finish (XML, JSON, a script) ◄── a tree, a fault, or bytes ◄────────────────────────────┘
//! ```
//! The protocol's words stay in this folder. Whatever happens, the status of HTTP is 200 and the answer says the rest; every method
//! is in [`methods`]. What comes in an address, passwords and tokens, is in no log.
mod answer;
mod browse;
mod call;
mod chat;
mod cover;
mod dates;
mod decision;
mod download;
mod entry;
mod fault;
mod folders;
mod hls;
mod json;
mod lists;
mod lyrics;
pub mod methods;
mod opinions;
mod params;
mod played;
pub mod playing;
mod playlists;
mod podcasts;
mod queue;
mod radio;
mod scan;
mod shapes;
mod shares;
mod stream;
pub mod system;
mod things;
mod transcoding;
mod tree;
mod users;
mod within;
mod xml;

use std::sync::Arc;

use axum::Extension;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

pub(super) use answer::{Asked, finish};
pub use entry::LoginPasswords;
pub(super) use entry::enter;

use self::call::{Call, Sent, Through};
use self::fault::Fault;
use self::params::Params;
use super::App;
use super::extract::Asker;

/// Below what the methods lie.
const BASE: &str = "/rest";

/// Whether a path is that of a method, known or not.
pub(super) fn is_below(path: &str) -> bool {
    method_name(path).is_some()
}

/// What a path calls its method. Programs append the base to the address that a person wrote, who may have written it too.
fn method_name(path: &str) -> Option<&str> {
    let name = path.strip_prefix(BASE)?.strip_prefix('/')?;
    let name = name.strip_prefix("rest/").unwrap_or(name);
    (!name.is_empty() && !name.contains('/')).then_some(name)
}

/// Calls the method that the path names.
pub(super) async fn call(
    State(app): State<App>,
    Asker(caller): Asker,
    Extension(params): Extension<Arc<Params>>,
    through: Through,
    (uri, method, headers): (Uri, Method, HeaderMap),
    request: Request,
) -> Result<Response, Fault> {
    let body = Sent::new(request);
    match methods::of(uri.path()) {
        Some(found) => found.answer(Call { app, caller, params, method, headers, through, body }).await,
        None => Err(Fault::invalid("this method is not known here")),
    }
}

/// A browser asks whether another site's page may call: with credentials that the page itself has.
pub(super) async fn preflight() -> Response {
    let allowed = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, "GET, HEAD, POST"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "Authorization, Content-Type, Range"),
        (header::ACCESS_CONTROL_MAX_AGE, "86400"),
    ];
    (StatusCode::NO_CONTENT, allowed).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_lie_directly_below_rest() {
        for path in ["/rest/ping", "/rest/ping.view", "/rest/x%2Fy", "/rest/rest/ping.view"] {
            assert!(is_below(path), "{path}");
        }
        for path in
            ["/rest", "/rest/", "/rest/a/b", "/rest/rest/", "/rest/rest/rest/ping", "/restful", "/api/rest/ping"]
        {
            assert!(!is_below(path), "{path}");
        }
    }
}
