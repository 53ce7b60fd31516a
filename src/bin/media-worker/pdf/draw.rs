//! Draws a page, on white.
use hayro::hayro_interpret::InterpreterSettings;
use hayro::hayro_syntax::page::Page;
use hayro::vello_cpu::color::palette::css::WHITE;
use hayro::{PixmapSettings, RenderCache, RenderSettings, render};
use image::ExtendedColorType;
use image::codecs::jpeg::JpegEncoder;

use potluck::media::book::BookError;

/// Of JPEGs that are made, 1 to 100.
const QUALITY: u8 = 85;

/// Pixels of a page whose longer side has `side` of them, as it is shown; `None` where it has no size.
pub(super) fn size(page: &Page<'_>, side: u32) -> Option<(u16, u16)> {
    let (width, height) = page.render_dimensions();
    let longer = width.max(height);
    let pixels = |length: f32| (f64::from(length) / f64::from(longer) * f64::from(side)).round().max(1.0) as u16;
    let sound = |length: f32| length.is_finite() && length > 0.0;
    (sound(width) && sound(height)).then(|| (pixels(width), pixels(height)))
}

/// The page as JPEG.
pub(super) fn jpeg(page: &Page<'_>, side: u32) -> Result<Vec<u8>, BookError> {
    let (width, height) = size(page, side).ok_or(BookError::Broken("a page has no size"))?;
    let (page_width, page_height) = page.render_dimensions();
    // The renderer rounds down.
    let scale = |pixels: u16, length: f32| (f32::from(pixels) + 0.4) / length;
    let settings =
        PixmapSettings { x_scale: scale(width, page_width), y_scale: scale(height, page_height), bg_color: WHITE };
    let cache = RenderCache::new();
    let drawn = render(page, &cache, &InterpreterSettings::default(), &RenderSettings::default(), &settings);
    let (rgba, _) = drawn.data_as_u8_slice().as_chunks::<4>();
    let rgb: Vec<u8> = rgba.iter().flat_map(|[red, green, blue, _]| [*red, *green, *blue]).collect();
    let mut bytes = Vec::new();
    JpegEncoder::new_with_quality(&mut bytes, QUALITY)
        .encode(&rgb, drawn.width().into(), drawn.height().into(), ExtendedColorType::Rgb8)
        .map_err(|_| BookError::Broken("a page cannot be drawn"))?;
    Ok(bytes)
}
