//! Answers one request; keeps the files of the last ones open, because opening costs more than a segment.
use std::fs::File;
use std::panic::{AssertUnwindSafe, catch_unwind};

use potluck::media::protocol::{FileKey, Question, Reply, Request};

use crate::source::{Source, Trouble};
use crate::{facts, poster};

/// Contexts kept open: video and a few audio tracks of the files being played.
const OPEN_SOURCES: usize = 12;

/// The worker's memory between requests.
#[derive(Default)]
pub struct Desk {
    /// Last used at the end.
    open: Vec<(Seat, Source)>,
}

/// Each stream of a file is read through its own context, so that video and audio do not seek each other away.
type Seat = (FileKey, Option<u32>);

impl Desk {
    /// The reply to a request, and its payload. Never panics and never fails: trouble is a reply too.
    pub fn answer(&mut self, request: &Request, file: File) -> (Reply, Vec<u8>) {
        let answer = catch_unwind(AssertUnwindSafe(|| self.try_answer(request, file)));
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(trouble)) => (Reply::Unreadable(trouble.to_string()), Vec::new()),
            Err(_) => {
                // What a panic left half done is not trusted any more.
                self.open.clear();
                (Reply::Unreadable("the file is damaged in a way that cannot be read".to_owned()), Vec::new())
            }
        }
    }

    fn try_answer(&mut self, request: &Request, file: File) -> Result<(Reply, Vec<u8>), Trouble> {
        match &request.question {
            Question::Probe => {
                let source = Source::open(file)?;
                Ok((Reply::Facts(facts::of(&source)), Vec::new()))
            }
            Question::Poster { width } => {
                let mut source = Source::open(file)?;
                Ok((Reply::Payload, poster::of(&mut source, *width)?))
            }
            Question::Index | Question::Segment(_) => Err(Trouble::NotMedia),
        }
    }
}
