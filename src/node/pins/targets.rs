//! What may be pinned, and what a service is told so that it finds it here.
use std::time::Duration;

use futures_util::future::join_all;

use super::words::{ADDRESSES_MAX, NAME_MAX, Pin, PinStatus};
use super::{NewPin, PinTarget, PinsError};
use crate::catalog::Visibility;
use crate::content::Cid;
use crate::content::cid::canonical;
use crate::exchange::libp2p::is_address;
use crate::node::Node;
use crate::node::ipfs::Ipfs;
use crate::node::ipfs::near::{Place, is_in_house, place};
use crate::node::web;

/// Connecting to the nodes of a service takes this long at most: it may find this one by itself.
const CONNECTING: Duration = Duration::from_secs(5);

/// What was found.
pub(super) struct Target {
    pub cid: Cid,
    pub name: Option<String>,
    /// Id of the library, where it is one.
    pub library: Option<String>,
}

/// Looks for what is to be pinned, and whether anybody may have it.
pub(super) async fn find(node: &Node, ipfs: &Ipfs, new: NewPin) -> Result<Target, PinsError> {
    let name = new.name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
    if name.as_ref().is_some_and(|name| name.chars().count() > NAME_MAX || name.chars().any(char::is_control)) {
        return Err(PinsError::Invalid(format!("name: must have at most {NAME_MAX} characters")));
    }
    let found = match new.target {
        PinTarget::Library(id) => library(node, ipfs, &id).await,
        PinTarget::Item(id) => item(node, &id).await,
        PinTarget::Cid(cid) => content(node, ipfs, canonical(&cid)).await,
    }?;
    let short = |name: String| name.chars().take(NAME_MAX).collect();
    Ok(Target { name: name.or(found.name.map(short)), ..found })
}

async fn library(node: &Node, ipfs: &Ipfs, id: &str) -> Result<Target, PinsError> {
    let library = node.catalog().library(id).await?;
    public(&library.name, library.friend.is_some(), library.visibility)?;
    let waiting = || {
        let name = &library.name;
        PinsError::Conflict(format!(
            "nothing of {name} can be pinned yet: it has no files that were read, or was made public just now"
        ))
    };
    let cid = ipfs.library(id).ok_or_else(waiting)?;
    Ok(Target { cid, name: Some(library.name), library: Some(library.id) })
}

async fn item(node: &Node, id: &str) -> Result<Target, PinsError> {
    let item = node.catalog().item(id, "").await?.item;
    let library = node.catalog().library(&item.library).await?;
    public(&library.name, item.friend.is_some(), library.visibility)?;
    let none = || {
        PinsError::Conflict(format!(
            "{} has no file of its own that was read: pin what is in it, or its library",
            item.title
        ))
    };
    let cid = item.file.as_ref().and_then(|file| file.cid).ok_or_else(none)?;
    Ok(Target { cid, name: Some(item.title.clone()), library: None })
}

async fn content(node: &Node, ipfs: &Ipfs, cid: Cid) -> Result<Target, PinsError> {
    let target = Target { cid, name: None, library: None };
    if ipfs.folder(&cid)?.is_some() {
        return Ok(target);
    }
    let absent = || PinsError::Conflict(format!("this node has nothing of {cid}, so it cannot give it to a service"));
    let stat = node.blocks().stat(&cid).await?.ok_or_else(absent)?;
    for root in &stat.roots {
        let libraries = node.catalog().libraries_of(root).await?;
        if libraries.iter().any(|(_, visibility)| *visibility == Visibility::Public) {
            return Ok(target);
        }
    }
    Err(hidden("what has this CID"))
}

fn public(name: &str, of_friend: bool, visibility: Visibility) -> Result<(), PinsError> {
    match visibility {
        _ if of_friend => {
            Err(PinsError::Conflict(format!("{name} is a friend's: only what is this node's own can be pinned")))
        }
        Visibility::Public => Ok(()),
        _ => Err(hidden(name)),
    }
}

fn hidden(what: &str) -> PinsError {
    PinsError::Conflict(format!(
        "{what} is not public, and a service can fetch only what anybody may have: make the library public first"
    ))
}

/// What a service is told.
pub(super) async fn pin(ipfs: &Ipfs, cid: &Cid, name: Option<&str>, service: &str) -> Pin {
    Pin { cid: cid.to_string(), name: name.map(str::to_owned), origins: origins(ipfs, service).await }
}

/// Where the service finds this node. What is of this house only is no business of one that is elsewhere.
async fn origins(ipfs: &Ipfs, service: &str) -> Vec<String> {
    let house = is_near(service).await;
    let told = |address: &String| house || matches!(place(address), Place::Internet | Place::Name);
    ipfs.libp2p().addresses().into_iter().filter(told).take(ADDRESSES_MAX).collect()
}

async fn is_near(service: &str) -> bool {
    match web::address(service) {
        Ok(url) => is_in_house(&url).await,
        Err(_) => false,
    }
}

/// Connects to the nodes that fetch for the service, which works where they cannot reach this one. A service elsewhere has no
/// nodes in this house.
pub(super) async fn connect(ipfs: &Ipfs, service: &str, told: &PinStatus) {
    let house = is_near(service).await;
    let usable = |address: &&String| is_address(address, true) && (house || place(address) != Place::House);
    let connecting = told.delegates().filter(usable).map(|address| async move {
        if let Err(error) = ipfs.libp2p().connect(address).await {
            tracing::debug!(%address, %error, "a node of a pinning service cannot be reached");
        }
    });
    // Those that take longer go on by themselves.
    let _ = tokio::time::timeout(CONNECTING, join_all(connecting)).await;
}
