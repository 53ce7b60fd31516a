//! What was written of a series or a book elsewhere: which of it counts here, and what was taken before.
use std::collections::BTreeMap;

use rusqlite::types::Value;
use rusqlite::{OptionalExtension, Transaction, params};

use super::aliases::{MovedItem, TakenItems};
use super::{Disagreement, digest_of};
use crate::catalog::items::broken;
use crate::catalog::shelves::{Edit, EditField, EditValue, Shelf, edit};

/// One field.
#[derive(Debug, Clone, PartialEq)]
pub struct MovedField {
    pub field: EditField,
    pub value: EditValue,
    pub when: When,
}

/// When a value is taken. It is locked here then, so that no scan takes it away again.
#[derive(Debug, Clone, PartialEq)]
pub enum When {
    /// Somebody wrote and locked it.
    Always,
    /// Nobody locked it: where the field has one of these values, which is to say that nothing here tells anything.
    Where(Vec<EditValue>),
}

/// What was taken of a field before: `L` or `U` (locked there or not) with a digest of the value, or `K` where the value here
/// was kept.
type Taken = BTreeMap<String, String>;

/// What shall be done with a field.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    /// Nothing is new.
    Same,
    /// Its value is written, and locked.
    Take,
    /// What files say here counts.
    Leave,
    /// Somebody wrote something else here.
    Disagree,
}

pub(super) fn take(
    t: &Transaction<'_>,
    shelf: Shelf,
    new: &MovedItem,
    now: i64,
    told: &mut TakenItems,
) -> rusqlite::Result<()> {
    let sql = format!("SELECT locks FROM {} WHERE item = ?1", shelf.table());
    let locks: Option<String> = t.prepare_cached(&sql)?.query_row([new.item], |r| r.get(0)).optional()?;
    let Some(locks) = locks else { return Ok(()) };
    let locks: Vec<String> = serde_json::from_str(&locks).map_err(|error| broken("locks", error))?;
    let sql = "SELECT taken FROM alias WHERE id = ?1";
    let before: String = t.prepare_cached(sql)?.query_row([&new.id], |r| r.get(0))?;
    let mut taken: Taken = serde_json::from_str(&before).unwrap_or_default();
    let mut change = Edit::default();
    for told_of in &new.fields {
        let MovedField { field, value, when } = told_of;
        let (value, here) = (plain(value), current(t, shelf, new.item, *field)?);
        let locked = locks.iter().any(|lock| lock == field.word());
        let verdict = judge(taken.get(field.word()), &value, when, &here, locked);
        match verdict {
            Verdict::Same => continue,
            Verdict::Leave => told.left += 1,
            Verdict::Disagree => {
                let why = format!("{} was written here too, and stays", field.word());
                told.disagreements.push(Disagreement { id: new.id.clone(), why });
                continue;
            }
            Verdict::Take if here == value && locked => {}
            Verdict::Take => {
                told.fields += 1;
                change.values.extend((here != value).then(|| (*field, value.clone())));
                change.locks.push((*field, true));
            }
        }
        taken.insert(field.word().to_owned(), mark(&value, when, verdict == Verdict::Take));
    }
    if !change.locks.is_empty() {
        edit::apply(t, shelf, new.item, change, new.changed_at.unwrap_or(now).min(now))?;
    }
    let after = serde_json::to_string(&taken).unwrap_or(before);
    t.prepare_cached("UPDATE alias SET taken = ?2 WHERE id = ?1 AND taken <> ?2")?.execute([&new.id, &after])?;
    Ok(())
}

fn mark(value: &EditValue, when: &When, taken: bool) -> String {
    let letter = match when {
        When::Always => 'L',
        When::Where(_) if taken => 'U',
        When::Where(_) => 'K',
    };
    format!("{letter}{}", digest_of(&format!("{value:?}")))
}

fn judge(before: Option<&String>, value: &EditValue, when: &When, here: &EditValue, locked: bool) -> Verdict {
    if before.is_some_and(|before| *before == mark(value, when, true) || *before == mark(value, when, false)) {
        return Verdict::Same;
    }
    // Taken before, and still as it was taken: nobody wrote it here.
    let own = before
        .filter(|before| !before.starts_with('K'))
        .and_then(|before| before.get(1..))
        .is_some_and(|digest| digest == digest_of(&format!("{here:?}")));
    match when {
        When::Always if !locked || own || here == value => Verdict::Take,
        When::Where(_) if here == value => Verdict::Same,
        When::Where(_) if own => Verdict::Take,
        When::Where(empty) if !locked && empty.iter().any(|one| plain(one) == *here) => Verdict::Take,
        When::Where(_) if before.is_none_or(|before| before.starts_with('K')) => Verdict::Leave,
        _ => Verdict::Disagree,
    }
}

