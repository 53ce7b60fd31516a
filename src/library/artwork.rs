//! What lies beside a video: pictures, NFO and subtitles, by Kodi's and Jellyfin's names; and the pictures taken from
//! videos that have none.
use std::collections::hash_map::DefaultHasher;
use std::ffi::OsStr;
use std::hash::{Hash, Hasher};
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::scan::{Companion, Folder, book_stem};
use crate::catalog::{ItemKind, LibraryKind};
use crate::content::Cid;

/// Pixels of a picture taken from a video.
pub(super) const FRAME_WIDTH: u32 = 640;
/// Pixels of the longer side of a book's cover.
pub(super) const COVER_SIDE: u32 = 900;

/// Counts up when the same files are read in another way, so that they are read again.
const READING: u32 = 1;

const PICTURES: &[&str] = &["jpg", "jpeg", "png", "webp"];
const SUBTITLES: &[&str] = &["srt", "vtt", "ass", "ssa"];
const LYRICS: &[&str] = &["lrc"];
/// What the picture of an album is called, which all its tracks have.
const COVERS: &[&str] = &["cover", "folder", "front", "album", "albumart", "albumartsmall"];

/// Absolute paths of what belongs to a video or a show.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Beside {
    pub nfo: Option<PathBuf>,
    pub poster: Option<PathBuf>,
    pub backdrop: Option<PathBuf>,
    pub subtitles: Vec<PathBuf>,
    /// Of the names, sizes and times of all that might matter: the same digest, the same description.
    pub digest: i64,
}

/// What lies beside the video `name` in its folder.
pub(super) fn beside_video(root: &Path, folder: &Folder, name: &OsStr, kind: ItemKind) -> Beside {
    let stem = stem_of(name, kind).as_bytes();
    let own = own_companions(folder, stem, kind);
    // Names without the film's, as `poster.jpg`, are the film's only where it has the folder for itself.
    let single = !matches!(kind, ItemKind::Episode | ItemKind::Book);
    let alone = folder.files.len() == 1 && folder.place != Path::new("") && single;
    let track = kind == ItemKind::Track;
    let shared: &[Companion] = if alone || track { &folder.companions } else { &[] };
    let named = |endings: &[&str], extensions: &[&str]| {
        endings.iter().find_map(|ending| named(own.iter().copied(), stem, ending, extensions))
    };
    let general = |names: &[&str], extensions: &[&str]| {
        names.iter().find_map(|name| self::named(shared.iter(), name.as_bytes(), "", extensions))
    };
    let path = |companion: &Companion| root.join(&folder.place).join(&companion.name);
    let posters: &[&str] = match kind {
        ItemKind::Episode => &["-thumb", ""],
        ItemKind::Video => &["-poster", "-thumb", ""],
        ItemKind::Movie | ItemKind::Show | ItemKind::Series | ItemKind::Book => &["-poster", "-cover", ""],
        ItemKind::Album | ItemKind::Track => &[""],
    };
    let (general_posters, texts): (&[&str], _) = match track {
        true => (COVERS, LYRICS),
        false => (&["poster", "folder", "cover", "movie", "default"], SUBTITLES),
    };
    Beside {
        nfo: named(&[""], &["nfo"]).or_else(|| general(&["movie"], &["nfo"])).map(path),
        poster: named(posters, PICTURES).or_else(|| general(general_posters, PICTURES)).map(path),
        backdrop: named(&["-fanart", "-backdrop"], PICTURES)
            .or_else(|| general(&["fanart", "backdrop", "background"], PICTURES))
            .map(path),
        subtitles: own.iter().filter(|c| has_extension(&c.name, texts)).map(|c| path(c)).collect(),
        digest: match track {
            true => digest(own.iter().copied().chain(shared.iter().filter(|c| has_extension(&c.name, PICTURES)))),
            false => digest(own.iter().copied().chain(shared)),
        },
    }
}

