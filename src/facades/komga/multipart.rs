//! A form with a file (RFC 7578), read whole within a limit.
use std::time::Duration;

use axum::body::Body;
use axum::extract::FromRequest;
use axum::http::{Request, header};
use bytes::Bytes;
use http_body_util::{BodyExt as _, Limited};

use crate::facades::error::Refusal;
use crate::node::COVER_MAX;

/// Beside the file: names, boundaries, other fields.
const BODY_MAX: usize = COVER_MAX + 64 * 1024;
/// A body takes at most this long to arrive.
const BODY_TIME: Duration = Duration::from_secs(60);
/// Parts of a form.
const PARTS_MAX: usize = 16;

/// The fields of a form, by name.
pub(in crate::facades) struct Form(Vec<(String, Bytes)>);

impl Form {
    /// The first field of this name.
    pub fn field(&self, name: &str) -> Option<&Bytes> {
        self.0.iter().find(|(own, _)| own == name).map(|(_, bytes)| bytes)
    }
}

impl<S: Sync> FromRequest<S> for Form {
    type Rejection = Refusal;

    async fn from_request(request: Request<Body>, _: &S) -> Result<Self, Refusal> {
        let kind = request.headers().get(header::CONTENT_TYPE).and_then(|v| v.to_str().ok()).unwrap_or_default();
        let boundary = boundary(kind).ok_or_else(|| Refusal::invalid("the body must be multipart/form-data"))?;
        let body = Limited::new(request.into_body(), BODY_MAX).collect();
        let body = tokio::time::timeout(BODY_TIME, body).await.map_err(|_| Refusal::too_slow())?;
        let body = body.map_err(|_| Refusal::too_large(BODY_MAX))?.to_bytes();
        parts(&body, &boundary).map(Self).ok_or_else(|| Refusal::invalid("the body is no form that can be read"))
    }
}

fn boundary(kind: &str) -> Option<String> {
    let (kind, parameters) = kind.split_once(';')?;
    if !kind.trim().eq_ignore_ascii_case("multipart/form-data") {
        return None;
    }
    let named = |part: &str| {
        let (name, value) = part.trim().split_once('=')?;
        name.eq_ignore_ascii_case("boundary").then(|| value.trim_matches('"').to_owned())
    };
    parameters.split(';').find_map(named).filter(|boundary| (1..=200).contains(&boundary.len()))
}

fn find(bytes: &[u8], what: &[u8], from: usize) -> Option<usize> {
    bytes.get(from..)?.windows(what.len()).position(|window| window == what).map(|at| at + from)
}

fn parts(body: &Bytes, boundary: &str) -> Option<Vec<(String, Bytes)>> {
    let line = format!("--{boundary}");
    let next = format!("\r\n{line}");
    let mut at = find(body, line.as_bytes(), 0)? + line.len();
    let mut all = Vec::new();
    while !body.get(at..)?.starts_with(b"--") {
        if all.len() >= PARTS_MAX {
            return None;
        }
        let head = at + find(body.get(at..)?, b"\r\n", 0)? + 2;
        let head_end = find(body, b"\r\n\r\n", head.checked_sub(2)?)?;
        let end = find(body, next.as_bytes(), head_end + 2)?;
        let name = name(&String::from_utf8_lossy(body.get(head..head_end.max(head))?));
        all.extend(name.map(|name| (name, body.slice((head_end + 4).min(end)..end))));
        at = end + next.len();
    }
    Some(all)
}

/// The field's name, of the lines before its bytes. A program may write the line of its disposition twice, in two parts.
fn name(head: &str) -> Option<String> {
    let line = head.lines().filter(|line| line.to_ascii_lowercase().starts_with("content-disposition:"));
    line.flat_map(|line| line.split(';')).find_map(|part| {
        let value = part.trim().strip_prefix("name=")?;
        Some(value.trim_matches('"').to_owned())
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn fields_are_found_by_their_names() {
        let body = "--x\r\nContent-Disposition: form-data; name=\"file\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\nAB\r\n--\r\n\
            \r\n--x\r\nContent-Disposition: form-data; name=selected\r\n\r\ntrue\r\n--x--\r\n";
        let form = Form(parts(&Bytes::from(body), "x").unwrap());
        assert_eq!(form.field("file").unwrap(), "AB\r\n--\r\n");
        assert_eq!(form.field("selected").unwrap(), "true");
        assert!(form.field("other").is_none());
        assert_eq!(boundary("multipart/form-data; charset=utf-8; boundary=\"a b\"").as_deref(), Some("a b"));
        assert_eq!(boundary("application/json; boundary=x"), None);
    }

    proptest! {
        #[test]
        fn any_body_is_read_or_refused(body in "(--x|\r\n|-|x|:|name=|Content-Disposition){0,40}") {
            let _ = parts(&Bytes::from(body), "x");
        }
    }
}
