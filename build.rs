//! Tells cargo to embed the page again when it was built again. It never builds the page: that needs Node.
use std::path::Path;

fn main() {
    // A folder that is not there counts as changed at every build, so an empty one is made. Where it cannot be made,
    // builds are only slower.
    let _ = std::fs::create_dir_all(Path::new("web/dist"));
    println!("cargo::rerun-if-changed=web/dist");
    println!("cargo::rerun-if-changed=build.rs");
}
