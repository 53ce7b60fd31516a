//! Pages that are one JPEG and nothing else. Drawing them would cost time and quality; in any doubt they are drawn.
use std::borrow::Cow;

use hayro::hayro_syntax::Filter;
use hayro::hayro_syntax::content::ops::TypedInstruction;
use hayro::hayro_syntax::object::dict::keys::{
    ANNOTS, COLORSPACE, CONTENTS, DECODE, DECODE_PARMS, HEIGHT, MASK, N, SMASK, SUBTYPE, WIDTH,
};
use hayro::hayro_syntax::object::{Array, Dict, Name, Rect, Stream};
use hayro::hayro_syntax::page::{Page, Rotation};
use hayro::kurbo::Affine;

use potluck::media::book::{PictureType, picture_dimensions, picture_kind};

/// Bytes of a content stream that only places a picture, at most.
const CONTENT_MAX: usize = 4096;
/// Part of the page's width or height that may be missing at an edge, or stand over.
const EDGE: f64 = 0.01;
/// Bytes in which EXIF is looked for.
const EXIF_WITHIN: usize = 64 * 1024;

/// The JPEG that is the page.
pub(super) fn jpeg<'a>(page: &Page<'a>) -> Option<Cow<'a, [u8]>> {
    let content: Stream<'_> = page.raw().get(CONTENTS)?;
    let plain = matches!(page.rotation(), Rotation::None) && !page.raw().contains_key(ANNOTS);
    // Packed twice, a few bytes unpack to gigabytes.
    let short = content.raw_data().len() <= CONTENT_MAX && content.filters().len() <= 1;
    if !plain || !short {
        return None;
    }
    let (name, place) = only_picture(page)?;
    let covers = fills(place, page.intersected_crop_box());
    let picture = page.resources().get_x_object(&Name::new_unescaped(&name)).filter(|_| covers)?;
    let bytes = is_plain(&picture).then(|| picture.raw_data())?;
    is_upright(picture.dict(), &bytes).then_some(bytes)
}

/// The name of the only thing that is drawn, and where.
fn only_picture(page: &Page<'_>) -> Option<(Vec<u8>, Affine)> {
    let (mut now, mut saved, mut found) = (Affine::IDENTITY, Vec::new(), None);
    let mut instructions = page.typed_operations();
    while let Some(instruction) = instructions.next() {
        match instruction {
            TypedInstruction::SaveState(_) => saved.push(now),
            TypedInstruction::RestoreState(_) => now = saved.pop()?,
            TypedInstruction::Transform(by) => {
                now *= Affine::new([by.0, by.1, by.2, by.3, by.4, by.5].map(|number| number.as_f64()));
            }
            TypedInstruction::XObject(drawn) if found.is_none() => found = Some((drawn.0.to_vec(), now)),
            _ => return None,
        }
    }
    found
}

/// Whether the unit square, placed so, is the page: neither turned nor mirrored.
fn fills(place: Affine, page: Rect) -> bool {
    let [width, b, c, height, x, y] = place.as_coeffs();
    let (page_width, page_height) = (page.x1 - page.x0, page.y1 - page.y0);
    let near = |a: f64, b: f64, length: f64| (a - b).abs() <= length * EDGE;
    let across = near(x, page.x0, page_width) && near(x + width, page.x1, page_width);
    let up = near(y, page.y0, page_height) && near(y + height, page.y1, page_height);
    b == 0.0 && c == 0.0 && width > 0.0 && height > 0.0 && across && up
}

/// Whether a picture is shown as its JPEG is: no mask, nothing that gives its values another meaning.
fn is_plain(picture: &Stream<'_>) -> bool {
    let dict = picture.dict();
    let image = dict.get::<Name<'_>>(SUBTYPE).is_some_and(|subtype| &*subtype == b"Image");
    let changed = [SMASK, MASK, DECODE, DECODE_PARMS].into_iter().any(|key| dict.contains_key(key));
    image && !changed && *picture.filters() == [Filter::DctDecode] && has_usual_colours(dict)
}

fn has_usual_colours(dict: &Dict<'_>) -> bool {
    if let Some(name) = dict.get::<Name<'_>>(COLORSPACE) {
        return [&b"DeviceRGB"[..], b"DeviceGray"].contains(&&*name);
    }
    let Some(array) = dict.get::<Array<'_>>(COLORSPACE) else { return false };
    let mut parts = array.flex_iter();
    let by_profile = parts.next::<Name<'_>>().is_some_and(|kind| &*kind == b"ICCBased");
    let profile = parts.next::<Stream<'_>>().filter(|_| by_profile);
    profile.and_then(|profile| profile.dict().get::<i32>(N)).is_some_and(|colours| colours == 1 || colours == 3)
}

/// Whether it is the JPEG that is spoken of. Readers of PDF know nothing of EXIF, so a picture that may be turned by it
/// is drawn.
fn is_upright(dict: &Dict<'_>, bytes: &[u8]) -> bool {
    let told = dict.get::<u32>(WIDTH).zip(dict.get::<u32>(HEIGHT));
    let jpeg = picture_kind(bytes) == Some(PictureType::Jpeg);
    let head = &bytes[..bytes.len().min(EXIF_WITHIN)];
    let exif = head.windows(6).any(|part| part == b"Exif\0\0");
    jpeg && !exif && told.is_some() && picture_dimensions(PictureType::Jpeg, bytes) == told
}
