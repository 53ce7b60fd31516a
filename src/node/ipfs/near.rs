//! Which addresses are of the internet, and which of this house.
use std::net::IpAddr;

use tokio::net::lookup_host;
use url::{Host, Url};

use crate::node::web::Reach;

/// What the first part of a multiaddress names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::node) enum Place {
    /// An address that everybody can reach.
    Internet,
    /// This machine, or a private network.
    House,
    /// A name, which may lead anywhere.
    Name,
    /// Something else.
    Unknown,
}

/// Where a multiaddress is.
pub(in crate::node) fn place(multiaddress: &str) -> Place {
    let mut parts = multiaddress.split('/').skip(1);
    match (parts.next(), parts.next()) {
        (Some("ip4" | "ip6"), Some(ip)) => ip.parse().map_or(Place::Unknown, of),
        (Some("dns" | "dns4" | "dns6" | "dnsaddr"), Some(_)) => Place::Name,
        _ => Place::Unknown,
    }
}

fn of(ip: IpAddr) -> Place {
    if Reach::Public(Vec::new()).allows(ip) { Place::Internet } else { Place::House }
}

/// Whether a server is in this house: it may know of others there.
pub(in crate::node) async fn is_in_house(server: &Url) -> bool {
    let addresses: Vec<IpAddr> = match server.host() {
        Some(Host::Ipv4(ip)) => vec![ip.into()],
        Some(Host::Ipv6(ip)) => vec![ip.into()],
        Some(Host::Domain(name)) => {
            let found = lookup_host((name, server.port_or_known_default().unwrap_or(80))).await;
            found.map(|found| found.map(|at| at.ip()).collect()).unwrap_or_default()
        }
        None => Vec::new(),
    };
    !addresses.is_empty() && addresses.into_iter().all(|ip| of(ip) == Place::House)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_says_where_it_is() {
        for (address, expected) in [
            ("/ip4/1.1.1.1/tcp/4001", Place::Internet),
            ("/ip4/192.168.1.2/tcp/4001/p2p/12D3", Place::House),
            ("/ip4/127.0.0.1/udp/1/quic-v1", Place::House),
            ("/ip6/fe80::1/tcp/1", Place::House),
            ("/ip6/2606:4700::1/tcp/1", Place::Internet),
            ("/dns4/example.org/tcp/443/wss", Place::Name),
            ("/p2p/12D3", Place::Unknown),
            ("/ip4/here/tcp/1", Place::Unknown),
            ("", Place::Unknown),
        ] {
            assert_eq!(place(address), expected, "{address}");
        }
    }

    #[tokio::test]
    async fn a_server_is_in_the_house_by_its_address() {
        for (server, inside) in [("http://127.0.0.1:1/", true), ("http://[::1]/", true), ("https://1.1.1.1/", false)] {
            assert_eq!(is_in_house(&server.parse().unwrap()).await, inside, "{server}");
        }
    }
}
