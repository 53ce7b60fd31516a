//! Feeds of all libraries, or of one: what to read, all series, collections and read lists.
use super::feed::{FEED, Feed, Link};
use super::visit::Visit;
use crate::catalog::shelves::{Condition, ListKind, Order, ReadState, ShelfSort, WordField, WordFilter};
use crate::facades::error::Refusal;
use crate::facades::komga::filters::seen;
use crate::facades::komga::opds::by;
use crate::facades::komga::paging::Paging;
use crate::facades::komga::params::Params;

pub(super) type Answer = Result<Feed, Refusal>;

/// Rows of what is recommended.
const RECOMMENDED: u32 = 5;

/// What is worth looking at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shelf {
    KeepReading,
    OnDeck,
    LatestBooks,
    LatestSeries,
}

impl Shelf {
    const ALL: [Self; 4] = [Self::KeepReading, Self::OnDeck, Self::LatestBooks, Self::LatestSeries];

    /// Its path and title.
    fn named(self) -> (&'static str, &'static str) {
        match self {
            Self::KeepReading => ("keep-reading", "Keep reading"),
            Self::OnDeck => ("on-deck", "On deck"),
            Self::LatestBooks => ("books/latest", "Latest books"),
            Self::LatestSeries => ("series/latest", "Latest series"),
        }
    }

    fn wanted(self) -> (Condition, Vec<Order>) {
        match self {
            Self::KeepReading => {
                let begun = Condition::All(vec![Condition::Readable, Condition::Read(ReadState::Started)]);
                (begun, by(ShelfSort::Read, true))
            }
            Self::OnDeck => (Condition::Readable, by(ShelfSort::SeriesRead, true)),
            Self::LatestBooks => (Condition::Readable, by(ShelfSort::Added, true)),
            Self::LatestSeries => (Condition::Not(Box::new(Condition::OneShot)), by(ShelfSort::Changed, true)),
        }
    }

    /// Puts a page of it into a feed.
    async fn put(self, visit: &Visit, feed: &mut Feed, paging: Paging) -> Result<(), Refusal> {
        let (condition, order) = self.wanted();
        let mut wanted = visit.filter(condition, order).await?;
        wanted.on_deck = self == Self::OnDeck;
        let place = visit.place(self.named().0);
        if self == Self::LatestSeries {
            let found = visit.series(wanted, paging).await?;
            visit.put_series(feed, &found.rows);
            visit.paged(feed, &place, paging, &found);
        } else {
            let found = visit.books(wanted, paging).await?;
            visit.put_books(feed, &found.rows);
            visit.paged(feed, &place, paging, &found);
        }
        Ok(())
    }

    async fn feed(self, visit: Visit) -> Answer {
        let (path, title) = self.named();
        let mut feed = visit.feed(&visit.place(path), &visit.titled(title));
        self.put(&visit, &mut feed, Paging::of(&visit.params)).await?;
        Ok(feed)
    }

    /// The beginning of it, which leads to the rest; `None` where there is nothing.
    async fn group(self, visit: &Visit) -> Result<Option<Feed>, Refusal> {
        let (path, title) = self.named();
        let mut group = Feed::named(title);
        self.put(visit, &mut group, Paging { size: RECOMMENDED, ..Paging::of(&Params::default()) }).await?;
        let more = Link::to(visit.at(&visit.place(path)), FEED).rel("self");
        group.links = vec![Link { title: Some(title.to_owned()), ..more }];
        let any = !group.navigation.is_empty() || !group.publications.is_empty();
        Ok(any.then_some(group))
    }
}

/// What there is besides of these libraries.
async fn navigation(visit: &Visit) -> Result<Vec<Link>, Refusal> {
    let link = |title: &str, below: &str| Link::into_feed(title, visit.at(&visit.place(below)));
    let mut links = vec![link("Recommended", ""), link("Browse", "browse")];
    for (kind, title, path) in
        [(ListKind::Collection, "Collections", "collections"), (ListKind::ReadList, "Read lists", "readlists")]
    {
        let any = !visit.app.node().catalog().lists(kind, visit.libraries().await?, None).await?.is_empty();
        links.extend(any.then(|| link(title, path)));
    }
    Ok(links)
}

/// Where everything begins.
pub(in crate::facades) async fn catalog(visit: Visit) -> Answer {
    let feed = visit.feed("catalog", "Potluck");
    overview(visit, feed).await
}

/// The same of all libraries or of one, as one of the ways that lead on from each.
pub(in crate::facades) async fn recommended(visit: Visit) -> Answer {
    let feed = visit.feed(&visit.place(""), &visit.titled("Recommended"));
    overview(visit, feed).await
}

