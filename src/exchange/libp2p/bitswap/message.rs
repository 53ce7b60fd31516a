//! One Bitswap message: what a peer wants, what it has, and blocks.
//!
//! Source: the "Bitswap 1.2.0" specification of IPFS, section "Wire format". Protobuf, before it its length as a varint.
//!
//! The invariant: a message that is decoded has no more entries than [`ENTRIES_MAX`]; they are counted before room is made for them.
use bytes::{Buf, Bytes};
use prost::Message as _;
use prost::encoding::{WireType, decode_key, decode_varint};

use crate::content::Cid;
use crate::content::cid;

/// Longest message, in bytes: what the specification allows.
pub const MESSAGE_MAX: usize = 4 * 1024 * 1024;
/// Entries of a wantlist, presences and blocks in one message at most: a wantlist of as many is refused, not read.
pub const ENTRIES_MAX: usize = 16 * 1024;

/// What a peer asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The block.
    Block,
    /// Only whether it is there.
    Have,
}

/// One line of a wantlist.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Of the block.
    pub cid: Cid,
    /// Higher comes first.
    pub priority: i32,
    /// The block, or whether it is there.
    pub kind: Kind,
    /// Not wanted any more.
    pub cancel: bool,
    /// Wants to hear that it is not there.
    pub send_dont_have: bool,
}

/// See the module.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Message {
    /// Changes of the sender's wantlist.
    pub entries: Vec<Entry>,
    /// The entries are the whole wantlist.
    pub full: bool,
    /// Blocks by the CIDs that they hash to.
    pub blocks: Vec<(Cid, Bytes)>,
    /// Whether blocks are there.
    pub presences: Vec<(Cid, bool)>,
    /// Bytes of blocks that the sender holds ready for the receiver.
    pub pending_bytes: u32,
    /// Blocks that were left out, because nobody here can make their hash.
    pub unverifiable: usize,
}

/// Why bytes are no message.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum MessageError {
    /// Not this protobuf message.
    #[error("not a Bitswap message")]
    Malformed,
    /// Longer than [`MESSAGE_MAX`].
    #[error("a message of {0} bytes")]
    TooLong(usize),
    /// See [`ENTRIES_MAX`].
    #[error("a message with more than {ENTRIES_MAX} entries")]
    TooMany,
}

mod pb {
    use bytes::Bytes;

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Message {
        #[prost(message, optional, tag = "1")]
        pub wantlist: Option<Wantlist>,
        #[prost(message, repeated, tag = "3")]
        pub payload: Vec<Block>,
        #[prost(message, repeated, tag = "4")]
        pub presences: Vec<Presence>,
        #[prost(int32, tag = "5")]
        pub pending_bytes: i32,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Wantlist {
        #[prost(message, repeated, tag = "1")]
        pub entries: Vec<Entry>,
        #[prost(bool, tag = "2")]
        pub full: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Entry {
        #[prost(bytes = "bytes", tag = "1")]
        pub block: Bytes,
        #[prost(int32, tag = "2")]
        pub priority: i32,
        #[prost(bool, tag = "3")]
        pub cancel: bool,
        #[prost(int32, tag = "4")]
        pub want_type: i32,
        #[prost(bool, tag = "5")]
        pub send_dont_have: bool,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Block {
        #[prost(bytes = "bytes", tag = "1")]
        pub prefix: Bytes,
        #[prost(bytes = "bytes", tag = "2")]
        pub data: Bytes,
    }

    #[derive(Clone, PartialEq, prost::Message)]
    pub struct Presence {
        #[prost(bytes = "bytes", tag = "1")]
        pub cid: Bytes,
        #[prost(int32, tag = "2")]
        pub kind: i32,
    }
}

impl Message {
    /// Nothing is said.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty() && !self.full && self.blocks.is_empty() && self.presences.is_empty()
    }

    /// The bytes of the message, with its length before them.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let entry = |entry: &Entry| pb::Entry {
            block: entry.cid.to_bytes().into(),
            priority: entry.priority,
            cancel: entry.cancel,
            want_type: i32::from(entry.kind == Kind::Have),
            send_dont_have: entry.send_dont_have,
        };
        let wantlist = pb::Wantlist { entries: self.entries.iter().map(entry).collect(), full: self.full };
        let block = |(cid, data): &(Cid, Bytes)| pb::Block { prefix: prefix(cid).into(), data: data.clone() };
        let presence = |(cid, have): &(Cid, bool)| pb::Presence { cid: cid.to_bytes().into(), kind: i32::from(!have) };
        pb::Message {
            // Kubo's older readers expect the list to be there.
            wantlist: Some(wantlist),
            payload: self.blocks.iter().map(block).collect(),
            presences: self.presences.iter().map(presence).collect(),
            pending_bytes: i32::try_from(self.pending_bytes).unwrap_or(i32::MAX),
        }
        .encode_length_delimited_to_vec()
    }

