//! The schemas. A released migration is never edited; a change is a new file.

/// `catalog.db`, oldest first.
pub const CATALOG: &[&str] = &[
    include_str!("catalog-0001-catalog.sql"),
    include_str!("catalog-0002-accounts.sql"),
    include_str!("catalog-0003-caps.sql"),
    include_str!("catalog-0004-friends.sql"),
    include_str!("catalog-0005-remote.sql"),
    include_str!("catalog-0007-budgets.sql"),
    include_str!("catalog-0008-stand-in.sql"),
    include_str!("catalog-0009-replicas.sql"),
    include_str!("catalog-0010-people.sql"),
    include_str!("catalog-0011-books.sql"),
    include_str!("catalog-0012-koreader.sql"),
    include_str!("catalog-0013-shelves.sql"),
    include_str!("catalog-0015-komelia.sql"),
    include_str!("catalog-0017-music.sql"),
    include_str!("catalog-0018-app-passwords.sql"),
    include_str!("catalog-0014-moved-in.sql"),
    include_str!("catalog-0022-music-moved-in.sql"),
    include_str!("catalog-0020-playlist-files.sql"),
    include_str!("catalog-0023-listens.sql"),
    include_str!("catalog-0026-kobo.sql"),
    include_str!("catalog-0028-friend-ipfs.sql"),
    include_str!("catalog-0027-podcasts.sql"),
    include_str!("catalog-0027-told.sql"),
    include_str!("catalog-0030-moved-covers.sql"),
];
