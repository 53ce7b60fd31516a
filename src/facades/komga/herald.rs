//! Says in Komga's words what happened in the node. It only ever tells of what the caller may see.
use std::collections::HashSet;

use serde_json::{Value, json};

use crate::accounts::Caller;
use crate::catalog::shelves::{CoverOf, ListKind, Shelf};
use crate::catalog::{Catalog, CatalogError, Id, Progressed};
use crate::library::ItemChange;
use crate::node::NodeEvent;

/// One event of a stream.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    /// `BookAdded`, ...
    pub name: &'static str,
    pub data: Value,
}

/// What happened, of the libraries of comics and books that there are.
pub(super) struct Herald {
    catalog: Catalog,
    libraries: HashSet<Id>,
}

impl Herald {
    /// Knows the libraries that there are now.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn new(catalog: Catalog) -> Result<Self, CatalogError> {
        let all = catalog.own_libraries().await?;
        let libraries = all.into_iter().filter(|library| library.kind.is_read()).map(|library| library.id).collect();
        Ok(Self { catalog, libraries })
    }

    /// Libraries of comics and books, whoever may see them.
    pub fn libraries(&self) -> impl Iterator<Item = &str> {
        self.libraries.iter().map(String::as_str)
    }

    /// What a caller is told of an event, in order.
    ///
    /// # Errors
    /// [`CatalogError::Database`].
    pub async fn told(&mut self, caller: &Caller, event: NodeEvent) -> Result<Vec<Told>, CatalogError> {
        match event {
            NodeEvent::Library(id) => self.library(caller, id).await,
            NodeEvent::Item { id, library, show, change } if self.shows(caller, &library) => {
                self.item(&id, &library, show, change).await
            }
            NodeEvent::Progress(step) if step.account == caller.id() && self.shows(caller, &step.library) => {
                self.progress(&step).await
            }
            NodeEvent::List { kind, id, items, change } => {
                Ok(list(caller, kind, &id, &items, change).into_iter().collect())
            }
            NodeEvent::Cover { of: CoverOf::Item(id), added, selected, .. } => {
                self.item_cover(caller, &id, added, selected).await
            }
            NodeEvent::Cover { of: CoverOf::List(id), list: Some(kind), added, selected } => {
                self.list_cover(caller, kind, &id, added, selected).await
            }
            _ => Ok(Vec::new()),
        }
    }

    async fn item_cover(
        &self,
        caller: &Caller,
        id: &str,
        added: bool,
        selected: bool,
    ) -> Result<Vec<Told>, CatalogError> {
        let here = self.catalog.shelved(id).await?.filter(|here| self.shows(caller, &here.library));
        let Some(here) = here else { return Ok(Vec::new()) };
        let name = match (here.shelf, added) {
            (Shelf::Series, true) => "ThumbnailSeriesAdded",
            (Shelf::Series, false) => "ThumbnailSeriesDeleted",
            (Shelf::Books, true) => "ThumbnailBookAdded",
            (Shelf::Books, false) => "ThumbnailBookDeleted",
        };
        let mut data = json!({"seriesId": here.series, "selected": selected});
        if here.shelf == Shelf::Books {
            data["bookId"] = id.into();
        }
        Ok(vec![Told { name, data }])
    }

    async fn list_cover(
        &self,
        caller: &Caller,
        kind: ListKind,
        id: &str,
        added: bool,
        selected: bool,
    ) -> Result<Vec<Told>, CatalogError> {
        let items = self.catalog.list_places(id).await?;
        if !items.is_empty() && !items.iter().any(|(_, library)| caller.may_see(library)) {
            return Ok(Vec::new());
        }
        let (name, field) = match (kind, added) {
            (ListKind::Collection, true) => ("ThumbnailSeriesCollectionAdded", "collectionId"),
            (ListKind::Collection, false) => ("ThumbnailSeriesCollectionDeleted", "collectionId"),
            (ListKind::ReadList, true) => ("ThumbnailReadListAdded", "readListId"),
            (ListKind::ReadList, false) => ("ThumbnailReadListDeleted", "readListId"),
        };
        Ok(vec![Told { name, data: json!({field: id, "selected": selected}) }])
    }

    fn shows(&self, caller: &Caller, library: &str) -> bool {
        self.libraries.contains(library) && caller.may_see(library)
    }

    async fn library(&mut self, caller: &Caller, id: Id) -> Result<Vec<Told>, CatalogError> {
        let name = match self.catalog.library(&id).await {
            Ok(library) if library.friend.is_some() || !library.kind.is_read() => return Ok(Vec::new()),
            Ok(_) if self.libraries.insert(id.clone()) => "LibraryAdded",
            Ok(_) => "LibraryChanged",
            Err(CatalogError::NotFound(_)) if self.libraries.remove(&id) => "LibraryDeleted",
            Err(CatalogError::NotFound(_)) => return Ok(Vec::new()),
            Err(error) => return Err(error),
        };
        let told = Told { name, data: json!({"libraryId": id}) };
        Ok(if caller.may_see(&id) { vec![told] } else { Vec::new() })
    }

    async fn item(
        &self,
        id: &str,
        library: &str,
        show: Option<Id>,
        change: ItemChange,
    ) -> Result<Vec<Told>, CatalogError> {
        let series = |name, series: &str| Told { name, data: json!({"seriesId": series, "libraryId": library}) };
        let book = |name, series: &str| {
            let data = json!({"bookId": id, "seriesId": series, "libraryId": library});
            Told { name, data }
        };
        Ok(match (self.catalog.shelved(id).await?, change) {
            (Some(here), _) if here.shelf == Shelf::Series => vec![series("SeriesChanged", &here.series)],
            (Some(here), ItemChange::Added) => {
                let name = if here.first { "SeriesAdded" } else { "SeriesChanged" };
                vec![series(name, &here.series), book("BookAdded", &here.series)]
            }
            // What is in the trash is still there, and told as such.
            (Some(here), _) => vec![book("BookChanged", &here.series), series("SeriesChanged", &here.series)],
            (None, _) => {
                let of = show.unwrap_or_default();
                let left = self.catalog.shelved(&of).await?.is_some();
                let name = if left { "SeriesChanged" } else { "SeriesDeleted" };
                vec![book("BookDeleted", &of), series(name, &of)]
            }
        })
    }

    async fn progress(&self, step: &Progressed) -> Result<Vec<Told>, CatalogError> {
        let user = &step.account;
        let mut told: Vec<Told> = Vec::with_capacity(step.items.len() + 1);
        for (book, never) in &step.items {
            let name = if *never { "ReadProgressDeleted" } else { "ReadProgressChanged" };
            told.push(Told { name, data: json!({"bookId": book, "userId": user}) });
        }
        if let Some(series) = &step.show {
            let now = self.catalog.series_progress(series, user).await?;
            let never = now.read == 0 && now.started == 0;
            let name = if never { "ReadProgressSeriesDeleted" } else { "ReadProgressSeriesChanged" };
            told.push(Told { name, data: json!({"seriesId": series, "userId": user}) });
        }
        Ok(told)
    }
}

/// A list is told of with what the caller sees of it; one of which it sees nothing is not there.
fn list(caller: &Caller, kind: ListKind, id: &str, items: &[(Id, Id)], change: ItemChange) -> Option<Told> {
    let seen: Vec<&str> =
        items.iter().filter(|(_, library)| caller.may_see(library)).map(|(item, _)| item.as_str()).collect();
    if seen.is_empty() && !items.is_empty() {
        return None;
    }
    let name = match (kind, change) {
        (ListKind::Collection, ItemChange::Added) => "CollectionAdded",
        (ListKind::Collection, ItemChange::Changed) => "CollectionChanged",
        (ListKind::Collection, ItemChange::Removed) => "CollectionDeleted",
        (ListKind::ReadList, ItemChange::Added) => "ReadListAdded",
        (ListKind::ReadList, ItemChange::Changed) => "ReadListChanged",
        (ListKind::ReadList, ItemChange::Removed) => "ReadListDeleted",
    };
    let data = match kind {
        ListKind::Collection => json!({"collectionId": id, "seriesIds": seen}),
        ListKind::ReadList => json!({"readListId": id, "bookIds": seen}),
    };
    Some(Told { name, data })
}
