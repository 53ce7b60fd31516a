//! The filters of a query as conditions: different ones all hold, of the values of one any does.
use super::params::Params;
use crate::accounts::Caller;
use crate::catalog::Library;
use crate::catalog::shelves::{Comparison, Condition, ReadState, ShelfFilter, WordField, typed};
use crate::facades::App;
use crate::facades::error::Refusal;

/// The libraries that are Komga's, as a caller sees them: of comics and books, on this machine.
pub(super) async fn seen(app: &App, caller: &Caller) -> Result<Vec<Library>, Refusal> {
    let mut all = app.node().catalog().own_libraries().await?;
    all.retain(|library| library.kind.is_read() && caller.may_see(&library.id));
    Ok(all)
}

/// Their ids.
pub(super) async fn seen_ids(app: &App, caller: &Caller) -> Result<Vec<String>, Refusal> {
    Ok(seen(app, caller).await?.into_iter().map(|library| library.id).collect())
}

/// Ids of those of them that a query names, by its own id or by the one that is shown; all where it names none.
pub(super) async fn wanted_ids(app: &App, caller: &Caller, params: &Params) -> Result<Vec<String>, Refusal> {
    let mut ids = seen_ids(app, caller).await?;
    let wanted = params.list("library_id");
    if !wanted.is_empty() {
        let shown = app.node().catalog().library_aliases().await?;
        let is = |id: &String| wanted.iter().any(|one| one == id || shown.get(id).is_some_and(|shown| one == shown));
        ids.retain(is);
    }
    Ok(ids)
}

/// A list of all that a caller may see and that is as the condition says.
pub(super) async fn filter(app: &App, caller: &Caller, condition: Condition) -> Result<ShelfFilter, Refusal> {
    Ok(ShelfFilter {
        libraries: seen_ids(app, caller).await?,
        account: caller.id().to_owned(),
        condition,
        on_deck: false,
        order: Vec::new(),
        page: None,
    })
}

/// What a series has to be like.
pub(super) fn of_series(params: &Params) -> Result<Condition, Refusal> {
    let mut all = shared(params)?;
    all.extend(any(params, "collection_id", |id| Ok(Condition::Collection(id.to_owned())))?);
    all.extend(any(params, "status", status)?);
    all.extend(words(params, "publisher", WordField::Publisher)?);
    all.extend(words(params, "language", WordField::Language)?);
    all.extend(words(params, "genre", WordField::Genre)?);
    all.extend(words(params, "sharing_label", WordField::Label)?);
    all.extend(any(params, "age_rating", age_rating)?);
    all.extend(any(params, "release_year", year)?);
    all.extend(flag(params, "complete", Condition::Complete));
    all.extend(flag(params, "oneshot", Condition::OneShot));
    Ok(Condition::All(all))
}

/// What a book has to be like.
pub(super) fn of_books(params: &Params) -> Result<Condition, Refusal> {
    let mut all = shared(params)?;
    all.extend(any(params, "media_status", media_status)?);
    all.extend(any(params, "readlist_id", |id| Ok(Condition::ReadList(id.to_owned())))?);
    if let Some(date) = params.one("released_after").map(str::trim).filter(|date| !date.is_empty()) {
        all.push(Condition::Released(Comparison::More, self::date("released_after", date)?));
    }
    Ok(Condition::All(all))
}

fn shared(params: &Params) -> Result<Vec<Condition>, Refusal> {
    let mut all: Vec<Condition> = search(params).and_then(typed).into_iter().collect();
    all.extend(any(params, "library_id", |id| Ok(Condition::Library(id.to_owned())))?);
    all.extend(any(params, "read_status", read_state)?);
    all.extend(words(params, "tag", WordField::Tag)?);
    let authors: Vec<Condition> = params.whole("author").filter_map(author).collect();
    all.extend((!authors.is_empty()).then_some(Condition::Any(authors)));
    all.extend(flag(params, "deleted", Condition::Trashed));
    Ok(all)
}

/// What was typed, if anything.
pub(super) fn search(params: &Params) -> Option<&str> {
    params.one("search").filter(|text| !text.trim().is_empty())
}

fn any(
    params: &Params,
    name: &str,
    condition: impl Fn(&str) -> Result<Condition, Refusal>,
) -> Result<Option<Condition>, Refusal> {
    let parts = params.list(name).into_iter().map(condition).collect::<Result<Vec<_>, _>>()?;
    Ok((!parts.is_empty()).then_some(Condition::Any(parts)))
}

fn words(params: &Params, name: &str, field: WordField) -> Result<Option<Condition>, Refusal> {
    any(params, name, |word| Ok(Condition::Word(field, word.to_owned())))
}

