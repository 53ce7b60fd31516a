//! What a node tells a friend's node of its libraries, and what of it is believed: the words of `GET /api/v1/changes`.
//!
//! The invariant: what [`Changes::check`] and [`SharedItem::check`] let pass has bounded strings, lists and numbers, and ids
//! that are ids. A page that is nonsense ends the exchange; an item that is nonsense is left out.
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer, Serialize};
use utoipa::ToSchema;

use super::model::{Id, ItemKind, ItemState, LibraryKind, LibraryState};
use crate::content::cid;
use crate::media::{Facts, Stream};

/// Libraries that one node shares with one friend at most.
pub const LIBRARIES_MAX: usize = 256;
/// Entries of a page at most.
pub const ENTRIES_MAX: usize = 1000;
/// Longest cursor, bytes: 24 for each library, in base 64.
pub const CURSOR_MAX: usize = 16 * 1024;
/// People that a library is for at most, where it is not for everybody.
const PEOPLE_MAX: usize = 256;
/// Longest name of one of them, characters.
const PERSON_MAX: usize = 64;
/// Longest title or name, characters.
const TITLE_MAX: usize = 1000;
/// Longest overview or problem, characters.
const TEXT_MAX: usize = 20_000;
/// Longest word: a codec, a language.
const WORD_MAX: usize = 200;
/// Genres of an item at most.
const GENRES_MAX: usize = 64;
/// Streams of a file at most.
const STREAMS_MAX: usize = 256;
/// Chapters of a file at most.
const CHAPTERS_MAX: usize = 2000;
/// Pages of a book at most.
const PAGES_MAX: u32 = 1_000_000;
/// Longest film, seconds: a month.
const DURATION_MAX: f64 = 31.0 * 86_400.0;
/// Largest file, bytes: what a signed number of 64 bits can count with room to add.
const SIZE_MAX: u64 = 1 << 56;

/// `GET /changes`: a page of what changed in the libraries that the caller may see.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct Changes {
    /// All that the caller may see now, whether or not they changed. What is absent was withdrawn, with its items.
    pub libraries: Vec<SharedLibrary>,
    /// As they are now; each takes the place of what was told of it before.
    #[serde(deserialize_with = "understood")]
    pub items: Vec<SharedItem>,
    /// What is not in these libraries any more.
    pub removed: Vec<RemovedItem>,
    /// Pass as `since` the next time.
    pub next: String,
    /// There is more now.
    pub more: bool,
}

/// A library as friends see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct SharedLibrary {
    pub id: Id,
    pub name: String,
    pub kind: LibraryKind,
    pub state: LibraryState,
    /// For whom of the people of the node that asks: nobody else there may see anything of it. Absent for everybody.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub people: Option<Vec<String>>,
}

/// An item that a library does not hold any more.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, ToSchema)]
pub struct RemovedItem {
    pub id: Id,
    /// The library it was in.
    pub library: Id,
}

/// What a list, an item page and a player need to know of an item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SharedItem {
    pub id: Id,
    pub library: Id,
    pub kind: ItemKind,
    pub state: ItemState,
    pub title: String,
    /// Where the title sorts, if the owner wrote it down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
    /// Id of an episode's show.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show: Option<Id>,
    /// Title of an episode's show, which may come after it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub show_title: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub season: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode: Option<i32>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub episode_end: Option<i32>,
    /// Of a book: `10.5`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub overview: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub genres: Vec<String>,
    /// Seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration: Option<f64>,
    /// Unix milliseconds.
    pub added_at: i64,
    /// Why it cannot be played, for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// It has a picture at `/items/{id}/poster`.
    #[serde(default)]
    pub poster: bool,
    /// It has a picture at `/items/{id}/backdrop`.
    #[serde(default)]
    pub backdrop: bool,
    /// The file that plays. Shows have none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<SharedFile>,
}

/// The file of a shared item.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, ToSchema)]
pub struct SharedFile {
    /// Root of its DAG; absent where it was not read to the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cid: Option<String>,
    /// Bytes.
    pub size: u64,
    /// Without its folder.
    pub name: String,
    /// What is known of its content.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub facts: Option<Facts>,
}

/// Something that a friend's node told is over a limit or no sense at all. Says what.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Nonsense(pub &'static str);

type Checked = Result<(), Nonsense>;

