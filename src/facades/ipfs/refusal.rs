//! What goes wrong, as answers of the gateway. Texts for people: programs look at the status.
use axum::body::Body;
use axum::response::Response;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, RETRY_AFTER};
use http::{HeaderValue, StatusCode};

use crate::blocks::dag::DagError;
use crate::blocks::{BlockError, FetchError, NamesError};
use crate::content::cid::CidError;

/// By these words tests of gateways know an answer.
const WITHIN: &str = "reading IPLD Kinds other than Links (CBOR Tag 42) is not implemented";

/// An answer that is a sentence.
pub(super) fn refusal(status: StatusCode, reason: impl std::fmt::Display) -> Response {
    let mut response = Response::new(Body::from(format!("{reason}\n")));
    *response.status_mut() = status;
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain; charset=utf-8"));
    response.headers_mut().insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// What does not exist for the caller: the same whether it is here or not.
pub(super) fn not_found() -> Response {
    refusal(StatusCode::NOT_FOUND, "not found")
}

fn later(status: StatusCode, reason: impl std::fmt::Display) -> Response {
    let mut response = refusal(status, reason);
    response.headers_mut().insert(RETRY_AFTER, HeaderValue::from_static("10"));
    response
}

/// What an error says to someone who may see the content; to all others it is the 404 before.
pub(super) fn of_dag(error: &DagError) -> Response {
    match error {
        DagError::NotFound(_) | DagError::NotAFile(_) | DagError::NotAFolder(_) => not_found(),
        DagError::NoName { .. } => refusal(StatusCode::NOT_FOUND, error),
        DagError::Limit(_, "the beginning of too long a path") => not_found(),
        DagError::Within(_) => refusal(StatusCode::NOT_IMPLEMENTED, format_args!("{error} ({WITHIN})")),
        DagError::UnknownCodec(_)
        | DagError::TooLarge(_)
        | DagError::Malformed { .. }
        | DagError::Lies { .. }
        | DagError::Limit(..)
        | DagError::Cid(CidError::UnsupportedHash(_) | CidError::Malformed) => refusal(StatusCode::BAD_REQUEST, error),
        DagError::Cid(CidError::Mismatch(_)) => later(StatusCode::BAD_GATEWAY, error),
        DagError::Unfetched(_, FetchError::NotFound) => not_found(),
        DagError::Unfetched(_, FetchError::TimedOut) => later(StatusCode::GATEWAY_TIMEOUT, error),
        DagError::Unfetched(_, FetchError::Refused(_)) => later(StatusCode::BAD_GATEWAY, error),
        DagError::Unfetched(_, FetchError::Cancelled) => later(StatusCode::SERVICE_UNAVAILABLE, error),
        DagError::Here(error) => of_here(error),
    }
}

fn of_here(error: &BlockError) -> Response {
    match error {
        BlockError::NotFound(_) | BlockError::NotAFile(_) => not_found(),
        BlockError::Changed { .. } | BlockError::Cancelled => {
            later(StatusCode::SERVICE_UNAVAILABLE, "the file is being read again")
        }
        BlockError::Damaged { .. } => refusal(StatusCode::INTERNAL_SERVER_ERROR, "the file is damaged"),
        BlockError::Underived { .. } | BlockError::Io(_) | BlockError::Index(_) => {
            tracing::error!(%error, "a block could not be served");
            refusal(StatusCode::INTERNAL_SERVER_ERROR, "the block could not be read")
        }
    }
}

/// Why a name leads nowhere.
pub(super) fn of_name(error: &NamesError) -> Response {
    match error {
        NamesError::NotFound => refusal(StatusCode::NOT_FOUND, error),
        NamesError::TimedOut => later(StatusCode::GATEWAY_TIMEOUT, error),
        NamesError::Wrong(_) => refusal(StatusCode::BAD_GATEWAY, error),
    }
}
