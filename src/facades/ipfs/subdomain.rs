//! Roots with an origin of their own: `{cid}.ipfs.HOST` and `{name}.ipns.HOST`, where the node is told that such hosts lead to it.
//!
//! Source: the "Subdomain Gateway" specification. What is there may run as a page: it shares an origin with nothing else. No cookie of the
//! node's page counts there, so it is for anyone, or for who brings credentials with the request itself.
use ::cid::multibase::{self, Base};
use http::Uri;
use http::uri::PathAndQuery;

use super::{Namespace, encode};
use crate::content::Cid;
use crate::content::cid::{self, canonical};
use crate::content::ipns::{LIBP2P_KEY, Name};

/// Letters of a label of DNS.
const LABEL_MAX: usize = 63;

/// What a host leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Led {
    /// To the node itself.
    Node,
    /// To a root.
    Root {
        /// Its namespace.
        space: Namespace,
        /// Its CID or name, as it stands in paths.
        root: String,
        /// The host above it.
        host: String,
    },
    /// To nothing: why.
    Nothing(&'static str),
}

/// Says what a host leads to, with `hosts` being those that have roots below them.
#[must_use]
pub fn led(host: &str, hosts: &[String]) -> Led {
    let bare =
        host.rsplit_once(':').filter(|(_, port)| port.bytes().all(|b| b.is_ascii_digit())).map_or(host, |(h, _)| h);
    let bare = bare.trim_end_matches('.').to_ascii_lowercase();
    for above in hosts {
        let Some(below) = bare.strip_suffix(&above.to_ascii_lowercase()).and_then(|below| below.strip_suffix('.'))
        else {
            continue;
        };
        return match below.rsplit_once('.') {
            Some((label, "ipfs")) => of(Namespace::Ipfs, label, above),
            Some((label, "ipns")) => of(Namespace::Ipns, label, above),
            // Another name below the host is the node's own business.
            _ => Led::Node,
        };
    }
    Led::Node
}

fn of(space: Namespace, label: &str, above: &str) -> Led {
    let root = match space {
        _ if label.contains('.') => None,
        Namespace::Ipfs => cid::parse(label).ok().map(|_| label.to_owned()),
        Namespace::Ipns if Name::parse(label).is_ok() => Some(label.to_owned()),
        Namespace::Ipns => Some(inlined_back(label)).filter(|name| name.contains('.')),
    };
    match root {
        Some(root) => Led::Root { space, root, host: above.to_owned() },
        None => Led::Nothing("the name before this host is neither a CID nor the name of a key"),
    }
}

/// Where the same content has an origin of its own: host, path and query. `None` for what is no path of content, an error for a root that has no
/// place in a name of DNS.
///
/// # Errors
/// What to tell the caller.
pub fn own_origin(uri: &Uri, above: &str) -> Result<Option<(String, String)>, &'static str> {
    let path = uri.path();
    let Some((space, rest)) = ["ipfs", "ipns"].into_iter().find_map(|space| {
        let rest = path.strip_prefix('/')?.strip_prefix(space)?.strip_prefix('/')?;
        Some((space, rest))
    }) else {
        return Ok(None);
    };
    let (root, below) = rest.split_once('/').unwrap_or((rest, ""));
    let root = percent_encoding::percent_decode_str(root).decode_utf8_lossy();
    if root.is_empty() {
        return Ok(None);
    }
    let label = if space == "ipfs" { of_cid(&root) } else { of_name(&root) };
    let label = label.ok_or("this is neither a CID nor a name")?;
    if label.len() > LABEL_MAX {
        return Err("this CID is too long for a name of DNS: ask for it by its path elsewhere");
    }
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    Ok(Some((format!("{label}.{space}.{above}"), format!("/{below}{query}"))))
}

/// In base 32, or in base 36 where only that fits.
fn of_cid(text: &str) -> Option<String> {
    let cid: Cid = canonical(&cid::parse(text).ok()?);
    let usual = cid.to_string();
    if usual.len() <= LABEL_MAX { Some(usual) } else { Some(multibase::encode(Base::Base36Lower, cid.to_bytes())) }
}

fn of_name(text: &str) -> Option<String> {
    match Name::parse(text) {
        Ok(name) => Some(name.to_string()),
        Err(_) => text.contains('.').then(|| text.to_ascii_lowercase().replace('-', "--").replace('.', "-")),
    }
}

/// A name of DNS from one label: `-` is a dot, `--` is `-`.
fn inlined_back(label: &str) -> String {
    label.replace("--", "\0").replace('-', ".").replace('\0', "-")
}

/// The address under a root's own host that it should have instead: names in base 36, and keys not as content.
#[must_use]
pub fn better(space: Namespace, root: &str) -> Option<(Namespace, String)> {
    let key = |cid: &Cid| Some((Namespace::Ipns, Name::of_cid(cid).ok()?.to_string()));
    let better = match space {
        Namespace::Ipfs => match cid::parse(root).ok()? {
            cid if cid.codec() == LIBP2P_KEY => key(&cid)?,
            _ => (Namespace::Ipfs, of_cid(root)?),
        },
        Namespace::Ipns => (Namespace::Ipns, Name::parse(root).ok()?.to_string()),
    };
    (better != (space, root.to_owned())).then_some(better)
}