    /// Reads a message without its length. Blocks get the CID that they hash to, so that none is wrong; entries and presences
    /// whose CID cannot be read are left out, and blocks by a hash that is not known here are counted.
    ///
    /// # Errors
    /// See [`MessageError`].
    pub fn decode(bytes: Bytes) -> Result<Self, MessageError> {
        if bytes.len() > MESSAGE_MAX {
            return Err(MessageError::TooLong(bytes.len()));
        }
        if count(bytes.clone()).ok_or(MessageError::Malformed)? > ENTRIES_MAX {
            return Err(MessageError::TooMany);
        }
        let message = pb::Message::decode(bytes).map_err(|_| MessageError::Malformed)?;
        let wantlist = message.wantlist.unwrap_or_default();
        let presence = |p: &pb::Presence| Some((cid_of(&p.cid)?, p.kind == 0));
        let sent = message.payload.len();
        let blocks: Vec<_> =
            message.payload.into_iter().filter_map(|sent| block(sent).transpose()).collect::<Result<_, _>>()?;
        Ok(Self {
            entries: wantlist.entries.iter().filter_map(entry).collect(),
            full: wantlist.full,
            unverifiable: sent - blocks.len(),
            blocks,
            presences: message.presences.iter().filter_map(presence).collect(),
            pending_bytes: u32::try_from(message.pending_bytes).unwrap_or(0),
        })
    }
}

fn cid_of(bytes: &[u8]) -> Option<Cid> {
    Cid::try_from(bytes).ok()
}

fn entry(entry: &pb::Entry) -> Option<Entry> {
    Some(Entry {
        cid: cid_of(&entry.block)?,
        priority: entry.priority,
        kind: if entry.want_type == 1 { Kind::Have } else { Kind::Block },
        cancel: entry.cancel,
        send_dont_have: entry.send_dont_have,
    })
}

/// Version, codec, hash function and length of the digest: all of a CID but the digest.
fn prefix(cid: &Cid) -> Vec<u8> {
    let mut out = Vec::with_capacity(8);
    for part in [u64::from(cid.version()), cid.codec(), cid.hash().code(), u64::from(cid.hash().size())] {
        prost::encoding::encode_varint(part, &mut out);
    }
    out
}

/// `None` where its hash is not known here.
fn block(block: pb::Block) -> Result<Option<(Cid, Bytes)>, MessageError> {
    let mut prefix = block.prefix;
    let mut next = || decode_varint(&mut prefix).map_err(|_| MessageError::Malformed);
    let (version, codec, hash, len) = (next()?, next()?, next()?, next()?);
    let Ok(hash) = cid::hash(hash, &block.data) else { return Ok(None) };
    if u64::from(hash.size()) != len {
        return Err(MessageError::Malformed);
    }
    let cid = match version {
        0 => Cid::new_v0(hash).map_err(|_| MessageError::Malformed)?,
        1 => Cid::new_v1(codec, hash),
        _ => return Err(MessageError::Malformed),
    };
    Ok(Some((cid, block.data)))
}

/// Entries, presences and blocks of an encoded message; `None` where it is malformed. Makes room for nothing.
fn count(mut bytes: Bytes) -> Option<usize> {
    let mut found = 0;
    while bytes.has_remaining() {
        match field(&mut bytes)? {
            (1, Some(mut wantlist)) => {
                while wantlist.has_remaining() {
                    found += usize::from(matches!(field(&mut wantlist)?, (1, _)));
                }
            }
            (3 | 4, _) => found += 1,
            _ => {}
        }
    }
    Some(found)
}

