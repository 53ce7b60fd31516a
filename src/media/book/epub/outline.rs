//! All that a program needs which shows an EPUB itself: its files, their order, and the contents (EPUB 3.3, section 7; NCX 2005-1).
use std::collections::HashSet;

use super::super::markup::{self, Element};
use super::super::pages::Entry;
use super::package::{Item, Package};
use super::{BookError, EpubFile, Files, Read, epub_file, links, package_name};

/// Entries of the contents at most.
const ENTRIES_MAX: usize = 20_000;

/// What is in an EPUB, by names in the archive.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Outline {
    /// Its pages are laid out beforehand.
    pub fixed_layout: bool,
    /// Documents in reading order.
    pub spine: Vec<EpubFile>,
    /// The other files of its manifest.
    pub resources: Vec<EpubFile>,
    /// The contents.
    pub toc: Vec<TocEntry>,
    /// Parts that have a name, such as the cover.
    pub landmarks: Vec<TocEntry>,
    /// Pages of the printed book.
    pub page_list: Vec<TocEntry>,
}

/// A line of the contents.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TocEntry {
    pub title: String,
    /// A name in the archive, and after `#` a place in it.
    pub href: Option<String>,
    pub children: Vec<TocEntry>,
}

impl Outline {
    /// A file of the book.
    #[must_use]
    pub fn file(&self, name: &str) -> Option<&EpubFile> {
        self.spine.iter().chain(&self.resources).find(|file| file.name == name)
    }
}

/// Reads the package and the contents.
pub(in crate::media::book) fn read(entries: &[Entry], read: Read) -> Result<Outline, BookError> {
    let files: Files = entries.iter().map(|entry| (entry.name.as_str(), entry)).collect();
    let name = package_name(&files, read)?;
    let package = files.get(name.as_str()).ok_or(BookError::Broken("its package document is missing"))?;
    let package = Package::parse(&markup::decode(&read(package)?));
    let found = |item: &Item| files.get(links::resolve(&name, &item.href).as_str()).map(|entry| epub_file(entry, item));
    let spine = package.spine().filter_map(|(item, linear)| found(item).map(|file| EpubFile { linear, ..file }));
    let mut outline =
        Outline { fixed_layout: package.epub().fixed_layout, spine: spine.collect(), ..Outline::default() };
    let mut seen: HashSet<String> = outline.spine.iter().map(|file| file.name.clone()).collect();
    outline.resources = package.items().filter_map(found).filter(|file| seen.insert(file.name.clone())).collect();
    let document = |item: &Item| {
        let name = links::resolve(&name, &item.href);
        let text = markup::decode(&read(files.get(name.as_str())?).ok()?);
        Some((name, text))
    };
    // What is wrong with the contents is wrong with them alone.
    if let Some((name, text)) = package.navigation().and_then(document) {
        [outline.toc, outline.landmarks, outline.page_list] =
            ["toc", "landmarks", "page-list"].map(|kind| navigation(&text, &name, kind));
    }
    if outline.toc.is_empty()
        && let Some((name, text)) = package.ncx().and_then(document)
    {
        outline.toc = ncx(&text, &name);
    }
    Ok(outline)
}

/// A tree while it is read: an element is seen at its end, so what is in it comes before it.
#[derive(Default)]
struct Tree {
    open: Vec<TocEntry>,
    done: Vec<TocEntry>,
    entries: usize,
}

impl Tree {
    /// The entry at this depth that is not ended yet.
    fn at(&mut self, depth: usize) -> &mut TocEntry {
        if self.open.len() <= depth {
            self.open.resize_with(depth + 1, TocEntry::default);
        }
        &mut self.open[depth]
    }

    fn end(&mut self, depth: usize) {
        let entry = std::mem::take(self.at(depth));
        self.entries += 1;
        if self.entries > ENTRIES_MAX || entry == TocEntry::default() {
            return;
        }
        match depth.checked_sub(1) {
            Some(above) => self.at(above).children.push(entry),
            None => self.done.push(entry),
        }
    }
}

