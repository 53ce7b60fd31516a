//! Reads a CAR as it comes in: bytes in, checked blocks out, one section in memory at a time.
//!
//! Sources: the IPLD "CARv1" and "CARv2" specifications. A CARv2 is a CARv1 between a head and an index; the index is not looked at,
//! because what it says is found out by reading.
use std::collections::HashSet;

use bytes::{Buf, Bytes, BytesMut};
use unsigned_varint::decode;

use super::{CarError, HEADER_MAX, Header};
use crate::content::Cid;
use crate::content::cid::{self, IDENTITY};
use crate::content::unixfs::node::NODE_MAX;

/// Longest CID in a section.
const CID_MAX: usize = 128;
/// Bytes of a CARv2 before its own header, and of that header.
const PRAGMA: &[u8] = b"\x0a\xa1\x67version\x02";
const V2_HEADER: usize = 40;
/// Roots that a header names at most.
const ROOTS_MAX: usize = 1024;

/// What comes out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// What the CAR says it is about; comes once, first.
    Roots(Vec<Cid>),
    /// A block that hashes to its CID.
    Block {
        /// Its name.
        cid: Cid,
        /// Its bytes.
        bytes: Bytes,
        /// Where in the CAR its bytes begin.
        at: u64,
    },
}

enum State {
    /// Nothing was read yet.
    Start,
    /// A CARv2: so many bytes before its CARv1, which has so many.
    Skip { padding: u64, inside: u64 },
    /// The header of the CARv1 comes.
    Header,
    /// Blocks come.
    Sections,
    /// The index of a CARv2 comes, or nothing more.
    After,
}

/// See the module.
pub struct Decoder {
    state: State,
    /// Bytes that were taken so far.
    taken: u64,
    /// Where the CARv1 within ends; `None` where it is all there is.
    end: Option<u64>,
    /// Roots that did not come yet.
    missing: HashSet<Cid>,
}

impl Default for Decoder {
    fn default() -> Self {
        Self { state: State::Start, taken: 0, end: None, missing: HashSet::new() }
    }
}

impl Decoder {
    /// Takes the next item from what was read so far; `None` where more has to be read first.
    ///
    /// # Errors
    /// See [`CarError`]. Nothing comes after an error.
    pub fn next(&mut self, buffer: &mut BytesMut) -> Result<Option<Item>, CarError> {
        loop {
            match self.state {
                State::Start => {
                    if buffer.len() < PRAGMA.len() && PRAGMA.starts_with(buffer) {
                        return Ok(None);
                    }
                    self.state = State::Header;
                    if buffer.starts_with(PRAGMA) {
                        let Some((padding, inside)) = head(buffer)? else {
                            self.state = State::Start;
                            return Ok(None);
                        };
                        self.take(buffer, PRAGMA.len() + V2_HEADER);
                        self.state = State::Skip { padding, inside };
                    }
                }
                State::Skip { padding, inside } => {
                    let here = usize::try_from(padding).unwrap_or(usize::MAX).min(buffer.len());
                    self.take(buffer, here);
                    let left = padding - here as u64;
                    self.state = State::Skip { padding: left, inside };
                    if left > 0 {
                        return Ok(None);
                    }
                    self.end = Some(self.taken.saturating_add(inside));
                    self.state = State::Header;
                }
                State::Header => {
                    let Some(header) = self.section(buffer, HEADER_MAX)? else { return Ok(None) };
                    self.state = State::Sections;
                    return self.roots(&header).map(|roots| Some(Item::Roots(roots)));
                }
                State::Sections if self.end.is_some_and(|end| self.taken == end) => self.state = State::After,
                State::Sections => {
                    let Some(section) = self.section(buffer, NODE_MAX + CID_MAX)? else { return Ok(None) };
                    return self.block(section).map(Some);
                }
                State::After => {
                    self.take(buffer, buffer.len());
                    return Ok(None);
                }
            }
        }
    }

    /// To be asked when there is no more to read, and `rest` was not taken.
    ///
    /// # Errors
    /// [`CarError::Malformed`] where it ends in the middle, [`CarError::MissingRoot`] where a root did not come.
    pub fn finish(self, rest: &[u8]) -> Result<(), CarError> {
        let whole = match self.state {
            State::Sections => self.end.is_none_or(|end| end == self.taken),
            State::After => true,
            _ => false,
        };
        if !whole || !rest.is_empty() {
            return Err(CarError::Malformed("it ends early"));
        }
        match self.missing.into_iter().min() {
            Some(root) => Err(CarError::MissingRoot(root)),
            None => Ok(()),
        }
    }

