//! Distinguished names (RFC 4514): parsed, escaped by construction, compared part by part and never as text.

mod parse;

use std::fmt::{self, Write as _};
use std::sync::Arc;

use crate::attribute::is_kind;
use crate::reason::Reason;

/// The longest name, in bytes.
const BYTES: usize = 8 * 1024;
/// The deepest name, in parts.
const PARTS: usize = 128;

/// A distinguished name. The empty one names the root of a server.
#[derive(Clone, Default, PartialEq, Eq, Hash)]
pub struct Dn {
    /// The entry's own part first, as it is written.
    rdns: Vec<Rdn>,
}

impl Dn {
    /// Reads a name as RFC 4514 §3 writes it.
    ///
    /// # Errors
    /// `ldap.dn_malformed`.
    pub fn parse(text: &str) -> Result<Self, Reason> {
        if text.len() > BYTES {
            return Err(Reason::DnMalformed);
        }
        let rdns = parse::name(text).ok_or(Reason::DnMalformed)?;
        if rdns.len() > PARTS { Err(Reason::DnMalformed) } else { Ok(Self { rdns }) }
    }

    /// Names the entry right below this one.
    #[must_use]
    pub fn child(&self, rdn: Rdn) -> Self {
        let mut rdns = Vec::with_capacity(self.rdns.len() + 1);
        rdns.push(rdn);
        rdns.extend_from_slice(&self.rdns);
        Self { rdns }
    }

    /// Names the entry right above this one; `None` at the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        let (_, above) = self.rdns.split_first()?;
        Some(Self { rdns: above.to_vec() })
    }

    /// The entry's own part; `None` at the root.
    #[must_use]
    pub fn rdn(&self) -> Option<&Rdn> {
        self.rdns.first()
    }

    /// The parts, the entry's own first.
    #[must_use]
    pub fn rdns(&self) -> &[Rdn] {
        &self.rdns
    }

    /// Tells whether this entry lies below `base`, at any depth, and is not `base` itself. Part by part: a text that ends
    /// the same proves nothing.
    #[must_use]
    pub fn is_below(&self, base: &Self) -> bool {
        let above = self.rdns.len().checked_sub(base.rdns.len()).filter(|above| *above > 0);
        above.and_then(|above| self.rdns.get(above..)).is_some_and(|tail| tail == base.rdns)
    }

    /// The same name as it is compared: names that are the same are one text then.
    pub(crate) fn folded(&self) -> Self {
        Self { rdns: self.rdns.iter().map(Rdn::folded).collect() }
    }

    /// The root of the domain that the entry lies in, by its components; the root of the server where it names none.
    pub(crate) fn domain(&self) -> Self {
        let is_domain = |rdn: &Rdn| rdn.single().is_some_and(|(kind, _)| kind.eq_ignore_ascii_case("dc"));
        let rdns = self.rdns.iter().skip_while(|rdn| !is_domain(rdn)).cloned().collect();
        Self { rdns }
    }

    /// Tells whether this entry is `base` or lies below it.
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        self == base || self.is_below(base)
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, rdn) in self.rdns.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            rdn.fmt(f)?;
        }
        Ok(())
    }
}

/// `Debug` shows the depth only: names of people stand in names of entries.
impl fmt::Debug for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Dn({} parts)", self.rdns.len())
    }
}

/// One part of a name: usually one type and value, sometimes several (`cn=a+uid=b`), in any order.
#[derive(Clone)]
pub struct Rdn {
    /// Sorted by what is compared. Shared: names are put together of the names of places again and again.
    pairs: Arc<[Pair]>,
}

struct Pair {
    kind: String,
    value: Value,
    /// Type and value as they are compared.
    key: (String, String),
}

/// A value of a name.
enum Value {
    Text(String),
    /// BER that the directory could not write as text.
    Hex(Vec<u8>),
}

impl Rdn {
    /// Makes a part of a type and a value. Whatever the value holds stays one value.
    ///
    /// # Errors
    /// `ldap.dn_malformed` when the type is not the name of an attribute, and when the value is empty or holds NUL, at
    /// which some directories end it.
    pub fn new(kind: &str, value: &str) -> Result<Self, Reason> {
        if !is_kind(kind) || value.is_empty() || value.contains('\0') || value.len() > BYTES {
            return Err(Reason::DnMalformed);
        }
        Ok(Self { pairs: [Pair::new(kind, Value::Text(value.to_owned()))].into() })
    }

