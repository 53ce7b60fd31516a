//! What of Komga's API is not here, in one table. A call of it answers 404 in Komga's form, with the reason.

/// Paths below `/komga` whose beginning is the first word, and why they are not here. The first that fits counts.
pub const NOT_COVERED: &[(&str, &str)] = &[
    ("/opds/v2/books/", "EPUBs are taken whole, as books/{id}/file"),
    ("/opds/", "the feeds begin at /opds/v2/catalog and /opds/v1.2/catalog"),
    ("/koreader/", "accounts are made on the node's own page"),
    ("/oauth2/", "there is no signing in by other services"),
    ("/api/v1/filesystem", "folders are listed by POST, one level at a time"),
    ("/api/v2/users/", "nothing else is told of accounts"),
    ("/api/v1/users/", "accounts are managed at /api/v2/users"),
    ("/api/v1/history/", "there is no history"),
    ("/api/v1/page-hashes/", "pages are not compared with each other"),
    ("/api/v1/transient-books", "books are brought in by putting them into a library's folder"),
    ("/api/v1/fonts/resource/", "fonts for the reader are not served"),
    ("/api/v1/readlists/match", "read lists are not read from files"),
];

/// What is said of a path that no route takes.
pub(super) fn reason(path: &str) -> &'static str {
    let found = NOT_COVERED.iter().find(|(begin, _)| path.starts_with(begin));
    found.map_or("this part of Komga's API is not covered", |(_, reason)| reason)
}
