//! Posters and backdrops of friends' items, kept on this disk: a library of a friend who is away looks as it should, and its pictures
//! do not come over the friend's line each time.
//!
//! A picture is given as it is kept, at once. One that was not compared with the friend's for a while is compared then, by its entity tag, for
//! the next time. Where the room is used up, what nobody looked at for longest goes. Pictures go with what they are of: an item, a
//! library, a friend.
//!
//! A file is `FRIEND/LIBRARY/ITEM.WHICH`: the entity tag, a line feed, the picture. Its time is when somebody looked at it last.
use std::collections::HashMap;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use http::{HeaderMap, Request, Response, StatusCode, header};
use http_body_util::{BodyExt as _, Empty};
use parking_lot::Mutex;
use tokio::time::Instant;

use super::{Friends, FriendsError};
use crate::catalog::Id;
use crate::exchange::Body;
use crate::media::picture_type;

/// Bytes of a picture at most.
pub(super) const PICTURE_MAX: u64 = 16 * 1024 * 1024;
/// Characters of an entity tag at most.
const TAG_MAX: usize = 200;

/// Which picture of an item.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureKind {
    /// 2:3, or 16:9 of videos and episodes.
    Poster,
    /// Behind the item's page.
    Backdrop,
}

impl PictureKind {
    /// As the API calls it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Poster => "poster",
            Self::Backdrop => "backdrop",
        }
    }
}

/// A picture of a friend's item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PictureOf {
    /// The friend.
    pub friend: Id,
    /// The friend's library.
    pub library: Id,
    /// The item, as it is called there.
    pub item: Id,
    /// Which.
    pub kind: PictureKind,
    /// What the friend is told beside that.
    pub headers: HeaderMap,
}

impl PictureOf {
    /// Below the folder; `None` where an id is no name for a file.
    fn place(&self) -> Option<PathBuf> {
        let ids = [&self.friend, &self.library, &self.item];
        let tame = ids.iter().all(|id| uuid::Uuid::try_parse(id).is_ok());
        let name = format!("{}.{}", self.item, self.kind.as_str());
        tame.then(|| Path::new(&self.friend).join(&self.library).join(name))
    }
}

/// A picture as a friend gave it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FriendPicture {
    /// With its quotes; empty where the friend gave none.
    pub tag: String,
    /// It begins as a picture does.
    pub bytes: Bytes,
}

/// What is kept, and when it was compared.
#[derive(Debug)]
pub(super) struct Gallery {
    folder: PathBuf,
    /// Bytes that all pictures may take; 0 keeps none.
    room: u64,
    compared: Mutex<HashMap<PathBuf, Instant>>,
    /// Bytes that they take; `None` before they were counted. Held while anything is written or removed.
    used: Mutex<Option<u64>>,
}

impl Gallery {
    pub fn new(folder: PathBuf, room: u64) -> Self {
        Self { folder, room, compared: Mutex::default(), used: Mutex::new(None) }
    }

    fn path(&self, of: &PictureOf) -> Option<PathBuf> {
        of.place().filter(|_| self.room > 0).map(|place| self.folder.join(place))
    }

    fn get(&self, of: &PictureOf) -> Option<FriendPicture> {
        let path = self.path(of)?;
        let kept = fs::read(&path).ok()?;
        // That it was looked at counts only for what goes first.
        let _ = File::options().write(true).open(&path).and_then(|file| file.set_modified(SystemTime::now()));
        let end = kept.iter().position(|byte| *byte == b'\n')?;
        let tag = String::from_utf8(kept[..end].to_vec()).ok()?;
        Some(FriendPicture { tag, bytes: Bytes::from(kept).slice(end + 1..) })
    }

    /// Whether it is time to compare a picture; it counts as compared then.
    fn due(&self, of: &PictureOf, fresh: Duration) -> bool {
        let Some(path) = self.path(of) else { return false };
        let before = self.compared.lock().insert(path, Instant::now());
        before.is_none_or(|at| at.elapsed() >= fresh)
    }

    fn put(&self, of: &PictureOf, picture: &FriendPicture) -> io::Result<()> {
        let Some(path) = self.path(of) else { return Ok(()) };
        let mut used = self.used.lock();
        let before = match *used {
            Some(used) => used,
            None => kept(&self.folder).iter().map(|file| file.size).sum(),
        };
        let replaced = path.metadata().map_or(0, |meta| meta.len());
        write(&path, picture)?;
        self.compared.lock().insert(path.clone(), Instant::now());
        let now = before.saturating_sub(replaced) + path.metadata()?.len();
        *used = Some(if now > self.room { self.make_room() } else { now });
        Ok(())
    }

