//! How the catalog's words are written in its tables: the same lower-case words as in JSON.
use rusqlite::ToSql;
use rusqlite::types::{FromSql, FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};

use super::model::{ItemKind, ItemState, LibraryKind, LibraryState, Visibility};

macro_rules! words {
    ($type:ident { $($variant:ident => $word:literal),+ $(,)? }) => {
        impl $type {
            /// The word for it in JSON, in the catalog's tables and in logs.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word),+ }
            }
        }

        impl std::str::FromStr for $type {
            type Err = ();

            fn from_str(word: &str) -> Result<Self, ()> {
                match word { $($word => Ok(Self::$variant),)+ _ => Err(()) }
            }
        }

        impl ToSql for $type {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                Ok(self.as_str().into())
            }
        }

        impl FromSql for $type {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                value.as_str()?.parse().map_err(|()| FromSqlError::InvalidType)
            }
        }
    };
}

words!(LibraryKind {
    Movies => "movies",
    Shows => "shows",
    Videos => "videos",
    Comics => "comics",
    Books => "books",
    Music => "music",
});
words!(Visibility { Private => "private", Friends => "friends", Public => "public" });
words!(LibraryState { Available => "available", Unavailable => "unavailable" });
words!(ItemKind {
    Movie => "movie",
    Show => "show",
    Episode => "episode",
    Video => "video",
    Series => "series",
    Book => "book",
    Album => "album",
    Track => "track",
});
words!(ItemState {
    Present => "present",
    Unavailable => "unavailable",
    Trashed => "trashed",
    Damaged => "damaged",
    Unreadable => "unreadable",
});

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_in_the_tables_is_the_word_in_json() {
        for state in [ItemState::Present, ItemState::Unavailable, ItemState::Trashed, ItemState::Damaged] {
            assert_eq!(serde_json::to_value(state).unwrap(), state.as_str());
            assert_eq!(state.as_str().parse(), Ok(state));
        }
    }
}
