//! OPDS 1.2 with page streaming, at `/komga/opds/v1.2`: KOReader, Panels, Moon+ and others.
//!
//! Feeds only; pictures, pages and files are those of the API, which count from 0 where they are told to. Links are paths without a
//! host, so that they are right behind any name.
mod atom;

use axum::extract::State;
use axum::response::Response;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};

use self::atom::{ACQUISITION, Entry, Feed, Link, NAVIGATION, SEARCH};
use super::base::Base;
use super::filters::{filter, of_series, search, seen};
use super::paging::Paging;
use super::params::Params;
use super::{dates, lists};
use crate::accounts::Caller;
use crate::catalog::shelves::{
    Condition, ListKind, Order, ReadState, ShelfBook, ShelfFilter, ShelfPage, ShelfSeries, ShelfSort, WordField,
    WordFilter,
};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Path};
use crate::media::book::Format;

const ROOT: &str = "/opds/v1.2";
const API: &str = "/api/v1";

type Answer = Result<Feed, Refusal>;

/// An address below the root, and its links to itself and the start.
fn feed(base: Base, path: &str, title: &str, kind: &str) -> Feed {
    let links = vec![
        Link::new("self", kind, format!("{ROOT}/{path}")),
        Link::new("start", NAVIGATION, format!("{ROOT}/catalog")),
    ];
    Feed { base, id: format!("potluck:{path}"), title: title.to_owned(), links, entries: Vec::new() }
}

/// Links to the pages around one, for an address whose query is `query` besides.
fn around<T>(feed: &mut Feed, path: &str, query: &str, paging: Paging, page: &ShelfPage<T>) {
    let kind = feed.links[0].kind.clone();
    let href = |number: u32| format!("{ROOT}/{path}?{query}page={number}");
    if paging.number > 0 {
        feed.links.push(Link::new("previous", &kind, href(paging.number - 1)));
    }
    if (u64::from(paging.number) + 1) * u64::from(paging.size) < page.total {
        feed.links.push(Link::new("next", &kind, href(paging.number + 1)));
    }
}

fn leads(path: &str, title: &str, summary: &str) -> Entry {
    Entry {
        id: format!("potluck:{path}"),
        title: title.to_owned(),
        summary: summary.to_owned(),
        links: vec![Link::new("subsection", NAVIGATION, format!("{ROOT}/{path}"))],
        ..Entry::default()
    }
}

/// Where everything begins.
pub(in crate::facades) async fn catalog(base: Base) -> Feed {
    let mut root = feed(base, "catalog", "Potluck", NAVIGATION);
    root.links.push(Link::new("search", SEARCH, format!("{ROOT}/search")));
    root.entries = vec![
        leads("keep-reading", "Keep reading", "Books that were begun"),
        leads("ondeck", "On deck", "What to read next"),
        leads("series", "All series", "By title"),
        leads("series/latest", "Latest series", "What changed last"),
        leads("books/latest", "Latest books", "What came last"),
        leads("libraries", "Libraries", "By library"),
        leads("collections", "Collections", "By collection"),
        leads("readlists", "Read lists", "By read list"),
        leads("publishers", "Publishers", "By publisher"),
    ];
    root
}

/// How to search.
pub(in crate::facades) async fn search_description(base: Base) -> Response {
    atom::search(&base.path(&format!("{ROOT}/series?search={{searchTerms}}")))
}

fn series_entry(series: ShelfSeries) -> Entry {
    let cover = format!("{API}/series/{}/thumbnail", series.id);
    let mut entry = leads(&format!("series/{}", series.id), &series.title, &series.summary);
    entry.updated = series.changed_at;
    entry.authors = series.authors.into_iter().map(|author| author.name).collect();
    entry.authors.dedup();
    entry.links.push(Link::new("http://opds-spec.org/image/thumbnail", "image/jpeg", cover));
    entry
}

fn book_entry(book: ShelfBook, series: bool) -> Entry {
    let (base, format) = (format!("{API}/books/{}", book.id), book.format.as_deref().and_then(Format::named));
    let name = utf8_percent_encode(&Format::file_name(format, &book.path), NON_ALPHANUMERIC).to_string();
    let kind = format.map_or("application/octet-stream", Format::media_type);
    let mut links = vec![
        Link::new("http://opds-spec.org/image/thumbnail", "image/jpeg", format!("{base}/thumbnail")),
        Link::new("http://opds-spec.org/image", "image/jpeg", format!("{base}/pages/1?convert=jpeg")),
        Link::new("http://opds-spec.org/acquisition", kind, format!("{base}/file/{name}")),
    ];
    links.extend(stream(&book, &base));
    let title = match series {
        true => format!("{} {}: {}", book.series_title, book.number, book.title),
        false => book.title,
    };
    let mut authors: Vec<String> = book.authors.into_iter().map(|author| author.name).collect();
    authors.dedup();
    Entry {
        id: format!("potluck:books/{}", book.id),
        title,
        updated: book.changed_at,
        summary: book.summary,
        authors,
        links,
    }
}

