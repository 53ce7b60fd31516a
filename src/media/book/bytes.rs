//! Bytes of a file by position, and fields off the front of a slice. Nothing here panics or allocates more than it was
//! asked for and the file has.
use std::fs::File;
use std::io::ErrorKind;
use std::os::unix::fs::FileExt;

use super::error::BookError;

/// A file whose length is known, read by position: its own cursor is neither used nor moved.
pub(super) struct Source<'a> {
    file: &'a File,
    pub len: u64,
}

impl<'a> Source<'a> {
    pub fn new(file: &'a File) -> Result<Self, BookError> {
        Ok(Self { file, len: file.metadata()?.len() })
    }

    /// Exactly `wanted` bytes; what reaches past the end of the file is an error before anything is allocated.
    pub fn read(&self, offset: u64, wanted: u64) -> Result<Vec<u8>, BookError> {
        let fits = offset.checked_add(wanted).is_some_and(|end| end <= self.len);
        let Some(wanted) = usize::try_from(wanted).ok().filter(|_| fits) else {
            return Err(BookError::Broken("it is cut off"));
        };
        let mut bytes = vec![0; wanted];
        self.fill(offset, &mut bytes)?;
        Ok(bytes)
    }

    /// As many of `wanted` bytes as there are.
    pub fn read_up_to(&self, offset: u64, wanted: u64) -> Result<Vec<u8>, BookError> {
        let offset = offset.min(self.len);
        self.read(offset, wanted.min(self.len - offset))
    }

    /// Fills the buffer. A file that has become shorter since it was opened is as broken as one that was cut off.
    pub fn fill(&self, offset: u64, buffer: &mut [u8]) -> Result<(), BookError> {
        self.file.read_exact_at(buffer, offset).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => BookError::Broken("it is cut off"),
            _ => BookError::Io(error),
        })
    }
}

/// Takes fields off the front of a slice; `None` where it is too short.
#[derive(Clone, Copy)]
pub(super) struct Fields<'a>(pub &'a [u8]);

impl<'a> Fields<'a> {
    pub fn take(&mut self, len: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(taken)
    }

    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (taken, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*taken)
    }

    pub fn u8(&mut self) -> Option<u8> {
        self.array().map(u8::from_le_bytes)
    }

    pub fn u16_le(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    pub fn u32_le(&mut self) -> Option<u32> {
        self.array().map(u32::from_le_bytes)
    }

    pub fn u64_le(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    pub fn u16_be(&mut self) -> Option<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32_be(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn u64_be(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_read_past_the_end() {
        let file = super::super::samples::file_of(b"0123456789");
        let source = Source::new(&file).unwrap();
        assert_eq!(source.read(8, 2).unwrap(), b"89");
        assert!(matches!(source.read(8, 3), Err(BookError::Broken(_))));
        assert!(matches!(source.read(u64::MAX, 2), Err(BookError::Broken(_))));
        assert_eq!(source.read_up_to(8, 100).unwrap(), b"89");
        assert_eq!(source.read_up_to(80, 100).unwrap(), b"");
    }

    #[test]
    fn fields_come_in_order_until_there_are_no_more() {
        let mut fields = Fields(&[1, 2, 0, 0, 2, 9]);
        assert_eq!((fields.u8(), fields.u16_le(), fields.u16_be()), (Some(1), Some(2), Some(2)));
        assert_eq!((fields.u32_le(), fields.take(1), fields.u8()), (None, Some(&[9][..]), None));
    }
}
