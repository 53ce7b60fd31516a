//! The `potluck` command as a person or a script uses it.
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};

use potluck::catalog::{ItemFilter, Sort};
use potluck::node::Store;
use rustix::process::{Pid, Signal, kill_process};
use serde_json::Value;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, BufReader};
use tokio::process::{Child, Command};

use crate::fixtures::film;
use crate::harness::{PASSWORD, cheap};

struct Place {
    folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap() }
    }

    fn data(&self) -> PathBuf {
        self.folder.path().join("data")
    }

    fn films(&self) -> PathBuf {
        let films = self.folder.path().join("films");
        std::fs::create_dir_all(&films).unwrap();
        std::fs::copy(film(), films.join("Film (2001).mp4")).unwrap();
        films
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_potluck"));
        command.arg("--data").arg(self.data()).args(arguments);
        command.env("POTLUCK_IPFS__ENABLED", "false");
        command.env("POTLUCK_WEBRTC__LISTEN", "127.0.0.1:0").env("POTLUCK_FRIENDS__LISTEN", "127.0.0.1:0");
        command.env("POTLUCK_LIBRARY__SETTLE_SECONDS", "0");
        command
    }

    fn run(&self, arguments: &[&str], input: &str) -> Output {
        let mut command = self.command(arguments).into_std();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        // A command that reads nothing may be gone already.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        child.wait_with_output().unwrap()
    }

    fn ok(&self, arguments: &[&str]) -> String {
        let output = self.run(arguments, PASSWORD);
        assert!(output.status.success(), "{arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap()
    }

    fn init(&self) {
        self.ok(&["init", "--admin", "ada", "--password-stdin"]);
    }

    /// A running node and its first line.
    async fn serve(&self) -> (Child, String, BufReader<tokio::process::ChildStdout>) {
        let mut command = self.command(&["serve", "--listen", "127.0.0.1:0"]);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::null()).kill_on_drop(true).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        lines.read_line(&mut line).await.unwrap();
        (child, line, lines)
    }
}

fn terminate(child: &Child) {
    let pid = Pid::from_raw(i32::try_from(child.id().unwrap()).unwrap()).unwrap();
    kill_process(pid, Signal::TERM).unwrap();
}

fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap()
}

#[test]
fn init_makes_a_private_folder_and_never_writes_over_anything() {
    let place = Place::new();
    place.init();
    let mode = |path: &Path| path.metadata().unwrap().permissions().mode() & 0o777;
    assert_eq!(mode(&place.data()), 0o700);
    assert_eq!(mode(&place.data().join("node.key")), 0o600);
    let key = std::fs::read(place.data().join("node.key")).unwrap();
    let again = place.run(&["init", "--admin", "eve", "--password-stdin"], PASSWORD);
    assert_eq!(again.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&again.stderr).contains("nothing was changed"));
    assert_eq!(std::fs::read(place.data().join("node.key")).unwrap(), key);
}

#[test]
fn a_refused_first_account_leaves_nothing_behind() {
    let place = Place::new();
    let short = place.run(&["init", "--admin", "ada", "--password-stdin"], "short");
    assert_eq!(short.status.code(), Some(1));
    place.init();
}

#[test]
fn what_is_not_understood_ends_with_2_and_what_fails_with_1() {
    let place = Place::new();
    assert_eq!(place.run(&["frobnicate"], "").status.code(), Some(2));
    assert_eq!(place.run(&["init", "--admin", "ada"], "").status.code(), Some(2));
    assert_eq!(place.run(&["status"], "").status.code(), Some(1));
    let help = place.ok(&["--help"]);
    assert!(help.contains("library add Films"), "{help}");
    std::fs::create_dir(place.data()).unwrap();
    std::fs::write(place.data().join("node.toml"), "[server]\nlisten_on = 1\n").unwrap();
    let refused = place.run(&["serve"], "");
    assert_eq!(refused.status.code(), Some(1));
    let told = String::from_utf8_lossy(&refused.stderr).into_owned();
    assert!(told.contains("line 2") && told.contains("did you mean server.listen?"), "{told}");
}

