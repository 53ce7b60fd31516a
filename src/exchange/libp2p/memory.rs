//! What is done where the program has more bytes in memory than the host may let it have.
//!
//! New connections are refused then (`behaviour`), but those that are there may hold much that was not read of them yet.
use ::libp2p::PeerId;

/// Nodes that stay in any case.
const STAY: usize = 16;
/// The part that is sent home at a time.
const PART: usize = 4;

/// Bytes of the program in memory; `None` where the system does not tell.
pub(super) fn used() -> Option<u64> {
    memory_stats::memory_stats().map(|stats| stats.physical_mem as u64)
}

/// Those of the connected nodes that are sent home, of which `greediest` has those first that hold most.
pub(super) fn too_many(mut greediest: Vec<PeerId>) -> Vec<PeerId> {
    let most = greediest.len().saturating_sub(STAY);
    greediest.truncate(greediest.len().div_ceil(PART).min(most));
    greediest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_greediest_go_and_some_always_stay() {
        let peers: Vec<PeerId> = (0..100).map(|_| PeerId::random()).collect();
        assert_eq!(too_many(peers.clone()), peers[..25]);
        assert_eq!(too_many(peers[..18].to_vec()), peers[..2]);
        assert!(too_many(peers[..STAY].to_vec()).is_empty());
    }

    #[test]
    fn the_system_tells_what_is_used() {
        assert!(used().is_some_and(|bytes| bytes > 1024 * 1024));
    }
}
