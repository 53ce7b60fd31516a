//! The conditions of a `POST .../list`: a tree of JSON objects, each with one key that names what is asked.
//!
//! What is not known is refused, with its name: a list that silently held more than was asked would be worse.
use serde_json::{Map, Value};

use super::filters::{self, date};
use crate::catalog::shelves::{Comparison, Condition, PosterKind, TextMatch, WordField, typed};
use crate::facades::error::Refusal;

/// How deep conditions may lie in each other.
const DEPTH_MAX: usize = 16;

/// The condition of a whole body; `{}` is all there is.
///
/// # Errors
/// What is not understood.
pub(super) fn of_body(body: &Value) -> Result<(Condition, Option<String>), Refusal> {
    let body = body.as_object().ok_or_else(|| Refusal::invalid("the body must be an object"))?;
    let search = body.get("fullTextSearch").and_then(Value::as_str).filter(|text| !text.trim().is_empty());
    let mut all: Vec<Condition> = search.and_then(typed).into_iter().collect();
    if let Some(condition) = body.get("condition").filter(|condition| !condition.is_null()) {
        all.push(read(condition, DEPTH_MAX)?);
    }
    Ok((Condition::All(all), search.map(str::to_owned)))
}

/// The list that all that is asked for is in.
pub(super) fn list_of(condition: &Condition) -> Option<&str> {
    match condition {
        Condition::ReadList(id) | Condition::Collection(id) => Some(id),
        Condition::All(parts) => parts.iter().find_map(list_of),
        _ => None,
    }
}

fn read(value: &Value, depth: usize) -> Result<Condition, Refusal> {
    let object = value.as_object().ok_or_else(|| Refusal::invalid("condition: must be an object"))?;
    let depth = depth.checked_sub(1).ok_or_else(|| Refusal::invalid("condition: lies too deep"))?;
    // Serialisers add the name of a type.
    let mut named = object.iter().filter(|(key, _)| !["type", "@type"].contains(&key.as_str()));
    match (named.next(), named.next()) {
        (None, _) => Ok(Condition::All(Vec::new())),
        (Some((key, value)), None) => one(key, value, depth),
        _ => Err(Refusal::invalid("condition: must have one key")),
    }
}

fn one(key: &str, value: &Value, depth: usize) -> Result<Condition, Refusal> {
    let parts = || -> Result<Vec<Condition>, Refusal> {
        let list = value.as_array().ok_or_else(|| Refusal::invalid(format!("{key}: must be a list")))?;
        list.iter().map(|part| read(part, depth)).collect()
    };
    match key {
        "allOf" => parts().map(Condition::All),
        "anyOf" => {
            let parts = parts()?;
            Ok(if parts.is_empty() { Condition::All(parts) } else { Condition::Any(parts) })
        }
        _ => asked(key, &Test::of(key, value)?),
    }
}

fn asked(key: &str, test: &Test<'_>) -> Result<Condition, Refusal> {
    let word = |field| test.word(field);
    match key {
        "libraryId" => test.text(|id| Ok(Condition::Library(id.to_owned()))),
        "collectionId" => test.text(|id| Ok(Condition::Collection(id.to_owned()))),
        "readListId" => test.text(|id| Ok(Condition::ReadList(id.to_owned()))),
        "seriesId" => test.text(|id| Ok(Condition::Series(id.to_owned()))),
        "deleted" => test.flag(Condition::Trashed),
        "complete" => test.flag(Condition::Complete),
        "oneShot" => test.flag(Condition::OneShot),
        "title" | "titleSort" => test.title(),
        "releaseDate" => test.date(),
        "numberSort" => test.number(Condition::Number, None),
        "ageRating" => test.number(Condition::AgeRating, Some(Condition::Rated)),
        "tag" => word(WordField::Tag),
        "sharingLabel" => word(WordField::Label),
        "publisher" => word(WordField::Publisher),
        "language" => word(WordField::Language),
        "genre" => word(WordField::Genre),
        "readStatus" => test.text(filters::read_state),
        "seriesStatus" => test.text(filters::status),
        "mediaStatus" => test.text(filters::media_status),
        "mediaProfile" => test.text(profile),
        "author" => test.author(),
        "poster" => test.poster(),
        _ => Err(Refusal::invalid(format!("condition: {key} is not covered"))),
    }
}

fn profile(word: &str) -> Result<Condition, Refusal> {
    Ok(Condition::Format(match word {
        "PDF" => vec!["pdf"],
        "EPUB" => vec!["epub"],
        "DIVINA" => vec!["zip", "rar4", "rar5", "7z", "tar", "folder"],
        _ => return Err(Refusal::invalid("mediaProfile: must be DIVINA, PDF or EPUB")),
    }))
}

/// An operator and what it is applied to.
struct Test<'a> {
    key: &'a str,
    operator: String,
    object: &'a Map<String, Value>,
}

