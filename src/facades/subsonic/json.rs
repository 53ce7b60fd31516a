//! A tree as JSON, and as a script that calls a function with it.
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};

use super::tree::{Children, Element, Value};

/// Longest name of a function, in bytes.
const CALLBACK_MAX: usize = 256;

/// The document `{name: root}`.
pub(super) fn document(name: &'static str, root: &Element) -> String {
    let root = Element::new().one(name, root.clone());
    // Names and values of a tree have no form that JSON lacks.
    serde_json::to_string(&root).unwrap_or_default()
}

/// A call of the function with the document. Line separators of Unicode end a line in old scripts, and nothing else differs.
pub(super) fn script(callback: &str, document: &str) -> String {
    let document = document.replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    format!("{callback}({document});")
}

/// Whether it names a function and is nothing else: identifiers with points between them.
pub(super) fn is_function(callback: &str) -> bool {
    let identifier = |part: &str| {
        let first = part.chars().next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == '$');
        first && part.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '$')
    };
    callback.len() <= CALLBACK_MAX && callback.split('.').all(identifier)
}

impl Serialize for Value {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Text(text) => serializer.serialize_str(text),
            Self::Int(number) => serializer.serialize_i64(*number),
            Self::Bool(flag) => serializer.serialize_bool(*flag),
            Self::Float(number) => serializer.serialize_f64(if number.is_finite() { *number } else { 0.0 }),
        }
    }
}

impl Serialize for Children {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::One(element) => element.serialize(serializer),
            Self::Many(elements) => list(serializer, elements),
            Self::Plains(values) => list(serializer, values),
            Self::Plain(value) => value.serialize(serializer),
        }
    }
}

fn list<S: Serializer, T: Serialize>(serializer: S, parts: &[T]) -> Result<S::Ok, S::Error> {
    let mut list = serializer.serialize_seq(Some(parts.len()))?;
    for part in parts {
        list.serialize_element(part)?;
    }
    list.end()
}

impl Serialize for Element {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(None)?;
        for (name, value) in &self.attributes {
            map.serialize_entry(name, value)?;
        }
        if let Some(text) = &self.text {
            map.serialize_entry("value", text)?;
        }
        for child in &self.children {
            map.serialize_entry(child.name, &child.children)?;
        }
        map.end()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_many_is_a_list_and_a_text_is_the_value() {
        let genre = Element::new().with("songCount", 2_u32).text("Rock");
        let root = Element::new().with("ok", true).many("genre", vec![genre]).many("song", vec![]);
        let root = root.plains("folder", vec![1_i64.into()]).with("gain", f64::NAN);
        let wanted = r#"{"r":{"ok":true,"gain":0.0,"genre":[{"songCount":2,"value":"Rock"}],"song":[],"folder":[1]}}"#;
        assert_eq!(document("r", &root), wanted);
    }

    #[test]
    fn a_callback_is_the_name_of_a_function_and_nothing_else() {
        for name in ["f", "_a.$b9", "jQuery123_456"] {
            assert!(is_function(name), "{name}");
        }
        let long = "a".repeat(CALLBACK_MAX + 1);
        for name in ["", "1a", "a.", ".a", "a b", "alert(1)", "a;b", "a</script>", "é", &long] {
            assert!(!is_function(name), "{name}");
        }
    }

    #[test]
    fn a_script_has_no_line_that_ends_within_a_text() {
        assert_eq!(script("f", "{\"a\":\"\u{2028}\"}"), "f({\"a\":\"\\u2028\"});");
    }
}