#[tokio::test]
async fn commands_work_with_the_node_stopped_and_running() {
    let place = Place::new();
    let films = place.films();
    let films = films.to_str().unwrap();
    place.init();
    place.ok(&["library", "add", "Films", "--kind", "movies", "--path", films]);
    let listed = json(&place.ok(&["library", "list", "--json"]));
    assert_eq!((listed[0]["name"].as_str(), listed[0]["path"].as_str()), (Some("Films"), Some(films)));
    assert_eq!(json(&place.ok(&["status", "--json"]))["running"], false);
    let scanned = json(&place.ok(&["scan", "Films", "--json"]));
    assert_eq!(scanned[0]["state"], "done");
    assert_eq!(json(&place.ok(&["library", "list", "--json"]))[0]["items"], 1);
    place.ok(&["user", "add", "bob", "--password-stdin", "--library", "films"]);

    let (mut child, line, mut rest) = place.serve().await;
    assert!(line.starts_with("Potluck is ready at http://127.0.0.1:"), "{line}");
    assert_eq!(json(&place.ok(&["status", "--json"]))["running"], true);
    let users = json(&place.ok(&["user", "list", "--json"]));
    assert_eq!(users.as_array().unwrap().len(), 2);
    assert_eq!(users[1]["libraries"][0], listed[0]["id"]);
    place.ok(&["user", "password", "bob", "--password-stdin"]);
    let talks = place.folder.path().join("talks");
    std::fs::create_dir(&talks).unwrap();
    place.ok(&["library", "add", "Talks", "--kind", "videos", "--path", talks.to_str().unwrap()]);
    let overlap = place.run(&["library", "add", "More", "--kind", "videos", "--path", films], "");
    assert_eq!(overlap.status.code(), Some(1));
    assert_eq!(json(&place.ok(&["scan", "--json"])).as_array().unwrap().len(), 2);
    let scrubbed = json(&place.ok(&["scrub", "--json"]));
    assert_eq!((scrubbed["verified"].as_u64(), scrubbed["damaged"].as_array().unwrap().len()), (Some(1), 0));
    place.ok(&["library", "remove", "talks"]);
    place.ok(&["user", "remove", "bob"]);
    let last = place.run(&["user", "remove", "ada"], "");
    assert_eq!(last.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&last.stderr).contains("last admin"));

    terminate(&child);
    assert_eq!(child.wait().await.unwrap().code(), Some(0));
    let mut more = String::new();
    rest.read_to_string(&mut more).await.unwrap();
    assert_eq!(more, "", "one line, and no more");
    assert!(!place.data().join("control.sock").exists());
    assert_eq!(json(&place.ok(&["library", "list", "--json"])).as_array().unwrap().len(), 1);
}

/// The node is killed (SIGKILL) as soon as it told of the first finished files, and what it starts again from is what a
/// power cut would leave: nothing is imported twice, nothing is lost, and no item has two ids.
#[tokio::test]
async fn a_node_killed_in_the_middle_of_a_scan_goes_on_where_it_was() {
    const FILES: usize = 120;
    let place = Place::new();
    let films = place.folder.path().join("films");
    std::fs::create_dir(&films).unwrap();
    let bytes = std::fs::read(film()).unwrap();
    for n in 0..FILES {
        // An empty box at the end that players skip: the same film, another file.
        let name = format!("free{n:04}");
        let tail = [&12_u32.to_be_bytes()[..], name.as_bytes()].concat();
        std::fs::write(films.join(format!("Clip {n:03}.mp4")), [&bytes[..], &tail].concat()).unwrap();
    }
    place.init();
    place.ok(&["library", "add", "Clips", "--kind", "videos", "--path", films.to_str().unwrap()]);
    let (mut child, line, _rest) = place.serve().await;
    let before = after_first_files(&line).await;
    child.kill().await.unwrap();
    assert!(before.len() < FILES, "all {FILES} files were in before the node could be killed");

    let done = json(&place.ok(&["scan", "--json"]));
    assert_eq!((done[0]["state"].as_str(), done[0]["files_done"].as_u64()), (Some("done"), Some(FILES as u64)));
    let (mut child, line, _rest) = place.serve().await;
    let ada = signed_in(&line).await;
    let after = items(&ada).await;
    assert_eq!(after.len(), FILES);
    let unnamed = after.iter().filter(|(_, cid)| cid.is_none()).count();
    assert_eq!(unnamed, 0, "every file has its CID");
    for (id, cid) in before {
        let kept = after.iter().find(|(other, _)| *other == id);
        let kept = kept.unwrap_or_else(|| panic!("item {id} was lost"));
        assert!(cid.is_none() || kept.1 == cid, "item {id} changed its CID");
    }
    let scrubbed = json(&place.ok(&["scrub", "--json"]));
    assert_eq!(
        (scrubbed["verified"].as_u64(), scrubbed["damaged"].as_array().map(Vec::len)),
        (Some(FILES as u64), Some(0))
    );
    let again = json(&place.ok(&["scrub", "--older-than", "1", "--json"]));
    assert_eq!(again["verified"], 0, "what was read lately is not read again");
    terminate(&child);
    child.wait().await.unwrap();
}

