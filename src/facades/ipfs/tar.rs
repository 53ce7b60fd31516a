//! A file or folder as a TAR that is written while it is sent, entry by entry.
//!
//! ```text
//!  folders:  [ root, sub, ... ]   each a walk through its shards, and the names of the shard that is open
//!                       └─ next name ─► header ─► bytes of the file ─► padding
//! ```
//! Folders are made by strangers, and TARs are unpacked by programs that believe names. The invariant: **every entry lies below the
//! archive's one root, and none behind a symbolic link that came before it**. What would break it ends the archive with an error. Only
//! the open folders are remembered, within limits; nothing goes on when nobody reads any more.
use std::collections::HashSet;
use std::io;
use std::sync::Arc;

use ::bytes::Bytes;
use ::tar::{Builder, EntryType, Header};
use axum::body::Body;
use axum::response::Response;
use futures_util::stream::{self, BoxStream, StreamExt as _, TryStreamExt as _};
use http::header::{ACCEPT_RANGES, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE, ETAG};
use http::{HeaderValue, Method, StatusCode};

use super::GatewayRequest;
use super::found::Found;
use super::refusal::refusal;
use super::request::{Format, Query};
use crate::blocks::dag::file::{self, Kind};
use crate::blocks::dag::{DagError, Part, Scope, Source, Walk, WalkOptions};
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::content::unixfs::node::Link;
use crate::facades::bytes::{self, Disposition};

/// Folders within each other at most: as many as a path has names.
const DEPTH_MAX: usize = 64;
/// Bytes of a path, or of what a symbolic link leads to, at most: as systems have it.
const PATH_MAX: usize = 4096;
/// Bytes of names that wait in open folders, and of paths of symbolic links, at most.
const NAMES_MAX: usize = 16 * 1024 * 1024;
/// What a name takes besides its bytes.
const NAME_COST: usize = 128;
/// Entries at most, as a walk has blocks.
const ENTRIES_MAX: u64 = 1 << 24;
/// So much is made before the status is sent. What is smaller is answered whole or with an error.
const BEGIN: usize = 256 * 1024;
const RECORD: u64 = 512;