/// Its pages one by one, as JPEG, for a book that has any.
fn stream(book: &ShelfBook, base: &str) -> Option<Link> {
    if book.pages == 0 || book.format.as_deref() == Some("epub") && !book.divina_compatible {
        return None;
    }
    let href = format!("{base}/pages/{{pageNumber}}?zero_based=true&convert=jpeg");
    let mut link = Link::new("http://vaemendis.net/opds-pse/stream", "image/jpeg", href);
    link.more.push(("pse:count", book.pages.to_string()));
    if let Some(reading) = book.reading.filter(|reading| reading.page > 0) {
        link.more.push(("pse:lastRead", reading.page.to_string()));
        link.more.push(("pse:lastReadDate", dates::instant(reading.read_at)));
    }
    Some(link)
}

pub(super) fn there(condition: Condition) -> Condition {
    Condition::All(vec![condition, Condition::Not(Box::new(Condition::Trashed))])
}

pub(super) fn by(by: ShelfSort, descending: bool) -> Vec<Order> {
    vec![Order { by, descending }]
}

/// A feed of series.
async fn series_feed(app: &App, params: &Params, mut feed: Feed, wanted: ShelfFilter) -> Answer {
    let paging = Paging::of(params);
    let found = app.node().catalog().series_list(ShelfFilter { page: paging.part(), ..wanted }).await?;
    let path = feed.id.trim_start_matches("potluck:").to_owned();
    around(&mut feed, &path, &params.without("page"), paging, &found);
    feed.entries = found.rows.into_iter().map(series_entry).collect();
    Ok(feed)
}

/// A feed of books; `series` puts the series' name before each title.
async fn books_feed(app: &App, params: &Params, mut feed: Feed, wanted: ShelfFilter, series: bool) -> Answer {
    let paging = Paging::of(params);
    let found = app.node().catalog().book_list(ShelfFilter { page: paging.part(), ..wanted }).await?;
    let path = feed.id.trim_start_matches("potluck:").to_owned();
    around(&mut feed, &path, &params.without("page"), paging, &found);
    feed.entries = found.rows.into_iter().map(|book| book_entry(book, series)).collect();
    Ok(feed)
}

/// All series, or those that hold words or are of a publisher.
pub(in crate::facades) async fn series(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    params: Params,
) -> Answer {
    let order = match search(&params) {
        Some(text) => by(ShelfSort::Near(text.to_owned()), false),
        None => by(ShelfSort::Title, false),
    };
    let wanted = ShelfFilter { order, ..filter(&app, &caller, there(of_series(&params)?)).await? };
    series_feed(&app, &params, feed(base, "series", "All series", NAVIGATION), wanted).await
}

/// Series that changed last.
pub(in crate::facades) async fn latest_series(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    params: Params,
) -> Answer {
    let wanted = filter(&app, &caller, there(Condition::All(Vec::new()))).await?;
    let wanted = ShelfFilter { order: by(ShelfSort::Changed, true), ..wanted };
    series_feed(&app, &params, feed(base, "series/latest", "Latest series", NAVIGATION), wanted).await
}

/// The books of a series that can be read.
pub(in crate::facades) async fn one_series(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let series = app.node().catalog().one_series(&id, caller.id()).await?;
    let condition = there(Condition::All(vec![Condition::Series(id.clone()), Condition::Readable]));
    let wanted = filter(&app, &caller, condition).await?;
    books_feed(&app, &params, feed(base, &format!("series/{id}"), &series.title, ACQUISITION), wanted, false).await
}

/// Books that came last.
pub(in crate::facades) async fn latest_books(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    params: Params,
) -> Answer {
    let wanted =
        ShelfFilter { order: by(ShelfSort::Added, true), ..filter(&app, &caller, there(Condition::Readable)).await? };
    books_feed(&app, &params, feed(base, "books/latest", "Latest books", ACQUISITION), wanted, true).await
}

/// Books that the caller began.
pub(in crate::facades) async fn keep_reading(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    params: Params,
) -> Answer {
    let condition = there(Condition::All(vec![Condition::Readable, Condition::Read(ReadState::Started)]));
    let wanted = ShelfFilter { order: by(ShelfSort::Read, true), ..filter(&app, &caller, condition).await? };
    books_feed(&app, &params, feed(base, "keep-reading", "Keep reading", ACQUISITION), wanted, true).await
}

