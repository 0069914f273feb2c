//! Names of elements, attributes and instructions.

use super::XmlError;

const NAME: u8 = 1;
const START: u8 = 2;
const COLON: u8 = 4;
const BEYOND: u8 = 8;

/// What each octet may be in a name; octets of longer characters are looked at one character at a time.
static CLASSES: [u8; 256] = classes();

const fn classes() -> [u8; 256] {
    let mut table = [0; 256];
    let mut octet = 0_u8;
    loop {
        let class = match octet {
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => NAME | START,
            b'0'..=b'9' | b'-' | b'.' => NAME,
            b':' => COLON,
            0x80.. => BEYOND,
            _ => 0,
        };
        #[expect(clippy::indexing_slicing, reason = "an octet is always an index of a table of 256")]
        {
            table[octet as usize] = class;
        }
        if octet == u8::MAX {
            return table;
        }
        octet += 1;
    }
}

fn class(octet: u8) -> u8 {
    CLASSES.get(usize::from(octet)).copied().unwrap_or_default()
}

/// Answers how many octets at the start of `text` could belong to a name.
pub(super) fn extent(text: &[u8]) -> usize {
    text.iter().position(|octet| class(*octet) == 0).unwrap_or(text.len())
}

/// Answers the length of the prefix of a qualified name, 0 where there is none (Namespaces in XML 1.0 §4).
pub(super) fn prefix_length(name: &str) -> Result<usize, XmlError> {
    let seen = name.bytes().fold(0, |seen, octet| seen | if class(octet) == 0 { 16 } else { class(octet) });
    if seen & 16 != 0 || name.is_empty() {
        return Err(XmlError::NameInvalid);
    }
    let mut parts = name.split(':');
    let first = parts.next().unwrap_or_default();
    let second = parts.next();
    if parts.next().is_some() || first.is_empty() || second == Some("") {
        return Err(XmlError::QualifiedNameInvalid);
    }
    if !begins_well(first) || !second.is_none_or(begins_well) || (seen & BEYOND != 0 && !all_allowed(name)) {
        return Err(XmlError::NameInvalid);
    }
    Ok(second.map_or(0, |_| first.len()))
}

/// Checks a name without a colon, such as the target of an instruction.
pub(super) fn is_plain_name(name: &str) -> bool {
    !name.contains(':') && prefix_length(name).is_ok()
}

fn begins_well(part: &str) -> bool {
    match part.as_bytes().first() {
        Some(octet) if octet.is_ascii() => class(*octet) & START != 0,
        _ => part.chars().next().is_some_and(is_start_beyond_ascii),
    }
}

fn all_allowed(name: &str) -> bool {
    name.chars().all(|character| character.is_ascii() || is_name_beyond_ascii(character))
}

/// XML 1.0 (fifth edition) §2.3, `NameStartChar`.
fn is_start_beyond_ascii(character: char) -> bool {
    matches!(character,
        '\u{c0}'..='\u{d6}' | '\u{d8}'..='\u{f6}' | '\u{f8}'..='\u{2ff}' | '\u{370}'..='\u{37d}'
        | '\u{37f}'..='\u{1fff}' | '\u{200c}'..='\u{200d}' | '\u{2070}'..='\u{218f}' | '\u{2c00}'..='\u{2fef}'
        | '\u{3001}'..='\u{d7ff}' | '\u{f900}'..='\u{fdcf}' | '\u{fdf0}'..='\u{fffd}' | '\u{10000}'..='\u{effff}')
}

/// XML 1.0 (fifth edition) §2.3, `NameChar`.
fn is_name_beyond_ascii(character: char) -> bool {
    is_start_beyond_ascii(character)
        || matches!(character, '\u{b7}' | '\u{300}'..='\u{36f}' | '\u{203f}'..='\u{2040}')
}
