//! Who made it. A tag has a credit to show and, if it was well kept, a list of who is in it; where it has only the credit,
//! the list is made by splitting that, modestly: a name may well have a `&`, a comma or a `/` in it.
use serde::{Deserialize, Serialize};

/// One person or group.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Artist {
    /// As it is shown.
    pub name: String,
    /// What it is sorted by: `Bach, Johann Sebastian`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort_name: Option<String>,
    /// MusicBrainz' id, in lower case.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mbid: Option<String>,
}

/// What a tag says of those who made one thing.
pub(super) struct Credit<'a> {
    /// `ARTIST`.
    pub shown: Vec<&'a str>,
    /// `ARTISTS`.
    pub listed: Vec<&'a str>,
    /// `ARTISTSORT`.
    pub sorted: Vec<&'a str>,
    /// MusicBrainz' ids.
    pub ids: Vec<String>,
}

impl Credit<'_> {
    /// As written; several values are joined by commas.
    pub fn display(&self) -> Option<String> {
        let values = if self.shown.is_empty() { &self.listed } else { &self.shown };
        (!values.is_empty()).then(|| values.join(", "))
    }

    /// `ARTISTS` if there is one, else several `ARTIST`, else one that is split. Sort names and ids go by position, and only
    /// where there are as many of them as of names.
    pub fn artists(&self, max: usize) -> Vec<Artist> {
        let names = match (&*self.listed, &*self.shown) {
            ([], [one]) | ([one], _) => split(one),
            ([], several) | (several, _) => several.iter().map(|name| (*name).to_owned()).collect(),
        };
        let sorted = match &*self.sorted {
            [one] if names.len() > 1 => split(one),
            several => several.iter().map(|name| (*name).to_owned()).collect(),
        };
        let at = |values: &[String], index: usize| {
            if values.len() == names.len() { values.get(index).cloned() } else { None }
        };
        let artist = |(index, name): (usize, &String)| Artist {
            name: name.clone(),
            sort_name: at(&sorted, index),
            mbid: at(&self.ids, index),
        };
        names.iter().enumerate().take(max).map(artist).collect()
    }
}

/// Compared in lower case.
const SEPARATORS: [&str; 7] = [";", " / ", " feat. ", " ft. ", " featuring ", " (feat. ", " (ft. "];

/// The names in one credit: split at `;`, ` / `, ` feat. `, ` ft. ` and ` featuring `.
pub(super) fn split(credit: &str) -> Vec<String> {
    // Lower case of ASCII only, so that positions stay those of the credit.
    let lower = credit.to_ascii_lowercase();
    let (mut names, mut begin) = (Vec::new(), 0);
    let mut opened = false;
    loop {
        let next = SEPARATORS
            .iter()
            .filter_map(|separator| Some((begin + lower.get(begin..)?.find(separator)?, *separator)))
            .min();
        let end = next.map_or(credit.len(), |(at, _)| at);
        let name = credit[begin..end].trim();
        let name = if opened { name.strip_suffix(')').unwrap_or(name).trim_end() } else { name };
        if !name.is_empty() && !names.iter().any(|known| known == name) {
            names.push(name.to_owned());
        }
        let Some((at, separator)) = next else { break };
        opened = separator.contains('(');
        begin = at + separator.len();
    }
    names
}

/// MusicBrainz' ids in these values, which taggers join by various signs; what is none is left out.
pub(super) fn ids(values: &[&str], max: usize) -> Vec<String> {
    let words = values.iter().flat_map(|value| value.split([';', '/', ',', ' ']));
    words.filter_map(id).take(max).collect()
}

/// One id: a UUID, in lower case.
pub(super) fn id(word: &str) -> Option<String> {
    let word = word.trim().to_ascii_lowercase();
    let right = word.len() == 36
        && word.bytes().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
    right.then_some(word)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: &str = "11111111-1111-1111-1111-111111111111";
    const TWO: &str = "AAAAAAAA-2222-2222-2222-222222222222";

    fn names(credit: &Credit) -> Vec<String> {
        credit.artists(10).into_iter().map(|artist| artist.name).collect()
    }

    #[test]
    fn a_credit_is_split_modestly() {
        assert_eq!(split("Queen feat. David Bowie"), ["Queen", "David Bowie"]);
        assert_eq!(split("A Ft. B; C / D"), ["A", "B", "C", "D"]);
        assert_eq!(split("Jay-Z (feat. Alicia Keys)"), ["Jay-Z", "Alicia Keys"]);
        assert_eq!(split("Ärzte FEATURING Ümit"), ["Ärzte", "Ümit"]);
        for whole in ["AC/DC", "Simon & Garfunkel", "Earth, Wind & Fire", "Little Feat", "Daft Punk"] {
            assert_eq!(split(whole), [whole.trim()], "{whole}");
        }
    }

    #[test]
    fn a_list_stands_over_the_credit() {
        let credit =
            Credit { shown: vec!["A with B feat. C"], listed: vec!["A", "B", "C"], sorted: vec![], ids: vec![] };
        assert_eq!(names(&credit), ["A", "B", "C"]);
        assert_eq!(credit.display().as_deref(), Some("A with B feat. C"));
        let credit = Credit { shown: vec!["A; still A", "B"], listed: vec![], sorted: vec![], ids: vec![] };
        assert_eq!(names(&credit), ["A; still A", "B"]);
        assert_eq!(credit.display().as_deref(), Some("A; still A, B"));
    }

    #[test]
    fn sort_names_and_ids_go_by_position_where_there_are_as_many() {
        let all = ids(&[&format!("{ONE}; {TWO}")], 9);
        let credit =
            Credit { shown: vec!["A feat. B"], listed: vec![], sorted: vec!["A, The feat. B"], ids: all.clone() };
        let artists = credit.artists(10);
        assert_eq!(
            (artists[0].sort_name.as_deref(), artists[1].mbid.clone()),
            (Some("A, The"), Some(TWO.to_ascii_lowercase()))
        );
        let credit = Credit { shown: vec!["A"], listed: vec![], sorted: vec![], ids: all };
        assert_eq!(credit.artists(10)[0].mbid, None);
    }

    #[test]
    fn what_is_no_id_is_left_out() {
        assert_eq!(ids(&["x", ONE, "11111111-1111-1111-1111-11111111111g"], 9), [ONE]);
    }
}
