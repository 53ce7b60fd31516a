//! How a name finds its slot in a sharded folder: 8 bits of murmur3-x64-64 a level.

/// Multihash code of murmur3-x64-64, the only function UnixFS uses here.
pub(super) const HASH_TYPE: u64 = 0x22;
/// Slots of the shards this node makes.
pub(super) const FANOUT: u64 = 256;