struct SignedIn {
    client: reqwest::Client,
    url: String,
}

async fn signed_in(ready: &str) -> SignedIn {
    let url = ready.split_whitespace().find(|word| word.starts_with("http")).unwrap().trim_end_matches('/').to_owned();
    let client = crate::harness::client();
    let body = serde_json::json!({"username": "ada", "password": PASSWORD});
    let answer = client.post(format!("{url}/api/v1/login")).json(&body).send().await.unwrap();
    assert_eq!(answer.status(), 200);
    SignedIn { client, url }
}

/// Id and CID of every item.
async fn items(of: &SignedIn) -> Vec<(String, Option<String>)> {
    let answer = of.client.get(format!("{}/api/v1/items?limit=500", of.url)).send().await.unwrap();
    let page: Value = answer.json().await.unwrap();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    page["items"].as_array().unwrap().iter().map(|item| (text(&item["id"]).unwrap(), text(&item["cid"]))).collect()
}

/// What is there as soon as anything is.
async fn after_first_files(ready: &str) -> Vec<(String, Option<String>)> {
    let ada = signed_in(ready).await;
    let mut events = ada.client.get(format!("{}/api/v1/events", ada.url)).send().await.unwrap();
    loop {
        let found = items(&ada).await;
        if found.len() > 5 {
            return found;
        }
        events.chunk().await.unwrap().expect("the event stream ended");
    }
}

#[tokio::test]
async fn a_damaged_file_is_found_by_scrub() {
    let place = Place::new();
    let films = place.films();
    place.init();
    place.ok(&["library", "add", "Films", "--kind", "movies", "--path", films.to_str().unwrap()]);
    place.ok(&["scan"]);
    let film = films.join("Film (2001).mp4");
    let times = film.metadata().unwrap();
    let mut bytes = std::fs::read(&film).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    let file = std::fs::OpenOptions::new().write(true).open(&film).unwrap();
    (&file).write_all(&bytes).unwrap();
    file.set_times(std::fs::FileTimes::new().set_modified(times.modified().unwrap())).unwrap();
    let scrubbed = place.run(&["scrub", "--json"], "");
    assert_eq!(scrubbed.status.code(), Some(1));
    assert_eq!(json(std::str::from_utf8(&scrubbed.stdout).unwrap())["damaged"].as_array().unwrap().len(), 1);
}

#[test]
fn cid_names_a_file_without_a_node() {
    let place = Place::new();
    let path = place.folder.path().join("hello");
    std::fs::write(&path, "hello world").unwrap();
    let cid = place.ok(&["cid", path.to_str().unwrap()]);
    assert_eq!(cid.trim(), "bafkreifzjut3te2nhyekklss27nh3k72ysco7y32koao5eei66wof36n5e");
    assert_eq!(json(&place.ok(&["cid", "--json", path.to_str().unwrap()]))["cid"], cid.trim());
}