impl<'a> Test<'a> {
    fn of(key: &'a str, value: &'a Value) -> Result<Self, Refusal> {
        let object = value.as_object().ok_or_else(|| Refusal::invalid(format!("{key}: must be an object")))?;
        let operator = object.get("operator").and_then(Value::as_str);
        let operator = operator.ok_or_else(|| Refusal::invalid(format!("{key}: has no operator")))?.to_lowercase();
        Ok(Self { key, operator, object })
    }

    fn unknown(&self) -> Refusal {
        Refusal::invalid(format!("{}: the operator {} is not known here", self.key, self.operator))
    }

    fn value(&self) -> Result<&'a str, Refusal> {
        let value = self.object.get("value").and_then(Value::as_str);
        value.ok_or_else(|| Refusal::invalid(format!("{}: needs a value", self.key)))
    }

    /// `is` and `isNot`.
    fn text(&self, condition: impl Fn(&str) -> Result<Condition, Refusal>) -> Result<Condition, Refusal> {
        match self.operator.as_str() {
            "is" => condition(self.value()?),
            "isnot" => condition(self.value()?).map(not),
            _ => Err(self.unknown()),
        }
    }

    fn word(&self, field: WordField) -> Result<Condition, Refusal> {
        match self.operator.as_str() {
            "isnull" => Ok(not(Condition::AnyWord(field))),
            "isnotnull" => Ok(Condition::AnyWord(field)),
            _ => self.text(|word| Ok(Condition::Word(field, word.to_owned()))),
        }
    }

    fn flag(&self, condition: Condition) -> Result<Condition, Refusal> {
        match self.operator.as_str() {
            "istrue" => Ok(condition),
            "isfalse" => Ok(not(condition)),
            _ => Err(self.unknown()),
        }
    }

    fn title(&self) -> Result<Condition, Refusal> {
        let title = |how| self.value().map(|text| Condition::Title(how, text.to_owned()));
        match self.operator.as_str() {
            "is" => title(TextMatch::Is),
            "isnot" => title(TextMatch::Is).map(not),
            "contains" => title(TextMatch::Contains),
            "doesnotcontain" => title(TextMatch::Contains).map(not),
            "beginswith" => title(TextMatch::Begins),
            "doesnotbeginwith" => title(TextMatch::Begins).map(not),
            "endswith" => title(TextMatch::Ends),
            "doesnotendwith" => title(TextMatch::Ends).map(not),
            _ => Err(self.unknown()),
        }
    }

    fn number(
        &self,
        condition: impl Fn(Comparison, f64) -> Condition,
        present: Option<Condition>,
    ) -> Result<Condition, Refusal> {
        let value = || {
            let value = self.object.get("value").and_then(Value::as_f64);
            value.ok_or_else(|| Refusal::invalid(format!("{}: needs a number", self.key)))
        };
        match (self.operator.as_str(), present) {
            ("is", _) => Ok(condition(Comparison::Equal, value()?)),
            ("isnot", _) => Ok(not(condition(Comparison::Equal, value()?))),
            ("greaterthan", _) => Ok(condition(Comparison::More, value()?)),
            ("lessthan", _) => Ok(condition(Comparison::Less, value()?)),
            ("isnull", Some(present)) => Ok(not(present)),
            ("isnotnull", Some(present)) => Ok(present),
            _ => Err(self.unknown()),
        }
    }

    fn date(&self) -> Result<Condition, Refusal> {
        let text = self.object.get("dateTime").or_else(|| self.object.get("value")).and_then(Value::as_str);
        let day = || date(self.key, text.unwrap_or_default());
        let ago = || {
            let span: Result<jiff::Span, _> =
                self.object.get("duration").and_then(Value::as_str).unwrap_or_default().parse();
            let today = jiff::Zoned::now();
            let then = span.ok().and_then(|span| today.checked_sub(span).ok());
            then.map(|then| then.date().to_string())
                .ok_or_else(|| Refusal::invalid(format!("{}: needs a duration like P30D", self.key)))
        };
        Ok(match self.operator.as_str() {
            "before" => Condition::Released(Comparison::Less, day()?),
            "after" => Condition::Released(Comparison::More, day()?),
            "isinthelast" => Condition::Released(Comparison::More, ago()?),
            "isnotinthelast" => not(Condition::Released(Comparison::More, ago()?)),
            "isnull" => not(Condition::Dated),
            "isnotnull" => Condition::Dated,
            _ => return Err(self.unknown()),
        })
    }

    fn poster(&self) -> Result<Condition, Refusal> {
        let value = self.object.get("value").and_then(Value::as_object);
        let value = value.ok_or_else(|| Refusal::invalid("poster: needs a value with type or selected"))?;
        let kind = match value.get("type").filter(|kind| !kind.is_null()).map(|kind| kind.as_str().unwrap_or_default())
        {
            None => None,
            Some("GENERATED") => Some(PosterKind::Generated),
            Some("SIDECAR") => Some(PosterKind::Sidecar),
            Some("USER_UPLOADED") => Some(PosterKind::Uploaded),
            Some(_) => return Err(Refusal::invalid("poster: the type must be GENERATED, SIDECAR or USER_UPLOADED")),
        };
        let selected = match value.get("selected") {
            None | Some(Value::Null) => None,
            Some(Value::Bool(selected)) => Some(*selected),
            Some(_) => return Err(Refusal::invalid("poster: selected must be true or false")),
        };
        let poster = Condition::Poster { kind, selected };
        match self.operator.as_str() {
            "is" => Ok(poster),
            "isnot" => Ok(not(poster)),
            _ => Err(self.unknown()),
        }
    }

    fn author(&self) -> Result<Condition, Refusal> {
        let value = self.object.get("value").and_then(Value::as_object);
        let value = value.ok_or_else(|| Refusal::invalid("author: needs a value with name or role"))?;
        let part = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let author = Condition::Author { name: part("name"), role: part("role") };
        match self.operator.as_str() {
            "is" => Ok(author),
            "isnot" => Ok(not(author)),
            _ => Err(self.unknown()),
        }
    }
}

