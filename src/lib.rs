//! Potluck: a node that publishes its owner's media library as content-addressed blocks, straight from the files on
//! disk, and plays them to whoever may see them.
//!
//! In reading order, lowest layer first. A module uses only layers with a smaller number, never a neighbour of its
//! own layer; `tests/it/architecture.rs` keeps it so.
//!
//! | layer | module | the question it answers |
//! |---|---|---|
//! | 0 | [`content`] | what is it called, what are its parts (CID, DAG, CAR, ranges): pure |
//! | 0 | [`database`] | open SQLite: one writer, several readers, migrations |
//! | 1 | [`blocks`] | keep bytes by hash |
//! | 1 | [`media`] | understand a file, through the worker process |
//! | 2 | [`catalog`] | which items are there |
//! | 2 | [`accounts`] | who is asking and what may they do |
//! | 3 | [`library`] | bring files in |
//! | 3 | [`exchange`] | trade blocks with peers |
//! | 4 | [`playback`] | item and position to bytes in order |
//! | 4 | [`friends`] | other people's nodes: how they are reached, what they share |
//! | 5 | [`node`] | one running node: wiring, tasks, events, stop |
//! | 6 | [`facades`] | speak a dialect over HTTP |
//! | 7 | [`config`] | the settings a person writes |
//! | 8 | [`cli`] | the commands a person types |
#![forbid(unsafe_code)]
#![cfg_attr(not(test), warn(clippy::unwrap_used))]

pub mod accounts;
pub mod blocks;
pub mod catalog;
pub mod cli;
pub mod config;
pub mod content;
pub mod database;
pub mod exchange;
pub mod facades;
pub mod friends;
pub mod library;
pub mod media;
pub mod node;
pub mod playback;
