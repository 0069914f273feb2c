//! Bounds the text of an expression before a parser sees it.

/// The longest expression, in bytes.
const BYTES: usize = 4096;
/// The deepest nesting of brackets.
const NESTING: usize = 16;
/// The most operators, dots and question marks: what is chained nests in the parser.
const OPERATORS: usize = 200;

/// Says what is wrong with a text, and at which byte.
pub(super) type Refused = (usize, String);

/// Looks through a text without parsing it.
pub(super) fn scan(source: &str) -> Result<(), Refused> {
    if source.trim().is_empty() {
        return Err((0, "an expression must not be empty".to_owned()));
    }
    if source.len() > BYTES {
        return Err((0, format!("an expression must not be longer than {BYTES} bytes")));
    }
    let bytes = source.as_bytes();
    let (mut depth, mut operators, mut at) = (0_usize, 0_usize, 0_usize);
    while let Some(&byte) = bytes.get(at) {
        let mut length = 1;
        match byte {
            b'"' | b'\'' => length = quoted(bytes.get(at..).unwrap_or_default(), is_raw(bytes, at)),
            b'/' if bytes.get(at.saturating_add(1)) == Some(&b'/') => {
                let rest = bytes.get(at..).unwrap_or_default();
                length = rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            }
            b'(' | b'[' | b'{' => {
                depth = depth.saturating_add(1);
                operators = operators.saturating_add(1);
            }
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => {
                let word = word(bytes.get(at..).unwrap_or_default());
                length = word.len();
                operators = operators.saturating_add(usize::from(word == b"in"));
            }
            byte if byte.is_ascii_punctuation() && byte != b',' => operators = operators.saturating_add(1),
            _ => {}
        }
        if depth > NESTING {
            return Err((at, format!("brackets are nested more than {NESTING} deep")));
        }
        if operators > OPERATORS {
            return Err((at, format!("an expression must not have more than {OPERATORS} operators")));
        }
        at = at.saturating_add(length.max(1));
    }
    Ok(())
}

fn word(rest: &[u8]) -> &[u8] {
    let is_inner = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let end = rest.iter().position(|byte| !is_inner(byte)).unwrap_or(rest.len());
    rest.get(..end).unwrap_or(rest)
}

/// Tells whether the quotation mark at `at` begins a raw text (`r"…"`, `br'…'`).
fn is_raw(bytes: &[u8], at: usize) -> bool {
    let before = |back: usize| at.checked_sub(back).and_then(|at| bytes.get(at)).copied().unwrap_or(b' ');
    let letters = (before(1).to_ascii_lowercase(), before(2).to_ascii_lowercase());
    let ends_word = |byte: u8| !byte.is_ascii_alphanumeric() && byte != b'_';
    match letters {
        (b'r', b'b') | (b'b', b'r') => ends_word(before(3)),
        (b'r', other) => ends_word(other),
        _ => false,
    }
}

/// The length of the quoted text that `rest` begins with.
fn quoted(rest: &[u8], is_raw: bool) -> usize {
    let one = rest.get(..1).unwrap_or_default();
    let three = rest.get(..3).filter(|mark| mark.iter().all(|byte| Some(byte) == one.first()));
    let mark = three.unwrap_or(one);
    let mut at = mark.len();
    while let Some(tail) = rest.get(at..).filter(|tail| !tail.is_empty()) {
        if tail.starts_with(mark) {
            return at.saturating_add(mark.len());
        }
        at = at.saturating_add(if !is_raw && tail.starts_with(b"\\") { 2 } else { 1 });
    }
    rest.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_overflow_a_parser_is_refused_unseen() {
        for bad in [
            String::new(),
            "x".repeat(5000),
            "(".repeat(17),
            format!("{}1{}", "[".repeat(1000), "]".repeat(1000)),
            format!("1{}", "+1".repeat(2000)),
            "!".repeat(300),
            format!("a{}", ".b".repeat(300)),
            format!("a{}", "?1:a".repeat(300)),
            format!("1{}", " in [1]".repeat(201)),
            format!("x{}", "()".repeat(201)),
            format!("'' + {}", "\"\"+".repeat(300)),
        ] {
            assert!(scan(&bad).is_err(), "{}", bad.chars().take(40).collect::<String>());
        }
        for good in
            ["claims.a == '((((((((((((((((((((((((('", "1 // (((((((((((((((((((((((\n", "r'\\' + ''"]
        {
            assert_eq!(scan(good), Ok(()), "{good}");
        }
    }
}
