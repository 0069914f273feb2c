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
            tag::ENTRY => return Entry::read(body).map(Self::Entry),
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
    use crate::ber::Writer;

    /// An entry of two attributes, with a control.
    fn entry() -> Vec<u8> {
        let mut writer = Writer::default();
        let message = writer.begin(tag::SEQUENCE);
        writer.integer(tag::INTEGER, 7);
        let op = writer.begin(0x64);
        writer.octets(b"cn=a");
        let list = writer.begin(tag::SEQUENCE);
        for (name, values) in [("cn", &["a"][..]), ("member;range=0-1", &["cn=b", ""])] {
            let attribute = writer.begin(tag::SEQUENCE);
            writer.octets(name.as_bytes());
            let set = writer.begin(tag::SET);
            for value in values {
                writer.octets(value.as_bytes());
            }
            writer.end(set);
            writer.end(attribute);
        }
        writer.end(list);
        writer.end(op);
        let controls = writer.begin(tag::constructed(0));
        let control = writer.begin(tag::SEQUENCE);
        writer.octets(b"1.2.3");
        writer.boolean(tag::BOOLEAN, true);
        writer.octets(b"value");
        writer.end(control);
        writer.end(controls);
        writer.end(message);
        writer.into_bytes()
    }

    #[test]
    fn an_entry_is_read_with_its_controls() {
        let message = Message::decode(&entry()).unwrap();
        let Body::Entry(entry) = message.body else { panic!("an entry") };
        assert_eq!((message.id, entry.dn_text()), (7, "cn=a"));
        assert_eq!(entry.attributes().iter().map(|part| part.values().len()).collect::<Vec<_>>(), [1, 2]);
        assert_eq!(message.controls.value("1.2.3"), Some(&b"value"[..]));
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
        fn a_message_with_one_wrong_byte_is_an_answer_or_an_error(at in 0..entry().len(), byte in any::<u8>()) {
            let mut bytes = entry();
            bytes[at] = byte;
            let _decoded = Message::decode(&bytes);
        }
    }
}
