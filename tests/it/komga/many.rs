//! A series of thousands of books is one list.
use potluck::catalog::shelves::{Condition, ShelfFilter};
use potluck::catalog::{Catalog, LibraryKind, Visibility};
use potluck::database::{Database, DatabaseOptions, migrations};

const BOOKS: u32 = 5000;

#[tokio::test]
async fn a_series_of_5000_books_is_listed_whole_and_in_order() {
    let folder = tempfile::tempdir().unwrap();
    let database =
        Database::open(&folder.path().join("catalog.db"), &DatabaseOptions::default(), migrations::CATALOG).unwrap();
    let catalog = Catalog::new(database.clone());
    let path = folder.path().join("comics");
    let library = catalog.add_library("Comics", LibraryKind::Comics, &path, Visibility::Private).await.unwrap().id;
    let into = library.clone();
    database.write(move |t| fill(t, &into)).await.unwrap();
    let filter = ShelfFilter {
        libraries: vec![library],
        account: "someone".to_owned(),
        condition: Condition::All(vec![Condition::Series("series".to_owned()), Condition::Readable]),
        on_deck: false,
        order: Vec::new(),
        page: None,
    };
    let page = catalog.book_list(filter).await.unwrap();
    assert_eq!(page.total, u64::from(BOOKS));
    assert!(page.rows.iter().zip(1..).all(|(book, place)| book.place == place));
    let series = catalog.one_series("series", "someone").await.unwrap();
    assert_eq!(series.books, BOOKS);
}

fn fill(t: &rusqlite::Transaction<'_>, library: &str) -> rusqlite::Result<()> {
    let sql = "INSERT INTO item (id, library, kind, state, title, sort_title, sort_key, added_at, show) \
        VALUES (?1, ?2, ?3, 'present', ?1, ?1, ?4, 0, ?5)";
    t.execute(sql, rusqlite::params!["series", library, "series", "s", Option::<i64>::None])?;
    let series = t.last_insert_rowid();
    for n in 0..BOOKS {
        t.prepare_cached(sql)?.execute(rusqlite::params![
            format!("book {n}"),
            library,
            "book",
            format!("s\u{1}{n:08}"),
            series
        ])?;
        let item = t.last_insert_rowid();
        let file = "INSERT INTO file (item, library, place, size, modified_ns, inode, device, facts) \
            VALUES (?1, ?2, CAST(?1 AS BLOB), 1, 1, ?1, 1, '{\"container\":\"zip\"}')";
        t.prepare_cached(file)?.execute(rusqlite::params![item, library])?;
        let book = "INSERT INTO book (item, pages, number, number_sort, isbn, authors, tags, links, told, described_at) \
            VALUES (?1, 20, ?2, ?2, '', '[]', '[]', '[]', '{}', 0)";
        t.prepare_cached(book)?.execute(rusqlite::params![item, n])?;
    }
    Ok(())
}
