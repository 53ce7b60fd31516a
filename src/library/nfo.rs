//! NFO files as Kodi reads and writes them: what a person or a tool has written down of a film, a show or an episode.
//!
//! Lenient: whatever can be read of a broken file is used, the rest is a warning, and an NFO never costs an item. A file
//! that holds only a link to a database's page says nothing that this node would use.
use std::path::Path;

use quick_xml::events::Event;
use quick_xml::{Reader, escape};

/// Bytes of an NFO that are read at most.
const SIZE_MAX: u64 = 1024 * 1024;

/// What one root element of an NFO says. Absent fields were not written or make no sense.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Nfo {
    pub title: Option<String>,
    pub sort_title: Option<String>,
    /// An episode's show, by name.
    pub show_title: Option<String>,
    pub year: Option<i32>,
    pub plot: Option<String>,
    pub genres: Vec<String>,
    pub season: Option<i32>,
    pub episode: Option<i32>,
}

/// Which root elements belong to what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NfoKind {
    Movie,
    Show,
    Episode,
    Video,
}

impl NfoKind {
    fn accepts(self, root: &str) -> bool {
        match self {
            Self::Movie => root == "movie",
            Self::Show => root == "tvshow",
            Self::Episode => root == "episodedetails",
            Self::Video => ["movie", "video", "musicvideo", "episodedetails"].contains(&root),
        }
    }
}

/// The elements of this kind in a file, and what was wrong with it, if anything.
pub(super) fn read(path: &Path, kind: NfoKind) -> (Vec<Nfo>, Option<String>) {
    match std::fs::metadata(path).map(|meta| meta.len()) {
        Ok(size) if size > SIZE_MAX => return (Vec::new(), Some(format!("it is larger than {SIZE_MAX} bytes"))),
        Ok(_) => {}
        Err(error) => return (Vec::new(), Some(error.to_string())),
    }
    match std::fs::read(path) {
        Ok(bytes) => parse(&decode(&bytes), kind),
        Err(error) => (Vec::new(), Some(error.to_string())),
    }
}

/// UTF-8 unless a byte order mark says UTF-16; what is neither is read as far as it goes.
fn decode(bytes: &[u8]) -> String {
    let wide = |rest: &[u8], read: fn([u8; 2]) -> u16| {
        let units: Vec<u16> = rest.as_chunks::<2>().0.iter().map(|pair| read(*pair)).collect();
        String::from_utf16_lossy(&units)
    };
    match bytes {
        [0xef, 0xbb, 0xbf, rest @ ..] => String::from_utf8_lossy(rest).into_owned(),
        [0xff, 0xfe, rest @ ..] => wide(rest, u16::from_le_bytes),
        [0xfe, 0xff, rest @ ..] => wide(rest, u16::from_be_bytes),
        _ => String::from_utf8_lossy(bytes).into_owned(),
    }
}

pub(super) fn parse(text: &str, kind: NfoKind) -> (Vec<Nfo>, Option<String>) {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    let mut state = State { kind, path: Vec::new(), text: String::new(), found: Vec::new() };
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => state.open(tag.local_name().as_ref()),
            Ok(Event::End(_)) => state.close(),
            Ok(Event::Text(part)) => state.text.push_str(&part.xml10_content()),
            Ok(Event::CData(part)) => state.text.push_str(&part.xml10_content()),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => state.text.push(letter),
                _ => state.text.push_str(named_character(&reference.xml10_content())),
            },
            Ok(Event::Eof) => break,
            Ok(_) => {}
            Err(error) => {
                state.finish();
                return (state.found, Some(format!("not XML at byte {}: {error}", reader.error_position())));
            }
        }
    }
    let unfinished = !state.path.is_empty();
    state.finish();
    (state.found, unfinished.then(|| "it ends in the middle".to_owned()))
}

fn named_character(name: &str) -> &'static str {
    match name {
        "amp" => "&",
        "lt" => "<",
        "gt" => ">",
        "quot" => "\"",
        "apos" => "'",
        "ndash" => "–",
        "mdash" => "—",
        "hellip" => "…",
        _ => " ",
    }
}

/// An NFO file that is being written: one root element with fields in it.
pub(super) struct Element {
    root: &'static str,
    text: String,
}

impl Element {
    pub fn new(root: &'static str) -> Self {
        Self { root, text: format!("<?xml version=\"1.0\" encoding=\"UTF-8\" standalone=\"yes\"?>\n<{root}>\n") }
    }

    /// Adds a field, where there is anything to say.
    pub fn field(&mut self, name: &str, value: Option<impl ToString>) {
        let Some(value) = value else { return };
        // XML has no way to write most control characters.
        let plain: String =
            value.to_string().chars().map(|c| if c.is_control() && c != '\n' { ' ' } else { c }).collect();
        self.text += &format!("  <{name}>{}</{name}>\n", escape::escape(&plain));
    }

    pub fn finish(self) -> String {
        format!("{}</{}>\n", self.text, self.root)
    }
}

struct State {
    kind: NfoKind,
    /// Names of the open elements, root first.
    path: Vec<String>,
    text: String,
    found: Vec<Nfo>,
}

