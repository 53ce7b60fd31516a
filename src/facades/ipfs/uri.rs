//! `ipfs://` and `ipns://` addresses: where a browser is sent that was told to open one here (`/ipfs/?uri=...`).
use percent_encoding::percent_decode_str;

use super::{Namespace, encode};
use crate::content::cid;
use crate::content::ipns::{LIBP2P_KEY, Name};

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

/// What somebody pasted, as a namespace, a root and a path: a CID or name, a path, an address of `ipfs://` or `ipns://`, or one of a
/// gateway, of either form. `None` for anything else.
#[must_use]
pub fn pasted(text: &str) -> Option<(Namespace, String, String)> {
    let text = text.trim();
    if text.len() > URI_MAX || text.chars().any(char::is_control) {
        return None;
    }
    let rest = match text.split_once("://") {
        Some((scheme, rest)) if ["ipfs", "ipns"].iter().any(|known| scheme.eq_ignore_ascii_case(known)) => {
            format!("/{}/{rest}", scheme.to_ascii_lowercase())
        }
        Some(("http" | "https", rest)) => of_gateway(rest)?,
        Some(_) => return None,
        None => text.to_owned(),
    };
    let rest = rest.split(['?', '#']).next().unwrap_or_default();
    let (namespace, rest) = match rest.strip_prefix('/').map(|rest| rest.split_once('/')) {
        Some(Some(("ipfs", rest))) => (Some(Namespace::Ipfs), rest),
        Some(Some(("ipns", rest))) => (Some(Namespace::Ipns), rest),
        Some(_) => return None,
        None => (None, rest),
    };
    let (root, path) = rest.split_once('/').unwrap_or((rest, ""));
    let namespace = match namespace {
        Some(namespace) => namespace,
        None if cid::parse(root).is_ok_and(|cid| cid.codec() != LIBP2P_KEY) => Namespace::Ipfs,
        None => Name::parse(root).ok().map(|_| Namespace::Ipns)?,
    };
    let path = percent_decode_str(path).decode_utf8().ok()?;
    (!root.is_empty()).then(|| (namespace, root.to_owned(), path.into_owned()))
}

/// The path in an address of a gateway, after its scheme.
fn of_gateway(rest: &str) -> Option<String> {
    let (host, path) = rest.split_once('/').unwrap_or((rest, ""));
    if path.starts_with("ipfs/") || path.starts_with("ipns/") {
        return Some(format!("/{path}"));
    }
    let mut labels = host.splitn(3, '.');
    match (labels.next()?, labels.next()?, labels.next()?) {
        (root, space @ ("ipfs" | "ipns"), _) => Some(format!("/{space}/{root}/{path}")),
        _ => None,
    }
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
    fn whatever_names_content_can_be_pasted() {
        let name = "k51qzi5uqu5dlvj2baxnqndepeb86cbk3ng7n3i46uzyxzyqj2xjonzllnv0v8";
        for (text, read) in [
            ("bafkqaaa", Some((Namespace::Ipfs, "bafkqaaa", ""))),
            (" /ipfs/bafkqaaa/a%20b/c ", Some((Namespace::Ipfs, "bafkqaaa", "a b/c"))),
            ("ipfs://bafkqaaa/x?y#z", Some((Namespace::Ipfs, "bafkqaaa", "x"))),
            (name, Some((Namespace::Ipns, name, ""))),
            ("https://ipfs.io/ipfs/bafkqaaa/a", Some((Namespace::Ipfs, "bafkqaaa", "a"))),
            ("https://bafkqaaa.ipfs.dweb.link/a/b", Some((Namespace::Ipfs, "bafkqaaa", "a/b"))),
            ("https://example.org/film.mp4", None),
            ("ftp://bafkqaaa", None),
            ("/etc/passwd", None),
            ("soup", None),
            ("", None),
        ] {
            let read = read.map(|(namespace, root, path)| (namespace, root.to_owned(), path.to_owned()));
            assert_eq!(pasted(text), read, "{text}");
        }
    }

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
