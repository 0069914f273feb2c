//! What canonical XML writes otherwise (Canonical XML 1.0 §2.3).

const TEXT: u8 = 1;
const ATTRIBUTE: u8 = 2;

/// In which places each octet is written otherwise.
static ESCAPED: [u8; 256] = escaped();

const fn escaped() -> [u8; 256] {
    let mut table = [0; 256];
    #[expect(clippy::indexing_slicing, reason = "each is an index of a table of 256")]
    {
        table[b'&' as usize] = TEXT | ATTRIBUTE;
        table[b'<' as usize] = TEXT | ATTRIBUTE;
        table[b'\r' as usize] = TEXT | ATTRIBUTE;
        table[b'>' as usize] = TEXT;
        table[b'"' as usize] = ATTRIBUTE;
        table[b'\t' as usize] = ATTRIBUTE;
        table[b'\n' as usize] = ATTRIBUTE;
    }
    table
}

/// Canonical XML 1.0 §2.3, text nodes.
pub(super) fn escape_text(text: &str, out: &mut String) {
    escape(text, out, TEXT);
}

/// Canonical XML 1.0 §2.3, attribute nodes.
pub(super) fn escape_attribute(text: &str, out: &mut String) {
    escape(text, out, ATTRIBUTE);
}

fn escape(text: &str, out: &mut String, place: u8) {
    let is_escaped = |octet: u8| ESCAPED.get(usize::from(octet)).is_some_and(|places| places & place != 0);
    let mut rest = text;
    while let Some(at) = rest.bytes().position(is_escaped) {
        let (before, from) = rest.split_at(at);
        out.push_str(before);
        out.push_str(match from.as_bytes().first() {
            Some(b'&') => "&amp;",
            Some(b'<') => "&lt;",
            Some(b'>') => "&gt;",
            Some(b'"') => "&quot;",
            Some(b'\t') => "&#x9;",
            Some(b'\n') => "&#xA;",
            _ => "&#xD;",
        });
        rest = from.get(1..).unwrap_or_default();
    }
    out.push_str(rest);
}
