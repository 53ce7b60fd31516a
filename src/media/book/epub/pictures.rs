//! The pages of an EPUB whose documents are nothing but pictures.
use super::super::markup;
use super::super::pages::Entry;
use super::super::picture::PictureType;
use super::{EpubFile, Files, Read, links};

/// Bytes of a document that is only the frame of a picture. Larger ones have text in them.
const FRAME_MAX: u64 = 64 * 1024;

/// The picture of each document in reading order; `None` as soon as one is not a single picture, which for a novel is
/// the first or second.
pub(super) fn of_spine<'a>(spine: &[EpubFile], files: &Files<'a>, read: Read) -> Option<Vec<&'a Entry>> {
    spine.iter().map(|document| picture_of(document, files, read)).collect()
}

fn picture_of<'a>(document: &EpubFile, files: &Files<'a>, read: Read) -> Option<&'a Entry> {
    let entry = files.get(document.name.as_str())?;
    if is_picture(entry) {
        return Some(entry);
    }
    if document.size > FRAME_MAX {
        return None;
    }
    let link = only_picture(&markup::decode(&read(entry).ok()?))?;
    files.get(links::resolve(&document.name, &link).as_str()).copied().filter(|entry| is_picture(entry))
}

fn is_picture(entry: &Entry) -> bool {
    PictureType::of_name(&entry.name).is_some() && !entry.encrypted
}

/// The link of the only picture in a document without text.
fn only_picture(document: &str) -> Option<String> {
    let (mut found, mut has_text) = (Vec::new(), false);
    markup::walk(document, |element, above| {
        let link = match element.name.as_str() {
            "img" => element.attribute("src"),
            "image" => element.attribute("href"),
            _ => None,
        };
        found.extend(link.map(str::to_owned));
        let shown = above.iter().chain([element]).any(|open| open.name == "body")
            && !["script", "style", "title", "desc"].contains(&element.name.as_str());
        has_text |= shown && element.line().is_some();
    });
    if has_text || found.len() != 1 { None } else { found.pop() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_picture_and_no_text_is_a_page() {
        let told = |body: &str| only_picture(&format!("<html><head><title>T</title></head><body>{body}</body></html>"));
        assert_eq!(told("<p> <img src='1.png' alt='x'/> </p>").as_deref(), Some("1.png"));
        assert_eq!(told("<svg><title>t</title><image xlink:href='1.png'/></svg>").as_deref(), Some("1.png"));
        assert_eq!(told("<img src='1.png'/><p>&#65;</p>"), None);
        assert_eq!(told("<img src='1.png'/><img src='1.png'/>"), None);
        assert_eq!(told(""), None);
    }
}
