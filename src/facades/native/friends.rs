//! Friends: inviting, accepting, sharing and revoking, for admins; and the two calls that other nodes make.
use std::time::Duration;

use axum::extract::State;
use axum::http::StatusCode;

use super::model::{
    AcceptInvite, Friend, FriendChange, FriendFault, FriendState, FriendTrouble, Hosting, Invite, NewInvite, Problem,
    StandIn,
};
use crate::accounts::{self, Caller, Credential, NewFriend};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};
use crate::friends::links::{Greeting, INVITE_TIME, Links, Presence, Redemption};
use crate::friends::{self, Fault};
use crate::node::NodeEvent;

/// All friends, by name, with how each one's node is.
#[utoipa::path(get, path = "/api/v1/friends", tag = "friends",
    responses((status = 200, body = Vec<Friend>), (status = 403, body = Problem)))]
pub(in crate::facades) async fn list(State(app): State<App>) -> axum::Json<Vec<Friend>> {
    let all = app.node().accounts().friends();
    axum::Json(all.into_iter().map(|friend| shape(&app, friend)).collect())
}

/// Makes an invite. Its code is in this answer and never again.
#[utoipa::path(post, path = "/api/v1/friends/invites", tag = "friends", request_body = NewInvite,
    responses((status = 201, body = Invite), (status = 400, body = Problem), (status = 409, body = Problem),
        (status = 503, body = Problem)))]
pub(in crate::facades) async fn invite(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(new): Json<NewInvite>,
) -> Result<(StatusCode, axum::Json<Invite>), Refusal> {
    let lifetime = new.hours.map_or(INVITE_TIME, |hours| Duration::from_secs(u64::from(hours) * 3600));
    let name = new.name.as_deref().filter(|name| !name.trim().is_empty());
    let made = on(&app)?.invite(name, lifetime).await?;
    tell(&caller, made.invite.name.as_deref().unwrap_or_default(), "made an invite");
    Ok((StatusCode::CREATED, axum::Json(Invite { code: Some(made.code), ..made.invite.into() })))
}

/// Invites that nobody redeemed yet, without their codes.
#[utoipa::path(get, path = "/api/v1/friends/invites", tag = "friends",
    responses((status = 200, body = Vec<Invite>), (status = 403, body = Problem)))]
pub(in crate::facades) async fn invites(State(app): State<App>) -> Result<axum::Json<Vec<Invite>>, Refusal> {
    let open = app.node().accounts().invites().await?;
    Ok(axum::Json(open.into_iter().map(Invite::from).collect()))
}

/// Withdraws an invite.
#[utoipa::path(delete, path = "/api/v1/friends/invites/{id}", tag = "friends", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn withdraw(
    State(app): State<App>,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    app.node().accounts().remove_invite(&id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Redeems another node's invite: its owner is a friend from then on. Nothing is shared with them by that.
#[utoipa::path(post, path = "/api/v1/friends/accept", tag = "friends", request_body = AcceptInvite,
    responses((status = 201, body = Friend), (status = 400, body = Problem), (status = 409, body = Problem),
        (status = 503, body = Problem)))]
pub(in crate::facades) async fn accept(
    State(app): State<App>,
    Json(invite): Json<AcceptInvite>,
) -> Result<(StatusCode, axum::Json<Friend>), Refusal> {
    let name = invite.name.as_deref().filter(|name| !name.trim().is_empty());
    let friend = on(&app)?.accept(&invite.code, name).await?;
    app.node().announce(NodeEvent::Friends);
    Ok((StatusCode::CREATED, axum::Json(shape(&app, friend))))
}

/// Renames a friend, switches one off or on, and says which libraries are shared with it, and for whom at its node.
#[utoipa::path(patch, path = "/api/v1/friends/{id}", tag = "friends", params(("id" = String, Path)),
    request_body = FriendChange,
    responses((status = 200, body = Friend), (status = 400, body = Problem), (status = 404, body = Problem),
        (status = 409, body = Problem)))]
pub(in crate::facades) async fn change(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(change): Json<FriendChange>,
) -> Result<axum::Json<Friend>, Refusal> {
    own_libraries(&app, change.libraries.as_deref().unwrap_or_default()).await?;
    let FriendChange { name, enabled, libraries, people, upload_rate, stand_in, hosts } = change;
    let change = accounts::FriendChange { name, enabled, libraries, people, upload_rate, stand_in, hosts };
    let friend = app.node().accounts().update_friend(&id, change).await?;
    tell(&caller, &friend.name, "changed what a friend may do");
    app.node().announce(NodeEvent::Friends);
    Ok(axum::Json(shape(&app, friend)))
}

/// Ends a friendship. The friend's node is cut off at once, in the middle of what it reads.
#[utoipa::path(delete, path = "/api/v1/friends/{id}", tag = "friends", params(("id" = String, Path)),
    responses((status = 204), (status = 404, body = Problem)))]
pub(in crate::facades) async fn revoke(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
) -> Result<StatusCode, Refusal> {
    let friend = app.node().accounts().friend(&id)?;
    app.node().accounts().remove_friend(&id).await?;
    tell(&caller, &friend.name, "revoked a friend");
    app.node().announce(NodeEvent::Friends);
    Ok(StatusCode::NO_CONTENT)
}

/// Another node brings the secret of an invite, and is a friend from then on.
#[utoipa::path(post, path = "/api/v1/friends/redeem", tag = "nodes", request_body = Redemption,
    responses((status = 200, body = Greeting), (status = 400, body = Problem), (status = 403, body = Problem)))]