/// The number of the next field, and its bytes where it has a length.
fn field(bytes: &mut Bytes) -> Option<(u32, Option<Bytes>)> {
    let (tag, wire) = decode_key(bytes).ok()?;
    let skip = match wire {
        WireType::Varint => return decode_varint(bytes).ok().map(|_| (tag, None)),
        WireType::ThirtyTwoBit => 4,
        WireType::SixtyFourBit => 8,
        WireType::LengthDelimited => usize::try_from(decode_varint(bytes).ok()?).ok()?,
        WireType::StartGroup | WireType::EndGroup => return None,
    };
    (skip <= bytes.len()).then(|| (tag, Some(bytes.split_to(skip))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn decoded(message: &Message) -> Message {
        let encoded = message.encode();
        let (len, rest) = unsigned_varint::decode::usize(&encoded).unwrap();
        assert_eq!(len, rest.len());
        Message::decode(Bytes::copy_from_slice(rest)).unwrap()
    }

    fn want(text: &str, kind: Kind) -> Entry {
        Entry { cid: cid::of_raw(text.as_bytes()), priority: 7, kind, cancel: false, send_dont_have: true }
    }

    #[test]
    fn a_message_is_read_back() {
        let version_0 = Cid::new_v0(*cid::of_node(b"node").hash()).unwrap();
        let message = Message {
            entries: vec![want("soup", Kind::Have), Entry { cancel: true, ..want("bread", Kind::Block) }],
            full: true,
            blocks: vec![(cid::of_raw(b"dish"), Bytes::from_static(b"dish")), (version_0, Bytes::from_static(b"node"))],
            presences: vec![(cid::of_raw(b"a"), true), (cid::of_raw(b"b"), false)],
            pending_bytes: 12,
            unverifiable: 0,
        };
        assert_eq!(decoded(&message), message);
    }

    #[test]
    fn it_has_the_bytes_of_the_specification() {
        let entry = Entry { send_dont_have: false, priority: 1, ..want("", Kind::Block) };
        let bytes = Message { entries: vec![entry], ..Message::default() }.encode();
        // Length; field 1, the wantlist; in it field 1, an entry; in it field 1, the CID of 36 bytes; field 2, the priority.
        assert_eq!(bytes[..11], [44, 0x0a, 42, 0x0a, 40, 0x0a, 36, 0x01, 0x55, 0x12, 0x20]);
        assert_eq!(bytes[bytes.len() - 2..], [0x10, 1]);
    }

    #[test]
    fn a_block_gets_the_name_that_it_hashes_to() {
        let lie = Message { blocks: vec![(cid::of_raw(b"dish"), Bytes::from_static(b"poison"))], ..Message::default() };
        assert_eq!(decoded(&lie).blocks[0].0, cid::of_raw(b"poison"));
    }

    #[test]
    fn a_wantlist_of_a_million_is_refused_before_room_is_made_for_it() {
        // An entry without content takes two bytes.
        let entries: Vec<u8> = [0x0a, 0].repeat(1_000_000);
        let mut bytes = vec![0x0a];
        prost::encoding::encode_varint(entries.len() as u64, &mut bytes);
        bytes.extend(entries);
        assert_eq!(Message::decode(bytes.into()), Err(MessageError::TooMany));
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        let bytes = Bytes::from(vec![0; MESSAGE_MAX + 1]);
        assert_eq!(Message::decode(bytes), Err(MessageError::TooLong(MESSAGE_MAX + 1)));
    }

    #[test]
    fn a_block_with_a_hash_that_nobody_can_check_is_left_out_and_the_rest_is_read() {
        let block = |prefix| pb::Block { prefix: Bytes::from_static(prefix), data: Bytes::from_static(b"dish") };
        let payload = vec![block(&[1, 0x55, 0x11, 20]), block(&[1, 0x55, 0x12, 32])];
        let bytes = pb::Message { payload, ..pb::Message::default() }.encode_to_vec();
        let message = Message::decode(bytes.into()).unwrap();
        assert_eq!((message.unverifiable, message.blocks.len()), (1, 1));
        assert_eq!(message.blocks[0].0, cid::of_raw(b"dish"));
    }

    proptest! {
        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Message::decode(bytes.into());
        }

        #[test]
        fn a_damaged_message_never_panics(at in 0usize..400, to: u8, cut in 0usize..400) {
            let message = Message {
                entries: vec![want("soup", Kind::Have)],
                blocks: vec![(cid::of_raw(b"dish"), Bytes::from_static(b"dish"))],
                presences: vec![(cid::of_raw(b"a"), true)],
                ..Message::default()
            };
            let mut bytes = message.encode();
            let at = at % bytes.len();
            bytes[at] = to;
            bytes.truncate(bytes.len().min(cut + 1));
            let _ = Message::decode(Bytes::from(bytes).slice(1..));
        }
    }
}
