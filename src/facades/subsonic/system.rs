//! Of the node as such: that it answers, its license, what it knows beyond the old protocol, whose a key is.
use super::call::{Answer, Call};
use super::fault::{API_KEY, Fault};
use super::tree::{Element, Value};

/// Extensions of OpenSubsonic that are complete here, with their versions.
pub const EXTENSIONS: &[(&str, &[i64])] = &[
    ("apiKeyAuthentication", &[1]),
    ("formPost", &[1]),
    ("getPodcastEpisode", &[1]),
    ("indexBasedQueue", &[1]),
    ("playbackReport", &[1]),
    ("songLyrics", &[1]),
    ("topSongsByArtistId", &[1]),
    ("transcodeOffset", &[1]),
    ("transcoding", &[1]),
];

/// `ping`
pub(super) async fn ping(_: Call) -> Result<Answer, Fault> {
    Ok(Answer::done())
}

/// `getLicense`: there is none to buy.
pub(super) async fn license(_: Call) -> Result<Answer, Fault> {
    Ok(Answer::one("license", Element::new().with("valid", true)))
}

/// `getOpenSubsonicExtensions`
pub(super) async fn extensions(_: Call) -> Result<Answer, Fault> {
    let extension = |(name, versions): &(&str, &[i64])| {
        let versions = versions.iter().copied().map(Value::from).collect();
        Element::new().with("name", *name).plains("versions", versions)
    };
    Ok(Answer(Element::new().open("openSubsonicExtensions", EXTENSIONS.iter().map(extension).collect())))
}

/// `tokenInfo`: of the key that the call came with.
pub(super) async fn token_info(call: Call) -> Result<Answer, Fault> {
    if call.params.one("apiKey").is_none() {
        return Err(Fault::new(API_KEY, "this call tells of an API key, and came without one"));
    }
    Ok(Answer::one("tokenInfo", Element::new().with("username", call.account()?.name.as_str())))
}