/// What the caller may read next.
pub(in crate::facades) async fn on_deck(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    params: Params,
) -> Answer {
    let wanted = filter(&app, &caller, there(Condition::Readable)).await?;
    let wanted = ShelfFilter { on_deck: true, order: by(ShelfSort::SeriesRead, true), ..wanted };
    books_feed(&app, &params, feed(base, "ondeck", "On deck", ACQUISITION), wanted, true).await
}

/// Libraries of comics and books.
pub(in crate::facades) async fn libraries(State(app): State<App>, Asker(caller): Asker, base: Base) -> Answer {
    let mut feed = feed(base, "libraries", "Libraries", NAVIGATION);
    let all = seen(&app, &caller).await?;
    feed.entries = all.iter().map(|one| leads(&format!("libraries/{}", one.id), &one.name, "")).collect();
    Ok(feed)
}

/// The series of a library.
pub(in crate::facades) async fn library(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let name = app.node().catalog().library(&id).await?.name;
    let wanted = filter(&app, &caller, there(Condition::Library(id.clone()))).await?;
    let wanted = ShelfFilter { order: by(ShelfSort::Title, false), ..wanted };
    series_feed(&app, &params, feed(base, &format!("libraries/{id}"), &name, NAVIGATION), wanted).await
}

async fn all_lists(app: &App, caller: &Caller, base: Base, kind: ListKind, path: &str, title: &str) -> Answer {
    let libraries = super::filters::seen_ids(app, caller).await?;
    let mut feed = feed(base, path, title, NAVIGATION);
    for list in app.node().catalog().lists(kind, libraries, None).await? {
        let mut entry = leads(&format!("{path}/{}", list.id), &list.name, &list.summary);
        entry.updated = list.changed_at;
        feed.entries.push(entry);
    }
    Ok(feed)
}

/// Collections of series.
pub(in crate::facades) async fn collections(State(app): State<App>, Asker(caller): Asker, base: Base) -> Answer {
    all_lists(&app, &caller, base, ListKind::Collection, "collections", "Collections").await
}

/// The series of a collection.
pub(in crate::facades) async fn collection(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let list = lists::seen(&app, &caller, ListKind::Collection, &id).await?;
    let sort = if list.ordered { ShelfSort::Place(id.clone()) } else { ShelfSort::Title };
    let wanted = filter(&app, &caller, there(Condition::Collection(id.clone()))).await?;
    let wanted = ShelfFilter { order: by(sort, false), ..wanted };
    series_feed(&app, &params, feed(base, &format!("collections/{id}"), &list.name, NAVIGATION), wanted).await
}

/// Read lists.
pub(in crate::facades) async fn read_lists(State(app): State<App>, Asker(caller): Asker, base: Base) -> Answer {
    all_lists(&app, &caller, base, ListKind::ReadList, "readlists", "Read lists").await
}

/// The books of a read list that can be read.
pub(in crate::facades) async fn read_list(
    State(app): State<App>,
    Asker(caller): Asker,
    base: Base,
    Path(id): Path<String>,
    params: Params,
) -> Answer {
    let list = lists::seen(&app, &caller, ListKind::ReadList, &id).await?;
    let sort = if list.ordered { ShelfSort::Place(id.clone()) } else { ShelfSort::Released };
    let condition = there(Condition::All(vec![Condition::ReadList(id.clone()), Condition::Readable]));
    let wanted = ShelfFilter { order: by(sort, false), ..filter(&app, &caller, condition).await? };
    books_feed(&app, &params, feed(base, &format!("readlists/{id}"), &list.name, ACQUISITION), wanted, true).await
}

/// Publishers, each of which leads to its series.
pub(in crate::facades) async fn publishers(State(app): State<App>, Asker(caller): Asker, base: Base) -> Answer {
    let libraries = super::filters::seen_ids(&app, &caller).await?;
    let words =
        app.node().catalog().shelf_words(WordField::Publisher, WordFilter { libraries, ..WordFilter::default() });
    let mut feed = feed(base, "publishers", "Publishers", NAVIGATION);
    for (name, _) in words.await? {
        let mut entry = leads("publishers", &name, "");
        let value = utf8_percent_encode(&name, NON_ALPHANUMERIC).to_string();
        entry.id = format!("potluck:publishers/{value}");
        // Said twice, it is taken whole: a name may have commas.
        let href = format!("{ROOT}/series?publisher={value}&publisher=");
        entry.links = vec![Link::new("subsection", NAVIGATION, href)];
        feed.entries.push(entry);
    }
    Ok(feed)
}