/// Entries that are no items as we know them are left out: a newer node may tell of kinds that came after us.
fn understood<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<SharedItem>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Told {
        Item(Box<SharedItem>),
        Other(IgnoredAny),
    }
    let told = Vec::<Told>::deserialize(deserializer)?;
    let item = |told| if let Told::Item(item) = told { Some(*item) } else { None };
    Ok(told.into_iter().filter_map(item).collect())
}

impl Changes {
    /// Whether the page can be believed to be one; its items are looked at one by one.
    ///
    /// # Errors
    /// [`Nonsense`] for the first thing that cannot.
    pub fn check(&self) -> Checked {
        within(self.libraries.len() <= LIBRARIES_MAX, "too many libraries")?;
        within(self.items.len() + self.removed.len() <= ENTRIES_MAX, "too many entries in a page")?;
        within(!self.next.is_empty() && self.next.len() <= CURSOR_MAX, "a cursor of a wrong length")?;
        within(
            self.next.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-' || b == b'_'),
            "a cursor of odd letters",
        )?;
        for library in &self.libraries {
            is_id(&library.id)?;
            within(!library.name.trim().is_empty(), "a library without a name")?;
            line(&library.name, TITLE_MAX)?;
            let people = library.people.as_deref().unwrap_or_default();
            within(people.len() <= PEOPLE_MAX, "a library for too many people")?;
            people.iter().try_for_each(|name| line(name, PERSON_MAX))?;
        }
        Ok(())
    }
}

impl SharedItem {
    /// Whether the item can be believed to be what it says it is.
    ///
    /// # Errors
    /// [`Nonsense`] for the first thing that cannot.
    pub fn check(&self) -> Checked {
        is_id(&self.id)?;
        is_id(&self.library)?;
        self.show.as_ref().map_or(Ok(()), |id| is_id(id))?;
        within(self.state != ItemState::Trashed, "an item in the trash")?;
        line(&self.title, TITLE_MAX)?;
        for name in [&self.sort_title, &self.show_title, &self.number].into_iter().flatten() {
            line(name, TITLE_MAX)?;
        }
        for text in [&self.overview, &self.problem].into_iter().flatten() {
            within(text.chars().count() <= TEXT_MAX && !text.contains('\0'), "a text that is too long")?;
        }
        within(self.genres.len() <= GENRES_MAX, "too many genres")?;
        self.genres.iter().try_for_each(|genre| line(genre, WORD_MAX))?;
        within(self.year.is_none_or(|year| (0..=9999).contains(&year)), "a year that is none")?;
        for number in [self.season, self.episode, self.episode_end].into_iter().flatten() {
            within((0..=99_999).contains(&number), "a number of an episode that is none")?;
        }
        self.duration.map_or(Ok(()), seconds)?;
        within((0..=i64::from(u32::MAX) * 1000).contains(&self.added_at), "a time that is none")?;
        self.file.as_ref().map_or(Ok(()), SharedFile::check)
    }
}

impl SharedFile {
    fn check(&self) -> Checked {
        line(&self.name, TITLE_MAX)?;
        within(self.size <= SIZE_MAX, "a size that is none")?;
        within(self.cid.as_deref().is_none_or(|text| cid::parse(text).is_ok()), "a CID that is none")?;
        self.facts.as_ref().map_or(Ok(()), facts)
    }
}

fn facts(facts: &Facts) -> Checked {
    line(&facts.container, WORD_MAX)?;
    seconds(facts.duration)?;
    facts.title.as_ref().map_or(Ok(()), |title| line(title, TITLE_MAX))?;
    within(facts.pages.is_none_or(|pages| pages <= PAGES_MAX), "a book of too many pages")?;
    within(facts.bit_rate <= SIZE_MAX, "a bit rate that is none")?;
    within(facts.streams.len() <= STREAMS_MAX, "too many streams")?;
    within(facts.chapters.len() <= CHAPTERS_MAX, "too many chapters")?;
    facts.streams.iter().try_for_each(stream)?;
    for chapter in &facts.chapters {
        seconds(chapter.start)?;
        seconds(chapter.end)?;
        chapter.title.as_ref().map_or(Ok(()), |title| line(title, TITLE_MAX))?;
    }
    Ok(())
}

fn stream(stream: &Stream) -> Checked {
    line(&stream.codec, WORD_MAX)?;
    let words = [&stream.codec_string, &stream.profile, &stream.language, &stream.chroma, &stream.channel_layout];
    for word in words.into_iter().chain([&stream.mime_type]).flatten() {
        line(word, WORD_MAX)?;
    }
    for name in [&stream.title, &stream.file_name].into_iter().flatten() {
        line(name, TITLE_MAX)?;
    }
    for pixels in [stream.width, stream.height].into_iter().flatten() {
        within(pixels <= 100_000, "a picture of an impossible size")?;
    }
    within(stream.frame_rate.is_none_or(|rate| (0.0..=10_000.0).contains(&rate)), "a frame rate that is none")?;
    within(stream.channels.is_none_or(|channels| channels <= 1024), "a number of channels that is none")?;
    within(stream.bit_rate.is_none_or(|rate| rate <= SIZE_MAX), "a bit rate that is none")
}

