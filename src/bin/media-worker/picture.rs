//! One segment of a film, decoded and encoded anew.
use std::fs::File;
use std::sync::Arc;

use potluck::media::fmp4::{SampleFormat, TrackConfig, UPRIGHT, segment_head};
use potluck::media::hardware::Device;
use potluck::media::protocol::FileKey;
use potluck::media::transcode::PicturePlan;

use crate::bitmap::Canvas;
use crate::burn::{Shown, Subtitles};
use crate::decode::{Film, Manner, Opening};
use crate::encode::Encoder;
use crate::filter::Shape;
use crate::hardware::Hardware;
use crate::line::{Line, rate};
use crate::overheard;
use crate::source::Trouble;

/// Pixels of the pictures of all films that are kept open: their decoders keep many of each.
const OPEN_PIXELS_MAX: i64 = 2 * 1920 * 1088;
/// Sides of a picture that is encoded.
const SIDE_MAX: u32 = 8192;

/// The films that were transcoded last, each where its last segment ended, and the devices that are open.
#[derive(Default)]
pub struct Films {
    open: Vec<(Seat, Film)>,
    devices: Vec<Hardware>,
    /// The picture subtitles that were drawn last.
    subtitles: Option<(FileKey, Opening, u32, Subtitles)>,
}

/// A state of a file, how it is opened, and on which device its decoder is.
type Seat = (FileKey, Opening, Device);

impl Films {
    /// The segment that a plan describes, and who encoded it.
    pub fn segment(&mut self, key: FileKey, file: Arc<File>, plan: &PicturePlan) -> Result<(Vec<u8>, String), Trouble> {
        checked(plan)?;
        overheard::forget();
        let answer = self.try_segment((key, opening(plan), plan.device.clone()), file, plan);
        if let Err(Trouble::Device(_)) = answer {
            // It may be in a state that no other film should meet.
            self.open.retain(|((_, _, device), _)| *device != plan.device);
            self.devices.retain(|hardware| hardware.device != plan.device);
        }
        answer
    }

    fn try_segment(&mut self, seat: Seat, file: Arc<File>, plan: &PicturePlan) -> Result<(Vec<u8>, String), Trouble> {
        self.open_device(&plan.device)?;
        let again = Arc::clone(&file);
        let mut film = match self.open.iter().position(|(other, _)| *other == seat) {
            Some(at) => self.open.remove(at).1,
            None => {
                // The other films' pictures would lie beside this one's.
                self.make_room(OPEN_PIXELS_MAX / 2);
                let hardware = self.device(&plan.device);
                Film::open(file, seat.1, hardware)?
            }
        };
        // On trouble the film is dropped: where it stands is not known any more.
        let shown = self.shown(seat.0, again, plan, &film.manner)?;
        let hardware = self.device(&plan.device);
        let segment = segment(&mut film, plan, hardware, shown)?;
        let encoder = hardware.map_or(c"libx264", Hardware::encoder).to_string_lossy().into_owned();
        self.make_room(pixels(&film.manner));
        self.open.push((seat, film));
        Ok((segment, encoder))
    }

    /// What is drawn into the pictures of a plan.
    fn shown(&mut self, key: FileKey, file: Arc<File>, plan: &PicturePlan, manner: &Manner) -> Result<Shown, Trouble> {
        let Some(stream) = plan.format.burn else { return Ok(Shown::default()) };
        let opening = opening(plan);
        let mut subtitles = match self.subtitles.take() {
            Some((k, o, s, subtitles)) if (k, o, s) == (key, opening, stream) => subtitles,
            _ => Subtitles::open(file, opening, stream)?,
        };
        let canvas = Canvas {
            coded: manner.size,
            fitted: Shape::usual(manner).fitted(manner, &plan.format),
            size: (plan.format.width, plan.format.height),
        };
        let shown = subtitles.shown(plan.start, plan.end, &canvas)?;
        self.subtitles = Some((key, opening, stream, subtitles));
        Ok(shown)
    }

    fn device(&self, device: &Device) -> Option<&Hardware> {
        self.devices.iter().find(|hardware| hardware.device == *device)
    }

    fn open_device(&mut self, device: &Device) -> Result<(), Trouble> {
        if self.device(device).is_none() {
            self.devices.extend(Hardware::open(device)?);
        }
        Ok(())
    }

    /// Closes the films that were not used for longest.
    fn make_room(&mut self, for_pixels: i64) {
        let used = |open: &[(Seat, Film)]| open.iter().map(|(_, film)| pixels(&film.manner)).sum::<i64>();
        while !self.open.is_empty() && used(&self.open) + for_pixels > OPEN_PIXELS_MAX {
            self.open.remove(0);
        }
    }

    /// Closes all.
    pub fn clear(&mut self) {
        *self = Self::default();
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
    let film = Film::open(file, opening(plan), None)?;
    let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
    let format = SampleFormat::Avc {
        width: side(plan.format.width),
        height: side(plan.format.height),
        pixel_aspect: (1, 1),
        matrix: UPRIGHT,
        record: Encoder::record(plan, rate(&film.manner, &plan.format))?,
        in_band: true,
    };
    Ok(TrackConfig { timescale: plan.timescale, language: None, format })
}

fn segment(film: &mut Film, plan: &PicturePlan, hardware: Option<&Hardware>, shown: Shown) -> Result<Vec<u8>, Trouble> {
    film.go_to(plan.key, plan.start)?;
    let mut line = Line::new(film.manner, plan, hardware, shown);
    let usual_gap = film.step() * 3 / 2;
    let mut next = None;
    while let Some(picture) = film.next()? {
        if picture.tick >= plan.end && !plan.last {
            if line.is_empty() {
                line.stand_in(film.before.as_ref().or(Some(&picture)))?;
            }
            next = Some(picture.tick);
            film.put_back(picture);
            break;
        }
        if picture.tick < plan.start {
            film.before = Some(picture);
            continue;
        }
        if line.is_empty() && picture.tick > plan.start.saturating_add(usual_gap) {
            line.stand_in(film.before.as_ref())?;
        }
        film.before = None;
        line.push(picture)?;
    }
    if line.is_empty() {
        line.stand_in(film.before.as_ref())?;
    }
    let last = line.last;
    // Where the next segment has no picture of its own to begin with, the one before it is wanted, and looked for again.
    if next.is_some_and(|tick| tick <= plan.end.saturating_add(usual_gap)) {
        film.stand_at(plan.end);
    }
    let encoded = line.finish(|| film.go_ahead())?;
    let end = if plan.last { plan.end.max(last.saturating_add(1)) } else { plan.end };
    let mut segment = segment_head(plan.sequence, &encoded.samples, end)?;
    segment.extend_from_slice(&encoded.bytes);
    Ok(segment)
}
