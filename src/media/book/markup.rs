//! XML that strangers wrote, read leniently and within limits: what can be read of a broken or endless document is used.
//!
//! Entities that a document defines are not known here, so that none can grow.
use encoding_rs::{Encoding, UTF_8, UTF_16BE, UTF_16LE, WINDOWS_1252};
use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, escape};

/// Open elements at a time.
const DEPTH_MAX: usize = 64;
/// Elements of a document.
const ELEMENTS_MAX: usize = 200_000;
/// Attributes of an element.
const ATTRIBUTES_MAX: usize = 32;
/// Bytes of an element's text, and of an attribute.
const TEXT_MAX: usize = 64 * 1024;

/// An element whose end was reached. Names are without prefixes.
pub struct Element {
    pub name: String,
    /// What stands before the colon of its name; empty for none.
    pub prefix: String,
    attributes: Vec<(String, String)>,
    /// Its own text, without that of elements in it.
    pub text: String,
}

impl Element {
    /// The attribute's value, trimmed; `None` where it is empty.
    #[must_use]
    pub fn attribute(&self, name: &str) -> Option<&str> {
        let found = self.attributes.iter().find(|(own, _)| own == name)?;
        Some(found.1.trim()).filter(|value| !value.is_empty())
    }

    /// The text in one line; `None` where there is none.
    #[must_use]
    pub fn line(&self) -> Option<String> {
        let words: Vec<&str> = self.text.split_whitespace().collect();
        Some(words.join(" ")).filter(|line| !line.is_empty())
    }
}

/// Calls `visit` with each element at its end and with those that it is in, the root first.
pub fn walk(text: &str, mut visit: impl FnMut(&Element, &[Element])) {
    let mut reader = Reader::from_str(text);
    let config = reader.config_mut();
    config.allow_dangling_amp = true;
    config.allow_unmatched_ends = true;
    config.check_end_names = false;
    config.expand_empty_elements = true;
    let mut open: Vec<Element> = Vec::new();
    let mut elements = 0;
    loop {
        match reader.read_event() {
            Ok(Event::Start(tag)) => {
                elements += 1;
                if open.len() >= DEPTH_MAX || elements > ELEMENTS_MAX {
                    break;
                }
                open.push(element(&tag));
            }
            Ok(Event::End(_)) => close(&mut open, &mut visit),
            Ok(Event::Text(part)) => add(&mut open, &part.xml10_content()),
            Ok(Event::CData(part)) => add(&mut open, &part.xml10_content()),
            Ok(Event::GeneralRef(reference)) => match reference.resolve_char_ref() {
                Ok(Some(letter)) => add(&mut open, letter.encode_utf8(&mut [0; 4])),
                _ => add(&mut open, escape::resolve_predefined_entity(&reference.xml10_content()).unwrap_or(" ")),
            },
            Ok(Event::Eof) | Err(_) => break,
            Ok(_) => {}
        }
    }
    while !open.is_empty() {
        close(&mut open, &mut visit);
    }
}

fn element(tag: &BytesStart) -> Element {
    let mut attributes = tag.html_attributes();
    let attributes = attributes.with_checks(false).flatten().take(ATTRIBUTES_MAX);
    let attributes = attributes.filter(|attribute| attribute.value.len() <= TEXT_MAX).map(|attribute| {
        let value = escape::unescape(&attribute.value).map_or_else(|_| attribute.value.to_string(), Into::into);
        (attribute.key.local_name().as_ref().to_owned(), value)
    });
    let prefix = tag.name().prefix().map(|prefix| prefix.as_ref().to_owned()).unwrap_or_default();
    let name = tag.local_name().as_ref().to_owned();
    Element { name, prefix, attributes: attributes.collect(), text: String::new() }
}

fn add(open: &mut [Element], text: &str) {
    if let Some(element) = open.last_mut() {
        let room = TEXT_MAX.saturating_sub(element.text.len());
        element.text.push_str(&text[..text.floor_char_boundary(room)]);
    }
}

fn close(open: &mut Vec<Element>, visit: &mut impl FnMut(&Element, &[Element])) {
    if let Some(element) = open.pop() {
        visit(&element, open);
    }
}

/// A document's bytes as text: by its mark, as UTF-8 where it is that, else by the encoding that it declares.
#[must_use]
pub fn decode(bytes: &[u8]) -> String {
    let encoding = match Encoding::for_bom(bytes) {
        Some((marked, _)) => marked,
        None if bytes.starts_with(b"<\0") => UTF_16LE,
        None if bytes.starts_with(b"\0<") => UTF_16BE,
        None if std::str::from_utf8(bytes).is_ok() => UTF_8,
        None => declared(bytes).unwrap_or(WINDOWS_1252),
    };
    encoding.decode(bytes).0.into_owned()
}

