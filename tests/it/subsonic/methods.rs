//! The table of methods: all that the specification has, with or without `.view`, and what the documentation says of each.
use std::collections::BTreeSet;

use potluck::facades::subsonic::methods::METHODS;
use potluck::facades::subsonic::system::EXTENSIONS;

use super::App;
use super::schema::Specification;
use crate::harness::TestNode;

/// Methods that the specification has by another name, or that answers of others name.
const BESIDES: &[&str] = &["hls", "hls.m4s"];

#[test]
fn every_method_of_the_specification_is_in_the_table_and_nothing_else() {
    let Some(specification) = Specification::read() else { return };
    let known: BTreeSet<&str> =
        METHODS.iter().map(|method| method.name).filter(|name| !BESIDES.contains(name)).collect();
    let told = specification.methods();
    assert_eq!(known, told.iter().map(String::as_str).collect());
    assert_eq!(told.len(), 87);
}

#[test]
fn the_documentation_has_the_table() {
    let docs = include_str!("../../../docs/subsonic.md");
    for method in METHODS {
        let row = format!("| `{}` | {:?} | {} |", method.name, method.right, method.about);
        assert!(docs.contains(&row), "docs/subsonic.md lacks: {row}");
    }
    let rows = docs.lines().filter(|line| line.starts_with("| `")).count();
    assert_eq!(rows, METHODS.len(), "docs/subsonic.md has rows of what is gone");
    assert!(EXTENSIONS.iter().all(|(name, _)| docs.contains(name)));
}

#[tokio::test]
async fn every_method_answers_with_status_200_by_each_name_and_way() {
    let node = TestNode::start(&[]).await;
    let ada = App::new(&node, "ada").await;
    for method in METHODS {
        for name in [method.name.to_owned(), format!("{}.view", method.name)] {
            let answer = ada.json(&name).await;
            let missing = answer["error"]["code"] == 10;
            let full = ada.json(&format!("{name}?{FULL}")).await;
            assert!(["ok", "failed"].contains(&full["status"].as_str().unwrap()), "{name}: {full}");
            assert!(full["error"]["code"] != 10, "{name}: {full}");
            assert!(!missing || answer["error"]["message"].as_str().unwrap().contains("parameter"), "{name}: {answer}");
            assert!(ada.xml(&name).await[0].1["version"] == "1.16.1", "{name}");
        }
    }
    node.stop().await;
}

/// What every method needs, each at once.
pub const FULL: &str = "id=1&username=nobody&password=12345678&genre=Rock&artist=A&type=random&query=a&message=hello&rating=3\
    &position=0&name=A&streamUrl=http://radio.example/a&url=http://127.0.0.1/&playlistId=1&mediaId=1&mediaType=song&positionMs=0\
    &state=playing&action=status&startSongId=1&endSongId=2";