#[tokio::test]
async fn publishing_prints_one_cid_and_goes_on_where_it_ended() {
    let place = Place::new();
    let films = place.films();
    place.init();
    place.ok(&["library", "add", "Films", "--kind", "movies", "--path", films.to_str().unwrap()]);
    place.ok(&["scan"]);
    let store = Store::open(&place.data(), cheap()).await.unwrap();
    let filter = ItemFilter {
        libraries: None,
        kind: None,
        show: None,
        text: None,
        sort: Sort::Title,
        progress: None,
        account: String::new(),
        from: None,
        cursor: None,
        limit: 1,
    };
    let item = store.catalog.items(filter).await.unwrap().items.remove(0).item.id;
    store.close().await;
    let published = json(&place.ok(&["publish", &item, "--json"]));
    let root = published["root"].as_str().unwrap();
    assert_eq!(published["done"], published["total"]);
    let folder = std::fs::read_dir(place.data().join("published")).unwrap().next().unwrap().unwrap().path();
    let segment = folder.join("v0/1.m4s");
    let written = segment.metadata().unwrap().modified().unwrap();
    std::fs::remove_file(folder.join("v0/2.m4s")).unwrap();
    assert_eq!(place.ok(&["publish", &item]).trim(), root);
    assert_eq!(segment.metadata().unwrap().modified().unwrap(), written, "what was made stays");
    assert_eq!(place.ok(&["cid", folder.to_str().unwrap()]).split_whitespace().next(), Some(root));
    let refused = place.run(&["publish", &item, "--rendition", "v7"], "");
    assert_eq!(refused.status.code(), Some(1));
    let refused = place.run(&["publish", "../x"], "");
    assert!(String::from_utf8_lossy(&refused.stderr).contains("not the id of an item"));
}

#[tokio::test]
async fn two_nodes_are_linked_share_and_part_from_the_command_line() {
    let (ada, bob) = (Place::new(), Place::new());
    for place in [&ada, &bob] {
        place.init();
    }
    let films = ada.films();
    ada.ok(&["library", "add", "Films", "--kind", "movies", "--path", films.to_str().unwrap()]);
    let ((mut first, ..), (mut second, ..)) = (ada.serve().await, bob.serve().await);
    let invite = json(&ada.ok(&["friend", "invite", "--name", "Bob", "--json"]));
    let code = invite["code"].as_str().unwrap();
    let wrong = bob.run(&["friend", "accept", &code[..50]], "");
    assert!(!wrong.status.success());
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("not complete"));
    // As a messenger might break it.
    bob.ok(&["friend", "accept", &code[..40], &code[40..], "--name", "Ada"]);
    ada.ok(&["friend", "share", "bob", "Films"]);
    let row = ada.ok(&["friend", "list"]);
    assert!(row.starts_with("Bob") && row.contains("shares Films\n"), "{row}");
    let talks = tempfile::tempdir().unwrap();
    ada.ok(&["library", "add", "Talks", "--kind", "videos", "--path", talks.path().to_str().unwrap()]);
    let told = ada.ok(&["friend", "share", "Bob", "Talks", "--for", "anna,Ben"]);
    assert_eq!(told.trim(), "Bob sees Talks (for anna, Ben).");
    let row = ada.ok(&["friend", "list"]);
    assert!(row.contains("shares Films, Talks (for anna, Ben)"), "the others stay shared as they were: {row}");
    let told = ada.ok(&["friend", "share", "Bob", "Films", "Talks"]);
    assert_eq!(told.trim(), "Bob sees Films, Talks (for anna, Ben).", "nobody else sees what was for some");
    assert!(!ada.run(&["friend", "share", "Bob", "--for", "anna"], "").status.success(), "which library?");
    ada.ok(&["friend", "share", "Bob", "Talks", "--for", "everyone"]);
    assert!(ada.ok(&["friend", "list"]).contains("Talks\n"));
    assert_eq!(json(&bob.ok(&["friend", "list", "--json"]))[0]["name"], "Ada");
    assert!(!ada.run(&["friend", "share", "Bob", "Nothing"], "").status.success());
    ada.ok(&["friend", "revoke", "Bob"]);
    assert_eq!(json(&ada.ok(&["friend", "list", "--json"])), serde_json::json!([]));
    for child in [&mut first, &mut second] {
        terminate(child);
        assert!(child.wait().await.unwrap().success());
    }
    // With the node stopped, too.
    assert_eq!(json(&bob.ok(&["friend", "list", "--json"]))[0]["name"], "Ada");
    bob.ok(&["friend", "revoke", "ada"]);
    assert!(json(&bob.ok(&["friend", "invite", "--json"]))["code"].as_str().unwrap().starts_with("potluck"));
}

