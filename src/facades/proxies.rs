//! How a caller reached us: the connection, and what the proxies before it say, where they are trusted.
//!
//! What a proxy that is not trusted says is not read at all. `X-Forwarded-*` is believed before `Forwarded` (RFC 7239), which
//! counts only where none of the others is there: most proxies write one kind, and pass on what a caller wrote of the other.
use std::net::{IpAddr, SocketAddr};

use axum::http::{HeaderMap, Uri, header};

use crate::node::Network;

/// What proxies write.
const SIGNS: [&str; 6] =
    ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix"];
/// Letters of a path before ours at most.
const PREFIX_MAX: usize = 256;

/// What a listener leads to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Mount {
    /// Everything.
    #[default]
    Node,
    /// Komga's API alone, at its root.
    Komga,
}

/// What the TCP server knows of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Connection {
    /// The other end.
    pub peer: SocketAddr,
    /// Over TLS of our own.
    pub tls: bool,
    /// Which listener took it.
    pub mount: Mount,
}

/// How the caller reached us, seen through trusted proxies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Front {
    /// The browser's own address.
    pub address: IpAddr,
    /// What the browser's address bar says.
    pub secure: bool,
    /// Host and port as the browser names them.
    pub host: Option<String>,
    /// The port that a proxy names beside the host.
    pub port: Option<u16>,
    /// What a proxy took from the beginning of the path: empty, or with a slash at its beginning and none at its end.
    pub prefix: String,
    /// Which listener the caller came to.
    pub mount: Mount,
    /// A proxy that is not trusted stands between: for the caller, scheme and host may be others than for us.
    pub veiled: bool,
}

impl Front {
    /// Without any proxy, TLS or name.
    pub fn at(address: IpAddr) -> Self {
        let (prefix, mount) = Default::default();
        Self { address, secure: false, host: None, port: None, prefix, mount, veiled: false }
    }

    /// `http` or `https`.
    pub fn scheme(&self) -> &'static str {
        if self.secure { "https" } else { "http" }
    }

    /// Scheme, host and port as the caller names them. `None` where a proxy that is not trusted knows them, and for a host that could
    /// be something else within an address.
    pub fn origin(&self) -> Option<String> {
        if self.veiled { None } else { self.likely_origin() }
    }

    /// The same where a guess is better than nothing: behind a proxy that nobody told us of, as it asked.
    pub fn likely_origin(&self) -> Option<String> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || b"-._:[]".contains(&b);
        let host = self.host.as_deref().filter(|host| !host.is_empty() && host.bytes().all(plain))?;
        let usual = if self.secure { 443 } else { 80 };
        let bare = !host.rsplit(']').next().unwrap_or(host).contains(':');
        let port = self.port.filter(|port| bare && *port != usual);
        let port = port.map(|port| format!(":{port}")).unwrap_or_default();
        Some(format!("{}://{host}{port}", self.scheme()))
    }
}

/// The proxies whose `X-Forwarded-For`, `-Proto`, `-Host`, `-Port`, `-Prefix` and `Forwarded` are believed. Nobody by default.
#[derive(Debug, Clone, Default)]
pub struct TrustedProxies(Vec<Network>);

impl TrustedProxies {
    /// From addresses and networks in their usual notation.
    ///
    /// # Errors
    /// What cannot be read, for people.
    pub fn parse<T: AsRef<str>>(listed: &[T]) -> Result<Self, String> {
        listed.iter().map(|text| text.as_ref().trim().parse()).collect::<Result<_, _>>().map(Self)
    }

    fn trust(&self, address: IpAddr) -> bool {
        self.0.iter().any(|network| network.holds(address))
    }

