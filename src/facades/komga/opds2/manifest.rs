//! Manifests of Readium, by which a program reads a book in place: pictures in their order, or the file of a PDF. An EPUB is taken
//! whole: what is said of it is its publication.
use axum::extract::State;
use axum::response::Response;
use serde_json::{Map, Value, json};

use super::feed::{DIVINA, Link, PUBLICATION, WEBPUB, as_kind};
use super::publication::{file, has_pages, images, links, metadata, of_book, profile, publication};
use crate::accounts::Caller;
use crate::catalog::Listed;
use crate::catalog::shelves::ShelfBook;
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, SeenItem};
use crate::facades::komga::base::Base;
use crate::facades::komga::pages::readable;
use crate::media::book::{MediaProfile, Page, PictureType};

/// What a manifest is made of.
struct Seen {
    app: App,
    caller: Caller,
    base: Base,
    item: std::sync::Arc<Listed>,
    book: ShelfBook,
}

impl Seen {
    async fn of(
        State(app): State<App>,
        Asker(caller): Asker,
        SeenItem(item): SeenItem,
        base: Base,
    ) -> Result<Self, Refusal> {
        let book = app.node().catalog().one_book(&item.item.id, caller.id()).await?;
        Ok(Self { app, caller, base, item, book })
    }

    /// With what its series says of how it is read.
    async fn metadata(&self, profile: &str) -> Result<Map<String, Value>, Refusal> {
        let series = self.app.node().catalog().one_series(&self.book.series, self.caller.id()).await?;
        let mut metadata = metadata(&self.base, &self.book);
        let conforms = format!("https://readium.org/webpub-manifest/profiles/{profile}");
        metadata.insert("conformsTo".to_owned(), conforms.into());
        if !series.language.is_empty() {
            metadata.insert("language".to_owned(), series.language.into());
        }
        let progression = match series.direction.as_str() {
            "vertical" | "webtoon" => "ttb",
            word => word,
        };
        if !progression.is_empty() {
            metadata.insert("readingProgression".to_owned(), progression.into());
        }
        Ok(metadata)
    }

    async fn made(&self, kind: &'static str, profile: &str, order: Vec<Link>) -> Result<Response, Refusal> {
        let manifest = json!({
            "@context": "https://readium.org/webpub-manifest/context.jsonld",
            "metadata": self.metadata(profile).await?,
            "links": links(&self.base, &self.book),
            "readingOrder": order,
            "resources": images(&self.base, &self.book),
        });
        Ok(as_kind(kind, &manifest))
    }

    async fn divina(&self) -> Result<Response, Refusal> {
        if !has_pages(&self.book) {
            return Err(Refusal::invalid("this book has no pages of its own"));
        }
        let (_, pages) = readable(&self.app, &self.item).await?;
        let order = pages.iter().map(|page| self.page(page)).collect();
        self.made(DIVINA, "divina", order).await
    }

    /// A page as it is, and as JPEG where not every reader shows it.
    fn page(&self, page: &Page) -> Link {
        let href = of_book(&self.base, &self.book, &format!("pages/{}?contentNegotiation=false", page.number));
        let link = |href, kind| Link { width: page.width, height: page.height, ..Link::to(href, kind) };
        let common = matches!(page.media_type, PictureType::Jpeg | PictureType::Png | PictureType::Gif);
        let jpeg = (!common).then(|| link(format!("{href}&convert=jpeg"), "image/jpeg"));
        Link { alternate: jpeg.into_iter().collect(), ..link(href, page.media_type.media_type()) }
    }

    async fn pdf(&self) -> Result<Response, Refusal> {
        readable(&self.app, &self.item).await?;
        self.made(WEBPUB, "pdf", vec![file(&self.base, &self.book)]).await
    }

    fn publication(&self) -> Response {
        as_kind(PUBLICATION, &publication(&self.base, &self.book))
    }
}

/// The one that suits the book best.
pub(in crate::facades) async fn show(
    app: State<App>,
    asker: Asker,
    item: SeenItem,
    base: Base,
) -> Result<Response, Refusal> {
    let seen = Seen::of(app, asker, item, base).await?;
    match profile(&seen.book) {
        MediaProfile::Divina => seen.divina().await,
        MediaProfile::Pdf => seen.pdf().await,
        MediaProfile::Epub => Ok(seen.publication()),
    }
}

/// Pictures, in their order.
pub(in crate::facades) async fn divina(
    app: State<App>,
    asker: Asker,
    item: SeenItem,
    base: Base,
) -> Result<Response, Refusal> {
    Seen::of(app, asker, item, base).await?.divina().await
}

/// The file of a PDF.
pub(in crate::facades) async fn pdf(
    app: State<App>,
    asker: Asker,
    item: SeenItem,
    base: Base,
) -> Result<Response, Refusal> {
    let seen = Seen::of(app, asker, item, base).await?;
    match profile(&seen.book) {
        MediaProfile::Pdf => seen.pdf().await,
        _ => Err(Refusal::invalid("this book is no PDF")),
    }
}

/// The publication of an EPUB.
pub(in crate::facades) async fn epub(
    app: State<App>,
    asker: Asker,
    item: SeenItem,
    base: Base,
) -> Result<Response, Refusal> {
    let seen = Seen::of(app, asker, item, base).await?;
    match profile(&seen.book) {
        MediaProfile::Epub => Ok(seen.publication()),
        _ => Err(Refusal::invalid("this book is no EPUB")),
    }
}