/// A CAR of a folder with a film and a page in it, with its root.
fn dinner(place: &Place) -> (PathBuf, String) {
    use potluck::content::car::{header, section_prefix};
    use potluck::content::unixfs::folder::{FolderEntry, build};
    use potluck::content::unixfs::{Layout, Profile, leaves_of};
    let film = std::fs::read(film()).unwrap();
    let layout = Layout::of(&film, Profile::V1_2025);
    let entry = |name: &str, cid| FolderEntry { name: name.to_owned(), cid, tsize: film.len() as u64 };
    let built = build(vec![entry("Film (2001).mp4", layout.root), entry("../up.mp4", layout.root)]).unwrap();
    let leaves = layout.leaves.iter().map(|leaf| leaf.0).zip(leaves_of(&film, Profile::V1_2025).map(<[u8]>::to_vec));
    let nodes = built.nodes.iter().chain(&layout.nodes).map(|(cid, bytes)| (*cid, bytes.to_vec()));
    let mut car = header(&[built.root]);
    for (cid, block) in nodes.chain(leaves) {
        car.extend(section_prefix(&cid, block.len()));
        car.extend(block);
    }
    let path = place.folder.path().join("dinner.car");
    std::fs::write(&path, car).unwrap();
    (path, built.root.to_string())
}

#[tokio::test]
async fn a_car_is_taken_in_and_written_again_with_the_node_stopped_and_running() {
    let place = Place::new();
    place.init();
    let (car, root) = dinner(&place);
    let file = |name: &str| place.folder.path().join(name).display().to_string();
    let pinned = json(&place.ok(&["import", "car", car.to_str().unwrap(), "--json"]));
    assert_eq!((pinned["cid"].as_str(), pinned["name"].as_str()), (Some(root.as_str()), Some("dinner.car")));
    place.ok(&["export", &root, "--output", &file("stopped.car")]);
    let (mut child, _, _) = place.serve().await;
    place.ok(&["export", &root, "--output", &file("running.car")]);
    let out = place.run(&["export", &root], "").stdout;
    let [stopped, running] = ["stopped.car", "running.car"].map(|name| std::fs::read(file(name)).unwrap());
    let read = potluck::content::car::read(&stopped).unwrap();
    assert_eq!(
        (read.roots[0].to_string(), read.blocks.len()),
        (root.clone(), pinned["blocks"].as_u64().unwrap() as usize)
    );
    assert!(stopped == running && running == out);
    let again = place.run(&["export", &root, "--output", &file("running.car")], "");
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("is there already"));
    let absent = place
        .run(&["export", "bafkreigh2akiscaildcqabsyg3dfr6chu3fgpregiymsck7e7aqa4s52zy", "--output", &file("x")], "");
    assert!(absent.status.code() == Some(1) && !Path::new(&file("x")).exists() && !Path::new(&file("x.part")).exists());
    assert!(place.ok(&["pin", "list"]).contains(&root));
    place.ok(&["pin", "remove", &root]);
    assert_eq!(json(&place.ok(&["pin", "list", "--json"])), serde_json::json!([]));
    terminate(&child);
    assert!(child.wait().await.unwrap().success());
}

#[test]
fn the_files_of_a_car_become_items_of_a_library_and_nothing_is_written_over() {
    let place = Place::new();
    place.init();
    let (car, _) = dinner(&place);
    let folder = place.folder.path().join("empty");
    std::fs::create_dir(&folder).unwrap();
    place.ok(&["library", "add", "Films", "--kind", "movies", "--path", folder.to_str().unwrap()]);
    let import = ["import", "car", car.to_str().unwrap(), "--library", "films", "--json"];
    let done = json(&place.ok(&import));
    assert_eq!(done["files"], serde_json::json!(["up.mp4", "Film (2001).mp4"]));
    assert_eq!(std::fs::read(folder.join("Film (2001).mp4")).unwrap(), std::fs::read(film()).unwrap());
    assert!(json(&place.ok(&["library", "list", "--json"]))[0]["items"].as_u64().unwrap() > 0);
    let again = place.run(&import, "");
    assert!(again.status.code() == Some(1) && String::from_utf8_lossy(&again.stderr).contains("is there already"));
    assert_eq!(std::fs::read_dir(&folder).unwrap().count(), 2);
    let bytes = std::fs::read(&car).unwrap();
    std::fs::write(&car, &bytes[..bytes.len() - 1]).unwrap();
    let cut = place.run(&["import", "car", car.to_str().unwrap()], "");
    assert!(cut.status.code() == Some(1) && String::from_utf8_lossy(&cut.stderr).contains("it ends early"));
    assert_eq!(json(&place.ok(&["pin", "list", "--json"])), serde_json::json!([]));
}