/// A value in the form in which two are compared.
fn plain(value: &EditValue) -> EditValue {
    match value {
        EditValue::List(text) => EditValue::List(plain_list(text)),
        other => other.clone(),
    }
}

fn plain_list(text: &str) -> String {
    serde_json::from_str::<serde_json::Value>(text).map_or_else(|_| text.to_owned(), |value| value.to_string())
}

fn is_list(field: EditField) -> bool {
    use EditField::{Authors, Genres, Labels, Links, Tags, Titles};
    matches!(field, Authors | Genres | Labels | Links | Tags | Titles)
}

/// What a field holds here.
fn current(t: &Transaction<'_>, shelf: Shelf, item: i64, field: EditField) -> rusqlite::Result<EditValue> {
    let sql = match field {
        EditField::Title | EditField::SortTitle | EditField::Genres => {
            format!("SELECT {} FROM item WHERE n = ?1", field.word())
        }
        EditField::Summary => "SELECT ifnull((SELECT text FROM overview WHERE item = ?1), '')".to_owned(),
        _ => format!("SELECT {} FROM {} WHERE item = ?1", field.word(), shelf.table()),
    };
    let value: Value = t.prepare_cached(&sql)?.query_row(params![item], |r| r.get(0))?;
    Ok(match value {
        Value::Text(text) if is_list(field) => EditValue::List(plain_list(&text)),
        Value::Text(text) => EditValue::Text(text),
        Value::Real(number) => EditValue::Number(number),
        Value::Integer(number) => u32::try_from(number).map_or(EditValue::Nothing, EditValue::Whole),
        Value::Null | Value::Blob(_) => EditValue::Nothing,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(text: &str) -> EditValue {
        EditValue::Text(text.to_owned())
    }

    fn gap() -> When {
        When::Where(vec![text("")])
    }

    #[test]
    fn a_locked_value_is_taken_unless_somebody_wrote_another_here() {
        assert_eq!(judge(None, &text("a"), &When::Always, &text("of the file"), false), Verdict::Take);
        assert_eq!(judge(None, &text("a"), &When::Always, &text("written"), true), Verdict::Disagree);
        assert_eq!(judge(None, &text("a"), &When::Always, &text("a"), true), Verdict::Take);
    }

    #[test]
    fn a_value_that_nobody_locked_fills_a_gap_and_nothing_else() {
        assert_eq!(judge(None, &text("a"), &gap(), &text(""), false), Verdict::Take);
        assert_eq!(judge(None, &text("a"), &gap(), &text("of the file"), false), Verdict::Leave);
        assert_eq!(judge(None, &text("a"), &gap(), &text("a"), false), Verdict::Same, "files go on telling it");
        assert_eq!(judge(None, &text("a"), &gap(), &text(""), true), Verdict::Leave, "emptied by a person");
    }

    #[test]
    fn what_was_taken_is_not_taken_again_and_a_newer_value_only_over_what_was_taken() {
        let before = mark(&text("a"), &When::Always, true);
        let judged = |value: &str, here: &str| judge(Some(&before), &text(value), &When::Always, &text(here), true);
        assert_eq!(judged("a", "changed here"), Verdict::Same);
        assert_eq!(judged("b", "a"), Verdict::Take);
        assert_eq!(judged("b", "changed here"), Verdict::Disagree);
        let kept = mark(&text("a"), &gap(), false);
        assert_eq!(judge(Some(&kept), &text("a"), &gap(), &text("of the file"), false), Verdict::Same);
        assert_eq!(judge(Some(&kept), &text("b"), &gap(), &text("of the file"), false), Verdict::Leave);
        assert_eq!(judge(Some(&kept), &text("b"), &When::Always, &text("of the file"), false), Verdict::Take);
    }

    #[test]
    fn lists_are_compared_by_what_they_hold() {
        let list = |text: &str| plain(&EditValue::List(text.to_owned()));
        assert_eq!(list(r#"[{"role":"writer", "name":"A"}]"#), list(r#"[{"name":"A","role":"writer"}]"#));
        assert_eq!(list("no json"), EditValue::List("no json".to_owned()));
    }
}
