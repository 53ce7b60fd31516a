//! A file as the tag reader wants it: something to read and to seek in. Reads are by position, through one small window,
//! because the reader takes single bytes and goes back and forth; the file's own cursor is neither used nor moved.
use std::fs::File;
use std::io::{Error, ErrorKind, Read, Result, Seek, SeekFrom};
use std::os::unix::fs::FileExt;

const WINDOW: usize = 8 * 1024;
/// What stands in the place of a chunk's name that the reader is not to see.
const HIDDEN: &[u8; 4] = b"JUNK";

/// The file from `start` on. Once `budget` bytes were taken from the disk, it looks as if it ended.
pub(super) struct View<'a> {
    file: &'a File,
    start: u64,
    len: u64,
    position: u64,
    window: Vec<u8>,
    window_at: u64,
    budget: u64,
    hidden: &'a [u64],
}

impl<'a> View<'a> {
    /// `hidden`: positions in the file of four-byte names that are shown as `JUNK`.
    pub fn new(file: &'a File, start: u64, budget: u64, hidden: &'a [u64]) -> Result<Self> {
        let len = file.metadata()?.len().saturating_sub(start);
        Ok(Self { file, start, len, position: 0, window: Vec::new(), window_at: 0, budget, hidden })
    }

    fn in_window(&self) -> Option<&[u8]> {
        let skipped = usize::try_from(self.position.checked_sub(self.window_at)?).ok()?;
        self.window.get(skipped..).filter(|rest| !rest.is_empty())
    }

    /// Goes back further than asked for when the reader goes backwards, for it will go on so.
    fn fill_window(&mut self) -> Result<()> {
        let backwards = self.position < self.window_at;
        let begin = if backwards { (self.position + 512).saturating_sub(WINDOW as u64) } else { self.position };
        let mut window = std::mem::take(&mut self.window);
        window.resize(WINDOW, 0);
        let taken = self.fetch(begin, &mut window)?;
        window.truncate(taken);
        (self.window, self.window_at) = (window, begin);
        Ok(())
    }

    fn fetch(&mut self, at: u64, buffer: &mut [u8]) -> Result<usize> {
        let wanted = usize::try_from(self.budget).unwrap_or(usize::MAX).min(buffer.len());
        let begin = self.start + at;
        let taken = read_up_to(self.file, begin, &mut buffer[..wanted])?;
        self.budget -= taken as u64;
        for hidden in self.hidden {
            for (offset, byte) in (*hidden..).zip(HIDDEN) {
                let place = offset.checked_sub(begin).and_then(|place| usize::try_from(place).ok());
                if let Some(shown) = place.and_then(|place| buffer[..taken].get_mut(place)) {
                    *shown = *byte;
                }
            }
        }
        Ok(taken)
    }
}

impl Read for View<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> Result<usize> {
        if buffer.is_empty() || self.position >= self.len {
            return Ok(0);
        }
        if self.in_window().is_none() {
            if buffer.len() >= WINDOW {
                let taken = self.fetch(self.position, buffer)?;
                self.position += taken as u64;
                return Ok(taken);
            }
            self.fill_window()?;
        }
        let window = self.in_window().unwrap_or_default();
        let taken = window.len().min(buffer.len());
        buffer[..taken].copy_from_slice(&window[..taken]);
        self.position += taken as u64;
        Ok(taken)
    }
}

impl Seek for View<'_> {
    fn seek(&mut self, to: SeekFrom) -> Result<u64> {
        let position = match to {
            SeekFrom::Start(position) => Some(position),
            SeekFrom::End(offset) => self.len.checked_add_signed(offset),
            SeekFrom::Current(offset) => self.position.checked_add_signed(offset),
        };
        self.position = position.ok_or_else(|| Error::from(ErrorKind::InvalidInput))?;
        Ok(self.position)
    }
}

/// As many bytes as there are and fit.
pub(super) fn read_up_to(file: &File, at: u64, buffer: &mut [u8]) -> Result<usize> {
    let mut taken = 0;
    while taken < buffer.len() {
        match file.read_at(&mut buffer[taken..], at.saturating_add(taken as u64)) {
            Ok(0) => break,
            Ok(more) => taken += more,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(taken)
}

/// The same in a buffer of its own, which is never larger than the file.
pub(super) fn bytes_up_to(file: &File, at: u64, wanted: u64) -> Result<Vec<u8>> {
    let there = file.metadata()?.len().saturating_sub(at).min(wanted);
    let mut bytes = vec![0; usize::try_from(there).map_err(|_| ErrorKind::InvalidInput)?];
    let taken = read_up_to(file, at, &mut bytes)?;
    bytes.truncate(taken);
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::super::samples::file_of;
    use super::*;

    #[test]
    fn any_place_is_read_as_it_is_in_the_file() {
        let bytes: Vec<u8> = (0..50_000u32).map(|n| (n / 7 + n) as u8).collect();
        let file = file_of(&bytes);
        let mut view = View::new(&file, 10, u64::MAX, &[]).unwrap();
        for (at, len) in [(0u64, 5usize), (40_000, 9000), (39_990, 4), (39_900, 200), (0, 20_000), (49_985, 100)] {
            view.seek(SeekFrom::Start(at)).unwrap();
            let mut read = Vec::new();
            view.by_ref().take(len as u64).read_to_end(&mut read).unwrap();
            let from = at as usize + 10;
            assert_eq!(read, bytes[from..(from + len).min(bytes.len())], "{at} {len}");
        }
        assert!(view.seek(SeekFrom::End(-60_000)).is_err());
    }

    #[test]
    fn a_file_seems_to_end_when_enough_was_read() {
        let file = file_of(&[1; 100_000]);
        let mut view = View::new(&file, 0, 20_000, &[]).unwrap();
        let mut read = Vec::new();
        view.read_to_end(&mut read).unwrap();
        assert_eq!(read.len(), 20_000);
    }

    #[test]
    fn a_hidden_name_is_not_seen() {
        let file = file_of(b"0123ID3 4567");
        let mut text = String::new();
        View::new(&file, 1, 100, &[4]).unwrap().read_to_string(&mut text).unwrap();
        assert_eq!(text, "123JUNK4567");
    }
}
