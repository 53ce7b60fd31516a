//! OPDS 1.2 as KOReader and Panels walk through it: by links alone, from the start to a page.
use std::collections::BTreeMap;

use quick_xml::Reader as Xml;
use quick_xml::events::Event;
use reqwest::Method;
use serde_json::json;

use super::{Reader, scene, series_id};
use crate::comics::page;

/// An element of a feed that is read: its links by what they lead to, with all their attributes.
#[derive(Debug, Default)]
struct Part {
    title: String,
    links: Vec<BTreeMap<String, String>>,
}

impl Part {
    fn link(&self, rel: &str) -> &BTreeMap<String, String> {
        let found = self.links.iter().find(|link| link["rel"] == rel);
        found.unwrap_or_else(|| panic!("no link {rel} in {self:#?}"))
    }
}

/// A feed and its entries, read as KOReader does: by plain names, without namespaces.
fn parse(text: &str) -> (Part, Vec<Part>) {
    let (mut feed, mut entries, mut inside, mut xml) = (Part::default(), Vec::new(), None, Xml::from_str(text));
    let mut title = false;
    loop {
        match xml.read_event().unwrap() {
            Event::Start(tag) if tag.name().as_ref() == "entry" => inside = Some(Part::default()),
            Event::End(tag) if tag.name().as_ref() == "entry" => entries.push(inside.take().unwrap()),
            Event::Start(tag) if tag.name().as_ref() == "title" => title = true,
            Event::End(tag) if tag.name().as_ref() == "title" => title = false,
            Event::Text(words) if title => {
                inside.as_mut().unwrap_or(&mut feed).title.push_str(&words);
            }
            Event::Empty(tag) if tag.name().as_ref() == "link" => {
                let attributes = tag.attributes().map(|attribute| {
                    let attribute = attribute.unwrap();
                    let value = quick_xml::escape::unescape(&attribute.value).unwrap();
                    (attribute.key.as_ref().to_owned(), value.into_owned())
                });
                inside.as_mut().unwrap_or(&mut feed).links.push(attributes.collect());
            }
            Event::Eof => return (feed, entries),
            _ => {}
        }
    }
}

async fn feed(reader: &Reader, href: &str) -> (Part, Vec<Part>) {
    let answer = reader.get(reader.path(href)).await;
    assert_eq!(answer.status(), 200, "{href}");
    assert!(answer.headers()["content-type"].to_str().unwrap().starts_with("application/atom+xml"), "{href}");
    parse(&answer.text().await.unwrap())
}

/// The entry with this title, and the feed that it leads to.
async fn follow(reader: &Reader, entries: &[Part], title: &str) -> (Part, Vec<Part>) {
    let entry =
        entries.iter().find(|entry| entry.title == title).unwrap_or_else(|| panic!("no {title} in {entries:#?}"));
    feed(reader, &entry.link("subsection")["href"]).await
}

#[tokio::test]
async fn a_reader_finds_its_way_by_links_from_the_start_to_a_page_and_a_file() {
    let (node, reader) = scene().await;
    let (root, entries) = feed(&reader, "/opds/v1.2/catalog").await;
    assert_eq!(root.link("search")["type"], "application/opensearchdescription+xml");
    for entry in &entries {
        feed(&reader, &entry.link("subsection")["href"]).await;
    }
    let (_, series) = follow(&reader, &entries, "All series").await;
    let titles: Vec<&str> = series.iter().map(|entry| entry.title.as_str()).collect();
    assert_eq!(titles, ["Alone", "Étoile", "Saga"], "by title");
    let (_, books) = follow(&reader, &series, "Saga").await;
    assert_eq!(books.len(), 3);

    let (stream, file) =
        (books[0].link("http://vaemendis.net/opds-pse/stream"), books[0].link("http://opds-spec.org/acquisition"));
    assert_eq!((stream["pse:count"].as_str(), stream["type"].as_str()), ("3", "image/jpeg"));
    assert!(!stream.contains_key("pse:lastRead"), "nothing was read");
    // Pages of a stream count from 0.
    let first = stream["href"].replace("{pageNumber}", "0");
    assert_eq!(reader.get(reader.path(&first)).await.bytes().await.unwrap(), page(1));
    assert_eq!(file["type"], "application/zip");
    let head = reader.call(Method::HEAD, reader.path(&file["href"])).send().await.unwrap();
    assert_eq!(head.status(), 200);
    assert!(head.headers()["content-disposition"].to_str().unwrap().contains("Saga 1.cbz"));
    for rel in ["http://opds-spec.org/image", "http://opds-spec.org/image/thumbnail"] {
        let picture = reader.get(reader.path(&books[0].link(rel)["href"])).await;
        assert_eq!(picture.headers()["content-type"], "image/jpeg", "{rel}");
    }
    node.stop().await;
}

#[tokio::test]
async fn what_was_begun_is_kept_reading_and_pages_lead_to_each_other() {
    let (node, reader) = scene().await;
    let series = series_id(&reader, "Saga").await;
    let id = super::book_ids(&reader, &series).await.remove(0);
    let path = format!("/api/v1/books/{id}/read-progress");
    assert_eq!(reader.send(Method::PATCH, &path, &json!({"page": 2})).await.0, 204);
    let (_, begun) = feed(&reader, "/opds/v1.2/keep-reading").await;
    assert_eq!(begun.len(), 1);
    assert_eq!(begun[0].link("http://vaemendis.net/opds-pse/stream")["pse:lastRead"], "2");

    let (first, entries) = feed(&reader, "/opds/v1.2/series?size=2").await;
    assert_eq!((entries.len(), first.links.iter().any(|link| link["rel"] == "previous")), (2, false));
    let (second, rest) = feed(&reader, &first.link("next")["href"]).await;
    assert_eq!(
        rest.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(),
        ["Saga"],
        "as many to a page as before"
    );
    let (back, _) = feed(&reader, &second.link("previous")["href"]).await;
    assert_eq!(back.link("next"), first.link("next"));
    let (found, _) = feed(&reader, "/opds/v1.2/series?search=etoile").await;
    assert_eq!(found.links.iter().filter(|link| link["rel"] == "next").count(), 0);
    let (_, found) = feed(&reader, "/opds/v1.2/series?search=etoile").await;
    assert_eq!(found.iter().map(|entry| entry.title.as_str()).collect::<Vec<_>>(), ["Étoile"]);
    let bare = reader.bare(Method::GET, "/opds/v1.2/catalog").send().await.unwrap();
    assert_eq!(bare.status(), 200, "the cookie that the API gave is enough");
    node.account("out", Some(Vec::new())).await;
    let out = Reader::named(&node, "out");
    assert_eq!(out.status(&format!("/opds/v1.2/series/{series}")).await, 404);
    assert!(feed(&out, "/opds/v1.2/series").await.1.is_empty());
    node.stop().await;
}
