//! Atom feeds as OPDS 1.2 has them, with the page streaming extension (PSE 1.1).
//!
//! Atom's namespace is the default one and has no prefix: KOReader looks for plain names.
use std::fmt::Write as _;

use axum::http::header;
use axum::response::{IntoResponse, Response};
use quick_xml::escape::escape;

use crate::facades::komga::base::Base;
use crate::facades::komga::dates;

/// A feed whose entries lead to other feeds.
pub(super) const NAVIGATION: &str = "application/atom+xml;profile=opds-catalog;kind=navigation";
/// A feed whose entries are books.
pub(super) const ACQUISITION: &str = "application/atom+xml;profile=opds-catalog;kind=acquisition";
/// A description of a search.
pub(super) const SEARCH: &str = "application/opensearchdescription+xml";

/// A link of a feed or an entry.
#[derive(Debug, Clone, Default)]
pub(in crate::facades) struct Link {
    pub rel: &'static str,
    /// Media type.
    pub kind: String,
    /// A path of the API.
    pub href: String,
    /// Further attributes.
    pub more: Vec<(&'static str, String)>,
}

impl Link {
    pub fn new(rel: &'static str, kind: &str, href: impl Into<String>) -> Self {
        Self { rel, kind: kind.to_owned(), href: href.into(), more: Vec::new() }
    }

    fn write(&self, base: &Base, out: &mut String) {
        let (kind, href) = (escape(&self.kind), base.path(&self.href));
        let _ = write!(out, "<link rel=\"{}\" type=\"{kind}\" href=\"{}\"", self.rel, escape(&href));
        for (name, value) in &self.more {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
        }
        out.push_str("/>");
    }
}

/// What is in a feed.
#[derive(Debug, Clone, Default)]
pub(in crate::facades) struct Entry {
    pub id: String,
    pub title: String,
    /// Unix milliseconds.
    pub updated: i64,
    pub summary: String,
    pub authors: Vec<String>,
    pub links: Vec<Link>,
}

impl Entry {
    fn write(&self, base: &Base, out: &mut String) {
        let _ = write!(
            out,
            "<entry><id>{}</id><title>{}</title><updated>{}</updated>",
            escape(&self.id),
            plain(&self.title),
            dates::instant(self.updated)
        );
        for author in &self.authors {
            let _ = write!(out, "<author><name>{}</name></author>", plain(author));
        }
        let _ = write!(out, "<content type=\"text\">{}</content>", plain(&self.summary));
        self.links.iter().for_each(|link| link.write(base, out));
        out.push_str("</entry>");
    }
}

/// A feed.
#[derive(Debug, Clone, Default)]
pub(in crate::facades) struct Feed {
    /// Where the paths of its links begin.
    pub base: Base,
    pub id: String,
    pub title: String,
    pub links: Vec<Link>,
    pub entries: Vec<Entry>,
}

impl Feed {
    fn text(&self) -> String {
        let updated = self.entries.iter().map(|entry| entry.updated).max().unwrap_or_default();
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
        let _ = write!(
            out,
            "<feed xmlns=\"http://www.w3.org/2005/Atom\" xmlns:pse=\"http://vaemendis.net/opds-pse/ns\"><id>{}</id>\
            <title>{}</title><updated>{}</updated><author><name>Potluck</name></author>",
            escape(&self.id),
            plain(&self.title),
            dates::instant(updated)
        );
        self.links.iter().for_each(|link| link.write(&self.base, &mut out));
        self.entries.iter().for_each(|entry| entry.write(&self.base, &mut out));
        out.push_str("</feed>\n");
        out
    }
}

impl IntoResponse for Feed {
    fn into_response(self) -> Response {
        ([(header::CONTENT_TYPE, "application/atom+xml;charset=utf-8")], self.text()).into_response()
    }
}

/// Escaped, without the letters that XML 1.0 cannot hold.
fn plain(text: &str) -> String {
    let letters: String = text.chars().filter(|c| !c.is_control() || matches!(c, '\t' | '\n')).collect();
    escape(&letters).into_owned()
}

/// How a program asks for series by words (OpenSearch 1.1).
pub(super) fn search(template: &str) -> Response {
    let text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<OpenSearchDescription xmlns=\"http://a9.com/-/spec/opensearch/1.1/\">\
        <ShortName>Search</ShortName><Description>Search for series</Description><InputEncoding>UTF-8</InputEncoding>\
        <OutputEncoding>UTF-8</OutputEncoding><Url type=\"{ACQUISITION}\" template=\"{}\"/></OpenSearchDescription>\n",
        escape(template)
    );
    ([(header::CONTENT_TYPE, SEARCH)], text).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_titles_hold_does_no_harm_and_braces_of_an_address_stay() {
        let link = Link::new("x", "a/b", "/p/{pageNumber}?a=1&b=\"2\"");
        let entry = Entry { title: "<b>\u{0}&\u{b}".into(), links: vec![link], ..Entry::default() };
        let text = Feed { entries: vec![entry], ..Feed::default() }.text();
        assert!(text.contains("<title>&lt;b&gt;&amp;</title>"), "{text}");
        assert!(text.contains("href=\"/komga/p/{pageNumber}?a=1&amp;b=&quot;2&quot;\""), "{text}");
    }
}
