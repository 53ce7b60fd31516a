//! What of friends' libraries is kept here: the rules, and how far they are.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{
    self, Holder, NewReplica, Problem, ReplicaChange, ReplicaChoice, ReplicaPolicy, ReplicaRemoval, ReplicaState,
};
use crate::accounts::{Caller, Credential};
use crate::catalog::CatalogError;
use crate::catalog::replicas::{self, Replica};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path, Query};
use crate::friends::replicas::{Current, ReplicasState, Share};

/// Copies that a rule may ask for at most.
const COPIES_MAX: u32 = 100;

/// All rules, what they take, and what is fetched now.
#[utoipa::path(get, path = "/api/v1/replicas", tag = "replicas",
    responses((status = 200, body = model::Replicas), (status = 403, body = Problem)))]
pub(in crate::facades) async fn list(State(app): State<App>) -> Result<axum::Json<model::Replicas>, Refusal> {
    let state = app.node().replicas().state().await?;
    let options = &app.node().options().replicas;
    Ok(axum::Json(model::Replicas {
        folder: state.folder.to_string_lossy().into_owned(),
        quota: options.quota,
        used: state.used,
        free: state.free,
        spare: options.spare,
        fetched: state.fetched,
        problem: state.problem.clone(),
        current: state.current.clone().map(current),
        rules: state.rules.iter().map(|(rule, share, problem)| shape(&app, &state, rule, *share, problem)).collect(),
    }))
}

/// Keeps a library, a show or an item of a friend's, from now on.
#[utoipa::path(post, path = "/api/v1/replicas", tag = "replicas", request_body = NewReplica,
    responses((status = 201, body = model::Replica), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(in crate::facades) async fn add(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewReplica>,
) -> Result<(StatusCode, axum::Json<model::Replica>), Refusal> {
    see_target(&app, &caller, &new.target).await?;
    let policy = policy(&app, &caller, &new.choice)?.unwrap_or(replicas::ReplicaPolicy::Everything);
    let rule = app.node().catalog().add_replica(&new.target, policy, new.paused).await?;
    app.node().replicas().wake();
    Ok((StatusCode::CREATED, axum::Json(one(&app, &rule.id).await?)))
}

/// Pauses a rule, lets it go on, or has it want something else.
#[utoipa::path(patch, path = "/api/v1/replicas/{id}", tag = "replicas", params(("id" = String, Path)),
    request_body = ReplicaChange,
    responses((status = 200, body = model::Replica), (status = 400, body = Problem), (status = 404, body = Problem)))]
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(change): Json<ReplicaChange>,
) -> Result<axum::Json<model::Replica>, Refusal> {
    let policy = policy(&app, &caller, &change.choice)?;
    app.node().catalog().change_replica(&id, policy, change.paused).await?;
    app.node().replicas().wake();
    one(&app, &id).await.map(axum::Json)
}

/// Ends a rule. Its files stay, unless `files` says otherwise.
#[utoipa::path(delete, path = "/api/v1/replicas/{id}", tag = "replicas", params(("id" = String, Path), ReplicaRemoval),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn remove(
    State(app): State<App>,
    Path(id): Path<String>,
    Query(removal): Query<ReplicaRemoval>,
) -> Result<StatusCode, Refusal> {
    app.node().replicas().remove(&id, removal.files).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn one(app: &App, id: &str) -> Result<model::Replica, Refusal> {
    let state = app.node().replicas().state().await?;
    let found = state.rules.iter().find(|(rule, ..)| rule.id == id);
    let (rule, share, problem) = found.ok_or_else(Refusal::not_found)?;
    Ok(shape(app, &state, rule, *share, problem))
}

/// What is for others here only is told as what does not exist.
async fn see_target(app: &App, caller: &Caller, target: &str) -> Result<(), Refusal> {
    let catalog = app.node().catalog();
    let library = match catalog.library(target).await {
        Ok(library) => library.id,
        Err(CatalogError::NotFound(_)) => catalog.item(target, "").await?.item.library,
        Err(error) => return Err(error.into()),
    };
    if caller.is_for(&library) { Ok(()) } else { Err(Refusal::hidden()) }
}

/// What was chosen, if anything was.
fn policy(app: &App, caller: &Caller, choice: &ReplicaChoice) -> Result<Option<replicas::ReplicaPolicy>, Refusal> {
    Ok(match choice.policy {
        None if choice.account.is_some() || choice.copies.is_some() => {
            return Err(Refusal::invalid("policy: is needed with account or copies"));
        }
        None => None,
        Some(ReplicaPolicy::Everything) => Some(replicas::ReplicaPolicy::Everything),
        Some(ReplicaPolicy::Unwatched) => {
            Some(replicas::ReplicaPolicy::Unwatched(watcher(app, caller, choice.account.as_deref())?))
        }
        Some(ReplicaPolicy::Copies) => match choice.copies {
            Some(copies @ 1..=COPIES_MAX) => Some(replicas::ReplicaPolicy::Copies(copies)),
            _ => return Err(Refusal::invalid(format!("copies: must be 1 to {COPIES_MAX}"))),
        },
    })
}

/// Id of the account whose progress counts.
fn watcher(app: &App, caller: &Caller, named: Option<&str>) -> Result<String, Refusal> {
    let accounts = app.node().accounts();
    match named {
        Some(name) => Ok(accounts.get(name).or_else(|_| accounts.named(name))?.id),
        None if caller.credential == Credential::Local => Err(Refusal::invalid("account: say who has not watched it")),
        None => Ok(caller.id().to_owned()),
    }
}

fn current(current: Current) -> model::ReplicaCurrent {
    let Current { replica, item, title, size, there } = current;
    model::ReplicaCurrent { replica, item, title, size, there }
}

fn shape(app: &App, state: &ReplicasState, rule: &Replica, share: Share, problem: &Option<String>) -> model::Replica {
    let friend = app.node().accounts().friend(&rule.friend).ok().map(|friend| Holder {
        online: app.node().friends().is_some_and(|friends| friends.state(&friend.id).online),
        id: friend.id,
        name: friend.name,
    });
    let now = state.current.as_ref().filter(|current| current.replica == rule.id);
    let (policy, account, copies) = match &rule.policy {
        replicas::ReplicaPolicy::Everything => (ReplicaPolicy::Everything, None, None),
        replicas::ReplicaPolicy::Unwatched(account) => (ReplicaPolicy::Unwatched, Some(account), None),
        replicas::ReplicaPolicy::Copies(copies) => (ReplicaPolicy::Copies, None, Some(*copies)),
    };
    model::Replica {
        id: rule.id.clone(),
        friend,
        scope: rule.scope,
        target: rule.target.clone(),
        title: rule.title.clone(),
        policy,
        account: account.map(|id| app.node().accounts().get(id).map_or_else(|_| id.clone(), |account| account.name)),
        copies,
        state: match now {
            _ if rule.paused => ReplicaState::Paused,
            Some(_) => ReplicaState::Fetching,
            None if share.items_done == share.items => ReplicaState::Done,
            None => ReplicaState::Waiting,
        },
        problem: problem.clone(),
        items: share.items,
        items_done: share.items_done,
        bytes: share.bytes,
        bytes_done: share.bytes_done + now.map_or(0, |current| current.there),
        over_quota: share.over_quota,
        created_at: rule.created_at,
    }
}
