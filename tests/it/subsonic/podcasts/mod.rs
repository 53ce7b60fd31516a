//! Podcasts, against a server beside the node: what is heard of them, how they are fetched, and what strangers may try.
mod fetching;
mod hearing;
mod strangers;
mod studio;

use std::time::Duration;

use axum::body::Bytes;
use potluck::node::PodcastsOptions;
use serde_json::Value;

use self::studio::Studio;
use super::App;
use super::music::text;
use crate::harness::TestNode;
use crate::tunes::tune;

fn options() -> PodcastsOptions {
    PodcastsOptions {
        refresh: None,
        private_networks: vec!["127.0.0.1".parse().unwrap()],
        first_wait: Duration::from_millis(10),
        ..PodcastsOptions::default()
    }
}

/// A node that follows podcasts of this machine.
async fn started() -> (TestNode, App) {
    with(options()).await
}

async fn with(options: PodcastsOptions) -> (TestNode, App) {
    let node = TestNode::with(&[], |wishes| wishes.node.podcasts = options).await;
    let ada = App::new(&node, "ada").await;
    (node, ada)
}

/// A tune that no other is like.
fn sound(name: &str) -> Bytes {
    tune(&[("TIT2", name)]).into()
}

async fn follow(ada: &App, studio: &Studio) {
    ada.ok(&format!("createPodcastChannel?url={}/feed", studio.url)).await;
}

async fn channel(ada: &App) -> Value {
    ada.ok("getPodcasts").await["podcasts"]["channel"][0].clone()
}

/// The episode of this title.
async fn episode(ada: &App, title: &str) -> Value {
    let all = channel(ada).await["episode"].as_array().unwrap().clone();
    all.into_iter().find(|episode| episode["title"] == title).unwrap()
}

/// The episode of this title, once that is its status.
async fn once(ada: &App, title: &str, status: &str) -> Value {
    loop {
        let found = episode(ada, title).await;
        if found["status"] == status {
            return found;
        }
        assert!(found["status"] == "downloading" || found["status"] == "new", "{found}");
    }
}

/// The channel, once its feed is not being read.
async fn settled(ada: &App) -> Value {
    loop {
        let found = channel(ada).await;
        if found["status"] != "downloading" {
            return found;
        }
    }
}

async fn fetched(ada: &App, title: &str) -> Value {
    let id = text(&episode(ada, title).await, "id");
    ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    once(ada, title, "completed").await
}

/// Why an episode is not here.
async fn refused(ada: &App, title: &str) -> String {
    let id = text(&episode(ada, title).await, "id");
    ada.ok(&format!("downloadPodcastEpisode?id={id}")).await;
    text(&once(ada, title, "error").await, "errorMessage")
}

/// What a call is refused for.
async fn message(ada: &App, call: &str) -> String {
    let answer = ada.json(call).await;
    assert_eq!(answer["status"], "failed", "{call}: {answer}");
    text(&answer["error"], "message")
}

fn files(node: &TestNode) -> Vec<String> {
    let entries = std::fs::read_dir(node.data().join("podcasts")).into_iter().flatten();
    let mut names: Vec<String> = entries.map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}
