//! A node that somebody is signed in to, over HTTP.
use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::{Value, json};

use crate::node::{PASSWORD, Served};

/// How often a node is asked whether it is done.
const LOOK: Duration = Duration::from_millis(10);

pub struct Api {
    pub node: Served,
    pub client: reqwest::Client,
}

impl Api {
    pub async fn sign_in(node: Served) -> anyhow::Result<Self> {
        let api = Self { client: reqwest::Client::builder().cookie_store(true).build()?, node };
        api.post("/api/v1/login", json!({"username": "ada", "password": PASSWORD})).await?;
        Ok(api)
    }

    async fn send(&self, method: Method, path: &str, body: Option<Value>) -> anyhow::Result<Value> {
        let mut request = self.client.request(method, format!("{}{path}", self.node.url));
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await?.error_for_status()?.bytes().await?;
        Ok(serde_json::from_slice(&answer).unwrap_or_default())
    }

    pub async fn get(&self, path: &str) -> anyhow::Result<Value> {
        self.send(Method::GET, path, None).await
    }

    pub async fn post(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(Method::POST, path, Some(body)).await
    }

    pub async fn patch(&self, path: &str, body: Value) -> anyhow::Result<Value> {
        self.send(Method::PATCH, path, Some(body)).await
    }

    /// Asks until the answer is right.
    pub async fn until(&self, path: &str, right: impl Fn(&Value) -> bool) -> anyhow::Result<Value> {
        loop {
            let answer = self.get(path).await?;
            if right(&answer) {
                return Ok(answer);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// An answer whose bytes come as they are made.
    pub async fn stream(&self, path: &str) -> anyhow::Result<reqwest::Response> {
        Ok(self.client.get(format!("{}{path}", self.node.url)).send().await?.error_for_status()?)
    }

    /// How long a whole answer takes.
    pub async fn timed(&self, path: &str) -> anyhow::Result<Duration> {
        let begun = Instant::now();
        self.client.get(format!("{}{path}", self.node.url)).send().await?.error_for_status()?.bytes().await?;
        Ok(begun.elapsed())
    }
}
