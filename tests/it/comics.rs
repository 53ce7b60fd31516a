//! Comics for tests: archives with pages that are told apart.
use std::io::Cursor;

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};

/// A picture in one colour that follows from `seed`.
pub fn picture(seed: u8, width: u32, height: u32, format: ImageFormat) -> Vec<u8> {
    let colour = Rgb([seed.wrapping_mul(53), seed.wrapping_mul(101), 255 - seed]);
    let mut bytes = Cursor::new(Vec::new());
    DynamicImage::from(RgbImage::from_pixel(width, height, colour)).write_to(&mut bytes, format).unwrap();
    bytes.into_inner()
}

/// A page of a comic that differs from all others by `seed`.
pub fn page(seed: u8) -> Vec<u8> {
    picture(seed, 60, 90, ImageFormat::Jpeg)
}

/// A zip archive of these files, stored.
pub fn zip(files: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let offset = u32::try_from(out.len()).unwrap();
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        let size = u32::try_from(bytes.len()).unwrap();
        let mut shared = Vec::new();
        // Version, flags (names are UTF-8), method, time, date.
        for word in [20u16, 0x800, 0, 0, 0x21] {
            shared.extend(word.to_le_bytes());
        }
        for number in [crc.sum(), size, size] {
            shared.extend(number.to_le_bytes());
        }
        shared.extend(u16::try_from(name.len()).unwrap().to_le_bytes());
        shared.extend(0u16.to_le_bytes());
        out.extend(b"PK\x03\x04");
        out.extend(&shared);
        out.extend(name.as_bytes());
        out.extend(bytes);
        directory.extend(b"PK\x01\x02\x14\x00");
        directory.extend(&shared);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let (start, size) = (u32::try_from(out.len()).unwrap(), u32::try_from(directory.len()).unwrap());
    out.extend(directory);
    out.extend(b"PK\x05\x06\x00\x00\x00\x00");
    for _ in 0..2 {
        out.extend(u16::try_from(files.len()).unwrap().to_le_bytes());
    }
    out.extend(size.to_le_bytes());
    out.extend(start.to_le_bytes());
    out.extend([0; 2]);
    out
}

/// A RAR archive of version 4 of one stored file, which says that it is packed together with others.
pub fn solid_rar4(name: &str, bytes: &[u8]) -> Vec<u8> {
    let sum = |bytes: &[u8]| {
        let mut crc = flate2::Crc::new();
        crc.update(bytes);
        crc.sum().to_le_bytes()
    };
    let block = |kind: u8, flags: u16, fields: &[u8]| {
        let size = u16::try_from(fields.len() + 7).unwrap();
        let header = [&[kind], &flags.to_le_bytes()[..], &size.to_le_bytes(), fields].concat();
        [&sum(&header)[..2], &header].concat()
    };
    let size = u32::try_from(bytes.len()).unwrap().to_le_bytes();
    // Both sizes, system, checksum, time, version, method, and the lengths and attributes of the name.
    let file = [
        &size[..],
        &size,
        &[3],
        &sum(bytes),
        &[0, 0, 0x21, 0x50, 20, 0x30],
        &u16::try_from(name.len()).unwrap().to_le_bytes(),
        &0o100_644u32.to_le_bytes(),
        name.as_bytes(),
    ];
    let (archive, file, end) = (block(0x73, 8, &[0; 6]), block(0x74, 0x8010, &file.concat()), block(0x7b, 0x4000, &[]));
    [b"Rar!\x1a\x07\x00", &archive[..], &file, bytes, &end].concat()
}

/// A comic of three pages, the first of which follows from `seed`.
pub fn comic(seed: u8) -> Vec<u8> {
    zip(&[("2.jpg", page(200)), ("10.jpg", page(201)), ("1.jpg", page(seed))])
}

/// The same with a `ComicInfo.xml` of these elements.
pub fn described(seed: u8, elements: &str) -> Vec<u8> {
    let info = format!("<?xml version=\"1.0\"?><ComicInfo>{elements}</ComicInfo>");
    zip(&[("1.jpg", page(seed)), ("2.jpg", page(200)), ("ComicInfo.xml", info.into_bytes())])
}

