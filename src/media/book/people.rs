//! Those who made a book, with their roles in Komga's words.
use serde::{Deserialize, Serialize};

/// Somebody, and what they did.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Author {
    /// As the book has it.
    pub name: String,
    /// `writer`, `penciller`, `inker`, `colorist`, `letterer`, `cover`, `editor` or `translator`.
    pub role: String,
}

/// Parts of a list with commas, trimmed, without empty ones.
pub(super) fn listed(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim).filter(|part| !part.is_empty())
}

/// Adds all in a list with commas, each once for a role.
pub(super) fn add_all(authors: &mut Vec<Author>, names: &str, role: &str) {
    for name in listed(names) {
        let author = Author { name: name.to_owned(), role: role.to_owned() };
        if !authors.contains(&author) {
            authors.push(author);
        }
    }
}

/// The role of a MARC relator code, as in `opf:role` (EPUB 3.3, appendix D.3.7); what Komga has no word for is `None`.
pub(super) fn role_of_relator(code: &str) -> Option<&'static str> {
    match code.to_ascii_lowercase().as_str() {
        "aut" => Some("writer"),
        "art" | "ill" => Some("penciller"),
        "clr" => Some("colorist"),
        "cov" => Some("cover"),
        "edt" => Some("editor"),
        "trl" => Some("translator"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_each_name_once() {
        let mut authors = Vec::new();
        add_all(&mut authors, "Jane Doe, , Joe Doe,Jane Doe", "writer");
        add_all(&mut authors, "Jane Doe", "inker");
        let told: Vec<_> = authors.iter().map(|a| (a.name.as_str(), a.role.as_str())).collect();
        assert_eq!(told, [("Jane Doe", "writer"), ("Joe Doe", "writer"), ("Jane Doe", "inker")]);
    }
}
