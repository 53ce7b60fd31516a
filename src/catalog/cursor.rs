//! Where a page ended: the sort key and row number of its last item, sealed into a text that callers only pass back.
use data_encoding::BASE64URL_NOPAD;
use serde::{Deserialize, Serialize};

use super::{CatalogError, Sort};

/// What a list is ordered by, with the value of one item.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(untagged)]
pub(super) enum Key {
    Number(i64),
    Text(String),
}

/// The last item of a page.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Cursor {
    #[serde(rename = "s")]
    sort: String,
    #[serde(rename = "k")]
    pub key: Key,
    #[serde(rename = "n")]
    pub number: i64,
}

impl Cursor {
    pub fn new(sort: Sort, key: Key, number: i64) -> Self {
        Self { sort: sort.column().to_owned(), key, number }
    }

    pub fn seal(&self) -> String {
        // A struct of a string, an integer and a string or integer always has a JSON form.
        BASE64URL_NOPAD.encode(&serde_json::to_vec(self).unwrap_or_default())
    }

    pub fn open(text: &str, sort: Sort) -> Result<Self, CatalogError> {
        let bytes = BASE64URL_NOPAD.decode(text.as_bytes()).ok();
        let cursor: Option<Self> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        cursor
            .filter(|c| c.sort == sort.column() && matches!(c.key, Key::Text(_)) == (sort == Sort::Title))
            .ok_or_else(|| CatalogError::Invalid("cursor: must be the `next` of a page with the same sort".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_opens_only_with_its_own_sort() {
        let cursor = Cursor::new(Sort::Title, Key::Text("é\u{1}".to_owned()), 7);
        assert_eq!(Cursor::open(&cursor.seal(), Sort::Title).unwrap(), cursor);
        assert!(matches!(Cursor::open(&cursor.seal(), Sort::Added), Err(CatalogError::Invalid(_))));
        for nonsense in ["", "%", "AAAA", "e30", "bnVsbA"] {
            assert!(Cursor::open(nonsense, Sort::Title).is_err(), "{nonsense}");
        }
    }
}
