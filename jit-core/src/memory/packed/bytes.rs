//! Numbers, texts and instants in as few bytes as they need.

use chrono::{DateTime, Utc};
use uuid::Uuid;

/// Writes what a [`Reader`] with the same `base` reads in the same order.
pub(super) struct Writer {
    out: Vec<u8>,
    base: DateTime<Utc>,
}

/// An instant that is missing, one that is the base, and one that is said.
const NONE: u64 = 0;
const BASE: u64 = 1;
const SAID: u64 = 2;

impl Writer {
    /// Begins. Most instants are `base`, and take one byte.
    pub(super) fn new(base: DateTime<Utc>) -> Self {
        let mut writer = Self { out: Vec::with_capacity(384), base: DateTime::UNIX_EPOCH };
        writer.instant(Some(base));
        writer.base = base;
        writer
    }

    pub(super) fn finish(self) -> Box<[u8]> {
        self.out.into_boxed_slice()
    }

    /// Seven bits to the byte, the lowest first; all but the last have the highest bit.
    pub(super) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.out.push(u8::try_from(number & 0x7f).unwrap_or_default() | 0x80);
            number >>= 7;
        }
        self.out.push(u8::try_from(number).unwrap_or_default());
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.out.push(u8::from(flag));
    }

    pub(super) fn text(&mut self, text: &str) {
        self.number(text.len() as u64);
        self.out.extend_from_slice(text.as_bytes());
    }

    pub(super) fn id(&mut self, id: Uuid) {
        self.out.extend_from_slice(id.as_bytes());
    }

    pub(super) fn instant(&mut self, at: Option<DateTime<Utc>>) {
        match at {
            None => self.number(NONE),
            Some(at) if at == self.base => self.number(BASE),
            Some(at) => {
                self.number(SAID);
                let seconds = at.timestamp();
                // The sign comes last, so that instants before 1970 are not the longest.
                self.number((seconds.unsigned_abs() << 1) | u64::from(seconds < 0));
                self.number(u64::from(at.timestamp_subsec_nanos()));
            }
        }
    }

    pub(super) fn option<T>(&mut self, value: Option<T>, write: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            write(self, value);
        }
    }
}

/// Reads; `None` is never returned for what a [`Writer`] wrote.
pub(super) struct Reader<'a> {
    rest: &'a [u8],
    base: DateTime<Utc>,
}

impl<'a> Reader<'a> {
    /// Begins, and tells the base.
    pub(super) fn new(bytes: &'a [u8]) -> Option<(Self, DateTime<Utc>)> {
        let mut reader = Self { rest: bytes, base: DateTime::UNIX_EPOCH };
        let base = reader.instant()??;
        reader.base = base;
        Some((reader, base))
    }

    pub(super) fn number(&mut self) -> Option<u64> {
        let (mut number, mut shift) = (0_u64, 0_u32);
        loop {
            let (first, rest) = self.rest.split_first()?;
            self.rest = rest;
            number |= u64::from(first & 0x7f).checked_shl(shift)?;
            if first & 0x80 == 0 {
                return Some(number);
            }
            shift += 7;
        }
    }

    /// How many of something follow. Each takes a byte at least.
    pub(super) fn count(&mut self) -> Option<usize> {
        usize::try_from(self.number()?).ok().filter(|count| *count <= self.rest.len())
    }

    pub(super) fn flag(&mut self) -> Option<bool> {
        Some(self.number()? != 0)
    }

    pub(super) fn text(&mut self) -> Option<&'a str> {
        let length = self.count()?;
        let (text, rest) = self.rest.split_at_checked(length)?;
        self.rest = rest;
        std::str::from_utf8(text).ok()
    }

    pub(super) fn id(&mut self) -> Option<Uuid> {
        let (id, rest) = self.rest.split_first_chunk::<16>()?;
        self.rest = rest;
        Some(Uuid::from_bytes(*id))
    }

    #[expect(clippy::option_option, reason = "whether it can be read, and whether it was there")]
    pub(super) fn instant(&mut self) -> Option<Option<DateTime<Utc>>> {
        match self.number()? {
            NONE => Some(None),
            BASE => Some(Some(self.base)),
            _ => {
                let signed = self.number()?;
                let seconds = 0_i64.checked_add_unsigned(signed >> 1)?;
                let seconds = if signed & 1 == 1 { -seconds } else { seconds };
                let nanos = u32::try_from(self.number()?).ok()?;
                Some(Some(DateTime::from_timestamp(seconds, nanos)?))
            }
        }
    }

    #[expect(clippy::option_option, reason = "whether it can be read, and whether it was there")]
    pub(super) fn option<T>(&mut self, read: impl FnOnce(&mut Self) -> Option<T>) -> Option<Option<T>> {
        if self.flag()? { read(self).map(Some) } else { Some(None) }
    }
}
