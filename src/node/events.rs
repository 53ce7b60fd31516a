//! What happens in the node, typed, for whoever shows it. Logs are something else.
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::broadcast::error::RecvError;
use tokio::sync::broadcast::{Receiver, Sender};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::catalog::shelves::{CoverOf, ListKind};
use crate::catalog::{Catalog, Id, Progressed};
use crate::friends::{Friends, FriendsEvent};
use crate::library::{ItemChange, LibraryEvent, ScanProgress};

/// Events a slow reader may be behind before it loses some and is told so.
pub(super) const BACKLOG: usize = 1024;

/// What is told of replication is told this often at most.
const REPLICAS: Duration = Duration::from_millis(250);

/// Something happened.
#[derive(Debug, Clone)]
pub enum NodeEvent {
    /// A scan moved on or ended.
    Scan(ScanProgress),
    /// An item came, changed or went.
    Item {
        /// Item id.
        id: Id,
        /// Library id.
        library: Id,
        /// The show or series that it is of, or was.
        show: Option<Id>,
        /// What happened to it.
        change: ItemChange,
    },
    /// A library came, went or changed.
    Library(Id),
    /// Somebody watched or read on, by whatever program, or forgot that they did.
    Progress(Arc<Progressed>),
    /// A collection or a read list came, went or changed.
    List {
        /// What kind of list it is.
        kind: ListKind,
        /// Id of the list.
        id: Id,
        /// Items that are, or were, in it, each with its library.
        items: Arc<Vec<(Id, Id)>>,
        /// What happened to it.
        change: ItemChange,
    },
    /// A cover came, went, or is the one that is shown now.
    Cover {
        /// What it is of.
        of: CoverOf,
        /// What kind of list that is.
        list: Option<ListKind>,
        /// It did not go.
        added: bool,
        /// It is, or was, the one that is shown.
        selected: bool,
    },
    /// A friend's node came or went.
    Friends,
    /// Replication moved on, or its rules changed.
    Replicas,
    /// Events were lost here: look everything up again.
    Gap,
}

impl NodeEvent {
    /// The library whose users may hear of it; `None` for everyone.
    #[must_use]
    pub fn library(&self) -> Option<&str> {
        match self {
            Self::Scan(progress) => Some(&progress.library),
            Self::Item { library, .. } | Self::Library(library) => Some(library),
            Self::Progress(progressed) => Some(&progressed.library),
            Self::List { .. } | Self::Cover { .. } | Self::Friends | Self::Replicas | Self::Gap => None,
        }
    }
}

impl From<LibraryEvent> for NodeEvent {
    fn from(event: LibraryEvent) -> Self {
        match event {
            LibraryEvent::Scan(progress) => Self::Scan(progress),
            LibraryEvent::Item { id, library, show, change } => Self::Item { id, library, show, change },
            LibraryEvent::Library(id) => Self::Library(id),
        }
    }
}

/// Tells of friends' nodes that come and go, and has those that came asked at once.
pub(super) async fn tell_of_links(
    mut links: watch::Receiver<u64>,
    friends: Option<Friends>,
    to: Sender<NodeEvent>,
    stop: CancellationToken,
) {
    loop {
        let changed = tokio::select! {
            changed = links.changed() => changed,
            () = stop.cancelled() => return,
        };
        if changed.is_err() {
            return;
        }
        if let Some(friends) = &friends {
            friends.hurry();
        }
        // Nobody listening is not an error.
        let _ = to.send(NodeEvent::Friends);
    }
}

/// Tells that replication moved on, a few times a second at most.
pub(super) async fn tell_of_replicas(
    mut changed: watch::Receiver<u64>,
    to: Sender<NodeEvent>,
    stop: CancellationToken,
) {
    loop {
        let moved = tokio::select! {
            moved = changed.changed() => moved,
            () = stop.cancelled() => return,
        };
        if moved.is_err() {
            return;
        }
        // Nobody listening is not an error.
        let _ = to.send(NodeEvent::Replicas);
        tokio::select! {
            () = tokio::time::sleep(REPLICAS) => {}
            () = stop.cancelled() => return,
        }
    }
}

/// Accounts' steps that are read at once.
const STEPS: usize = 500;

/// Tells how far people came, whoever wrote it down: the page, a program for reading, a friend's node.
pub(super) async fn tell_of_progress(catalog: Catalog, to: Sender<NodeEvent>, stop: CancellationToken) {
    let mut watched = catalog.watched();
    let mut since = None;
    loop {
        let heard = match since {
            None => catalog.progress_revision().await.map(|now| (Vec::new(), now, false)),
            Some(since) => catalog.progressed(since, STEPS).await,
        };
        let more = match heard {
            Ok((news, next, more)) => {
                since = Some(next);
                for progressed in news {
                    // Nobody listening is not an error.
                    let _ = to.send(NodeEvent::Progress(Arc::new(progressed)));
                }
                more
            }
            Err(error) => {
                tracing::debug!(%error, "it cannot be told how far somebody is");
                false
            }
        };
        if more {
            continue;
        }
        tokio::select! {
            changed = watched.changed() => if changed.is_err() { return },
            () = stop.cancelled() => return,
        }
    }
}

/// Passes on what the importer tells.
pub(super) async fn pass_on(mut from: Receiver<LibraryEvent>, to: Sender<NodeEvent>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            event = from.recv() => event,
            () = stop.cancelled() => return,
        };
        // Nobody listening is not an error.
        let _ = match event {
            Ok(event) => to.send(event.into()),
            Err(RecvError::Lagged(_)) => to.send(NodeEvent::Gap),
            Err(RecvError::Closed) => return,
        };
    }
}

/// Passes on what is heard of friends: their libraries are looked up again.
pub(super) async fn pass_on_friends(mut from: Receiver<FriendsEvent>, to: Sender<NodeEvent>, stop: CancellationToken) {
    loop {
        let event = tokio::select! {
            event = from.recv() => event,
            () = stop.cancelled() => return,
        };
        // Nobody listening is not an error.
        let _ = match event {
            Ok(FriendsEvent::Library(id)) => to.send(NodeEvent::Library(id)),
            Ok(FriendsEvent::StandIn(_) | FriendsEvent::Trouble(_)) => to.send(NodeEvent::Friends),
            Ok(FriendsEvent::State(_)) => continue,
            Err(RecvError::Lagged(_)) => to.send(NodeEvent::Gap),
            Err(RecvError::Closed) => return,
        };
    }
}
