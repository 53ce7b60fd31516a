//! A bitmap with colours and transparency, made ready to be drawn into pictures of 4:2:0, BT.709.
use ffmpeg_next::ffi;

use crate::handles::{Frame, came};
use crate::source::Trouble;

/// Sides of the largest bitmap.
const SIDE_MAX: usize = 4096;

/// Where bitmaps are drawn.
#[derive(Debug, Clone, Copy)]
pub struct Canvas {
    /// Pixels of the film as coded, which bitmaps may count in.
    pub coded: (i32, i32),
    /// Pixels of the film within the picture that is encoded, and those of that picture.
    pub fitted: (u32, u32),
    /// See `fitted`.
    pub size: (u32, u32),
}

/// A plane of values and how much each covers what is below it, of 255.
struct Plane {
    width: usize,
    values: Vec<u8>,
    covers: Vec<u8>,
}

/// A bitmap at its place, which is even both ways.
pub struct Bitmap {
    left: usize,
    top: usize,
    planes: [Plane; 3],
}

/// Where a bitmap lies: left, top, width, height.
type Place = (f64, f64, f64, f64);

impl Bitmap {
    /// A decoded rectangle; `size` is what the decoder says its places count in.
    pub fn of(rectangle: &ffi::AVSubtitleRect, size: (i32, i32), canvas: &Canvas) -> Option<Self> {
        let side = |side: i32| usize::try_from(side).ok().filter(|side| (1..=SIDE_MAX).contains(side));
        let (width, height) = (side(rectangle.w)?, side(rectangle.h)?);
        let stride = side(rectangle.linesize[0])?.max(width);
        if rectangle.data[0].is_null() || rectangle.data[1].is_null() {
            return None;
        }
        // SAFETY: libav allocated `height` rows of `linesize` bytes, and a palette of 256 colours of four bytes.
        let (pixels, palette) = unsafe {
            (
                std::slice::from_raw_parts(rectangle.data[0], stride * (height - 1) + width),
                std::slice::from_raw_parts(rectangle.data[1], 256 * 4),
            )
        };
        let colours: Vec<[f64; 4]> = palette.as_chunks::<4>().0.iter().map(|bytes| colour(*bytes)).collect();
        let place = placed(rectangle, size, canvas);
        let at = |x: usize, y: usize| colours[usize::from(pixels[y * stride + x])];
        Some(drawn(place, (width, height), at, canvas))
    }

    /// Draws it into a picture in memory.
    pub fn draw(&self, frame: &mut Frame) -> Result<(), Trouble> {
        let raw = frame.raw_mut();
        // SAFETY: libav copies what others hold too.
        came(unsafe { ffi::av_frame_make_writable(raw) })?;
        let size = (usize::try_from(raw.width).unwrap_or(0), usize::try_from(raw.height).unwrap_or(0));
        for (n, plane) in self.planes.iter().enumerate() {
            let part = if n == 0 { 1 } else { 2 };
            let (width, height) = (size.0 / part, size.1 / part);
            let stride = usize::try_from(raw.linesize[n]).unwrap_or(0);
            if raw.data[n].is_null() || stride < width || width == 0 || height == 0 {
                return Ok(());
            }
            // SAFETY: a writable plane has `height` rows of `stride` bytes, the last of at least `width`.
            let pixels = unsafe { std::slice::from_raw_parts_mut(raw.data[n], stride * (height - 1) + width) };
            plane.draw(pixels, stride, (width, height), (self.left / part, self.top / part));
        }
        Ok(())
    }
}

