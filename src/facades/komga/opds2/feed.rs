//! The JSON of OPDS 2 and of Readium's manifests: links, and feeds with what is in them. Empty members are left out.
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

/// A feed.
pub(super) const FEED: &str = "application/opds+json";
/// A publication of a feed by itself.
pub(super) const PUBLICATION: &str = "application/opds-publication+json";
/// A manifest whose reading order is pictures.
pub(super) const DIVINA: &str = "application/divina+json";
/// Any other manifest.
pub(super) const WEBPUB: &str = "application/webpub+json";
/// How to sign in.
pub(in crate::facades::komga) const AUTHENTICATION: &str = "application/opds-authentication+json";
/// How far somebody read.
pub(super) const PROGRESSION: &str = "application/vnd.readium.progression+json";

/// A link, `https://readium.org/webpub-manifest/schema/link.schema.json`.
#[derive(Debug, Clone, Default, Serialize)]
pub(in crate::facades) struct Link {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rel: Option<&'static str>,
    pub href: String,
    #[serde(rename = "type", skip_serializing_if = "Option::is_none")]
    pub kind: Option<&'static str>,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub templated: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// The same in other forms.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub alternate: Vec<Link>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub properties: Option<Value>,
}

impl Link {
    /// To something of a media type.
    pub fn to(href: String, kind: &'static str) -> Self {
        Self { href, kind: Some(kind), ..Self::default() }
    }

    /// To another feed, by its name.
    pub fn into_feed(title: &str, href: String) -> Self {
        Self { title: Some(title.to_owned()), rel: Some("subsection"), ..Self::to(href, FEED) }
    }

    pub fn rel(self, rel: &'static str) -> Self {
        Self { rel: Some(rel), ..self }
    }

    /// To a list of as many.
    pub fn of(self, count: u64) -> Self {
        Self { properties: Some(serde_json::json!({"numberOfItems": count})), ..self }
    }
}

/// What is said of a feed or a group.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Metadata {
    pub title: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub modified: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub items_per_page: Option<u64>,
    /// From 1 on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current_page: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub number_of_items: Option<u64>,
}

/// A feed; also a group or a facet of one.
#[derive(Debug, Clone, Default, Serialize)]
pub(in crate::facades) struct Feed {
    pub(super) metadata: Metadata,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) links: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) facets: Vec<Feed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) groups: Vec<Feed>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) navigation: Vec<Link>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(super) publications: Vec<Value>,
}

impl Feed {
    /// With nothing in it yet.
    pub fn named(title: &str) -> Self {
        let metadata = Metadata { title: title.to_owned(), ..Metadata::default() };
        Self { metadata, ..Self::default() }
    }
}

impl IntoResponse for Feed {
    fn into_response(self) -> Response {
        as_kind(FEED, &self)
    }
}

/// An answer of one of these media types.
pub(super) fn as_kind(kind: &'static str, shape: &impl Serialize) -> Response {
    let body = serde_json::to_vec(shape).unwrap_or_default();
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}