    /// Removes what nobody looked at for longest, until a tenth of the room is free. Returns what is left.
    fn make_room(&self) -> u64 {
        let mut files = kept(&self.folder);
        files.sort_by_key(|file| file.seen);
        let mut used: u64 = files.iter().map(|file| file.size).sum();
        for file in files {
            if used <= self.room - self.room / 10 {
                break;
            }
            self.compared.lock().remove(&file.path);
            if fs::remove_file(&file.path).is_ok() {
                used -= file.size;
            }
        }
        used
    }

    fn remove(&self, of: &PictureOf) {
        if let Some(path) = self.path(of) {
            self.forget(&path, |path| fs::remove_file(path));
        }
    }

    fn forget(&self, path: &Path, remove: impl FnOnce(&Path) -> io::Result<()>) {
        let mut used = self.used.lock();
        self.compared.lock().retain(|known, _| !known.starts_with(path));
        match remove(path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                tracing::warn!(path = %path.display(), %error, "pictures of a friend's items could not be removed");
            }
            _ => *used = None,
        }
    }
}

/// A file of the gallery.
struct Kept {
    path: PathBuf,
    size: u64,
    seen: SystemTime,
}

fn kept(folder: &Path) -> Vec<Kept> {
    let below =
        |path: PathBuf| fs::read_dir(path).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    let files = below(folder.to_owned()).flat_map(below).flat_map(below);
    let file = |path: PathBuf| {
        let meta = path.metadata().ok()?;
        Some(Kept { size: meta.len(), seen: meta.modified().ok()?, path })
    };
    files.filter_map(file).collect()
}

fn write(path: &Path, picture: &FriendPicture) -> io::Result<()> {
    fs::create_dir_all(path.parent().unwrap_or(path))?;
    let new = path.with_extension("new");
    fs::write(&new, [picture.tag.as_bytes(), b"\n", &picture.bytes].concat())?;
    fs::rename(&new, path)
}

/// What a friend says of a picture.
enum Told {
    Same,
    Other(FriendPicture),
    Gone,
    /// Nothing that can be used.
    Nothing,
}

impl Friends {
    /// A picture of a friend's item: the one that is kept, else the friend's; `None` where there is none.
    ///
    /// # Errors
    /// [`FriendsError`], where none is kept and the friend does not answer.
    pub async fn picture(&self, of: PictureOf) -> Result<Option<FriendPicture>, FriendsError> {
        let known = of.clone();
        if let Some(kept) = self.gallery(move |gallery| gallery.get(&known)).await.flatten() {
            self.compare(of, kept.tag.clone());
            return Ok(Some(kept));
        }
        let answer = self.ask(&of.friend, question(&of, None), PICTURE_MAX).await?;
        match told(answer).await {
            Told::Other(picture) => {
                self.keep(of, picture.clone()).await;
                Ok(Some(picture))
            }
            Told::Same | Told::Gone | Told::Nothing => Ok(None),
        }
    }

    /// Compares a picture with the friend's, if it is time and the friend is there.
    fn compare(&self, of: PictureOf, tag: String) {
        if !self.state(&of.friend).online || !self.inner.gallery.due(&of, self.inner.options.pictures_fresh) {
            return;
        }
        let this = self.clone();
        self.inner.tasks.spawn(async move {
            let asked = this.ask_unseen(&of.friend, question(&of, Some(&tag)), PICTURE_MAX);
            let answer = tokio::select! {
                answer = asked => answer,
                () = this.inner.stop.cancelled() => return,
            };
            match answer {
                Ok(answer) => match told(answer).await {
                    Told::Other(picture) => this.keep(of, picture).await,
                    Told::Gone => drop(this.gallery(move |gallery| gallery.remove(&of)).await),
                    Told::Same | Told::Nothing => {}
                },
                // As it is kept is as it is known.
                Err(error) => tracing::debug!(friend.id = %of.friend, %error, "a picture was not compared"),
            }
        });
    }

    async fn keep(&self, of: PictureOf, picture: FriendPicture) {
        let put = self.gallery(move |gallery| gallery.put(&of, &picture)).await;
        if let Some(Err(error)) = put {
            tracing::warn!(%error, "a picture of a friend's item could not be kept");
        }
    }

    /// Forgets the pictures of a library, or with `None` of a friend.
    pub(super) async fn forget_pictures(&self, friend: &str, library: Option<&str>) {
        let place: PathBuf = [Some(friend), library].into_iter().flatten().collect();
        self.gallery(move |gallery| gallery.forget(&gallery.folder.join(place), |path| fs::remove_dir_all(path))).await;
    }