    /// Each proxy appends whom it heard, so the list is read from its end, and the first that is no trusted proxy is the
    /// caller. What stands before it anyone could have written.
    pub(super) fn front(&self, connection: Connection, headers: &HeaderMap, uri: &Uri) -> Front {
        let peer = connection.peer.ip().to_canonical();
        let named = uri.authority().map(|a| a.as_str().to_owned()).or_else(|| text(headers, header::HOST.as_str()));
        let front = Front { secure: connection.tls, host: named, mount: connection.mount, ..Front::at(peer) };
        if !self.trust(peer) {
            return Front { veiled: SIGNS.iter().any(|sign| headers.contains_key(*sign)), ..front };
        }
        let told = Told::by(headers);
        Front {
            address: self.caller(peer, &told.hops),
            secure: told.scheme.map_or(front.secure, |scheme| scheme.eq_ignore_ascii_case("https")),
            host: told.host.or(front.host.clone()),
            port: last(headers, "x-forwarded-port").and_then(|port| port.parse().ok()),
            prefix: prefix(headers),
            ..front
        }
    }

    fn caller(&self, peer: IpAddr, hops: &[String]) -> IpAddr {
        let mut address = peer;
        for hop in hops.iter().rev() {
            let Some(hop) = hop_address(hop) else { break };
            address = hop.to_canonical();
            if !self.trust(address) {
                break;
            }
        }
        address
    }
}

/// What proxies say of a call.
#[derive(Debug, Default)]
struct Told {
    /// Whom each heard, the nearest last.
    hops: Vec<String>,
    scheme: Option<String>,
    host: Option<String>,
}

impl Told {
    fn by(headers: &HeaderMap) -> Self {
        let common = ["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"];
        if !common.iter().any(|name| headers.contains_key(*name)) {
            return Self::by_standard(headers);
        }
        let hops = values(headers, "x-forwarded-for").map(|hop| hop.trim().to_owned()).collect();
        Self { hops, scheme: last(headers, "x-forwarded-proto"), host: last(headers, "x-forwarded-host") }
    }

    /// Elements with commas between them, of pairs with semicolons; the last element is that of the nearest proxy.
    fn by_standard(headers: &HeaderMap) -> Self {
        let mut told = Self::default();
        for element in values(headers, "forwarded") {
            (told.scheme, told.host) = (None, None);
            for (name, value) in element.split(';').filter_map(|pair| pair.split_once('=')) {
                let value = value.trim().trim_matches('"').to_owned();
                match name.trim().to_ascii_lowercase().as_str() {
                    "for" => told.hops.push(value),
                    "proto" => told.scheme = Some(value),
                    "host" => told.host = Some(value),
                    _ => {}
                }
            }
        }
        told
    }
}

/// With a port or without, a version 6 address in brackets or not.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let bare = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']')).unwrap_or(hop);
    bare.parse().ok().or_else(|| hop.parse::<SocketAddr>().ok().map(|a| a.ip()))
}

pub(super) fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|v| v.to_str().ok()).map(str::to_owned)
}

fn values<'a>(headers: &'a HeaderMap, name: &str) -> impl Iterator<Item = &'a str> {
    headers.get_all(name).into_iter().filter_map(|v| v.to_str().ok()).flat_map(|v| v.split(','))
}

/// The last value: the one that the nearest proxy wrote.
fn last(headers: &HeaderMap, name: &str) -> Option<String> {
    let value = headers.get_all(name).iter().next_back()?.to_str().ok()?;
    value.rsplit(',').next().map(|v| v.trim().to_owned()).filter(|v| !v.is_empty())
}