    fn take(&mut self, buffer: &mut BytesMut, count: usize) {
        buffer.advance(count);
        self.taken += count as u64;
    }

    /// What is between a length and its end.
    fn section(&mut self, buffer: &mut BytesMut, max: usize) -> Result<Option<Bytes>, CarError> {
        let (len, prefix) = match decode::u64(buffer) {
            Ok((len, rest)) => (len, buffer.len() - rest.len()),
            Err(decode::Error::Insufficient) => return Ok(None),
            Err(_) => return Err(CarError::Malformed("a length")),
        };
        let fits = usize::try_from(len).ok().filter(|len| *len <= max);
        let len = fits.ok_or(CarError::Malformed("a length above the limit"))?;
        if len == 0 {
            return Err(CarError::Malformed("a section without anything in it"));
        }
        if self.end.is_some_and(|end| self.taken + (prefix + len) as u64 > end) {
            return Err(CarError::Malformed("a section is longer than its header says"));
        }
        if buffer.len() < prefix + len {
            buffer.reserve(prefix + len - buffer.len());
            return Ok(None);
        }
        self.take(buffer, prefix);
        self.taken += len as u64;
        Ok(Some(buffer.split_to(len).freeze()))
    }

    fn roots(&mut self, header: &[u8]) -> Result<Vec<Cid>, CarError> {
        let header: Header = serde_ipld_dagcbor::from_slice(header).map_err(|_| CarError::Malformed("its header"))?;
        if header.version != 1 {
            return Err(CarError::Malformed("its version is not 1 or 2"));
        }
        if header.roots.len() > ROOTS_MAX {
            return Err(CarError::Malformed("too many roots"));
        }
        // What an identity CID names is in it.
        self.missing = header.roots.iter().filter(|root| root.hash().code() != IDENTITY).copied().collect();
        Ok(header.roots)
    }

    fn block(&mut self, section: Bytes) -> Result<Item, CarError> {
        let mut rest = &section[..];
        let cid = Cid::read_bytes(&mut rest).map_err(|_| CarError::Malformed("a CID"))?;
        let bytes = section.slice(section.len() - rest.len()..);
        cid::verify(&cid, &bytes)?;
        self.missing.remove(&cid);
        Ok(Item::Block { at: self.taken - bytes.len() as u64, cid, bytes })
    }
}

/// The head of a CARv2: bytes before the CARv1 within, and of it. `None` where more has to be read.
fn head(buffer: &[u8]) -> Result<Option<(u64, u64)>, CarError> {
    let Some(fields) = buffer.get(PRAGMA.len()..PRAGMA.len() + V2_HEADER) else { return Ok(None) };
    let number = |at: usize| fields.get(at..at + 8).map_or(0, |mut eight| eight.get_u64_le());
    let (offset, size, index) = (number(16), number(24), number(32));
    let lies = CarError::Malformed("its places are not within it");
    let padding = offset.checked_sub((PRAGMA.len() + V2_HEADER) as u64).ok_or(lies.clone())?;
    let end = offset.checked_add(size).ok_or(lies.clone())?;
    if size == 0 || index != 0 && index < end {
        return Err(lies);
    }
    Ok(Some((padding, size)))
}

#[cfg(test)]
mod tests {
    use super::super::{header, section_prefix};
    use super::*;
    use crate::content::cid::CidError;
    use proptest::prelude::*;

    fn version_1(blocks: &[&[u8]]) -> Vec<u8> {
        let cids: Vec<Cid> = blocks.iter().map(|block| cid::of_raw(block)).collect();
        let mut out = header(&cids[..1]);
        for (cid, block) in cids.iter().zip(blocks) {
            out.extend(section_prefix(cid, block.len()));
            out.extend_from_slice(block);
        }
        out
    }

    fn version_2(inside: &[u8], padding: usize, index: &[u8]) -> Vec<u8> {
        let offset = (PRAGMA.len() + V2_HEADER + padding) as u64;
        let end = offset + inside.len() as u64;
        let index_at = if index.is_empty() { 0 } else { end };
        let places = [offset, inside.len() as u64, index_at].map(u64::to_le_bytes).concat();
        [PRAGMA, &[0; 16], &places, &vec![0; padding], inside, index].concat()
    }

