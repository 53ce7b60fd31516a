//! Records of IPNS: who has a key says, signed and for a time, which path its name stands for.
//!
//! Source: the "IPNS Record and Protocol" specification. A record is a protobuf; what counts in it is `data` (DAG-CBOR) under
//! `signatureV2`. The copies beside it are for readers from before 2021: they are written, and where they are in a record
//! they have to say the same.
//!
//! The invariant: [`verify`] gives a record only for a name whose key signed it, and whose time is not over.
mod name;

use std::cmp::Ordering;
use std::time::Duration;

use jiff::Timestamp;
use prost::Message;
use serde::{Deserialize, Serialize};

pub use name::{LIBP2P_KEY, Name, NameError};

/// Largest record that is read or written.
pub const RECORD_MAX: usize = 10 * 1024;
/// How long a name may be kept without asking again where its publisher does not say.
pub const TTL: Duration = Duration::from_secs(5 * 60);
/// What is signed begins with this.
const SIGNED: &[u8] = b"ipns-signature:";

/// What a record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What the name stands for: `/ipfs/CID...` or `/ipns/NAME...`.
    pub value: String,
    /// Higher numbers replace lower ones.
    pub sequence: u64,
    /// After this, it says nothing.
    pub until: Timestamp,
    /// How long it may be kept without asking again.
    pub ttl: Duration,
}

/// Why bytes are not a record of a name.
#[derive(Debug, Clone, Copy, thiserror::Error, PartialEq, Eq)]
pub enum RecordError {
    /// Larger than [`RECORD_MAX`].
    #[error("the record is larger than {RECORD_MAX} bytes")]
    TooLarge,
    /// It cannot be read, or something has to be in it that is not.
    #[error("not an IPNS record: {0}")]
    Malformed(&'static str),
    /// The copies in it say something else than what is signed.
    #[error("the record contradicts itself about its {0}")]
    Contradiction(&'static str),
    /// Somebody else signed it.
    #[error("the record is not signed with the key of its name")]
    Unsigned,
    /// It is over.
    #[error("the record was valid until {0}")]
    Expired(Timestamp),
    /// See [`NameError`].
    #[error(transparent)]
    Key(#[from] NameError),
}

#[derive(Clone, PartialEq, Message)]
struct Entry {
    #[prost(bytes = "vec", optional, tag = "1")]
    value: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "2")]
    signature_v1: Option<Vec<u8>>,
    #[prost(int32, optional, tag = "3")]
    validity_type: Option<i32>,
    #[prost(bytes = "vec", optional, tag = "4")]
    validity: Option<Vec<u8>>,
    #[prost(uint64, optional, tag = "5")]
    sequence: Option<u64>,
    #[prost(uint64, optional, tag = "6")]
    ttl: Option<u64>,
    #[prost(bytes = "vec", optional, tag = "7")]
    public_key: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "8")]
    signature_v2: Option<Vec<u8>>,
    #[prost(bytes = "vec", optional, tag = "9")]
    data: Option<Vec<u8>>,
}

/// In the order of DAG-CBOR: shorter names first, then by their bytes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    #[serde(rename = "TTL")]
    ttl: u64,
    #[serde(with = "serde_bytes")]
    value: Vec<u8>,
    sequence: u64,
    #[serde(with = "serde_bytes")]
    validity: Vec<u8>,
    validity_type: u64,
}

impl Record {
    fn document(&self) -> Document {
        Document {
            ttl: u64::try_from(self.ttl.as_nanos()).unwrap_or(u64::MAX),
            value: self.value.clone().into_bytes(),
            sequence: self.sequence,
            validity: format!("{:.9}", self.until).into_bytes(),
            validity_type: 0,
        }
    }

    /// Which of two records of a name counts: the later one by number, else the one that is valid longer.
    #[must_use]
    pub fn order(&self, other: &Self) -> Ordering {
        self.sequence.cmp(&other.sequence).then(self.until.cmp(&other.until))
    }
}

