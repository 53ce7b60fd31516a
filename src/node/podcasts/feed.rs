//! Reads feeds: RSS 2.0 (and RSS 1.0, which looks alike), Atom (RFC 4287), and what Apple added for podcasts (`itunes:`). Pure.
//!
//! Lenient as its readers are everywhere: what cannot be used of an episode is left out, and an episode without a file is none. Limits
//! of the document itself are those of [`markup`], which knows no entities that a document defines.
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimeParser;

use crate::catalog::podcasts::{ToldEpisode, ToldFeed};
use crate::media::book::markup::{self, Element};
use crate::node::web;

/// Episodes of a feed that are read: the newest.
const EPISODES_MAX: usize = 2000;
/// Bytes of an address and of what an episode is told by.
const ADDRESS_MAX: usize = 2048;
/// Letters of a title and of a description.
const TITLE_MAX: usize = 500;
const DESCRIPTION_MAX: usize = 4000;
/// Longest episode that is believed, in seconds.
const SECONDS_MAX: f64 = 7.0 * 24.0 * 3600.0;
/// What parts of a feed that everybody has an own word for are called with.
const APPLE: &str = "itunes";

/// The feed in these bytes; `None` where there is none in them.
pub(super) fn read(bytes: &[u8]) -> Option<ToldFeed> {
    let mut reading = Reading::default();
    markup::walk(&markup::decode(bytes), |element, open| reading.take(element, open));
    let Reading { is_feed, mut channel, mut episodes, .. } = reading;
    if !is_feed {
        return None;
    }
    // Stable: those without a date stay where the feed has them.
    episodes.sort_by_key(|episode| std::cmp::Reverse(episode.published_at.unwrap_or(i64::MAX)));
    episodes.truncate(EPISODES_MAX);
    Some(ToldFeed {
        title: channel.title.take().map(|title| short(&title, TITLE_MAX)).unwrap_or_default(),
        description: channel.description(),
        image_url: channel.image.take(),
        etag: None,
        modified: None,
        episodes,
    })
}

#[derive(Default)]
struct Reading {
    is_feed: bool,
    channel: Told,
    episode: Told,
    episodes: Vec<ToldEpisode>,
}

/// What is said of a channel or an episode. Of several words for one thing the better one is kept.
#[derive(Default)]
struct Told {
    title: Option<String>,
    summary: Option<String>,
    text: Option<String>,
    image: Option<String>,
    key: Option<String>,
    date: Option<i64>,
    seconds: f64,
    file: Option<(String, String, u64)>,
}

impl Reading {
    /// An element at its end, and those that it is in.
    fn take(&mut self, element: &Element, open: &[Element]) {
        let Some(parent) = open.last() else {
            self.is_feed = ["rss", "RDF", "feed"].contains(&element.name.as_str());
            return;
        };
        let own = is_own(element, open);
        match parent.name.as_str() {
            "item" | "entry" => self.episode.take(element, own),
            "channel" | "feed" if own && ["item", "entry"].contains(&element.name.as_str()) => self.next(),
            "RDF" if element.name == "item" => self.next(),
            "channel" | "feed" => self.channel.take(element, own),
            // The picture of RSS itself.
            "image" if element.name == "url" && open.len() == 3 => {
                let found = element.line().and_then(usable);
                self.channel.image = self.channel.image.take().or(found);
            }
            // A file within a group of them.
            "group" => self.episode.take(element, own),
            _ => {}
        }
    }

    /// An episode ends.
    fn next(&mut self) {
        let told = std::mem::take(&mut self.episode);
        self.episodes.extend(told.episode());
    }
}

/// Whether a word is the feed's own, and not one that was added to it under the same name.
fn is_own(element: &Element, open: &[Element]) -> bool {
    element.prefix.is_empty() || open.first().is_some_and(|root| root.name == "feed" && root.prefix == element.prefix)
}

impl Told {
    fn take(&mut self, element: &Element, own: bool) {
        let apple = element.prefix == APPLE;
        let text = || Some(element.text.trim()).filter(|text| !text.is_empty()).map(str::to_owned);
        match element.name.as_str() {
            "title" if own => keep(&mut self.title, element.line()),
            "title" if apple => keep(&mut self.title, element.line()),
            "summary" | "subtitle" if apple || own => keep(&mut self.summary, text()),
            "description" | "content" if own => keep(&mut self.text, text()),
            "image" if apple => {
                let found = element.attribute("href").and_then(|url| usable(url.to_owned()));
                self.image = found.or(self.image.take());
            }
            "logo" | "icon" if own => keep(&mut self.image, element.line().and_then(usable)),
            "guid" | "id" if own => keep(&mut self.key, element.line()),
            "pubDate" | "published" if own => self.date = date(&element.text).or(self.date),
            "updated" if own => self.date = self.date.or_else(|| date(&element.text)),
            "date" if element.prefix == "dc" => self.date = self.date.or_else(|| date(&element.text)),
            "duration" if apple => self.seconds = seconds(&element.text).unwrap_or_default(),
            "enclosure" if own => self.take_file(element, "url"),
            "link" if own && element.attribute("rel") == Some("enclosure") => self.take_file(element, "href"),
            "content" if element.prefix == "media" && self.file.is_none() => self.take_media(element),
            _ => {}
        }
    }

