//! The two calls between a home and its stand-in: what is known there, and what is new.
use std::time::Duration;

use axum::extract::State;
use tokio::time::{Instant, timeout_at};

use super::changes::WAIT_MAX;
use super::friends::node_of;
use super::model::Problem;
use crate::accounts::{Caller, Friend};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Query};
use crate::friends::Friends;
use crate::friends::stand_in::{News, Question, Sealed, Standing};

/// Longest parcel, bytes: a thousand accounts and a page of facts.
const PARCEL_MAX: usize = 4 * 1024 * 1024;

/// What this node knows of the friend's people, and how far they watched here. For the friend's node.
#[utoipa::path(get, path = "/api/v1/stand-in", tag = "nodes", params(Question),
    responses((status = 200, body = News), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn news(
    State(app): State<App>,
    Asker(caller): Asker,
    Query(question): Query<Question>,
) -> Result<axum::Json<News>, Refusal> {
    node_of(&caller)?;
    let wait = question.wait.unwrap_or(0);
    if wait > WAIT_MAX {
        return Err(Refusal::invalid(format!("wait: must be 0 to {WAIT_MAX}")));
    }
    let until = Instant::now() + Duration::from_secs(wait);
    follow(&app, caller, &question, until).await.map(axum::Json)
}

/// Takes what the friend's node sealed for this one: its accounts, and how far they watched. What is answered is kept.
#[utoipa::path(post, path = "/api/v1/stand-in", tag = "nodes", request_body = Sealed,
    responses((status = 200, body = Standing), (status = 400, body = Problem), (status = 401, body = Problem),
        (status = 403, body = Problem), (status = 409, body = Problem)))]
pub(in crate::facades) async fn receive(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(sealed): Json<Sealed, PARCEL_MAX>,
) -> Result<axum::Json<Standing>, Refusal> {
    node_of(&caller)?;
    let (friends, friend) = (on(&app)?, friend_of(&app, &caller)?);
    friends.receive(&friend, &sealed).await?;
    Ok(axum::Json(friends.standing(&friend).await?))
}

/// What is new for a home, as soon as anything is, or nothing new when the time is up.
async fn follow(app: &App, mut caller: Caller, question: &Question, until: Instant) -> Result<News, Refusal> {
    // Listened to before looking, so that nothing falls between.
    let (catalog, accounts, stop) = (app.node().catalog(), app.node().accounts(), app.stopping());
    let (mut watched, mut changed) = (catalog.watched(), accounts.revoked());
    loop {
        let news = on(app)?.news(&friend_of(app, &caller)?, question.since).await?;
        if !news.facts.is_empty() || question.known.as_ref().is_some_and(|known| *known != news.standing.word()) {
            return Ok(news);
        }
        let woken = timeout_at(until, async {
            tokio::select! {
                tick = watched.changed() => tick.is_ok(),
                tick = changed.changed() => tick.is_ok(),
                () = stop.cancelled() => false,
            }
        });
        if !woken.await.unwrap_or(false) {
            return Ok(news);
        }
        caller = accounts.current(&caller).ok_or_else(Refusal::unauthenticated)?;
    }
}

fn friend_of(app: &App, caller: &Caller) -> Result<Friend, Refusal> {
    Ok(app.node().accounts().friend(caller.id())?)
}

fn on(app: &App) -> Result<&Friends, Refusal> {
    app.node().friends().ok_or_else(|| Refusal::unavailable("friends are switched off on this node"))
}