    /// Returns the type and value, where there is exactly one and it is text.
    #[must_use]
    pub fn single(&self) -> Option<(&str, &str)> {
        match &*self.pairs {
            [Pair { kind, value: Value::Text(value), .. }] => Some((kind, value)),
            _ => None,
        }
    }

    fn folded(&self) -> Self {
        Self { pairs: self.pairs.iter().map(Pair::folded).collect() }
    }

    fn of(mut pairs: Vec<Pair>) -> Self {
        pairs.sort_by(|a, b| a.key.cmp(&b.key));
        Self { pairs: pairs.into() }
    }
}

impl Pair {
    fn new(kind: &str, value: Value) -> Self {
        let folded = match &value {
            Value::Text(text) => format!("={}", fold(text)),
            Value::Hex(bytes) => format!("#{}", hex(bytes)),
        };
        Self { key: (short_name(kind), folded), kind: kind.to_owned(), value }
    }

    fn folded(&self) -> Self {
        let value = match &self.value {
            Value::Text(text) => match fold(text) {
                // a name without a value could not be read again
                blank if blank.is_empty() => Value::Text(" ".to_owned()),
                folded => Value::Text(folded),
            },
            Value::Hex(bytes) => Value::Hex(bytes.clone()),
        };
        Self { key: self.key.clone(), kind: self.key.0.clone(), value }
    }
}

/// Folds what every directory folds: case, and blanks that stand side by side or at an end (RFC 4518 §2.6.1). What only
/// some fold stays different, so that a name is rather taken for another one than for the same.
fn fold(text: &str) -> String {
    let words: Vec<_> = text.split(' ').filter(|word| !word.is_empty()).collect();
    words.join(" ").to_lowercase()
}

/// The short name of a type that RFC 4514 §3 knows by a number as well.
fn short_name(kind: &str) -> String {
    let known = match kind {
        "2.5.4.3" => "cn",
        "2.5.4.6" => "c",
        "2.5.4.7" => "l",
        "2.5.4.8" => "st",
        "2.5.4.9" => "street",
        "2.5.4.10" => "o",
        "2.5.4.11" => "ou",
        "0.9.2342.19200300.100.1.1" => "uid",
        "0.9.2342.19200300.100.1.25" => "dc",
        other => other,
    };
    known.to_ascii_lowercase()
}

fn hex(bytes: &[u8]) -> String {
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.filter_map(|digit| char::from_digit(u32::from(digit), 16)).collect()
}

impl PartialEq for Rdn {
    fn eq(&self, other: &Self) -> bool {
        self.pairs.iter().map(|pair| &pair.key).eq(other.pairs.iter().map(|pair| &pair.key))
    }
}

impl Eq for Rdn {}

impl std::hash::Hash for Rdn {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        for pair in &*self.pairs {
            pair.key.hash(state);
        }
    }
}

impl fmt::Display for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, pair) in self.pairs.iter().enumerate() {
            if index > 0 {
                f.write_str("+")?;
            }
            write!(f, "{}=", pair.kind)?;
            match &pair.value {
                Value::Text(text) => escape(text, f)?,
                Value::Hex(bytes) => write!(f, "#{}", hex(bytes))?,
            }
        }
        Ok(())
    }
}

impl fmt::Debug for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for pair in &*self.pairs {
            write!(f, "{}=…", pair.kind)?;
        }
        Ok(())
    }
}

/// Writes a value as RFC 4514 §2.4 says, and control characters by their bytes as well.
fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (index, c) in text.chars().enumerate() {
        let is_special = match c {
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' | '=' => true,
            ' ' => index == 0 || index == last,
            '#' => index == 0,
            _ => false,
        };
        if c.is_control() {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                write!(f, "\\{byte:02X}")?;
            }
        } else if is_special {
            write!(f, "\\{c}")?;
        } else {
            f.write_char(c)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
