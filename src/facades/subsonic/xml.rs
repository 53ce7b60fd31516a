//! A tree as XML.
use super::tree::{Child, Children, Element, Value};

const HEAD: &str = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n";

/// A document. Without what only OpenSubsonic knows, where the program would misread it.
pub(super) fn document(name: &str, root: &Element, open: bool) -> String {
    let mut out = String::from(HEAD);
    Writer { out: &mut out, open }.element(name, root);
    out
}

struct Writer<'a> {
    out: &'a mut String,
    open: bool,
}

impl Writer<'_> {
    fn element(&mut self, name: &str, element: &Element) {
        self.out.push('<');
        self.out.push_str(name);
        for (name, value) in &element.attributes {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            self.value(value);
            self.out.push('"');
        }
        let children: Vec<&Child> = element.children.iter().filter(|child| self.open || !child.open).collect();
        if element.text.is_none() && children.iter().all(|child| is_empty(&child.children)) {
            self.out.push_str("/>");
            return;
        }
        self.out.push('>');
        if let Some(text) = &element.text {
            self.value(text);
        }
        for child in children {
            self.children(child.name, &child.children);
        }
        self.close(name);
    }

    fn children(&mut self, name: &str, children: &Children) {
        match children {
            Children::One(element) => self.element(name, element),
            Children::Many(elements) => elements.iter().for_each(|element| self.element(name, element)),
            Children::Plain(value) => self.plain(name, value),
            Children::Plains(values) => values.iter().for_each(|value| self.plain(name, value)),
        }
    }

    fn plain(&mut self, name: &str, value: &Value) {
        self.out.push('<');
        self.out.push_str(name);
        self.out.push('>');
        self.value(value);
        self.close(name);
    }

    fn close(&mut self, name: &str) {
        self.out.push_str("</");
        self.out.push_str(name);
        self.out.push('>');
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Text(text) => text.chars().for_each(|c| self.character(c)),
            Value::Int(number) => self.out.push_str(&number.to_string()),
            Value::Bool(true) => self.out.push_str("true"),
            Value::Bool(false) => self.out.push_str("false"),
            Value::Float(number) => self.out.push_str(&if number.is_finite() { *number } else { 0.0 }.to_string()),
        }
    }

    /// White space within an attribute would come out as a blank; what XML 1.0 (section 2.2) has no place for would end the document.
    fn character(&mut self, c: char) {
        match c {
            '&' => self.out.push_str("&amp;"),
            '<' => self.out.push_str("&lt;"),
            '>' => self.out.push_str("&gt;"),
            '"' => self.out.push_str("&quot;"),
            '\t' => self.out.push_str("&#9;"),
            '\n' => self.out.push_str("&#10;"),
            '\r' => self.out.push_str("&#13;"),
            '\0'..='\u{1f}' | '\u{fffe}' | '\u{ffff}' => self.out.push('\u{fffd}'),
            c => self.out.push(c),
        }
    }
}

fn is_empty(children: &Children) -> bool {
    match children {
        Children::Many(elements) => elements.is_empty(),
        Children::Plains(values) => values.is_empty(),
        Children::One(_) | Children::Plain(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(root: &Element) -> String {
        document("r", root, true).split_off(HEAD.len())
    }

    #[test]
    fn attributes_text_and_repeated_elements_are_written() {
        let genre = Element::new().with("songCount", 2_u32).text("Rock & Roll");
        let root = Element::new()
            .with("ok", true)
            .many("genre", vec![genre.clone(), genre])
            .plains("folder", vec![1_i64.into()]);
        let genre = "<genre songCount=\"2\">Rock &amp; Roll</genre>";
        assert_eq!(written(&root), format!("<r ok=\"true\">{genre}{genre}<folder>1</folder></r>"));
        assert_eq!(written(&Element::new().many("genre", vec![])), "<r/>");
    }

    #[test]
    fn what_xml_has_no_place_for_does_not_end_the_document() {
        let text = "a\0\u{1b}\u{ffff}<\">'\n\t&amp;é💩";
        let written = written(&Element::new().with("a", text));
        assert_eq!(written, "<r a=\"a\u{fffd}\u{fffd}\u{fffd}&lt;&quot;&gt;'&#10;&#9;&amp;amp;é💩\"/>");
    }

    #[test]
    fn what_only_opensubsonic_knows_is_left_out_for_who_would_misread_it() {
        let root = Element::new().with("bpm", 90_u32).open("artist", vec![Element::new()]);
        assert_eq!(document("r", &root, false).split_off(HEAD.len()), "<r bpm=\"90\"/>");
        assert_eq!(document("r", &root, true).split_off(HEAD.len()), "<r bpm=\"90\"><artist/></r>");
    }
}
