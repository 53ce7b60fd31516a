//! Kobo readers, at `/komga/kobo/{key}`: a device that takes this node for the shop that its books come from.
//!
//! ```text
//! initialization (where everything is) ──► library/sync (what is new, by rounds) ──► books/{id}/file, thumbnail
//!                                               ▲                      library/{id}/state (how far one is, both ways)
//!                                               └── x-kobo-synctoken: the last answer that arrived
//! ```
//! The API key in the path says who it is. Only EPUBs are shown, and read lists as collections. No call is passed on to Kobo: what is not here is
//! answered with an empty object, which the device takes for a shop without offers.
//!
//! Sources: what Komga and Calibre-Web answer, and what owners of devices report of them.
mod metadata;
mod places;
mod resources;
mod state;
mod sync;

pub(in crate::facades) use metadata::{file, image, show as metadata};
pub(in crate::facades) use resources::{device, initialization, no_changes, nothing};
pub(in crate::facades) use state::{set as set_state, show as state};
pub(in crate::facades) use sync::sync;

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::base::Base;

/// Before the key.
const BEFORE: &str = "/komga/kobo/";

/// The key of a path below `/komga/kobo/`, as it stands there.
pub(super) fn key_of(path: &str) -> Option<&str> {
    path.strip_prefix(BEFORE).map(|rest| rest.split('/').next().unwrap_or_default()).filter(|key| !key.is_empty())
}

/// The path as it may be told and written down: the key is a secret, also in an address that was set up wrongly.
pub(in crate::facades) fn without_key(path: &str) -> String {
    let Some((before, rest)) = path.split_once("/kobo/") else { return path.to_owned() };
    let after = rest.trim_start_matches('/').split_once('/').map(|(_, after)| format!("/{after}")).unwrap_or_default();
    format!("{before}/kobo/***{after}")
}

/// Whether a device asks this by the host alone, with a token that is none of ours: it is answered as anybody is.
pub(in crate::facades) fn is_for_nobody(path: &str) -> bool {
    ["/api/v3/content/checkforchanges", "/komga/api/v3/content/checkforchanges"].contains(&path)
}

/// Where everything is for this device: the address that it was set up with.
pub(in crate::facades) struct Home(String);

impl Home {
    /// The address of something below the key; begins with a slash.
    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.0)
    }
}

impl<S: Sync> FromRequestParts<S> for Home {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Infallible> {
        let base = Base::from_request_parts(parts, state).await?;
        Ok(Self(base.at(&format!("/kobo/{}", key_of(parts.uri.path()).unwrap_or_default()))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_in_the_path_and_in_nothing_that_is_written_down() {
        assert_eq!(key_of("/komga/kobo/abc/v1/library/sync"), Some("abc"));
        for (path, told) in [
            ("/komga/kobo/abc/v1/library/sync", "/komga/kobo/***/v1/library/sync"),
            ("/komga/kobo/abc", "/komga/kobo/***"),
            ("/komga/komga/kobo//abc/v1/x", "/komga/komga/kobo/***/v1/x"),
            ("/kobo/abc/v1", "/kobo/***/v1"),
            ("/komga/koboabc/x", "/komga/koboabc/x"),
        ] {
            assert_eq!(without_key(path), told);
        }
        for other in ["/komga/kobo/", "/komga/kobo", "/komga/koboabc/x", "/kobo/abc/v1", "/komga/kobo//v1"] {
            assert_eq!(key_of(other), None, "{other}");
        }
    }
}
