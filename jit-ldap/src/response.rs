//! Answers, as they come over the wire. A pure function of bytes that nobody trusts.

use crate::ber::{Reader, tag};
use crate::control::Controls;
use crate::entry::Entry;
use crate::outcome::Answer;
use crate::reason::Reason;

/// RFC 4511 §4.4.1.
const NOTICE_OF_DISCONNECTION: &str = "1.3.6.1.4.1.1466.20036";

/// The kinds of answers that end an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "RFC 4511 §4.2 names them")]
pub enum Kind {
    /// Of a bind.
    Bind,
    /// Of a search.
    SearchDone,
    /// Of a modify.
    Modify,
    /// Of an add.
    Add,
    /// Of a delete.
    Delete,
    /// Of a rename.
    ModifyDn,
    /// Of an extended operation.
    Extended,
}

/// A message of a server.
#[derive(Debug)]
pub struct Message {
    pub(crate) id: i32,
    pub(crate) body: Body,
    pub(crate) controls: Controls,
}

/// What a message says.
#[derive(Debug)]
pub(crate) enum Body {
    Done {
        kind: Kind,
        answer: Answer,
        name: Option<String>,
        value: Option<Vec<u8>>,
    },
    Entry(Entry),
    /// A reference to another server: counted, never followed, not even read.
    Reference,
    /// RFC 4511 §4.13.
    Intermediate {
        name: Option<String>,
        value: Option<Vec<u8>>,
    },
}

impl Message {
    /// Reads one whole message. No message can make it panic, nest or hold more than a small multiple of its own size.
    ///
    /// # Errors
    /// `ldap.message_malformed`, `ldap.message_too_large`, `ldap.text_malformed`.
    pub fn decode(bytes: &[u8]) -> Result<Self, Reason> {
        let mut outer = Reader::new(bytes);
        let mut reader = Reader::new(outer.expect(tag::SEQUENCE)?);
        outer.end()?;
        let id =
            i32::try_from(reader.integer()?).ok().filter(|id| *id >= 0).ok_or(Reason::MessageMalformed)?;
        let op = reader.next()?.ok_or(Reason::MessageMalformed)?;
        let body = Body::read(op.tag, op.body)?;
        let controls = reader.optional(tag::constructed(0))?.map(Controls::read).transpose()?;
        reader.end()?;
        Ok(Self { id, body, controls: controls.unwrap_or_default() })
    }

    /// Tells whether this is the announcement that the server closes the connection.
    pub(crate) fn is_notice_of_disconnection(&self) -> bool {
        self.id == 0
            && matches!(&self.body, Body::Done { name: Some(name), .. } if name == NOTICE_OF_DISCONNECTION)
    }
}

impl Body {
    fn read(op: u8, body: &[u8]) -> Result<Self, Reason> {
        let kind = match op {
            0x61 => Kind::Bind,
            0x64 => return Entry::read(body).map(Self::Entry),
            0x65 => Kind::SearchDone,
            0x67 => Kind::Modify,
            0x69 => Kind::Add,
            0x6b => Kind::Delete,
            0x6d => Kind::ModifyDn,
            0x73 => return Ok(Self::Reference),
            0x78 => Kind::Extended,
            0x79 => return Self::intermediate(body),
            _ => return Err(Reason::ResponseUnexpected),
        };
        let mut reader = Reader::new(body);
        let answer = Answer::read(&mut reader)?;
        let (mut name, mut value) = (None, None);
        // what other parts an answer has is for later versions of the protocol to say (RFC 4511 §4)
        while let Some(part) = reader.next()? {
            match part.tag {
                0x8a if kind == Kind::Extended => name = Some(text(part.body)?),
                0x8b if kind == Kind::Extended => value = Some(part.body.to_vec()),
                _ => {}
            }
        }
        Ok(Self::Done { kind, answer, name, value })
    }

    fn intermediate(body: &[u8]) -> Result<Self, Reason> {
        let mut reader = Reader::new(body);
        let name = reader.optional(tag::primitive(0))?.map(text).transpose()?;
        let value = reader.optional(tag::primitive(1))?.map(<[u8]>::to_vec);
        Ok(Self::Intermediate { name, value })
    }
}

fn text(bytes: &[u8]) -> Result<String, Reason> {
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Reason::TextMalformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// An entry of three attributes with a control.
    const ENTRY: &[u8] = &[
        0x30, 0x39, 2, 1, 7, 0x64, 0x24, 4, 4, b'c', b'n', b'=', b'a', 0x30, 0x1c, 0x30, 8, 4, 2, b'c', b'n',
        0x31, 2, 4, 0, 0x30, 10, 4, 2, b's', b'n', 0x31, 4, 4, 2, b'x', b'y', 0x30, 4, 4, 0, 0x31, 0, 0xa0,
        0x0e, 0x30, 0x0c, 4, 3, b'1', b'.', b'2', 1, 1, 0xff, 4, 2, b'o', b'k',
    ];

    #[test]
    fn an_empty_name_of_an_attribute_is_no_name() {
        assert_eq!(Message::decode(ENTRY).unwrap_err(), Reason::MessageMalformed);
    }

    #[test]
    fn a_notice_is_known_by_its_name_and_its_id() {
        let mut notice = vec![0x30, 36, 2, 1, 0, 0x78, 31, 10, 1, 52, 4, 0, 4, 0, 0x8a, 22];
        notice.extend_from_slice(NOTICE_OF_DISCONNECTION.as_bytes());
        notice.extend_from_slice(&[0x8b, 0]);
        notice[1] = u8::try_from(notice.len() - 2).unwrap();
        notice[6] = u8::try_from(notice.len() - 7).unwrap();
        assert!(Message::decode(&notice).unwrap().is_notice_of_disconnection());
        notice[4] = 1;
        assert!(!Message::decode(&notice).unwrap().is_notice_of_disconnection());
    }

    proptest! {
        #[test]
        fn any_bytes_are_an_answer_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _decoded = Message::decode(&bytes);
        }

        #[test]
        fn a_message_with_one_wrong_byte_is_an_answer_or_an_error(at in 0..ENTRY.len(), byte in any::<u8>()) {
            let mut bytes = ENTRY.to_vec();
            bytes[at] = byte;
            let _decoded = Message::decode(&bytes);
        }
    }
}
