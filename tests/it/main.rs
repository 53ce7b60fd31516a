//! Features of the node, tested through its public surface. One program, so that everything links once.
mod architecture;
mod blocks;
mod boxes;
mod fixtures;
mod fmp4;
mod gateway;
mod identity;
mod media;
mod openapi;
mod playback;
mod scan;
mod shelf;
mod webrtc;
