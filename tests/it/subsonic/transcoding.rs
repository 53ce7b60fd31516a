//! OpenSubsonic's `transcoding`: a program says what it plays, and gets that.
use reqwest::Client;
use serde_json::{Value, json};

use super::App;
use super::music::{songs, text, with_music};
use super::schema::Specification;
use crate::harness::TestNode;

/// Asks with this body, and checks the answer.
async fn decided(app: &App, song: &str, program: &Value) -> Value {
    let url = app.get(&format!("getTranscodeDecision?mediaId={song}&mediaType=song&f=json")).await.url().clone();
    let answer: Value = Client::new().post(url).json(program).send().await.unwrap().json().await.unwrap();
    if let Some(specification) = Specification::read() {
        assert_eq!(specification.faults("getTranscodeDecision", &answer).unwrap(), Vec::<String>::new(), "{answer}");
    }
    answer["subsonic-response"]["transcodeDecision"].clone()
}

#[tokio::test]
async fn a_program_that_says_what_it_plays_is_sent_that() {
    let node = TestNode::start(&[]).await;
    with_music(&node).await;
    let ada = App::new(&node, "ada").await;
    let song = text(&songs(&ada, "Red").await[0], "id");
    let plays = |codec: &str, container: &str| {
        json!({"name": "x", "platform": "y",
            "directPlayProfiles": [{"containers": [container], "audioCodecs": [codec], "protocols": ["http"]}],
            "transcodingProfiles": [{"container": container, "audioCodec": codec, "protocol": "http"}]})
    };
    let direct = decided(&ada, &song, &plays("mp3", "mp3")).await;
    assert_eq!((&direct["canDirectPlay"], &direct["sourceStream"]["codec"]), (&json!(true), &json!("mp3")));
    let other = decided(&ada, &song, &plays("opus", "ogg")).await;
    assert_eq!((&other["canDirectPlay"], &other["canTranscode"]), (&json!(false), &json!(true)));
    assert_eq!(
        (&other["transcodeReason"], &other["transcodeStream"]["codec"]),
        (&json!(["container"]), &json!("opus"))
    );
    let bits = other["transcodeStream"]["audioBitrate"].as_u64().unwrap();
    assert!(bits <= 66_000, "no more than the song has: {bits}");
    let params = text(&other, "transcodeParams");
    let sent = ada.get(&format!("getTranscodeStream?mediaId={song}&mediaType=song&transcodeParams={params}")).await;
    assert_eq!(&sent.headers()["content-type"], "audio/ogg");
    assert!(sent.bytes().await.unwrap().starts_with(b"OggS"));
    let none = decided(&ada, &song, &plays("flac", "flac")).await;
    assert_eq!((&none["canTranscode"], none.get("transcodeParams")), (&json!(false), None));

    for (call, code) in [
        (format!("getTranscodeDecision?mediaId={song}&mediaType=song"), 0),
        (format!("getTranscodeDecision?mediaId={song}&mediaType=film"), 0),
        (format!("getTranscodeDecision?mediaId={song}"), 10),
        (format!("getTranscodeStream?mediaId={song}&mediaType=song"), 10),
        (format!("getTranscodeStream?mediaId={song}&mediaType=song&transcodeParams=mp3-1"), 0),
        ("getTranscodeStream?mediaId=tr-99999&mediaType=song&transcodeParams=mp3-128".into(), 70),
        ("getTranscodeDecision?mediaId=1&mediaType=podcast".into(), 70),
    ] {
        assert_eq!(ada.fault(&call).await, code, "{call}");
    }
    let url = ada.get(&format!("getTranscodeDecision?mediaId={song}&mediaType=song&f=json")).await.url().clone();
    for body in ["[]", "{", "7", "{\"directPlayProfiles\": 7}", &format!("{{\"name\": \"{}\"}}", "x".repeat(70_000))] {
        let request = Client::new().post(url.clone()).header("content-type", "application/json");
        let answer = request.body(body.to_owned()).send().await.unwrap();
        let said: Value = answer.json().await.unwrap();
        let (status, code) = (&said["subsonic-response"]["status"], &said["subsonic-response"]["error"]["code"]);
        assert!(body == "[]" || (status == "failed" && code == 0), "{said}");
    }
    node.stop().await;
}
