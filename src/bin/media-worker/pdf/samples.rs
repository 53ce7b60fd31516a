//! PDFs made for tests.
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use image::codecs::jpeg::JpegEncoder;
use image::{ExtendedColorType, Rgb, RgbImage};

pub(super) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    file.seek(SeekFrom::End(0)).unwrap();
    file
}

/// Objects with numbers from 1 on; the first is the catalog, the last may be what the trailer calls `Info`.
pub(super) fn pdf(objects: &[Vec<u8>], trailer: &str) -> Vec<u8> {
    let (mut out, mut places) = (b"%PDF-1.7\n".to_vec(), Vec::new());
    for (object, number) in objects.iter().zip(1..) {
        places.push(out.len());
        out.extend(format!("{number} 0 obj\n").bytes());
        out.extend(object);
        out.extend(b"\nendobj\n");
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", places.len() + 1).bytes());
    out.extend(places.iter().flat_map(|at| format!("{at:010} 00000 n \n").into_bytes()));
    let size = objects.len() + 1;
    out.extend(format!("trailer\n<</Size {size}/Root 1 0 R{trailer}>>\nstartxref\n{table}\n%%EOF\n").bytes());
    out
}

pub(super) fn stream(dict: &str, content: &[u8]) -> Vec<u8> {
    let head = format!("<<{dict}/Length {}>>stream\n", content.len());
    [head.as_bytes(), content, b"\nendstream"].concat()
}

/// A photo: colours that run into each other, a little different for each `seed`.
pub(super) fn jpeg(width: u32, height: u32, seed: u32) -> Vec<u8> {
    let picture = RgbImage::from_fn(width, height, |x, y| {
        Rgb([(x / 3 + seed) as u8, (y / 2) as u8, ((x ^ y).wrapping_mul(seed + 7) >> 3) as u8])
    });
    let mut bytes = Vec::new();
    let encoder = JpegEncoder::new_with_quality(&mut bytes, 80);
    { encoder }.encode(&picture, width, height, ExtendedColorType::Rgb8).unwrap();
    bytes
}

/// A page: more of its dictionary, its content, and objects that it refers to by `{0}`, `{1}`.
pub(super) struct Drawn {
    pub dict: &'static str,
    pub content: Vec<u8>,
    pub objects: Vec<Vec<u8>>,
}

/// A page of 600 by 900 points that is one JPEG of 40 by 60 pixels.
pub(super) fn scanned(picture: &[u8], (width, height): (u32, u32)) -> Drawn {
    let picture = stream(
        &format!(
            "/Type/XObject/Subtype/Image/Width {width}/Height {height}/ColorSpace/DeviceRGB/BitsPerComponent 8/Filter/DCTDecode"
        ),
        picture,
    );
    let dict = "/MediaBox[0 0 600 900]/Resources<</XObject<</Im0 {0} 0 R>>>>";
    Drawn { dict, content: b"q 600 0 0 900 0 0 cm /Im0 Do Q".to_vec(), objects: vec![picture] }
}

/// A page of 600 by 300 points whose left half is red, with a word on it.
pub(super) fn half_red() -> Drawn {
    let dict = "/MediaBox[0 0 600 300]/Resources<</Font<</F1<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>>>>>";
    let content = b"1 0 0 rg 0 0 300 300 re f 0 0 0 rg BT /F1 40 Tf 320 100 Td (Hello) Tj ET".to_vec();
    Drawn { dict, content, objects: Vec::new() }
}

/// A whole file of such pages.
pub(super) fn book(pages: &[Drawn], trailer: &str) -> Vec<u8> {
    let mut objects = vec![b"<</Type/Catalog/Pages 2 0 R>>".to_vec(), Vec::new()];
    let mut kids = String::new();
    for page in pages {
        let first = objects.len() + 1;
        objects.extend(page.objects.iter().cloned());
        objects.push(stream("", &page.content));
        let dict = page.dict.replace("{0}", &first.to_string()).replace("{1}", &(first + 1).to_string());
        let content = objects.len();
        objects.push(format!("<</Type/Page/Parent 2 0 R/Contents {content} 0 R{dict}>>").into_bytes());
        kids += &format!("{} 0 R ", objects.len());
    }
    objects[1] = format!("<</Type/Pages/Count {}/Kids[{kids}]>>", pages.len()).into_bytes();
    pdf(&objects, trailer)
}
