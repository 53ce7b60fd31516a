//! What somebody shows to whoever has a link: `/share/{id}`, a page with songs that anybody opens without an account, and what the page
//! needs below it.
//!
//! The id cannot be guessed; whoever knows it may hear these songs and nothing else. Everything is asked anew each time: what the owner
//! may not see any more, or took back, is gone for the link too. How often somebody may ask is bounded by address, for nobody has to say
//! who they are.
mod page;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};

use super::App;
use super::error::Refusal;
use super::extract::{Path, SeenShare};
use super::floods::Admission;
use super::proxies::Front;
use super::songs;
use super::sounds::{self, Wish};
use crate::accounts::{Account, Caller};
use crate::catalog::music::{Hearer, Share, Track};
use crate::facades::native::playable;
use crate::media::whole_sound::SoundCodec;
use crate::playback::{SoundForm, Watcher};

/// Requests that may come from one address, four times as many at once: a page has many pictures.
pub(super) const REQUESTS_A_SECOND: u32 = 50;
/// Pixels of a cover's side.
const SIDE: u32 = 600;
/// Letters of an id at most.
const ID_MAX: usize = 64;

/// A share that is open now, and whose it is.
pub(super) struct Shown {
    share: Share,
    owner: Account,
    hearer: Hearer,
}

/// The address of a share, as the caller sees this node. Without scheme and host where nobody knows them.
pub(super) fn address(front: Option<&Front>, id: &str) -> String {
    let origin = front.and_then(Front::likely_origin).unwrap_or_default();
    let prefix = front.map_or("", |front| &front.prefix);
    format!("{origin}{prefix}/share/{id}")
}

/// The share with this id, for whoever asks from there.
///
/// # Errors
/// Not found for one that is not there, expired, or whose owner is gone, and where nobody shares; too many for who asks too often.
pub(super) async fn open(app: &App, caller: &Caller, id: Option<String>) -> Result<Shown, Refusal> {
    if app.options().no_shares {
        return Err(Refusal::not_found());
    }
    match app.visitors().admit(&neighbourhood(caller.address)) {
        Admission::Granted => {}
        Admission::Refused(wait) => return Err(Refusal::too_many(wait)),
        Admission::Flood => return Err(Refusal::too_many(Duration::from_secs(60))),
    }
    let id = id.filter(|id| id.len() <= ID_MAX).ok_or_else(Refusal::not_found)?;
    let share = app.node().catalog().share(&id).await?;
    let accounts = app.node().accounts();
    if share.expires_at.is_some_and(|end| end <= accounts.now()) {
        return Err(Refusal::not_found());
    }
    let owner = accounts.get(&share.owner).map_err(|_| Refusal::not_found())?;
    let libraries = app.node().catalog().own_libraries().await?;
    let libraries = libraries.into_iter().filter(|library| library.kind.is_heard() && owner.may_see(&library.id));
    let hearer = Hearer { account: owner.id.clone(), libraries: libraries.map(|library| library.id).collect() };
    Ok(Shown { share, owner, hearer })
}

/// Who has one address of version 6 has a whole network of them.
fn neighbourhood(address: IpAddr) -> String {
    match address {
        IpAddr::V4(v4) => v4.to_string(),
        IpAddr::V6(v6) => format!("{:x}", v6.to_bits() >> 64),
    }
}

/// Why there is no page, for a browser: a page too.
pub(super) fn refused(request: &Request, refusal: Refusal) -> Response {
    let accepted = request.headers().get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let response = refusal.into_response();
    if response.status() == StatusCode::NOT_FOUND && accepted.contains("text/html") {
        return (StatusCode::NOT_FOUND, page::headers(), page::gone()).into_response();
    }
    response
}

/// The page.
pub(super) async fn show(
    State(app): State<App>,
    SeenShare(shown): SeenShare,
    method: Method,
) -> Result<Response, Refusal> {
    let (catalog, Shown { share, hearer, .. }) = (app.node().catalog(), &*shown);
    let mut tracks = catalog.tracks_by_number(hearer.clone(), share.tracks.clone()).await?;
    tracks.retain(|track| track.present);
    if tracks.is_empty() {
        return Ok((StatusCode::NOT_FOUND, page::headers(), page::gone()).into_response());
    }
    // Who only looks whether it is there was not here.
    if method == Method::GET {
        catalog.visit_share(&share.id).await?;
    }
    Ok((page::headers(), page::of(share, &tracks)).into_response())
}

/// A song as it is.
pub(super) async fn file(
    State(app): State<App>,
    SeenShare(shown): SeenShare,
    Path((_, number)): Path<(String, i64)>,
    (method, headers): (Method, HeaderMap),
) -> Result<Response, Refusal> {
    let track = shown.track(&app, number).await?;
    songs::file(&app, &shown.owner.id, &track, false, (&method, &headers)).await
}

/// A song as MP3, which every browser plays.
pub(super) async fn sound(
    State(app): State<App>,
    SeenShare(shown): SeenShare,
    Path((_, number)): Path<(String, i64)>,
    (method, headers): (Method, HeaderMap),
) -> Result<Response, Refusal> {
    let track = shown.track(&app, number).await?;
    let source = playable(&app.node().catalog().item(&track.id, &shown.owner.id).await?)?;
    // All who listen by links of one account are one listener, beside the account itself.
    let watcher = Watcher { viewer: format!("{}/share", shown.owner.id), bit_rate_max: shown.owner.max_bit_rate };
    let form = SoundForm::new(SoundCodec::Mp3, None, Duration::ZERO);
    let wish = Wish { source: &source, form, length: true, watcher: &watcher };
    sounds::answer(&app, wish, &method, &headers).await
}

/// The cover of a song.
pub(super) async fn cover(
    State(app): State<App>,
    SeenShare(shown): SeenShare,
    Path((_, number)): Path<(String, i64)>,
    headers: HeaderMap,
) -> Result<Response, Refusal> {
    let track = shown.track(&app, number).await?;
    Ok(songs::cover(&app, track.poster.as_deref(), SIDE, &headers).await)
}

impl Shown {
    /// One of its songs.
    async fn track(&self, app: &App, number: i64) -> Result<Track, Refusal> {
        if !self.share.tracks.contains(&number) {
            return Err(Refusal::not_found());
        }
        let found = app.node().catalog().tracks_by_number(self.hearer.clone(), vec![number]).await?;
        found.into_iter().next().ok_or_else(Refusal::not_found)
    }
}

/// What the policy check leaves for the handlers.
pub(super) type Seen = Arc<Shown>;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_that_of_the_node_as_the_caller_sees_it() {
        let front = Front { host: Some("a.example".into()), ..Front::at("::1".parse().unwrap()) };
        let proxied = Front { secure: true, port: Some(8443), prefix: "/music".into(), ..front.clone() };
        assert_eq!(address(Some(&front), "x"), "http://a.example/share/x");
        assert_eq!(address(Some(&proxied), "x"), "https://a.example:8443/music/share/x");
        assert_eq!(address(Some(&Front { veiled: true, ..front }), "x"), "http://a.example/share/x");
        assert_eq!(address(None, "x"), "/share/x");
    }

    #[test]
    fn a_network_of_version_6_is_one_visitor() {
        let of = |text: &str| neighbourhood(text.parse().unwrap());
        assert_eq!(of("2001:db8::1"), of("2001:db8::ffff:1"));
        assert_ne!(of("2001:db8::1"), of("2001:db8:0:1::1"));
        assert_ne!(of("192.0.2.1"), of("192.0.2.2"));
    }
}
