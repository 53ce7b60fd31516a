//! Odd calls: an answer of the protocol, never a failure of the node.
use reqwest::{Client, Method, StatusCode, header};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use super::{App, app_password, tags, token};
use crate::harness::TestNode;

const VALUES: &[&str] = &[
    "",
    ",",
    "%00",
    "%ff%fe",
    "-1",
    "99999999999999999999",
    "1e400",
    "NaN",
    "'",
    "%22",
    "%27%20OR%201=1--",
    "%25",
    "%",
    "+",
    "*",
    "a;b",
    "enc:",
    "enc:zz",
    "enc:E9",
    "enc:ff",
    "%F0%9F%92%A9",
    "true",
    "null",
    "..%2F..",
    "%3Cscript%3E",
    "%0d%0aX:%20y",
    "%EF%BF%BF",
];

#[tokio::test]
async fn no_value_of_any_parameter_breaks_anything() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let (good, client) = (format!("u=ada&{}", token(&password, "x")), Client::new());
    let names = [
        "u", "p", "t", "s", "apiKey", "v", "c", "f", "callback", "id", "nonsense", "%00", "[]", "username", "since",
        "type",
    ];
    for method in ["ping", "getUser.view", "getAlbumList", "getChatMessages", "%3Cx%3E", "stream"] {
        for name in names {
            for value in VALUES {
                for query in
                    [format!("{name}={value}&{good}"), format!("{good}&{name}={value}"), format!("{name}={value}")]
                {
                    let answer = client.get(format!("{}/rest/{method}?{query}", node.url)).send().await.unwrap();
                    assert_eq!(answer.status(), 200, "{method}?{query}");
                    let kind = answer.headers()["content-type"].to_str().unwrap().to_owned();
                    let text = answer.text().await.unwrap();
                    match kind.as_str() {
                        "application/json" => drop(serde_json::from_str::<Value>(&text).unwrap()),
                        _ => assert_eq!(tags(&text)[0].0, "subsonic-response", "{method}?{query}"),
                    }
                }
            }
        }
    }
    node.stop().await;
}

#[tokio::test]
async fn a_form_and_an_address_say_the_same_together() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let post = |query: &str| Client::new().post(format!("{}/rest/getUser?{query}", node.url));
    let form = format!("u=ada&p={password}&f=json&username=ada");
    let with_type = |request: reqwest::RequestBuilder| {
        request.header("content-type", "application/x-www-form-urlencoded; charset=utf-8")
    };
    for answer in [
        with_type(post("")).body(form.clone()).send().await.unwrap(),
        with_type(post(&format!("u=ada&p={password}&f=json"))).body("username=ada").send().await.unwrap(),
        post(&form).send().await.unwrap(),
        post(&form).json(&serde_json::json!({"u": "ignored"})).send().await.unwrap(),
    ] {
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["subsonic-response"]["user"]["username"], "ada", "{answer}");
    }
    let bytes = with_type(post("f=json")).body(vec![0xff, 0xfe, b'=', 0, b'&']).send().await.unwrap();
    assert_eq!(bytes.status(), 200);
    let songs = "id=0123456789ab&".repeat(60_000);
    let much = with_type(post(&form)).body(songs.clone()).send().await.unwrap();
    assert_eq!(much.json::<Value>().await.unwrap()["subsonic-response"]["status"], "ok");
    let more = with_type(post(&form)).body(songs.repeat(2)).send().await.unwrap();
    let more: Value = more.json().await.unwrap();
    assert!(
        more["subsonic-response"]["error"]["message"].as_str().unwrap().contains("at most 1048576 bytes"),
        "{more}"
    );
    node.stop().await;
}

