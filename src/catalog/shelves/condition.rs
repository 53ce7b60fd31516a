//! What a series or a book has to be like to be in a list: a tree of conditions, and the SQL that it becomes.
//!
//! Values never become part of the text. Words are compared without case and accents.
use rusqlite::types::Value;

use super::Shelf;
use crate::catalog::items::number_of;
use crate::catalog::model::Id;
use crate::catalog::sorting::fold;

/// One condition. For books, what only their series has (status, genres, publisher) is asked of the series.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// All of these; none of them is always true.
    All(Vec<Condition>),
    /// One of these; none of them is never true.
    Any(Vec<Condition>),
    /// Not this.
    Not(Box<Condition>),
    /// In the library with this id.
    Library(Id),
    /// The series with this id, or a book of it.
    Series(Id),
    /// In this collection, or a book of a series that is.
    Collection(Id),
    /// In this read list, or a series with a book that is.
    ReadList(Id),
    /// In the trash.
    Trashed,
    /// Of a series: all books that there are in the world are here.
    Complete,
    /// A file that is a series of its own.
    OneShot,
    /// How far the asking account is.
    Read(ReadState),
    /// Any of its titles holds this.
    Text(String),
    /// Its title.
    Title(TextMatch, String),
    /// One of its words of this kind is this.
    Word(WordField, String),
    /// It has a word of this kind at all.
    AnyWord(WordField),
    /// Somebody made it: by name, role, or both.
    Author {
        /// In any role where none is given.
        name: Option<String>,
        /// `writer`, `penciller`...
        role: Option<String>,
    },
    /// `ONGOING`, `ENDED`, `ABANDONED`, `HIATUS`.
    Status(String),
    /// The number by which a book sorts.
    Number(Comparison, f64),
    /// Years; what has no rating does not match.
    AgeRating(Comparison, f64),
    /// It has an age rating.
    Rated,
    /// A book's date of release, or that of one book of a series: `yyyy-mm-dd`.
    Released(Comparison, String),
    /// It has a date of release.
    Dated,
    /// Its file could be read.
    Readable,
    /// A book whose file is of one of these kinds (words of `media::book::Format`).
    Format(Vec<&'static str>),
    /// A book with this ISBN.
    Isbn(String),
    /// A series in which something came or changed some time after it came itself, or a book of one.
    Updated,
    /// A book whose bytes another book has, too.
    Copied,
    /// It has a cover of this kind, which is or is not the one that is shown; absent asks nothing.
    Poster { kind: Option<PosterKind>, selected: Option<bool> },
}

/// Where a cover comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PosterKind {
    /// Taken from the book.
    Generated,
    /// Found beside it.
    Sidecar,
    /// A person put it up.
    Uploaded,
}

/// A first scan brings all of a series within this, in milliseconds: that is no news of it.
const NEW_MS: i64 = 10 * 60 * 1000;

/// How far somebody is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadState {
    /// Nothing of it was read.
    Unread,
    /// Neither nothing nor all.
    Started,
    /// All of it.
    Read,
}

/// How a text is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TextMatch {
    /// It is this.
    Is,
    /// It holds this.
    Contains,
    /// It begins with this.
    Begins,
    /// It ends with this.
    Ends,
}

/// How a number or a date is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Comparison {
    /// It is this.
    Equal,
    /// It is more, or later.
    More,
    /// It is less, or earlier.
    Less,
}

impl Comparison {
    fn sign(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::More => ">",
            Self::Less => "<",
        }
    }
}

/// Kinds of words. A series has all but authors of its own; a book has tags and authors.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum WordField {
    Genre,
    Tag,
    Publisher,
    Language,
    /// For whom a series is.
    Label,
    /// The name of somebody who made a book.
    Author,
}

impl WordField {
    pub(super) fn word(self) -> &'static str {
        match self {
            Self::Genre => "genre",
            Self::Tag => "tag",
            Self::Publisher => "publisher",
            Self::Language => "language",
            Self::Label => "label",
            Self::Author => "author",
        }
    }

    /// Whether books have words of this kind.
    fn of_books(self) -> bool {
        matches!(self, Self::Tag | Self::Author)
    }
}

