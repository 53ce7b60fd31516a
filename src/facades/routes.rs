//! Every route of the node, with who may call it, in one table, and the one check that keeps it.
//!
//! A route cannot be added without a [`Policy`] and a [`Reach`]: [`Routes::on`] takes both and puts [`check`] in front of the
//! handler. Friends' nodes may call what says so, and nothing else.
//! A `GET` also answers `HEAD`. What a caller may not see is told exactly as what does not exist.
use std::sync::Arc;

use axum::Router;
use axum::extract::{RawPathParams, Request};
use axum::handler::Handler;
use axum::http::{Method, StatusCode};
use axum::middleware::{Next, from_fn};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodFilter, on};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use super::error::Refusal;
use super::forward::{self, Question};
use super::ipfs::{Gate, Sight, WhoFetches, only_if_cached};
use super::native::{
    accounts, api_keys, app_passwords, artists, audit, blocks, changes, events, folders, friends, hls, ipfs, items,
    libraries, listens, lyrics, move_in, openapi, opinions, pages, pictures, pin_services, pins, place, play_queue,
    playlists, publish, remote_pins, renditions, replicas, scrub, session, sound, stand_in, status, subtitles,
    thumbnails, webrtc,
};
use super::{App, gateway, holders, komga, metrics, shares, subsonic, web};
use crate::accounts::Caller;
use crate::blocks::May;
use crate::catalog::{ItemState, Listed, Visibility, is_id};
use crate::content::Cid;
use crate::content::cid::{inline, parse};

/// Who may call a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Policy {
    /// Anyone.
    Public,
    /// Whoever signed in.
    Account,
    /// Admins. Others are told that they may not.
    Admin,
    /// Whoever may see the library that `{id}` names.
    Library,
    /// Whoever may see the library of the item that `{id}` names.
    Item,
    /// As [`Policy::Item`]; whoever holds the item's file answers: this node, or a friend's with the same bytes.
    Holder,
    /// Whoever may see the content that `{cid}` names: all, where it is part of a public library.
    Content,
    /// Anyone, for a name that may stand for something: whoever may see that gets it.
    Name,
    /// Whoever has the link of the share that `{id}` is: anyone.
    Link,
    /// Whoever may see figures of the node: see [`MetricsAccess`](super::MetricsAccess).
    Metrics,
}

/// Which nodes a route is for. A caller that another node's key speaks for has to pass this before its policy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reach {
    /// None but this one: its people, their browsers and programs.
    Home,
    /// Friends too, within what is shared with them.
    Friends,
    /// Also nodes that are no friends yet: they bring an invite.
    Strangers,
}

/// A row of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// With parts in braces.
    pub path: &'static str,
    /// Who may call it.
    pub policy: Policy,
    /// Which nodes it is for.
    pub reach: Reach,
}

/// The table while it is written.
#[derive(Default)]
pub struct Routes {
    rows: Vec<Route>,
    router: Router<App>,
}