fn flag(params: &Params, name: &str, condition: Condition) -> Option<Condition> {
    Some(if params.flag(name)? { condition } else { Condition::Not(Box::new(condition)) })
}

/// `Name,role`, split at the last comma; a name may hold others.
fn author(text: &str) -> Option<Condition> {
    let (name, role) = text.rsplit_once(',').map_or((text, None), |(name, role)| (name, Some(role.trim())));
    let role = role.filter(|role| !role.is_empty()).map(str::to_owned);
    let name = Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    (name.is_some() || role.is_some()).then_some(Condition::Author { name, role })
}

fn upper(name: &str, word: &str, known: &[&'static str]) -> Result<&'static str, Refusal> {
    let found = known.iter().find(|known| known.eq_ignore_ascii_case(word));
    found.copied().ok_or_else(|| Refusal::invalid(format!("{name}: must be one of {}", known.join(", "))))
}

pub(super) fn read_state(word: &str) -> Result<Condition, Refusal> {
    Ok(Condition::Read(match upper("read_status", word, &["UNREAD", "IN_PROGRESS", "READ"])? {
        "UNREAD" => ReadState::Unread,
        "READ" => ReadState::Read,
        _ => ReadState::Started,
    }))
}

pub(super) fn status(word: &str) -> Result<Condition, Refusal> {
    let word = upper("status", word, &["ENDED", "ONGOING", "ABANDONED", "HIATUS"])?;
    Ok(Condition::Status(word.to_owned()))
}

pub(super) fn media_status(word: &str) -> Result<Condition, Refusal> {
    Ok(match upper("media_status", word, &["READY", "ERROR", "UNKNOWN", "UNSUPPORTED", "OUTDATED"])? {
        "READY" => Condition::Readable,
        "ERROR" => Condition::Not(Box::new(Condition::Readable)),
        _ => Condition::Any(Vec::new()),
    })
}

/// `None` asks for what has no rating.
fn age_rating(word: &str) -> Result<Condition, Refusal> {
    if word.eq_ignore_ascii_case("none") {
        return Ok(Condition::Not(Box::new(Condition::Rated)));
    }
    let years: u32 = word.parse().map_err(|_| Refusal::invalid("age_rating: must be a number or None"))?;
    Ok(Condition::AgeRating(Comparison::Equal, years.into()))
}

/// Of a date of release.
fn year(word: &str) -> Result<Condition, Refusal> {
    let year: u16 = word.parse().map_err(|_| Refusal::invalid("release_year: must be a year"))?;
    let after = Condition::Released(Comparison::More, format!("{year:04}-00"));
    Ok(Condition::All(vec![after, Condition::Released(Comparison::Less, format!("{year:04}-99"))]))
}

/// `yyyy-MM-dd`, also where a time follows.
pub(super) fn date(name: &str, text: &str) -> Result<String, Refusal> {
    let day = text.get(..10).unwrap_or(text);
    let date: Result<jiff::civil::Date, _> = day.parse();
    date.map(|date| date.to_string()).map_err(|_| Refusal::invalid(format!("{name}: must be a date like 2026-01-31")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_of_one_filter_are_alternatives_and_filters_all_hold() {
        let read = of_series(&Params::parse("status=ended,HIATUS&library_id=a&library_id=b&deleted=false")).unwrap();
        let status = |word: &str| Condition::Status(word.into());
        let library = |id: &str| Condition::Library(id.into());
        let wanted = [
            Condition::Any(vec![library("a"), library("b")]),
            Condition::Not(Box::new(Condition::Trashed)),
            Condition::Any(vec![status("ENDED"), status("HIATUS")]),
        ];
        assert_eq!(read, Condition::All(wanted.into()));
    }

    #[test]
    fn an_author_is_split_at_the_last_comma() {
        let read = |text: &str| author(text);
        let told = |name: &str, role: &str| {
            let given = |text: &str| Some(text.to_owned()).filter(|text| !text.is_empty());
            Some(Condition::Author { name: given(name), role: given(role) })
        };
        assert_eq!(read("Doe, Jane,writer"), told("Doe, Jane", "writer"));
        assert_eq!(read("Jane"), told("Jane", ""));
        assert_eq!(read(",writer"), told("", "writer"));
        assert_eq!(read(","), None);
    }

    proptest! {
        #[test]
        fn any_filter_is_taken_or_refused(query in "(read_status|status|age_rating|release_year|released_after|author|search|deleted)=\\PC{0,20}") {
            let params = Params::parse(&query);
            let _ = (of_series(&params), of_books(&params));
        }
    }
}
