//! Signalling for the WebRTC carrier: an offer in, an answer out; the channel is then the caller's.
use axum::extract::State;
use axum::http::StatusCode;

use super::model::{Problem, SessionDescription, WebRtcSettings};
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json, Path};
use crate::facades::{App, forward};

/// What a page needs before it makes an offer.
#[utoipa::path(get, path = "/api/v1/webrtc", tag = "carriers",
    responses((status = 200, body = WebRtcSettings), (status = 401, body = Problem)))]
pub(in crate::facades) async fn settings(State(app): State<App>) -> axum::Json<WebRtcSettings> {
    axum::Json(WebRtcSettings {
        enabled: app.node().webrtc().is_some(),
        ice_servers: app.options().stun_servers.clone(),
        connections_max: app.options().webrtc_connections_per_page,
    })
}

/// Answers an offer. Requests on the new connection have the rights of the caller, for as long as it has them.
#[utoipa::path(post, path = "/api/v1/webrtc", tag = "carriers", request_body = SessionDescription,
    responses((status = 200, body = SessionDescription), (status = 400, body = Problem),
        (status = 401, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn answer(
    State(app): State<App>,
    Asker(caller): Asker,
    Json(offer): Json<SessionDescription>,
) -> Result<axum::Json<SessionDescription>, Refusal> {
    let carrier = app.node().webrtc().ok_or_else(|| Refusal::unavailable("WebRTC is switched off on this node"))?;
    // A browser that a friend's node sent has no say in whom it is for.
    let caller = app.node().accounts().on_behalf(caller, None);
    let sdp = carrier.answer(caller, offer.sdp).await?;
    Ok(axum::Json(SessionDescription { sdp }))
}

/// Answers an offer for the node of a friend, with which the page then speaks by itself. For those who may see all that
/// the friend shares with them, without a limit: on that connection the friend's node knows whom it is for, and nothing of what their
/// account may see here.
#[utoipa::path(post, path = "/api/v1/friends/{id}/webrtc", tag = "carriers", params(("id" = String, Path)),
    request_body = SessionDescription,
    responses((status = 200, body = SessionDescription), (status = 400, body = Problem), (status = 403, body = Problem),
        (status = 404, body = Problem), (status = 502, body = Problem), (status = 503, body = Problem)))]
pub(in crate::facades) async fn answer_of_friend(
    State(app): State<App>,
    Asker(caller): Asker,
    Path(id): Path<String>,
    Json(offer): Json<SessionDescription>,
) -> Result<axum::Json<SessionDescription>, Refusal> {
    let friend = app.node().accounts().friend(&id)?;
    let accounts = app.node().accounts();
    let mut shared = app.node().catalog().libraries().await?;
    shared.retain(|library| library.friend.as_deref() == Some(friend.id.as_str()) && caller.is_for(&library.id));
    if shared.is_empty() {
        return Err(Refusal::not_found());
    }
    let limited = caller.account.as_ref().is_none_or(|account| account.max_bit_rate.is_some());
    if limited || !shared.iter().all(|library| caller.may_see(&library.id)) {
        return Err(Refusal::forbidden("what this friend shares comes over this node, within what you may see"));
    }
    let body = serde_json::to_vec(&offer).map_err(|error| Refusal::internal(&error))?;
    let named = shared.iter().any(|library| accounts.is_limited(&library.id));
    let person = caller.person().filter(|_| named);
    let answer = forward::post_json(&app, &friend.id, "/api/v1/webrtc", person, body).await?;
    let told = || Refusal::friend_answered(&friend.name, StatusCode::OK);
    serde_json::from_slice(&answer).map(axum::Json).map_err(|_| told())
}
