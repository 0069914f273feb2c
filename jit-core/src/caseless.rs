//! How texts are compared where case and form make no difference.

use std::borrow::Cow;

use unicode_normalization::{IsNormalized, UnicodeNormalization, is_nfkc_quick};

/// Brings a text into the form in which case, width and composition make no difference: NFKC, then lower, upper and lower case,
/// so that `ß` and `SS`, `ς` and `Σ`, the Kelvin sign and `k` are one. Letter by letter: what a text begins with, its form
/// begins with, whatever follows.
///
/// User names are compared like this, and so is whatever has to agree with them.
#[must_use]
pub fn caseless(text: &str) -> Cow<'_, str> {
    if text.is_ascii() {
        let has_upper = text.bytes().any(|byte| byte.is_ascii_uppercase());
        return if has_upper { text.to_ascii_lowercase().into() } else { text.into() };
    }
    let mut folded = String::with_capacity(text.len());
    if is_nfkc_quick(text.chars()) == IsNormalized::Yes {
        text.chars().for_each(|c| fold(c, &mut folded));
    } else {
        text.nfkc().for_each(|c| fold(c, &mut folded));
    }
    if is_nfkc_quick(folded.chars()) == IsNormalized::Yes { folded.into() } else { folded.nfkc().collect() }
}

fn fold(c: char, into: &mut String) {
    if c.is_ascii() {
        into.push(c.to_ascii_lowercase());
    } else {
        into.extend(c.to_lowercase().flat_map(char::to_uppercase).flat_map(char::to_lowercase));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_differs_in_case_or_form_alone_is_one() {
        for (a, b) in [
            ("ABC", "abc"),
            ("É", "e\u{301}"),
            ("İ", "i\u{307}"),
            ("straße", "STRASSE"),
            ("σοφος", "ΣΟΦΟΣ"),
            ("ﬁ", "FI"),
            ("ａｂ", "AB"),
            ("\u{212a}", "K"),
        ] {
            assert_eq!(caseless(a), caseless(b), "{a}");
        }
        assert_ne!(caseless("a"), caseless("á"));
        assert!(matches!(caseless("plain"), Cow::Borrowed(_)));
    }

    #[test]
    fn the_form_of_a_beginning_is_the_beginning_of_the_form() {
        assert!(caseless("ΟΣΑ").starts_with(&*caseless("ΟΣ")));
        assert!(caseless("Straßen").starts_with(&*caseless("STRASSE")));
    }

    #[test]
    fn what_is_brought_into_its_form_stays_so() {
        for c in '\0'..=char::MAX {
            let folded = caseless(c.encode_utf8(&mut [0; 4])).into_owned();
            assert_eq!(caseless(&folded), folded, "{c:?}");
        }
    }
}
