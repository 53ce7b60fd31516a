//! ListenBrainz' words for what was heard. Pure.
use serde_json::{Map, Value, json};

use crate::catalog::music::{Heard, Listen};

/// What somebody hears now.
pub(super) fn playing_now(heard: &Heard) -> Value {
    json!({"listen_type": "playing_now", "payload": [{"track_metadata": track(heard)}]})
}

/// What was heard: one is `single`, several are an `import`.
pub(super) fn heard(listens: &[Listen]) -> Value {
    let kind = if listens.len() == 1 { "single" } else { "import" };
    let payload: Vec<Value> = listens
        .iter()
        .map(|listen| json!({"listened_at": listen.at / 1000, "track_metadata": track(&listen.heard)}))
        .collect();
    json!({"listen_type": kind, "payload": payload})
}

fn track(heard: &Heard) -> Value {
    let mut more = Map::new();
    let mut add = |name: &str, value: Value| {
        if !value.is_null() && value != json!("") && value != json!([]) {
            more.insert(name.to_owned(), value);
        }
    };
    add("submission_client", json!("Potluck"));
    add("submission_client_version", json!(env!("CARGO_PKG_VERSION")));
    add("media_player", json!(heard.program));
    add("duration_ms", if heard.seconds > 0.0 { json!((heard.seconds * 1000.0) as u64) } else { Value::Null });
    add("tracknumber", json!(heard.number));
    add("recording_mbid", json!(heard.recording));
    add("release_mbid", json!(heard.release));
    add("track_mbid", json!(heard.release_track));
    add("artist_mbids", json!(heard.artists));
    let mut told = json!({"artist_name": heard.artist, "track_name": heard.title, "additional_info": more});
    if !heard.album.is_empty() {
        told["release_name"] = json!(heard.album);
    }
    told
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_known_is_not_told() {
        let bare = Heard { title: "One".to_owned(), artist: "Ann".to_owned(), ..Heard::default() };
        let told = playing_now(&bare);
        let metadata = &told["payload"][0]["track_metadata"];
        assert_eq!((&told["listen_type"], metadata.get("release_name")), (&json!("playing_now"), None));
        let names: Vec<&String> = metadata["additional_info"].as_object().unwrap().keys().collect();
        assert_eq!(names, ["submission_client", "submission_client_version"]);
        assert!(told["payload"][0].get("listened_at").is_none());
    }

    #[test]
    fn one_play_is_single_and_several_are_an_import() {
        let listen =
            Listen { number: 1, account: String::new(), at: 1_700_000_000_999, heard: Heard::default(), tries: 0 };
        let one = heard(std::slice::from_ref(&listen));
        assert_eq!((&one["listen_type"], &one["payload"][0]["listened_at"]), (&json!("single"), &json!(1_700_000_000)));
        assert_eq!(heard(&[listen.clone(), listen])["listen_type"], "import");
    }
}
