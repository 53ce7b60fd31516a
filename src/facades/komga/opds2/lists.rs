//! Feeds of one series, one collection, one read list, and of what a search finds.
use super::feed::{Feed, Link};
use super::shelves::{Answer, facets, words};
use super::visit::Visit;
use crate::catalog::shelves::{Condition, ListKind, Shelf, ShelfSort, WordField, WordFilter, typed};
use crate::catalog::sorting::fold;
use crate::facades::error::Refusal;
use crate::facades::extract::Path;
use crate::facades::komga::opds::by;
use crate::facades::komga::paging::Paging;
use crate::facades::komga::params::Params;
use crate::facades::komga::{dates, lists};

/// The books of a series that can be read, or those with a tag.
pub(in crate::facades) async fn series(Path(id): Path<String>, visit: Visit) -> Answer {
    let series = visit.app.node().catalog().one_series(&id, visit.caller.id()).await?;
    let (paging, path) = (Paging::of(&visit.params), format!("series/{id}"));
    let mut feed = visit.feed(&path, &series.title);
    let summary = if series.summary.is_empty() { series.book_summary.text } else { series.summary };
    feed.metadata.description = Some(summary).filter(|summary| !summary.is_empty());
    feed.metadata.modified = Some(dates::instant(series.changed_at));
    let tagged = words(&visit.params, "tag", WordField::Tag);
    let condition = Condition::All(vec![Condition::Series(id.clone()), Condition::Readable, tagged]);
    let found = visit.books(visit.filter(condition, Vec::new()).await?, paging).await?;
    visit.put_books(&mut feed, &found.rows);
    visit.paged(&mut feed, &path, paging, &found);
    let libraries = visit.libraries().await?;
    let filter = WordFilter { libraries, series: Some(id), shelf: Some(Shelf::Books), ..WordFilter::default() };
    feed.facets = facets(&visit, &path, ("Tag", "tag"), WordField::Tag, filter).await?;
    Ok(feed)
}

/// The series of a collection.
pub(in crate::facades) async fn collection(Path(id): Path<String>, visit: Visit) -> Answer {
    let list = lists::seen(&visit.app, &visit.caller, ListKind::Collection, &id).await?;
    let (paging, path) = (Paging::of(&visit.params), format!("collections/{id}"));
    let mut feed = visit.feed(&path, &list.name);
    let sort = if list.ordered { ShelfSort::Place(id.clone()) } else { ShelfSort::Title };
    let found = visit.series(visit.filter(Condition::Collection(id), by(sort, false)).await?, paging).await?;
    visit.put_series(&mut feed, &found.rows);
    visit.paged(&mut feed, &path, paging, &found);
    feed.metadata.modified = Some(dates::instant(list.changed_at));
    Ok(feed)
}

/// The books of a read list that can be read.
pub(in crate::facades) async fn read_list(Path(id): Path<String>, visit: Visit) -> Answer {
    let list = lists::seen(&visit.app, &visit.caller, ListKind::ReadList, &id).await?;
    let (paging, path) = (Paging::of(&visit.params), format!("readlists/{id}"));
    let mut feed = visit.feed(&path, &list.name);
    let sort = if list.ordered { ShelfSort::Place(id.clone()) } else { ShelfSort::Released };
    let condition = Condition::All(vec![Condition::ReadList(id), Condition::Readable]);
    let found = visit.books(visit.filter(condition, by(sort, false)).await?, paging).await?;
    visit.put_books(&mut feed, &found.rows);
    visit.paged(&mut feed, &path, paging, &found);
    feed.metadata.modified = Some(dates::instant(list.changed_at));
    feed.metadata.description = Some(list.summary).filter(|summary| !summary.is_empty());
    Ok(feed)
}

/// Series, books, collections and read lists that have these words.
pub(in crate::facades) async fn search(visit: Visit) -> Answer {
    let mut feed = visit.feed("search", "Search results");
    let text = visit.params.one("query").unwrap_or_default().to_owned();
    let Some(condition) = typed(&text) else { return Ok(feed) };
    let (paging, near) = (Paging::of(&Params::default()), by(ShelfSort::Near(text.clone()), false));
    let (mut series, mut books) = (Feed::named("Series"), Feed::named("Books"));
    let found = visit.series(visit.filter(condition.clone(), near.clone()).await?, paging).await?;
    visit.put_series(&mut series, &found.rows);
    let readable = Condition::All(vec![condition, Condition::Readable]);
    let found = visit.books(visit.filter(readable, near).await?, paging).await?;
    visit.put_books(&mut books, &found.rows);
    let collections = named(&visit, ListKind::Collection, ("Collections", "collections"), &text).await?;
    let lists = named(&visit, ListKind::ReadList, ("Read lists", "readlists"), &text).await?;
    let any = |group: &Feed| !group.navigation.is_empty() || !group.publications.is_empty();
    feed.groups = [series, books, collections, lists].into_iter().filter(any).collect();
    Ok(feed)
}

/// The lists that have all words of a text in their names.
async fn named(visit: &Visit, kind: ListKind, (title, path): (&str, &str), text: &str) -> Result<Feed, Refusal> {
    let text = fold(text);
    let mut all = visit.app.node().catalog().lists(kind, visit.libraries().await?, None).await?;
    all.retain(|list| text.split_whitespace().all(|word| fold(&list.name).contains(word)));
    all.truncate(20);
    let link = |id: &str, name: &str| Link::into_feed(name, visit.at(&format!("{path}/{id}")));
    let mut group = Feed::named(title);
    group.navigation = all.iter().map(|list| link(&list.id, &list.name)).collect();
    Ok(group)
}
