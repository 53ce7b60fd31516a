//! What a call says: the query and the form that came with it, as one list. Nothing is refused here.
use percent_encoding::percent_decode_str;

use super::fault::Fault;

/// Pairs at most; the rest is left out. A queue of so many songs is one call.
const PAIRS_MAX: usize = 60_000;

/// Names and values, decoded, in their order: the query before the form.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::facades) struct Params(Vec<(String, String)>);

impl Params {
    /// Of a query without its question mark, and of a form.
    pub fn parse(query: &str, form: &str) -> Self {
        let pairs = query.split('&').chain(form.split('&')).filter(|pair| !pair.is_empty()).take(PAIRS_MAX);
        let pairs = pairs.map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            (decoded(name), decoded(value))
        });
        Self(pairs.collect())
    }

    /// All values of a name.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// The first value that is not empty.
    pub fn one<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).find(|value| !value.is_empty())
    }

    /// The same of a parameter that has to be there.
    ///
    /// # Errors
    /// [`Fault`] where it is not.
    pub fn need<'a>(&'a self, name: &'a str) -> Result<&'a str, Fault> {
        self.one(name).ok_or_else(|| Fault::missing(name))
    }

    /// A whole number.
    ///
    /// # Errors
    /// [`Fault`] where there is something else.
    pub fn int(&self, name: &str) -> Result<Option<i64>, Fault> {
        let wrong = |_| Fault::invalid(format!("{name}: must be a whole number"));
        self.one(name).map(|text| text.trim().parse().map_err(wrong)).transpose()
    }

    /// All values of a name as whole numbers.
    ///
    /// # Errors
    /// [`Fault`] where there is something else.
    pub fn ints(&self, name: &str) -> Result<Vec<i64>, Fault> {
        let wrong = |_| Fault::invalid(format!("{name}: must be a whole number"));
        self.all(name).filter(|text| !text.is_empty()).map(|text| text.trim().parse().map_err(wrong)).collect()
    }

    /// `true` or `false`.
    ///
    /// # Errors
    /// [`Fault`] where there is something else.
    pub fn flag(&self, name: &str) -> Result<Option<bool>, Fault> {
        match self.one(name).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            None => Ok(None),
            Some("true" | "1") => Ok(Some(true)),
            Some("false" | "0") => Ok(Some(false)),
            Some(_) => Err(Fault::invalid(format!("{name}: must be true or false"))),
        }
    }
}

/// As UTF-8; where it is none, each byte is a letter of Latin-1, as old programs mean it.
fn decoded(text: &str) -> String {
    letters(percent_decode_str(&text.replace('+', " ")).collect())
}

pub(super) fn letters(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.into_bytes().into_iter().map(char::from).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn query_and_form_are_one_list() {
        let params = Params::parse("id=1&id=2&f=json", "id=3&c=a+b%26&f=xml");
        assert_eq!(params.all("id").collect::<Vec<_>>(), ["1", "2", "3"]);
        assert_eq!(params.one("c"), Some("a b&"));
        assert_eq!(params.one("f"), Some("json"));
        assert_eq!(params.one("x"), None);
    }

    #[test]
    fn bytes_that_are_no_utf_8_are_latin_1() {
        let params = Params::parse("a=%C3%A9&b=%E9&c=%FF%FE&d=%", "");
        let values = ["a", "b", "c", "d"].map(|name| params.one(name).unwrap().to_owned());
        assert_eq!(values, ["é", "é", "ÿþ", "%"]);
    }

    #[test]
    fn numbers_and_flags_are_what_they_say() {
        let params = Params::parse("n=7&m=x&y=true&z=maybe&e=", "");
        assert_eq!(params.int("n").unwrap(), Some(7));
        assert!(params.int("m").is_err() && params.flag("z").is_err() && params.need("e").is_err());
        assert_eq!((params.int("e").unwrap(), params.flag("y").unwrap()), (None, Some(true)));
    }

    proptest! {
        #[test]
        fn any_query_is_read(query in "\\PC{0,60}", form in "\\PC{0,60}") {
            let params = Params::parse(&query, &form);
            let _ = (params.int("a"), params.flag("a"), params.all("a").count());
        }
    }
}