/// A 7-Zip archive, or a tar, of such a comic: made by the `7z` and `tar` programs.
pub fn packed(program: &str, arguments: &[&str], seed: u8) -> Vec<u8> {
    let folder = tempfile::tempdir().unwrap();
    for (name, bytes) in [("1.jpg", page(seed)), ("2.jpg", page(200)), ("10.jpg", page(201))] {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let mut command = std::process::Command::new(program);
    command.current_dir(folder.path()).args(arguments).args(["1.jpg", "2.jpg", "10.jpg"]);
    let output = command.output().unwrap_or_else(|error| panic!("{program}: {error}"));
    assert!(output.status.success(), "{program}: {}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(folder.path().join("book.bin")).unwrap()
}

/// A PDF of so many upright pages, each with a grey box.
pub fn pdf(pages: usize) -> Vec<u8> {
    let kids: String = (0..pages).map(|n| format!("{} 0 R ", 3 + 2 * n)).collect();
    let mut objects = vec![
        "<< /Type /Catalog /Pages 2 0 R >>".to_owned(),
        format!("<< /Type /Pages /Kids [{kids}] /Count {pages} >>"),
    ];
    for n in 0..pages {
        let content = "0.5 g 50 50 100 200 re f";
        let number = 4 + 2 * n;
        objects.push(format!(
            "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 300] /Resources << >> /Contents {number} 0 R >>"
        ));
        objects.push(format!("<< /Length {} >>\nstream\n{content}\nendstream", content.len()));
    }
    let (mut out, mut places) = (b"%PDF-1.4\n".to_vec(), Vec::new());
    for (n, object) in objects.iter().enumerate() {
        places.push(out.len());
        out.extend(format!("{} 0 obj\n{object}\nendobj\n", n + 1).into_bytes());
    }
    let table = out.len();
    out.extend(format!("xref\n0 {}\n0000000000 65535 f \n", objects.len() + 1).into_bytes());
    for place in places {
        out.extend(format!("{place:010} 00000 n \n").into_bytes());
    }
    out.extend(
        format!("trailer\n<< /Size {} /Root 1 0 R >>\nstartxref\n{table}\n%%EOF\n", objects.len() + 1).into_bytes(),
    );
    out
}

/// An EPUB that flows: "Prose", of two documents and a cover.
pub fn epub() -> Vec<u8> {
    let opf = r#"<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
        <dc:title>Prose</dc:title></metadata><manifest><item id="c" href="c.jpg" media-type="image/jpeg" properties="cover-image"/>
        <item id="a" href="a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="b.xhtml" media-type="application/xhtml+xml"/>
        </manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>"#;
    let container = r#"<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
        <rootfile full-path="book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"#;
    let text = |words: &str| {
        format!("<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><p>{words}</p></body></html>").into_bytes()
    };
    zip(&[
        ("mimetype", b"application/epub+zip".to_vec()),
        ("META-INF/container.xml", container.as_bytes().to_vec()),
        ("book.opf", opf.as_bytes().to_vec()),
        ("c.jpg", page(77)),
        ("a.xhtml", text("One.")),
        ("b.xhtml", text("Two.")),
    ])
}

/// An EPUB of two chapters that flows, with a stylesheet, a script, contents and a cover.
pub fn prose() -> Vec<u8> {
    let opf = r#"<package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata xmlns:dc="http://purl.org/dc/elements/1.1/">
        <dc:title>Prose</dc:title><dc:creator>Jane Doe</dc:creator></metadata><manifest>
        <item id="c" href="c.jpg" media-type="image/jpeg" properties="cover-image"/>
        <item id="n" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
        <item id="s" href="style.css" media-type="text/css"/><item id="j" href="evil.js" media-type="text/javascript"/>
        <item id="a" href="one%20a.xhtml" media-type="application/xhtml+xml"/><item id="b" href="two.xhtml" media-type="application/xhtml+xml"/>
        </manifest><spine><itemref idref="a"/><itemref idref="b"/></spine></package>"#;
    let container = r#"<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container" version="1.0"><rootfiles>
        <rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"#;
    let nav = r##"<html xmlns="http://www.w3.org/1999/xhtml"><body><nav epub:type="toc"><ol><li><a href="one%20a.xhtml">One</a></li>
        <li><a href="two.xhtml#end">Two</a></li></ol></nav></body></html>"##;
    let text = |words: &str| {
        let words = words.repeat(200);
        format!(
            "<html xmlns=\"http://www.w3.org/1999/xhtml\"><body><p>{words}</p><script>alert(1)</script></body></html>"
        )
        .into_bytes()
    };
    zip(&[
        ("mimetype", b"application/epub+zip".to_vec()),
        ("META-INF/container.xml", container.as_bytes().to_vec()),
        ("OEBPS/book.opf", opf.as_bytes().to_vec()),
        ("OEBPS/nav.xhtml", nav.as_bytes().to_vec()),
        ("OEBPS/style.css", b"p { color: red }".to_vec()),
        ("OEBPS/evil.js", b"alert(1)".to_vec()),
        ("OEBPS/c.jpg", page(77)),
        ("OEBPS/one a.xhtml", text("One word. ")),
        ("OEBPS/two.xhtml", text("Two words here. ")),
    ])
}
