//! Lists of resources (RFC 7644 §3.4.2, RFC 9865 §2).

use crate::resource::write::{number, text};

/// A page of resources, each written already.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_structs, reason = "RFC 7644 knows no other members")]
pub struct ListResponse<'a, B: AsRef<[u8]>> {
    /// How many resources there are on all pages.
    pub total: usize,
    /// Which page it is.
    pub place: Place,
    /// The resources.
    pub resources: &'a [B],
}

/// Says which page a list is.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 9865 knows no third way")]
pub enum Place {
    /// The number of the first resource, counted from one.
    Index(usize),
    /// The cursor of the next page, where there is one.
    Cursor {
        /// The cursor.
        next: Option<String>,
    },
}

impl<B: AsRef<[u8]>> ListResponse<'_, B> {
    /// Writes the list.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        let bodies: usize = self.resources.iter().map(|body| body.as_ref().len() + 1).sum();
        let mut out = begin(self.total, self.resources.len(), &self.place, bodies);
        for (number, body) in self.resources.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            out.extend_from_slice(body.as_ref());
        }
        out.extend_from_slice(END);
        out
    }
}

/// Writes what stands before the resources, which follow with commas between them, and then [`END`]. `room` is how many
/// bytes they take.
pub(crate) fn begin(total: usize, count: usize, place: &Place, room: usize) -> Vec<u8> {
    let mut out = Vec::with_capacity(room + 200);
    out.extend_from_slice(
        br#"{"schemas":["urn:ietf:params:scim:api:messages:2.0:ListResponse"],"totalResults":"#,
    );
    number(&mut out, total as u64);
    out.extend_from_slice(br#","itemsPerPage":"#);
    number(&mut out, count as u64);
    match place {
        Place::Index(start) => {
            out.extend_from_slice(br#","startIndex":"#);
            number(&mut out, *start as u64);
        }
        Place::Cursor { next: None } => {}
        Place::Cursor { next: Some(cursor) } => {
            out.extend_from_slice(br#","nextCursor":"#);
            text(&mut out, cursor);
        }
    }
    out.extend_from_slice(br#","Resources":["#);
    out
}

/// What stands behind the resources.
pub(crate) const END: &[u8] = b"]}";
