//! From a browser's offer to our answer and a connection that waits for its first packet.
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use str0m::change::SdpOffer;
use str0m::config::DtlsCert;
use str0m::{Candidate, IceCreds, Rtc, RtcConfig};

use super::WebRtcError;
use super::pace::{StackClock, WINDOW_LONG};
use crate::exchange::frames::MESSAGE_MAX;

/// Longest offer that is read, bytes; browsers' are about one KiB.
const OFFER_MAX: usize = 16 * 1024;
/// Candidates of a browser that are tried. More would let an offer point us at many hosts.
const CANDIDATES_MAX: usize = 8;

/// A connection that answers one offer.
pub struct Answered {
    /// Not driven yet.
    pub rtc: Rtc,
    /// Names it in the browser's checks.
    pub ufrag: String,
    /// For the browser.
    pub answer: String,
}

/// Where we can be reached.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Local addresses of the port.
    pub local: Vec<SocketAddr>,
    /// Addresses that a router forwards to the port.
    pub public: Vec<SocketAddr>,
}

/// Reads an offer and makes the answer to it.
pub fn answer(offer: &str, reach: &Reach, certificate: DtlsCert, now: Instant) -> Result<Answered, WebRtcError> {
    let offer = usable(offer)?;
    let offer = SdpOffer::from_sdp_string(&offer).map_err(|error| refused(&error.to_string()))?;
    let credentials = IceCreds::new();
    let ufrag = credentials.ufrag.clone();
    let mut config = RtcConfig::new()
        .set_local_ice_credentials(credentials)
        .set_dtls_cert(certificate)
        .clear_codecs()
        .set_sctp_max_buffered_amount(WINDOW_LONG)
        .set_sctp_max_message_size(MESSAGE_MAX as u32);
    // ICE's timers, in the stack's fast time.
    config.set_initial_stun_rto(Duration::from_millis(250) * StackClock::SPEED);
    config.set_max_stun_rto(Duration::from_secs(3) * StackClock::SPEED);
    let mut rtc = config.build(now);
    for candidate in candidates(reach) {
        rtc.add_local_candidate(candidate);
    }
    let answer = rtc.sdp_api().accept_offer(offer).map_err(|error| refused(&error.to_string()))?;
    Ok(Answered { rtc, ufrag, answer: answer.to_sdp_string() })
}

fn refused(reason: &str) -> WebRtcError {
    WebRtcError::Offer(reason.chars().take(200).collect())
}

/// The offer without the candidates that are not for us to try; an error if it is not for one data channel.
fn usable(offer: &str) -> Result<String, WebRtcError> {
    if offer.len() > OFFER_MAX {
        return Err(refused(&format!("it is longer than {OFFER_MAX} bytes")));
    }
    if !offer.starts_with("v=0") {
        return Err(refused("it is not SDP"));
    }
    let media: Vec<&str> = offer.lines().filter(|line| line.starts_with("m=")).collect();
    match media.as_slice() {
        [one] if one.starts_with("m=application ") && one.contains("webrtc-datachannel") => {}
        [] => return Err(refused("it offers nothing (no m= line)")),
        [_] => return Err(refused("it does not offer a data channel")),
        _ => return Err(refused("it offers more than one data channel")),
    }
    let mut left = CANDIDATES_MAX;
    let mut kept = String::with_capacity(offer.len() + 2);
    for line in offer.lines() {
        if let Some(candidate) = line.strip_prefix("a=candidate:") {
            if left == 0 || !worth_trying(candidate) {
                continue;
            }
            left -= 1;
        }
        kept.push_str(line.trim_end());
        kept.push_str("\r\n");
    }
    Ok(kept)
}

/// UDP with an IP address. Names are browsers' mDNS names, which are never resolved: such a browser reaches us.
fn worth_trying(candidate: &str) -> bool {
    let parts: Vec<&str> = candidate.split_ascii_whitespace().collect();
    let udp = parts.get(2).is_some_and(|protocol| protocol.eq_ignore_ascii_case("udp"));
    let address = parts.get(4).and_then(|address| address.parse::<std::net::IpAddr>().ok());
    let port = parts.get(5).and_then(|port| port.parse::<u16>().ok());
    udp && address.is_some_and(|ip| !ip.is_multicast() && !ip.is_unspecified()) && port.is_some_and(|port| port > 0)
}

