//! The layer rule: a module uses only layers with a smaller number, never a neighbour of its own layer.
use std::fs;
use std::path::{Path, PathBuf};

const LAYERS: &[(&str, u8)] = &[
    ("content", 0),
    ("database", 0),
    ("blocks", 1),
    ("media", 1),
    ("catalog", 2),
    ("accounts", 2),
    ("library", 3),
    ("exchange", 3),
    ("playback", 4),
    ("friends", 4),
    ("node", 5),
    ("facades", 6),
    ("config", 7),
    ("cli", 8),
];

fn layer(module: &str) -> Option<u8> {
    LAYERS.iter().find(|(name, _)| *name == module).map(|(_, layer)| *layer)
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
    found
}

/// The modules that a line names as `crate::module`, also inside `crate::{a, b}`.
fn modules_named(line: &str) -> Vec<String> {
    let word = |text: &str| text.trim_start().chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    let mut names = Vec::new();
    for (at, _) in line.match_indices("crate::") {
        let rest = &line[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(group.split(',').map(word)),
            None => names.push(word(rest)),
        }
    }
    names
}

fn breaches(module: &str, text: &str) -> Vec<(usize, String)> {
    let own = layer(module).unwrap_or(u8::MAX);
    let mut found = Vec::new();
    for (number, line) in text.lines().enumerate() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        for named in modules_named(line) {
            if let Some(other) = layer(&named)
                && named != module
                && other >= own
            {
                found.push((number + 1, format!("`{module}` (layer {own}) uses `{named}` (layer {other})")));
            }
        }
    }
    found
}

#[test]
fn modules_use_only_lower_layers() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut wrong = Vec::new();
    for path in rust_files(&src) {
        let inside = path.strip_prefix(&src).unwrap();
        let first = inside.components().next().unwrap().as_os_str().to_str().unwrap().trim_end_matches(".rs");
        if ["bin", "main", "lib"].contains(&first) {
            continue;
        }
        assert!(layer(first).is_some(), "src/{first} has no layer: add it to docs/architecture.md and to this test");
        for (line, rule) in breaches(first, &fs::read_to_string(&path).unwrap()) {
            wrong.push(format!("src/{}:{line}: {rule}", inside.display()));
        }
    }
    assert!(wrong.is_empty(), "layers are broken:\n{}", wrong.join("\n"));
}

#[test]
fn a_breach_is_found_in_a_group_a_path_and_between_neighbours() {
    assert_eq!(breaches("blocks", "use crate::{content, media::Media};").len(), 1);
    assert_eq!(breaches("content", "let x = crate::node::start();").len(), 1);
    assert_eq!(breaches("catalog", "use crate::accounts::Account;").len(), 1);
    assert!(breaches("facades", "use crate::node::Node;").is_empty());
    assert!(breaches("content", "/// See [`crate::node`].").is_empty());
}

#[test]
fn only_the_worker_names_libav() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let inside = path.strip_prefix(&src).unwrap();
        if !inside.starts_with("bin/media-worker") {
            let text = fs::read_to_string(&path).unwrap();
            assert!(!text.contains("ffmpeg_next"), "src/{} names libav", inside.display());
        }
    }
}

#[test]
fn only_the_ipfs_side_names_libp2p() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let inside = path.strip_prefix(&src).unwrap();
        if !inside.starts_with("exchange/libp2p") {
            let text = fs::read_to_string(&path).unwrap();
            for name in ["use libp2p::", "use ::libp2p", " ::libp2p::", "portmapper::"] {
                assert!(!text.contains(name), "src/{} says {name}", inside.display());
            }
        }
    }
}

#[test]
fn only_the_carrier_between_nodes_names_iroh() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    for path in rust_files(&src) {
        let inside = path.strip_prefix(&src).unwrap();
        if !inside.starts_with("exchange/iroh") {
            let text = fs::read_to_string(&path).unwrap();
            for name in ["use iroh::", "noq_proto", "iroh_mdns_address_lookup"] {
                assert!(!text.contains(name), "src/{} says {name}", inside.display());
            }
        }
    }
}
