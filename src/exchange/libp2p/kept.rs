//! What other nodes have this one keep for them, and the limits of that: who provides a key, and records.
//!
//! The store of Kademlia counts keys alone, this node's among them, and forgets nothing by itself. Here is counted what others
//! brought, so that they cannot take the room of what this node announces, and what is too old is taken out.
use std::collections::HashMap;
use std::time::{Duration, Instant};

use ::libp2p::PeerId;
use ::libp2p::kad::store::{MemoryStore, RecordStore as _};
use ::libp2p::kad::{ProviderRecord, Record, RecordKey};

use super::options::RecordCheck;

/// Providers that others told of, over all keys.
pub(super) const PROVIDERS_MAX: usize = 64 * 1024;
/// Of those, the ones of one node: as many as a network with few nodes brings of a large library.
pub(super) const OF_ONE_MAX: usize = PROVIDERS_MAX / 4;
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
    counts: HashMap<PeerId, usize>,
}

impl Kept {
    /// A node says that it provides a key. Where there is no room, what is there stays.
    pub fn provider(&mut self, store: &mut MemoryStore, mut record: ProviderRecord) {
        let place = (record.key.clone(), record.provider);
        let known = self.providers.contains_key(&place);
        let own = self.counts.get(&record.provider).copied().unwrap_or(0);
        if !known && (self.providers.len() >= PROVIDERS_MAX || own >= OF_ONE_MAX) {
            return;
        }
        record.addresses.retain(|address| address.len() <= ADDRESS_MAX);
        record.addresses.truncate(ADDRESSES_MAX);
        let (key, provider) = place;
        if store.add_provider(record).is_ok() && store.providers(&key).iter().any(|known| known.provider == provider) {
            self.providers.insert((key, provider), Instant::now());
            *self.counts.entry(provider).or_default() += usize::from(!known);
        }
    }

    /// A record, if it is right, and newer than the one that is here.
    pub fn record(&self, store: &mut MemoryStore, record: Record, check: &RecordCheck) {
        let known = store.get(&record.key).map(|known| known.into_owned().value);
        if !check(record.key.as_ref(), &record.value, known.as_deref()) {
            return;
        }
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
                self.counts.entry(*provider).and_modify(|count| *count = count.saturating_sub(1));
            }
            !old(at)
        });
        self.counts.retain(|_, count| *count > 0);
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
        let (own, others) = (PeerId::random(), [(); 5].map(|()| PeerId::random()));
        let (mut store, mut kept) = (store(own), Kept::default());
        for key in 0..PROVIDERS_MAX + 10 {
            kept.provider(&mut store, provider(key, others[key / OF_ONE_MAX], Vec::new()));
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
        assert!(store.providers(&record.key).is_empty() && kept.providers.is_empty() && kept.counts.is_empty());
    }

    #[test]
    fn one_node_does_not_take_the_room_of_all() {
        let (mut store, mut kept) = (store(PeerId::random()), Kept::default());
        let (one, other) = (PeerId::random(), PeerId::random());
        for key in 0..OF_ONE_MAX + 10 {
            kept.provider(&mut store, provider(key, one, Vec::new()));
        }
        // Said again, it counts once.
        kept.provider(&mut store, provider(0, one, Vec::new()));
        assert_eq!((kept.providers.len(), kept.counts[&one]), (OF_ONE_MAX, OF_ONE_MAX));
        kept.provider(&mut store, provider(usize::MAX, other, Vec::new()));
        assert_eq!(kept.counts[&other], 1);
    }

    #[test]
    fn an_older_record_does_not_take_the_place_of_a_newer_one() {
        let (mut store, kept) = (store(PeerId::random()), Kept::default());
        let newer: RecordCheck = std::sync::Arc::new(|_, value, known| known.is_none_or(|known| value > known));
        let record = |value: u8| Record::new(RecordKey::new(b"name"), vec![value]);
        for value in [2, 1, 3, 0] {
            kept.record(&mut store, record(value), &newer);
        }
        assert_eq!(store.get(&RecordKey::new(b"name")).unwrap().value, [3]);
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