fn candidates(reach: &Reach) -> Vec<Candidate> {
    let host = reach.local.iter().filter_map(|address| Candidate::host(*address, "udp").ok());
    let public = reach.public.iter().filter_map(|address| {
        let base = reach.local.iter().find(|local| local.is_ipv4() == address.is_ipv4())?;
        Candidate::server_reflexive(*address, *base, "udp").ok()
    });
    host.chain(public).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    pub const OFFER: &str = "v=0\r\no=- 4611731400430051336 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE 0\r\n\
        a=msid-semantic: WMS\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\n\
        a=candidate:1 1 udp 2113937151 4d0a1b0e-2f1c-4f0a-9a51-000000000000.local 50000 typ host generation 0\r\n\
        a=candidate:2 1 udp 1677729535 192.0.2.7 50001 typ srflx raddr 0.0.0.0 rport 0 generation 0\r\n\
        a=ice-ufrag:abcd\r\na=ice-pwd:0123456789abcdef01234567\r\na=ice-options:trickle\r\n\
        a=fingerprint:sha-256 AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99:AA:BB:CC:DD:EE:FF:00:11:22:33:44:55:66:77:88:99\r\n\
        a=setup:actpass\r\na=mid:0\r\na=sctp-port:5000\r\na=max-message-size:262144\r\n";

    fn answer_to(offer: &str) -> Result<Answered, WebRtcError> {
        let local: SocketAddr = "192.0.2.1:9000".parse().unwrap();
        let reach = Reach { local: vec![local], public: vec!["198.51.100.1:19000".parse().unwrap()] };
        let provider = str0m::crypto::from_feature_flags();
        provider.install_process_default();
        let certificate = str0m::crypto::from_feature_flags().dtls_provider.generate_certificate().unwrap();
        answer(offer, &reach, certificate, Instant::now())
    }

    #[test]
    fn the_answer_names_our_addresses_and_our_user_fragment() {
        let answered = answer_to(OFFER).unwrap();
        assert!(answered.answer.contains(&format!("a=ice-ufrag:{}", answered.ufrag)), "{}", answered.answer);
        assert!(answered.answer.contains("192.0.2.1 9000 typ host"), "{}", answered.answer);
        assert!(answered.answer.contains("198.51.100.1 19000 typ srflx"), "{}", answered.answer);
    }

    #[test]
    fn names_and_candidates_beyond_the_limit_are_not_tried() {
        let many: String = (1..40).map(|n| format!("a=candidate:9 1 udp 1 192.0.2.{n} 5000 typ host\r\n")).collect();
        let kept = usable(&OFFER.replace("a=ice-ufrag", &format!("{many}a=ice-ufrag"))).unwrap();
        assert!(!kept.contains(".local"));
        assert_eq!(kept.matches("a=candidate:").count(), CANDIDATES_MAX);
    }

    #[test]
    fn offers_that_cannot_be_used_are_refused_with_a_reason() {
        let without = |line: &str| OFFER.split_inclusive("\r\n").filter(|l| !l.starts_with(line)).collect::<String>();
        let cases = [
            (String::new(), "not SDP"),
            ("{\"sdp\":1}".to_owned(), "not SDP"),
            ("v=0\r\n".to_owned(), "nothing"),
            (without("m="), "nothing"),
            (
                OFFER.replace("m=application 9 UDP/DTLS/SCTP webrtc-datachannel", "m=audio 9 UDP/TLS/RTP/SAVPF 111"),
                "data channel",
            ),
            (format!("{OFFER}m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n"), "more than one"),
            (format!("{OFFER}{}", "a=x\r\n".repeat(10_000)), "longer"),
            (without("a=fingerprint"), ""),
            (without("a=ice-ufrag"), ""),
            (without("a=ice-pwd"), ""),
            (OFFER[..OFFER.len() / 2].to_owned(), ""),
        ];
        for (offer, reason) in cases {
            match answer_to(&offer) {
                Err(WebRtcError::Offer(text)) => assert!(text.contains(reason) && !text.is_empty(), "{text}"),
                Err(other) => panic!("{other}"),
                Ok(_) => panic!("accepted: {offer}"),
            }
        }
    }
}
