//! What is at the end of a path, for a page that shows it.
use std::sync::Arc;

use axum::response::Response;

use super::found::Found;
use super::refusal::of_dag;
use super::{Gate, Gateway, GatewayRequest, file};
use crate::blocks::dag::{DagError, Source, folder};
use crate::content::Cid;
use crate::content::unixfs::node::Link;

/// What it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    /// Bytes.
    File,
    /// Names.
    Folder,
    /// A link, or data of another kind.
    Other,
}

/// See the module.
#[derive(Debug, Clone)]
pub struct Described {
    /// The end of the path.
    pub cid: Cid,
    /// See [`What`].
    pub what: What,
    /// Bytes of a file.
    pub size: Option<u64>,
    /// Of a file, by its name or its first bytes.
    pub media_type: Option<String>,
    /// The last name of the path.
    pub name: Option<String>,
    /// What is in a folder, by name.
    pub entries: Vec<Link>,
    /// Whether there are more than these.
    pub more: bool,
}

impl Gateway {
    /// Looks where a request leads, and says what is there, with at most `max` entries of a folder. An error is the answer.
    ///
    /// # Errors
    /// What [`Gateway::get`] would answer.
    pub async fn describe(
        &self,
        gate: Arc<dyn Gate>,
        request: GatewayRequest<'_>,
        max: usize,
    ) -> Result<Described, Response> {
        let found = Found::look(self, gate, &request).await?;
        describe(&found, max).await.map_err(|error| of_dag(&error))
    }
}

async fn describe(found: &Found, max: usize) -> Result<Described, DagError> {
    let (cid, name) = (found.last(), found.name.clone());
    let other =
        Described { cid, what: What::Other, size: None, media_type: None, name, entries: Vec::new(), more: false };
    Ok(match file::told(found).await? {
        file::Told::File { size, media_type } => {
            Described { what: What::File, size: Some(size), media_type: Some(media_type), ..other }
        }
        file::Told::Folder => {
            let listing = folder::list(Arc::clone(&found.seen) as Arc<dyn Source>, cid, max).await?;
            Described { what: What::Folder, entries: listing.entries, more: listing.more, ..other }
        }
        file::Told::Other => other,
    })
}
