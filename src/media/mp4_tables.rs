//! Reads the one table of an MP4 that libav keeps to itself: how much later than decoded each sample is shown. Pure.
//!
//! With it the keyframes' presentation times are known without reading the keyframes. Nothing here is trusted: who uses
//! it compares some of the times with the samples' own.

/// The offset of each sample of a track (`ctts`, ISO/IEC 14496-12, 8.6.1.3), all 0 where the track has none.
/// `None` where the track is not there, its tables contradict each other, or it has more than `most` samples.
#[must_use]
pub fn composition_offsets(moov: &[u8], track_id: u32, most: usize) -> Option<Vec<i32>> {
    let trak = boxes(moov).filter(|(kind, _)| kind == b"trak").find(|(_, body)| is_track(body, track_id))?.1;
    let stbl = [b"mdia", b"minf", b"stbl"].iter().try_fold(trak, |body, kind| only(body, kind))?;
    let samples = usize::try_from(number(only(stbl, b"stsz")?, 8)?).ok().filter(|n| *n <= most)?;
    let Some(table) = only(stbl, b"ctts") else { return Some(vec![0; samples]) };
    let mut offsets = Vec::with_capacity(samples);
    for entry in table.get(8..)?.as_chunks::<8>().0 {
        let [a, b, c, d, e, f, g, h] = *entry;
        let count = u32::from_be_bytes([a, b, c, d]) as usize;
        // Signed in version 1; in version 0 offsets are small, and some writers put negative ones there all the same.
        let offset = i32::from_be_bytes([e, f, g, h]);
        if offsets.len() + count > samples {
            return None;
        }
        offsets.resize(offsets.len() + count, offset);
    }
    offsets.resize(samples, 0);
    Some(offsets)
}

fn is_track(trak: &[u8], track_id: u32) -> bool {
    let id = only(trak, b"tkhd").and_then(|tkhd| match tkhd.first()? {
        0 => number(tkhd, 12),
        _ => number(tkhd, 20),
    });
    id == Some(track_id)
}

fn number(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..)?.first_chunk().map(|four| u32::from_be_bytes(*four))
}

fn only<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> Option<&'a [u8]> {
    boxes(bytes).find(|(other, _)| other == kind).map(|(_, body)| body)
}

/// The boxes in `bytes`, up to the first that does not fit.
fn boxes(bytes: &[u8]) -> impl Iterator<Item = ([u8; 4], &[u8])> {
    let mut rest = bytes;
    std::iter::from_fn(move || {
        let size = number(rest, 0)? as usize;
        let kind: [u8; 4] = *rest.get(4..)?.first_chunk()?;
        let body = rest.get(8..size)?;
        rest = &rest[size..];
        Some((kind, body))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn boxed(kind: &[u8; 4], body: &[u8]) -> Vec<u8> {
        let size = u32::try_from(body.len() + 8).unwrap();
        [&size.to_be_bytes()[..], kind, body].concat()
    }

    fn words(values: &[u32]) -> Vec<u8> {
        values.iter().flat_map(|v| v.to_be_bytes()).collect()
    }

    fn movie(samples: u32, ctts: Option<&[u32]>) -> Vec<u8> {
        let mut stbl = boxed(b"stsz", &words(&[0, 0, samples]));
        if let Some(table) = ctts {
            stbl.extend(boxed(b"ctts", &words(table)));
        }
        let minf = boxed(b"minf", &boxed(b"stbl", &stbl));
        let trak = [boxed(b"tkhd", &words(&[7, 0, 0, 3])), boxed(b"mdia", &minf)].concat();
        [boxed(b"mvhd", &[0; 4]), boxed(b"trak", &trak)].concat()
    }

    #[test]
    fn offsets_are_told_for_each_sample() {
        let moov = movie(4, Some(&[0, 2, 1, 20, 2, 0]));
        assert_eq!(composition_offsets(&moov, 3, 100), Some(vec![20, 0, 0, 0]));
        assert_eq!(composition_offsets(&movie(2, None), 3, 100), Some(vec![0, 0]));
    }

    #[test]
    fn other_tracks_and_tables_that_lie_give_nothing() {
        assert_eq!(composition_offsets(&movie(4, None), 9, 100), None);
        assert_eq!(composition_offsets(&movie(4, None), 3, 3), None);
        assert_eq!(composition_offsets(&movie(4, Some(&[0, 1, u32::MAX, 5])), 3, 100), None);
        assert_eq!(composition_offsets(b"", 3, 100), None);
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..200), at in 0usize..200) {
            let _ = composition_offsets(&bytes, 3, 1000);
            let mut moov = movie(4, Some(&[0, 1, 1, 20]));
            for (n, byte) in bytes.iter().enumerate().take(4) {
                let place = (at + n) % moov.len();
                moov[place] = *byte;
            }
            let _ = composition_offsets(&moov, 3, 1000);
        }
    }
}
