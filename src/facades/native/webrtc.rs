//! Signalling for the WebRTC carrier: an offer in, an answer out; the channel is then the caller's.
use axum::extract::State;

use super::model::{Problem, SessionDescription, WebRtcSettings};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Asker, Json};

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
    let sdp = carrier.answer(caller, offer.sdp).await?;
    Ok(axum::Json(SessionDescription { sdp }))
}
