//! Reads names as people and directories write them.

use super::{Pair, Rdn, Value};
use crate::attribute::is_kind;

/// How many pairs one part may have.
const PAIRS: usize = 16;

/// Reads a whole name; `None` when it is not one. The empty text is the root.
pub(super) fn name(text: &str) -> Option<Vec<Rdn>> {
    let mut rdns = Vec::new();
    let mut rest = text.trim_start_matches(' ');
    if rest.is_empty() {
        return Some(rdns);
    }
    let mut pairs = Vec::new();
    loop {
        let (kind, after) = rest.split_once('=')?;
        let kind = kind.trim_matches(' ');
        let (value, end, after) = value(after.trim_start_matches(' '))?;
        if !is_kind(kind) || pairs.len() >= PAIRS {
            return None;
        }
        pairs.push(Pair::new(kind, value));
        if end != Some('+') {
            rdns.push(Rdn::of(std::mem::take(&mut pairs)));
        }
        if end.is_none() {
            return Some(rdns);
        }
        rest = after;
    }
}

/// Reads a value up to its end: the value, what ended it, and the rest.
fn value(text: &str) -> Option<(Value, Option<char>, &str)> {
    if let Some(digits) = text.strip_prefix('#') {
        let (digits, end, rest) = until_end(digits);
        let bytes = bytes(digits.trim_end_matches(' '))?;
        return Some((Value::Hex(bytes), end, rest));
    }
    let mut octets = Vec::new();
    // blanks at the end that are not escaped do not count
    let mut kept = 0;
    let mut rest = text;
    let end = loop {
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { break None };
        rest = chars.as_str();
        match c {
            '\\' => {
                let (octet, after) = escaped(rest)?;
                octets.push(octet);
                kept = octets.len();
                rest = after;
            }
            ',' | '+' => break Some(c),
            '"' | ';' | '<' | '>' | '\0' => return None,
            c => {
                octets.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                if c != ' ' {
                    kept = octets.len();
                }
            }
        }
    };
    octets.truncate(kept);
    let text = String::from_utf8(octets).ok().filter(|text| !text.is_empty() && !text.contains('\0'))?;
    Some((Value::Text(text), end, rest))
}

/// Reads what follows a backslash: two hexadecimal digits, or one special character.
fn escaped(after: &str) -> Option<(u8, &str)> {
    if let Some((pair, rest)) = after.split_at_checked(2)
        && pair.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return Some((u8::from_str_radix(pair, 16).ok()?, rest));
    }
    let (octet, rest) = after.split_at_checked(1)?;
    let octet = octet.bytes().next().filter(|octet| b" \"#+,;<=>\\".contains(octet))?;
    Some((octet, rest))
}

fn until_end(text: &str) -> (&str, Option<char>, &str) {
    let Some(at) = text.find([',', '+']) else { return (text, None, "") };
    let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
    let mut chars = after.chars();
    let end = chars.next();
    (before, end, chars.as_str())
}

fn bytes(digits: &str) -> Option<Vec<u8>> {
    if digits.is_empty()
        || !digits.len().is_multiple_of(2)
        || !digits.bytes().all(|byte| byte.is_ascii_hexdigit())
    {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}
