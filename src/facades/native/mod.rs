//! Potluck's own JSON API under `/api/v1`. Handlers turn a request into a call on the node and its answer into the shapes
//! of [`model`]; who may call them is decided before, in [`routes`](super::routes).
pub(super) mod accounts;
pub(super) mod api_keys;
pub(super) mod app_passwords;
pub(super) mod audit;
pub(super) mod blocks;
mod capabilities;
pub(super) mod changes;
pub(super) mod events;
pub(super) mod folders;
pub(super) mod friends;
pub(super) mod hls;
pub(super) mod items;
pub(super) mod libraries;
pub mod model;
pub(super) mod move_in;
pub mod openapi;
pub(super) mod pages;
pub(super) mod pictures;
pub(super) mod place;
pub(super) mod publish;
pub(super) mod renditions;
pub(super) mod replicas;
pub(super) mod scrub;
pub(super) mod session;
mod shapes;
pub(super) mod sound;
pub(super) mod stand_in;
pub(super) mod status;
pub(super) mod subtitles;
pub(super) mod thumbnails;
pub(super) mod webrtc;

pub(super) use capabilities::watcher;
pub(super) use shapes::playable;
