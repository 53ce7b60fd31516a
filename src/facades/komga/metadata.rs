//! What an admin writes of series and books: an absent field stays, `null` takes its value away, and a lock keeps files from
//! changing it.
use axum::extract::State;
use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::filters::date;
use crate::catalog::shelves::{Edit, EditField, EditValue, Shelf, Shelved};
use crate::facades::App;
use crate::facades::error::Refusal;
use crate::facades::extract::{Json, Path};
use crate::library::ItemChange;
use crate::node::NodeEvent;

/// What a field takes.
#[derive(Clone, Copy)]
enum Kind {
    /// Not empty.
    Name,
    Text,
    /// A word of ours for each of Komga's.
    OneOf(&'static [(&'static str, &'static str)]),
    Number,
    Whole,
    Day,
    Words,
    /// Objects with these two texts.
    Pairs(&'static str, &'static str),
}

const STATUS: &[(&str, &str)] =
    &[("ONGOING", "ONGOING"), ("ENDED", "ENDED"), ("ABANDONED", "ABANDONED"), ("HIATUS", "HIATUS")];
const DIRECTION: &[(&str, &str)] =
    &[("LEFT_TO_RIGHT", "ltr"), ("RIGHT_TO_LEFT", "rtl"), ("VERTICAL", "vertical"), ("WEBTOON", "webtoon")];

/// Fields of a series by their names here.
const SERIES: &[(&str, EditField, Kind)] = &[
    ("status", EditField::Status, Kind::OneOf(STATUS)),
    ("title", EditField::Title, Kind::Name),
    ("titleSort", EditField::SortTitle, Kind::Name),
    ("summary", EditField::Summary, Kind::Text),
    ("readingDirection", EditField::Direction, Kind::OneOf(DIRECTION)),
    ("publisher", EditField::Publisher, Kind::Text),
    ("ageRating", EditField::AgeRating, Kind::Whole),
    ("language", EditField::Language, Kind::Text),
    ("genres", EditField::Genres, Kind::Words),
    ("tags", EditField::Tags, Kind::Words),
    ("totalBookCount", EditField::TotalBooks, Kind::Whole),
    ("sharingLabels", EditField::Labels, Kind::Words),
    ("links", EditField::Links, Kind::Pairs("label", "url")),
    ("alternateTitles", EditField::Titles, Kind::Pairs("label", "title")),
];

/// Fields of a book by their names here.
const BOOKS: &[(&str, EditField, Kind)] = &[
    ("title", EditField::Title, Kind::Name),
    ("summary", EditField::Summary, Kind::Text),
    ("number", EditField::Number, Kind::Name),
    ("numberSort", EditField::NumberSort, Kind::Number),
    ("releaseDate", EditField::Released, Kind::Day),
    ("authors", EditField::Authors, Kind::Pairs("name", "role")),
    ("tags", EditField::Tags, Kind::Words),
    ("isbn", EditField::Isbn, Kind::Text),
    ("links", EditField::Links, Kind::Pairs("label", "url")),
];

/// Writes what is said of a series.
pub(in crate::facades) async fn series(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(body): Json<Map<String, Value>>,
) -> Result<StatusCode, Refusal> {
    write(&app, Shelf::Series, id, edit(SERIES, &body)?).await
}

/// Writes what is said of a book.
pub(in crate::facades) async fn book(
    State(app): State<App>,
    Path(id): Path<String>,
    Json(body): Json<Map<String, Value>>,
) -> Result<StatusCode, Refusal> {
    write(&app, Shelf::Books, id, edit(BOOKS, &body)?).await
}

async fn write(app: &App, shelf: Shelf, id: String, edit: Edit) -> Result<StatusCode, Refusal> {
    app.node().catalog().edit(shelf, &id, edit).await?;
    if let Some(Shelved { id, library, series, .. }) = app.node().catalog().shelved(&id).await? {
        let show = Some(series).filter(|_| shelf == Shelf::Books);
        app.node().announce(NodeEvent::Item { id, library, show, change: ItemChange::Changed });
    }
    Ok(StatusCode::NO_CONTENT)
}

/// What a body says of the fields that are known; others are passed over.
fn edit(fields: &[(&str, EditField, Kind)], body: &Map<String, Value>) -> Result<Edit, Refusal> {
    let mut edit = Edit::default();
    for (name, field, kind) in fields {
        if let Some(value) = body.get(*name) {
            edit.values.push((*field, read(name, *kind, value)?));
        }
        match body.get(&format!("{name}Lock")) {
            None | Some(Value::Null) => {}
            Some(Value::Bool(locked)) => edit.locks.push((*field, *locked)),
            Some(_) => return Err(Refusal::invalid(format!("{name}Lock: must be true or false"))),
        }
    }
    Ok(edit)
}

fn read(name: &str, kind: Kind, value: &Value) -> Result<EditValue, Refusal> {
    let wrong = |what: &str| Refusal::invalid(format!("{name}: must be {what}"));
    let text = value.as_str().map(str::trim);
    Ok(match (kind, value) {
        (Kind::Name, _) => match text.filter(|text| !text.is_empty()) {
            Some(text) => EditValue::Text(text.to_owned()),
            None => return Err(wrong("a text that is not empty")),
        },
        (Kind::Number, _) => EditValue::Number(value.as_f64().ok_or_else(|| wrong("a number"))?),
        (Kind::OneOf(words), Value::Null) => EditValue::Text(unset(words).to_owned()),
        (Kind::Text, Value::Null) => EditValue::Text(String::new()),
        (Kind::Whole | Kind::Day, Value::Null) => EditValue::Nothing,
        (Kind::Words | Kind::Pairs(..), Value::Null) => EditValue::List("[]".to_owned()),
        (Kind::Text, _) => EditValue::Text(text.ok_or_else(|| wrong("a text"))?.to_owned()),
        (Kind::OneOf(words), _) => {
            let found = words.iter().find(|(theirs, _)| Some(*theirs) == text);
            EditValue::Text(found.ok_or_else(|| wrong("one of the known words"))?.1.to_owned())
        }
        (Kind::Whole, _) => {
            let whole = value.as_u64().and_then(|number| u32::try_from(number).ok());
            EditValue::Whole(whole.ok_or_else(|| wrong("a whole number"))?)
        }
        (Kind::Day, _) => EditValue::Text(date(name, text.unwrap_or_default())?),
        (Kind::Words, _) => EditValue::List(words(value).ok_or_else(|| wrong("a list of texts"))?),
        (Kind::Pairs(one, other), _) => {
            EditValue::List(pairs(value, one, other).ok_or_else(|| wrong("a list of objects with two texts"))?)
        }
    })
}

/// The word for nothing: no direction, and a series goes on until somebody says otherwise.
fn unset(words: &[(&str, &str)]) -> &'static str {
    if words == STATUS { "ONGOING" } else { "" }
}

