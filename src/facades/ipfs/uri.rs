//! `ipfs://` and `ipns://` addresses: where a browser is sent that was told to open one here (`/ipfs/?uri=...`).
use percent_encoding::percent_decode_str;

use super::encode;

/// Longest address that is read.
const URI_MAX: usize = 8 * 1024;

/// The path at this gateway that the `uri` of a query stands for. `None` where there is none, or it is no such address.
#[must_use]
pub fn opened(query: Option<&str>) -> Option<String> {
    let value = query?.split('&').find_map(|pair| pair.strip_prefix("uri="))?;
    let uri = percent_decode_str(value).decode_utf8().ok().filter(|uri| uri.len() <= URI_MAX)?;
    let (scheme, rest) = uri.split_once("://")?;
    let space = ["ipfs", "ipns"].into_iter().find(|space| scheme.eq_ignore_ascii_case(space))?;
    let (path, query) = rest.split_once('?').map_or((rest, None), |(path, query)| (path, Some(query)));
    let path = path.split('#').next().unwrap_or_default();
    if path.trim_matches('/').is_empty() || path.starts_with('/') || path.chars().any(char::is_control) {
        return None;
    }
    // What was encoded within the address stays encoded once.
    let path = percent_decode_str(path).decode_utf8().ok()?;
    // A browser would go up with these, to what is no content.
    if path.split('/').any(|name| matches!(name, "." | "..")) {
        return None;
    }
    let query = query.map(|query| format!("?{}", plain(query))).unwrap_or_default();
    Some(format!("/{space}/{}{query}", encode(&path)))
}

/// Letters that a header takes.
fn plain(query: &str) -> String {
    const KEPT: &percent_encoding::AsciiSet = &percent_encoding::CONTROLS.add(b' ').add(b'"').add(b'<').add(b'>');
    percent_encoding::utf8_percent_encode(query, KEPT).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_becomes_a_path_of_this_gateway_and_nothing_else_does() {
        for (query, path) in [
            ("uri=ipfs%3A%2F%2Fbafkqaaa", Some("/ipfs/bafkqaaa")),
            ("a=b&uri=ipns%3A%2F%2Fk51%2Fa%20b%2F%3Fformat%3Draw", Some("/ipns/k51/a%20b/?format=raw")),
            ("uri=IPFS%3A%2F%2Fbafkqaaa%2Fa%2520b%23part", Some("/ipfs/bafkqaaa/a%20b")),
            ("uri=https%3A%2F%2Fexample.org", None),
            ("uri=ipfs%3A%2F%2F%2Fevil.example", None),
            ("uri=ipfs%3A%2F%2F", None),
            ("uri=ipfs%3A%2F%2Fx%2F..%2F..%2Fapi", None),
            ("uri=ipfs%3A%2F%2Fx%2F%252e%252e%2Fapi", None),
            ("uri=bafkqaaa", None),
            ("uri=%ff", None),
            ("", None),
        ] {
            assert_eq!(opened(Some(query)).as_deref(), path, "{query}");
        }
        assert_eq!(opened(None), None);
    }
}
