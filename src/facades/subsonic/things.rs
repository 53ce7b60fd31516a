//! What an id names, and who asks for it. All kinds have one namespace: a program stars, rates and opens whatever it was given.
use super::call::Call;
use super::fault::Fault;
use super::folders;
use crate::catalog::music::{Hearer, Target};

/// A thing of a library of music, or of podcasts, by the number of its row: short, for a program puts a whole queue of them into one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Thing {
    Track(i64),
    Album(i64),
    Artist(i64),
    Directory(i64),
    Playlist(i64),
    /// Of podcasts.
    Channel(i64),
    /// Of a channel.
    Episode(i64),
}

impl Thing {
    /// `None` for an id that was never given.
    pub fn parse(id: &str) -> Option<Self> {
        let (kind, number) = id.split_once('-')?;
        let number: i64 = number.parse().ok().filter(|number| *number > 0)?;
        match kind {
            "tr" => Some(Self::Track(number)),
            "al" => Some(Self::Album(number)),
            "ar" => Some(Self::Artist(number)),
            "di" => Some(Self::Directory(number)),
            "pl" => Some(Self::Playlist(number)),
            "pc" => Some(Self::Channel(number)),
            "pe" => Some(Self::Episode(number)),
            _ => None,
        }
    }

    pub fn id(self) -> String {
        let (kind, number) = match self {
            Self::Track(n) => ("tr", n),
            Self::Album(n) => ("al", n),
            Self::Artist(n) => ("ar", n),
            Self::Directory(n) => ("di", n),
            Self::Playlist(n) => ("pl", n),
            Self::Channel(n) => ("pc", n),
            Self::Episode(n) => ("pe", n),
        };
        format!("{kind}-{number}")
    }

    /// What can be starred and rated.
    pub fn target(self) -> Option<Target> {
        match self {
            Self::Track(n) | Self::Album(n) => Some(Target::Item(n)),
            Self::Artist(n) => Some(Target::Artist(n)),
            Self::Directory(n) => Some(Target::Directory(n)),
            Self::Playlist(_) | Self::Channel(_) | Self::Episode(_) => None,
        }
    }
}

/// Who calls, and the libraries that it may see: of them the one that `musicFolderId` names, where it is given.
///
/// # Errors
/// [`Fault`] for a folder that is no number.
pub(super) async fn hearer(call: &Call) -> Result<Hearer, Fault> {
    let (account, wanted) = (call.account()?, call.params.int("musicFolderId")?);
    let seen = folders::seen(&call.app, account).await?;
    let libraries = seen.into_iter().filter(|folder| wanted.is_none_or(|number| number == folder.number));
    Ok(Hearer { account: account.id.clone(), libraries: libraries.map(|folder| folder.id).collect() })
}

/// The thing that `id` names.
///
/// # Errors
/// [`Fault`] where it is missing or names nothing.
pub(super) fn named(call: &Call, what: &str) -> Result<Thing, Fault> {
    Thing::parse(call.params.need("id")?).ok_or_else(|| Fault::absent(what))
}

/// The numbers of tracks that a parameter names, as often and in the order as they stand there; what is no track is left out.
pub(super) fn tracks(call: &Call, name: &str) -> Vec<i64> {
    let all = call.params.all(name).filter_map(Thing::parse);
    all.filter_map(|thing| if let Thing::Track(n) = thing { Some(n) } else { None }).collect()
}

/// `count` or `size`, at most 500, and where the list begins.
///
/// # Errors
/// [`Fault`] for what is no number.
pub(super) fn part(call: &Call, count: &str, usual: u32) -> Result<(u32, u64), Fault> {
    let count = call.params.int(count)?.map_or(usual, |count| count.clamp(0, 500) as u32);
    Ok((count, call.params.int("offset")?.unwrap_or(0).max(0).cast_unsigned()))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn an_id_names_what_it_was_made_of() {
        let music =
            [Thing::Track(1), Thing::Album(22), Thing::Artist(i64::MAX), Thing::Directory(7), Thing::Playlist(9)];
        for thing in music.into_iter().chain([Thing::Channel(3), Thing::Episode(4)]) {
            assert_eq!(Thing::parse(&thing.id()), Some(thing));
        }
        for none in ["", "tr", "tr-", "tr-0", "tr--1", "xx-1", "tr-1x", "-1", "tr-99999999999999999999"] {
            assert_eq!(Thing::parse(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn ids_have_letters_that_every_program_takes(number in 1..i64::MAX) {
            let id = Thing::Directory(number).id();
            prop_assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-'));
        }
    }
}
