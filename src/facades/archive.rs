//! Several files as one answer: a ZIP archive that is written while it is sent. No more than a piece of a file is in memory, and the
//! length is told beforehand, so that a broken transfer is known as one. A file that cannot be read to its end breaks it.
use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, Method, header};
use axum::response::Response;
use flate2::Crc;
use futures_util::stream::{BoxStream, Stream, StreamExt as _, try_unfold};

use super::bytes::{self, Disposition};
use crate::blocks::{BlockError, Blocks};
use crate::content::Cid;
use crate::content::zip::{Entry, Zip};

/// A file that goes in.
pub(super) struct Packed {
    /// With `/` between folders.
    pub name: String,
    pub cid: Cid,
    /// Unix milliseconds.
    pub modified_at: i64,
}

/// Answers with an archive of this name, which ends in `.zip`.
///
/// # Errors
/// What is wrong with a file of which not even the length is known; nothing was sent then.
pub(super) async fn answer(
    blocks: &Blocks,
    name: &str,
    files: Vec<Packed>,
    method: &Method,
) -> Result<Response, BlockError> {
    let (mut entries, mut cids) = (Vec::with_capacity(files.len()), Vec::with_capacity(files.len()));
    for Packed { name, cid, modified_at } in files {
        entries.push(Entry { name, size: blocks.file_size(&cid).await?, modified_at });
        cids.push(cid);
    }
    let zip = Zip::new(entries);
    let length = zip.length();
    let body = match *method {
        Method::HEAD => Body::empty(),
        _ => Body::from_stream(written(blocks.clone(), zip, cids)),
    };
    let mut response = Response::new(body);
    bytes::set(&mut response, header::CONTENT_DISPOSITION, &bytes::disposition(Disposition::Attachment(name)));
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/zip"));
    headers.insert(header::CONTENT_LENGTH, length.into());
    headers.insert(header::ACCEPT_RANGES, HeaderValue::from_static("none"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("private, no-store"));
    Ok(response)
}

/// Where in the archive the writer is.
struct Writer {
    blocks: Blocks,
    zip: Zip,
    cids: Vec<Cid>,
    /// Of the files that are written.
    sums: Vec<u32>,
    /// The file that is being written.
    file: Option<(BoxStream<'static, Result<Bytes, BlockError>>, Crc)>,
    done: bool,
}

fn written(blocks: Blocks, zip: Zip, cids: Vec<Cid>) -> impl Stream<Item = Result<Bytes, BlockError>> {
    let writer = Writer { blocks, zip, cids, sums: Vec::new(), file: None, done: false };
    try_unfold(writer, |mut writer| async move {
        let piece = writer.next().await?;
        Ok(piece.map(|piece| (piece, writer)))
    })
}

impl Writer {
    async fn next(&mut self) -> Result<Option<Bytes>, BlockError> {
        let n = self.sums.len();
        let Some((bytes, sum)) = &mut self.file else { return self.begin(n).await };
        if let Some(piece) = bytes.next().await {
            let piece = piece?;
            sum.update(&piece);
            return Ok(Some(piece));
        }
        let sum = sum.sum();
        self.sums.push(sum);
        self.file = None;
        Ok(Some(self.zip.descriptor(n, sum).into()))
    }

    /// The header of the next file, or the end.
    async fn begin(&mut self, n: usize) -> Result<Option<Bytes>, BlockError> {
        let Some(cid) = self.cids.get(n) else {
            let end = (!self.done).then(|| self.zip.directory(&self.sums).into());
            self.done = true;
            return Ok(end);
        };
        let size = self.blocks.file_size(cid).await?;
        self.file = Some((self.blocks.read(cid, 0..size).boxed(), Crc::new()));
        Ok(Some(self.zip.header(n).into()))
    }
}
