//! The one pass over the octets before anything is parsed: UTF-8, characters that XML forbids, line ends.

use std::borrow::Cow;

use super::XmlError;

const BYTE_ORDER_MARK: &str = "\u{feff}";
const BLOCK: usize = 128;

/// Answers the text without its byte order mark, with line ends normalised (XML 1.0 §2.11).
pub(super) fn text(octets: &[u8]) -> Result<Cow<'_, str>, XmlError> {
    let findings = look(octets);
    if findings.forbidden {
        return Err(XmlError::ForbiddenCharacter);
    }
    let text = std::str::from_utf8(octets).map_err(|_| XmlError::Utf8Invalid)?;
    if !findings.ascii && text.contains(['\u{fffe}', '\u{ffff}']) {
        return Err(XmlError::ForbiddenCharacter);
    }
    let text = text.strip_prefix(BYTE_ORDER_MARK).unwrap_or(text);
    // quick-xml would leave out another one and count its places without it
    if text.starts_with(BYTE_ORDER_MARK) {
        return Err(XmlError::TextOutsideRoot);
    }
    Ok(if findings.carriage_return { Cow::Owned(normalise_line_ends(text)) } else { Cow::Borrowed(text) })
}

struct Findings {
    ascii: bool,
    forbidden: bool,
    carriage_return: bool,
}

fn look(octets: &[u8]) -> Findings {
    let (blocks, rest) = octets.as_chunks::<BLOCK>();
    let odd = blocks.iter().filter(|block| !is_plain(block));
    let whole = odd.fold([0; 3], |seen, block| look_at(block, seen));
    let [high, forbidden, returns] = look_at(rest, whole);
    Findings { ascii: high == 0, forbidden: forbidden != 0, carriage_return: returns != 0 }
}

/// Tells whether a block holds printable ASCII only, which is the usual one and costs less to find out.
#[inline]
fn is_plain(block: &[u8; BLOCK]) -> bool {
    block.iter().fold(0, |seen, octet| seen | octet.wrapping_sub(b' ') | octet) & 0x80 == 0
}

/// Does nothing but `or`, on blocks of one size, so that the compiler makes vector instructions of it.
#[inline]
fn look_at(octets: &[u8], seen: [u8; 3]) -> [u8; 3] {
    octets.iter().fold(seen, |[high, forbidden, returns], octet| {
        let carriage_return = u8::from(*octet == b'\r');
        let space = u8::from(*octet == b'\t') | u8::from(*octet == b'\n') | carriage_return;
        [high | (octet & 0x80), forbidden | (u8::from(*octet < 0x20) & !space), returns | carriage_return]
    })
}

fn normalise_line_ends(text: &str) -> String {
    let mut normal = String::with_capacity(text.len());
    let mut lines = text.split('\r');
    normal.push_str(lines.next().unwrap_or_default());
    for line in lines {
        normal.push('\n');
        normal.push_str(line.strip_prefix('\n').unwrap_or(line));
    }
    normal
}