/// Methods of the table that are called like the methods of HTTP.
macro_rules! on_method {
    ($($name:ident $method:ident),*) => {$(
        fn $name<H, T>(self, path: &'static str, policy: Policy, reach: Reach, handler: H) -> Self
        where
            H: Handler<T, App>,
            T: 'static,
        {
            self.on(Method::$method, path, policy, reach, handler)
        }
    )*};
}

impl Routes {
    fn on<H, T>(mut self, method: Method, path: &'static str, policy: Policy, reach: Reach, handler: H) -> Self
    where
        H: Handler<T, App>,
        T: 'static,
    {
        let filter = MethodFilter::try_from(method.clone()).expect("only methods that axum knows are in the table");
        let guard = from_fn(move |params, request, next| check(policy, reach, params, request, next));
        self.router = self.router.route(path, on(filter, handler).route_layer(guard));
        self.rows.push(Route { method, path, policy, reach });
        self
    }

    on_method! { get GET, post POST, put PUT, patch PATCH, delete DELETE }
}

/// The table.
#[rustfmt::skip]
fn declare() -> Routes {
    use Policy::{Account, Admin, Content, Holder, Item, Library, Link, Metrics, Name, Public};
    use Reach::{Friends, Home, Strangers};
    Routes::default()
        .get   ("/healthz",                                     Public,  Home,    web::healthz)
        .get   ("/metrics",                                     Metrics, Home,    metrics::show)

        .get   ("/api/v1/openapi.json",                         Public,  Home,    openapi::show)
        .post  ("/api/v1/login",                                Public,  Home,    session::login)
        .post  ("/api/v1/logout",                               Account, Home,    session::logout)
        .get   ("/api/v1/account",                              Account, Home,    session::show)
        .put   ("/api/v1/account/password",                     Account, Home,    session::change_password)
        .get   ("/api/v1/api-keys",                             Account, Home,    api_keys::list)
        .post  ("/api/v1/api-keys",                             Account, Home,    api_keys::add)
        .delete("/api/v1/api-keys/{id}",                        Account, Home,    api_keys::remove)
        .get   ("/api/v1/app-passwords",                        Account, Home,    app_passwords::list)
        .post  ("/api/v1/app-passwords",                        Account, Home,    app_passwords::add)
        .get   ("/api/v1/app-passwords/{id}",                   Account, Home,    app_passwords::show)
        .delete("/api/v1/app-passwords/{id}",                   Account, Home,    app_passwords::remove)

        .get   ("/api/v1/accounts",                             Admin,   Home,    accounts::list)
        .post  ("/api/v1/accounts",                             Admin,   Home,    accounts::add)
        .patch ("/api/v1/accounts/{id}",                        Admin,   Home,    accounts::change)
        .delete("/api/v1/accounts/{id}",                        Admin,   Home,    accounts::remove)
        .get   ("/api/v1/listenbrainz",                         Account, Home,    listens::show)
        .put   ("/api/v1/listenbrainz",                         Account, Home,    listens::connect)
        .post  ("/api/v1/listenbrainz/check",                   Account, Home,    listens::check)
        .delete("/api/v1/listenbrainz",                         Account, Home,    listens::disconnect)
        .get   ("/api/v1/accounts/{id}/app-passwords",          Admin,   Home,    app_passwords::list_of)
        .delete("/api/v1/accounts/{id}/app-passwords/{app}",    Admin,   Home,    app_passwords::remove_of)
        .get   ("/api/v1/audit",                                Admin,   Home,    audit::list)
        .get   ("/api/v1/folders",                              Admin,   Home,    folders::list)

        .get   ("/api/v1/friends",                              Admin,   Home,    friends::list)
        .get   ("/api/v1/friends/invites",                      Admin,   Home,    friends::invites)
        .post  ("/api/v1/friends/invites",                      Admin,   Home,    friends::invite)
        .delete("/api/v1/friends/invites/{id}",                 Admin,   Home,    friends::withdraw)
        .post  ("/api/v1/friends/accept",                       Admin,   Home,    friends::accept)
        .patch ("/api/v1/friends/{id}",                         Admin,   Home,    friends::change)
        .delete("/api/v1/friends/{id}",                         Admin,   Home,    friends::revoke)
        .post  ("/api/v1/friends/redeem",                       Public,  Strangers, friends::redeem)
        .post  ("/api/v1/friends/hello",                        Account, Friends, friends::hello)
        .post  ("/api/v1/friends/bell",                         Account, Friends, friends::bell)

        .get   ("/api/v1/stand-in",                             Account, Friends, stand_in::news)
        .post  ("/api/v1/stand-in",                             Account, Friends, stand_in::receive)

        .get   ("/api/v1/replicas",                             Admin,   Home,    replicas::list)
        .post  ("/api/v1/replicas",                             Admin,   Home,    replicas::add)
        .patch ("/api/v1/replicas/{id}",                        Admin,   Home,    replicas::change)
        .delete("/api/v1/replicas/{id}",                        Admin,   Home,    replicas::remove)

        .get   ("/api/v1/ipfs",                                 Admin,   Home,    ipfs::show)
        .get   ("/api/v1/pin-services",                         Admin,   Home,    pin_services::list)
        .post  ("/api/v1/pin-services",                         Admin,   Home,    pin_services::add)
        .delete("/api/v1/pin-services/{id}",                    Admin,   Home,    pin_services::remove)
        .get   ("/api/v1/pin-services/{id}/pins",               Admin,   Home,    remote_pins::kept)
        .post  ("/api/v1/pin-services/{id}/pins",               Admin,   Home,    remote_pins::keep)
        .delete("/api/v1/pin-services/{id}/pins/{request_id}",  Admin,   Home,    remote_pins::let_go)

        .get   ("/api/v1/status",                               Account, Home,    status::show)
        .get   ("/api/v1/events",                               Account, Home,    events::stream)
        .get   ("/api/v1/webrtc",                               Account, Friends, webrtc::settings)
        .post  ("/api/v1/webrtc",                               Account, Friends, webrtc::answer)

        .post  ("/api/v1/friends/{id}/webrtc",                  Account, Home,    webrtc::answer_of_friend)

        .get   ("/api/v1/libraries",                            Account, Friends, libraries::list)
        .post  ("/api/v1/libraries",                            Admin,   Home,    libraries::add)
        .get   ("/api/v1/libraries/{id}",                       Library, Friends, libraries::show)
        .patch ("/api/v1/libraries/{id}",                       Admin,   Home,    libraries::change)
        .delete("/api/v1/libraries/{id}",                       Admin,   Home,    libraries::remove)
        .post  ("/api/v1/libraries/{id}/scan",                  Admin,   Home,    libraries::scan)

        .post  ("/api/v1/move-in/komga",                        Admin,   Home,    move_in::komga)
        .post  ("/api/v1/move-in/navidrome",                    Admin,   Home,    move_in::navidrome)

        .get   ("/api/v1/pins",                                 Admin,   Home,    pins::list)
        .post  ("/api/v1/pins",                                 Admin,   Home,    pins::add)
        .delete("/api/v1/pins/{cid}",                           Admin,   Home,    pins::remove)

        .get   ("/api/v1/changes",                              Account, Friends, changes::list)
        .get   ("/api/v1/items",                                Account, Friends, items::list)
        .get   ("/api/v1/items/{id}",                           Item,    Friends, items::show)
        .get   ("/api/v1/items/{id}/next",                      Item,    Home,    items::next)
        .put   ("/api/v1/items/{id}/progress",                  Item,    Home,    place::set)
        .get   ("/api/v1/items/{id}/place",                     Item,    Home,    place::show)
        .post  ("/api/v1/items/{id}/verify",                    Admin,   Home,    scrub::verify)
        .get   ("/api/v1/items/{id}/verify",                    Admin,   Home,    scrub::verify_progress)
        .get   ("/api/v1/scrub/due",                            Admin,   Home,    scrub::due)
        .get   ("/api/v1/ipfs/content",                         Account, Home,    ipfs::content)
        .post  ("/api/v1/ipfs/peers",                           Admin,   Home,    ipfs::connect)
        .get   ("/api/v1/items/{id}/poster",                    Item,    Friends, pictures::poster)
        .get   ("/api/v1/items/{id}/backdrop",                  Item,    Friends, pictures::backdrop)
        .get   ("/api/v1/items/{id}/file",                      Holder,  Friends, items::file)
        .get   ("/api/v1/items/{id}/sound",                     Holder,  Friends, sound::show)
        .get   ("/api/v1/items/{id}/lyrics",                    Holder,  Friends, lyrics::list)
        .put   ("/api/v1/items/{id}/star",                      Item,    Home,    opinions::star_item)
        .delete("/api/v1/items/{id}/star",                      Item,    Home,    opinions::unstar_item)
        .put   ("/api/v1/items/{id}/rating",                    Item,    Home,    opinions::rate_item)
        .delete("/api/v1/items/{id}/rating",                    Item,    Home,    opinions::unrate_item)
        .get   ("/api/v1/items/{id}/blocks/{cid}",              Holder,  Friends, blocks::show)
        .get   ("/api/v1/items/{id}/hls/master.m3u8",           Holder,  Friends, hls::master)
        .get   ("/api/v1/items/{id}/hls/{rendition}/{file}",    Holder,  Friends, hls::part)
        .get   ("/api/v1/items/{id}/renditions",                Holder,  Friends, renditions::list)
        .get   ("/api/v1/items/{id}/renditions/{rendition}/init",     Holder, Friends, renditions::init)
        .get   ("/api/v1/items/{id}/renditions/{rendition}/segments", Holder, Friends, renditions::segments)
        .post  ("/api/v1/items/{id}/publish",                   Admin,   Home,    publish::publish)
        .post  ("/api/v1/items/{id}/stopped",                   Holder,  Friends, renditions::stopped)
        .get   ("/api/v1/items/{id}/subtitles",                 Holder,  Friends, subtitles::list)
        .get   ("/api/v1/items/{id}/subtitles/{track}",         Holder,  Friends, subtitles::track)
        .get   ("/api/v1/items/{id}/attachments/{stream}",      Holder,  Friends, subtitles::attachment)
        .get   ("/api/v1/items/{id}/pages",                     Holder,  Friends, pages::list)
        .get   ("/api/v1/items/{id}/pages/blocks",              Holder,  Friends, pages::blocks)
        .get   ("/api/v1/items/{id}/pages/{number}",            Holder,  Friends, pages::page)
        .get   ("/api/v1/items/{id}/thumbnails",                Holder,  Friends, thumbnails::show)
        .get   ("/api/v1/items/{id}/thumbnails.vtt",            Holder,  Friends, thumbnails::track)
        .get   ("/api/v1/items/{id}/thumbnails/{sprite}",       Holder,  Friends, thumbnails::sprite)

        .get   ("/api/v1/artists",                              Account, Home,    artists::list)
        .get   ("/api/v1/artists/{id}",                         Account, Home,    artists::show)
        .put   ("/api/v1/artists/{id}/star",                    Account, Home,    opinions::star_artist)
        .delete("/api/v1/artists/{id}/star",                    Account, Home,    opinions::unstar_artist)
        .put   ("/api/v1/artists/{id}/rating",                  Account, Home,    opinions::rate_artist)
        .delete("/api/v1/artists/{id}/rating",                  Account, Home,    opinions::unrate_artist)
        .get   ("/api/v1/starred",                              Account, Home,    opinions::list)
        .get   ("/api/v1/playlists",                            Account, Home,    playlists::list)
        .post  ("/api/v1/playlists",                            Account, Home,    playlists::add)
        .get   ("/api/v1/playlists/{id}",                       Account, Home,    playlists::show)
        .patch ("/api/v1/playlists/{id}",                       Account, Home,    playlists::change)
        .delete("/api/v1/playlists/{id}",                       Account, Home,    playlists::remove)
        .get   ("/api/v1/play-queue",                           Account, Home,    play_queue::show)
        .put   ("/api/v1/play-queue",                           Account, Home,    play_queue::save)

        .get   ("/komga/api/v1/claim",                          Public,  Home,    komga::users::claim)
        .post  ("/komga/api/v1/claim",                          Public,  Home,    komga::users::claim_again)
        .get   ("/komga/api/v1/oauth2/providers",               Public,  Home,    komga::users::providers)
        .get   ("/komga/actuator/health",                       Public,  Home,    komga::users::health)
        .get   ("/komga/api/logout",                            Public,  Home,    komga::users::logout)
        .post  ("/komga/api/logout",                            Public,  Home,    komga::users::logout)
        .get   ("/komga/api/v1/login/set-cookie",               Account, Home,    komga::users::set_cookie)
        .get   ("/komga/api/v1/users/me",                       Account, Home,    komga::users::me)
        .get   ("/komga/api/v2/users/me",                       Account, Home,    komga::users::me)
        .get   ("/komga/api/v2/users/me/api-keys",              Account, Home,    komga::users::keys)
        .post  ("/komga/api/v2/users/me/api-keys",              Account, Home,    komga::users::add_key)
        .delete("/komga/api/v2/users/me/api-keys/{id}",         Account, Home,    komga::users::remove_key)

        .patch ("/komga/api/v2/users/me/password",              Account, Home,    komga::people::set_own_password)
        .get   ("/komga/api/v2/users/me/authentication-activity", Account, Home,  komga::people::own_activity)
        .get   ("/komga/api/v2/users/authentication-activity",  Admin,   Home,    komga::people::activity)
        .get   ("/komga/api/v2/users",                          Admin,   Home,    komga::people::list)
        .post  ("/komga/api/v2/users",                          Admin,   Home,    komga::people::add)
        .patch ("/komga/api/v2/users/{id}",                     Admin,   Home,    komga::people::change)
        .delete("/komga/api/v2/users/{id}",                     Admin,   Home,    komga::people::remove)
        .patch ("/komga/api/v2/users/{id}/password",            Admin,   Home,    komga::people::set_password)
        .get   ("/komga/api/v2/users/{id}/authentication-activity/latest", Admin, Home, komga::people::last_activity)

        .get   ("/komga/api/v1/settings",                       Admin,   Home,    komga::settings::show)
        .patch ("/komga/api/v1/settings",                       Admin,   Home,    komga::settings::set)
        .get   ("/komga/api/v1/client-settings/global/list",    Public,  Home,    komga::client_settings::global)
        .patch ("/komga/api/v1/client-settings/global",         Admin,   Home,    komga::client_settings::set_global)
        .delete("/komga/api/v1/client-settings/global",         Admin,   Home,    komga::client_settings::remove_global)
        .get   ("/komga/api/v1/client-settings/user/list",      Account, Home,    komga::client_settings::own)
        .patch ("/komga/api/v1/client-settings/user",           Account, Home,    komga::client_settings::set_own)
        .delete("/komga/api/v1/client-settings/user",           Account, Home,    komga::client_settings::remove_own)
        .delete("/komga/api/v1/tasks",                          Admin,   Home,    komga::chores::drop_tasks)
        .post  ("/komga/api/v1/filesystem",                     Admin,   Home,    komga::chores::folder)
        .get   ("/komga/api/v1/announcements",                  Admin,   Home,    komga::none::announcements)
        .put   ("/komga/api/v1/announcements",                  Admin,   Home,    komga::none::read_announcements)
        .get   ("/komga/api/v1/releases",                       Admin,   Home,    komga::none::list)
        .get   ("/komga/api/v1/fonts/families",                 Account, Home,    komga::none::list)
        .get   ("/komga/api/v1/history",                        Admin,   Home,    komga::none::pages)
        .get   ("/komga/api/v1/page-hashes",                    Admin,   Home,    komga::none::pages)
        .get   ("/komga/api/v1/page-hashes/unknown",            Admin,   Home,    komga::none::pages)

        .get   ("/komga/api/v1/libraries",                      Account, Home,    komga::libraries::list)
        .post  ("/komga/api/v1/libraries",                      Admin,   Home,    komga::libraries::add)
        .get   ("/komga/api/v1/libraries/{id}",                 Library, Home,    komga::libraries::show)
        .patch ("/komga/api/v1/libraries/{id}",                 Admin,   Home,    komga::libraries::change)
        .delete("/komga/api/v1/libraries/{id}",                 Admin,   Home,    komga::libraries::remove)
        .post  ("/komga/api/v1/libraries/{id}/scan",            Admin,   Home,    komga::chores::scan)
        .post  ("/komga/api/v1/libraries/{id}/analyze",         Admin,   Home,    komga::chores::read_library)
        .post  ("/komga/api/v1/libraries/{id}/metadata/refresh", Admin,  Home,    komga::chores::read_library)
        .post  ("/komga/api/v1/libraries/{id}/empty-trash",     Admin,   Home,    komga::chores::empty_trash)
        .get   ("/komga/api/v1/genres",                         Account, Home,    komga::words::genres)
        .get   ("/komga/api/v1/tags",                           Account, Home,    komga::words::tags)
        .get   ("/komga/api/v1/tags/series",                    Account, Home,    komga::words::series_tags)
        .get   ("/komga/api/v1/tags/book",                      Account, Home,    komga::words::book_tags)
        .get   ("/komga/api/v1/publishers",                     Account, Home,    komga::words::publishers)
        .get   ("/komga/api/v1/languages",                      Account, Home,    komga::words::languages)
        .get   ("/komga/api/v1/age-ratings",                    Account, Home,    komga::words::age_ratings)
        .get   ("/komga/api/v1/sharing-labels",                 Account, Home,    komga::words::labels)
        .get   ("/komga/api/v1/authors",                        Account, Home,    komga::words::authors)
        .get   ("/komga/api/v1/authors/names",                  Account, Home,    komga::words::author_names)
        .get   ("/komga/api/v1/authors/roles",                  Account, Home,    komga::words::roles)
        .get   ("/komga/api/v2/authors",                        Account, Home,    komga::words::author_pages)

        .get   ("/komga/api/v1/series",                         Account, Home,    komga::series::list)
        .post  ("/komga/api/v1/series/list",                    Account, Home,    komga::series::find)
        .get   ("/komga/api/v1/series/new",                     Account, Home,    komga::series::new)
        .get   ("/komga/api/v1/series/latest",                  Account, Home,    komga::series::latest)
        .get   ("/komga/api/v1/series/updated",                 Account, Home,    komga::series::updated)
        .get   ("/komga/api/v1/series/release-dates",           Account, Home,    komga::words::release_years)
        .get   ("/komga/api/v1/series/{id}",                    Item,    Home,    komga::series::show)
        .get   ("/komga/api/v1/series/{id}/books",              Item,    Home,    komga::series::books)
        .get   ("/komga/api/v1/series/{id}/collections",        Item,    Home,    komga::series::collections)
        .get   ("/komga/api/v1/series/{id}/thumbnails",                 Item,    Home,    komga::covers::series)
        .post  ("/komga/api/v1/series/{id}/thumbnails",                 Admin,   Home,    komga::covers::add_to_series)
        .get   ("/komga/api/v1/series/{id}/thumbnails/{thumbnail}",     Item,    Home,    komga::covers::one_of_series)
        .delete("/komga/api/v1/series/{id}/thumbnails/{thumbnail}",     Admin,   Home,    komga::covers::remove_of_series)
        .put   ("/komga/api/v1/series/{id}/thumbnails/{thumbnail}/selected", Admin,   Home,    komga::covers::select_of_series)
        .get   ("/komga/api/v1/series/{id}/thumbnail",          Item,    Home,    komga::thumbnails::item)
        .post  ("/komga/api/v1/series/{id}/read-progress",      Item,    Home,    komga::progress::set_series)
        .delete("/komga/api/v1/series/{id}/read-progress",      Item,    Home,    komga::progress::clear_series)
        .post  ("/komga/api/v1/series/{id}/analyze",            Admin,   Home,    komga::chores::read_series)
        .post  ("/komga/api/v1/series/{id}/metadata/refresh",   Admin,   Home,    komga::chores::read_series)
        .patch ("/komga/api/v1/series/{id}/metadata",           Admin,   Home,    komga::metadata::series)
        .get   ("/komga/api/v2/series/{id}/read-progress/tachiyomi", Item, Home,  komga::progress::series)
        .put   ("/komga/api/v2/series/{id}/read-progress/tachiyomi", Item, Home,  komga::progress::track_series)

        .get   ("/komga/api/v1/books",                          Account, Home,    komga::books::list)
        .post  ("/komga/api/v1/books/list",                     Account, Home,    komga::books::find)
        .post  ("/komga/api/v1/books/import",                   Admin,   Home,    komga::absent)
        .get   ("/komga/api/v1/books/latest",                   Account, Home,    komga::books::latest)
        .get   ("/komga/api/v1/books/ondeck",                   Account, Home,    komga::books::on_deck)
        .get   ("/komga/api/v1/books/duplicates",               Admin,   Home,    komga::books::duplicates)
        .get   ("/komga/api/v1/books/{id}",                     Item,    Home,    komga::books::show)
        .get   ("/komga/api/v1/books/{id}/previous",            Item,    Home,    komga::books::previous)
        .get   ("/komga/api/v1/books/{id}/next",                Item,    Home,    komga::books::next)
        .get   ("/komga/api/v1/books/{id}/readlists",           Item,    Home,    komga::books::lists)
        .get   ("/komga/api/v1/books/{id}/thumbnails",                  Item,    Home,    komga::covers::book)
        .post  ("/komga/api/v1/books/{id}/thumbnails",                  Admin,   Home,    komga::covers::add_to_book)
        .get   ("/komga/api/v1/books/{id}/thumbnails/{thumbnail}",      Item,    Home,    komga::covers::one_of_book)
        .delete("/komga/api/v1/books/{id}/thumbnails/{thumbnail}",      Admin,   Home,    komga::covers::remove_of_book)
        .put   ("/komga/api/v1/books/{id}/thumbnails/{thumbnail}/selected", Admin,   Home,    komga::covers::select_of_book)
        .get   ("/komga/api/v1/books/{id}/thumbnail",           Item,    Home,    komga::thumbnails::item)
        .get   ("/komga/api/v1/books/{id}/pages",               Item,    Home,    komga::pages::list)
        .get   ("/komga/api/v1/books/{id}/pages/{number}",      Item,    Home,    komga::pages::show)
        .get   ("/komga/api/v1/books/{id}/pages/{number}/raw",  Item,    Home,    komga::pages::raw)
        .get   ("/komga/api/v1/books/{id}/pages/{number}/thumbnail", Item, Home,  komga::pages::small)
        .get   ("/komga/api/v1/books/{id}/file",                Item,    Home,    komga::files::show)
        .get   ("/komga/api/v1/books/{id}/file/{file}",         Item,    Home,    komga::files::show)
        .patch ("/komga/api/v1/books/{id}/read-progress",       Item,    Home,    komga::progress::set_book)
        .delete("/komga/api/v1/books/{id}/read-progress",       Item,    Home,    komga::progress::clear_book)
        .post  ("/komga/api/v1/books/{id}/analyze",             Admin,   Home,    komga::chores::read_book)
        .post  ("/komga/api/v1/books/{id}/metadata/refresh",    Admin,   Home,    komga::chores::read_book)
        .patch ("/komga/api/v1/books/{id}/metadata",            Admin,   Home,    komga::metadata::book)
        .get   ("/komga/api/v1/books/{id}/manifest",            Item,    Home,    komga::webpub::any)
        .get   ("/komga/api/v1/books/{id}/manifest/epub",       Item,    Home,    komga::webpub::epub)
        .get   ("/komga/api/v1/books/{id}/manifest/pdf",        Item,    Home,    komga::webpub::pdf)
        .get   ("/komga/api/v1/books/{id}/manifest/divina",     Item,    Home,    komga::webpub::divina)
        .get   ("/komga/api/v1/books/{id}/positions",           Item,    Home,    komga::webpub::positions)
        .get   ("/komga/api/v1/books/{id}/progression",         Item,    Home,    komga::webpub::progression)
        .put   ("/komga/api/v1/books/{id}/progression",         Item,    Home,    komga::webpub::set_progression)
        .get   ("/komga/api/v1/books/{id}/resource/{*resource}", Item,   Home,    komga::webpub::resource)

        .get   ("/komga/api/v1/collections",                    Account, Home,    komga::lists::collections)
        .post  ("/komga/api/v1/collections",                    Admin,   Home,    komga::lists::add_collection)
        .get   ("/komga/api/v1/collections/{id}",               Account, Home,    komga::lists::collection)
        .patch ("/komga/api/v1/collections/{id}",               Admin,   Home,    komga::lists::change_collection)
        .delete("/komga/api/v1/collections/{id}",               Admin,   Home,    komga::lists::remove_collection)
        .get   ("/komga/api/v1/collections/{id}/series",        Account, Home,    komga::lists::series_of)
        .get   ("/komga/api/v1/collections/{id}/thumbnails",            Account, Home,    komga::covers::collection)
        .post  ("/komga/api/v1/collections/{id}/thumbnails",            Admin,   Home,    komga::covers::add_to_collection)
        .get   ("/komga/api/v1/collections/{id}/thumbnails/{thumbnail}", Account, Home,    komga::covers::one_of_collection)
        .delete("/komga/api/v1/collections/{id}/thumbnails/{thumbnail}", Admin,   Home,    komga::covers::remove_of_collection)
        .put   ("/komga/api/v1/collections/{id}/thumbnails/{thumbnail}/selected", Admin,   Home,    komga::covers::select_of_collection)
        .get   ("/komga/api/v1/collections/{id}/thumbnail",     Account, Home,    komga::thumbnails::collection)
        .get   ("/komga/api/v1/readlists",                      Account, Home,    komga::lists::read_lists)
        .post  ("/komga/api/v1/readlists",                      Admin,   Home,    komga::lists::add_read_list)
        .get   ("/komga/api/v1/readlists/{id}",                 Account, Home,    komga::lists::read_list)
        .patch ("/komga/api/v1/readlists/{id}",                 Admin,   Home,    komga::lists::change_read_list)
        .delete("/komga/api/v1/readlists/{id}",                 Admin,   Home,    komga::lists::remove_read_list)
        .get   ("/komga/api/v1/readlists/{id}/books",           Account, Home,    komga::lists::books_of)
        .get   ("/komga/api/v1/readlists/{id}/books/{book}/previous", Account, Home, komga::lists::previous)
        .get   ("/komga/api/v1/readlists/{id}/books/{book}/next", Account, Home,  komga::lists::next)
        .get   ("/komga/api/v1/readlists/{id}/thumbnails",              Account, Home,    komga::covers::read_list)
        .post  ("/komga/api/v1/readlists/{id}/thumbnails",              Admin,   Home,    komga::covers::add_to_read_list)
        .get   ("/komga/api/v1/readlists/{id}/thumbnails/{thumbnail}",  Account, Home,    komga::covers::one_of_read_list)
        .delete("/komga/api/v1/readlists/{id}/thumbnails/{thumbnail}",  Admin,   Home,    komga::covers::remove_of_read_list)
        .put   ("/komga/api/v1/readlists/{id}/thumbnails/{thumbnail}/selected", Admin,   Home,    komga::covers::select_of_read_list)
        .get   ("/komga/api/v1/readlists/{id}/thumbnail",       Account, Home,    komga::thumbnails::read_list)
        .get   ("/komga/api/v1/readlists/{id}/read-progress/tachiyomi", Account, Home, komga::progress::list)
        .put   ("/komga/api/v1/readlists/{id}/read-progress/tachiyomi", Account, Home, komga::progress::track_list)

        .get   ("/komga/sse/v1/events",                         Account, Home,    komga::events::stream)

        .get   ("/komga/opds/v1.2",                             Account, Home,    komga::opds::catalog)
        .get   ("/komga/opds/v1.2/catalog",                     Account, Home,    komga::opds::catalog)
        .get   ("/komga/opds/v1.2/search",                      Account, Home,    komga::opds::search_description)
        .get   ("/komga/opds/v1.2/keep-reading",                Account, Home,    komga::opds::keep_reading)
        .get   ("/komga/opds/v1.2/ondeck",                      Account, Home,    komga::opds::on_deck)
        .get   ("/komga/opds/v1.2/series",                      Account, Home,    komga::opds::series)
        .get   ("/komga/opds/v1.2/series/latest",               Account, Home,    komga::opds::latest_series)
        .get   ("/komga/opds/v1.2/series/{id}",                 Item,    Home,    komga::opds::one_series)
        .get   ("/komga/opds/v1.2/books/latest",                Account, Home,    komga::opds::latest_books)
        .get   ("/komga/opds/v1.2/libraries",                   Account, Home,    komga::opds::libraries)
        .get   ("/komga/opds/v1.2/libraries/{id}",              Library, Home,    komga::opds::library)
        .get   ("/komga/opds/v1.2/collections",                 Account, Home,    komga::opds::collections)
        .get   ("/komga/opds/v1.2/collections/{id}",            Account, Home,    komga::opds::collection)
        .get   ("/komga/opds/v1.2/readlists",                   Account, Home,    komga::opds::read_lists)
        .get   ("/komga/opds/v1.2/readlists/{id}",              Account, Home,    komga::opds::read_list)
        .get   ("/komga/opds/v1.2/publishers",                  Account, Home,    komga::opds::publishers)

        .get   ("/komga/opds/v2",                               Account, Home,    komga::opds2::shelves::catalog)
        .get   ("/komga/opds/v2/auth",                          Public,  Home,    komga::opds2::auth::show)
        .get   ("/komga/opds/v2/catalog",                       Account, Home,    komga::opds2::shelves::catalog)
        .get   ("/komga/opds/v2/search",                        Account, Home,    komga::opds2::lists::search)
        .get   ("/komga/opds/v2/libraries",                     Account, Home,    komga::opds2::shelves::recommended)
        .get   ("/komga/opds/v2/libraries/browse",              Account, Home,    komga::opds2::shelves::browse)
        .get   ("/komga/opds/v2/libraries/keep-reading",        Account, Home,    komga::opds2::shelves::keep_reading)
        .get   ("/komga/opds/v2/libraries/on-deck",             Account, Home,    komga::opds2::shelves::on_deck)
        .get   ("/komga/opds/v2/libraries/books/latest",        Account, Home,    komga::opds2::shelves::latest_books)
        .get   ("/komga/opds/v2/libraries/series/latest",       Account, Home,    komga::opds2::shelves::latest_series)
        .get   ("/komga/opds/v2/libraries/collections",         Account, Home,    komga::opds2::shelves::collections)
        .get   ("/komga/opds/v2/libraries/readlists",           Account, Home,    komga::opds2::shelves::read_lists)
        .get   ("/komga/opds/v2/libraries/{id}",                Library, Home,    komga::opds2::shelves::recommended)
        .get   ("/komga/opds/v2/libraries/{id}/browse",         Library, Home,    komga::opds2::shelves::browse)
        .get   ("/komga/opds/v2/libraries/{id}/keep-reading",   Library, Home,    komga::opds2::shelves::keep_reading)
        .get   ("/komga/opds/v2/libraries/{id}/on-deck",        Library, Home,    komga::opds2::shelves::on_deck)
        .get   ("/komga/opds/v2/libraries/{id}/books/latest",   Library, Home,    komga::opds2::shelves::latest_books)
        .get   ("/komga/opds/v2/libraries/{id}/series/latest",  Library, Home,    komga::opds2::shelves::latest_series)
        .get   ("/komga/opds/v2/libraries/{id}/collections",    Library, Home,    komga::opds2::shelves::collections)
        .get   ("/komga/opds/v2/libraries/{id}/readlists",      Library, Home,    komga::opds2::shelves::read_lists)
        .get   ("/komga/opds/v2/series/{id}",                   Item,    Home,    komga::opds2::lists::series)
        .get   ("/komga/opds/v2/collections/{id}",              Account, Home,    komga::opds2::lists::collection)
        .get   ("/komga/opds/v2/readlists/{id}",                Account, Home,    komga::opds2::lists::read_list)
        .get   ("/komga/opds/v2/books/{id}/manifest",           Item,    Home,    komga::opds2::manifest::show)
        .get   ("/komga/opds/v2/books/{id}/manifest/divina",    Item,    Home,    komga::opds2::manifest::divina)
        .get   ("/komga/opds/v2/books/{id}/manifest/pdf",       Item,    Home,    komga::opds2::manifest::pdf)
        .get   ("/komga/opds/v2/books/{id}/manifest/epub",      Item,    Home,    komga::opds2::manifest::epub)
        .get   ("/komga/opds/v2/books/{id}/progression",        Item,    Home,    komga::opds2::progression::show)
        .put   ("/komga/opds/v2/books/{id}/progression",        Item,    Home,    komga::opds2::progression::set)
        .get   ("/komga/opds/v2/books/{id}/thumbnail",          Item,    Home,    komga::thumbnails::item)
        .get   ("/komga/opds/v2/books/{id}/file",               Item,    Home,    komga::files::show)
        .get   ("/komga/opds/v2/books/{id}/file/{file}",        Item,    Home,    komga::files::show)
        .get   ("/komga/opds/v2/books/{id}/pages",              Item,    Home,    komga::pages::list)
        .get   ("/komga/opds/v2/books/{id}/pages/{number}",     Item,    Home,    komga::pages::show)
        .get   ("/komga/opds/v2/books/{id}/pages/{number}/raw", Item,    Home,    komga::pages::raw)
        .get   ("/komga/opds/v2/books/{id}/pages/{number}/thumbnail", Item, Home, komga::pages::small)

        .get   ("/komga/koreader/users/auth",                   Account, Home,    komga::koreader::auth)
        .put   ("/komga/koreader/syncs/progress",               Account, Home,    komga::koreader::set)
        .get   ("/komga/koreader/syncs/progress/{hash}",        Account, Home,    komga::koreader::show)

        .get   ("/komga/kobo/{key}/v1/initialization",          Account, Home,    komga::kobo::initialization)
        .post  ("/komga/kobo/{key}/v1/auth/device",             Account, Home,    komga::kobo::device)
        .post  ("/komga/kobo/{key}/v1/auth/refresh",            Account, Home,    komga::kobo::device)
        .get   ("/komga/kobo/{key}/v1/library/sync",            Account, Home,    komga::kobo::sync)
        .get   ("/komga/kobo/{key}/v1/library/{id}/metadata",   Item,    Home,    komga::kobo::metadata)
        .get   ("/komga/kobo/{key}/v1/library/{id}/state",      Item,    Home,    komga::kobo::state)
        .put   ("/komga/kobo/{key}/v1/library/{id}/state",      Item,    Home,    komga::kobo::set_state)
        .get   ("/komga/kobo/{key}/v1/books/{id}/file/epub",    Item,    Home,    komga::kobo::file)
        .get   ("/komga/kobo/{key}/v1/books/{id}/thumbnail/{width}/{height}/{tone}/image.jpg", Item, Home, komga::kobo::image)
        .get   ("/komga/kobo/{key}/v1/books/{id}/thumbnail/{width}/{height}/{tone}/{grey}/image.jpg", Item, Home, komga::kobo::image)
        .get   ("/komga/kobo/{key}/api/v3/content/checkforchanges",  Account, Home, komga::kobo::no_changes)
        .post  ("/komga/kobo/{key}/api/v3/content/checkforchanges",  Account, Home, komga::kobo::no_changes)
        .get   ("/komga/kobo/{key}",                            Account, Home,    komga::kobo::nothing)
        .get   ("/komga/kobo/{key}/{*path}",                    Account, Home,    komga::kobo::nothing)
        .post  ("/komga/kobo/{key}/{*path}",                    Account, Home,    komga::kobo::nothing)
        .put   ("/komga/kobo/{key}/{*path}",                    Account, Home,    komga::kobo::nothing)
        .patch ("/komga/kobo/{key}/{*path}",                    Account, Home,    komga::kobo::nothing)
        .delete("/komga/kobo/{key}/{*path}",                    Account, Home,    komga::kobo::nothing)
        .post  ("/komga/api/v3/content/checkforchanges",        Public,  Home,    komga::kobo::no_changes)
        .post  ("/api/v3/content/checkforchanges",              Public,  Home,    komga::kobo::no_changes)

        .get   ("/komga/",                                      Public,  Home,    komga::front_page)
        .get   ("/komga/series/{id}",                           Public,  Home,    komga::shown::item)
        .get   ("/komga/book/{id}",                             Public,  Home,    komga::shown::item)
        .get   ("/komga/readlists/{id}",                        Public,  Home,    komga::shown::read_list)
        .get   ("/komga/collections/{id}",                      Public,  Home,    komga::shown::collection)
        .get   ("/komga/{*path}",                               Account, Home,    komga::absent)
        .post  ("/komga/{*path}",                               Account, Home,    komga::absent)
        .put   ("/komga/{*path}",                               Account, Home,    komga::absent)
        .patch ("/komga/{*path}",                               Account, Home,    komga::absent)
        .delete("/komga/{*path}",                               Account, Home,    komga::absent)

        .get   ("/rest/getOpenSubsonicExtensions",              Public,  Home,    subsonic::call)
        .get   ("/rest/getOpenSubsonicExtensions.view",         Public,  Home,    subsonic::call)
        .post  ("/rest/getOpenSubsonicExtensions",              Public,  Home,    subsonic::call)
        .post  ("/rest/getOpenSubsonicExtensions.view",         Public,  Home,    subsonic::call)
        .get   ("/rest/{method}",                               Account, Home,    subsonic::call)
        .post  ("/rest/{method}",                               Account, Home,    subsonic::call)
        .on    (Method::OPTIONS, "/rest/{method}",              Public,  Home,    subsonic::preflight)
        .get   ("/rest/rest/getOpenSubsonicExtensions",         Public,  Home,    subsonic::call)
        .get   ("/rest/rest/getOpenSubsonicExtensions.view",    Public,  Home,    subsonic::call)
        .post  ("/rest/rest/getOpenSubsonicExtensions",         Public,  Home,    subsonic::call)
        .post  ("/rest/rest/getOpenSubsonicExtensions.view",    Public,  Home,    subsonic::call)
        .get   ("/rest/rest/{method}",                          Account, Home,    subsonic::call)
        .post  ("/rest/rest/{method}",                          Account, Home,    subsonic::call)
        .on    (Method::OPTIONS, "/rest/rest/{method}",         Public,  Home,    subsonic::preflight)

        .get   ("/share/{id}",                                  Link,    Home,    shares::show)
        .get   ("/share/{id}/{number}/file",                    Link,    Home,    shares::file)
        .get   ("/share/{id}/{number}/sound",                   Link,    Home,    shares::sound)
        .get   ("/share/{id}/{number}/cover",                   Link,    Home,    shares::cover)

        .get   ("/ipfs/",                                       Public,  Home,    gateway::address)
        .get   ("/ipfs/{cid}",                                  Content, Friends, gateway::content)
        .get   ("/ipfs/{cid}/",                                 Content, Friends, gateway::content)
        .get   ("/ipfs/{cid}/{*path}",                          Content, Friends, gateway::content)
        .on    (Method::OPTIONS, "/ipfs/{cid}",                 Public,  Home,    gateway::preflight)
        .on    (Method::OPTIONS, "/ipfs/{cid}/",                Public,  Home,    gateway::preflight)
        .on    (Method::OPTIONS, "/ipfs/{cid}/{*path}",         Public,  Home,    gateway::preflight)
        .get   ("/ipns/",                                       Public,  Home,    gateway::address)
        .get   ("/ipns/{name}",                                 Name,    Home,    gateway::content)
        .get   ("/ipns/{name}/",                                Name,    Home,    gateway::content)
        .get   ("/ipns/{name}/{*path}",                         Name,    Home,    gateway::content)
        .on    (Method::OPTIONS, "/ipns/{name}",                Public,  Home,    gateway::preflight)
        .on    (Method::OPTIONS, "/ipns/{name}/",               Public,  Home,    gateway::preflight)
        .on    (Method::OPTIONS, "/ipns/{name}/{*path}",        Public,  Home,    gateway::preflight)

        .get   ("/",                                            Public,  Home,    web::page)
        .get   ("/{*path}",                                     Public,  Home,    web::page)
}

/// Every route and who may call it, for the test that tries them all.
#[must_use]
pub fn table() -> Vec<Route> {
    declare().rows
}

/// The router of the table. A layer above it must name the caller and leave the [`App`] with each request.
pub(super) fn router() -> Router<App> {
    declare()
        .router
        .method_not_allowed_fallback(|| async { Refusal::method() })
        .fallback(|| async { Refusal::not_found() })
}

/// The one policy check.
async fn check(policy: Policy, reach: Reach, params: RawPathParams, mut request: Request, next: Next) -> Response {
    let known = (request.extensions().get::<App>().cloned(), request.extensions().get::<Caller>().cloned());
    let (Some(app), Some(caller)) = known else { return StatusCode::INTERNAL_SERVER_ERROR.into_response() };
    if let Err(refusal) = reached(reach, &caller) {
        return refusal.into_response();
    }
    let param = |name: &str| params.iter().find(|(key, _)| *key == name).map(|(_, value)| value.to_owned());
    let allowed = match policy {
        Policy::Public => Ok(()),
        Policy::Account => signed_in(&caller),
        Policy::Admin => signed_in(&caller).and_then(|()| admin(&caller)),
        Policy::Metrics => app.options().metrics.allows(&caller, request.headers()),
        Policy::Library => see_library(&app, &caller, param("id"), &mut request).await,
        Policy::Item | Policy::Holder => see_item(&app, &caller, param("id"), &mut request).await,
        Policy::Content | Policy::Name => see_content(&app, &caller, param("cid"), &mut request).await,
        Policy::Link => match shares::open(&app, &caller, param("id")).await {
            Ok(shown) => {
                request.extensions_mut().insert(Arc::new(shown));
                Ok(())
            }
            Err(refusal) => return shares::refused(&request, refusal),
        },
    };
    if let Err(refusal) = allowed {
        return refusal.into_response();
    }
    let seen = request.extensions().get::<Arc<Listed>>().cloned();
    match seen.filter(|_| policy == Policy::Holder) {
        Some(seen) => held(&app, &caller, &seen, request, next).await.unwrap_or_else(IntoResponse::into_response),
        None => next.run(request).await,
    }
}

/// The answer of who has the file: this node, for a friend's item too, before any friend is asked.
async fn held(
    app: &App,
    caller: &Caller,
    seen: &Listed,
    mut request: Request,
    next: Next,
) -> Result<Response, Refusal> {
    let (ours, there) = (seen.item.friend.is_none(), seen.item.state == ItemState::Present);
    if let Some(own) = holders::here(app, caller, seen).await? {
        request.extensions_mut().insert(Arc::new(own));
    } else if !ours {
        return forward::to_holder(app, caller, &seen.item, Question::of(&request)).await;
    } else if !there {
        let answer = forward::to_holder(app, caller, &seen.item, Question::of(&request)).await;
        if let Some(answer) = answer.ok().filter(|answer| !forward::lacks(answer)) {
            return Ok(answer);
        }
    }
    Ok(next.run(request).await)
}

/// Another node's key never opens what is not for other nodes, not even what anyone may call: deny by default.
fn reached(reach: Reach, caller: &Caller) -> Result<(), Refusal> {
    match (&caller.account, reach) {
        _ if !caller.is_node() => Ok(()),
        (None, Reach::Home | Reach::Friends) => Err(Refusal::stranger()),
        (Some(_), Reach::Home) => Err(Refusal::forbidden("friends may not do this")),
        _ => Ok(()),
    }
}

fn signed_in(caller: &Caller) -> Result<(), Refusal> {
    caller.account.as_ref().map(|_| ()).ok_or_else(Refusal::unauthenticated)
}

fn admin(caller: &Caller) -> Result<(), Refusal> {
    if caller.is_admin() { Ok(()) } else { Err(Refusal::forbidden("only an admin may do this")) }
}

/// Ids are UUIDs in their usual form, or what another program gave; anything else names nothing.
fn named(id: Option<String>) -> Result<String, Refusal> {
    id.filter(|id| is_id(id)).ok_or_else(Refusal::not_found)
}

/// Whether a node asks for what another friend shares with us: that is for our people, and is not shared on.
fn passed_along(caller: &Caller, friend: Option<&str>) -> bool {
    caller.is_node() && friend.is_some()
}

async fn see_library(app: &App, caller: &Caller, id: Option<String>, request: &mut Request) -> Result<(), Refusal> {
    signed_in(caller)?;
    let library = app.node().catalog().library(&named(id)?).await?;
    if !caller.may_see(&library.id) || passed_along(caller, library.friend.as_deref()) {
        return Err(Refusal::hidden());
    }
    request.extensions_mut().insert(Arc::new(library));
    Ok(())
}

async fn see_item(app: &App, caller: &Caller, id: Option<String>, request: &mut Request) -> Result<(), Refusal> {
    signed_in(caller)?;
    let listed = app.node().catalog().item(&named(id)?, caller.id()).await?;
    if !caller.may_see(&listed.item.library) || passed_along(caller, listed.item.friend.as_deref()) {
        return Err(Refusal::hidden());
    }
    request.extensions_mut().insert(Arc::new(listed));
    Ok(())
}

async fn see_content(app: &App, caller: &Caller, cid: Option<String>, request: &mut Request) -> Result<(), Refusal> {
    let gate = Arc::new(ContentGate { app: app.clone(), caller: caller.clone() });
    // What is no CID hides nothing: the gateway says what is wrong with it. Nor does one that holds its content itself. Who may
    // open what is from elsewhere is told by the gateway what there is, here or there.
    let hides = |cid: &Cid| inline(cid).is_none() && gate.may() == May::Nothing;
    if let Some(cid) = cid.and_then(|cid| parse(&cid).ok()).filter(hides) {
        let (hidden, nowhere) = match only_if_cached(request.headers()) {
            true => (Refusal::hidden_or_not_kept(), Refusal::not_kept()),
            false => (Refusal::hidden(), Refusal::not_found()),
        };
        match app.node().blocks().stat(&cid).await? {
            Some(stat) if gate.sight(&stat.roots).await == Sight::Hidden => return Err(hidden),
            None if gate.folder(&cid).await.is_none() => return Err(nowhere),
            _ => {}
        }
    }
    request.extensions_mut().insert(gate);
    Ok(())
}

/// Tells what a caller may see of content: what is part of, or derived from, a file of a library that is public or that
/// the caller may see. A file of ours with the bytes of a friend's is, for our people, the friend's too.
pub struct ContentGate {
    app: App,
    caller: Caller,
}

impl ContentGate {
    /// Of one caller.
    pub(super) fn new(app: &App, caller: &Caller) -> Self {
        Self { app: app.clone(), caller: caller.clone() }
    }

    async fn sees_with_friends(&self, root: &Cid) -> bool {
        if self.caller.is_node() {
            return false;
        }
        let held = self.app.node().catalog().held_by_friends(root).await;
        let held = held.map_err(|error| Refusal::internal(&error)).unwrap_or_default();
        held.iter().any(|held| self.caller.may_see(&held.library))
    }
}

impl Gate for ContentGate {
    /// The folders under this node's name hold what is public, and nothing else.
    fn folder<'a>(&'a self, cid: &'a Cid) -> BoxFuture<'a, Option<Bytes>> {
        let (ipfs, cid) = (self.app.node().ipfs().cloned(), *cid);
        async move {
            let looking = tokio::task::spawn_blocking(move || ipfs?.folder(&cid).ok().flatten());
            looking.await.ok().flatten()
        }
        .boxed()
    }

    /// Guests, friends' nodes and strangers see what is in libraries.
    fn may(&self) -> May {
        let ours = self.caller.account.is_some() && !self.caller.is_node() && !self.caller.is_guest();
        match self.app.options().ipfs.fetch {
            _ if !ours => May::Nothing,
            WhoFetches::Everyone => May::Fetch,
            WhoFetches::Admins if self.caller.is_admin() => May::Fetch,
            WhoFetches::Admins | WhoFetches::Nobody => May::Pinned,
        }
    }

    fn sight<'a>(&'a self, roots: &'a [Cid]) -> BoxFuture<'a, Sight> {
        async move {
            let mut sight = Sight::Hidden;
            for root in roots {
                let libraries = self.app.node().catalog().libraries_of(root).await;
                // A catalog that cannot be read shows nothing.
                let libraries = libraries.map_err(|error| Refusal::internal(&error)).unwrap_or_default();
                let here = !libraries.is_empty();
                for (library, visibility) in libraries {
                    if visibility == Visibility::Public {
                        return Sight::Public;
                    }
                    if self.caller.may_see(&library) {
                        sight = Sight::Private;
                    }
                }
                if here && sight == Sight::Hidden && self.sees_with_friends(root).await {
                    sight = Sight::Private;
                }
            }
            sight
        }
        .boxed()
    }
}
