//! How texts are compared.

use std::borrow::Cow;

use unicode_normalization::UnicodeNormalization as _;

/// Brings a text into the form in which case and composition make no difference.
pub(crate) fn fold(text: &str) -> Cow<'_, str> {
    if !text.is_ascii() {
        return Cow::Owned(text.nfd().flat_map(char::to_lowercase).nfc().collect());
    }
    if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
        return Cow::Owned(text.to_ascii_lowercase());
    }
    Cow::Borrowed(text)
}

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
    fn case_and_composition_make_no_difference() {
        for (a, b) in [("ABC", "abc"), ("É", "e\u{301}"), ("ÄÖ", "äö"), ("İ", "i\u{307}")] {
            assert_eq!(fold(a), fold(b));
        }
        assert_ne!(fold("a"), fold("á"));
        assert!(matches!(fold("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn a_prefix_is_cut_at_characters() {
        assert_eq!(strip_prefix_folded("URN:a:b", "urn:a"), Some(":b"));
        assert_eq!(strip_prefix_folded("é", "a"), None);
    }
}
