//! Manifests: of an EPUB, its files and contents; of comics and PDFs, their pages.
use axum::Extension;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use percent_encoding::{AsciiSet, CONTROLS, utf8_percent_encode};
use serde_json::{Map, Value, json};

use super::super::{dates, shapes};
use super::{address, file_of, outline, profile};
use crate::accounts::Caller;
use crate::catalog::Listed;
use crate::catalog::shelves::{ShelfBook, ShelfSeries};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, SeenItem};
use crate::facades::native::pages::pages_of;
use crate::facades::proxies::Front;
use crate::media::book::{EpubFile, MediaProfile, Outline, Page, PictureType, TocEntry};

const WEBPUB: &str = "application/webpub+json";
const DIVINA: &str = "application/divina+json";
const CONTEXT: &str = "https://readium.org/webpub-manifest/context.jsonld";
/// What a path keeps as it is (RFC 3986, 3.3).
const PATH: &AsciiSet = &CONTROLS
    .add(b' ')
    .add(b'"')
    .add(b'#')
    .add(b'<')
    .add(b'>')
    .add(b'?')
    .add(b'`')
    .add(b'{')
    .add(b'}')
    .add(b'%')
    .add(b'[')
    .add(b']')
    .add(b'^')
    .add(b'|')
    .add(b'\\');
/// Roles that a manifest has a field for; all others are contributors.
const ROLES: &[(&str, &[&str])] = &[
    ("author", &["author"]),
    ("translator", &["translator"]),
    ("editor", &["editor"]),
    ("artist", &["artist"]),
    ("illustrator", &["illustrator"]),
    ("letterer", &["letterer"]),
    ("penciler", &["penciler", "penciller"]),
    ("colorist", &["colorist"]),
    ("inker", &["inker"]),
];

/// What a manifest is made of.
struct Scene {
    book: ShelfBook,
    series: ShelfSeries,
    api: String,
}

impl Scene {
    async fn of(app: &App, caller: &Caller, item: &Listed, front: Option<&Front>) -> Result<Self, Refusal> {
        let catalog = app.node().catalog();
        let book = catalog.one_book(&item.item.id, caller.id()).await?;
        let series = catalog.one_series(&book.series, caller.id()).await?;
        Ok(Self { book, series, api: address(front) })
    }

    fn link(&self, rest: &str) -> String {
        format!("{}/books/{}/{rest}", self.api, self.book.id)
    }

    fn resource(&self, name: &str) -> String {
        let (name, place) = name.split_once('#').map_or((name, None), |(name, place)| (name, Some(place)));
        let place = place.map(|place| format!("#{place}")).unwrap_or_default();
        format!("{}{place}", self.link(&format!("resource/{}", utf8_percent_encode(name, PATH))))
    }

    fn thumbnail(&self) -> Value {
        link(self.link("thumbnail"), "image/jpeg")
    }

    /// All that is the same whatever the book is.
    fn publication(&self, conforms: &str, kind: &str) -> Map<String, Value> {
        let mut links = vec![link(self.link("manifest"), kind)];
        links[0]["rel"] = "self".into();
        let pages = profile(&self.book) == Some(MediaProfile::Pdf) || self.book.divina_compatible;
        if pages {
            links.push(link(self.link("manifest/divina"), DIVINA));
        }
        let empty = || json!([]);
        let publication = json!({
            "context": CONTEXT,
            "metadata": self.metadata(conforms),
            "links": links,
            "images": [self.thumbnail()],
            "readingOrder": empty(),
            "resources": [self.thumbnail()],
            "toc": empty(),
            "landmarks": empty(),
            "pageList": empty(),
        });
        if let Value::Object(fields) = publication { fields } else { Map::new() }
    }

    fn metadata(&self, conforms: &str) -> Value {
        let book = &self.book;
        let text = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
        let mut metadata = json!({
            "title": book.title,
            "identifier": text(&book.isbn).map(|isbn| format!("urn:isbn:{isbn}")),
            "type": "http://schema.org/Book",
            "conformsTo": conforms,
            "sortAs": null,
            "subtitle": null,
            "modified": dates::instant(book.changed_at),
            "published": book.released.clone().filter(|date| date.len() == 10),
            "language": text(&self.series.language),
            "publisher": text(&self.series.publisher).into_iter().collect::<Vec<_>>(),
            "subject": book.tags,
            "readingProgression": direction(&self.series.direction),
            "description": text(&book.summary),
            "numberOfPages": book.pages,
            "belongsTo": {
                "series": [{"name": book.series_title, "position": book.number_sort, "links": []}],
                "collection": [],
            },
            "rendition": {},
        });
        for (field, roles) in ROLES {
            let names: Vec<&str> =
                book.authors.iter().filter(|a| roles.contains(&a.role.as_str())).map(|a| a.name.as_str()).collect();
            metadata[*field] = names.into();
        }
        let known = |role: &str| ROLES.iter().any(|(_, roles)| roles.contains(&role));
        let others: Vec<&str> = book.authors.iter().filter(|a| !known(&a.role)).map(|a| a.name.as_str()).collect();
        metadata["contributor"] = others.into();
        metadata
    }

    fn file(&self, file: &EpubFile) -> Value {
        link(self.resource(&file.name), &file.media_type)
    }

