//! References to characters: the five of XML and those by number.

use super::XmlError;

/// Answers the character that stands for `&name;` (XML 1.0 §4.1, §4.6).
pub(super) fn character(name: &str) -> Result<char, XmlError> {
    match name {
        "amp" => Ok('&'),
        "lt" => Ok('<'),
        "gt" => Ok('>'),
        "quot" => Ok('"'),
        "apos" => Ok('\''),
        _ => by_number(name).filter(|character| is_allowed(*character)).ok_or(XmlError::ReferenceInvalid),
    }
}

/// Appends `text` with its references resolved.
pub(super) fn resolve(text: &str, into: &mut String) -> Result<(), XmlError> {
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('&') {
        into.push_str(before);
        let (name, after) = after.split_once(';').ok_or(XmlError::ReferenceInvalid)?;
        into.push(character(name)?);
        rest = after;
    }
    into.push_str(rest);
    Ok(())
}

fn by_number(name: &str) -> Option<char> {
    let number = name.strip_prefix('#')?;
    let (digits, radix) = number.strip_prefix('x').map_or((number, 10), |digits| (digits, 16));
    // The parser of the standard library would take a sign; more digits than these are no character.
    if digits.len() > 16 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    u32::from_str_radix(digits.trim_start_matches('0'), radix).ok().and_then(char::from_u32)
}

/// XML 1.0 §2.2, `Char`.
fn is_allowed(character: char) -> bool {
    matches!(character, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
