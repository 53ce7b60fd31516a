//! One segment of a film, decoded and encoded anew.
use std::fs::File;
use std::sync::Arc;

use potluck::media::fmp4::{SampleFormat, TrackConfig, UPRIGHT, segment_head};
use potluck::media::protocol::FileKey;
use potluck::media::transcode::PicturePlan;

use crate::decode::{Film, Manner, Opening, Picture};
use crate::encode::{Encoded, Encoder};
use crate::filter::{Colour, Graph, Shape, software};
use crate::handles::Frame;
use crate::source::Trouble;

/// Pixels of the pictures of all films that are kept open: their decoders keep many of each.
const OPEN_PIXELS_MAX: i64 = 2 * 1920 * 1088;
/// Sides of a picture that is encoded.
const SIDE_MAX: u32 = 8192;

/// The films that were transcoded last, each where its last segment ended.
#[derive(Default)]
pub struct Films {
    open: Vec<(FileKey, Opening, Film)>,
}

impl Films {
    /// The segment that a plan describes, and who encoded it.
    pub fn segment(
        &mut self,
        key: FileKey,
        file: Arc<File>,
        plan: &PicturePlan,
    ) -> Result<(Vec<u8>, &'static str), Trouble> {
        checked(plan)?;
        let opening = opening(plan);
        let mut film = match self.open.iter().position(|(k, o, _)| (*k, *o) == (key, opening)) {
            Some(at) => self.open.remove(at).2,
            None => {
                // The other films' pictures would lie beside this one's.
                self.make_room(0);
                Film::open(file, opening, |_| Ok(()))?
            }
        };
        // On trouble the film is dropped: where it stands is not known any more.
        let segment = segment(&mut film, plan)?;
        self.make_room(pixels(&film.manner));
        self.open.push((key, opening, film));
        Ok((segment, "libx264"))
    }

    /// Closes the films that were not used for longest.
    fn make_room(&mut self, for_pixels: i64) {
        let used =
            |open: &[(FileKey, Opening, Film)]| open.iter().map(|(_, _, film)| pixels(&film.manner)).sum::<i64>();
        while !self.open.is_empty() && used(&self.open) + for_pixels > OPEN_PIXELS_MAX {
            self.open.remove(0);
        }
    }

    /// Closes all.
    pub fn clear(&mut self) {
        self.open.clear();
    }
}

fn pixels(manner: &Manner) -> i64 {
    i64::from(manner.size.0) * i64::from(manner.size.1)
}

fn opening(plan: &PicturePlan) -> Opening {
    let PicturePlan { stream, timescale, base_seconds, threads, .. } = *plan;
    Opening { stream, timescale, base_seconds, threads }
}

fn checked(plan: &PicturePlan) -> Result<(), Trouble> {
    let format = &plan.format;
    let even = |side: u32| side.is_multiple_of(2) && (16..=SIDE_MAX).contains(&side);
    if !even(format.width) || !even(format.height) || plan.end <= plan.start || plan.start < 0 {
        return Err(Trouble::Cannot("such a segment cannot be made".to_owned()));
    }
    Ok(())
}

/// What the initialisation section of a plan's rendition says.
pub fn head(file: Arc<File>, plan: &PicturePlan) -> Result<TrackConfig, Trouble> {
    checked(plan)?;
    let film = Film::open(file, opening(plan), |_| Ok(()))?;
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let format = SampleFormat::Avc {
        width: side(plan.format.width),
        height: side(plan.format.height),
        pixel_aspect: (1, 1),
        matrix: UPRIGHT,
        record: Encoder::record(plan, rate(&film.manner, plan))?,
        in_band: true,
    };
    Ok(TrackConfig { timescale: plan.timescale, language: None, format })
}

/// Frames a second of what is encoded: the film's, or a whole part of it under the limit.
fn rate(manner: &Manner, plan: &PicturePlan) -> f64 {
    match plan.format.frame_rate_max {
        Some(most) if most.is_finite() && most >= 1.0 => manner.rate / (manner.rate / most - 0.01).ceil().max(1.0),
        _ => manner.rate,
    }
}

fn segment(film: &mut Film, plan: &PicturePlan) -> Result<Vec<u8>, Trouble> {
    film.go_to(plan.key, plan.start)?;
    let mut line = Line::new(film.manner, plan);
    while let Some(picture) = film.next()? {
        if picture.tick >= plan.end && !plan.last {
            if line.is_empty() {
                line.stand_in(film.before.as_ref().or(Some(&picture)))?;
            }
            film.put_back(picture);
            break;
        }
        if picture.tick < plan.start {
            film.before = Some(picture);
            continue;
        }
        if line.is_empty() && picture.tick > plan.start.saturating_add(film.step() * 3 / 2) {
            line.stand_in(film.before.as_ref())?;
        }
        film.before = Some(Picture { tick: picture.tick, frame: picture.frame.shared()? });
        line.push(picture)?;
    }
    if line.is_empty() {
        line.stand_in(film.before.as_ref())?;
    }
    film.stand_at(plan.end);
    let last = line.last;
    let encoded = line.finish()?;
    let end = if plan.last { plan.end.max(last.saturating_add(1)) } else { plan.end };
    let mut segment = segment_head(plan.sequence, &encoded.samples, end)?;
    segment.extend_from_slice(&encoded.bytes);
    Ok(segment)
}

