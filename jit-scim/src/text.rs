//! How texts are compared.

use std::borrow::Cow;

pub(crate) use jit_core::caseless as fold;

/// Brings a text into the form in which its attribute compares it.
pub(crate) fn comparable(text: &str, case_exact: bool) -> Cow<'_, str> {
    if case_exact { Cow::Borrowed(text) } else { fold(text) }
}

/// Takes a prefix off, without regard to case of ASCII letters.
pub(crate) fn strip_prefix_folded<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let (head, tail) = text.split_at_checked(prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then_some(tail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_cut_at_characters() {
        assert_eq!(strip_prefix_folded("URN:a:b", "urn:a"), Some(":b"));
        assert_eq!(strip_prefix_folded("é", "a"), None);
    }
}
