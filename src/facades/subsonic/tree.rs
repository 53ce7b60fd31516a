//! What an answer holds, in one tree that XML and JSON are both written from.
//!
//! | here | XML | JSON |
//! |---|---|---|
//! | attribute | attribute | member; numbers and booleans without quotes |
//! | one child | element | object |
//! | many children | repeated element | array, however many there are |
//! | text beside attributes | text | member `value` |
//! | plain values | elements with text alone | array of values |
//!
//! A child that only OpenSubsonic knows is marked: programs that match elements by name anywhere would take it for another.

/// A value of an attribute or of an element's text.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::facades) enum Value {
    Text(String),
    Int(i64),
    Bool(bool),
    /// Written as 0 where it is no number.
    Float(f64),
}

macro_rules! value_from {
    ($($kind:ty => $make:expr),* $(,)?) => {$(
        impl From<$kind> for Value {
            fn from(value: $kind) -> Self {
                ($make)(value)
            }
        }
    )*};
}

value_from! {
    &str => |text: &str| Self::Text(text.to_owned()),
    String => Self::Text,
    i64 => Self::Int,
    u32 => |number: u32| Self::Int(number.into()),
    u64 => |number: u64| Self::Int(i64::try_from(number).unwrap_or(i64::MAX)),
    usize => |number: usize| Self::Int(i64::try_from(number).unwrap_or(i64::MAX)),
    bool => Self::Bool,
    f64 => Self::Float,
}

/// What stands below a name. Plain values are elements of text alone.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::facades) enum Children {
    One(Element),
    Many(Vec<Element>),
    Plains(Vec<Value>),
    Plain(Value),
}

/// A name within an element, and what stands below it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::facades) struct Child {
    pub name: &'static str,
    pub children: Children,
    /// Only OpenSubsonic knows it.
    pub open: bool,
}

/// An element without its name.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::facades) struct Element {
    pub attributes: Vec<(&'static str, Value)>,
    pub children: Vec<Child>,
    pub text: Option<Value>,
}

impl Element {
    pub fn new() -> Self {
        Self::default()
    }

    /// With an attribute.
    pub fn with(mut self, name: &'static str, value: impl Into<Value>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// With an attribute that may be absent.
    pub fn maybe<V: Into<Value>>(self, name: &'static str, value: Option<V>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// With a child that comes once.
    pub fn one(self, name: &'static str, child: Self) -> Self {
        self.child(name, Children::One(child))
    }

    /// With a child that may come several times.
    pub fn many(self, name: &'static str, children: Vec<Self>) -> Self {
        self.child(name, Children::Many(children))
    }

    /// With an element of text alone that may come several times.
    pub fn plains(self, name: &'static str, values: Vec<Value>) -> Self {
        self.child(name, Children::Plains(values))
    }

    /// With a text of its own.
    pub fn text(self, text: impl Into<Value>) -> Self {
        Self { text: Some(text.into()), ..self }
    }

    /// With a child that may come several times, and that only OpenSubsonic knows.
    pub fn open(mut self, name: &'static str, children: Vec<Self>) -> Self {
        self.children.push(Child { name, children: Children::Many(children), open: true });
        self
    }

    /// The same with one child.
    pub fn open_one(mut self, name: &'static str, child: Self) -> Self {
        self.children.push(Child { name, children: Children::One(child), open: true });
        self
    }

    /// The same with elements of text alone.
    pub fn open_plains(mut self, name: &'static str, values: Vec<Value>) -> Self {
        self.children.push(Child { name, children: Children::Plains(values), open: true });
        self
    }

    /// With an element of text alone that comes once.
    pub fn plain(self, name: &'static str, value: impl Into<Value>) -> Self {
        self.child(name, Children::Plain(value.into()))
    }

    fn child(mut self, name: &'static str, children: Children) -> Self {
        self.children.push(Child { name, children, open: false });
        self
    }
}
