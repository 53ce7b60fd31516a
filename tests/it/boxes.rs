//! A small reader of fragmented MP4, to check what the node writes with other eyes.

/// A box: its kind and body.
pub struct Mp4Box<'a> {
    pub kind: [u8; 4],
    pub body: &'a [u8],
}

/// The boxes that fill `bytes`. Panics where they do not fill them exactly.
pub fn boxes(mut bytes: &[u8]) -> Vec<Mp4Box<'_>> {
    let mut found = Vec::new();
    while !bytes.is_empty() {
        let size = number(bytes, 0) as usize;
        assert!(size >= 8 && size <= bytes.len(), "a box of {size} bytes in {}", bytes.len());
        found.push(Mp4Box { kind: bytes[4..8].try_into().unwrap(), body: &bytes[8..size] });
        bytes = &bytes[size..];
    }
    found
}

/// The body of the only box of a kind.
pub fn only<'a>(bytes: &'a [u8], kind: &[u8; 4]) -> &'a [u8] {
    let mut of_kind = boxes(bytes).into_iter().filter(|b| b.kind == *kind);
    let found = of_kind.next().unwrap_or_else(|| panic!("no {}", String::from_utf8_lossy(kind)));
    assert!(of_kind.next().is_none());
    found.body
}

pub fn number(bytes: &[u8], at: usize) -> u32 {
    u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap())
}

/// A sample as a segment describes it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sample {
    pub decoded: i64,
    pub duration: u32,
    pub presented: i64,
    pub sync: bool,
    pub bytes: Vec<u8>,
}

/// A segment, read.
#[derive(Debug)]
pub struct Segment {
    pub sequence: u32,
    pub base: i64,
    pub samples: Vec<Sample>,
}

impl Segment {
    pub fn read(bytes: &[u8]) -> Self {
        let moof = only(bytes, b"moof");
        let traf = only(moof, b"traf");
        let tfdt = only(traf, b"tfdt");
        let base = i64::from(number(tfdt, 4)) << 32 | i64::from(number(tfdt, 8));
        let trun = only(traf, b"trun");
        let count = number(trun, 4) as usize;
        assert_eq!(trun.len(), 12 + count * 16);
        let mut offset = number(trun, 8) as usize;
        let mut decoded = base;
        let samples = (0..count).map(|n| {
            let field = |i: usize| number(trun, 12 + n * 16 + i * 4);
            let (duration, size, flags, composition) = (field(0), field(1) as usize, field(2), field(3).cast_signed());
            let sample = Sample {
                decoded,
                duration,
                presented: decoded + i64::from(composition),
                sync: flags & 0x1_0000 == 0,
                bytes: bytes[offset..offset + size].to_vec(),
            };
            decoded += i64::from(duration);
            offset += size;
            sample
        });
        let samples = samples.collect();
        assert_eq!(offset, bytes.len(), "the samples do not fill the segment");
        Self { sequence: number(only(moof, b"mfhd"), 4), base, samples }
    }

    /// The tick after the last sample.
    pub fn end(&self) -> i64 {
        self.base + self.samples.iter().map(|s| i64::from(s.duration)).sum::<i64>()
    }
}