fn depth(above: &[Element], name: &str) -> usize {
    above.iter().filter(|open| open.name == name).count()
}

/// The list of this kind in a navigation document.
fn navigation(text: &str, name: &str, kind: &str) -> Vec<TocEntry> {
    let mut tree = Tree::default();
    markup::walk(text, |element, above| {
        let of_kind =
            |open: &Element| open.attribute("type").is_some_and(|types| types.split(' ').any(|one| one == kind));
        if !above.iter().any(|open| open.name == "nav" && of_kind(open)) {
            return;
        }
        let depth = depth(above, "li");
        match element.name.as_str() {
            "li" => tree.end(depth),
            "a" | "span" if depth > 0 => {
                let entry = tree.at(depth - 1);
                if entry.title.is_empty() {
                    entry.title = element.line().unwrap_or_default();
                }
                if let Some(href) = element.attribute("href") {
                    entry.href = Some(target(name, href));
                }
            }
            _ => {}
        }
    });
    tree.done
}

/// The contents of an EPUB 2.
fn ncx(text: &str, name: &str) -> Vec<TocEntry> {
    let mut tree = Tree::default();
    markup::walk(text, |element, above| {
        let depth = depth(above, "navPoint");
        match element.name.as_str() {
            "navPoint" => tree.end(depth),
            "text" if depth > 0 => tree.at(depth - 1).title = element.line().unwrap_or_default(),
            "content" if depth > 0 => {
                tree.at(depth - 1).href = element.attribute("src").map(|href| target(name, href));
            }
            _ => {}
        }
    });
    tree.done
}

fn target(base: &str, link: &str) -> String {
    let name = if link.starts_with('#') { base.to_owned() } else { links::resolve(base, link) };
    match link.split_once('#') {
        Some((_, fragment)) if !fragment.is_empty() => format!("{name}#{fragment}"),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn titles(entries: &[TocEntry]) -> Vec<(&str, Option<&str>, usize)> {
        entries.iter().map(|entry| (&*entry.title, entry.href.as_deref(), entry.children.len())).collect()
    }

    #[test]
    fn the_contents_of_both_versions_are_a_tree() {
        let nav = r##"<html><body><nav epub:type="toc"><ol><li><a href="a.xhtml">One</a><ol><li><a href="a.xhtml#s">Within</a></li></ol></li>
            <li><span>Part</span></li></ol></nav><nav epub:type="landmarks"><ol><li><a href="../c.xhtml">Cover</a></li></ol></nav></body></html>"##;
        let toc = navigation(nav, "OEBPS/nav.xhtml", "toc");
        assert_eq!(titles(&toc), [("One", Some("OEBPS/a.xhtml"), 1), ("Part", None, 0)]);
        assert_eq!(titles(&toc[0].children), [("Within", Some("OEBPS/a.xhtml#s"), 0)]);
        assert_eq!(titles(&navigation(nav, "OEBPS/nav.xhtml", "landmarks")), [("Cover", Some("c.xhtml"), 0)]);
        let old = r#"<ncx><navMap><navPoint><navLabel><text>One</text></navLabel><content src="a.xhtml"/>
            <navPoint><navLabel><text>Within</text></navLabel><content src="a%20b.xhtml#s"/></navPoint></navPoint></navMap></ncx>"#;
        let toc = ncx(old, "toc.ncx");
        assert_eq!(titles(&toc), [("One", Some("a.xhtml"), 1)]);
        assert_eq!(titles(&toc[0].children), [("Within", Some("a b.xhtml#s"), 0)]);
    }

    #[test]
    fn contents_that_make_no_sense_are_none() {
        for text in ["", "<nav epub:type='toc'>", "<nav epub:type='toc'><ol><li></li></ol></nav>", "<navPoint/>"] {
            assert!(navigation(text, "n", "toc").is_empty() && ncx(text, "n").is_empty(), "{text}");
        }
    }
}
