//! Reads elements from bytes that nobody trusts.

use super::tag;
use crate::reason::Reason;

/// One element: its tag and what it holds.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    pub(crate) body: &'a [u8],
}

/// Walks over the elements of one level.
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// Reads the next element, whatever its tag; `None` at the end.
    pub(crate) fn next(&mut self) -> Result<Option<Element<'a>>, Reason> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let head = head(self.rest)?.ok_or(Reason::MessageMalformed)?;
        let body = self.rest.get(head.octets..).ok_or(Reason::MessageMalformed)?;
        let (body, rest) = body.split_at_checked(head.length).ok_or(Reason::MessageMalformed)?;
        self.rest = rest;
        Ok(Some(Element { tag: head.tag, body }))
    }

    /// Reads the next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<&'a [u8]>, Reason> {
        if self.rest.first() != Some(&tag) {
            return Ok(None);
        }
        Ok(self.next()?.map(|element| element.body))
    }

    /// Reads the next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<&'a [u8], Reason> {
        self.optional(tag)?.ok_or(Reason::MessageMalformed)
    }

    pub(crate) fn integer(&mut self) -> Result<i64, Reason> {
        integer(self.expect(tag::INTEGER)?)
    }

    pub(crate) fn enumerated(&mut self) -> Result<i64, Reason> {
        integer(self.expect(tag::ENUMERATED)?)
    }

    /// Reads an octet string that holds text.
    pub(crate) fn text(&mut self) -> Result<&'a str, Reason> {
        text(self.expect(tag::OCTET_STRING)?)
    }

    /// Demands that nothing is left.
    pub(crate) fn end(&self) -> Result<(), Reason> {
        if self.rest.is_empty() { Ok(()) } else { Err(Reason::MessageMalformed) }
    }
}

impl Element<'_> {
    pub(crate) fn boolean(&self) -> Result<bool, Reason> {
        match self.body {
            [octet] => Ok(*octet != 0),
            _ => Err(Reason::MessageMalformed),
        }
    }
}

fn text(bytes: &[u8]) -> Result<&str, Reason> {
    std::str::from_utf8(bytes).map_err(|_| Reason::TextMalformed)
}

/// Reads a number of up to 32 bits, sign included; LDAP has no larger ones.
fn integer(body: &[u8]) -> Result<i64, Reason> {
    let (first, rest) = body.split_first().filter(|_| body.len() <= 4).ok_or(Reason::MessageMalformed)?;
    let sign = i64::from(i8::from_be_bytes([*first]));
    Ok(rest.iter().fold(sign, |number, octet| (number << 8) | i64::from(*octet)))
}

struct Head {
    tag: u8,
    octets: usize,
    length: usize,
}

/// Reads a tag and a length; `None` when the bytes end before that.
fn head(bytes: &[u8]) -> Result<Option<Head>, Reason> {
    let Some((tag, rest)) = bytes.split_first() else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(Reason::MessageMalformed);
    }
    let Some((first, rest)) = rest.split_first() else { return Ok(None) };
    if *first < 0x80 {
        return Ok(Some(Head { tag: *tag, octets: 2, length: usize::from(*first) }));
    }
    // 0x80 is the indefinite form, which RFC 4511 §5.1 forbids; four octets hold every length that is ever allowed
    let count = usize::from(first & 0x7f);
    if !(1..=4).contains(&count) {
        return Err(Reason::MessageMalformed);
    }
    let Some(octets) = rest.get(..count) else { return Ok(None) };
    let length = octets.iter().fold(0_usize, |length, octet| (length << 8) | usize::from(*octet));
    Ok(Some(Head { tag: *tag, octets: 2 + count, length }))
}

/// Tells how many octets the first message has, `None` when they have not all arrived.
///
/// # Errors
/// `ldap.message_too_large` as soon as the announced length is over the limit, and `ldap.message_malformed` as soon as the
/// bytes cannot begin a message.
pub(crate) fn frame(bytes: &[u8], limit: usize) -> Result<Option<usize>, Reason> {
    if bytes.first().is_some_and(|first| *first != tag::SEQUENCE) {
        return Err(Reason::MessageMalformed);
    }
    let Some(head) = head(bytes)? else { return Ok(None) };
    let total = head.octets.checked_add(head.length).filter(|total| *total <= limit);
    let total = total.ok_or(Reason::MessageTooLarge)?;
    Ok((bytes.len() >= total).then_some(total))
}