    /// The first that is sound or film; something else only where nothing better comes.
    fn take_file(&mut self, element: &Element, name: &str) {
        let Some(url) = element.attribute(name).and_then(|url| usable(url.to_owned())) else { return };
        let mime = element.attribute("type").unwrap_or_default().to_ascii_lowercase();
        let size = element.attribute("length").and_then(|length| length.parse().ok()).unwrap_or_default();
        let better = self.file.as_ref().is_none_or(|(_, known, _)| !is_media(known) && is_media(&mime));
        if better {
            self.file = Some((url, short(&mime, 100), size));
        }
    }

    fn take_media(&mut self, element: &Element) {
        let medium = element.attribute("medium").unwrap_or_default();
        if ["audio", "video"].contains(&medium) || element.attribute("type").is_some_and(is_media) {
            self.take_file(element, "url");
        }
    }

    fn description(&mut self) -> String {
        let told = self.text.take().or(self.summary.take()).unwrap_or_default();
        short(&markup::plain(&told), DESCRIPTION_MAX)
    }

    fn episode(mut self) -> Option<ToldEpisode> {
        let description = self.description();
        let (url, mime, size) = self.file?;
        let key = self.key.unwrap_or_else(|| url.clone());
        let title = self.title.map(|title| short(&title, TITLE_MAX)).filter(|title| !title.is_empty());
        let name = || url.rsplit('/').next().map(|name| short(name, TITLE_MAX)).unwrap_or_default();
        let title = title.unwrap_or_else(name);
        let usable = key.len() <= ADDRESS_MAX;
        usable.then_some(ToldEpisode {
            key,
            title,
            description,
            mime,
            published_at: self.date,
            seconds: self.seconds,
            size,
            url,
        })
    }
}

fn keep(place: &mut Option<String>, told: Option<String>) {
    if place.is_none() {
        *place = told;
    }
}

fn is_media(mime: &str) -> bool {
    mime.starts_with("audio/") || mime.starts_with("video/")
}

/// An address that can be asked.
fn usable(url: String) -> Option<String> {
    (url.len() <= ADDRESS_MAX).then(|| web::address(&url).ok()).flatten().map(Into::into)
}

/// Without what is no letter, and not endless.
fn short(text: &str, most: usize) -> String {
    text.chars().filter(|c| *c == '\n' || !c.is_control()).take(most).collect::<String>().trim().to_owned()
}

/// Unix milliseconds of a date as mail has it, or as ISO 8601.
fn date(text: &str) -> Option<i64> {
    let text = text.trim();
    let mail = || DateTimeParser::new().relaxed_weekday(true).parse_zoned(text).ok().map(|zoned| zoned.timestamp());
    let day = || text.parse::<jiff::civil::Date>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok().map(|z| z.timestamp());
    let found: Option<Timestamp> = text.parse().ok().or_else(mail).or_else(day);
    found.map(Timestamp::as_millisecond).filter(|at| *at > 0)
}

