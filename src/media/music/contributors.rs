//! Everybody who had a part in a track beside its artists and composers.
use serde::{Deserialize, Serialize};

use super::artists::split;
use super::bag::{Bag, Key};

/// Somebody and their part, in OpenSubsonic's words.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contributor {
    /// `lyricist`, `performer`, `remixer` and so on.
    pub role: String,
    /// What a performer plays, as written.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sub_role: Option<String>,
    /// As it is shown.
    pub name: String,
}

const ROLES: [(Key, &str); 10] = [
    (Key::Lyricist, "lyricist"),
    (Key::Writer, "writer"),
    (Key::Conductor, "conductor"),
    (Key::Arranger, "arranger"),
    (Key::Producer, "producer"),
    (Key::Director, "director"),
    (Key::Engineer, "engineer"),
    (Key::Mixer, "mixer"),
    (Key::DjMixer, "djmixer"),
    (Key::Remixer, "remixer"),
];

/// By role, each person once in a role; performers come last.
pub(super) fn contributors(bag: &Bag, max: usize) -> Vec<Contributor> {
    let in_role = |(key, role): (Key, &'static str)| {
        let values = bag.all(key);
        // Several values are a list already.
        let names = match &*values {
            [one] => split(one),
            several => several.iter().map(|name| (*name).to_owned()).collect(),
        };
        names.into_iter().map(move |name| Contributor { role: role.to_owned(), sub_role: None, name })
    };
    let performers = bag.all(Key::Performer).into_iter().map(performer);
    ROLES.into_iter().flat_map(in_role).chain(performers).take(max).collect()
}

/// `Name (instrument)`.
fn performer(value: &str) -> Contributor {
    let role = "performer".to_owned();
    let parts = value.strip_suffix(')').and_then(|value| value.rsplit_once(" ("));
    match parts.filter(|(name, part)| !name.trim().is_empty() && !part.trim().is_empty()) {
        Some((name, part)) => {
            Contributor { role, sub_role: Some(part.trim().to_owned()), name: name.trim().to_owned() }
        }
        None => Contributor { role, sub_role: None, name: value.to_owned() },
    }
}

#[cfg(test)]
mod tests {
    use super::super::Limits;
    use super::*;

    #[test]
    fn performers_have_instruments_and_lists_are_split() {
        let mut bag = Bag::new(&Limits::default());
        bag.push_named("PERFORMER", "Ann (lead guitar)\0Bob\0(x)");
        bag.push_named("LYRICIST", "Cid; Dee");
        let told: Vec<_> = contributors(&bag, 9).into_iter().map(|one| (one.role, one.sub_role, one.name)).collect();
        let one =
            |role: &str, part: Option<&str>, name: &str| (role.to_owned(), part.map(str::to_owned), name.to_owned());
        let wanted = [
            one("lyricist", None, "Cid"),
            one("lyricist", None, "Dee"),
            one("performer", Some("lead guitar"), "Ann"),
            one("performer", None, "Bob"),
            one("performer", None, "(x)"),
        ];
        assert_eq!(told, wanted);
    }
}