impl State {
    fn open(&mut self, name: &str) {
        self.path.push(name.to_ascii_lowercase());
        self.text.clear();
        if self.path.len() == 1 && self.kind.accepts(&self.path[0]) {
            self.found.push(Nfo::default());
        }
    }

    fn close(&mut self) {
        if let [root, field] = self.path.as_slice()
            && self.kind.accepts(root)
            && let Some(nfo) = self.found.last_mut()
        {
            let text: Vec<&str> = self.text.split_whitespace().collect();
            nfo.set(field, &text.join(" "));
        }
        self.path.pop();
        self.text.clear();
    }

    /// Takes what was open when the text ended.
    fn finish(&mut self) {
        while !self.path.is_empty() {
            self.close();
        }
    }
}

impl Nfo {
    /// The first value of a field counts; a second is another language's or tool's.
    fn set(&mut self, field: &str, text: &str) {
        if text.is_empty() {
            return;
        }
        let year = || text.get(..4).and_then(|year| year.parse().ok()).filter(|year| (1870..=2100).contains(year));
        let own = || Some(text.to_owned());
        match field {
            "title" => self.title = self.title.take().or_else(own),
            "sorttitle" => self.sort_title = self.sort_title.take().or_else(own),
            "showtitle" => self.show_title = self.show_title.take().or_else(own),
            "year" => self.year = year().or(self.year),
            "premiered" | "releasedate" | "aired" => self.year = self.year.or_else(year),
            "plot" => self.plot = own(),
            "outline" => self.plot = self.plot.take().or_else(own),
            "season" => self.season = self.season.or(text.parse().ok().filter(|n| (0..10_000).contains(n))),
            "episode" => self.episode = self.episode.or(text.parse().ok().filter(|n| (0..10_000).contains(n))),
            "genre" => {
                let names = text.split(['/', ',', '|']).map(str::trim).filter(|name| !name.is_empty());
                for name in names {
                    if !self.genres.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                        self.genres.push(name.to_owned());
                    }
                }
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_films_nfo_is_read() {
        let text = "<?xml version=\"1.0\"?>\n<!-- by a tool -->\n<movie><title>L&apos;Été &amp; co</title><sorttitle>ete</sorttitle>\
            <premiered>2009-05-01</premiered><plot>First.\n  Second.</plot><genre>Drama / Comedy</genre><genre>drama</genre>\
            <actor><name>Someone</name><title>not this</title></actor></movie>\nhttps://example.org/tt1";
        let (found, warning) = parse(text, NfoKind::Movie);
        let wanted = Nfo {
            title: Some("L'Été & co".to_owned()),
            sort_title: Some("ete".to_owned()),
            year: Some(2009),
            plot: Some("First. Second.".to_owned()),
            genres: vec!["Drama".to_owned(), "Comedy".to_owned()],
            ..Nfo::default()
        };
        assert_eq!((found, warning), (vec![wanted], None));
    }

    #[test]
    fn a_file_of_several_episodes_has_several_roots() {
        let text = "<episodedetails><title>One</title><season>1</season><episode>1</episode></episodedetails>\
            <episodedetails><title>Two</title><season>1</season><episode>2</episode><aired>2010-01-02</aired></episodedetails>";
        let (found, warning) = parse(text, NfoKind::Episode);
        let titles: Vec<_> = found.iter().map(|nfo| (nfo.title.as_deref(), nfo.episode, nfo.year)).collect();
        assert_eq!(titles, [(Some("One"), Some(1), None), (Some("Two"), Some(2), Some(2010))]);
        assert_eq!(warning, None);
    }

    #[test]
    fn a_broken_file_gives_what_can_be_read_and_a_warning() {
        for text in [
            "<movie><title>Kept</title><plot>cut of",
            "<movie><title>Kept</title><year>x</year></wrong></movie><",
            "<movie><title>Kept</title>&nbsp;&x <plot>a & b</plot><!-- ",
        ] {
            let (found, _) = parse(text, NfoKind::Movie);
            assert_eq!(found[0].title.as_deref(), Some("Kept"), "{text}");
        }
        assert!(parse("<movie><title>Kept</title><plot>cut of", NfoKind::Movie).1.is_some());
    }

    #[test]
    fn a_file_with_only_a_link_says_nothing_and_is_not_wrong() {
        assert_eq!(parse("https://www.example.org/title/tt0133093/?a=1&b=2", NfoKind::Movie), (Vec::new(), None));
        assert_eq!(parse("", NfoKind::Movie), (Vec::new(), None));
    }

    #[test]
    fn other_encodings_are_read() {
        let mut wide = vec![0xff, 0xfe];
        wide.extend("<movie><title>Öl</title></movie>".encode_utf16().flat_map(u16::to_le_bytes));
        assert_eq!(parse(&decode(&wide), NfoKind::Movie).0[0].title.as_deref(), Some("Öl"));
        assert!(parse(&decode(b"<movie><title>\xd6l</title></movie>"), NfoKind::Movie).0[0].title.is_some());
    }

    proptest::proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(<|</|>|&|movie|title|plot|<movie>|<title>|<!--|]]>|\\PC){0,40}") {
            parse(&text, NfoKind::Movie);
        }
    }
}
