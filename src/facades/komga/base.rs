//! Where Komga's API lies for whoever calls: below `/komga` of the node, or at the root of a port of its own (`komga.listen`), and
//! below whatever path a proxy took away.
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use axum::http::uri::PathAndQuery;

use super::BASE;
use crate::facades::proxies::{Front, Mount};

/// The address of the API as the caller sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::facades) struct Base {
    /// Scheme, host and port; empty where they are not known.
    origin: String,
    /// Of the API, without a slash at the end.
    path: String,
}

impl Base {
    /// As this caller sees it.
    pub fn of(front: &Front) -> Self {
        let mount = match front.mount {
            Mount::Node => BASE,
            Mount::Komga => "",
        };
        Self { origin: front.origin().unwrap_or_default(), path: format!("{}{mount}", front.prefix) }
    }

    /// The address of something of the API, whose path begins with a slash.
    pub fn at(&self, path: &str) -> String {
        format!("{}{}", self.origin, self.path(path))
    }

    /// The same for who reads it beside an answer of the API: right behind proxies too that nobody told us of.
    pub fn path(&self, path: &str) -> String {
        format!("{}{path}", self.path)
    }

    /// Where its cookies are sent.
    pub fn cookie_path(&self) -> &str {
        if self.path.is_empty() { "/" } else { &self.path }
    }
}

impl Default for Base {
    /// Below the node, whose name is not known.
    fn default() -> Self {
        Self { origin: String::new(), path: BASE.to_owned() }
    }
}

impl<S: Sync> FromRequestParts<S> for Base {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Front>().map(Self::of).unwrap_or_default())
    }
}

/// What a call of the API's own port is called at the node. One that cannot be named is one of what is not there.
pub(in crate::facades) fn below(uri: &Uri) -> Uri {
    let path = uri.path_and_query().map(PathAndQuery::as_str).filter(|path| path.starts_with('/')).unwrap_or("/");
    let mut parts = uri.clone().into_parts();
    let put = PathAndQuery::try_from(format!("{BASE}{path}")).map(|path| parts.path_and_query = Some(path));
    let named = put.ok().and_then(|()| Uri::from_parts(parts).ok());
    named.unwrap_or_else(|| Uri::from_static("/komga/-"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn front(host: &str) -> Front {
        Front { host: Some(host.to_owned()), ..Front::at("::1".parse().unwrap()) }
    }

    #[test]
    fn addresses_are_those_that_the_caller_sees() {
        let at = |front: &Front| Base::of(front).at("/opds/v2/catalog");
        assert_eq!(at(&front("node:8096")), "http://node:8096/komga/opds/v2/catalog");
        let own = Front { mount: Mount::Komga, ..front("node:25600") };
        assert_eq!((at(&own).as_str(), Base::of(&own).cookie_path()), ("http://node:25600/opds/v2/catalog", "/"));
        let proxied = Front { secure: true, port: Some(8443), prefix: "/books".into(), ..front("a.example") };
        assert_eq!(at(&proxied), "https://a.example:8443/books/komga/opds/v2/catalog");
        assert_eq!(Base::of(&proxied).cookie_path(), "/books/komga");
        let usual = Front { secure: true, port: Some(443), ..front("[::1]") };
        assert_eq!(at(&usual), "https://[::1]/komga/opds/v2/catalog");
        assert_eq!(at(&Front { port: Some(81), ..front("a:80") }), "http://a:80/komga/opds/v2/catalog");
        assert_eq!(at(&Front { veiled: true, ..front("upstream") }), "/komga/opds/v2/catalog");
        assert_eq!(Base::of(&proxied).path("/x"), "/books/komga/x");
        assert_eq!(Base::default().at("/x"), "/komga/x");
    }

    #[test]
    fn a_host_that_is_none_is_left_out() {
        for host in ["", "a/b", "a\"b", "user@host", "a b", "a?x"] {
            assert_eq!(Base::of(&front(host)).at("/x"), "/komga/x", "{host}");
        }
    }

    #[test]
    fn a_call_of_the_own_port_is_one_below_komga() {
        for (told, wanted) in [
            ("/api/v1/series?page=1", "/komga/api/v1/series?page=1"),
            ("/", "/komga/"),
            ("http://node/opds", "http://node/komga/opds"),
            ("/komga/api", "/komga/komga/api"),
            ("/../api/v1/login", "/komga/../api/v1/login"),
        ] {
            assert_eq!(below(&told.parse().unwrap()).to_string(), wanted, "{told}");
        }
        assert_eq!(below(&Uri::from_static("*")), "/komga/");
        assert_eq!(below(&format!("/{}", "x".repeat(65_530)).parse().unwrap()), "/komga/-");
    }

    proptest! {
        #[test]
        fn nothing_but_komga_is_reached_by_the_own_port(text in "[!-~]{0,40}") {
            if let Ok(uri) = text.parse::<Uri>() {
                prop_assert!(super::super::is_below(below(&uri).path()));
            }
        }
    }
}
