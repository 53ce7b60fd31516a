//! Books made for tests.
use std::fs::File;
use std::io::{Seek, SeekFrom, Write};

use flate2::{Compress, Compression, Crc, FlushCompress};

pub(super) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    // Readers go by position; a cursor at the end shows that.
    file.seek(SeekFrom::End(0)).unwrap();
    file
}

/// How a zip is written.
#[derive(Default)]
pub(super) struct Zip {
    pub deflate: bool,
    pub encrypted: bool,
    pub zip64: bool,
}

pub(super) fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    Zip::default().with(files)
}

impl Zip {
    pub(super) fn with(&self, files: &[(&str, &[u8])]) -> Vec<u8> {
        let (mut out, mut directory) = (Vec::new(), Vec::new());
        for (name, content) in files {
            let offset = out.len() as u64;
            let packed = if self.deflate { deflated(content) } else { content.to_vec() };
            let mut crc = Crc::new();
            crc.update(content);
            let mut fields = Vec::new();
            // Names are in UTF-8.
            fields.extend((0x800 | u16::from(self.encrypted)).to_le_bytes());
            fields.extend((if self.deflate { 8u16 } else { 0 }).to_le_bytes());
            fields.extend([0; 4]);
            fields.extend(crc.sum().to_le_bytes());
            let mut local = fields.clone();
            local.extend((packed.len() as u32).to_le_bytes());
            local.extend((content.len() as u32).to_le_bytes());
            out.extend(b"PK\x03\x04\x14\x00");
            out.extend(local);
            out.extend((name.len() as u16).to_le_bytes());
            out.extend([5, 0]);
            out.extend(name.as_bytes());
            out.extend(b"XX\x01\x00x");
            out.extend(&packed);
            directory.extend(b"PK\x01\x02\x14\x03\x14\x00");
            directory.extend(fields);
            self.sizes(&mut directory, packed.len() as u64, content.len() as u64, name, offset);
        }
        self.end(&mut out, &directory, files.len() as u64);
        out
    }

    fn sizes(&self, directory: &mut Vec<u8>, packed: u64, size: u64, name: &str, offset: u64) {
        let field = |value: u64| if self.zip64 { u32::MAX } else { value as u32 }.to_le_bytes();
        directory.extend(field(packed));
        directory.extend(field(size));
        directory.extend((name.len() as u16).to_le_bytes());
        directory.extend([if self.zip64 { 28 } else { 0 }, 0, 0, 0]);
        directory.extend([0; 8]);
        directory.extend(field(offset));
        directory.extend(name.as_bytes());
        if self.zip64 {
            directory.extend([1, 0, 24, 0]);
            directory.extend([size, packed, offset].into_iter().flat_map(u64::to_le_bytes));
        }
    }

    fn end(&self, out: &mut Vec<u8>, directory: &[u8], entries: u64) {
        let offset = out.len() as u64;
        out.extend(directory);
        let wide_at = out.len() as u64;
        if self.zip64 {
            out.extend(b"PK\x06\x06");
            out.extend(44u64.to_le_bytes());
            out.extend([45, 0, 45, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
            out.extend([entries, entries, directory.len() as u64, offset].into_iter().flat_map(u64::to_le_bytes));
            out.extend(b"PK\x06\x07\0\0\0\0");
            out.extend(wide_at.to_le_bytes());
            out.extend(1u32.to_le_bytes());
        }
        let (entries, len, offset) = if self.zip64 {
            (u16::MAX, u32::MAX, u32::MAX)
        } else {
            (entries as u16, directory.len() as u32, offset as u32)
        };
        out.extend(b"PK\x05\x06\0\0\0\0");
        out.extend([entries, entries].into_iter().flat_map(u16::to_le_bytes));
        out.extend([len, offset].into_iter().flat_map(u32::to_le_bytes));
        out.extend([0, 0]);
    }
}

fn deflated(content: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(content.len() + content.len() / 100 + 100);
    Compress::new(Compression::fast(), false).compress_vec(content, &mut out, FlushCompress::Finish).unwrap();
    out
}

pub(super) fn tar_header(name: &str, size: &str, kind: u8) -> [u8; 512] {
    let mut header = [0; 512];
    header[..name.len()].copy_from_slice(name.as_bytes());
    header[124..124 + size.len()].copy_from_slice(size.as_bytes());
    header[156] = kind;
    header[257..265].copy_from_slice(b"ustar\x0000");
    header[148..156].copy_from_slice(b"        ");
    let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
    header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
    header
}

pub(super) fn tar_entry(name: &str, content: &[u8], kind: u8) -> Vec<u8> {
    let mut out = tar_header(name, &format!("{:011o}", content.len()), kind).to_vec();
    out.extend(content);
    out.resize(out.len().next_multiple_of(512), 0);
    out
}

pub(super) fn tar(files: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out: Vec<u8> = files.iter().flat_map(|(name, content)| tar_entry(name, content, b'0')).collect();
    out.extend([0; 1024]);
    out
}

/// The beginning of a PNG of that size, filled up to `len` bytes.
pub(super) fn png(width: u32, height: u32, len: usize) -> Vec<u8> {
    let mut out = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    out.extend(width.to_be_bytes());
    out.extend(height.to_be_bytes());
    out.extend([8, 2, 0, 0, 0]);
    out.resize(len.max(33), 7);
    out
}

/// The beginning of a progressive JPEG of that size, with `before` bytes of other segments, filled up to `len` bytes.
pub(super) fn jpeg(width: u16, height: u16, before: usize, len: usize) -> Vec<u8> {
    let mut out = b"\xff\xd8\xff\xe0\0\x10JFIF\0\x01\x01\0\0\x01\0\x01\0\0".to_vec();
    for part in vec![0u8; before].chunks(60_000) {
        out.extend(b"\xff\xe2");
        out.extend((part.len() as u16 + 2).to_be_bytes());
        out.extend(part);
    }
    out.extend(b"\xff\xff\xc2\0\x11\x08");
    out.extend(height.to_be_bytes());
    out.extend(width.to_be_bytes());
    out.extend(b"\x03\x01\x22\0\x02\x11\x01\x03\x11\x01\xff\xda");
    out.resize(len.max(out.len()), 9);
    out
}
