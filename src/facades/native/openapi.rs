//! The description of the native API, made from the handlers. The page's TypeScript is made from it.
use std::sync::LazyLock;

use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;

use super::{
    accounts, api_keys, app_passwords, artists, audit, blocks, changes, events, folders, friends, hls, ipfs, items,
    libraries, listens, lyrics, model, move_in, opinions, pages, pictures, pin_services, pins, place, play_queue,
    playlists, publish, remote_pins, renditions, replicas, scrub, session, sound, stand_in, status, subtitles,
    thumbnails, webrtc,
};

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Potluck",
        description = "Potluck's own API. Sign in with `POST /api/v1/login` for a session cookie, \
        or send an API key as `Authorization: Bearer`. Every refusal has a `Problem` as its body."
    ),
    paths(
        session::login,
        session::logout,
        session::show,
        session::change_password,
        api_keys::list,
        api_keys::add,
        api_keys::remove,
        app_passwords::list,
        app_passwords::add,
        app_passwords::show,
        app_passwords::remove,
        app_passwords::list_of,
        app_passwords::remove_of,
        listens::show,
        listens::connect,
        listens::check,
        listens::disconnect,
        accounts::list,
        accounts::add,
        accounts::change,
        accounts::remove,
        audit::list,
        folders::list,
        status::show,
        events::stream,
        webrtc::settings,
        webrtc::answer,
        webrtc::answer_of_friend,
        changes::list,
        libraries::list,
        libraries::add,
        libraries::show,
        libraries::change,
        libraries::remove,
        libraries::scan,
        move_in::komga,
        move_in::navidrome,
        pins::list,
        pins::add,
        pins::remove,
        friends::list,
        friends::invites,
        friends::invite,
        friends::withdraw,
        friends::accept,
        friends::change,
        friends::revoke,
        friends::redeem,
        friends::hello,
        friends::bell,
        stand_in::news,
        stand_in::receive,
        replicas::list,
        replicas::add,
        replicas::change,
        replicas::remove,
        ipfs::show,
        pin_services::list,
        pin_services::add,
        pin_services::remove,
        remote_pins::kept,
        remote_pins::keep,
        remote_pins::let_go,
        items::list,
        items::show,
        items::next,
        place::set,
        place::show,
        ipfs::content,
        ipfs::connect,
        scrub::due,
        scrub::verify,
        scrub::verify_progress,
        items::file,
        lyrics::list,
        opinions::star_item,
        opinions::unstar_item,
        opinions::rate_item,
        opinions::unrate_item,
        artists::list,
        artists::show,
        opinions::star_artist,
        opinions::unstar_artist,
        opinions::rate_artist,
        opinions::unrate_artist,
        opinions::list,
        playlists::list,
        playlists::add,
        playlists::show,
        playlists::change,
        playlists::remove,
        play_queue::show,
        play_queue::save,
        sound::show,
        blocks::show,
        pictures::poster,
        pictures::backdrop,
        hls::master,
        hls::part,
        renditions::list,
        publish::publish,
        renditions::init,
        renditions::segments,
        renditions::stopped,
        subtitles::list,
        subtitles::track,
        subtitles::attachment,
        pages::list,
        pages::page,
        pages::blocks,
        thumbnails::show,
        thumbnails::sprite,
        thumbnails::track,
    ),
    components(schemas(model::ItemChanged, model::LibraryChanged))
)]
struct Description;

/// As pretty JSON, with a new line at its end.
static TEXT: LazyLock<String> = LazyLock::new(|| {
    let mut text = named(Description::openapi()).to_pretty_json().unwrap_or_default();
    text.push('\n');
    text
});

/// Handlers are called by what they do, which repeats between modules; an operation's id must not. So it begins with the
/// last word of its path: `libraries_list`, `folders_list`.
fn named(mut api: utoipa::openapi::OpenApi) -> utoipa::openapi::OpenApi {
    for (path, item) in &mut api.paths.paths {
        let word = path.rsplit('/').find(|part| !part.starts_with('{')).unwrap_or_default();
        let word: String = word.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '_' }).collect();
        let operations = [&mut item.get, &mut item.put, &mut item.post, &mut item.delete, &mut item.patch];
        for operation in operations.into_iter().flatten() {
            operation.operation_id = operation.operation_id.take().map(|id| format!("{word}_{id}"));
        }
    }
    api
}

/// The description as it is served and committed.
#[must_use]
pub fn text() -> &'static str {
    &TEXT
}

/// `GET /api/v1/openapi.json`.
pub(in crate::facades) async fn show() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], text())
}
