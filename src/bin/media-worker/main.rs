//! The media worker: all libav code, in a process of its own that may die of a malformed file.
fn main() {}