/// What lies in the folder of a show, or of a series of books.
pub(super) fn beside_show(root: &Path, folder: &Folder, kind: LibraryKind) -> Beside {
    let find = |names: &[&str], extensions: &[&str]| {
        let found = names.iter().find_map(|name| named(folder.companions.iter(), name.as_bytes(), "", extensions));
        found.map(|companion| root.join(&folder.place).join(&companion.name))
    };
    let seasons: Vec<String> = (0..30).map(|n| format!("season{n:02}-poster")).collect();
    let mut posters = vec!["poster", "folder", "cover", "show", "season-all-poster"];
    posters.extend(seasons.iter().skip(1).chain(seasons.first()).map(String::as_str));
    Beside {
        nfo: if kind.is_read() { find(&["series"], &["json"]) } else { find(&["tvshow"], &["nfo"]) },
        poster: find(&posters, PICTURES),
        backdrop: find(&["fanart", "backdrop", "background"], PICTURES),
        subtitles: Vec::new(),
        digest: digest(folder.companions.iter()),
    }
}

fn stem_of(name: &OsStr, kind: ItemKind) -> &OsStr {
    let stem = || Path::new(name).file_stem().unwrap_or(name);
    if kind == ItemKind::Book { book_stem(name) } else { stem() }
}

/// Companions whose names begin with this video's and with no longer video's: `Film.en.srt` is `Film.mkv`'s, and
/// `Film.2.srt` is `Film.2.mkv`'s where there is one.
fn own_companions<'a>(folder: &'a Folder, stem: &[u8], kind: ItemKind) -> Vec<&'a Companion> {
    let begins = |name: &OsStr, stem: &[u8]| {
        let rest = name.as_bytes().strip_prefix(stem);
        rest.is_some_and(|rest| matches!(rest.first(), Some(b'.' | b'-')))
    };
    let from = folder.companions.partition_point(|companion| companion.name.as_bytes() < stem);
    let candidates = folder.companions[from..].iter().take_while(|c| c.name.as_bytes().starts_with(stem));
    let from = folder.files.partition_point(|video| video.name.as_bytes() < stem);
    let longer: Vec<&[u8]> = folder.files[from..]
        .iter()
        .take_while(|video| video.name.as_bytes().starts_with(stem))
        .map(|video| stem_of(&video.name, kind).as_bytes())
        .filter(|other| other.len() > stem.len())
        .collect();
    candidates.filter(|c| begins(&c.name, stem) && !longer.iter().any(|other| begins(&c.name, other))).collect()
}

/// The companion called `stem + ending + . + one of extensions`; case does not matter.
fn named<'a>(
    companions: impl Iterator<Item = &'a Companion>,
    stem: &[u8],
    ending: &str,
    extensions: &[&str],
) -> Option<&'a Companion> {
    let wanted = [stem, ending.as_bytes()].concat();
    let fits = |name: &OsStr| {
        let stem = Path::new(name).file_stem().unwrap_or(name).as_bytes();
        stem.eq_ignore_ascii_case(&wanted) && has_extension(name, extensions)
    };
    companions.filter(|companion| fits(&companion.name)).min_by_key(|companion| {
        let extension = Path::new(&companion.name).extension().and_then(OsStr::to_str).unwrap_or_default();
        extensions.iter().position(|wanted| extension.eq_ignore_ascii_case(wanted))
    })
}

fn has_extension(name: &OsStr, wanted: &[&str]) -> bool {
    let extension = Path::new(name).extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| wanted.iter().any(|wanted| extension.eq_ignore_ascii_case(wanted)))
}

fn digest<'a>(companions: impl Iterator<Item = &'a Companion>) -> i64 {
    let mut hasher = DefaultHasher::new();
    READING.hash(&mut hasher);
    for companion in companions {
        companion.hash(&mut hasher);
    }
    hasher.finish().cast_signed()
}

/// Where the picture taken from a file is or will be: named by its content, so that it is made once.
pub(super) fn frame_path(folder: &Path, cid: &Cid) -> PathBuf {
    let name = cid.to_string();
    // The last letters of a CID are as good as random: 1024 folders of few files each.
    let shard = &name[name.len().saturating_sub(2)..];
    folder.join(shard).join(format!("{name}.jpg"))
}

