//! Fetches the pictures of a friend's item, to be put beside its replica. They are an ornament: one that is not there, too large or
//! no picture is done without.
use std::path::PathBuf;

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt as _, Empty};

use crate::exchange::Body;
use crate::friends::Friends;
use crate::friends::gallery::PICTURE_MAX;
use crate::media::picture_type;

/// Puts a picture (`poster`, `backdrop`) of a friend's item at the path that `at` makes of its ending, unless one is there.
pub(super) async fn put(friends: &Friends, friend: &str, item: &str, which: &str, at: impl Fn(&str) -> PathBuf) {
    if ["jpg", "png", "webp"].iter().any(|ending| at(ending).exists()) {
        return;
    }
    let Some(bytes) = fetch(friends, friend, &format!("/api/v1/items/{item}/{which}"), PICTURE_MAX).await else {
        return;
    };
    let Some(path) = ending(&bytes).map(at) else { return };
    let written = tokio::fs::write(&path, &bytes).await;
    if let Err(error) = written {
        tracing::debug!(file.path = %path.display(), %error, "a friend's picture could not be kept");
    }
}

/// What a friend's node answers to a path, where that is not too long.
pub(super) async fn fetch(friends: &Friends, friend: &str, path: &str, size_max: u64) -> Option<Bytes> {
    let empty = Body::new(Empty::<Bytes>::new().map_err(|never| match never {}));
    let request = Request::get(path).body(empty).ok()?;
    let answer = friends.ask_unseen(friend, request, size_max).await.ok()?;
    let right = answer.status() == StatusCode::OK;
    let body = answer.into_body().collect().await.ok().filter(|_| right)?;
    Some(body.to_bytes())
}

/// The ending of a picture's name, for those that other programs look for.
fn ending(bytes: &[u8]) -> Option<&'static str> {
    match picture_type(bytes)? {
        "image/jpeg" => Some("jpg"),
        "image/png" => Some("png"),
        "image/webp" => Some("webp"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_picture_has_no_ending() {
        assert_eq!(ending(b"\xff\xd8\xff\xe0"), Some("jpg"));
        assert_eq!(ending(b"RIFF\0\0\0\0WEBPVP8 "), Some("webp"));
        for other in [&b""[..], b"<svg>", b"GIF89a"] {
            assert_eq!(ending(other), None);
        }
    }
}