/// A query while it grows: each `?` of the text takes the next value.
#[derive(Debug, Default)]
pub(super) struct Sql {
    pub text: String,
    pub values: Vec<Value>,
}

impl Sql {
    pub fn add(&mut self, text: &str, values: impl IntoIterator<Item = Value>) {
        self.text.push_str(text);
        self.values.extend(values);
    }
}

/// Of an item `i` that is a series: its number. Of a book: that of its series.
fn series(shelf: Shelf) -> &'static str {
    match shelf {
        Shelf::Series => "i.n",
        Shelf::Books => "i.show",
    }
}

impl Condition {
    /// Adds what an item `i` of a shelf is asked; `account` is whose progress counts.
    pub(super) fn add(&self, sql: &mut Sql, shelf: Shelf, account: &str) {
        let text = |text: &str| Value::Text(text.to_owned());
        let series = series(shelf);
        match self {
            Self::All(parts) => joined(sql, parts, (" AND ", "1"), shelf, account),
            Self::Any(parts) => joined(sql, parts, (" OR ", "0"), shelf, account),
            Self::Not(part) => {
                sql.add("NOT ifnull((", []);
                part.add(sql, shelf, account);
                sql.add("), 0)", []);
            }
            Self::Library(id) => {
                sql.add(
                    "i.library IN (?, (SELECT a.library FROM library_alias AS a WHERE a.id = ?))",
                    [text(id), text(id)],
                );
            }
            Self::Series(id) => {
                sql.add(&format!("{series} = {}", number_of("?")), [text(id), text(id)]);
            }
            Self::Collection(id) => {
                sql.add(&format!("{series} IN (SELECT item FROM shelf_list_item WHERE list = ?)"), [text(id)]);
            }
            Self::ReadList(id) => in_list(sql, shelf, id),
            Self::Trashed => sql.add("i.state = 'trashed'", []),
            Self::Complete => sql.add(&complete(series), []),
            Self::OneShot => sql.add(&one_shot(series), []),
            Self::Read(state) => read(sql, shelf, *state, account),
            Self::Text(part) => sql.add("instr(t.text, ?) > 0", [text(&fold(part))]),
            Self::Title(how, part) => title(sql, *how, &fold(part)),
            Self::Word(field, word) => {
                words(sql, shelf, *field, "AND w.key = ?", [text(&fold(word.trim()))].into());
            }
            Self::AnyWord(field) => words(sql, shelf, *field, "", Vec::new()),
            Self::Author { name, role } => author(sql, shelf, name.as_deref(), role.as_deref()),
            Self::Status(status) => {
                let rule = format!("ifnull((SELECT q.status FROM series AS q WHERE q.item = {series}), 'ONGOING') = ?");
                sql.add(&rule, [text(status)]);
            }
            Self::Number(how, number) => {
                of_book(sql, shelf, &format!("bk.number_sort {} ?", how.sign()), [Value::Real(*number)].into());
            }
            Self::AgeRating(how, years) => {
                let rule = format!("(SELECT q.age_rating FROM series AS q WHERE q.item = {series}) {} ?", how.sign());
                sql.add(&rule, [Value::Real(*years)]);
            }
            Self::Rated => {
                let rule = format!("(SELECT q.age_rating FROM series AS q WHERE q.item = {series}) IS NOT NULL");
                sql.add(&rule, []);
            }
            Self::Released(how, date) => {
                of_book(sql, shelf, &format!("bk.release_date {} ?", how.sign()), [text(date)].into());
            }
            Self::Dated => of_book(sql, shelf, "bk.release_date IS NOT NULL", Vec::new()),
            Self::Readable => sql.add(READABLE, []),
            Self::Format(words) => {
                let marks = vec!["?"; words.len()].join(", ");
                let rule = format!(
                    "(SELECT json_extract(f.facts, '$.container') FROM file AS f WHERE f.item = i.n) IN ({marks})"
                );
                sql.add(&rule, words.iter().map(|word| text(word)));
            }
            Self::Isbn(isbn) => of_book(sql, shelf, "bk.isbn = ?", [text(isbn)].into()),
            Self::Updated => sql.add(
                &format!(
                    "EXISTS (SELECT 1 FROM series AS q JOIN item AS qi ON qi.n = q.item WHERE q.item = {series} AND q.changed_at - qi.added_at > ?)"
                ),
                [Value::Integer(NEW_MS)],
            ),
            Self::Copied => sql.add(COPIED, []),
            Self::Poster { kind, selected } => poster(sql, *kind, *selected),
        }
    }
}

