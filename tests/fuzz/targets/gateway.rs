//! Any text as what a stranger asks of the gateway: its query and `Accept`, addresses that are opened or pasted, hosts and paths. No
//! panic, and nobody is sent to what is no content.
#![no_main]
use http::header::ACCEPT;
use http::{HeaderMap, HeaderValue, Uri};
use libfuzzer_sys::fuzz_target;
use potluck::facades::ipfs::subdomain::{Led, better, inside, led, own_origin};
use potluck::facades::ipfs::{Namespace, is_trustless, opened, pasted};

const HOST: &str = "ipfs.example.org";

fuzz_target!(|text: &str| {
    let (query, accept) = text.split_once('\n').unwrap_or((text, ""));
    let accept = HeaderValue::from_str(accept).ok().map(|value| (ACCEPT, value));
    let _ = is_trustless(Some(query), &HeaderMap::from_iter(accept));
    if let Some(path) = opened(Some(query)) {
        assert!(HeaderValue::from_str(&path).is_ok(), "{path}");
        let path = path.split('?').next().unwrap_or_default();
        assert!(path.starts_with("/ipfs/") || path.starts_with("/ipns/"), "{path}");
        assert!(path.split('/').all(|name| name != "." && name != ".."), "{path}");
    }
    if let Some((_, root, _)) = pasted(text) {
        assert!(!root.is_empty() && !root.contains('/'), "{root}");
    }
    let hosts = [HOST.to_owned()];
    if let Led::Root { space, root, host } = led(text, &hosts) {
        assert_eq!(host, HOST);
        // What is better is the best.
        if let Some((space, root)) = better(space, &root) {
            assert_eq!(better(space, &root), None, "{root}");
        }
        let uri = inside(space, &root, &Uri::from_static("/a/?b=c")).unwrap();
        assert!(uri.path().starts_with(&format!("/{}/", space.name())) && uri.path().ends_with("/a/"), "{uri}");
    }
    let Ok(uri) = text.parse::<Uri>() else { return };
    if let Ok(Some((host, path))) = own_origin(&uri, HOST) {
        let label = host.strip_suffix(HOST).unwrap();
        assert!(label.ends_with(".ipfs.") || label.ends_with(".ipns."), "{host}");
        assert!(path.starts_with('/'), "{path}");
        let space = if label.ends_with(".ipfs.") { Namespace::Ipfs } else { Namespace::Ipns };
        if let Led::Root { space: found, .. } = led(&host, &hosts) {
            assert_eq!(found, space, "{host}");
        }
    }
});
