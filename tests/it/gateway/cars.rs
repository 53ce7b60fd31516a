//! CARs: what is in them for a path, a scope, a range, and with or without what comes twice.
use super::*;

fn cids(answer: &Answer) -> Vec<Cid> {
    car::read(&answer.body).unwrap().blocks.iter().map(|(cid, _)| *cid).collect()
}

const SMALL: Profile = Profile { leaf_size: 4, links_max: 3 };

#[tokio::test]
async fn a_car_proves_the_path_and_holds_what_the_scope_says() {
    let gateway = Gateway::fetching();
    let ascii = gateway.others.raw(b"hello");
    let multi = gateway.others.file(b"one two three", SMALL);
    let leaves: Vec<Cid> = Layout::of(b"one two three", SMALL).leaves.iter().map(|leaf| leaf.0).collect();
    let nodes: Vec<Cid> = Layout::of(b"one two three", SMALL).nodes.iter().map(|node| node.0).collect();
    let subdir = gateway.others.folder(&[("ascii.txt", ascii), ("multi.txt", multi)]);
    let root = gateway.others.folder(&[("subdir", subdir)]);
    let inside = vec![multi, nodes[0], leaves[0], leaves[1], leaves[2], nodes[1], leaves[3]];
    for (path, query, expected) in [
        ("/subdir/ascii.txt", "", vec![root, subdir, ascii]),
        ("/subdir", "&dag-scope=block", vec![root, subdir]),
        ("/subdir", "&dag-scope=entity", vec![root, subdir]),
        ("/subdir/multi.txt", "&dag-scope=entity", [vec![root, subdir], inside.clone()].concat()),
        ("/subdir", "&dag-scope=all", [vec![root, subdir, ascii], inside.clone()].concat()),
        ("/subdir/multi.txt", "&dag-scope=block", vec![root, subdir, multi]),
        ("/subdir/multi.txt", "&entity-bytes=5:6", vec![root, subdir, multi, nodes[0], leaves[1]]),
        ("/subdir/multi.txt", "&entity-bytes=-1:*", vec![root, subdir, multi, nodes[1], leaves[3]]),
        ("/subdir/multi.txt", "&entity-bytes=4:-9", vec![root, subdir, multi, nodes[0], leaves[1]]),
        ("/subdir/multi.txt", "&entity-bytes=100:200", vec![root, subdir, multi]),
        ("/subdir", "&entity-bytes=0:3", vec![root, subdir]),
    ] {
        let answer = gateway.get(&format!("/ipfs/{root}{path}?format=car{query}"), &[]).await;
        assert_eq!((answer.status, cids(&answer)), (StatusCode::OK, expected), "{path} {query}");
    }
    let none = gateway.get(&format!("/ipfs/{root}/subdir/nothing?format=car"), &[]).await;
    assert_eq!(none.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn a_range_is_given_also_where_the_rest_of_the_file_is_nowhere() {
    let gateway = Gateway::fetching();
    let root = gateway.others.file(b"one two three", Profile { leaf_size: 4, links_max: 10 });
    gateway.others.0.lock().blocks.remove(&cid::of_raw(b"thre"));
    let answer = gateway.get(&format!("/ipfs/{root}?format=car&entity-bytes=0:7"), &[]).await;
    assert_eq!(cids(&answer), [root, cid::of_raw(b"one "), cid::of_raw(b"two ")]);
}

#[tokio::test]
async fn what_comes_twice_is_there_twice_for_who_wants_that() {
    let gateway = Gateway::fetching();
    let soup = gateway.others.raw(b"soup");
    let identity = cid::parse("bafkqabtimvwgy3yk").unwrap();
    let inner = gateway.others.folder(&[("a", soup), ("b", identity)]);
    let root = gateway.others.folder(&[("a", inner), ("b", inner), ("c", soup)]);
    let once = vec![root, inner, soup];
    let twice = vec![root, inner, soup, inner, soup, soup];
    for (query, accept, expected) in [
        ("?format=car", "", &once),
        ("?format=car&car-dups=y", "", &twice),
        ("", "application/vnd.ipld.car; order=dfs; dups=y", &twice),
        ("", "application/vnd.ipld.car; order=dfs; dups=n", &once),
        ("?car-dups=n", "application/vnd.ipld.car;dups=y", &once),
        ("?format=car", "application/vnd.ipld.car; version=1; order=dfs; dups=y", &twice),
    ] {
        let answer = gateway.get(&format!("/ipfs/{root}{query}"), &[("accept", accept)]).await;
        assert_eq!(&cids(&answer), expected, "{query} {accept}: and nothing that is in its own name");
        let dups = if expected == &twice { "y" } else { "n" };
        let kind = format!("application/vnd.ipld.car; version=1; order=dfs; dups={dups}");
        assert_eq!((answer.header("content-type"), answer.header("accept-ranges")), (kind.as_str(), "none"));
    }
    for (query, accept) in [("?format=car&car-order=unk", ""), ("", "application/vnd.ipld.car; version=1; order=unk")] {
        let answer = gateway.get(&format!("/ipfs/{root}{query}"), &[("accept", accept)]).await;
        assert_eq!(answer.header("content-type"), "application/vnd.ipld.car; version=1; order=unk; dups=n");
        assert_eq!((&cids(&answer), answer.header("x-content-type-options")), (&once, "nosniff"));
        assert!(answer.header("content-disposition").starts_with(&format!("attachment; filename=\"{root}.car\"")));
    }
    for refused in ["car-version=2", "car-order=bfs", "car-dups=maybe"] {
        let answer = gateway.get(&format!("/ipfs/{root}?format=car&{refused}"), &[]).await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{refused}");
    }
}

#[tokio::test]
async fn a_bomb_is_a_small_car() {
    let gateway = Gateway::fetching();
    let mut at = gateway.others.raw(b"boom");
    for _ in 0..60 {
        at = gateway.others.folder(&[("a", at), ("b", at), ("c", at)]);
    }
    let answer = gateway.get(&format!("/ipfs/{at}?format=car"), &[]).await;
    assert_eq!(cids(&answer).len(), 61);
}

#[tokio::test]
async fn a_block_that_is_missing_ends_the_car_where_it_is_missing() {
    let gateway = Gateway::fetching();
    let root = gateway.others.folder(&[("a", gateway.others.raw(b"here")), ("b", cid::of_raw(b"nowhere"))]);
    let gateway_of = ipfs::Gateway::new(gateway.kitchen.blocks.clone(), Some(gateway.elsewhere.clone()));
    let (method, headers) = (Method::GET, HeaderMap::new());
    let asked = GatewayRequest {
        method: &method,
        headers: &headers,
        query: Some("format=car"),
        namespace: Namespace::Ipfs,
        root: &root.to_string(),
        path: "",
        own_origin: false,
    };
    let response = gateway_of.get(Arc::new(gateway.guests.clone()), asked).await;
    assert_eq!(response.status(), StatusCode::OK);
    assert!(response.into_body().collect().await.is_err(), "a reader is not told that this was all");
}

#[tokio::test]
async fn a_sharded_folder_is_all_its_shards_and_a_path_through_it_those_on_the_way() {
    let gateway = Gateway::fetching();
    let names: Vec<String> = (0..6000).map(|n| format!("a dish with a rather long name {n:05}.txt")).collect();
    let soup = gateway.others.raw(b"soup");
    let entries: Vec<FolderEntry> =
        names.iter().map(|name| FolderEntry { name: name.clone(), cid: soup, tsize: 4 }).collect();
    let built = folder::build(entries).unwrap();
    gateway.others.0.lock().blocks.extend(built.nodes.clone());
    let (root, shards): (Cid, HashSet<Cid>) = (built.root, built.nodes.iter().map(|node| node.0).collect());
    for query in ["&dag-scope=entity", "&dag-scope=entity&entity-bytes=0:*"] {
        let told = cids(&gateway.get(&format!("/ipfs/{root}?format=car{query}"), &[]).await);
        assert_eq!((told[0], told.len()), (root, shards.len()), "{query}: each once");
        assert_eq!(told.into_iter().collect::<HashSet<_>>(), shards, "{query}: and nothing that is in it");
    }
    let path = names[4711].replace(' ', "%20");
    for scope in ["block", "entity", "all"] {
        let told = cids(&gateway.get(&format!("/ipfs/{root}/{path}?format=car&dag-scope={scope}"), &[]).await);
        let (end, way) = told.split_last().unwrap();
        assert!(*end == soup && way[0] == root && way.len() >= 2, "{scope}");
        assert!(way.iter().all(|cid| shards.contains(cid)) && way.len() < 5, "{scope}");
    }
}
