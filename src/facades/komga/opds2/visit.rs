//! What a feed is made with: who asks, in which library, by which addresses.
use std::sync::Arc;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;

use super::feed::{FEED, Feed, Link, Metadata};
use super::publication::publication;
use crate::accounts::Caller;
use crate::catalog::Library;
use crate::catalog::shelves::{Condition, Order, ShelfBook, ShelfFilter, ShelfPage, ShelfSeries};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::Asker;
use crate::facades::komga::base::Base;
use crate::facades::komga::dates;
use crate::facades::komga::filters::{filter, seen_ids};
use crate::facades::komga::opds::there;
use crate::facades::komga::paging::Paging;
use crate::facades::komga::params::Params;

/// Where the feeds are, within the API.
pub(super) const ROOT: &str = "/opds/v2";

/// A call of a feed.
pub(in crate::facades) struct Visit {
    pub app: App,
    pub caller: Caller,
    pub base: Base,
    pub params: Params,
    /// The one whose feeds are asked for; otherwise those of all.
    pub library: Option<Arc<Library>>,
}

impl FromRequestParts<App> for Visit {
    type Rejection = Refusal;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Refusal> {
        let library = parts.extensions.get::<Arc<Library>>().cloned();
        if library.as_ref().is_some_and(|library| library.friend.is_some() || !library.kind.is_read()) {
            return Err(Refusal::not_found());
        }
        let asker = Asker::from_request_parts(parts, app).await;
        let Asker(caller) = asker.map_err(|_| Refusal::unauthenticated())?;
        let base = Base::from_request_parts(parts, app).await.unwrap_or_default();
        let params = Params::from_request_parts(parts, app).await.unwrap_or_default();
        Ok(Self { app: app.clone(), caller, base, params, library })
    }
}

impl Visit {
    /// An address below the root of the feeds.
    pub fn at(&self, path: &str) -> String {
        self.base.at(&format!("{ROOT}/{path}"))
    }

    /// The path of this library's feed, or of one below it.
    pub fn place(&self, below: &str) -> String {
        let library = self.library.as_ref().map(|library| format!("/{}", library.id)).unwrap_or_default();
        let below = if below.is_empty() { String::new() } else { format!("/{below}") };
        format!("libraries{library}{below}")
    }

    /// A title with the name of the library before it.
    pub fn titled(&self, what: &str) -> String {
        let library = self.library.as_ref().map_or("All libraries", |library| library.name.as_str());
        format!("{library} - {what}")
    }

    /// Of the libraries that are meant: all that the caller sees, or one.
    pub async fn libraries(&self) -> Result<Vec<String>, Refusal> {
        match &self.library {
            Some(library) => Ok(vec![library.id.clone()]),
            None => seen_ids(&self.app, &self.caller).await,
        }
    }

    /// An empty feed at a path, with its links.
    pub fn feed(&self, path: &str, title: &str) -> Feed {
        let query = self.params.without("").trim_end_matches('&').to_owned();
        let own = if query.is_empty() { self.at(path) } else { format!("{}?{query}", self.at(path)) };
        let search = Link { templated: true, ..Link::to(format!("{}{{?query}}", self.at("search")), FEED) };
        let links = vec![
            Link::to(own, FEED).rel("self"),
            Link::to(self.at("catalog"), FEED).rel("start"),
            search.rel("search"),
        ];
        Feed { links, ..Feed::named(title) }
    }

    /// Says which page of how many rows a feed is, and leads to those beside it.
    pub fn paged<T>(&self, feed: &mut Feed, path: &str, paging: Paging, page: &ShelfPage<T>) {
        feed.metadata.number_of_items = Some(page.total);
        if paging.unpaged {
            return;
        }
        let (number, size) = (u64::from(paging.number), u64::from(paging.size));
        (feed.metadata.items_per_page, feed.metadata.current_page) = (Some(size), Some(number + 1));
        let at = |number: u64| format!("{}?{}page={number}", self.at(path), self.params.without("page"));
        if number > 0 {
            feed.links.push(Link::to(at(number - 1), FEED).rel("previous"));
        }
        if (number + 1) * size < page.total {
            feed.links.push(Link::to(at(number + 1), FEED).rel("next"));
        }
    }

    /// All in these libraries that is as the condition says and is not in the trash.
    pub async fn filter(&self, condition: Condition, order: Vec<Order>) -> Result<ShelfFilter, Refusal> {
        let library = self.library.as_ref().map(|library| Condition::Library(library.id.clone()));
        let all = Condition::All(library.into_iter().chain([condition]).collect());
        Ok(ShelfFilter { order, ..filter(&self.app, &self.caller, there(all)).await? })
    }

    pub async fn series(&self, wanted: ShelfFilter, paging: Paging) -> Result<ShelfPage<ShelfSeries>, Refusal> {
        Ok(self.app.node().catalog().series_list(ShelfFilter { page: paging.part(), ..wanted }).await?)
    }

    pub async fn books(&self, wanted: ShelfFilter, paging: Paging) -> Result<ShelfPage<ShelfBook>, Refusal> {
        Ok(self.app.node().catalog().book_list(ShelfFilter { page: paging.part(), ..wanted }).await?)
    }

    /// Series as links into their feeds.
    pub fn put_series(&self, feed: &mut Feed, rows: &[ShelfSeries]) {
        changed(&mut feed.metadata, rows.iter().map(|series| series.changed_at));
        let link = |series: &ShelfSeries| {
            let href = self.at(&format!("series/{}", series.id));
            Link::into_feed(&series.title, href).of(series.books.into())
        };
        feed.navigation = rows.iter().map(link).collect();
    }

    /// Books as publications.
    pub fn put_books(&self, feed: &mut Feed, rows: &[ShelfBook]) {
        changed(&mut feed.metadata, rows.iter().map(|book| book.changed_at));
        feed.publications = rows.iter().map(|book| publication(&self.base, book)).collect();
    }
}

fn changed(metadata: &mut Metadata, at: impl Iterator<Item = i64>) {
    metadata.modified = at.max().map(dates::instant).or(metadata.modified.take());
}