/// What a picture passes through: thinning, filters, the encoder.
struct Line<'a> {
    manner: Manner,
    plan: &'a PicturePlan,
    graph: Option<(Shape, Graph)>,
    encoder: Option<Encoder>,
    /// Tick of the last picture that was taken; before the first one, of the one before the segment.
    last: i64,
    taken: usize,
    /// Pictures are taken in slots of this many ticks, where there are too many.
    slot: Option<f64>,
    interlaced: bool,
}

impl<'a> Line<'a> {
    fn new(manner: Manner, plan: &'a PicturePlan) -> Self {
        let rate = rate(&manner, plan);
        let slot = (rate < manner.rate).then(|| f64::from(plan.timescale) / rate);
        Self { manner, plan, graph: None, encoder: None, last: plan.start - 1, taken: 0, slot, interlaced: false }
    }

    fn is_empty(&self) -> bool {
        self.taken == 0
    }

    /// Shows a picture from the segment's start on that belongs elsewhere, or black where there is none.
    fn stand_in(&mut self, picture: Option<&Picture>) -> Result<(), Trouble> {
        let frame = match picture {
            Some(picture) => picture.frame.shared()?,
            None => Frame::black(self.plan.format.width, self.plan.format.height)?,
        };
        self.push(Picture { tick: self.plan.start, frame })
    }

    fn push(&mut self, picture: Picture) -> Result<(), Trouble> {
        let tick = if self.is_empty() { self.plan.start } else { picture.tick.max(self.last + 1) };
        let too_late = tick >= self.plan.end && !self.plan.last;
        if too_late || (!self.is_empty() && self.is_one_too_many(tick)) {
            return Ok(());
        }
        self.last = tick;
        self.taken += 1;
        let mut frame = picture.frame;
        frame.raw_mut().pts = tick;
        self.filter(frame)
    }

    fn is_one_too_many(&self, tick: i64) -> bool {
        let slot = |tick: i64, length: f64| ((tick as f64 + length / 4.0) / length).floor();
        self.slot.is_some_and(|length| slot(tick, length) <= slot(self.last, length))
    }

    fn filter(&mut self, mut frame: Frame) -> Result<(), Trouble> {
        if self.plan.format.tone_map {
            let colour = Colour::of(frame.raw());
            if colour.is_hdr() {
                colour.completed_as_hdr().put(frame.raw_mut());
            }
        }
        let mut shape = Shape::of(&frame, &self.manner);
        // Once interlaced, the filter looks at each picture by itself.
        self.interlaced |= shape.interlaced;
        shape.interlaced = self.interlaced;
        if self.graph.as_ref().is_none_or(|(made_for, _)| *made_for != shape) {
            self.drain()?;
            let words = software(&shape, &self.manner, &self.plan.format);
            let graph = Graph::new(&frame, self.plan.timescale, &words, self.plan.threads, None)?;
            self.graph = Some((shape, graph));
        }
        if let Some((_, graph)) = &mut self.graph {
            graph.push(Some(&mut frame))?;
        }
        self.encode_what_is_ready()
    }

    /// Takes what is left in a graph.
    fn drain(&mut self) -> Result<(), Trouble> {
        if let Some((_, graph)) = &mut self.graph {
            graph.push(None)?;
            self.encode_what_is_ready()?;
        }
        self.graph = None;
        Ok(())
    }

    fn encode_what_is_ready(&mut self) -> Result<(), Trouble> {
        let Some((shape, graph)) = &mut self.graph else { return Ok(()) };
        while let Some(mut frame) = graph.pull(self.plan.timescale)? {
            let kept_as_it_is = shape.colour.is_hdr() && !self.plan.format.tone_map;
            let colour = if kept_as_it_is { Colour { full: false, ..shape.colour } } else { Colour::BT709 };
            colour.put(frame.raw_mut());
            let encoder = match &mut self.encoder {
                Some(encoder) => encoder,
                None => self.encoder.insert(Encoder::software(self.plan, rate(&self.manner, self.plan), colour)?),
            };
            encoder.push(&mut frame)?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Encoded, Trouble> {
        self.drain()?;
        match self.encoder {
            Some(encoder) => encoder.finish(),
            None => Err(Trouble::NoPicture),
        }
    }
}