fn words(value: &Value) -> Option<String> {
    let mut words: Vec<&str> =
        value.as_array()?.iter().map(|word| word.as_str().map(str::trim)).collect::<Option<_>>()?;
    words.retain(|word| !word.is_empty());
    Some(Value::from(words).to_string())
}

fn pairs(value: &Value, one: &str, other: &str) -> Option<String> {
    let pair = |entry: &Value| {
        let text = |name: &str| entry.get(name)?.as_str().map(|text| Value::from(text.trim()));
        Some(Value::from(Map::from_iter([(one.to_owned(), text(one)?), (other.to_owned(), text(other)?)])))
    };
    let list = value.as_array()?.iter().map(pair).collect::<Option<Vec<Value>>>()?;
    Some(Value::from(list).to_string())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn of_series(body: Value) -> Option<Edit> {
        edit(SERIES, body.as_object().unwrap()).ok()
    }

    #[test]
    fn null_takes_away_and_absent_keeps() {
        let told =
            of_series(json!({"ageRating": null, "status": null, "titleLock": true, "genres": ["a", " "], "other": 1}))
                .unwrap();
        let wanted = [
            (EditField::Status, EditValue::Text("ONGOING".into())),
            (EditField::AgeRating, EditValue::Nothing),
            (EditField::Genres, EditValue::List("[\"a\"]".into())),
        ];
        assert_eq!(told.values, wanted);
        assert_eq!(told.locks, [(EditField::Title, true)]);
    }

    #[test]
    fn values_that_do_not_fit_are_refused() {
        for body in [
            json!({"title": ""}),
            json!({"title": null}),
            json!({"status": "GOING"}),
            json!({"ageRating": -1}),
            json!({"ageRating": 1.5}),
            json!({"genres": [1]}),
            json!({"links": [{"label": "x"}]}),
            json!({"titleLock": "yes"}),
        ] {
            assert!(of_series(body.clone()).is_none(), "{body}");
        }
    }
}