impl Plane {
    fn draw(&self, pixels: &mut [u8], stride: usize, size: (usize, usize), (left, top): (usize, usize)) {
        let width = self.width.min(size.0.saturating_sub(left));
        let rows = self.values.chunks_exact(self.width).zip(self.covers.chunks_exact(self.width));
        for (row, (values, covers)) in rows.enumerate().take(size.1.saturating_sub(top)) {
            let start = (top + row) * stride + left;
            let Some(below) = pixels.get_mut(start..start + width) else { return };
            for ((pixel, value), cover) in below.iter_mut().zip(values).zip(covers) {
                let (old, new, cover) = (u32::from(*pixel), u32::from(*value), u32::from(*cover));
                *pixel = u8::try_from((old * (255 - cover) + new * cover + 127) / 255).unwrap_or(u8::MAX);
            }
        }
    }
}

/// Of a palette's entry (blue, green, red, alpha): brightness and colours of BT.709 in 16 to 235, and its cover, 0 to 1.
fn colour([blue, green, red, alpha]: [u8; 4]) -> [f64; 4] {
    let [red, green, blue] = [red, green, blue].map(|value| f64::from(value) / 255.0);
    let luma = 0.2126 * red + 0.7152 * green + 0.0722 * blue;
    [
        16.0 + 219.0 * luma,
        128.0 + 224.0 * (blue - luma) / 1.8556,
        128.0 + 224.0 * (red - luma) / 1.5748,
        f64::from(alpha) / 255.0,
    ]
}

/// Where a rectangle comes to lie. Bitmaps that count in the film's own pixels are stretched with them; others count in the
/// pixels of the disc that the film was cut out of, so they keep their shape around the middle.
fn placed(rectangle: &ffi::AVSubtitleRect, size: (i32, i32), canvas: &Canvas) -> Place {
    let size = if size.0 > 0 && size.1 > 0 { size } else { canvas.coded };
    let (wide, high) = (f64::from(canvas.fitted.0), f64::from(canvas.fitted.1));
    let across = wide / f64::from(size.0.max(1));
    let down = if size == canvas.coded { high / f64::from(size.1.max(1)) } else { across };
    let (width, height) = (f64::from(rectangle.w) * across, f64::from(rectangle.h) * down);
    let top = f64::from(rectangle.y) * down + (high - f64::from(size.1) * down) / 2.0;
    let edge = |all: u32, fitted: u32| f64::from((all - fitted.min(all)) / 4 * 2);
    let left = f64::from(rectangle.x) * across + edge(canvas.size.0, canvas.fitted.0);
    let top = top.clamp(0.0, (high - height).max(0.0)) + edge(canvas.size.1, canvas.fitted.1);
    (left.max(0.0), top, width, height)
}

/// Scales a bitmap to its place: each pixel is the mean of what it covers, weighed by its cover.
fn drawn(
    place: Place,
    (width, height): (usize, usize),
    at: impl Fn(usize, usize) -> [f64; 4],
    canvas: &Canvas,
) -> Bitmap {
    let even = |value: f64| (value / 2.0).floor() as usize * 2;
    let (left, top) = (even(place.0), even(place.1));
    let most = |side: u32| usize::try_from(side).unwrap_or(0).max(2);
    let wide = (even(place.0 + place.2 + 1.999) - left).clamp(2, most(canvas.size.0));
    let high = (even(place.1 + place.3 + 1.999) - top).clamp(2, most(canvas.size.1));
    let columns = spans(wide, left as f64 - place.0, width as f64 / place.2.max(1.0), width);
    let rows = spans(high, top as f64 - place.1, height as f64 / place.3.max(1.0), height);
    let mut means = Vec::with_capacity(wide * high);
    for row in &rows {
        for column in &columns {
            means.push(mean(column, row, &at));
        }
    }
    let luma = plane(wide, means.iter().map(|[y, _, _, cover]| (*y, *cover)));
    let chroma = |n: usize| {
        let quads = (0..high / 2).flat_map(|y| (0..wide / 2).map(move |x| (y * 2 * wide + x * 2, wide)));
        plane(wide / 2, quads.map(|(i, wide)| quad([means[i], means[i + 1], means[i + wide], means[i + wide + 1]], n)))
    };
    Bitmap { left, top, planes: [luma, chroma(1), chroma(2)] }
}

