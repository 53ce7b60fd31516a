//! Who has what: a network of hosts of their own.
use std::time::Duration;

use potluck::exchange::libp2p::{Libp2pError, Libp2pOptions, Routing};

use super::{Host, PATIENCE, options, until};

async fn first() -> Host {
    Host::with(Libp2pOptions { routing: Routing::Private, ..options(1) }).await
}

async fn joined(seed: u8, first: &Host) -> Host {
    let bootstrap = vec![first.libp2p.addresses()[0].clone()];
    let host = Host::with(Libp2pOptions { routing: Routing::Private, bootstrap, ..options(seed) }).await;
    until(|| host.libp2p.state().routing_peers > 0).await;
    host
}

#[tokio::test]
async fn what_is_announced_is_found_and_fetched_by_one_who_knew_nobody_that_has_it() {
    let middle = first().await;
    let (owner, seeker) = (joined(2, &middle).await, joined(3, &middle).await);
    let (layout, content) = owner.file("film", 3 * 1024 * 1024).await;
    owner.libp2p.announce(&layout.root).await.unwrap();
    assert_eq!(seeker.libp2p.providers(&layout.root).await.unwrap(), [owner.libp2p.id()]);
    assert!(seeker.fetch(&layout).await.unwrap() == content);
    for host in [middle, owner, seeker] {
        host.libp2p.stop().await;
    }
}

#[tokio::test]
async fn what_is_not_announced_is_not_found() {
    let middle = first().await;
    let (owner, seeker) = (joined(2, &middle).await, joined(3, &middle).await);
    let (layout, _) = owner.file("film", 10).await;
    assert!(seeker.libp2p.providers(&layout.root).await.unwrap().is_empty());
    for host in [middle, owner, seeker] {
        host.libp2p.stop().await;
    }
}

#[tokio::test]
async fn what_nobody_could_be_told_is_not_taken_for_announced() {
    let alone = first().await;
    let (layout, _) = alone.file("film", 10).await;
    assert!(matches!(alone.libp2p.announce(&layout.root).await, Err(Libp2pError::Routing(_))));
    let other = joined(2, &alone).await;
    until(|| alone.libp2p.state().routing_peers > 0).await;
    alone.libp2p.announce(&layout.root).await.unwrap();
    assert_eq!(other.libp2p.providers(&layout.root).await.unwrap(), [alone.libp2p.id()]);
    for host in [alone, other] {
        host.libp2p.stop().await;
    }
}

#[tokio::test]
async fn a_record_that_is_right_is_kept_by_others_and_a_wrong_one_is_not() {
    let middle = first().await;
    let (owner, seeker) = (joined(2, &middle).await, joined(3, &middle).await);
    // The check of these tests takes values that begin with their key.
    owner.libp2p.put_record(b"key".to_vec(), b"key is right".to_vec()).await.unwrap();
    owner.libp2p.put_record(b"other".to_vec(), b"wrong".to_vec()).await.unwrap();
    assert_eq!(seeker.libp2p.records(b"key".to_vec()).await.unwrap()[0], b"key is right");
    assert!(seeker.libp2p.records(b"other".to_vec()).await.unwrap().is_empty());
    owner.libp2p.stop().await;
    let kept = tokio::time::timeout(PATIENCE, seeker.libp2p.records(b"key".to_vec())).await.unwrap().unwrap();
    assert_eq!(kept[0], b"key is right", "without its owner");
    middle.libp2p.stop().await;
    seeker.libp2p.stop().await;
}

#[tokio::test]
async fn without_routing_nobody_is_asked_or_told() {
    let host = Host::new(1).await;
    let (layout, _) = host.file("film", 10).await;
    assert!(matches!(host.libp2p.announce(&layout.root).await, Err(Libp2pError::Routing(_))));
    assert!(matches!(host.libp2p.providers(&layout.root).await, Err(Libp2pError::Routing(_))));
    assert!(host.fetch_one(&potluck::content::cid::of_raw(b"nowhere"), Duration::from_millis(50)).await.is_err());
    host.libp2p.stop().await;
}