#[tokio::test]
async fn an_answer_is_a_script_only_for_the_name_of_a_function() {
    let node = TestNode::start(&[]).await;
    let ada = App::new(&node, "ada").await;
    let answer = ada.get("ping?f=jsonp&callback=player.on_ping").await;
    assert_eq!(answer.headers()["content-type"], "application/javascript; charset=utf-8");
    assert_eq!(answer.headers()["access-control-allow-origin"], "*");
    let text = answer.text().await.unwrap();
    let inside = text.strip_prefix("player.on_ping(").and_then(|rest| rest.strip_suffix(");")).unwrap();
    assert_eq!(serde_json::from_str::<Value>(inside).unwrap()["subsonic-response"]["status"], "ok");
    for (callback, code) in [("alert(1)//", 0), ("%3C/script%3E", 0), ("a%0ab", 0), ("", 10)] {
        let answer = ada.get(&format!("ping?f=jsonp&callback={callback}")).await;
        assert_eq!(answer.headers()["content-type"], "application/json");
        let answer: Value = answer.json().await.unwrap();
        assert_eq!(answer["subsonic-response"]["error"]["code"], code, "{callback}");
    }
    node.stop().await;
}

#[tokio::test]
async fn other_methods_of_http_and_unknown_calls_get_answers_of_the_protocol() {
    let node = TestNode::start(&[]).await;
    let ada = App::new(&node, "ada").await;
    assert_eq!(ada.fault("noSuchMethod.view").await, 0);
    assert_eq!(ada.fault("PING").await, 0);
    let client = Client::new();
    for method in [Method::PUT, Method::DELETE, Method::PATCH] {
        let answer = client.request(method.clone(), format!("{}/rest/ping", node.url)).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{method}");
        assert_eq!(tags(&answer.text().await.unwrap())[1].0, "error", "{method}");
    }
    // A person wrote the base into the address, to which the program appends it.
    assert_eq!(ada.json("rest/ping.view").await["status"], "ok");
    let asked = client.request(Method::OPTIONS, format!("{}/rest/ping", node.url)).send().await.unwrap();
    assert_eq!(
        (asked.status(), &asked.headers()["access-control-allow-origin"]),
        (StatusCode::NO_CONTENT, &"*".parse().unwrap())
    );
    let head = client.head(format!("{}/rest/ping?u=ada&p=x", node.url)).send().await.unwrap();
    assert_eq!(
        (head.status(), &head.headers()["content-type"]),
        (StatusCode::OK, &"text/xml; charset=utf-8".parse().unwrap())
    );
    assert!(head.headers().get(header::WWW_AUTHENTICATE).is_none());
    assert!(head.text().await.unwrap().is_empty());
    assert_eq!(
        node.browser().status("/rest/a/b").await,
        node.browser().status("/nothing/a/b").await,
        "that is the page's"
    );
    node.stop().await;
}

/// Sends a request as it is; the first line and the rest of the answer.
async fn raw(node: &TestNode, request: &str) -> (String, String) {
    let address = node.url.strip_prefix("http://").unwrap();
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    // A node that refuses does not read to the end.
    let _ = stream.write_all(request.as_bytes()).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    let answer = String::from_utf8_lossy(&answer).into_owned();
    let (first, rest) = answer.split_once("\r\n").unwrap();
    (first.to_owned(), rest.to_owned())
}

#[tokio::test]
async fn a_queue_that_fills_the_longest_address_is_read_and_one_beyond_it_is_told_so() {
    let node = TestNode::start(&[]).await;
    let password = app_password(&node, "ada").await;
    let start = format!("/rest/savePlayQueue.view?u=ada&p={password}&c=DSub&current=1");
    let request = |length: usize| {
        let mut path = start.clone();
        while path.len() + 16 <= length {
            path.push_str("&id=0123456789ab");
        }
        format!("GET {path} HTTP/1.1\r\nhost: node\r\nuser-agent: DSub\r\nconnection: close\r\n\r\n")
    };
    let (first, rest) = raw(&node, &request(65_500)).await;
    assert_eq!(first, "HTTP/1.1 200 OK");
    assert!(rest.contains("<error code=\"70\""), "{rest}");
    let (first, _) = raw(&node, &request(70_000)).await;
    assert!(first.starts_with("HTTP/1.1 414"), "{first}");
    node.stop().await;
}