/// Of each pixel of a line: the pixels of the bitmap that it covers, and how much of each.
fn spans(count: usize, offset: f64, scale: f64, length: usize) -> Vec<Vec<(usize, f64)>> {
    (0..count)
        .map(|n| {
            let (from, to) = ((n as f64 + offset) * scale, (n as f64 + offset + 1.0) * scale);
            let (first, last) = (from.max(0.0).floor() as usize, to.max(0.0).ceil() as usize);
            let part = |i: usize| (to.min(i as f64 + 1.0) - from.max(i as f64)).max(0.0) / scale;
            (first..last.min(length)).map(|i| (i, part(i))).collect()
        })
        .collect()
}

/// The mean colour, weighed by cover, and the cover.
fn mean(columns: &[(usize, f64)], rows: &[(usize, f64)], at: &impl Fn(usize, usize) -> [f64; 4]) -> [f64; 4] {
    let mut sum = [0.0; 4];
    for (y, down) in rows {
        for (x, across) in columns {
            let [luma, blue, red, cover] = at(*x, *y);
            let weight = down * across * cover;
            sum = [sum[0] + luma * weight, sum[1] + blue * weight, sum[2] + red * weight, sum[3] + weight];
        }
    }
    let cover = sum[3].max(f64::EPSILON);
    [sum[0] / cover, sum[1] / cover, sum[2] / cover, sum[3].min(1.0)]
}

fn quad(four: [[f64; 4]; 4], n: usize) -> (f64, f64) {
    let cover: f64 = four.iter().map(|pixel| pixel[3]).sum();
    let value: f64 = four.iter().map(|pixel| pixel[n] * pixel[3]).sum();
    (value / cover.max(f64::EPSILON), cover / 4.0)
}

fn plane(width: usize, pixels: impl Iterator<Item = (f64, f64)>) -> Plane {
    let (values, covers) = pixels.map(|(value, cover)| (value.round() as u8, (cover * 255.0).round() as u8)).unzip();
    Plane { width, values, covers }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CANVAS: Canvas = Canvas { coded: (8, 8), fitted: (4, 4), size: (4, 4) };

    #[test]
    fn a_bitmap_is_scaled_to_its_place_and_covers_as_much_as_it_did() {
        let white = |x: usize, _: usize| if x < 2 { [235.0, 128.0, 128.0, 1.0] } else { [0.0, 0.0, 0.0, 0.0] };
        let bitmap = drawn((0.0, 0.0, 4.0, 4.0), (8, 8), white, &CANVAS);
        assert_eq!((bitmap.left, bitmap.top, bitmap.planes[0].width), (0, 0, 4));
        assert_eq!(bitmap.planes[0].covers[..4], [255, 0, 0, 0]);
        assert_eq!(bitmap.planes[0].values[0], 235);
        assert_eq!(bitmap.planes[1].covers, [128, 0, 128, 0]);
    }

    #[test]
    fn drawing_stays_within_the_picture() {
        let grey = |_: usize, _: usize| [100.0, 128.0, 128.0, 1.0];
        let bitmap = drawn((2.0, 2.0, 400.0, 400.0), (8, 8), grey, &CANVAS);
        let mut frame = Frame::black(4, 4).unwrap();
        bitmap.draw(&mut frame).unwrap();
        let raw = frame.raw();
        let at = |x: usize, y: usize| unsafe { *raw.data[0].add(y * raw.linesize[0] as usize + x) };
        assert_eq!([at(0, 0), at(1, 1), at(2, 2), at(3, 3)], [16, 16, 100, 100]);
    }

    #[test]
    fn colours_are_those_of_bt_709() {
        let rounded = |bytes| colour(bytes).map(|value: f64| value.round());
        assert_eq!(rounded([255, 255, 255, 255]), [235.0, 128.0, 128.0, 1.0]);
        assert_eq!(rounded([0, 0, 255, 255])[..3], [63.0, 102.0, 240.0]);
    }
}
