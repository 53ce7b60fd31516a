//! The tag library: nothing else names it. It is given a bounded view of the file that begins behind any ID3 tag, and what
//! it finds is put under the bag's names.
mod chunks;
mod dialects;
mod sounds;

use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use lofty::config::{GlobalOptions, ParseOptions, ParsingMode, apply_global_options};

use super::bag::Bag;
use super::format::{HEAD, Kind, kind};
use super::pictures::Embedded;
use super::source::{View, bytes_up_to};
use super::{Format, Limits, MusicError, id3};

/// ID3v1's genres by number, with Winamp's.
pub(super) use lofty::id3::v1::GENRES;

/// What the stream itself tells.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Sound {
    pub format: Format,
    /// Seconds.
    pub duration: f64,
    /// kbit/s.
    pub bit_rate: Option<u32>,
    /// Hz.
    pub sample_rate: Option<u32>,
    pub bit_depth: Option<u8>,
    pub channels: Option<u16>,
}

/// Everything that was read.
pub(super) struct Read {
    pub sound: Sound,
    pub bag: Bag,
    pub pictures: Vec<Embedded>,
}

/// Reads a file: ID3 tags first, then what its own format has, which stands above them where it is the rule there.
pub(super) fn read(file: &File, name: &str, limits: &Limits) -> Result<Read, MusicError> {
    let (mut id3, mut pictures) = (Bag::new(limits), Vec::new());
    let start = id3::read_front(file, &mut id3, &mut pictures, limits)?;
    let head = bytes_up_to(file, start, HEAD)?;
    let kind = kind(&head, name).ok_or(MusicError::NotMusic)?.map_err(MusicError::NeedsOther)?;
    let hidden = chunks::read_id3(file, kind, &mut id3, &mut pictures, limits)?;
    let request = Request { file, kind, start, hidden: &hidden, limits };
    let found = request.read_what_can_be()?;
    let (mut bag, other) = if found.native_first { (found.bag, id3) } else { (id3, found.bag) };
    bag.fill_from(other);
    pictures.extend(found.pictures);
    pictures.truncate(limits.values);
    Ok(Read { sound: found.sound, bag, pictures })
}

/// What the library found.
struct Found {
    sound: Sound,
    bag: Bag,
    pictures: Vec<Embedded>,
    /// Whether these tags are the format's own, and an ID3 tag the stranger.
    native_first: bool,
}

struct Request<'a> {
    file: &'a File,
    kind: Kind,
    start: u64,
    hidden: &'a [u64],
    limits: &'a Limits,
}

impl Request<'_> {
    /// A tag that cannot be read ends the library's reading: it is asked for less, until sound alone is left.
    fn read_what_can_be(&self) -> Result<Found, MusicError> {
        let mut options = ParseOptions::new().parsing_mode(ParsingMode::Relaxed).max_junk_bytes(0);
        let mut last = match self.attempt(options) {
            Ok(found) => return Ok(found),
            Err(error) => error,
        };
        for options in [options.read_cover_art(false), options.read_tags(false)] {
            match self.attempt(options) {
                Ok(found) => return Ok(found),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn attempt(&self, options: ParseOptions) -> Result<Found, MusicError> {
        let allowed = usize::try_from(self.limits.picture_bytes.saturating_mul(2)).unwrap_or(usize::MAX);
        apply_global_options(GlobalOptions::new().allocation_limit(allowed).use_custom_resolvers(false));
        let mut view = View::new(self.file, self.start, self.limits.read_bytes, self.hidden)?;
        // The library has assertions that a damaged file may reach. It owns no state that could be left torn.
        let read = catch_unwind(AssertUnwindSafe(|| sounds::read(self.kind, &mut view, options, self.limits)));
        match read {
            Ok(found) => found.map_err(|error| MusicError::Broken(error.to_string())),
            Err(_) => Err(MusicError::Broken("its reader met something impossible".to_owned())),
        }
    }
}