    /// What comes out when so many bytes come in at a time.
    fn read(car: &[u8], step: usize) -> Result<Vec<Item>, CarError> {
        let (mut decoder, mut buffer, mut items) = (Decoder::default(), BytesMut::new(), Vec::new());
        for piece in car.chunks(step) {
            buffer.extend_from_slice(piece);
            while let Some(item) = decoder.next(&mut buffer)? {
                items.push(item);
            }
        }
        decoder.finish(&buffer).map(|()| items)
    }

    fn blocks(items: &[Item]) -> Vec<&[u8]> {
        let all = items.iter().filter_map(|item| match item {
            Item::Block { bytes, .. } => Some(&bytes[..]),
            _ => None,
        });
        all.collect()
    }

    #[test]
    fn both_versions_give_the_same_blocks_whatever_pieces_they_come_in() {
        let one = version_1(&[b"soup", b"", b"bread"]);
        let cars = [one.clone(), version_2(&one, 0, b""), version_2(&one, 13, b""), version_2(&one, 13, b"index")];
        for (car, step) in cars.iter().flat_map(|car| [1, 7, 4096].map(|step| (car, step))) {
            let items = read(car, step).unwrap();
            assert_eq!(items[0], Item::Roots(vec![cid::of_raw(b"soup")]));
            assert_eq!(blocks(&items), [&b"soup"[..], b"", b"bread"]);
            for item in &items[1..] {
                let Item::Block { bytes, at, .. } = item else { panic!("blocks come after the roots") };
                assert_eq!(car[*at as usize..][..bytes.len()], bytes[..], "it is where it says");
            }
        }
    }

    #[test]
    fn a_cut_car_is_an_error_wherever_it_is_cut_within_a_section() {
        let one = version_1(&[b"soup", b"bread"]);
        let (first, two) = (version_1(&[b"soup"]), version_2(&one, 3, b"index"));
        let begins = header(&[cid::of_raw(b"soup")]).len();
        for cut in 0..one.len() {
            let result = read(&one[..cut], 64);
            match cut {
                _ if cut == first.len() => assert_eq!(blocks(&result.unwrap()), [b"soup"]),
                _ if cut == begins => assert!(matches!(result, Err(CarError::MissingRoot(_)))),
                _ => assert_eq!(result, Err(CarError::Malformed("it ends early")), "{cut}"),
            }
        }
        for cut in 0..two.len() - 5 {
            assert!(read(&two[..cut], 64).is_err(), "{cut}: it says how long it is");
        }
    }

    #[test]
    fn lies_are_found() {
        let one = version_1(&[b"soup"]);
        let mut other = one.clone();
        *other.last_mut().unwrap() ^= 1;
        assert_eq!(read(&other, 64), Err(CarError::Block(CidError::Mismatch(cid::of_raw(b"soup")))));
        let absent = [header(&[cid::of_raw(b"x")]), one[header(&[cid::of_raw(b"soup")]).len()..].to_vec()].concat();
        assert_eq!(read(&absent, 64), Err(CarError::MissingRoot(cid::of_raw(b"x"))));
        let lies = |at: usize, number: u64| {
            let mut two = version_2(&one, 0, b"");
            two[PRAGMA.len() + at..][..8].copy_from_slice(&number.to_le_bytes());
            read(&two, 64).unwrap_err()
        };
        let places = CarError::Malformed("its places are not within it");
        assert_eq!(lies(16, 0), places);
        assert_eq!(lies(16, u64::MAX), places);
        assert_eq!(lies(24, 0), places);
        assert_eq!(lies(32, 52), places);
        assert_eq!(lies(24, one.len() as u64 - 1), CarError::Malformed("a section is longer than its header says"));
        assert_eq!(lies(24, one.len() as u64 + 1), CarError::Malformed("it ends early"));
        let long = [&header(&[]), &[0xff, 0xff, 0xff, 0x7f][..]].concat();
        assert_eq!(read(&long, 64), Err(CarError::Malformed("a length above the limit")));
        assert_eq!(read(&[0; 20], 64), Err(CarError::Malformed("a section without anything in it")));
        assert_eq!(read(&[], 64), Err(CarError::Malformed("it ends early")));
    }

    proptest! {
        #[test]
        fn a_damaged_car_never_panics(at in 0usize..300, to: u8, cut in 0usize..300) {
            let one = version_1(&[b"soup", b"bread"]);
            let mut two = version_2(&one, 3, b"index");
            let at = at % two.len();
            two[at] = to;
            two.truncate(cut);
            let _ = read(&two, 17);
        }

        #[test]
        fn garbage_never_panics(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes, 9);
        }
    }
}
