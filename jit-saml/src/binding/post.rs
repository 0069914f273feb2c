//! HTTP-POST: a page whose form sends itself (SAML Bindings §3.5).

use std::fmt;

use super::Direction;
use crate::base64_text;

/// A form that carries a message.
#[derive(Clone, PartialEq, Eq)]
pub struct PostForm {
    action: String,
    direction: Direction,
    message: String,
    relay_state: Option<String>,
}

impl PostForm {
    /// Writes a message into a form (SAML Bindings §3.5.4).
    #[must_use]
    pub fn new(
        action: impl Into<String>,
        direction: Direction,
        xml: &str,
        relay_state: Option<String>,
    ) -> Self {
        Self { action: action.into(), direction, message: base64_text::encode(xml.as_bytes()), relay_state }
    }

    /// Returns where the form goes.
    #[must_use]
    pub fn action(&self) -> &str {
        &self.action
    }

    /// Walks through the hidden fields, for applications that write the page themselves.
    pub fn fields(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let message = (self.direction.parameter(), self.message.as_str());
        std::iter::once(message).chain(self.relay_state.as_deref().map(|state| ("RelayState", state)))
    }

    /// Writes the page. It sends itself by a script that carries `nonce` for the content security policy; where scripts
    /// do not run, a button does.
    #[must_use]
    pub fn page(&self, nonce: &str) -> String {
        let mut page = String::with_capacity(self.message.len().saturating_add(1024));
        page.push_str(
            "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>One moment</title>",
        );
        page.push_str("</head><body><form method=\"post\" action=\"");
        escape(&self.action, &mut page);
        page.push_str("\">");
        for (name, value) in self.fields() {
            page.push_str("<input type=\"hidden\" name=\"");
            page.push_str(name);
            page.push_str("\" value=\"");
            escape(value, &mut page);
            page.push_str("\">");
        }
        page.push_str("<button type=\"submit\">Continue</button></form><script nonce=\"");
        escape(nonce, &mut page);
        page.push_str("\">document.forms[0].submit()</script></body></html>");
        page
    }
}

/// Escapes text for an attribute in double quotes.
fn escape(text: &str, page: &mut String) {
    for c in text.chars() {
        match c {
            '&' => page.push_str("&amp;"),
            '<' => page.push_str("&lt;"),
            '>' => page.push_str("&gt;"),
            '"' => page.push_str("&quot;"),
            '\'' => page.push_str("&#39;"),
            c => page.push(c),
        }
    }
}

/// Shows where the form goes and not what it says.
impl fmt::Debug for PostForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("PostForm").field("action", &self.action).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_attribute() {
        let state = "\"><script>alert('1')</script>&".to_owned();
        let form =
            PostForm::new("https://idp.example.org/?a=1&b=\"2\"", Direction::Request, "<a/>", Some(state));
        let page = form.page("n\"once");
        assert_eq!(page.matches("<script").count(), 1);
        assert!(page.contains("action=\"https://idp.example.org/?a=1&amp;b=&quot;2&quot;\""));
        assert!(page.contains("value=\"&quot;&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&amp;\""));
        assert!(page.contains("nonce=\"n&quot;once\""));
        assert_eq!(form.fields().next(), Some(("SAMLRequest", "PGEvPg==")));
        assert!(!format!("{form:?}").contains("PGEv"));
    }
}
