//! Small pictures of a film side by side, for the seek bar: keyframes only, each decoded alone, because they are made for
//! whole films while people watch others.
use ffmpeg_next::format::Pixel;
use ffmpeg_next::{decoder, ffi, frame};
use potluck::media::transcode::SpritePlan;

use crate::facts::quarter_turns;
use crate::poster::{TONE_MAP, decode_alone, decoder_of, encode, filtered, is_hdr};
use crate::source::{Source, Trouble};
use crate::tracks::film_of;

/// Pixels of a picture's side, and of the sprite's.
const SIDE: std::ops::RangeInclusive<u32> = 16..=640;
const SPRITE_SIDE_MAX: u32 = 16_384;
/// Packets read in search of a keyframe, and keyframes tried.
const PACKETS_MAX: usize = 3000;
const KEYFRAMES_MAX: usize = 3;

/// The sprite that a plan describes, as JPEG.
pub fn of(source: &mut Source, plan: &SpritePlan) -> Result<Vec<u8>, Trouble> {
    let (columns, rows) = grid(plan).ok_or_else(|| Trouble::Cannot("such a sprite cannot be made".to_owned()))?;
    let index = film_of(source).ok_or(Trouble::NoPicture)?;
    source.only(&[index]);
    let pictures = pictures(source, index, plan)?;
    let mut sheet = frame::Video::new(Pixel::YUVJ420P, columns * plan.width, rows * plan.height);
    blacken(&mut sheet);
    for (n, picture) in pictures.iter().enumerate() {
        let n = u32::try_from(n).unwrap_or(u32::MAX);
        lay(&mut sheet, picture, (n % columns) * plan.width, (n / columns) * plan.height);
    }
    encode(&sheet)
}

/// Columns and rows, if the plan keeps to the limits.
fn grid(plan: &SpritePlan) -> Option<(u32, u32)> {
    let count = u32::try_from(plan.times.len()).ok().filter(|count| *count > 0)?;
    let even = plan.width.is_multiple_of(2) && plan.height.is_multiple_of(2);
    let small =
        SIDE.contains(&plan.width) && SIDE.contains(&plan.height) && plan.times.len() <= SpritePlan::PICTURES_MAX;
    let columns = plan.columns.clamp(1, SpritePlan::PICTURES_MAX as u32);
    let rows = count.div_ceil(columns);
    let fits = columns * plan.width <= SPRITE_SIDE_MAX && rows * plan.height <= SPRITE_SIDE_MAX;
    (even && small && fits).then_some((columns, rows))
}

/// A picture for each time. What cannot be decoded shows what its neighbour shows.
fn pictures(source: &mut Source, index: usize, plan: &SpritePlan) -> Result<Vec<frame::Video>, Trouble> {
    let mut search = Search { decoder: decoder_of(source, index)?, index, last: None };
    // SAFETY: a plain field of an open decoder.
    unsafe { (*search.decoder.as_mut_ptr()).skip_frame = ffi::AVDiscard::AVDISCARD_NONKEY };
    let mut found: Vec<Option<frame::Video>> = Vec::with_capacity(plan.times.len());
    for time in &plan.times {
        let picture = match search.keyframe_at(source, *time) {
            Some(Found::Same) => found.last().cloned().flatten(),
            Some(Found::Picture(frame)) => shaped(source, index, &frame, plan).ok(),
            None => None,
        };
        let picture = picture.or_else(|| found.last().cloned().flatten());
        found.push(picture);
    }
    let first = found.iter().flatten().next().cloned().ok_or(Trouble::NoPicture)?;
    Ok(found.into_iter().map(|picture| picture.unwrap_or_else(|| first.clone())).collect())
}

/// Looks for keyframes, one after the other.
struct Search {
    decoder: decoder::Video,
    index: usize,
    /// Time of the packet that the last picture was made of.
    last: Option<i64>,
}

enum Found {
    /// The one found last.
    Same,
    Picture(frame::Video),
}

impl Search {
    fn keyframe_at(&mut self, source: &mut Source, seconds: f64) -> Option<Found> {
        let tick = tick_at(source, self.index, seconds)?;
        source.seek(self.index, tick).ok()?;
        let mut tried = 0;
        for _ in 0..PACKETS_MAX {
            let packet = source.packet().ok()??;
            if packet.stream() != self.index || !packet.is_key() {
                continue;
            }
            let time = packet.pts().or(packet.dts());
            if time.is_some() && time == self.last {
                return Some(Found::Same);
            }
            if let Some(frame) = decode_alone(&mut self.decoder, &packet) {
                self.last = time;
                return Some(Found::Picture(frame));
            }
            tried += 1;
            if tried == KEYFRAMES_MAX {
                return None;
            }
        }
        None
    }
}

fn tick_at(source: &Source, index: usize, seconds: f64) -> Option<i64> {
    let view = source.stream(index)?;
    let base = view.raw().time_base;
    let start = match view.raw().start_time {
        ffi::AV_NOPTS_VALUE => 0,
        start => start,
    };
    // Without an index a seek ends anywhere near, and the next keyframe is later.
    let seconds = if source.has_tables() { seconds } else { (seconds - 1.0).max(0.0) };
    let ticks = seconds * f64::from(base.den) / f64::from(base.num.max(1));
    (ticks.is_finite() && ticks >= 0.0).then(|| start.saturating_add(ticks as i64))
}

/// Small first, so that what costs much is done to few pixels; then upright, and within the standard range.
fn shaped(source: &Source, index: usize, picture: &frame::Video, plan: &SpritePlan) -> Result<frame::Video, Trouble> {
    let view = source.stream(index).ok_or(Trouble::NoPicture)?;
    let turns = quarter_turns(&view).rem_euclid(4);
    let (across, down) = if turns % 2 == 1 { (plan.height, plan.width) } else { (plan.width, plan.height) };
    let turn = ["", "transpose=clock,", "hflip,vflip,", "transpose=cclock,"][turns as usize];
    let tone = if is_hdr(picture) { TONE_MAP } else { "" };
    let chain = format!("scale={across}:{down}:flags=area,{tone}scale=out_range=full,{turn}format=yuvj420p");
    let shaped = filtered(picture, &chain)?;
    let fits = shaped.width() == plan.width && shaped.height() == plan.height && shaped.format() == Pixel::YUVJ420P;
    if fits { Ok(shaped) } else { Err(Trouble::NoPicture) }
}

fn blacken(sheet: &mut frame::Video) {
    sheet.data_mut(0).fill(0);
    sheet.data_mut(1).fill(128);
    sheet.data_mut(2).fill(128);
}

/// Copies a picture to a place whose coordinates are even.
fn lay(sheet: &mut frame::Video, picture: &frame::Video, x: u32, y: u32) {
    for plane in 0..3 {
        let half = u32::from(plane > 0);
        let (x, y) = ((x >> half) as usize, (y >> half) as usize);
        let (width, height) = ((picture.width() >> half) as usize, (picture.height() >> half) as usize);
        let (from_stride, to_stride) = (picture.stride(plane), sheet.stride(plane));
        let from = picture.data(plane);
        let to = sheet.data_mut(plane);
        for row in 0..height {
            let source = from.get(row * from_stride..).and_then(|row| row.get(..width));
            let target = to.get_mut((y + row) * to_stride + x..).and_then(|row| row.get_mut(..width));
            if let (Some(source), Some(target)) = (source, target) {
                target.copy_from_slice(source);
            }
        }
    }
}
