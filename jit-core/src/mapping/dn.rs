//! The little of distinguished names (RFC 4514) that group claims need.

/// The longest name that is read, in bytes.
const BYTES: usize = 2048;

/// The value of the first attribute of a distinguished name that lies below `under`.
pub(super) fn first_value(name: &str, under: Option<&str>) -> Option<String> {
    if name.len() > BYTES {
        return None;
    }
    let rdns = split(name)?;
    if let Some(under) = under {
        let base = split(under)?;
        let parents = rdns.len().checked_sub(base.len()).filter(|above| *above > 0)?;
        let tail = rdns.get(parents..)?;
        let same = tail
            .iter()
            .zip(&base)
            .all(|(a, b)| a.0.eq_ignore_ascii_case(&b.0) && a.1.to_lowercase() == b.1.to_lowercase());
        if !same {
            return None;
        }
    }
    rdns.into_iter().next().map(|(_, value)| value)
}

/// Tells whether a text is a distinguished name.
pub(super) fn is_name(text: &str) -> bool {
    text.len() <= BYTES && split(text).is_some()
}

/// Splits a name into the types and first values of its parts; `None` when it is not one.
fn split(name: &str) -> Option<Vec<(String, String)>> {
    let mut parts: Vec<(String, String)> = Vec::new();
    let mut is_further = false;
    let mut rest = name;
    loop {
        let (kind, after) = rest.split_once('=')?;
        let kind = kind.trim();
        let is_kind =
            !kind.is_empty() && kind.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '.'));
        let (value, end, after) = value(after.trim_start_matches(' '))?;
        if !is_kind || value.is_empty() {
            return None;
        }
        match parts.last_mut() {
            // A name that differs in a further value is another name: it must not compare as equal.
            Some(last) if is_further => {
                for text in ["+", kind, "=", &value] {
                    last.0.push_str(text);
                }
            }
            _ => parts.push((kind.to_owned(), value)),
        }
        let Some(end) = end else { return Some(parts) };
        is_further = end == '+';
        rest = after;
    }
}

/// Reads a value up to its end: unescaped, what ended it, and the rest.
fn value(text: &str) -> Option<(String, Option<char>, &str)> {
    if text.starts_with('#') {
        return None;
    }
    let mut bytes = Vec::new();
    let mut rest = text;
    let mut kept = 0;
    loop {
        let mut chars = rest.chars();
        let Some(c) = chars.next() else { return finished(bytes, kept, None, "") };
        match c {
            '\\' => {
                let (unescaped, after) = escape(chars.as_str())?;
                bytes.extend_from_slice(&unescaped);
                kept = bytes.len();
                rest = after;
                continue;
            }
            ',' | ';' | '+' => return finished(bytes, kept, Some(c), chars.as_str()),
            '"' | '<' | '>' | '\0' => return None,
            c => bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes()),
        }
        if c != ' ' {
            kept = bytes.len();
        }
        rest = chars.as_str();
    }
}

/// Blanks at the end that are not escaped do not count.
fn finished(
    mut bytes: Vec<u8>,
    kept: usize,
    end: Option<char>,
    rest: &str,
) -> Option<(String, Option<char>, &str)> {
    bytes.truncate(kept);
    String::from_utf8(bytes).ok().map(|text| (text, end, rest))
}

/// Reads what follows a backslash: two hexadecimal digits, or one special character.
fn escape(after: &str) -> Option<(Vec<u8>, &str)> {
    if let Some(hex) = after.get(..2).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit())) {
        let byte = u8::from_str_radix(hex, 16).ok()?;
        return Some((vec![byte], after.get(2..)?));
    }
    let mut chars = after.chars();
    let c = chars.next().filter(|c| " \"#+,;<=>\\".contains(*c))?;
    Some((vec![u8::try_from(c).ok()?], chars.as_str()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_is_read_as_the_directory_wrote_it() {
        for (name, value) in [
            ("CN=eng,OU=Groups,DC=example,DC=com", Some("eng")),
            ("cn=Eng\\, Ops , ou=x", Some("Eng, Ops")),
            ("CN=Lu\\C4\\8Di\\C4\\87,DC=x", Some("Lučić")),
            ("CN=a+OU=b,DC=x", Some("a")),
            ("CN=a\\ ,DC=x", Some("a ")),
            ("eng", None),
            ("=eng,DC=x", None),
            ("CN=,DC=x", None),
            ("CN=#04024869,DC=x", None),
            ("CN=a\\", None),
            ("CN=a,", None),
            ("CN=a,b", None),
        ] {
            assert_eq!(first_value(name, None).as_deref(), value, "{name}");
        }
    }

    #[test]
    fn a_name_elsewhere_in_the_directory_does_not_count() {
        let under = Some("ou=Groups,dc=example,dc=com");
        assert_eq!(first_value("CN=eng,OU=groups, DC=Example,DC=com", under).as_deref(), Some("eng"));
        for other in [
            "CN=eng,OU=Evil,DC=example,DC=com",
            "OU=Groups,DC=example,DC=com",
            "CN=eng\\,OU=Groups\\,DC=example\\,DC=com",
            "CN=eng,XOU=Groups,DC=example,DC=com",
            "CN=eng,OU=Groups+L=x,DC=example,DC=com",
        ] {
            assert_eq!(first_value(other, under), None, "{other}");
        }
    }
}