/// The path within the node that a request to a root's own host becomes.
#[must_use]
pub fn inside(space: Namespace, root: &str, uri: &Uri) -> Option<Uri> {
    let query = uri.query().map(|query| format!("?{query}")).unwrap_or_default();
    let path = format!("/{}/{}{}{query}", space.name(), encode(root), uri.path());
    let mut parts = uri.clone().into_parts();
    parts.path_and_query = Some(PathAndQuery::try_from(path).ok()?);
    Uri::from_parts(parts).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const CID: &str = "bafybeiczsscdsbs7ffqz55asqdf3smv6klcw3gofszvwlyarci47bgf354";
    const KEY: &str = "k51qzi5uqu5dgutdk6i1ynyzgkqngpha5xpgia3a5qqp4jsh0u4csozksxel2r";

    fn hosts() -> Vec<String> {
        vec!["ipfs.example.org".to_owned(), "localhost".to_owned()]
    }

    #[test]
    fn hosts_lead_to_roots_or_to_the_node() {
        let root = |space, root: &str, host: &str| Led::Root { space, root: root.to_owned(), host: host.to_owned() };
        for (host, expected) in [
            (format!("{CID}.ipfs.localhost:8096"), root(Namespace::Ipfs, CID, "localhost")),
            (format!("{CID}.IPFS.ipfs.Example.org."), root(Namespace::Ipfs, CID, "ipfs.example.org")),
            (format!("{KEY}.ipns.localhost"), root(Namespace::Ipns, KEY, "localhost")),
            (
                "en-wikipedia--on--ipfs-org.ipns.localhost".into(),
                root(Namespace::Ipns, "en.wikipedia-on-ipfs.org", "localhost"),
            ),
            ("localhost".into(), Led::Node),
            ("ipfs.localhost".into(), Led::Node),
            ("www.ipfs.example.org".into(), Led::Node),
            (format!("{CID}.ipfs.example.com"), Led::Node),
            (format!("{CID}.ipfs.evil-localhost"), Led::Node),
        ] {
            assert_eq!(led(&host, &hosts()), expected, "{host}");
        }
        for host in ["x.ipfs.localhost", "a.b.ipfs.localhost", "example.ipns.localhost", ".ipfs.localhost"] {
            assert!(matches!(led(host, &hosts()), Led::Nothing(_)), "{host}");
        }
    }

    #[test]
    fn a_path_becomes_a_host_with_its_query_and_case_kept_where_that_matters() {
        let to = |path: &str| own_origin(&path.parse().unwrap(), "localhost").unwrap();
        let host = format!("{CID}.ipfs.localhost");
        assert_eq!(to(&format!("/ipfs/{CID}/a%20B/?x=1")), Some((host.clone(), "/a%20B/?x=1".into())));
        assert_eq!(to("/ipfs/QmUNLLsPACCz1vLxQVkXqqLX5R1X345qqfHbsf67hvA3Nn"), Some((host, "/".into())));
        assert_eq!(to(&format!("/ipns/{KEY}")), Some((format!("{KEY}.ipns.localhost"), "/".into())));
        let peer = Name::parse(KEY).unwrap().peer_id();
        assert_eq!(to(&format!("/ipns/{peer}/x")), Some((format!("{KEY}.ipns.localhost"), "/x".into())));
        let name = "/ipns/en.wikipedia-on-ipfs.org/wiki/";
        assert_eq!(to(name), Some(("en-wikipedia--on--ipfs-org.ipns.localhost".into(), "/wiki/".into())));
        assert_eq!((to("/api/v1/status"), to("/ipfs/")), (None, None));
        let long = "bafyrgqhai26anf3i7pips7q22coa4sz2fr4gk4q4sqdtymvvjyginfzaqewveaeqdh524nsktaq43j65v22xxrybrtertmcfxufdam3da3hbk";
        assert!(own_origin(&format!("/ipfs/{long}").parse().unwrap(), "localhost").is_err());
        assert!(own_origin(&"/ipfs/x".parse().unwrap(), "localhost").is_err());
    }

    #[test]
    fn a_root_has_one_host() {
        let key = Name::parse(KEY).unwrap().to_cid().to_string();
        assert_eq!(better(Namespace::Ipfs, CID), None);
        assert_eq!(better(Namespace::Ipns, KEY), None);
        assert_eq!(better(Namespace::Ipns, "en.wikipedia-on-ipfs.org"), None);
        assert_eq!(better(Namespace::Ipns, &key), Some((Namespace::Ipns, KEY.into())));
        assert_eq!(better(Namespace::Ipfs, &key), Some((Namespace::Ipns, KEY.into())));
        let uri = inside(Namespace::Ipfs, CID, &"/a/?b=c".parse().unwrap()).unwrap();
        assert_eq!(uri, format!("/ipfs/{CID}/a/?b=c").as_str());
    }
}
