//! Answers one request; keeps the files of the last ones open, because opening costs more than a segment.
use std::fs::File;
use std::ops::Range;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use potluck::media::protocol::{FileKey, Question, Reply, Request};
use potluck::media::timeline::SegmentPlan;
use potluck::media::transcode::SoundPlan;

use crate::picture::{self, Films};
use crate::reader::Reader;
use crate::sound::{self, Listener, whole};
use crate::source::{Source, Trouble};
use crate::{book, facts, hardware, index, music, poster, segment, sprite, subtitles, tracks};

/// Contexts kept open: video and a few audio tracks of the files being played.
const OPEN_SOURCES: usize = 12;
/// Sound streams kept open that are transcoded.
const OPEN_LISTENERS: usize = 4;

/// The worker's memory between requests.
#[derive(Default)]
pub struct Desk {
    /// Last used at the end.
    open: Vec<(Seat, Reader)>,
    films: Films,
    listeners: Vec<(Seat, Listener)>,
    books: book::Reader,
}

/// Each stream of a file is read through its own context, so that video and audio do not seek each other away.
type Seat = (FileKey, u32);

impl Desk {
    /// The reply to a request, and its payload. Never panics and never fails: trouble is a reply too. What comes in pieces goes to
    /// `send` before.
    pub fn answer(&mut self, request: &Request, file: File, send: &mut whole::Send<'_>) -> (Reply, Vec<u8>) {
        let answer = catch_unwind(AssertUnwindSafe(|| self.try_answer(request, file, send)));
        match answer {
            Ok(Ok(answer)) => answer,
            Ok(Err(Trouble::Device(said))) => (Reply::DeviceFailed(said), Vec::new()),
            Ok(Err(trouble)) => (Reply::Unreadable(trouble.to_string()), Vec::new()),
            Err(_) => {
                // What a panic left half done is not trusted any more.
                self.open.clear();
                self.films.clear();
                self.listeners.clear();
                self.books.clear();
                (Reply::Unreadable("the file is damaged in a way that cannot be read".to_owned()), Vec::new())
            }
        }
    }

    fn try_answer(
        &mut self,
        request: &Request,
        file: File,
        send: &mut whole::Send<'_>,
    ) -> Result<(Reply, Vec<u8>), Trouble> {
        let file = Arc::new(file);
        match &request.question {
            Question::Probe => Ok((Reply::Facts(facts::of(&Source::open(file)?)), Vec::new())),
            Question::Poster { width } => Ok((Reply::Payload, poster::of(&mut Source::open(file)?, *width)?)),
            Question::Index => Ok((Reply::Index(index::of(&Source::open(file)?)?), Vec::new())),
            Question::PictureHead(plan) => Ok((Reply::Head(picture::head(file, plan)?), Vec::new())),
            Question::Picture(plan) => {
                let (segment, encoder) = self.films.segment(request.file, file, plan)?;
                Ok((Reply::Encoded { encoder }, segment))
            }
            Question::Hardware(device) => Ok((Reply::Hardware(hardware::probe(device)), Vec::new())),
            Question::SoundHead(plan) => Ok((Reply::Head(sound::head(&Source::open(file)?, plan)?), Vec::new())),
            Question::Sound(plan) => {
                let segment = self.sound((request.file, plan.stream), file, plan)?;
                Ok((Reply::Encoded { encoder: "aac".to_owned() }, segment))
            }
            Question::WholeSound(plan) => {
                Ok((Reply::Encoded { encoder: whole::in_a_thread(file, plan, send)? }, Vec::new()))
            }
            Question::Subtitles { stream, base_seconds } => {
                let track = subtitles::of(Source::open_for_packets(file)?, *stream, *base_seconds)?;
                Ok((Reply::Subtitles(track), Vec::new()))
            }
            Question::Attachment { stream } => {
                Ok((Reply::Payload, subtitles::attachment(&Source::open_for_packets(file)?, *stream)?))
            }
            Question::Book => {
                let (facts, pages) = book::of(&file)?;
                Ok((Reply::Book(Box::new(facts)), pages))
            }
            Question::Page(place) => Ok((Reply::Payload, self.books.page(request.file, &file, place)?)),
            Question::PicturePage(plan) => Ok((Reply::Payload, self.books.picture(request.file, &file, plan)?)),
            Question::Mosaic(sizes) => Ok((Reply::Payload, book::mosaic(&file, sizes)?)),
            Question::Track { ending } => Ok((Reply::Track(Box::new(music::of(&file, ending)?)), Vec::new())),
            Question::TrackPicture { ending, side } => Ok((Reply::Payload, music::picture(&file, ending, *side)?)),
            Question::Sprite(plan) => Ok((Reply::Payload, sprite::of(&mut Source::open(file)?, plan)?)),
            Question::Segment(plan) => {
                let (segment, span) = self.segment((request.file, plan.stream), file, plan)?;
                Ok((Reply::Cut { span }, segment))
            }
        }
    }

    fn segment(&mut self, seat: Seat, file: Arc<File>, plan: &SegmentPlan) -> Result<(Vec<u8>, Range<u64>), Trouble> {
        let mut reader = match self.open.iter().position(|(other, _)| *other == seat) {
            Some(at) => self.open.remove(at).1,
            None => reader(file, plan.stream)?,
        };
        // On trouble the reader is dropped: where it stands is not known any more.
        let cut = segment::of(&mut reader, plan)?;
        if self.open.len() >= OPEN_SOURCES {
            self.open.remove(0);
        }
        self.open.push((seat, reader));
        Ok(cut)
    }

    fn sound(&mut self, seat: Seat, file: Arc<File>, plan: &SoundPlan) -> Result<Vec<u8>, Trouble> {
        let mut listener = match self.listeners.iter().position(|(other, _)| *other == seat) {
            Some(at) => self.listeners.remove(at).1,
            None => listener(file, plan.stream)?,
        };
        let bytes = sound::segment(&mut listener, plan)?;
        if self.listeners.len() >= OPEN_LISTENERS {
            self.listeners.remove(0);
        }
        self.listeners.push((seat, listener));
        Ok(bytes)
    }
}

/// The file open for the packets of one stream: its number, and that of the film.
fn opened(file: Arc<File>, stream: u32) -> Result<(Source, usize, Option<usize>), Trouble> {
    let source = Source::open_for_packets(file)?;
    let film = tracks::film_of(&source);
    let stream = usize::try_from(stream).unwrap_or(usize::MAX);
    if source.stream(stream).is_none() {
        return Err(Trouble::Cannot("there is no such stream".to_owned()));
    }
    Ok((source, stream, film))
}

fn reader(file: Arc<File>, stream: u32) -> Result<Reader, Trouble> {
    let (source, stream, film) = opened(file, stream)?;
    Ok(Reader::new(source, stream, film))
}

fn listener(file: Arc<File>, stream: u32) -> Result<Listener, Trouble> {
    let (source, stream, film) = opened(file, stream)?;
    Listener::new(source, stream, film)
}
