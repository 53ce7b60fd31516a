//! Which addresses may be asked on behalf of others.
use std::net::IpAddr;

pub use crate::exchange::network::Network;
use crate::exchange::network::is_public;
use crate::exchange::webrtc::machine_addresses;

/// Where servers may be that are asked.
#[derive(Debug, Clone)]
pub(in crate::node) enum Reach {
    /// Anywhere: a person chose the server.
    Everywhere,
    /// In the internet, outside of this machine; and in these networks.
    Public(Vec<Network>),
}

impl Reach {
    pub fn allows(&self, address: IpAddr) -> bool {
        match self {
            Self::Everywhere => true,
            Self::Public(also) => {
                also.iter().any(|network| network.holds(address))
                    || is_public(address) && !machine_addresses().contains(&address.to_canonical())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_that_is_named_may_be_reached_and_the_others_not() {
        let reach = Reach::Public(vec!["127.0.0.1".parse().unwrap()]);
        let allows = |text: &str| reach.allows(text.parse().unwrap());
        assert!(allows("127.0.0.1") && allows("1.1.1.1"));
        assert!(!allows("127.0.0.2") && !allows("192.168.0.1"));
        assert!(Reach::Everywhere.allows("192.168.0.1".parse().unwrap()));
    }
}