    /// Forgets the pictures of an item.
    pub(super) async fn forget_pictures_of(&self, friend: &str, library: &str, item: &str) {
        for kind in [PictureKind::Poster, PictureKind::Backdrop] {
            let (friend, library, item) = (friend.to_owned(), library.to_owned(), item.to_owned());
            let of = PictureOf { friend, library, item, kind, headers: HeaderMap::new() };
            self.gallery(move |gallery| gallery.remove(&of)).await;
        }
    }

    /// Does something with the disk.
    async fn gallery<T: Send + 'static>(&self, work: impl FnOnce(&Gallery) -> T + Send + 'static) -> Option<T> {
        let inner = Arc::clone(&self.inner);
        tokio::task::spawn_blocking(move || work(&inner.gallery)).await.ok()
    }
}

fn question(of: &PictureOf, known: Option<&str>) -> Request<Body> {
    let empty = Body::new(Empty::<Bytes>::new().map_err(|never| match never {}));
    let mut request = Request::new(empty);
    request.headers_mut().clone_from(&of.headers);
    *request.uri_mut() = format!("/api/v1/items/{}/{}", of.item, of.kind.as_str()).parse().unwrap_or_default();
    if let Some(tag) = known.and_then(|tag| tag.parse().ok()) {
        request.headers_mut().insert(header::IF_NONE_MATCH, tag);
    }
    request
}

async fn told(answer: Response<Body>) -> Told {
    match answer.status() {
        StatusCode::NOT_MODIFIED => return Told::Same,
        StatusCode::NOT_FOUND => return Told::Gone,
        StatusCode::OK => {}
        _ => return Told::Nothing,
    }
    let tag = answer.headers().get(header::ETAG).and_then(|tag| tag.to_str().ok());
    let tag = tag.filter(|tag| tag.len() <= TAG_MAX).unwrap_or_default().to_owned();
    match answer.into_body().collect().await.map(http_body_util::Collected::to_bytes) {
        Ok(bytes) if picture_type(&bytes).is_some() => Told::Other(FriendPicture { tag, bytes }),
        _ => Told::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: &str = "01890a5d-ac96-774b-bcce-b302099a8057";

    fn of(item: u8, kind: PictureKind) -> PictureOf {
        let item = format!("01890a5d-ac96-774b-bcce-b302099a80{item:02}");
        PictureOf { friend: ID.to_owned(), library: ID.to_owned(), item, kind, headers: HeaderMap::new() }
    }

    fn picture(tag: &str) -> FriendPicture {
        FriendPicture { tag: tag.to_owned(), bytes: Bytes::from_static(&[0xff; 95]) }
    }

    #[test]
    fn what_is_kept_is_given_as_it_was() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = Gallery::new(folder.path().to_owned(), 1000);
        let of = of(1, PictureKind::Backdrop);
        assert_eq!(gallery.get(&of), None);
        gallery.put(&of, &picture("\"a\"")).unwrap();
        assert_eq!(gallery.get(&of), Some(picture("\"a\"")));
        gallery.remove(&of);
        assert_eq!(gallery.get(&of), None);
    }

    #[test]
    fn what_was_not_looked_at_for_longest_goes_first() {
        let folder = tempfile::tempdir().unwrap();
        let gallery = Gallery::new(folder.path().to_owned(), 1000);
        for item in 0..10 {
            let of = of(item, PictureKind::Poster);
            gallery.put(&of, &picture("\"a\"")).unwrap();
            let old = SystemTime::now() - Duration::from_secs(1000 - u64::from(item));
            File::options().write(true).open(gallery.path(&of).unwrap()).unwrap().set_modified(old).unwrap();
        }
        assert!(gallery.get(&of(0, PictureKind::Poster)).is_some(), "and is looked at");
        gallery.put(&of(10, PictureKind::Poster), &picture("\"a\"")).unwrap();
        let left = (0..=10).filter(|item| gallery.get(&of(*item, PictureKind::Poster)).is_some()).collect::<Vec<_>>();
        assert_eq!(left, [0, 3, 4, 5, 6, 7, 8, 9, 10]);
    }

    #[test]
    fn an_id_that_is_a_path_is_kept_nowhere() {
        let gallery = Gallery::new(PathBuf::from("/nowhere"), 1000);
        let of = PictureOf { item: "../../etc".to_owned(), ..of(1, PictureKind::Poster) };
        assert_eq!(gallery.path(&of), None);
    }
}