/// What all proxies took, the outermost first; nothing where it is no plain path, as it is written into addresses and cookies.
fn prefix(headers: &HeaderMap) -> String {
    let parts = values(headers, "x-forwarded-prefix").map(|part| part.trim().trim_end_matches('/'));
    let prefix: String = parts.collect();
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~".contains(&b);
    let fits = prefix.starts_with('/') && !prefix.starts_with("//") && prefix.len() <= PREFIX_MAX;
    if fits && prefix.bytes().all(plain) { prefix } else { String::new() }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;
    use proptest::prelude::*;

    use super::*;

    fn front(trusted: &[&str], peer: &str, headers: &[(&'static str, &str)]) -> Front {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, HeaderValue::from_str(value).unwrap());
        }
        let peer = SocketAddr::new(peer.parse().unwrap(), 1);
        let connection = Connection { peer, tls: false, mount: Mount::Node };
        TrustedProxies::parse(trusted).unwrap().front(connection, &map, &Uri::from_static("/"))
    }

    #[test]
    fn forwarded_headers_of_a_stranger_are_not_believed() {
        let told = [
            ("host", "node"),
            ("x-forwarded-for", "192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "evil"),
            ("x-forwarded-port", "1"),
            ("x-forwarded-prefix", "/evil"),
        ];
        let address = "10.0.0.2".parse().unwrap();
        let wanted = Front { host: Some("node".into()), veiled: true, ..Front::at(address) };
        assert_eq!(front(&["10.0.0.1"], "10.0.0.2", &told), wanted);
        let standard = [("host", "node"), ("forwarded", "for=192.0.2.1;proto=https;host=evil")];
        assert_eq!(front(&["10.0.0.1"], "10.0.0.2", &standard), wanted);
    }

    #[test]
    fn a_trusted_proxy_is_believed_but_not_what_stood_there_before_it() {
        let told = [
            ("x-forwarded-for", "1.2.3.4, 192.0.2.1"),
            ("x-forwarded-proto", "https"),
            ("x-forwarded-host", "films.example"),
            ("x-forwarded-port", "8443"),
            ("x-forwarded-prefix", "/outer/, /inner"),
            ("forwarded", "for=192.0.2.9;proto=http;host=evil"),
        ];
        let seen = front(&["10.0.0.0/8"], "10.0.0.2", &told);
        assert_eq!(seen.address, "192.0.2.1".parse::<IpAddr>().unwrap());
        assert!(seen.secure);
        assert_eq!(seen.host.as_deref(), Some("films.example"));
        assert_eq!((seen.port, seen.prefix.as_str()), (Some(8443), "/outer/inner"));
    }

    #[test]
    fn the_standard_header_counts_where_it_is_alone() {
        let told = [
            ("host", "node"),
            ("forwarded", "for=1.2.3.4;host=evil, for=\"[2001:db8::7]:80\";proto=https;host=\"a.example:8443\""),
        ];
        let seen = front(&["10.0.0.0/8"], "10.0.0.2", &told);
        assert_eq!(seen.address, "2001:db8::7".parse::<IpAddr>().unwrap());
        assert_eq!((seen.secure, seen.host.as_deref()), (true, Some("a.example:8443")));
    }

    #[test]
    fn a_prefix_is_a_plain_path_or_nothing() {
        for (told, wanted) in [
            ("/komga", "/komga"),
            ("/komga/", "/komga"),
            ("/", ""),
            ("", ""),
            ("komga", ""),
            ("//evil.example", ""),
            ("/a; Domain=example", ""),
            ("/a\"b", ""),
        ] {
            assert_eq!(front(&["10.0.0.0/8"], "10.0.0.2", &[("x-forwarded-prefix", told)]).prefix, wanted, "{told}");
        }
    }

    #[test]
    fn a_chain_of_trusted_proxies_is_followed_to_the_caller() {
        let told = [("x-forwarded-for", "9.9.9.9, 192.0.2.1, 10.0.0.3")];
        assert_eq!(front(&["10.0.0.0/8"], "10.0.0.2", &told).address, "192.0.2.1".parse::<IpAddr>().unwrap());
        let nonsense = [("x-forwarded-for", "192.0.2.1, not an address")];
        assert_eq!(front(&["10.0.0.0/8"], "10.0.0.2", &nonsense).address, "10.0.0.2".parse::<IpAddr>().unwrap());
    }

    proptest! {
        #[test]
        fn any_header_is_read(name in "forwarded|x-forwarded-(for|host|proto|port|prefix)", value in "[ -~]{0,60}") {
            let mut headers = HeaderMap::new();
            headers.insert(axum::http::HeaderName::try_from(name).unwrap(), HeaderValue::from_str(&value).unwrap());
            let connection = Connection { peer: "10.0.0.2:1".parse().unwrap(), tls: false, mount: Mount::Node };
            let trusted = TrustedProxies::parse(&["0.0.0.0/0"]).unwrap();
            let _ = trusted.front(connection, &headers, &Uri::from_static("/"));
        }
    }
}