fn within(right: bool, otherwise: &'static str) -> Checked {
    if right { Ok(()) } else { Err(Nonsense(otherwise)) }
}

/// A UUID in its usual form.
fn is_id(id: &str) -> Checked {
    let usual = uuid::Uuid::try_parse(id).is_ok_and(|uuid| uuid.hyphenated().to_string() == id);
    within(usual, "an id that is none")
}

fn line(text: &str, longest: usize) -> Checked {
    within(text.len() <= 4 * longest && text.chars().count() <= longest, "a name that is too long")?;
    within(!text.contains(char::is_control), "a name with control characters")
}

fn seconds(seconds: f64) -> Checked {
    // A span that is no number is outside too.
    within((0.0..=DURATION_MAX).contains(&seconds), "a length that is none")
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: &str = "01890a5d-ac96-774b-bcce-b302099a8057";
    const ITEM: &str = "01890a5d-ac96-774b-bcce-b302099a8058";

    fn page(item: serde_json::Value) -> Changes {
        let mut whole = serde_json::json!({
            "id": ITEM, "library": LIBRARY, "kind": "movie", "state": "present", "title": "A", "added_at": 1,
            "file": {"size": 5, "name": "a.mkv", "facts": {"container": "mp4", "duration": 1.0, "bit_rate": 1,
                "streams": [], "chapters": []}},
        });
        for (key, value) in item.as_object().unwrap() {
            whole[key] = value.clone();
        }
        let library = serde_json::json!({"id": LIBRARY, "name": "Films", "kind": "movies", "state": "available"});
        serde_json::from_value(serde_json::json!({
            "libraries": [library], "items": [whole], "removed": [], "next": "AA", "more": false,
        }))
        .unwrap()
    }

    #[test]
    fn what_a_node_tells_of_itself_is_believed() {
        let told = page(serde_json::json!({}));
        assert_eq!((told.check(), told.items[0].check()), (Ok(()), Ok(())));
    }

    #[test]
    fn a_list_of_people_that_is_too_long_or_holds_no_names_is_not() {
        let listing = |people: Vec<String>| {
            let mut told = page(serde_json::json!({}));
            told.libraries[0].people = Some(people);
            told.check()
        };
        assert_eq!(listing(vec!["Änne".into(); PEOPLE_MAX]), Ok(()));
        assert_eq!(listing(vec![]), Ok(()), "it is for nobody");
        for lie in [vec!["x".into(); PEOPLE_MAX + 1], vec!["x".repeat(PERSON_MAX + 1)], vec!["a\nb".into()]] {
            assert!(listing(lie.clone()).is_err(), "{lie:?}");
        }
    }

    #[test]
    fn an_item_of_a_kind_that_nobody_knows_is_left_out_of_a_page() {
        for odd in [serde_json::json!({"kind": "hologram"}), serde_json::json!({"year": -1e30})] {
            assert!(page(odd).items.is_empty());
        }
    }

    #[test]
    fn what_is_too_long_or_no_sense_is_not() {
        for lie in [
            serde_json::json!({"id": "no uuid"}),
            serde_json::json!({"id": ITEM.to_uppercase()}),
            serde_json::json!({"title": "x".repeat(TITLE_MAX + 1)}),
            serde_json::json!({"title": "a\u{7}b"}),
            serde_json::json!({"overview": "x".repeat(TEXT_MAX + 1)}),
            serde_json::json!({"genres": vec!["x"; GENRES_MAX + 1]}),
            serde_json::json!({"year": -5}),
            serde_json::json!({"episode": -1}),
            serde_json::json!({"duration": -1.0}),
            serde_json::json!({"duration": 1e300}),
            serde_json::json!({"added_at": -1}),
            serde_json::json!({"state": "trashed"}),
            serde_json::json!({"file": {"size": u64::MAX, "name": "a"}}),
            serde_json::json!({"file": {"size": 1, "name": "a", "cid": "../etc"}}),
        ] {
            assert!(page(lie.clone()).items[0].check().is_err(), "{lie}");
        }
    }
}
