//! Why a book cannot be read.
use super::format::Format;

/// What is wrong with a book, told so that a person or a caller can act on it.
#[derive(Debug, thiserror::Error)]
pub enum BookError {
    /// Its first bytes are those of no kind of book that is known here.
    #[error("this is not a book")]
    NotABook,
    /// Its pages are encrypted.
    #[error("the book is locked with a password")]
    Encrypted,
    /// A RAR of version 4 whose files are packed together: libarchive 3.6 has no code for these.
    #[error(
        "the book is a solid RAR archive of an old version (4), which cannot be unpacked here: pack it anew as CBZ, or as RAR 5"
    )]
    SolidRar,
    /// It does not keep to its format; says where.
    #[error("the book is broken: {0}")]
    Broken(&'static str),
    /// An entry is packed by a method that is not read here (APPNOTE 6.3.10, section 4.4.5).
    #[error("the book is packed by method {0}, which cannot be read")]
    UnknownMethod(u16),
    /// More entries than the limit allows.
    #[error("the book has {entries} entries, more than {max}")]
    TooMany {
        /// As it says, or as far as they were counted.
        entries: u64,
        /// The limit.
        max: u64,
    },
    /// Something in it is larger than the limit allows.
    #[error("{what} has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Which part of the book.
        what: &'static str,
        /// As the book says.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// There is no picture in it.
    #[error("the book has no pages")]
    NoPages,
    /// A book, but of a format that another part of the worker reads.
    #[error("a book of type {} is not read by this part", .0.media_type())]
    NeedsOther(Format),
    /// The disk did not give what was asked for.
    #[error("the book cannot be read from disk")]
    Io(#[from] std::io::Error),
}