/// Writes a record for the name of an Ed25519 key, `sign` being that key's signature of a message.
///
/// # Errors
/// [`RecordError::TooLarge`] with a value as long as that.
pub fn create(record: &Record, sign: impl Fn(&[u8]) -> [u8; 64]) -> Result<Vec<u8>, RecordError> {
    let document = record.document();
    let data = serde_ipld_dagcbor::to_vec(&document).expect("numbers and bytes are always DAG-CBOR");
    let old = [document.value.as_slice(), &document.validity, b"EOL"].concat();
    let entry = Entry {
        signature_v1: Some(sign(&old).to_vec()),
        signature_v2: Some(sign(&[SIGNED, &data].concat()).to_vec()),
        value: Some(document.value),
        validity_type: Some(0),
        validity: Some(document.validity),
        sequence: Some(document.sequence),
        ttl: Some(document.ttl),
        public_key: None,
        data: Some(data),
    };
    let bytes = entry.encode_to_vec();
    if bytes.len() > RECORD_MAX { Err(RecordError::TooLarge) } else { Ok(bytes) }
}

/// Reads a record of a name and checks it, at the time `now`.
///
/// # Errors
/// See [`RecordError`].
pub fn verify(name: Name, bytes: &[u8], now: Timestamp) -> Result<Record, RecordError> {
    if bytes.len() > RECORD_MAX {
        return Err(RecordError::TooLarge);
    }
    let entry = Entry::decode(bytes).map_err(|_| RecordError::Malformed("it is no protobuf"))?;
    let data = entry.data.as_deref().ok_or(RecordError::Malformed("it has no data"))?;
    let signature = entry.signature_v2.as_deref().ok_or(RecordError::Malformed("it has no signature"))?;
    if !name.signed(entry.public_key.as_deref(), &[SIGNED, data].concat(), signature)? {
        return Err(RecordError::Unsigned);
    }
    let document: Document =
        serde_ipld_dagcbor::from_slice(data).map_err(|_| RecordError::Malformed("its data is not what is expected"))?;
    agree(&entry, &document)?;
    let record = read(document)?;
    if record.until < now { Err(RecordError::Expired(record.until)) } else { Ok(record) }
}

/// A reader of the old form would believe the copies.
fn agree(entry: &Entry, document: &Document) -> Result<(), RecordError> {
    if entry.value.is_none() && entry.signature_v1.is_none() {
        return Ok(());
    }
    let kind = u64::try_from(entry.validity_type.unwrap_or(0)).ok();
    let same = [
        ("value", entry.value.as_deref().unwrap_or_default() == document.value),
        ("validity", entry.validity.as_deref().unwrap_or_default() == document.validity),
        ("validity type", kind == Some(document.validity_type)),
        ("sequence", entry.sequence.unwrap_or(0) == document.sequence),
        ("time to live", entry.ttl.unwrap_or(0) == document.ttl),
    ];
    match same.into_iter().find(|(_, same)| !same) {
        Some((what, _)) => Err(RecordError::Contradiction(what)),
        None => Ok(()),
    }
}

fn read(document: Document) -> Result<Record, RecordError> {
    if document.validity_type != 0 {
        return Err(RecordError::Malformed("its validity is of an unknown type"));
    }
    let until = std::str::from_utf8(&document.validity).ok().and_then(|text| text.parse().ok());
    Ok(Record {
        value: value(document.value)?,
        sequence: document.sequence,
        until: until.ok_or(RecordError::Malformed("its validity is no time"))?,
        ttl: Duration::from_nanos(document.ttl),
    })
}

