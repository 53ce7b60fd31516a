//! Subsonic's protocol with OpenSubsonic's additions below `/rest`, for the programs that speak it: DSub first.
//!
//! ```text
//! answer::Asked (query and form) ──► entry (who) ──► routes (may they) ──► methods (which) ──► a handler
//! answer::finish (XML, JSON, a script) ◄── a tree, a fault, or bytes ◄────────────────────────────┘
//! ```
//! The protocol's words stay in this folder. Whatever happens, the status of HTTP is 200 and the answer says the rest; every method
//! is in [`methods`]. What comes in an address, passwords and tokens, is in no log.
mod answer;
mod call;
mod chat;
mod dates;
mod entry;
mod fault;
mod folders;
mod json;
pub mod methods;
mod nothing;
mod params;
mod radio;
mod scan;
pub mod system;
mod tree;
mod users;
mod xml;

use std::sync::Arc;

use axum::Extension;
use axum::extract::State;
use axum::http::{StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};

pub(super) use answer::{Asked, finish};
pub use entry::LoginPasswords;
pub(super) use entry::enter;

use self::call::{Answer, Call};
use self::fault::Fault;
use self::params::Params;
use super::App;
use super::extract::Asker;

/// Below what the methods lie.
const BASE: &str = "/rest";

/// Whether a path is that of a method, known or not.
pub(super) fn is_below(path: &str) -> bool {
    let name = path.strip_prefix(BASE).and_then(|rest| rest.strip_prefix('/'));
    name.is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

/// Calls the method that the path names.
pub(super) async fn call(
    State(app): State<App>,
    Asker(caller): Asker,
    Extension(params): Extension<Arc<Params>>,
    uri: Uri,
) -> Result<Answer, Fault> {
    match methods::of(uri.path()) {
        Some(method) => method.answer(Call { app, caller, params }).await,
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
        for path in ["/rest/ping", "/rest/ping.view", "/rest/x%2Fy"] {
            assert!(is_below(path), "{path}");
        }
        for path in ["/rest", "/rest/", "/rest/a/b", "/restful", "/api/rest/ping"] {
            assert!(!is_below(path), "{path}");
        }
    }
}
