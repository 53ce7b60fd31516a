//! Archives made for tests: RAR by hand, stored only, after the notes of its formats; 7-Zip by `7z`, where there is one.
use std::fs::{self, File};
use std::io::{Seek, SeekFrom, Write};
use std::process::{Command, Stdio};

use flate2::Crc;

pub(super) fn file_of(bytes: &[u8]) -> File {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    // Readers go by position; a cursor at the end shows that.
    file.seek(SeekFrom::End(0)).unwrap();
    file
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

fn crc(bytes: &[u8]) -> u32 {
    let mut crc = Crc::new();
    crc.update(bytes);
    crc.sum()
}

fn borrowed(files: &[(String, Vec<u8>)]) -> Vec<(&str, &[u8])> {
    files.iter().map(|(name, content)| (name.as_str(), content.as_slice())).collect()
}

/// How a RAR 5 archive is written.
#[derive(Default)]
pub(super) struct Rar5 {
    pub files_locked: bool,
    pub all_locked: bool,
}

impl Rar5 {
    pub(super) fn of(&self, files: &[(String, Vec<u8>)]) -> Vec<u8> {
        self.with(&borrowed(files))
    }

    pub(super) fn with(&self, files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut out = b"Rar!\x1a\x07\x01\x00".to_vec();
        if self.all_locked {
            out.extend(rar5_header(&[4, 0, 0, 0, 15]));
        }
        out.extend(rar5_header(&[1, 0, 0]));
        for (name, content) in files {
            out.extend(rar5_header(&self.file(name, content)));
            out.extend(*content);
        }
        out.extend(rar5_header(&[5, 0, 0]));
        out
    }

    fn file(&self, name: &str, content: &[u8]) -> Vec<u8> {
        let size = vint(content.len() as u64);
        // A record of three bytes, of type 1.
        let extra: &[u8] = if self.files_locked { &[3, 1, 0, 0] } else { &[] };
        let mut header = vec![2, 2 | u8::from(self.files_locked)];
        if self.files_locked {
            header.push(extra.len() as u8);
        }
        header.extend(&size);
        // There is a checksum.
        header.push(4);
        header.extend(&size);
        header.extend(vint(0o100_644));
        header.extend(crc(content).to_le_bytes());
        // Stored, made on Unix.
        header.extend([0, 1]);
        header.extend(vint(name.len() as u64));
        header.extend(name.as_bytes());
        header.extend(extra);
        header
    }
}

fn rar5_header(fields: &[u8]) -> Vec<u8> {
    let sized = [vint(fields.len() as u64).as_slice(), fields].concat();
    [&crc(&sized).to_le_bytes()[..], &sized].concat()
}

fn vint(mut value: u64) -> Vec<u8> {
    let mut out = Vec::new();
    while value > 0x7f {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
    out
}

/// A RAR archive of version 4.
pub(super) fn rar4(files: &[(&str, &[u8])], locked: bool) -> Vec<u8> {
    let mut out = b"Rar!\x1a\x07\x00".to_vec();
    out.extend(rar4_header(0x73, 0, &[0; 6]));
    for (name, content) in files {
        let size = (content.len() as u32).to_le_bytes();
        let mut fields = [size, size].concat();
        fields.push(3);
        fields.extend(crc(content).to_le_bytes());
        // A time, the version that is needed, and the method: stored.
        fields.extend([0, 0, 0x21, 0x50, 20, 0x30]);
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend(0o100_644u32.to_le_bytes());
        fields.extend(name.as_bytes());
        out.extend(rar4_header(0x74, 0x8000 | if locked { 4 } else { 0 }, &fields));
        out.extend(*content);
    }
    out.extend(rar4_header(0x7b, 0x4000, &[]));
    out
}

fn rar4_header(kind: u8, flags: u16, fields: &[u8]) -> Vec<u8> {
    let mut header = vec![kind];
    header.extend(flags.to_le_bytes());
    header.extend((fields.len() as u16 + 7).to_le_bytes());
    header.extend(fields);
    [&(crc(&header) as u16).to_le_bytes()[..], &header].concat()
}

/// How `7z` is called.
pub(super) struct SevenZip {
    /// `7z` or `zip`.
    pub kind: &'static str,
    pub options: &'static [&'static str],
}

impl Default for SevenZip {
    /// One block of all files.
    fn default() -> Self {
        Self { kind: "7z", options: &["-ms=on", "-mx=1"] }
    }
}

impl SevenZip {
    pub(super) fn of(&self, files: &[(String, Vec<u8>)]) -> Option<Vec<u8>> {
        self.with(&borrowed(files))
    }

    /// `None`, and a word on why, where there is no `7z`.
    pub(super) fn with(&self, files: &[(&str, &[u8])]) -> Option<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let (inside, archive) = (folder.path().join("in"), folder.path().join("out"));
        for (name, content) in files {
            let path = inside.join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, content).unwrap();
        }
        let mut command = Command::new("7z");
        command.args(["a", "-bd", &format!("-t{}", self.kind)]).args(self.options).arg(&archive).arg(".");
        match command.current_dir(&inside).stdout(Stdio::null()).status() {
            Ok(status) => assert!(status.success()),
            Err(_) => {
                eprintln!("skipped: 7z is not installed (Debian: p7zip-full)");
                return None;
            }
        }
        let found = ["out", "out.7z", "out.zip"].map(|name| folder.path().join(name));
        found.iter().find_map(|path| fs::read(path).ok())
    }
}