/// Of an item `i`.
pub(super) const READABLE: &str = "(i.state NOT IN ('unreadable', 'damaged') AND i.problem IS NULL)";

const COPIED: &str = "EXISTS (SELECT 1 FROM file AS f JOIN file AS g ON g.cid = f.cid AND g.item <> f.item \
    JOIN item AS o ON o.n = g.item WHERE f.item = i.n AND o.kind = 'book' AND o.state <> 'trashed')";

fn poster(sql: &mut Sql, kind: Option<PosterKind>, selected: Option<bool>) {
    let put_up = match selected {
        None => "EXISTS (SELECT 1 FROM cover AS c WHERE c.item = i.n)",
        Some(true) => "EXISTS (SELECT 1 FROM cover AS c WHERE c.item = i.n AND c.selected)",
        Some(false) => "EXISTS (SELECT 1 FROM cover AS c WHERE c.item = i.n AND NOT c.selected)",
    };
    let beside = "(SELECT substr(i.poster, 1, length(l.path)) = l.path FROM library AS l WHERE l.id = i.library)";
    let other = "EXISTS (SELECT 1 FROM cover AS c WHERE c.item = i.n AND c.selected)";
    let mut found = "i.poster IS NOT NULL".to_owned();
    match kind {
        Some(PosterKind::Generated) => found.push_str(&format!(" AND NOT {beside}")),
        Some(PosterKind::Sidecar) => found.push_str(&format!(" AND {beside}")),
        _ => {}
    }
    match selected {
        Some(true) => found.push_str(&format!(" AND NOT {other}")),
        Some(false) => found.push_str(&format!(" AND {other}")),
        None => {}
    }
    match kind {
        Some(PosterKind::Uploaded) => sql.add(put_up, []),
        Some(_) => sql.add(&format!("({found})"), []),
        None => sql.add(&format!("(({found}) OR {put_up})"), []),
    }
}

/// What tells that a series, named by an expression, is one file.
pub(super) fn one_shot(series: &str) -> String {
    format!(
        "EXISTS (SELECT 1 FROM item AS q JOIN item AS e ON e.show = q.n JOIN file AS f ON f.item = e.n \
         WHERE q.n = {series} AND f.place = q.place)"
    )
}

fn complete(series: &str) -> String {
    format!(
        "(SELECT q.total_books FROM series AS q WHERE q.item = {series}) = \
         (SELECT count(*) FROM item AS e WHERE e.show = {series} AND e.state <> 'trashed')"
    )
}

fn joined(sql: &mut Sql, parts: &[Condition], (between, empty): (&str, &str), shelf: Shelf, account: &str) {
    if parts.is_empty() {
        return sql.add(empty, []);
    }
    sql.add("(", []);
    for (n, part) in parts.iter().enumerate() {
        sql.add(if n > 0 { between } else { "" }, []);
        part.add(sql, shelf, account);
    }
    sql.add(")", []);
}

fn in_list(sql: &mut Sql, shelf: Shelf, id: &str) {
    let rule = match shelf {
        Shelf::Books => "i.n IN (SELECT item FROM shelf_list_item WHERE list = ?)",
        Shelf::Series => {
            "i.n IN (SELECT e.show FROM shelf_list_item AS li JOIN item AS e ON e.n = li.item WHERE li.list = ?)"
        }
    };
    sql.add(rule, [Value::Text(id.to_owned())]);
}