/// `HH:MM:SS`, `MM:SS` or seconds.
fn seconds(text: &str) -> Option<f64> {
    let parts: Vec<&str> = text.trim().split(':').collect();
    if parts.len() > 3 {
        return None;
    }
    let mut all = 0.0;
    for part in parts {
        all = all * 60.0 + part.trim().parse::<f64>().ok()?;
    }
    Some(all).filter(|all| (0.0..=SECONDS_MAX).contains(all))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const RSS: &str = r#"<?xml version="1.0"?><rss version="2.0" xmlns:itunes="http://www.itunes.com/dtds/podcast-1.0.dtd"
        xmlns:atom="http://www.w3.org/2005/Atom"><channel><title>Dough &amp; co</title>
        <atom:link href="http://a.example/self" rel="self"/><link>http://a.example</link>
        <description><![CDATA[<p>All about <b>bread</b>.</p>]]></description>
        <image><url>http://a.example/small.png</url><title>x</title></image><itunes:image href="http://a.example/large.jpg"/>
        <item><title>Old</title><guid isPermaLink="false">one</guid><pubDate>Sat, 01 Mar 2025 10:00:00 GMT</pubDate>
          <enclosure url="http://a.example/1.mp3" length="1000" type="audio/mpeg"/><itunes:duration>1:02:03</itunes:duration></item>
        <item><title>New</title><itunes:title>Better</itunes:title><guid>two</guid><pubDate>Sun, 02 Mar 2025 10:00:00 +0200</pubDate>
          <itunes:summary>short</itunes:summary><enclosure url="http://a.example/2.mp3" length="?" type="audio/mpeg"/></item>
        <item><title>Nothing to hear</title><guid>three</guid></item>
        <item><title>By its address</title><enclosure url="https://a.example/4.m4a" type="audio/mp4"/></item>
        <item><title>A file of this machine</title><enclosure url="file:///etc/passwd" type="audio/mp4"/></item></channel></rss>"#;

    #[test]
    fn a_feed_of_rss_is_read_with_what_apple_added() {
        let feed = read(RSS.as_bytes()).unwrap();
        assert_eq!((feed.title.as_str(), feed.description.as_str()), ("Dough & co", "All about bread."));
        assert_eq!(feed.image_url.as_deref(), Some("http://a.example/large.jpg"));
        let titles: Vec<&str> = feed.episodes.iter().map(|episode| episode.title.as_str()).collect();
        assert_eq!(titles, ["By its address", "New", "Old"], "the newest first, and those that may be it");
        let [by_address, new, old] = &feed.episodes[..] else { panic!() };
        assert_eq!((by_address.key.as_str(), by_address.published_at), ("https://a.example/4.m4a", None));
        assert_eq!((new.published_at, new.description.as_str(), new.size), (Some(1_740_902_400_000), "short", 0));
        assert_eq!((old.seconds, old.size, old.mime.as_str()), (3723.0, 1000, "audio/mpeg"));
    }

    #[test]
    fn a_feed_of_atom_is_read() {
        let atom = r#"<feed xmlns="http://www.w3.org/2005/Atom"><title>Dough</title><subtitle>About bread</subtitle>
            <logo>http://a.example/logo.png</logo><id>urn:x</id><updated>2025-03-02T00:00:00Z</updated>
            <entry><title>One</title><id>urn:1</id><published>2025-03-01T10:00:00+01:00</published><updated>2026-01-01T00:00:00Z</updated>
            <link rel="alternate" href="http://a.example/1"/><link rel="enclosure" type="audio/ogg" href="http://a.example/1.ogg" length="5"/>
            <summary>It rises</summary></entry></feed>"#;
        let feed = read(atom.as_bytes()).unwrap();
        assert_eq!((feed.title.as_str(), feed.description.as_str()), ("Dough", "About bread"));
        assert_eq!(feed.image_url.as_deref(), Some("http://a.example/logo.png"));
        let [one] = &feed.episodes[..] else { panic!("{feed:?}") };
        assert_eq!((one.key.as_str(), one.url.as_str(), one.size), ("urn:1", "http://a.example/1.ogg", 5));
        assert_eq!((one.published_at, one.description.as_str()), (Some(1_740_819_600_000), "It rises"));
    }

    #[test]
    fn what_is_no_feed_is_none() {
        for text in ["", "no", "<html><body><item/></body></html>", "{}", "<opml><body/></opml>"] {
            assert_eq!(read(text.as_bytes()), None, "{text}");
        }
        assert!(read(b"<rss><channel/></rss>").is_some_and(|feed| feed.episodes.is_empty()));
    }

    #[test]
    fn entities_that_a_feed_defines_do_not_grow() {
        let mut bomb = "<!DOCTYPE rss [<!ENTITY a0 \"lol\">".to_owned();
        for n in 1..12 {
            bomb += &format!("<!ENTITY a{n} \"{}\">", format!("&a{};", n - 1).repeat(10));
        }
        bomb += "]><rss><channel><title>x&a11;y</title></channel></rss>";
        assert_eq!(read(bomb.as_bytes()).unwrap().title, "x y");
        let deep = format!("<rss><channel>{}", "<a>".repeat(1_000_000));
        assert!(read(deep.as_bytes()).is_some());
    }

    #[test]
    fn dates_and_lengths_are_read_as_feeds_have_them() {
        for text in [
            "Sat, 01 Mar 2025 10:00:00 GMT",
            "Mon, 1 Mar 2025 10:00 +0000",
            "2025-03-01T10:00:00Z",
            "1 Mar 2025 05:00:00 EST",
        ] {
            assert_eq!(date(text), Some(1_740_823_200_000), "{text}");
        }
        assert_eq!((date("2025-03-01"), date("soon"), date("")), (Some(1_740_787_200_000), None, None));
        for (text, wanted) in [("90", 90.0), ("1:30", 90.0), ("01:00:00", 3600.0), (" 12.5 ", 12.5)] {
            assert_eq!(seconds(text), Some(wanted), "{text}");
        }
        for text in ["", "x", "1:2:3:4", "-5", "1e300", "inf", "NaN"] {
            assert_eq!(seconds(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_are_read(bytes in proptest::collection::vec(any::<u8>(), 0..300), at in 0..2000_usize) {
            let _ = read(&bytes);
            let mut spoiled = RSS.as_bytes().to_vec();
            let at = at.min(spoiled.len());
            spoiled.splice(at..at, bytes);
            let _ = read(&spoiled);
        }
    }
}
