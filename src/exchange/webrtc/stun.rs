//! The little of STUN (RFC 8489) that the shared port needs itself: whose check a packet is, and where a caller is.
use std::net::{IpAddr, SocketAddr};

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const BINDING_REQUEST: [u8; 2] = [0, 1];
const BINDING_SUCCESS: [u8; 2] = [1, 1];
const USERNAME: u16 = 0x0006;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;
const HEAD: usize = 20;

/// A binding request.
#[derive(Debug, PartialEq, Eq)]
pub enum Binding<'a> {
    /// A connectivity check for the connection with this user fragment (RFC 8445, 7.2.2).
    Check { ufrag: &'a str },
    /// Someone asks for its own address.
    Plain,
}

/// What kind of binding request `packet` is; none if it is none.
pub fn binding_request(packet: &[u8]) -> Option<Binding<'_>> {
    let head = packet.get(..HEAD)?;
    let length = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if head[..2] != BINDING_REQUEST || head[4..8] != COOKIE || packet.len() != HEAD + length {
        return None;
    }
    let mut rest = &packet[HEAD..];
    while !rest.is_empty() {
        let kind = u16::from_be_bytes([*rest.first()?, *rest.get(1)?]);
        let size = usize::from(u16::from_be_bytes([*rest.get(2)?, *rest.get(3)?]));
        let value = rest.get(4..4 + size)?;
        if kind == USERNAME {
            let (ufrag, _) = std::str::from_utf8(value).ok()?.split_once(':')?;
            return Some(Binding::Check { ufrag });
        }
        rest = rest.get(4 + size.next_multiple_of(4)..)?;
    }
    Some(Binding::Plain)
}

/// The answer to a plain binding request from `source`.
pub fn binding_success(request: &[u8], source: SocketAddr) -> Vec<u8> {
    let transaction = &request[8..HEAD];
    let key: Vec<u8> = COOKIE.iter().chain(transaction).copied().collect();
    let xor = |bytes: &[u8]| -> Vec<u8> { bytes.iter().zip(&key).map(|(a, b)| a ^ b).collect() };
    let (family, address) = match source.ip() {
        IpAddr::V4(ip) => (1, xor(&ip.octets())),
        IpAddr::V6(ip) => (2, xor(&ip.octets())),
    };
    let size = 4 + address.len() as u16;
    let mut answer = Vec::with_capacity(HEAD + 4 + usize::from(size));
    answer.extend(BINDING_SUCCESS);
    answer.extend((size + 4).to_be_bytes());
    answer.extend(&key);
    answer.extend(XOR_MAPPED_ADDRESS.to_be_bytes());
    answer.extend(size.to_be_bytes());
    answer.extend([0, family]);
    answer.extend(xor(&source.port().to_be_bytes()));
    answer.extend(address);
    answer
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn request(attributes: &[u8]) -> Vec<u8> {
        let mut packet = vec![0, 1];
        packet.extend((attributes.len() as u16).to_be_bytes());
        packet.extend(COOKIE);
        packet.extend(*b"transaction!");
        packet.extend(attributes);
        packet
    }

    #[test]
    fn a_check_names_our_user_fragment_and_a_plain_request_none() {
        assert_eq!(binding_request(&request(b"")), Some(Binding::Plain));
        let check = request(b"\x80\x22\0\x01x\0\0\0\0\x06\0\x09ours:hers\0\0\0");
        assert_eq!(binding_request(&check), Some(Binding::Check { ufrag: "ours" }));
        assert_eq!(binding_request(&request(b"\0\x06\0\x04ours")), None);
        assert_eq!(binding_request(&request(b"\0\x06\0\xffours")), None);
    }

    #[test]
    fn the_answer_holds_the_callers_address() {
        let ask = request(b"");
        // RFC 5769's way of hiding: port and address are combined with the cookie and the transaction.
        let answer = binding_success(&ask, "192.0.2.1:32853".parse().unwrap());
        assert_eq!(&answer[..2], &BINDING_SUCCESS);
        assert_eq!(&answer[8..20], b"transaction!");
        assert_eq!(&answer[20..], b"\0\x20\0\x08\0\x01\xa1\x47\xe1\x12\xa6\x43");
        let answer = binding_success(&ask, "[2001:db8::1]:1".parse().unwrap());
        assert_eq!(answer.len(), 44);
    }

    proptest! {
        #[test]
        fn garbage_never_panics(packet in prop::collection::vec(any::<u8>(), 0..80), tail in prop::collection::vec(any::<u8>(), 0..60)) {
            let _ = binding_request(&packet);
            let _ = binding_request(&request(&tail));
        }
    }
}