/// Why an archive ends.
#[derive(Debug, thiserror::Error)]
enum TarError {
    #[error(transparent)]
    Dag(#[from] DagError),
    /// The words in the middle, with their misprint, are the ones by which tests of gateways know this.
    #[error("{0:?} is refused (relative UnixFS paths outside the root are now allowed: they are not); ask for a CAR")]
    Outside(String),
    #[error("{0} is data, and a TAR is one of files and folders")]
    Data(Cid),
    #[error(transparent)]
    Unwritten(#[from] io::Error),
}

/// The file or folder at the end of the path.
pub(super) async fn answer(found: &Found, request: &GatewayRequest<'_>, query: &Query) -> Result<Response, DagError> {
    let (cid, name) = (found.last(), canonical(&found.last()).to_string());
    let strong = bytes::etag(&cid, ".x-tar");
    let tag = format!("W/{strong}");
    if bytes::not_modified(request.headers, &strong) {
        return Ok(bytes::unchanged(&tag, found.cache));
    }
    if file::kind(&cid, &found.seen.block(&cid).await?)? == Kind::Data {
        return Ok(refusal(StatusCode::BAD_REQUEST, TarError::Data(cid)));
    }
    let archive = Archive::new(Arc::clone(&found.seen) as _, name.clone());
    let body = match *request.method {
        Method::HEAD => Body::empty(),
        _ => match begun(archive, cid).await {
            Ok(body) => body,
            Err(TarError::Dag(error)) => return Err(error),
            Err(error) => return Ok(refusal(StatusCode::BAD_REQUEST, error)),
        },
    };
    let mut response = Response::new(body);
    let name = query.filename.clone().unwrap_or_else(|| format!("{name}.tar"));
    bytes::set(&mut response, ETAG, &tag);
    bytes::set(&mut response, CONTENT_DISPOSITION, &bytes::disposition(Disposition::Attachment(&name)));
    bytes::set(&mut response, CONTENT_TYPE, Format::Tar.media_type());
    response.headers_mut().insert(CACHE_CONTROL, found.cache.header());
    response.headers_mut().insert(ACCEPT_RANGES, HeaderValue::from_static("none"));
    Ok(response)
}

/// A small archive as a whole, or the stream of a large one.
async fn begun(mut archive: Archive, root: Cid) -> Result<Body, TarError> {
    let mut begin = archive.add(root, archive.root.clone()).await?.to_vec();
    while begin.len() < BEGIN {
        match archive.next().await? {
            Some(piece) => begin.extend_from_slice(&piece),
            None => return Ok(Body::from(begin)),
        }
    }
    let rest = stream::try_unfold(archive, |mut archive| async move {
        let piece = archive.next().await?;
        Ok::<_, TarError>(piece.map(|piece| (piece, archive)))
    });
    Ok(Body::from_stream(stream::iter([Ok(Bytes::from(begin))]).chain(rest)))
}

/// An archive that is being written.
struct Archive {
    source: Arc<dyn Source>,
    /// The name that everything lies below, or that the one file has.
    root: String,
    writer: Builder<Vec<u8>>,
    /// Those that are open, the outermost first.
    folders: Vec<Folder>,
    /// The file that is being written.
    content: Option<Content>,
    /// Paths of symbolic links, and their cost.
    links: HashSet<String>,
    links_cost: usize,
    entries: u64,
    ended: bool,
}

struct Folder {
    cid: Cid,
    path: String,
    walk: Walk,
    /// Of the shard that came last.
    names: std::vec::IntoIter<Link>,
    cost: usize,
}

struct Content {
    cid: Cid,
    pieces: BoxStream<'static, Result<Bytes, DagError>>,
    size: u64,
    written: u64,
}

impl Archive {
    fn new(source: Arc<dyn Source>, root: String) -> Self {
        let (writer, folders, links) = (Builder::new(Vec::new()), Vec::new(), HashSet::new());
        Self { source, root, writer, folders, content: None, links, links_cost: 0, entries: 0, ended: false }
    }

    /// What comes next; `None` after the end.
    async fn next(&mut self) -> Result<Option<Bytes>, TarError> {
        loop {
            if let Some(content) = &mut self.content {
                match content.next().await? {
                    Some(piece) => return Ok(Some(piece)),
                    None => self.content = None,
                }
            }
            let Some(folder) = self.folders.last_mut() else { return Ok(self.end()?) };
            if let Some(link) = folder.names.next() {
                let path = below(&folder.path, &link.name).ok_or_else(|| TarError::Outside(link.name.clone()))?;
                return self.add(link.cid, path).await.map(Some);
            }
            if !folder.read_on().await? {
                self.folders.pop();
                continue;
            }
            let cid = folder.cid;
            if self.folders.iter().map(|folder| folder.cost).sum::<usize>() > NAMES_MAX {
                return Err(DagError::Limit(cid, "a folder of too many names").into());
            }
        }
    }

    /// The header of what a CID is; what follows it comes next.
    async fn add(&mut self, cid: Cid, path: String) -> Result<Bytes, TarError> {
        self.entries += 1;
        if path.len() > PATH_MAX || self.folders.len() > DEPTH_MAX || self.entries > ENTRIES_MAX {
            return Err(DagError::Limit(cid, "too deep in its folders, or one of too many").into());
        }
        if self.is_behind_a_link(&path) {
            return Err(TarError::Outside(path));
        }
        let block = self.source.block(&cid).await?;
        match file::kind(&cid, &block)? {
            Kind::File(size) => {
                let pieces = file::read(Arc::clone(&self.source), cid, 0..size);
                self.content = Some(Content { cid, pieces, size, written: 0 });
                Ok(self.header(EntryType::Regular, &path, size)?)
            }
            Kind::Folder => {
                let header = self.header(EntryType::Directory, &format!("{path}/"), 0)?;
                self.folders.push(Folder::open(Arc::clone(&self.source), cid, path));
                Ok(header)
            }
            Kind::Symlink(target) => self.link(cid, path, &target),
            Kind::Data => Err(TarError::Data(cid)),
        }
    }

    /// Whether a symbolic link came at this place, or on the way there: who unpacks would be led elsewhere by it.
    fn is_behind_a_link(&self, path: &str) -> bool {
        let ends = path.match_indices('/').map(|(at, _)| at).chain([path.len()]);
        !self.links.is_empty() && ends.into_iter().any(|end| self.links.contains(&path[..end]))
    }

    fn header(&mut self, kind: EntryType, path: &str, size: u64) -> io::Result<Bytes> {
        let mut header = plain(kind);
        header.set_size(size);
        // The bytes of a file come after it, and so the writer is given none.
        self.writer.append_data(&mut header, path, io::empty())?;
        Ok(self.written())
    }

    fn link(&mut self, cid: Cid, path: String, target: &[u8]) -> Result<Bytes, TarError> {
        let target = std::str::from_utf8(target).ok().filter(|target| !target.contains('\0'));
        let target = target.filter(|target| target.len() <= PATH_MAX);
        let target = target.ok_or(DagError::Limit(cid, "a symbolic link to what is no path"))?;
        self.links_cost += path.len() + NAME_COST;
        if self.links_cost > NAMES_MAX {
            return Err(DagError::Limit(cid, "one of too many symbolic links").into());
        }
        self.writer.append_link(&mut plain(EntryType::Symlink), &path, target)?;
        self.links.insert(path);
        Ok(self.written())
    }

    fn end(&mut self) -> io::Result<Option<Bytes>> {
        if std::mem::replace(&mut self.ended, true) {
            return Ok(None);
        }
        self.writer.finish()?;
        Ok(Some(self.written()))
    }

    fn written(&mut self) -> Bytes {
        std::mem::take(self.writer.get_mut()).into()
    }
}

impl Folder {
    /// One shard is fetched at a time: as many folders may be open as are within each other.
    fn open(source: Arc<dyn Source>, cid: Cid, path: String) -> Self {
        let options = WalkOptions { scope: Scope::Entity, range: None, ahead: 1, again: false, strict: true };
        Self { cid, path, walk: Walk::new(source, cid, options), names: Vec::new().into_iter(), cost: 0 }
    }

    /// Reads the next names; says whether there was something to read.
    async fn read_on(&mut self) -> Result<bool, DagError> {
        let Some(step) = self.walk.next().await? else { return Ok(false) };
        let Part::Folder(links) = step.part else { return Err(DagError::NotAFolder(step.cid)) };
        self.cost = links.iter().map(|link| link.name.len() + NAME_COST).sum();
        self.names = links.into_iter();
        Ok(true)
    }
}

impl Content {
    /// The next bytes of the file, then what fills its last record.
    async fn next(&mut self) -> Result<Option<Bytes>, DagError> {
        if let Some(piece) = self.pieces.try_next().await? {
            self.written += piece.len() as u64;
            if self.written > self.size {
                return Err(self.lies());
            }
            return Ok(Some(piece));
        }
        if self.written < self.size {
            return Err(self.lies());
        }
        let missing = self.written.next_multiple_of(RECORD) - self.written;
        (self.written, self.size) = (0, 0);
        Ok((missing > 0).then(|| Bytes::from_static(&[0; RECORD as usize]).slice(..missing as usize)))
    }

    fn lies(&self) -> DagError {
        DagError::Lies { cid: self.cid, told: self.size, found: self.written }
    }
}

/// The same for all: DAGs of the usual profile tell neither modes nor times.
fn plain(kind: EntryType) -> Header {
    let mut header = Header::new_gnu();
    header.set_entry_type(kind);
    header.set_mode(if kind == EntryType::Regular { 0o644 } else { 0o755 });
    header.set_uid(0);
    header.set_gid(0);
    header.set_mtime(0);
    header.set_size(0);
    header
}

/// Where an entry of a folder lies. A name may be a path, with `..` in it, as long as that does not leave the root, which is the first
/// name of `folder`, and ends with a name. `None` for any other.
fn below(folder: &str, name: &str) -> Option<String> {
    let mut names: Vec<&str> = folder.split('/').collect();
    for part in name.split('/') {
        match part {
            ".." if names.len() > 1 => {
                names.pop();
            }
            "." => {}
            "" | ".." => return None,
            part if leads_away(part) => return None,
            part => names.push(part),
        }
    }
    let named = !matches!(name.rsplit('/').next(), Some("." | ".."));
    named.then(|| names.join("/"))
}

/// Names that are paths for some systems, or none for any.
fn leads_away(name: &str) -> bool {
    name.contains('\0') || name.starts_with('\\') || name.split('\\').any(|part| part == "..")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_lies_below_the_root_or_is_refused() {
        for (folder, name, path) in [
            ("cid", "a", Some("cid/a")),
            ("cid/a", "b c.txt", Some("cid/a/b c.txt")),
            ("cid/a", "../b", Some("cid/b")),
            ("cid/a", "./b/../c", Some("cid/a/c")),
            ("cid", "foobar/file", Some("cid/foobar/file")),
            ("cid", "...", Some("cid/...")),
            ("cid", "a\\b", Some("cid/a\\b")),
            ("cid", "..", None),
            ("cid/a", "..", None),
            ("cid", "../x", None),
            ("cid/a", "../../x", None),
            ("cid/a", "../../cid/x", None),
            ("cid", "/etc/passwd", None),
            ("cid", "a//b", None),
            ("cid", "a/", None),
            ("cid", "a/.", None),
            ("cid", "a/..", None),
            ("cid", "", None),
            ("cid", ".", None),
            ("cid", "a\0", None),
            ("cid", "..\\x", None),
            ("cid", "\\x", None),
        ] {
            assert_eq!(below(folder, name).as_deref(), path, "{folder} {name:?}");
        }
    }
}