pub(in crate::facades) async fn redeem(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(redemption): Json<Redemption>,
) -> Result<axum::Json<Greeting>, Refusal> {
    let endpoint = node_of(&caller)?.to_owned();
    let links = on(&app)?;
    let greeting = links.greeting();
    let new = NewFriend { name: redemption.name, endpoint, addresses: redemption.addresses };
    let friend = app.node().accounts().redeem(&redemption.secret, new).await?;
    links.is_known_to(&friend.endpoint);
    tracing::info!(target: "audit", { friend.name = friend.name, friend.id = friend.id }, "an invite was redeemed");
    app.node().announce(NodeEvent::Friends);
    Ok(axum::Json(greeting))
}

/// A friend's node says where it can be reached, and is told the same of this one.
#[utoipa::path(post, path = "/api/v1/friends/hello", tag = "nodes", request_body = Greeting,
    responses((status = 200, body = Greeting), (status = 400, body = Problem), (status = 401, body = Problem)))]
pub(in crate::facades) async fn hello(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(theirs): Json<Greeting>,
) -> Result<axum::Json<Greeting>, Refusal> {
    let endpoint = node_of(&caller)?;
    app.node().accounts().found_friend(caller.id(), theirs.addresses, theirs.ipfs).await?;
    let links = on(&app)?;
    links.is_known_to(endpoint);
    Ok(axum::Json(links.greeting()))
}

/// A friend's node says that there is news in what it shares: this one asks what it is. Without effect for anybody else.
#[utoipa::path(post, path = "/api/v1/friends/bell", tag = "nodes",
    responses((status = 204), (status = 401, body = Problem)))]
pub(in crate::facades) async fn bell(State(app): State<App>, Asker(caller): Asker) -> StatusCode {
    // A browser that the node sent is not the node.
    if let Some(friends) = app.node().friends().filter(|_| node_of(&caller).is_ok()) {
        friends.rung(caller.id());
    }
    StatusCode::NO_CONTENT
}

fn on(app: &App) -> Result<&Links, Refusal> {
    let off = "friends are switched off on this node: see friends.enabled, and the log of its start";
    app.node().links().ok_or_else(|| Refusal::unavailable(off))
}

/// What a friend shares is not ours to share on.
async fn own_libraries(app: &App, ids: &[String]) -> Result<(), Refusal> {
    let all = app.node().catalog().libraries().await?;
    let own = |id: &&String| all.iter().any(|library| library.id == **id && library.friend.is_none());
    match ids.iter().find(|id| !own(id)) {
        Some(other) => Err(Refusal::invalid(format!("libraries: there is no library {other} of this node"))),
        None => Ok(()),
    }
}

/// The public key of the node that calls.
pub(super) fn node_of(caller: &Caller) -> Result<&str, Refusal> {
    match &caller.credential {
        Credential::Endpoint(endpoint) => Ok(endpoint),
        _ => Err(Refusal::forbidden("only another node may call this, over its own link")),
    }
}

/// What was done to friends is written down with who did it.
fn tell(caller: &Caller, friend: &str, what: &str) {
    let account = caller.account.as_ref().map(|account| account.name.as_str());
    tracing::info!(target: "audit", { account.name = account, friend.name = friend }, "{what}");
}

fn shape(app: &App, friend: accounts::Friend) -> Friend {
    let presence = app.node().links().map_or(Presence::Off(None), |links| links.presence(&friend));
    let (state, link, detail) = match presence {
        _ if !friend.enabled => (FriendState::Disabled, None, None),
        Presence::Online(link) => (FriendState::Online, Some(link), None),
        Presence::Resting => (FriendState::Resting, None, None),
        Presence::Off(reason) => (FriendState::Off, None, reason),
        Presence::Refused => (FriendState::Refused, None, None),
    };
    let stand_in = (friend.stand_in == accounts::StandIn::Chosen).then(|| stand_in(app, &friend.id));
    let hosts = friend.hosts.then(|| hosting(app, &friend.id));
    Friend {
        stand_in,
        hosts,
        trouble: app.node().friends().and_then(|friends| friends.trouble(&friend.id)).map(trouble),
        id: friend.id,
        name: friend.name,
        endpoint: friend.endpoint,
        libraries: friend.libraries,
        people: friend.people,
        created_at: friend.created_at,
        upload_rate: friend.upload_rate,
        state,
        relayed: link.as_ref().is_some_and(|link| link.relayed),
        rtt_ms: link.as_ref().map(|link| link.rtt.as_secs_f64() * 1000.0),
        address: link.map(|link| link.address),
        detail,
    }
}

fn trouble(trouble: friends::Trouble) -> FriendTrouble {
    let friends::Trouble { fault, count, at, until } = trouble;
    let kind = match fault {
        Fault::Lie => FriendFault::Lie,
        Fault::Endless => FriendFault::Endless,
        Fault::Stall => FriendFault::Stall,
        Fault::Flood => FriendFault::Flood,
    };
    FriendTrouble { kind, reason: fault.reason().to_owned(), count, at, until }
}

fn stand_in(app: &App, friend: &str) -> StandIn {
    let state = app.node().friends().map(|friends| friends.stand_in(friend)).unwrap_or_default();
    StandIn { synced_at: state.synced_at, problem: state.problem }
}

fn hosting(app: &App, friend: &str) -> Hosting {
    let accounts = app.node().accounts();
    let received_at = accounts.hosting(friend).map(|hosting| hosting.received_at);
    Hosting { people: accounts.guests(friend).len(), received_at }
}
