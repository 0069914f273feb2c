//! Writes elements.

use zeroize::Zeroizing;

use super::tag;

/// Collects the bytes of a request. Passwords travel in some: whatever it leaves behind is wiped.
#[derive(Default)]
pub(crate) struct Writer {
    bytes: Zeroizing<Vec<u8>>,
}

/// The most octets of a tag and a length.
const HEAD: usize = 2 + size_of::<usize>();

/// Remembers where a constructed element began.
#[derive(Clone, Copy)]
pub(crate) struct Mark(usize);

impl Writer {
    /// Begins with room for so many octets: a message that grows is copied.
    pub(crate) fn with_room(octets: usize) -> Self {
        Self { bytes: Zeroizing::new(Vec::with_capacity(octets)) }
    }

    pub(crate) fn into_bytes(mut self) -> Vec<u8> {
        std::mem::take(&mut *self.bytes)
    }

    /// Adds what was encoded before.
    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.make_room(bytes.len());
        self.bytes.extend_from_slice(bytes);
    }

    /// Makes room for so many octets more: a vector that grows by itself leaves what it held behind.
    fn make_room(&mut self, octets: usize) {
        let needed = self.bytes.len().saturating_add(octets);
        if needed > self.bytes.capacity() {
            let mut larger = Vec::with_capacity(needed.max(self.bytes.capacity().saturating_mul(2)));
            larger.extend_from_slice(&self.bytes);
            drop(std::mem::replace(&mut self.bytes, Zeroizing::new(larger)));
        }
    }

    pub(crate) fn primitive(&mut self, tag: u8, body: &[u8]) {
        self.make_room(HEAD.saturating_add(body.len()));
        self.bytes.push(tag);
        self.bytes.extend(octets_of(body.len()));
        self.raw(body);
    }

    pub(crate) fn octets(&mut self, body: &[u8]) {
        self.primitive(tag::OCTET_STRING, body);
    }

    pub(crate) fn boolean(&mut self, tag: u8, value: bool) {
        self.primitive(tag, &[if value { 0xff } else { 0 }]);
    }

    /// Writes a number in as few octets as hold it.
    pub(crate) fn integer(&mut self, tag: u8, number: i32) {
        let octets = number.to_be_bytes();
        let mut body: &[u8] = &octets;
        while let [first, rest @ ..] = body {
            let is_filler = match rest.first() {
                Some(next) => (*first == 0 && *next < 0x80) || (*first == 0xff && *next >= 0x80),
                None => false,
            };
            if !is_filler {
                break;
            }
            body = rest;
        }
        self.primitive(tag, body);
    }

    pub(crate) fn begin(&mut self, tag: u8) -> Mark {
        self.make_room(1);
        self.bytes.push(tag);
        Mark(self.bytes.len())
    }

    /// Ends a constructed element: its length is known only now and moves in before it.
    pub(crate) fn end(&mut self, mark: Mark) {
        let length = self.bytes.len().saturating_sub(mark.0);
        self.make_room(HEAD);
        self.bytes.splice(mark.0..mark.0, octets_of(length));
    }
}

/// The octets of a length: itself where it is short, else its octets after their number.
fn octets_of(length: usize) -> impl Iterator<Item = u8> {
    let octets = length.to_be_bytes();
    let zeros = octets.iter().take_while(|octet| **octet == 0).count().min(octets.len() - 1);
    let number = u8::try_from(octets.len() - zeros).unwrap_or(8);
    let number = (length >= 0x80).then_some(0x80 | number);
    number.into_iter().chain(octets.into_iter().skip(zeros))
}

#[cfg(test)]
mod tests {
    use super::super::Reader;
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        for number in [0, 1, 127, 128, 255, 256, 65_535, -1, -128, -129, i32::MAX, i32::MIN] {
            let mut writer = Writer::default();
            writer.integer(tag::INTEGER, number);
            let bytes = writer.into_bytes();
            assert_eq!(Reader::new(&bytes).integer(), Ok(i64::from(number)), "{bytes:?}");
        }
        for length in [0, 1, 127, 128, 255, 256, 70_000] {
            let mut writer = Writer::default();
            let outer = writer.begin(tag::SEQUENCE);
            writer.octets(&vec![b'x'; length]);
            writer.end(outer);
            let bytes = writer.into_bytes();
            let outer = Reader::new(&bytes).expect(tag::SEQUENCE).unwrap();
            assert_eq!(Reader::new(outer).expect(tag::OCTET_STRING).unwrap().len(), length);
        }
    }
}