fn not(condition: Condition) -> Condition {
    Condition::Not(Box::new(condition))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    fn told(body: Value) -> Option<Condition> {
        of_body(&body).ok().map(|(condition, _)| condition)
    }

    #[test]
    fn conditions_are_read_with_or_without_the_name_of_a_type() {
        let library = Condition::Library("1".into());
        let wanted = Condition::All(vec![Condition::All(vec![library, not(Condition::Trashed)])]);
        let body = json!({"condition": {"type": "AllOfSeries", "allOf": [
            {"libraryId": {"operator": "is", "value": "1", "type": "Is"}}, {"deleted": {"operator": "isFalse"}}]}});
        assert_eq!(told(body), Some(wanted));
        assert_eq!(told(json!({})), Some(Condition::All(vec![])));
        assert_eq!(told(json!({"fullTextSearch": null, "condition": null})), Some(Condition::All(vec![])));
    }

    #[test]
    fn a_cover_is_asked_for_by_its_kind_and_whether_it_is_shown() {
        let body = |value: Value| json!({"condition": {"poster": {"operator": "isNot", "value": value}}});
        let wanted = |kind, selected| Some(Condition::All(vec![not(Condition::Poster { kind, selected })]));
        let told_all = told(body(json!({"type": "USER_UPLOADED", "selected": true})));
        assert_eq!(told_all, wanted(Some(PosterKind::Uploaded), Some(true)));
        assert_eq!(told(body(json!({"type": null}))), wanted(None, None));
    }

    #[test]
    fn the_list_of_a_condition_is_found_where_it_must_be_in_one() {
        let list = Condition::ReadList("l".into());
        assert_eq!(list_of(&Condition::All(vec![not(Condition::Trashed), list.clone()])), Some("l"));
        assert_eq!(list_of(&Condition::Any(vec![list])), None);
    }

    #[test]
    fn what_is_not_known_is_refused() {
        for condition in [
            json!({"shoeSize": {"operator": "is", "value": "1"}}),
            json!({"title": {"operator": "resembles", "value": "1"}}),
            json!({"title": {"operator": "is"}}),
            json!({"poster": {"operator": "is", "value": {"type": "PAINTED"}}}),
            json!({"poster": {"operator": "is", "value": {"selected": "yes"}}}),
            json!({"title": {"operator": "is", "value": "1"}, "tag": {"operator": "is", "value": "1"}}),
            json!({"allOf": {}}),
            json!(["title"]),
            json!({"releaseDate": {"operator": "before", "dateTime": "yesterday"}}),
            json!({"releaseDate": {"operator": "isInTheLast", "duration": "P99999999999Y"}}),
        ] {
            assert_eq!(told(json!({"condition": condition})), None, "{condition}");
        }
        let mut deep = json!({"deleted": {"operator": "isTrue"}});
        for _ in 0..40 {
            deep = json!({"allOf": [deep]});
        }
        assert_eq!(told(json!({"condition": deep})), None);
    }

    proptest! {
        #[test]
        fn any_test_is_read_or_refused(key in "[a-zA-Z]{1,12}", operator in "[a-zA-Z]{1,16}", value in "\\PC{0,20}") {
            for key in [key.as_str(), "title", "releaseDate", "author", "ageRating", "readStatus"] {
                let test = json!({"operator": operator, "value": value, "dateTime": value, "duration": value});
                let _ = told(json!({"condition": {key: test}}));
            }
        }
    }
}
