//! Which attributes a filter looks at.

use super::Filter;
use crate::attribute::AttributeName;
use crate::ber::{Element, Reader, tag};

const PRESENT: u8 = tag::primitive(7);
const EXTENSIBLE: u8 = tag::constructed(9);
const GROUPS: [u8; 3] = [tag::constructed(0), tag::constructed(1), tag::constructed(2)];

impl Filter {
    /// The attributes that the filter looks at, each once and without options; `None` where it looks at more than it names: a
    /// rule without an attribute, or the parts of the entry's name (`:dn`).
    pub(crate) fn attributes(&self) -> Option<Vec<AttributeName>> {
        let mut names = Vec::new();
        let mut parts = vec![self.wire()];
        while let Some(part) = parts.pop() {
            let mut reader = Reader::new(part);
            while let Some(element) = reader.next().ok()? {
                if GROUPS.contains(&element.tag) {
                    parts.push(element.body);
                    continue;
                }
                let name = name_of(element)?.without_options();
                if !names.contains(&name) {
                    names.push(name);
                }
            }
        }
        Some(names)
    }
}

/// The attribute of a filter that is no group (RFC 4511 §4.5.1.7).
fn name_of(element: Element<'_>) -> Option<AttributeName> {
    let mut reader = Reader::new(element.body);
    let name = match element.tag {
        PRESENT => element.body,
        EXTENSIBLE => {
            let _rule = reader.optional(tag::primitive(1)).ok()?;
            let name = reader.optional(tag::primitive(2)).ok()?;
            let _value = reader.expect(tag::primitive(3)).ok()?;
            name.filter(|_| reader.is_empty())?
        }
        _ => reader.expect(tag::OCTET_STRING).ok()?,
    };
    AttributeName::new(std::str::from_utf8(name).ok()?).ok()
}
