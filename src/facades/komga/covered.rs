//! What of Komga's API is not here, in one table. A call of it answers 404 in Komga's form, with the reason.

/// Paths below `/komga` whose beginning is the first word, and why they are not here. The first that fits counts.
pub const NOT_COVERED: &[(&str, &str)] = &[
    ("/opds/v2/books/", "EPUBs are taken whole, as books/{id}/file"),
    ("/opds/", "the feeds begin at /opds/v2/catalog and /opds/v1.2/catalog"),
    ("/sse/", "events are not told yet"),
    ("/koreader/", "accounts are made on the node's own page"),
    ("/kobo/", "Kobo readers are not served"),
    ("/oauth2/", "there is no signing in by other services"),
    ("/api/v1/filesystem", "folders are chosen on the node's own page"),
    ("/api/v1/settings", "settings are in the node's configuration"),
    ("/api/v1/client-settings", "settings of clients are not kept"),
    ("/api/v2/users/authentication-activity", "the node's own audit tells who signed in"),
    ("/api/v2/users", "accounts are managed on the node's own page"),
    ("/api/v1/users", "accounts are managed on the node's own page"),
    ("/api/v1/tasks", "scans are shown on the node's own page"),
    ("/api/v1/history", "there is no history"),
    ("/api/v1/announcements", "there are no announcements"),
    ("/api/v1/releases", "there is no list of releases"),
    ("/api/v1/page-hashes", "pages are not compared with each other"),
    ("/api/v1/transient-books", "books are imported by putting them into a library's folder"),
    ("/api/v1/fonts", "fonts for the reader are not served"),
    ("/api/v1/libraries/", "libraries are scanned, changed and made on the node's own page"),
    ("/api/v1/readlists/match", "read lists are not read from files"),
];

/// What is said of a path that no route takes.
pub(super) fn reason(path: &str) -> &'static str {
    let found = NOT_COVERED.iter().find(|(begin, _)| path.starts_with(begin));
    found.map_or("this part of Komga's API is not covered", |(_, reason)| reason)
}