fn declared(bytes: &[u8]) -> Option<&'static Encoding> {
    let head = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]);
    let (_, after) = head.split_once("encoding=")?;
    let label = after.get(1..)?.split(['"', '\'']).next()?;
    Encoding::for_label(label.as_bytes())
}

/// The text of a piece of HTML, such as a description, in one line for each paragraph. Text without tags keeps its lines.
#[must_use]
pub fn plain(html: &str) -> String {
    let mut parts = html.split('<');
    let mut text = parts.next().unwrap_or_default().to_owned();
    let mut tagged = false;
    for part in parts {
        let Some((tag, after)) = part.split_once('>') else {
            text.extend(["<", part]);
            continue;
        };
        if !tagged {
            (text, tagged) = (text.replace('\n', " "), true);
        }
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap_or_default();
        let breaks = ["p", "br", "div", "li"].iter().any(|tag| name.eq_ignore_ascii_case(tag));
        text.extend([if breaks { "\n" } else { "" }, &after.replace('\n', " ")]);
    }
    let text = escape::unescape(&text).map_or_else(|_| text.clone(), Into::into);
    let lines = text.lines().map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "));
    lines.filter(|line| !line.is_empty()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn told(text: &str) -> Vec<String> {
        let mut found = Vec::new();
        walk(text, |element, above| {
            let path: Vec<&str> = above.iter().map(|open| open.name.as_str()).collect();
            found.push(format!("{}/{}={}", path.join("/"), element.name, element.line().unwrap_or_default()));
        });
        found
    }

    #[test]
    fn elements_are_told_at_their_end() {
        let text = "<?xml version='1.0'?><!DOCTYPE a><a>x<b:c d:e='1 &amp; 2'/> &#233;&lt;<![CDATA[<y>]]></a>";
        assert_eq!(told(text), ["a/c=", "/a=x é<<y>"]);
        walk(text, |element, _| {
            assert_eq!(element.attribute("e"), (element.name == "c").then_some("1 & 2"));
        });
    }

    #[test]
    fn entities_of_the_document_do_not_grow() {
        let text = "<!DOCTYPE a [<!ENTITY b 'bbbbbbbb'><!ENTITY c '&b;&b;&b;'>]><a>&c;&c;</a>";
        assert_eq!(told(text), ["/a="]);
    }

    #[test]
    fn limits_end_it_quietly() {
        assert_eq!(told(&"<a>".repeat(100_000)).len(), DEPTH_MAX);
        assert_eq!(told(&format!("<r>{}", "<a/>".repeat(ELEMENTS_MAX + 10))).len(), ELEMENTS_MAX);
        assert_eq!(told(&format!("<a>{}é", "é".repeat(TEXT_MAX)))[0].len(), TEXT_MAX + 3);
        assert_eq!(told("<a><b>kept</b><c>cut of"), ["a/b=kept", "a/c=cut of", "/a="]);
    }

    #[test]
    fn other_encodings_are_read() {
        let text = "<a>é</a>";
        let wide: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        assert_eq!(decode(&wide), text);
        assert_eq!(decode(&[&[0xff, 0xfe][..], &wide].concat()), text);
        assert_eq!(decode(&[&[0xef, 0xbb, 0xbf], text.as_bytes()].concat()), text);
        assert_eq!(decode(b"<?xml encoding='koi8-r'?>\xc1"), "<?xml encoding='koi8-r'?>а");
        assert_eq!(decode(b"<a>\xe9</a>"), text);
    }

    #[test]
    fn a_description_loses_its_tags() {
        assert_eq!(plain("<p>One <b>two</b> &amp;\n three</p><p>four<br/>five</p>"), "One two & three\nfour\nfive");
        assert_eq!(plain("1 < 2 &unknown; \n next"), "1 < 2 &unknown;\nnext");
    }

    proptest! {
        #[test]
        fn no_text_is_too_strange(text in "(<|</|/>|>|&|&#|;|a|<a b='|'|<!--|<!\\[CDATA\\[|]]>|<!DOCTYPE|<\\?|\\PC){0,60}") {
            walk(&text, |_, _| {});
            let _ = plain(&text);
        }

        #[test]
        fn any_bytes_are_text(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            walk(&decode(&bytes), |_, _| {});
        }
    }
}