    fn entry(&self, entry: &TocEntry) -> Value {
        let href = entry.href.as_deref().map(|href| self.resource(href));
        let children: Vec<Value> = entry.children.iter().map(|child| self.entry(child)).collect();
        json!({"title": entry.title, "href": href, "children": children, "alternate": [], "properties": {}})
    }

    fn page(&self, page: &Page) -> Value {
        let place = self.link(&format!("pages/{}?contentNegotiation=false", page.number));
        let mut shape = link(place.clone(), page.media_type.media_type());
        (shape["width"], shape["height"]) = (page.width.into(), page.height.into());
        if !matches!(page.media_type, PictureType::Jpeg | PictureType::Png | PictureType::Gif) {
            let mut other = link(format!("{place}&convert=jpeg"), "image/jpeg");
            (other["width"], other["height"]) = (page.width.into(), page.height.into());
            shape["alternate"] = json!([other]);
        }
        shape
    }
}

fn link(href: String, kind: &str) -> Value {
    json!({"href": href, "type": kind, "alternate": [], "children": [], "properties": {}})
}

fn direction(word: &str) -> Option<&'static str> {
    match shapes::direction(word) {
        "LEFT_TO_RIGHT" => Some("ltr"),
        "RIGHT_TO_LEFT" => Some("rtl"),
        "VERTICAL" | "WEBTOON" => Some("ttb"),
        _ => None,
    }
}

fn answer(publication: Map<String, Value>, kind: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], Value::Object(publication).to_string()).into_response()
}

/// The manifest that fits the book best.
pub(in crate::facades) async fn any(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    front: Option<Extension<Front>>,
) -> Result<Response, Refusal> {
    let scene = Scene::of(&app, &caller, &item, front.as_deref()).await?;
    match profile(&scene.book).ok_or_else(|| Refusal::absent("this book could not be read"))? {
        MediaProfile::Divina => of_pages(&app, &scene, &item).await,
        MediaProfile::Pdf => of_pdf(&scene, &item),
        MediaProfile::Epub => of_epub(&app, &scene, &item).await,
    }
}

/// As pictures.
pub(in crate::facades) async fn divina(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    front: Option<Extension<Front>>,
) -> Result<Response, Refusal> {
    of_pages(&app, &Scene::of(&app, &caller, &item, front.as_deref()).await?, &item).await
}

/// As an EPUB; 400 for what is none.
pub(in crate::facades) async fn epub(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    front: Option<Extension<Front>>,
) -> Result<Response, Refusal> {
    of_epub(&app, &Scene::of(&app, &caller, &item, front.as_deref()).await?, &item).await
}

/// As a PDF; 400 for what is none.
pub(in crate::facades) async fn pdf(
    State(app): State<App>,
    Asker(caller): Asker,
    SeenItem(item): SeenItem,
    front: Option<Extension<Front>>,
) -> Result<Response, Refusal> {
    of_pdf(&Scene::of(&app, &caller, &item, front.as_deref()).await?, &item)
}

async fn of_pages(app: &App, scene: &Scene, item: &Listed) -> Result<Response, Refusal> {
    file_of(item)?;
    let (_, pages) = pages_of(app, item).await.map_err(Refusal::as_absent)?;
    let mut publication = scene.publication("https://readium.org/webpub-manifest/profiles/divina", DIVINA);
    publication.insert("readingOrder".into(), pages.iter().map(|page| scene.page(page)).collect());
    Ok(answer(publication, DIVINA))
}

fn of_pdf(scene: &Scene, item: &Listed) -> Result<Response, Refusal> {
    file_of(item)?;
    if profile(&scene.book) != Some(MediaProfile::Pdf) {
        return Err(Refusal::invalid("profile: this book is no PDF"));
    }
    let mut publication = scene.publication("https://readium.org/webpub-manifest/profiles/pdf", WEBPUB);
    // Pages of a PDF are pictures here, whole or raw.
    let pages = (1..=scene.book.pages).map(|number| link(scene.link(&format!("pages/{number}/raw")), "image/jpeg"));
    publication.insert("readingOrder".into(), pages.collect());
    Ok(answer(publication, WEBPUB))
}

async fn of_epub(app: &App, scene: &Scene, item: &Listed) -> Result<Response, Refusal> {
    let (_, outline) = outline(app, item).await?;
    let Outline { fixed_layout, spine, resources, toc, landmarks, page_list } = &*outline;
    let mut publication = scene.publication("https://readium.org/webpub-manifest/profiles/epub", WEBPUB);
    let layout = if *fixed_layout { "fixed" } else { "reflowable" };
    publication["metadata"]["rendition"] = json!({"layout": layout});
    let entries = |list: &[TocEntry]| list.iter().map(|entry| scene.entry(entry)).collect::<Value>();
    let others = resources.iter().map(|file| scene.file(file));
    for (field, value) in [
        ("readingOrder", spine.iter().map(|file| scene.file(file)).collect()),
        ("resources", [scene.thumbnail()].into_iter().chain(others).collect()),
        ("toc", entries(toc)),
        ("landmarks", entries(landmarks)),
        ("pageList", entries(page_list)),
    ] {
        publication.insert(field.into(), value);
    }
    Ok(answer(publication, WEBPUB))
}