/// Reads the name of the entry that a message brings (RFC 4511 §4.5.2), however much of the message has arrived; `None` when
/// not all of the name has.
///
/// # Errors
/// `ldap.message_malformed` and `ldap.text_malformed` when it brings no entry.
pub(crate) fn entry_name(bytes: &[u8]) -> Result<Option<&str>, Reason> {
    let mut rest = bytes;
    for (expected, has_parts) in
        [(tag::SEQUENCE, true), (tag::INTEGER, false), (tag::ENTRY, true), (tag::OCTET_STRING, false)]
    {
        let Some(head) = head(rest)? else { return Ok(None) };
        if head.tag != expected {
            return Err(Reason::MessageMalformed);
        }
        let body = rest.get(head.octets..).unwrap_or_default();
        if has_parts {
            rest = body;
            continue;
        }
        let Some((body, after)) = body.split_at_checked(head.length) else { return Ok(None) };
        if expected == tag::OCTET_STRING {
            return text(body).map(Some);
        }
        rest = after;
    }
    Ok(None)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_named_by_the_beginning_of_its_message() {
        let message = [
            &[0x30, 0x83, 0x30, 0, 0, 2, 1, 7, 0x64, 0x83, 0x2f, 0xff, 0xf0, 4, 4][..],
            b"cn=a",
            &[0x30, 0x83, 0x2f, 0xff, 0],
        ]
        .concat();
        for length in 0..message.len() {
            let name = (length >= 19).then_some("cn=a");
            assert_eq!(entry_name(&message[..length]), Ok(name), "{length}");
        }
        assert_eq!(
            entry_name(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 2, 1, 7, 0x65, 0]),
            Err(Reason::MessageMalformed)
        );
        assert_eq!(entry_name(&[0x30; 40]), Err(Reason::MessageMalformed));
    }

    #[test]
    fn numbers_are_read_with_their_sign() {
        for (body, number) in [
            (&[0][..], 0),
            (&[0x7f], 127),
            (&[0x80], -128),
            (&[0xff], -1),
            (&[0, 0x80], 128),
            (&[0x7f, 0xff, 0xff, 0xff], i64::from(i32::MAX)),
            (&[0x80, 0, 0, 0], i64::from(i32::MIN)),
        ] {
            assert_eq!(integer(body), Ok(number), "{body:?}");
        }
        assert_eq!(integer(&[]), Err(Reason::MessageMalformed));
        assert_eq!(integer(&[0, 0, 0, 0, 1]), Err(Reason::MessageMalformed));
    }

    #[test]
    fn a_frame_waits_for_what_is_missing_and_refuses_what_cannot_become_one() {
        assert_eq!(frame(&[], 100), Ok(None));
        assert_eq!(frame(&[0x30], 100), Ok(None));
        assert_eq!(frame(&[0x30, 0x84, 0, 0], 100), Ok(None));
        assert_eq!(frame(&[0x30, 2, 1], 100), Ok(None));
        assert_eq!(frame(&[0x30, 1, 9, 9], 100), Ok(Some(3)));
        assert_eq!(frame(&[0x30, 0x84, 0, 0, 0, 1, 9], 100), Ok(Some(7)));
        assert_eq!(frame(&[0x30, 0x80], 100), Err(Reason::MessageMalformed));
        assert_eq!(frame(&[0x30, 0x85, 0, 0, 0, 0, 1], 100), Err(Reason::MessageMalformed));
        assert_eq!(frame(b"HTTP/1.1 400", 100), Err(Reason::MessageMalformed));
        assert_eq!(frame(&[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], 100), Err(Reason::MessageTooLarge));
        assert_eq!(frame(&[0x30, 99], 100), Err(Reason::MessageTooLarge));
    }

    #[test]
    fn an_element_cannot_reach_beyond_its_parent() {
        let mut reader = Reader::new(&[0x30, 5, 4, 1]);
        assert!(reader.next().is_err());
        let mut reader = Reader::new(&[0x1f, 0x81, 1, 0]);
        assert!(reader.next().is_err());
    }
}
