//! What other nodes have this one keep for them, and the limits of that: who provides a key, and records.
//!
//! The store of Kademlia counts keys alone, this node's among them, and forgets nothing by itself. Here is counted what others
//! brought, so that they cannot take the room of what this node announces, and what is too old is taken out.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use ::libp2p::PeerId;
use ::libp2p::kad::store::{MemoryStore, RecordStore as _};
use ::libp2p::kad::{ProviderRecord, Record, RecordKey};

/// Providers that others told of, over all keys.
pub(super) const PROVIDERS_MAX: usize = 64 * 1024;
/// Records of others.
pub(super) const RECORDS_MAX: usize = 4 * 1024;
/// Longest record, in bytes: what an IPNS record may have.
pub(super) const RECORD_MAX: usize = 10 * 1024;
/// How long is kept what others brought: IPNS records and providers, as the IPFS specification says.
pub(super) const KEPT_FOR: Duration = Duration::from_secs(48 * 3600);
/// Addresses of a provider.
const ADDRESSES_MAX: usize = 16;
/// Longest address, in bytes.
const ADDRESS_MAX: usize = 256;

/// See the module.
#[derive(Default)]
pub(super) struct Kept {
    providers: HashMap<(RecordKey, PeerId), Instant>,
}

impl Kept {
    /// A node says that it provides a key. Where there is no room, what is there stays.
    pub fn provider(&mut self, store: &mut MemoryStore, mut record: ProviderRecord) {
        let place = (record.key.clone(), record.provider);
        if self.providers.len() >= PROVIDERS_MAX && !self.providers.contains_key(&place) {
            return;
        }
        record.addresses.retain(|address| address.len() <= ADDRESS_MAX);
        record.addresses.truncate(ADDRESSES_MAX);
        let (key, provider) = place;
        if store.add_provider(record).is_ok() && store.providers(&key).iter().any(|known| known.provider == provider) {
            self.providers.insert((key, provider), Instant::now());
        }
    }

    /// A record that was looked at and is right.
    pub fn record(&self, store: &mut MemoryStore, record: Record) {
        if let Err(error) = store.put(record) {
            tracing::debug!(%error, "a record of another node is not kept");
        }
    }

    /// Takes out what is older than [`KEPT_FOR`].
    pub fn forget(&mut self, store: &mut MemoryStore, now: Instant) {
        let old = |at: &Instant| now.saturating_duration_since(*at) > KEPT_FOR;
        self.providers.retain(|(key, provider), at| {
            if old(at) {
                store.remove_provider(key, provider);
            }
            !old(at)
        });
        store.retain(|_, record| !record.is_expired(now));
    }
}

#[cfg(test)]
mod tests {
    use ::libp2p::Multiaddr;
    use ::libp2p::kad::store::MemoryStoreConfig;

    use super::*;

    fn store(own: PeerId) -> MemoryStore {
        let config = MemoryStoreConfig { max_provided_keys: PROVIDERS_MAX + 1, ..MemoryStoreConfig::default() };
        MemoryStore::with_config(own, config)
    }

    fn provider(key: usize, peer: PeerId, addresses: Vec<Multiaddr>) -> ProviderRecord {
        ProviderRecord::new(RecordKey::new(&key.to_be_bytes()), peer, addresses)
    }

    #[test]
    fn others_cannot_take_the_room_of_what_this_node_announces() {
        let (own, other) = (PeerId::random(), PeerId::random());
        let (mut store, mut kept) = (store(own), Kept::default());
        for key in 0..PROVIDERS_MAX + 10 {
            kept.provider(&mut store, provider(key, other, Vec::new()));
        }
        assert_eq!(kept.providers.len(), PROVIDERS_MAX);
        store.add_provider(provider(usize::MAX, own, Vec::new())).unwrap();
    }

    #[test]
    fn what_is_old_is_forgotten_and_makes_room() {
        let (mut store, mut kept) = (store(PeerId::random()), Kept::default());
        let record = provider(1, PeerId::random(), Vec::new());
        kept.provider(&mut store, record.clone());
        kept.forget(&mut store, Instant::now());
        assert_eq!(store.providers(&record.key).len(), 1);
        kept.forget(&mut store, Instant::now() + KEPT_FOR + Duration::from_secs(1));
        assert!(store.providers(&record.key).is_empty() && kept.providers.is_empty());
    }

    #[test]
    fn a_provider_has_few_and_short_addresses() {
        let (mut store, mut kept) = (store(PeerId::random()), Kept::default());
        let long: Multiaddr = format!("/dns4/{}/tcp/1", "a".repeat(ADDRESS_MAX)).parse().unwrap();
        let short: Multiaddr = "/ip4/203.0.113.7/tcp/4001".parse().unwrap();
        let mut addresses = vec![long];
        addresses.extend(vec![short; 100]);
        let record = provider(1, PeerId::random(), addresses);
        kept.provider(&mut store, record.clone());
        let known = &store.providers(&record.key)[0].addresses;
        assert_eq!(known.len(), ADDRESSES_MAX);
        assert!(known.iter().all(|address| address.len() <= ADDRESS_MAX));
    }
}
