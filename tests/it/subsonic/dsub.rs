//! What DSub 5 does when a server is added, by its own rules of reading: elements by name wherever they stand, numbers without guard.
use reqwest::Client;

use super::{Tag, app_password, tags, token};
use crate::harness::TestNode;

struct Dsub {
    client: Client,
    url: String,
    name: &'static str,
    password: String,
    /// One for the whole life of the program.
    salt: &'static str,
    /// Of the server, once an answer told it.
    version: Option<Vec<u32>>,
    blocks_tokens: bool,
}

impl Dsub {
    fn credentials(&self) -> String {
        let tokens = self.version.as_ref().is_some_and(|version| *version >= vec![1, 14]) && !self.blocks_tokens;
        match tokens {
            true => token(&self.password, self.salt),
            false => format!("p=enc:{}", data_encoding::HEXLOWER.encode(self.password.as_bytes())),
        }
    }

    /// Elements of the answer, or the number of the failure.
    async fn call(&mut self, method: &str, rest: &str) -> Result<Vec<Tag>, i64> {
        let url =
            format!("{}/rest/{method}.view?u={}&{}&v=1.2.0&c=DSub{rest}", self.url, self.name, self.credentials());
        let request = self.client.get(url).basic_auth(self.name, Some(&self.password)).header("user-agent", "DSub");
        let answer = request.header("accept-encoding", "gzip").send().await.unwrap();
        assert_eq!(answer.status(), 200, "{method}: another status makes it try again, or give up for ever");
        assert!(
            answer.headers()["content-type"].to_str().unwrap().starts_with("text/xml"),
            "else it keeps an error as a song"
        );
        let elements = tags(&answer.text().await.unwrap());
        let (_, root) = elements.iter().find(|(name, _)| name == "subsonic-response").expect("else: parse error");
        let version = root["version"].split('.').map(|part| part.parse().unwrap()).collect();
        assert!(
            !["subsonic", "madsonic", "ampache"].contains(&root["type"].as_str()),
            "else it speaks another protocol"
        );
        let fault = elements.iter().find(|(name, _)| name == "error").map(|(_, error)| error["code"].parse().unwrap());
        self.version = Some(version);
        self.blocks_tokens |= fault == Some(41);
        fault.map_or(Ok(elements), Err)
    }

    fn new(node: &TestNode, password: String) -> Self {
        Self {
            client: Client::new(),
            url: node.url.clone(),
            name: "ada",
            password,
            salt: "a1b2c3",
            version: None,
            blocks_tokens: false,
        }
    }
}

fn named<'a>(elements: &'a [Tag], wanted: &str) -> Vec<&'a Tag> {
    elements.iter().filter(|(name, _)| name == wanted).collect()
}

#[tokio::test]
async fn dsub_adds_the_server_and_starts() {
    let node = TestNode::start(&[]).await;
    let mut dsub = Dsub::new(&node, app_password(&node, "ada").await);
    assert!(dsub.credentials().starts_with("p=enc:"), "the version of the server is not known yet");
    dsub.call("ping", "").await.unwrap();
    assert!(dsub.credentials().starts_with("t="));
    let license = dsub.call("getLicense", "").await.unwrap();
    assert_eq!(named(&license, "license")[0].1["valid"], "true");

    let user = dsub.call("getUser", "&username=ada").await.unwrap();
    let (_, user) = named(&user, "user")[0];
    assert_eq!(
        (user["username"].as_str(), user["streamRole"].as_str(), user["shareRole"].as_str()),
        ("ada", "true", "true")
    );
    assert_eq!(user["adminRole"], "false", "it would show what an app password does not open");
    let queue = dsub.call("getPlayQueue", "").await.unwrap();
    let (_, queue) = named(&queue, "playQueue")[0];
    assert_eq!(queue["position"].parse::<i32>().unwrap(), 0, "DSub dies without it");
    assert_eq!(queue["changed"].len(), "2026-01-01T00:00:00Z".len());
    assert!(named(&dsub.call("getBookmarks", "").await.unwrap(), "bookmark").is_empty());
    assert!(named(&dsub.call("getMusicFolders", "").await.unwrap(), "musicFolder").is_empty());

    let indexes = dsub.call("getIndexes", "").await.unwrap();
    named(&indexes, "indexes")[0].1["lastModified"].parse::<u64>().unwrap();
    for (method, rest) in [
        ("getAlbumList", "&type=newest&size=20&offset=0"),
        ("getAlbumList", "&type=byYear&size=20&fromYear=1999&toYear=1990"),
        ("getRandomSongs", "&size=20"),
        ("getGenres", ""),
        ("getStarred", ""),
        ("search2", "&query=x&artistCount=5"),
        ("getPlaylists", ""),
        ("getPodcasts", "&includeEpisodes=false"),
        ("getNewestPodcasts", "&count=10"),
        ("getInternetRadioStations", ""),
        ("getShares", ""),
        ("getVideos", ""),
        ("getChatMessages", "&since=0"),
        ("getScanStatus", ""),
    ] {
        assert!(dsub.call(method, rest).await.is_ok(), "{method}");
    }
    for (method, code) in [("stream", 70), ("getCoverArt", 70), ("getMusicDirectory", 70), ("hls", 70)] {
        assert_eq!(dsub.call(method, "&id=1").await.unwrap_err(), code, "{method}");
    }
    assert_eq!(dsub.call("jukeboxControl", "&action=status").await.unwrap_err(), 50, "it falls back quietly");
    assert_eq!(dsub.call("videoPlayer", "").await.unwrap_err(), 0);
    node.stop().await;
}

#[tokio::test]
async fn dsub_with_the_login_password_goes_over_to_it() {
    use potluck::facades::subsonic::LoginPasswords;
    let node = TestNode::with(&[], |wishes| wishes.serve.facades.login_passwords = LoginPasswords::Always).await;
    let mut dsub = Dsub::new(&node, crate::harness::PASSWORD.to_owned());
    dsub.call("ping", "").await.unwrap();
    assert_eq!(dsub.call("getLicense", "").await.unwrap_err(), 41);
    for method in ["getLicense", "getMusicFolders", "getPlaylists", "ping"] {
        assert!(dsub.call(method, "").await.is_ok(), "{method}");
    }
    node.stop().await;
}
