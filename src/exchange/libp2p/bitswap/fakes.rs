//! For unit tests: a side without a network.
use std::sync::Arc;

use ::libp2p::PeerId;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{Bitswap, Larder, Wiring};
use crate::content::Cid;

/// Has nothing.
struct Empty;

impl Larder for Empty {
    fn size<'a>(&'a self, _: &'a PeerId, _: &'a Cid) -> BoxFuture<'a, Option<u64>> {
        async { None }.boxed()
    }

    fn block<'a>(&'a self, _: &'a PeerId, _: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        async { None }.boxed()
    }
}

/// A side with these peers, of whom nobody answers.
pub fn bitswap(peers: &[PeerId]) -> Bitswap {
    let (orders, search) = (mpsc::channel(8).0, mpsc::channel(8).0);
    let wiring = Wiring { orders, search, offenders: mpsc::unbounded_channel().0, stop: CancellationToken::new() };
    let bitswap = Bitswap::new(Arc::new(Empty), wiring);
    for peer in peers {
        drop(bitswap.peer(*peer));
    }
    bitswap
}