fn read(sql: &mut Sql, shelf: Shelf, state: ReadState, account: &str) {
    let of_book = "(SELECT p.completed FROM progress AS p WHERE p.account = ? AND p.item = i.n)";
    let begun = "SELECT e.show FROM progress AS p JOIN item AS e ON e.n = p.item \
        WHERE p.account = ? AND e.kind = 'book' AND e.state <> 'trashed' AND e.show IS NOT NULL GROUP BY e.show";
    let all =
        "HAVING sum(p.completed) = (SELECT count(*) FROM item AS a WHERE a.show = e.show AND a.state <> 'trashed')";
    let account = || Value::Text(account.to_owned());
    match (shelf, state) {
        (Shelf::Books, ReadState::Unread) => sql.add(&format!("{of_book} IS NULL"), [account()]),
        (Shelf::Books, ReadState::Started) => sql.add(&format!("{of_book} = 0"), [account()]),
        (Shelf::Books, ReadState::Read) => sql.add(&format!("{of_book} = 1"), [account()]),
        (Shelf::Series, ReadState::Unread) => sql.add(&format!("i.n NOT IN ({begun})"), [account()]),
        (Shelf::Series, ReadState::Read) => sql.add(&format!("i.n IN ({begun} {all})"), [account()]),
        (Shelf::Series, ReadState::Started) => {
            sql.add(&format!("(i.n IN ({begun}) AND i.n NOT IN ({begun} {all}))"), [account(), account()]);
        }
    }
}

fn title(sql: &mut Sql, how: TextMatch, part: &str) {
    let length = part.chars().count();
    let part = Value::Text(part.to_owned());
    match how {
        TextMatch::Is => sql.add("t.title = ?", [part]),
        TextMatch::Contains => sql.add("instr(t.title, ?) > 0", [part]),
        TextMatch::Begins => sql.add(&format!("substr(t.title, 1, {length}) = ?"), [part]),
        TextMatch::Ends if length == 0 => sql.add("1", []),
        TextMatch::Ends => sql.add(&format!("substr(t.title, -{length}) = ?"), [part]),
    }
}

fn author(sql: &mut Sql, shelf: Shelf, name: Option<&str>, role: Option<&str>) {
    let (mut rule, mut values) = (String::new(), Vec::new());
    if let Some(name) = name {
        rule.push_str(" AND w.key = ?");
        values.push(Value::Text(fold(name.trim())));
    }
    if let Some(role) = role {
        rule.push_str(" AND w.role = ?");
        values.push(Value::Text(role.trim().to_lowercase()));
    }
    words(sql, shelf, WordField::Author, &rule, values);
}

/// Items that have a word; a series also by what its books have, a book by what its series has where books have none.
fn words(sql: &mut Sql, shelf: Shelf, field: WordField, rule: &str, values: Vec<Value>) {
    let found = format!(
        "FROM shelf_word AS w JOIN shelf_word_of AS wo ON wo.word = w.n JOIN item AS e ON e.n = wo.item \
         WHERE w.field = '{}' {rule}",
        field.word()
    );
    match (shelf, field.of_books()) {
        (Shelf::Series, false) => sql.add(&format!("i.n IN (SELECT e.n {found})"), values),
        (Shelf::Series, true) => {
            let rule = format!("i.n IN (SELECT CASE e.kind WHEN 'book' THEN e.show ELSE e.n END {found})");
            sql.add(&rule, values);
        }
        (Shelf::Books, false) => sql.add(&format!("i.show IN (SELECT e.n {found})"), values),
        (Shelf::Books, true) => sql.add(&format!("i.n IN (SELECT e.n {found})"), values),
    }
}

/// What is asked of a book `bk`: the item, or one of the series.
fn of_book(sql: &mut Sql, shelf: Shelf, rule: &str, values: Vec<Value>) {
    let text = match shelf {
        Shelf::Books => format!("EXISTS (SELECT 1 FROM book AS bk WHERE bk.item = i.n AND {rule})"),
        Shelf::Series => format!(
            "EXISTS (SELECT 1 FROM item AS e JOIN book AS bk ON bk.item = e.n WHERE e.show = i.n AND e.state <> 'trashed' AND {rule})"
        ),
    };
    sql.add(&text, values);
}