/// Old publishers wrote a bare multihash or CID; everybody else writes a path.
fn value(bytes: Vec<u8>) -> Result<String, RecordError> {
    if let Ok(cid) = crate::content::Cid::try_from(bytes.as_slice()) {
        return Ok(format!("/ipfs/{cid}"));
    }
    let text = String::from_utf8(bytes).map_err(|_| RecordError::Malformed("its value is no path"))?;
    match text.starts_with('/') {
        true => Ok(text),
        false => Err(RecordError::Malformed("its value is no path")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use aws_lc_rs::signature::{Ed25519KeyPair, KeyPair};
    use proptest::prelude::*;

    struct Signer(Ed25519KeyPair);

    impl Signer {
        fn new(seed: u8) -> Self {
            Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
        }

        fn name(&self) -> Name {
            Name::of_ed25519(self.0.public_key().as_ref().try_into().unwrap())
        }

        fn sign(&self, message: &[u8]) -> [u8; 64] {
            self.0.sign(message).as_ref().try_into().unwrap()
        }

        fn create(&self, record: &Record) -> Vec<u8> {
            create(record, |message| self.sign(message)).unwrap()
        }

        /// A record whose protobuf somebody changed, with `data` signed again.
        fn changed(&self, record: &Record, change: impl Fn(&mut Entry, &mut Document)) -> Vec<u8> {
            let mut entry = Entry::decode(self.create(record).as_slice()).unwrap();
            let mut document = record.document();
            change(&mut entry, &mut document);
            let data = serde_ipld_dagcbor::to_vec(&document).unwrap();
            entry.signature_v2 = Some(self.sign(&[SIGNED, &data].concat()).to_vec());
            entry.data = Some(data);
            entry.encode_to_vec()
        }
    }

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_second(seconds).unwrap()
    }

    fn record() -> Record {
        let value = "/ipfs/bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku".to_owned();
        Record { value, sequence: 7, until: at(2000), ttl: TTL }
    }

    #[test]
    fn the_document_has_the_order_and_the_time_of_the_specification() {
        let data = serde_ipld_dagcbor::to_vec(&record().document()).unwrap();
        let at = |name: &[u8]| data.windows(name.len()).position(|part| part == name).unwrap();
        let places = [at(b"cTTL"), at(b"eValue"), at(b"hSequence"), at(b"hValidity"), at(b"lValidityType")];
        assert!(places.is_sorted(), "{places:?}");
        assert_eq!(record().document().validity, b"1970-01-01T00:33:20.000000000Z");
    }

    #[test]
    fn a_record_of_another_key_is_refused() {
        let (mine, theirs) = (Signer::new(1), Signer::new(2));
        let bytes = mine.create(&record());
        assert_eq!(verify(theirs.name(), &bytes, at(0)), Err(RecordError::Unsigned));
        let key = KeyOf(&mine).serialized();
        let bytes = mine.changed(&record(), |entry, _| entry.public_key = Some(key.clone()));
        assert_eq!(verify(mine.name(), &bytes, at(0)), Ok(record()), "its own key beside it is no harm");
        assert_eq!(verify(theirs.name(), &bytes, at(0)), Err(RecordError::Unsigned));
        let by_hash =
            Name::from_bytes(&[&[0x12, 0x20], crate::content::cid::sha256(&key).as_slice()].concat()).unwrap();
        assert!(verify(by_hash, &bytes, at(0)).is_err(), "a key that fits into its name has no other name");
    }

    struct KeyOf<'a>(&'a Signer);

    impl KeyOf<'_> {
        fn serialized(&self) -> Vec<u8> {
            [&[8, 1, 0x12, 0x20], self.0.0.public_key().as_ref()].concat()
        }
    }

    #[test]
    fn a_record_ends_when_it_says() {
        let (signer, record) = (Signer::new(1), record());
        let bytes = signer.create(&record);
        assert_eq!(verify(signer.name(), &bytes, record.until), Ok(record.clone()));
        assert_eq!(verify(signer.name(), &bytes, at(2001)), Err(RecordError::Expired(record.until)));
    }

    #[test]
    fn copies_that_say_something_else_than_what_is_signed_are_refused() {
        let (signer, record) = (Signer::new(1), record());
        let refused = |change: fn(&mut Entry)| {
            let bytes = signer.changed(&record, |entry, _| change(entry));
            verify(signer.name(), &bytes, at(0)).unwrap_err()
        };
        assert_eq!(refused(|e| e.value = Some(b"/ipfs/other".to_vec())), RecordError::Contradiction("value"));
        assert_eq!(refused(|e| e.sequence = Some(8)), RecordError::Contradiction("sequence"));
        assert_eq!(refused(|e| e.ttl = None), RecordError::Contradiction("time to live"));
        assert_eq!(refused(|e| e.validity = Some(Vec::new())), RecordError::Contradiction("validity"));
        assert_eq!(refused(|e| e.validity_type = Some(-1)), RecordError::Contradiction("validity type"));
    }

    #[test]
    fn a_record_of_the_new_form_alone_is_read_and_one_of_the_old_form_is_not() {
        let (signer, record) = (Signer::new(1), record());
        let entry = Entry::decode(signer.create(&record).as_slice()).unwrap();
        let new = Entry { data: entry.data.clone(), signature_v2: entry.signature_v2.clone(), ..Entry::default() };
        assert_eq!(verify(signer.name(), &new.encode_to_vec(), at(0)), Ok(record));
        let old = Entry { data: None, signature_v2: None, ..entry };
        let refused = verify(signer.name(), &old.encode_to_vec(), at(0));
        assert_eq!(refused, Err(RecordError::Malformed("it has no data")));
    }

    #[test]
    fn what_cannot_be_a_record_is_refused_with_its_reason() {
        let (signer, record) = (Signer::new(1), record());
        let refused = |change: fn(&mut Document)| {
            let bytes = signer.changed(&record, |entry, document| {
                (entry.value, entry.signature_v1) = (None, None);
                change(document);
            });
            verify(signer.name(), &bytes, at(0)).unwrap_err()
        };
        assert_eq!(refused(|d| d.validity_type = 9), RecordError::Malformed("its validity is of an unknown type"));
        assert_eq!(refused(|d| d.validity = b"soon".to_vec()), RecordError::Malformed("its validity is no time"));
        assert_eq!(refused(|d| d.value = b"\xff".to_vec()), RecordError::Malformed("its value is no path"));
        assert_eq!(refused(|d| d.value = b"soup".to_vec()), RecordError::Malformed("its value is no path"));
        assert_eq!(verify(signer.name(), &vec![0; RECORD_MAX + 1], at(0)), Err(RecordError::TooLarge));
        let long = Record { value: format!("/ipfs/{}", "a".repeat(RECORD_MAX)), ..record.clone() };
        assert_eq!(create(&long, |message| signer.sign(message)), Err(RecordError::TooLarge));
    }

    /// A name and a record of it in hexadecimal, made by the npm package `ipns`.
    fn of_others(text: &str) -> (Name, Vec<u8>) {
        let (name, record) = text.trim().split_once('\n').unwrap();
        (Name::parse(name).unwrap(), data_encoding::HEXLOWER.decode(record.as_bytes()).unwrap())
    }

    #[test]
    fn records_of_other_programs_are_read_with_keys_of_both_kinds() {
        let vectors = [
            include_str!("../../../tests/fixtures/ipns/ed25519.txt"),
            include_str!("../../../tests/fixtures/ipns/rsa.txt"),
        ];
        let [ed25519, rsa] = vectors.map(of_others);
        for (name, bytes) in [&ed25519, &rsa] {
            let read = verify(*name, bytes, at(0)).unwrap();
            assert_eq!((read.value, read.sequence, read.ttl), (record().value, 7, TTL));
        }
        for (name, bytes) in [(ed25519.0, &rsa.1), (rsa.0, &ed25519.1)] {
            assert_eq!(verify(name, bytes, at(0)), Err(RecordError::Unsigned));
        }
        let name = Name::of_ed25519(
            Ed25519KeyPair::from_seed_unchecked(&[9; 32]).unwrap().public_key().as_ref().try_into().unwrap(),
        );
        assert_eq!(name, ed25519.0, "the same key has the same name");
    }

    #[test]
    fn the_later_record_counts() {
        let first = record();
        let later = Record { sequence: 8, until: at(1), ..record() };
        let longer = Record { until: at(3000), ..record() };
        assert_eq!(later.order(&first), Ordering::Greater);
        assert_eq!(longer.order(&first), Ordering::Greater);
        assert_eq!(first.order(&first), Ordering::Equal);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(
            path in "/ip[fn]s/[a-zA-Z0-9/é🍲 ]{0,60}", sequence: u64, until in 0i64..200_000_000_000, ttl: u64, seed: u8,
        ) {
            let (signer, ttl) = (Signer::new(seed), Duration::from_nanos(ttl));
            let record = Record { value: path, sequence, until: at(until), ttl };
            prop_assert_eq!(verify(signer.name(), &signer.create(&record), at(0)), Ok(record));
        }

        #[test]
        fn a_changed_record_is_refused_or_says_the_same(place in 0usize..400, bit in 0u8..8) {
            let (signer, record) = (Signer::new(1), record());
            let mut bytes = signer.create(&record);
            let place = place % bytes.len();
            bytes[place] ^= 1 << bit;
            if let Ok(read) = verify(signer.name(), &bytes, at(0)) {
                prop_assert_eq!(read, record);
            }
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
            let _ = verify(Signer::new(1).name(), &bytes, at(0));
        }
    }
}
