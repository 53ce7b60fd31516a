//! Why a music file cannot be read.
use super::format::OtherFormat;

/// What is wrong with a file, told so that a person or a caller can act on it.
#[derive(Debug, thiserror::Error)]
pub enum MusicError {
    /// Its first bytes are those of no kind of music that is known here.
    #[error("this is not music")]
    NotMusic,
    /// Music, but of a format that another part of the worker reads.
    #[error("music of type {} is not read by this part", .0.as_str())]
    NeedsOther(OtherFormat),
    /// It begins as its format does, yet no sound was found in it; says what the reader made of it.
    #[error("the music is broken: {0}")]
    Broken(String),
    /// Something in it is larger than the limit allows.
    #[error("{what} has {bytes} bytes, more than {max}")]
    TooLarge {
        /// Which part of the file.
        what: &'static str,
        /// As it has.
        bytes: u64,
        /// The limit.
        max: u64,
    },
    /// The disk did not give what was asked for.
    #[error("the music cannot be read from disk")]
    Io(#[from] std::io::Error),
}
