//! Rings at a friend's node, seen from there: what a node that refuses one gets.
use std::pin::Pin;
use std::sync::Arc;

use http_body_util::BodyExt as _;
use potluck::accounts::NewFriend;
use potluck::catalog::shared::Changes;
use potluck::exchange::iroh::{Iroh, Peer, Recognised};
use potluck::exchange::{Body, Responder};
use tokio::sync::watch;

use crate::bodies::full;
use crate::harness::{TestNode, links};
use crate::street::{options, share};

/// Counts the rings at her door, and has no time at the first.
#[derive(Clone)]
struct Carol(Arc<watch::Sender<u32>>);

impl Responder<()> for Carol {
    fn respond(
        &self,
        (): (),
        request: http::Request<Body>,
    ) -> Pin<Box<dyn Future<Output = http::Response<Body>> + Send>> {
        let mut status = 200;
        if request.uri().path() == "/api/v1/friends/bell" {
            self.0.send_modify(|rings| *rings += 1);
            status = if *self.0.borrow() == 1 { 429 } else { 204 };
        }
        Box::pin(async move {
            let body = if status == 200 { full(r#"{"name": "Carol", "addresses": []}"#) } else { Body::default() };
            http::Response::builder().status(status).body(body).unwrap()
        })
    }
}

/// Asks for what is new until there is nothing.
async fn ask(carol: &Iroh<()>, ann: &Peer) {
    let mut since = String::new();
    loop {
        let uri = format!("/api/v1/changes?since={since}&people=true");
        let answer = carol.send(ann, http::Request::get(uri).body(Body::default()).unwrap()).await.unwrap();
        let page: Changes = serde_json::from_slice(&answer.into_body().collect().await.unwrap().to_bytes()).unwrap();
        if page.next == since {
            return;
        }
        since = page.next;
    }
}

#[tokio::test]
async fn a_ring_that_was_refused_is_tried_again() {
    let ann = TestNode::with(&[], |wishes| {
        wishes.node.links = Some(links("Ann"));
        wishes.node.friends = options();
    })
    .await;
    let (count, mut rings) = watch::channel(0);
    let recognise = Arc::new(|_: &str, _| Recognised { caller: (), known: true });
    let carol = Carol(Arc::new(count));
    let carol = Iroh::start(links("Carol").iroh, &[9; 32], recognise, Arc::new(carol)).await.unwrap();
    let new = NewFriend { name: "Carol".to_owned(), endpoint: carol.id().to_owned(), addresses: carol.addresses() };
    let friend = ann.node().accounts().add_friend(new).await.unwrap().id;
    let iroh = ann.node().links().unwrap().iroh();
    ask(&carol, &Peer { endpoint: iroh.id().to_owned(), addresses: iroh.addresses() }).await;

    share(&ann, &friend).await;
    rings.wait_for(|rings| *rings >= 2).await.unwrap();
    ann.stop().await;
    carol.stop().await;
}
