//! Writes XML: names are given, values are escaped, elements close in order.

use super::escape::{escape_attribute, escape_text};

/// Writes one document or fragment. Names are taken as they are and come from the program, never from outside; values
/// and texts are escaped.
#[derive(Debug, Default)]
#[must_use]
pub struct Writer {
    out: String,
    open: Vec<String>,
    /// The last start tag still lacks its end.
    in_tag: bool,
}

impl Writer {
    /// Begins with nothing.
    pub fn new() -> Self {
        Self::default()
    }

    /// Opens an element by its qualified name.
    pub fn open(mut self, name: &str) -> Self {
        self.end_tag();
        self.out.push('<');
        self.out.push_str(name);
        self.open.push(name.to_owned());
        self.in_tag = true;
        self
    }

    /// Adds an attribute, or a declaration of a namespace, to the element just opened. Elsewhere it does nothing.
    pub fn attribute(mut self, name: &str, value: &str) -> Self {
        if self.in_tag {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape_attribute(value, &mut self.out);
            self.out.push('"');
        }
        self
    }

    /// Adds an attribute where there is a value.
    pub fn optional(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.attribute(name, value),
            None => self,
        }
    }

    /// Adds text to the open element.
    pub fn text(mut self, text: &str) -> Self {
        self.end_tag();
        escape_text(text, &mut self.out);
        self
    }

    /// Adds what another writer wrote.
    pub fn fragment(mut self, fragment: Self) -> Self {
        self.end_tag();
        self.out.push_str(&fragment.finish());
        self
    }

    /// Adds an element that holds text only.
    pub fn leaf(self, name: &str, text: &str) -> Self {
        self.open(name).text(text).close()
    }

    /// Lets `content` add to the open element, for loops and conditions.
    pub fn with(self, content: impl FnOnce(Self) -> Self) -> Self {
        content(self)
    }

    /// Closes the element opened last.
    pub fn close(mut self) -> Self {
        if let Some(name) = self.open.pop() {
            if self.in_tag {
                self.in_tag = false;
                self.out.push_str("/>");
            } else {
                self.out.push_str("</");
                self.out.push_str(&name);
                self.out.push('>');
            }
        }
        self
    }

    /// Closes all that is open and answers the text.
    #[must_use]
    pub fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self = self.close();
        }
        self.out
    }

    fn end_tag(&mut self) {
        if std::mem::take(&mut self.in_tag) {
            self.out.push('>');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::xml::{Document, Limits};

    #[test]
    fn values_cannot_leave_their_place() {
        let evil = "\"><x/>&lt;\r\n\t]]>";
        let text = Writer::new().open("a").attribute("b", evil).open("c").text(evil).finish();
        let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
        assert_eq!(document.root().attribute("b"), Some(evil));
        let child = document.root().children().next().unwrap();
        assert_eq!(child.only_text().unwrap(), evil);
        assert_eq!(document.root().descendants().count(), 1);
    }
}
