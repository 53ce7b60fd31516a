//! `make bench`: every figure of `docs/performance.md`, each beside a reference measured in the same run.
//!
//! `cargo bench --bench bench -- [GROUP ...]` runs the named groups, or all of them.
mod api;
mod books;
mod cars;
mod catalog;
mod crowd;
mod friends;
mod idle_links;
mod import;
mod ipfs;
mod music;
mod node;
mod replicas;
mod segments;
mod sounds;
mod supysonic;
mod sync;
mod table;
mod tracks;
mod transcode;
mod wan;
mod webrtc;

use table::Table;

/// A group's name and what measures it.
type Group = (&'static str, fn(&mut Table) -> anyhow::Result<()>);

/// Every group, in the order of the table.
const GROUPS: &[Group] = &[
    ("import", import::measure),
    ("catalog", catalog::measure),
    ("cars", cars::measure),
    ("books", books::measure),
    ("music", music::measure),
    ("node", node::measure),
    ("sync", sync::measure),
    ("segments", segments::measure),
    ("transcode", transcode::measure),
    ("sounds", sounds::measure),
    ("webrtc", webrtc::measure),
    ("friends", friends::measure),
    ("replicas", replicas::measure),
    ("idle-links", idle_links::measure),
    ("ipfs", ipfs::measure),
    ("crowd", crowd::measure),
];

fn main() -> anyhow::Result<()> {
    let wanted: Vec<String> = std::env::args().skip(1).filter(|a| !a.starts_with("--")).collect();
    let mut table = Table::new();
    for (name, measure) in GROUPS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            eprintln!("# {name}");
            measure(&mut table)?;
        }
    }
    table.print();
    Ok(())
}
