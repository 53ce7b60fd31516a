//! How to sign in, in the words of OPDS: the document that comes with each refusal for want of a name, and by itself.
use axum::http::{HeaderValue, header};
use axum::response::Response;
use serde_json::{Value, json};

use super::feed::{AUTHENTICATION, FEED, as_kind};
use super::visit::ROOT;
use crate::facades::komga::base::Base;

/// The document, <https://drafts.opds.io/authentication-for-opds-1.0>.
fn document(base: &Base) -> Value {
    json!({
        "id": base.at(&format!("{ROOT}/auth")),
        "title": "Potluck",
        "description": "Sign in with the name of an account and its password, or an API key as the password.",
        "links": [{"rel": "start", "href": base.at(&format!("{ROOT}/catalog")), "type": FEED}],
        "authentication": [
            {"type": "http://opds-spec.org/auth/basic", "labels": {"login": "Name", "password": "Password"}},
        ],
    })
}

/// For whoever asks before they sign in.
pub(in crate::facades) async fn show(base: Base) -> Response {
    as_kind(AUTHENTICATION, &document(&base))
}

/// Whether a path of the API is answered in the words of OPDS 2.
pub(in crate::facades::komga) fn is_ours(path: &str) -> bool {
    path.strip_prefix(ROOT).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Makes of a refusal one that says how to sign in; without a body where it is to be `bare`.
pub(in crate::facades::komga) fn told(base: &Base, bare: bool, refusal: Response) -> Response {
    let (mut parts, _) = refusal.into_parts();
    let link = format!(
        "<{}>; rel=\"http://opds-spec.org/auth/document\"; type=\"{AUTHENTICATION}\"",
        base.at(&format!("{ROOT}/auth"))
    );
    if let Ok(link) = HeaderValue::from_str(&link) {
        parts.headers.insert(header::LINK, link);
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(AUTHENTICATION));
    let body = if bare { String::new() } else { document(base).to_string() };
    Response::from_parts(parts, body.into())
}
