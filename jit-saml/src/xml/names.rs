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

/// The extent of a qualified name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Extent {
    pub(super) length: usize,
    /// The length of the prefix, 0 where there is none.
    pub(super) prefix: usize,
}

/// Reads the qualified name at the start of `text` (Namespaces in XML 1.0 §4).
pub(super) fn qualified(text: &str) -> Result<Extent, XmlError> {
    let octets = text.as_bytes();
    let first = word(octets, 0);
    let (prefix, length) = match octets.get(first) {
        Some(b':') => (first, word(octets, first + 1)),
        _ => (0, first),
    };
    // Another colon, or a character beyond ASCII: rare enough to begin again slowly.
    if octets.get(length).is_some_and(|octet| class(*octet) != 0) {
        return qualified_beyond_ascii(text);
    }
    if length == 0 {
        return Err(XmlError::NameInvalid);
    }
    let local = if octets.get(first) == Some(&b':') { first + 1 } else { 0 };
    if local > 0 && (first == 0 || local == length) {
        return Err(XmlError::QualifiedNameInvalid);
    }
    let sound = starts_at(octets, 0) && starts_at(octets, local);
    if sound { Ok(Extent { length, prefix }) } else { Err(XmlError::NameInvalid) }
}

/// Answers where the run of ASCII name characters ends that begins at `start`.
fn word(octets: &[u8], start: usize) -> usize {
    let run = octets.get(start..).unwrap_or_default();
    start + run.iter().position(|octet| class(*octet) & NAME == 0).unwrap_or(run.len())
}

fn qualified_beyond_ascii(text: &str) -> Result<Extent, XmlError> {
    let length = text.bytes().position(|octet| class(octet) == 0).unwrap_or(text.len());
    let name = text.get(..length).ok_or(XmlError::NameInvalid)?;
    let mut parts = name.split(':');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    if parts.next().is_some() || (second.is_some() && (first.is_empty() || second == Some(""))) {
        return Err(XmlError::QualifiedNameInvalid);
    }
    if !name.split(':').all(is_part) {
        return Err(XmlError::NameInvalid);
    }
    Ok(Extent { length, prefix: second.map_or(0, |_| first.len()) })
}

fn starts_at(octets: &[u8], place: usize) -> bool {
    octets.get(place).is_some_and(|octet| class(*octet) & START != 0)
}

/// Checks a name without a colon, such as the target of an instruction.
pub(super) fn is_plain_name(name: &str) -> bool {
    qualified(name).is_ok_and(|extent| extent.length == name.len() && extent.prefix == 0)
}

/// Checks prefix or local name, one character at a time.
fn is_part(part: &str) -> bool {
    let is_start = |character: char| match u8::try_from(character) {
        Ok(octet) if octet.is_ascii() => class(octet) & START != 0,
        _ => is_start_beyond_ascii(character),
    };
    part.starts_with(is_start)
        && part.chars().all(|character| character.is_ascii() || is_name_beyond_ascii(character))
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
