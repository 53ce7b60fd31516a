//! The query of a call, by Spring's rules: a parameter that comes once is a list with commas, one that comes several times is a
//! list of whole values, and `name[]` is `name`. Nothing is refused here.
use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use percent_encoding::{NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

/// Pairs at most; the rest is left out.
const PAIRS_MAX: usize = 4096;

/// Names and values, decoded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::facades) struct Params(Vec<(String, String)>);

impl Params {
    /// Of a query without its question mark.
    pub fn parse(query: &str) -> Self {
        let pairs = query.split('&').filter(|pair| !pair.is_empty()).take(PAIRS_MAX).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            let name = decoded(name);
            (name.strip_suffix("[]").map(str::to_owned).unwrap_or(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// All values as they came.
    pub fn whole<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value.
    pub fn one(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// All of it as a query, but for one name; ends with `&` where there is anything.
    pub fn without(&self, name: &str) -> String {
        let encoded = |text: &str| utf8_percent_encode(text, NON_ALPHANUMERIC).to_string();
        let others = self.0.iter().filter(|(key, _)| key != name);
        others.map(|(key, value)| format!("{}={}&", encoded(key), encoded(value))).collect()
    }

    /// The values of a list, trimmed, without empty ones.
    pub fn list(&self, name: &str) -> Vec<&str> {
        let named = self.0.iter().filter(|(key, _)| key == name);
        let values: Vec<&str> = named.map(|(_, value)| value.as_str()).collect();
        let parts: Vec<&str> = match values.as_slice() {
            [one] => one.split(',').collect(),
            several => several.to_vec(),
        };
        parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
    }

    /// `true` or `false`; `None` for all else.
    pub fn flag(&self, name: &str) -> Option<bool> {
        match self.one(name)?.trim().to_ascii_lowercase().as_str() {
            "true" => Some(true),
            "false" => Some(false),
            _ => None,
        }
    }
}

fn decoded(text: &str) -> String {
    percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned()
}

impl<S: Sync> FromRequestParts<S> for Params {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::parse(parts.uri.query().unwrap_or_default()))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_list_comes_with_commas_or_repeated() {
        for (query, wanted) in [
            ("a=x,y", vec!["x", "y"]),
            ("a=x&a=y", vec!["x", "y"]),
            ("a=x%2C+y", vec!["x", "y"]),
            ("a=x,1&a=y", vec!["x,1", "y"]),
            ("a[]=x&a%5B%5D=y", vec!["x", "y"]),
            ("a=,&b=z", vec![]),
            ("a", vec![]),
            ("", vec![]),
        ] {
            assert_eq!(Params::parse(query).list("a"), wanted, "{query}");
        }
    }

    #[test]
    fn flags_are_true_or_false() {
        let params = Params::parse("a=true&b=FALSE&c=1&d=");
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|name| params.flag(name)),
            [Some(true), Some(false), None, None, None]
        );
    }

    proptest! {
        #[test]
        fn any_query_is_read(query in "\\PC{0,60}") {
            let params = Params::parse(&query);
            let _ = (params.list("a"), params.flag("a"));
        }

        #[test]
        fn what_is_encoded_comes_back(values in proptest::collection::vec("[^,]*\\PC[^,]*", 2..5)) {
            let encode = |value: &String| percent_encoding::utf8_percent_encode(value, percent_encoding::NON_ALPHANUMERIC).to_string();
            let query: Vec<String> = values.iter().map(|value| format!("a={}", encode(value))).collect();
            let params = Params::parse(&query.join("&"));
            prop_assert_eq!(params.whole("a").collect::<Vec<_>>(), values);
        }
    }
}
