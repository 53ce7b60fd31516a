//! Blocks between hosts.
use std::time::Duration;

use potluck::content::cid;
use potluck::exchange::libp2p::bitswap::BitswapError;

use super::{Host, options, until};

const MIB: usize = 1024 * 1024;

#[tokio::test]
async fn a_file_is_fetched_over_tcp_quic_and_websocket() {
    for (seed, listen) in
        ["/ip4/127.0.0.1/tcp/0", "/ip4/127.0.0.1/udp/0/quic-v1", "/ip4/127.0.0.1/tcp/0/ws"].iter().enumerate()
    {
        let listen = vec![(*listen).to_owned()];
        let one = Host::with(potluck::exchange::libp2p::Libp2pOptions { listen, ..options(seed as u8 + 1) }).await;
        let two = Host::new(9).await;
        let (layout, content) = one.file("film", 5 * MIB + 77).await;
        two.connect(&one).await;
        assert!(two.fetch(&layout).await.unwrap() == content, "{}", one.libp2p.addresses()[0]);
        let root = two.fetch_one(&layout.root, super::PATIENCE).await.unwrap();
        assert_eq!(cid::verify(&layout.root, &root), Ok(()));
        let ledgers = one.libp2p.bitswap().ledgers();
        assert_eq!((ledgers[0].peer, ledgers[0].blocks_sent), (two.libp2p.id(), layout.leaves.len() as u64 + 1));
        one.libp2p.stop().await;
        two.libp2p.stop().await;
    }
}

#[tokio::test]
async fn what_a_peer_may_not_have_is_to_it_as_if_it_were_not_there() {
    let (one, two) = (Host::new(1).await, Host::new(2).await);
    let (hidden, _) = one.file("private", 3 * MIB).await;
    let (shown, _) = one.file("public", 10).await;
    one.pantry.hidden.lock().insert(hidden.root);
    two.connect(&one).await;
    two.fetch_one(&shown.root, super::PATIENCE).await.unwrap();
    let nowhere = cid::of_raw(b"nowhere");
    for secret in [hidden.root, hidden.leaves[0].0, hidden.leaves[2].0, nowhere] {
        let answer = two.fetch_one(&secret, Duration::from_millis(300)).await;
        assert_eq!(answer, Err(BitswapError::NotFound(secret)));
    }
    assert_eq!(*one.pantry.given.lock(), [shown.root]);
    one.libp2p.stop().await;
    two.libp2p.stop().await;
}

#[tokio::test]
async fn several_who_have_a_file_each_give_a_part_of_it() {
    let (one, two, three) = (Host::new(1).await, Host::new(2).await, Host::new(3).await);
    let (layout, content) = one.file("film", 24 * MIB).await;
    two.file("film", 24 * MIB).await;
    three.connect(&one).await;
    three.connect(&two).await;
    until(|| three.libp2p.bitswap().ledgers().len() == 2).await;
    assert!(three.fetch(&layout).await.unwrap() == content);
    let gave = |host: &Host| host.pantry.given.lock().len();
    assert!(gave(&one) > 3 && gave(&two) > 3, "{} and {}", gave(&one), gave(&two));
    assert!(gave(&one) + gave(&two) < 24 + 6, "few blocks are sent twice");
    for host in [one, two, three] {
        host.libp2p.stop().await;
    }
}

#[tokio::test]
async fn one_who_leaves_is_followed_by_another() {
    let (one, two, three) = (Host::new(1).await, Host::new(2).await, Host::new(3).await);
    let (layout, content) = one.file("film", 40 * MIB).await;
    two.file("film", 40 * MIB).await;
    three.connect(&one).await;
    three.connect(&two).await;
    let leave = async {
        until(|| one.pantry.given.lock().len() > 4).await;
        one.libp2p.stop().await;
    };
    let (fetched, ()) = tokio::join!(three.fetch(&layout), leave);
    assert!(fetched.unwrap() == content);
    two.libp2p.stop().await;
    three.libp2p.stop().await;
}

#[tokio::test]
async fn what_comes_in_later_goes_to_who_wanted_it() {
    let (one, two) = (Host::new(1).await, Host::new(2).await);
    let layout = potluck::content::unixfs::Layout::of(b"soup", potluck::content::unixfs::Profile::V1_2025);
    two.connect(&one).await;
    let bring = async {
        until(|| one.libp2p.bitswap().ledgers().iter().any(|ledger| ledger.wants == 1)).await;
        one.kitchen.import(&one.kitchen.write("late", b"soup")).await.unwrap();
        one.libp2p.bitswap().look_again();
    };
    let (block, ()) = tokio::join!(two.fetch_one(&layout.root, super::PATIENCE), bring);
    assert_eq!(block.unwrap(), &b"soup"[..]);
    one.libp2p.stop().await;
    two.libp2p.stop().await;
}

#[tokio::test]
async fn nobody_is_asked_any_more_for_what_nobody_waits_for() {
    let (one, two) = (Host::new(1).await, Host::new(2).await);
    two.connect(&one).await;
    let nowhere = cid::of_raw(b"nowhere");
    assert!(two.fetch_one(&nowhere, Duration::from_millis(200)).await.is_err());
    until(|| two.libp2p.bitswap().wanted() == 0).await;
    until(|| one.libp2p.bitswap().ledgers().iter().all(|ledger| ledger.wants == 0)).await;
    one.libp2p.stop().await;
    two.libp2p.stop().await;
}

#[tokio::test]
async fn an_address_that_is_taken_is_told_and_the_others_are_used() {
    let one = Host::new(1).await;
    let taken = one.libp2p.state().listens[0].clone();
    let listen = vec![taken.clone(), "/ip4/127.0.0.1/udp/0/quic-v1".to_owned()];
    let two = Host::with(potluck::exchange::libp2p::Libp2pOptions { listen: listen[1..].to_vec(), ..options(2) }).await;
    let both = potluck::exchange::libp2p::Libp2pOptions { listen, ..options(3) };
    let parts = potluck::exchange::libp2p::Libp2pParts {
        larder: two.pantry.clone(),
        check: std::sync::Arc::new(|_: &[u8], _: &[u8], _: Option<&[u8]>| false),
    };
    let three = potluck::exchange::libp2p::Libp2p::start(both, parts).await.unwrap();
    until(|| three.state().listens.len() == 1 && three.state().failed.len() == 1).await;
    assert!(three.state().failed[0].starts_with(&taken), "{:?}", three.state().failed);
    three.stop().await;
    one.libp2p.stop().await;
    two.libp2p.stop().await;
}
