//! Reads filters of settings (RFC 4515 §3). Groups lie on a list of our own, not on the stack of the process.

use super::{DEPTH, Filter};
use crate::attribute::AttributeName;
use crate::reason::Reason;

/// The longest text of a filter, in bytes.
const BYTES: usize = 16 * 1024;

/// A group that was begun.
struct Open {
    sign: char,
    filters: Vec<Filter>,
}

pub(super) fn filter(text: &str) -> Result<Filter, Reason> {
    if text.len() > BYTES {
        return Err(Reason::FilterMalformed);
    }
    let mut open: Vec<Open> = Vec::new();
    let mut whole = None;
    let mut rest = text.trim();
    while !rest.is_empty() {
        if let Some(after) = rest.strip_prefix(')') {
            let group = open.pop().ok_or(Reason::FilterMalformed)?;
            place(close(group)?, &mut open, &mut whole)?;
            rest = after;
        } else {
            let after = rest.strip_prefix('(').ok_or(Reason::FilterMalformed)?;
            let mut chars = after.chars();
            if let Some(sign) = chars.next().filter(|c| matches!(c, '&' | '|' | '!')) {
                if open.len() >= usize::from(DEPTH) {
                    return Err(Reason::FilterTooDeep);
                }
                open.push(Open { sign, filters: Vec::new() });
                rest = chars.as_str();
            } else {
                let (item, after) = after.split_once(')').ok_or(Reason::FilterMalformed)?;
                place(self::item(item)?, &mut open, &mut whole)?;
                rest = after;
            }
        }
        rest = rest.trim_start();
    }
    whole.filter(|_| open.is_empty()).ok_or(Reason::FilterMalformed)
}

/// Puts a filter into the innermost group, or makes it the whole.
fn place(filter: Filter, open: &mut [Open], whole: &mut Option<Filter>) -> Result<(), Reason> {
    match open.last_mut() {
        Some(group) => group.filters.push(filter),
        None if whole.is_none() => *whole = Some(filter),
        None => return Err(Reason::FilterMalformed),
    }
    Ok(())
}

fn close(group: Open) -> Result<Filter, Reason> {
    match group.sign {
        '&' => Filter::all(group.filters),
        '|' => Filter::any(group.filters),
        _ => {
            let [filter] = <[Filter; 1]>::try_from(group.filters).map_err(|_| Reason::FilterMalformed)?;
            filter.negate()
        }
    }
}

fn item(text: &str) -> Result<Filter, Reason> {
    let (left, value) = text.split_once('=').ok_or(Reason::FilterMalformed)?;
    if let Some(left) = left.strip_suffix(':') {
        return extensible(left, &plain(value)?);
    }
    let name = |text| AttributeName::new(text).map_err(|_| Reason::FilterMalformed);
    for (number, sign, written) in [(5, '>', ">="), (6, '<', "<="), (8, '~', "~=")] {
        if let Some(left) = left.strip_suffix(sign) {
            return Ok(Filter::compare(number, written, &name(left)?, &plain(value)?));
        }
    }
    equality(&name(left)?, value)
}

fn equality(name: &AttributeName, value: &str) -> Result<Filter, Reason> {
    if value == "*" {
        return Ok(Filter::present(name));
    }
    let parts = value.split('*').map(unescape).collect::<Result<Vec<_>, _>>()?;
    match parts.as_slice() {
        [whole] => Ok(Filter::equals(name, whole)),
        [first, middle @ .., last] => {
            if middle.iter().any(Vec::is_empty) || parts.iter().all(Vec::is_empty) {
                return Err(Reason::FilterMalformed);
            }
            let given = |part: &'_ Vec<u8>| !part.is_empty();
            let middle: Vec<&[u8]> = middle.iter().map(Vec::as_slice).collect();
            let first = Some(first).filter(|part| given(part)).map(Vec::as_slice);
            let last = Some(last).filter(|part| given(part)).map(Vec::as_slice);
            Ok(Filter::substrings(name, first, &middle, last))
        }
        [] => Err(Reason::FilterMalformed),
    }
}

/// `name:dn:rule`, each of which may be missing.
fn extensible(left: &str, value: &[u8]) -> Result<Filter, Reason> {
    let mut parts = left.split(':');
    let name = parts.next().filter(|name| !name.is_empty());
    let name = name.map(AttributeName::new).transpose().map_err(|_| Reason::FilterMalformed)?;
    let mut rest: Vec<_> = parts.collect();
    let with_dn = rest.first() == Some(&"dn");
    if with_dn {
        rest.remove(0);
    }
    let rule = match rest.as_slice() {
        [] => None,
        [rule] if crate::attribute::is_kind(rule) => Some(*rule),
        _ => return Err(Reason::FilterMalformed),
    };
    if name.is_none() && rule.is_none() {
        return Err(Reason::FilterMalformed);
    }
    Ok(Filter::extensible(rule, name.as_ref(), value, with_dn))
}

/// A value in which nothing stands for something else.
fn plain(text: &str) -> Result<Vec<u8>, Reason> {
    if text.contains('*') { Err(Reason::FilterMalformed) } else { unescape(text) }
}

fn unescape(text: &str) -> Result<Vec<u8>, Reason> {
    let mut octets = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        octets.extend_from_slice(before.as_bytes());
        let (digits, after) = after.split_at_checked(2).ok_or(Reason::FilterMalformed)?;
        if !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(Reason::FilterMalformed);
        }
        octets.push(u8::from_str_radix(digits, 16).map_err(|_| Reason::FilterMalformed)?);
        rest = after;
    }
    octets.extend_from_slice(rest.as_bytes());
    if text.contains(['(', '\0']) { Err(Reason::FilterMalformed) } else { Ok(octets) }
}
