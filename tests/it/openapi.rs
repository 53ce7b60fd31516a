//! The description of the native API: the committed one is current, and it tells of every route.
use std::path::Path;

use axum::http::Method;
use potluck::facades::{native::openapi, table};

#[test]
fn the_committed_description_is_what_the_handlers_say() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("web/src/api/openapi.json");
    if std::env::var_os("UPDATE_OPENAPI").is_some() {
        std::fs::write(&path, openapi::text()).unwrap();
        return;
    }
    let committed = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        committed == openapi::text(),
        "web/src/api/openapi.json is not current: run `make generate` and commit what it writes"
    );
}

#[test]
fn every_native_route_is_described_and_nothing_else() {
    let description: serde_json::Value = serde_json::from_str(openapi::text()).unwrap();
    let mut described: Vec<(String, String)> = Vec::new();
    for (path, operations) in description["paths"].as_object().unwrap() {
        described.extend(operations.as_object().unwrap().keys().map(|method| (path.clone(), method.to_uppercase())));
    }
    let unlisted = (Method::GET, "/api/v1/openapi.json");
    // Devices of others ask below other versions.
    let mut routes: Vec<(String, String)> = table()
        .into_iter()
        .filter(|route| route.path.starts_with("/api/v1/") && (route.method.clone(), route.path) != unlisted)
        .map(|route| (route.path.to_owned(), route.method.to_string()))
        .collect();
    described.sort();
    routes.sort();
    assert_eq!(described, routes);
}
