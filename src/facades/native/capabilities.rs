//! What a client can play, from a query to the values that playback decides by. Codecs that nobody knows are left out, so
//! that a client may tell all it has; numbers that mean nothing are refused.
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use super::model::CapabilityQuery;
use crate::accounts::Caller;
use crate::facades::error::Refusal;
use crate::media::decide::{AudioCodec, Capabilities, VideoCodec};
use crate::playback::Watcher;

/// Longest list of codecs, bytes.
const LIST_MAX: usize = 256;

/// The capabilities of a query, under the limit of the caller's account.
pub(super) fn of(query: CapabilityQuery, caller: &Caller) -> Result<Capabilities, Refusal> {
    let plain = Capabilities::default();
    // Who tells what it plays is a player of ours or like ours; others get the one form that always plays.
    let told = query.video.is_some() || query.audio.is_some();
    let channels = within("channels", query.channels, 1..=16)?.unwrap_or(plain.channels);
    let asked = within("bit_rate", query.bit_rate, 1..=u64::MAX)?;
    let allowed = caller.account.as_ref().and_then(|account| account.max_bit_rate);
    Ok(Capabilities {
        video: codecs("video", query.video.as_deref(), VideoCodec::named)?.unwrap_or(plain.video),
        audio: codecs("audio", query.audio.as_deref(), AudioCodec::named)?.unwrap_or(plain.audio),
        hdr: query.hdr.unwrap_or(plain.hdr),
        channels,
        height_max: within("height", query.height, 1..=100_000)?,
        bit_rate_max: [asked, allowed].into_iter().flatten().min(),
        burn: query.burn,
        ladder: told,
    })
}

/// Who a caller is to playback: each sign-in is a viewer of its own.
pub(in crate::facades) fn watcher(caller: &Caller) -> Watcher {
    let mut hasher = DefaultHasher::new();
    caller.credential.hash(&mut hasher);
    Watcher {
        viewer: format!("{}/{:x}", caller.id(), hasher.finish()),
        bit_rate_max: caller.account.as_ref().and_then(|account| account.max_bit_rate),
    }
}

fn codecs<C: PartialEq>(
    key: &str,
    list: Option<&str>,
    named: fn(&str) -> Option<C>,
) -> Result<Option<Vec<C>>, Refusal> {
    let Some(list) = list else { return Ok(None) };
    if list.len() > LIST_MAX {
        return Err(Refusal::invalid(format!("{key}: at most {LIST_MAX} characters")));
    }
    let mut known: Vec<C> = Vec::new();
    for codec in list.split(',').filter_map(|name| named(name.trim())) {
        if !known.contains(&codec) {
            known.push(codec);
        }
    }
    Ok(Some(known))
}

fn within<N: PartialOrd + std::fmt::Display>(
    key: &str,
    number: Option<N>,
    range: std::ops::RangeInclusive<N>,
) -> Result<Option<N>, Refusal> {
    match number {
        Some(number) if !range.contains(&number) => {
            Err(Refusal::invalid(format!("{key}: must be {} to {}", range.start(), range.end())))
        }
        number => Ok(number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(query: CapabilityQuery) -> Option<Capabilities> {
        of(query, &Caller::local()).ok()
    }

    #[test]
    fn nothing_said_is_what_every_browser_plays() {
        assert_eq!(parsed(CapabilityQuery::default()), Some(Capabilities::default()));
    }

    #[test]
    fn unknown_codecs_are_left_out_and_known_ones_kept_once() {
        let video = Some("hevc, h264,hevc,h267,../x".to_owned());
        let client = parsed(CapabilityQuery { video, ..CapabilityQuery::default() }).unwrap();
        assert_eq!(client.video, [VideoCodec::Hevc, VideoCodec::H264]);
    }

    #[test]
    fn the_accounts_limit_is_the_lower_one() {
        let mut caller = Caller::local();
        if let Some(account) = &mut caller.account {
            account.max_bit_rate = Some(3_000_000);
        }
        for (asked, limit) in [(None, 3_000_000), (Some(9_000_000), 3_000_000), (Some(1_000_000), 1_000_000)] {
            let query = CapabilityQuery { bit_rate: asked, ..CapabilityQuery::default() };
            assert_eq!(of(query, &caller).unwrap().bit_rate_max, Some(limit));
        }
    }

    #[test]
    fn numbers_that_mean_nothing_are_refused() {
        for query in [
            CapabilityQuery { channels: Some(0), ..CapabilityQuery::default() },
            CapabilityQuery { channels: Some(99), ..CapabilityQuery::default() },
            CapabilityQuery { height: Some(0), ..CapabilityQuery::default() },
            CapabilityQuery { bit_rate: Some(0), ..CapabilityQuery::default() },
            CapabilityQuery { audio: Some("x".repeat(300)), ..CapabilityQuery::default() },
        ] {
            assert!(parsed(query).is_none());
        }
    }
}