/// What to read next, what came last, and the ways to the rest.
async fn overview(visit: Visit, mut feed: Feed) -> Answer {
    feed.navigation = navigation(&visit).await?;
    if visit.library.is_none() {
        let mut group = Feed::named("Libraries");
        group.links = vec![Link::to(visit.at("libraries"), FEED).rel("self")];
        let libraries = seen(&visit.app, &visit.caller).await?;
        let link = |id: &str, name: &str| Link::into_feed(name, visit.at(&format!("libraries/{id}")));
        group.navigation = libraries.iter().map(|library| link(&library.id, &library.name)).collect();
        feed.groups.push(group);
    }
    for shelf in Shelf::ALL {
        feed.groups.extend(shelf.group(&visit).await?);
    }
    let changed = feed.groups.iter().filter_map(|group| group.metadata.modified.clone()).max();
    feed.metadata.modified = changed;
    Ok(feed)
}

/// Books that the caller began.
pub(in crate::facades) async fn keep_reading(visit: Visit) -> Answer {
    Shelf::KeepReading.feed(visit).await
}

/// What the caller may read next.
pub(in crate::facades) async fn on_deck(visit: Visit) -> Answer {
    Shelf::OnDeck.feed(visit).await
}

/// Books that came last.
pub(in crate::facades) async fn latest_books(visit: Visit) -> Answer {
    Shelf::LatestBooks.feed(visit).await
}

/// Series that changed last.
pub(in crate::facades) async fn latest_series(visit: Visit) -> Answer {
    Shelf::LatestSeries.feed(visit).await
}

/// All series by title, or those of a publisher.
pub(in crate::facades) async fn browse(visit: Visit) -> Answer {
    let (paging, path) = (Paging::of(&visit.params), visit.place("browse"));
    let mut feed = visit.feed(&path, &visit.titled("Browse"));
    let wanted = visit.filter(words(&visit.params, "publisher", WordField::Publisher), by(ShelfSort::Title, false));
    let found = visit.series(wanted.await?, paging).await?;
    visit.put_series(&mut feed, &found.rows);
    visit.paged(&mut feed, &path, paging, &found);
    let filter = WordFilter { libraries: visit.libraries().await?, ..WordFilter::default() };
    feed.facets = facets(&visit, &path, ("Publisher", "publisher"), WordField::Publisher, filter).await?;
    Ok(feed)
}

/// One of the words that a parameter names, each whole.
pub(super) fn words(params: &Params, name: &str, field: WordField) -> Condition {
    let named: Vec<&str> = params.whole(name).filter(|word| !word.trim().is_empty()).collect();
    match named.is_empty() {
        true => Condition::All(Vec::new()),
        false => Condition::Any(named.into_iter().map(|word| Condition::Word(field, word.to_owned())).collect()),
    }
}

/// The words by which a feed can be narrowed, with all of it first; the one that it is narrowed by is the feed itself.
pub(super) async fn facets(
    visit: &Visit,
    path: &str,
    (title, name): (&str, &str),
    field: WordField,
    filter: WordFilter,
) -> Result<Vec<Feed>, Refusal> {
    let mut known: Vec<String> =
        visit.app.node().catalog().shelf_words(field, filter).await?.into_iter().map(|(word, _)| word).collect();
    known.dedup();
    if known.is_empty() {
        return Ok(Vec::new());
    }
    let chosen = visit.params.one(name).filter(|word| !word.trim().is_empty());
    let encoded =
        |word: &str| percent_encoding::utf8_percent_encode(word, percent_encoding::NON_ALPHANUMERIC).to_string();
    let link = |title: &str, href: String, is_self: bool| Link {
        title: Some(title.to_owned()),
        rel: is_self.then_some("self"),
        ..Link::to(href, FEED)
    };
    let all = link("All", visit.at(path), chosen.is_none());
    let each = known
        .iter()
        .map(|word| link(word, format!("{}?{name}={}", visit.at(path), encoded(word)), chosen == Some(word.as_str())));
    let links = std::iter::once(all).chain(each).collect();
    Ok(vec![Feed { links, ..Feed::named(title) }])
}

async fn lists(visit: Visit, kind: ListKind, path: &str, title: &str) -> Answer {
    let (paging, place) = (Paging::of(&visit.params), visit.place(path));
    let mut feed = visit.feed(&place, &visit.titled(title));
    let found = paging.cut(visit.app.node().catalog().lists(kind, visit.libraries().await?, None).await?);
    let link = |id: &str, name: &str| Link::into_feed(name, visit.at(&format!("{path}/{id}")));
    feed.navigation = found.rows.iter().map(|list| link(&list.id, &list.name).of(list.items.len() as u64)).collect();
    let changed = found.rows.iter().map(|list| list.changed_at).max();
    feed.metadata.modified = changed.map(crate::facades::komga::dates::instant);
    visit.paged(&mut feed, &place, paging, &found);
    Ok(feed)
}

/// Collections of series.
pub(in crate::facades) async fn collections(visit: Visit) -> Answer {
    lists(visit, ListKind::Collection, "collections", "Collections").await
}

/// Read lists of books.
pub(in crate::facades) async fn read_lists(visit: Visit) -> Answer {
    lists(visit, ListKind::ReadList, "readlists", "Read lists").await
}