/// Writes a picture so that a reader finds all of it or none. Blocking.
pub(super) fn write_frame(path: &Path, jpeg: &[u8]) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    std::fs::create_dir_all(folder)?;
    let temporary = path.with_extension("part");
    let mut file = std::fs::File::create(&temporary)?;
    file.write_all(jpeg)?;
    file.sync_data()?;
    std::fs::rename(&temporary, path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::record::Stat;
    use crate::library::scan::Found;

    fn folder(place: &str, videos: &[&str], companions: &[&str]) -> Folder {
        let stat = Stat { size: 1, modified_ns: 1, inode: 1, device: 1 };
        let mut folder = Folder { place: place.into(), ..Folder::default() };
        folder.files = videos.iter().map(|name| Found { name: name.into(), stat, folder: false }).collect();
        folder.companions =
            companions.iter().map(|name| Companion { name: name.into(), size: 1, modified_ns: 1 }).collect();
        folder.files.sort_by(|a, b| a.name.cmp(&b.name));
        folder.companions.sort_by(|a, b| a.name.cmp(&b.name));
        folder
    }

    fn name(path: Option<PathBuf>) -> String {
        path.map(|path| path.file_name().unwrap().to_string_lossy().into_owned()).unwrap_or_default()
    }

    #[test]
    fn a_film_alone_in_its_folder_has_the_folders_pictures() {
        let folder =
            folder("Film", &["Film.mkv"], &["poster.png", "Folder.JPG", "movie.nfo", "fanart.jpg", "Film.en.srt"]);
        let beside = beside_video(Path::new("/l"), &folder, OsStr::new("Film.mkv"), ItemKind::Movie);
        assert_eq!(name(beside.poster), "poster.png");
        assert_eq!(name(beside.nfo), "movie.nfo");
        assert_eq!(name(beside.backdrop), "fanart.jpg");
        assert_eq!(beside.subtitles, [PathBuf::from("/l/Film/Film.en.srt")]);
    }

    #[test]
    fn among_others_only_its_own_names_count() {
        let files = ["A-poster.jpg", "A.nfo", "B.jpg", "poster.jpg", "A.2.srt", "A.srt"];
        let folder = folder("", &["A.mkv", "A.2.mkv", "B.mkv", "C.mkv"], &files);
        let of = |video: &str| beside_video(Path::new("/l"), &folder, OsStr::new(video), ItemKind::Movie);
        assert_eq!(name(of("A.mkv").poster), "A-poster.jpg");
        assert_eq!(of("A.mkv").subtitles, [PathBuf::from("/l/A.srt")]);
        assert_eq!(of("A.2.mkv").subtitles, [PathBuf::from("/l/A.2.srt")]);
        assert_eq!(name(of("B.mkv").poster), "B.jpg");
        assert_eq!(of("C.mkv").poster, None);
    }

    #[test]
    fn another_picture_is_another_digest_for_its_own_video_only() {
        let digest = |files: &[&str], video: &str| {
            let folder = folder("", &["A.mkv", "B.mkv"], files);
            beside_video(Path::new("/l"), &folder, OsStr::new(video), ItemKind::Movie).digest
        };
        assert_ne!(digest(&[], "A.mkv"), digest(&["A.jpg"], "A.mkv"));
        assert_eq!(digest(&[], "B.mkv"), digest(&["A.jpg"], "B.mkv"));
    }

    #[test]
    fn a_show_without_a_poster_wears_its_first_seasons() {
        let of =
            |files: &[&str]| name(beside_show(Path::new("/l"), &folder("Show", &[], files), LibraryKind::Shows).poster);
        assert_eq!(of(&["season02-poster.jpg", "season01-poster.jpg", "season00-poster.jpg"]), "season01-poster.jpg");
        assert_eq!(of(&["season01-poster.jpg", "poster.jpg"]), "poster.jpg");
    }
}
