//! Writes instants into documents and reads them: byte for byte as chrono does, at a fraction of the cost.
//!
//! An account holds a dozen of them, and every commit writes all of them out.

use std::fmt;

use chrono::{DateTime, Datelike as _, NaiveDate, Timelike as _, Utc};
use serde::{
    Deserializer, Serialize as _, Serializer,
    de::{Error, Visitor},
};

/// The longest form: `2026-12-31T23:59:59.123456789Z`.
const BYTES: usize = 30;

pub(crate) fn serialize<S: Serializer>(at: &DateTime<Utc>, serializer: S) -> Result<S::Ok, S::Error> {
    let mut text = Text::default();
    match text.write(*at) {
        Some(text) => serializer.serialize_str(text),
        None => at.serialize(serializer),
    }
}

pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<DateTime<Utc>, D::Error> {
    deserializer.deserialize_str(Written)
}

/// Reads an instant as it is written here; whatever is written otherwise, as chrono reads it.
struct Written;

impl Visitor<'_> for Written {
    type Value = DateTime<Utc>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an instant (RFC 3339)")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        read(text).map_or_else(|| text.parse().map_err(E::custom), Ok)
    }
}

fn read(text: &str) -> Option<DateTime<Utc>> {
    let (whole, rest) = text.as_bytes().split_first_chunk()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', i1, i2, b':', s1, s2] = *whole
    else {
        return None;
    };
    let nanos = match rest {
        [b'Z'] => 0,
        [b'.', milli @ .., b'Z'] if milli.len() == 3 => number(milli)? * 1_000_000,
        [b'.', micro @ .., b'Z'] if micro.len() == 6 => number(micro)? * 1_000,
        _ => return None,
    };
    let year = i32::try_from(number(&[y1, y2, y3, y4])?).ok()?;
    let date = NaiveDate::from_ymd_opt(year, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let time = date.and_hms_nano_opt(number(&[h1, h2])?, number(&[i1, i2])?, number(&[s1, s2])?, nanos)?;
    Some(time.and_utc())
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0, |number, digit| digit.is_ascii_digit().then(|| number * 10 + u32::from(digit - b'0')))
}

/// The same for an instant that may be missing.
pub(crate) mod option {
    use super::{DateTime, Deserializer, Serializer, Utc};
    use serde::Deserialize as _;

    #[expect(clippy::ref_option, reason = "the signature that serde calls")]
    pub(crate) fn serialize<S: Serializer>(
        at: &Option<DateTime<Utc>>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => serializer.serialize_some(&Instant(*at)),
            None => serializer.serialize_none(),
        }
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<DateTime<Utc>>, D::Error> {
        Ok(Option::<Instant>::deserialize(deserializer)?.map(|Instant(at)| at))
    }

    struct Instant(DateTime<Utc>);

    impl<'de> serde::Deserialize<'de> for Instant {
        fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
            super::deserialize(deserializer).map(Self)
        }
    }

    impl serde::Serialize for Instant {
        fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
            super::serialize(&self.0, serializer)
        }
    }
}

/// Holds an instant as it is written (RFC 3339).
#[derive(Default)]
struct Text {
    bytes: [u8; BYTES],
    length: usize,
}

impl Text {
    /// Writes an instant with as many digits of its fraction as it needs: none, three, six or nine. `None` where a year
    /// does not have four digits, or a leap second is meant.
    fn write(&mut self, at: DateTime<Utc>) -> Option<&str> {
        let (date, time) = (at.date_naive(), at.time());
        let year = u32::try_from(date.year()).ok().filter(|year| *year <= 9_999)?;
        let nanos = Some(time.nanosecond()).filter(|nanos| *nanos < 1_000_000_000)?;
        self.number::<4>(year, b'-');
        self.number::<2>(date.month(), b'-');
        self.number::<2>(date.day(), b'T');
        self.number::<2>(time.hour(), b':');
        self.number::<2>(time.minute(), b':');
        let end = if nanos == 0 { b'Z' } else { b'.' };
        self.number::<2>(time.second(), end);
        match nanos {
            0 => {}
            nanos if nanos % 1_000_000 == 0 => self.number::<3>(nanos / 1_000_000, b'Z'),
            nanos if nanos % 1_000 == 0 => self.number::<6>(nanos / 1_000, b'Z'),
            nanos => self.number::<9>(nanos, b'Z'),
        }
        std::str::from_utf8(self.bytes.get(..self.length)?).ok()
    }

    /// Writes so many digits and what stands behind them.
    #[inline]
    fn number<const DIGITS: usize>(&mut self, number: u32, end: u8) {
        let mut rest = number;
        let place = self.bytes.get_mut(self.length..).and_then(<[u8]>::split_first_chunk_mut::<DIGITS>);
        if let Some((digits, [behind, ..])) = place {
            for digit in digits.iter_mut().rev() {
                *digit = b'0' + u8::try_from(rest % 10).unwrap_or(0);
                rest /= 10;
            }
            *behind = end;
        }
        self.length = self.length.saturating_add(DIGITS + 1);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde::{Deserialize, Serialize};

    use super::*;

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Ours {
        #[serde(with = "super")]
        at: DateTime<Utc>,
        #[serde(with = "super::option")]
        perhaps: Option<DateTime<Utc>>,
        #[serde(default, with = "super::option", skip_serializing_if = "Option::is_none")]
        seldom: Option<DateTime<Utc>>,
    }

    #[derive(Serialize)]
    struct Theirs {
        at: DateTime<Utc>,
        perhaps: Option<DateTime<Utc>>,
        #[serde(skip_serializing_if = "Option::is_none")]
        seldom: Option<DateTime<Utc>>,
    }

    fn check(at: DateTime<Utc>) {
        for other in [None, Some(at)] {
            let ours = serde_json::to_string(&Ours { at, perhaps: other, seldom: other }).unwrap();
            let theirs = serde_json::to_string(&Theirs { at, perhaps: other, seldom: other }).unwrap();
            assert_eq!(ours, theirs);
            assert_eq!(
                serde_json::from_str::<Ours>(&ours).unwrap(),
                Ours { at, perhaps: other, seldom: other }
            );
        }
    }

    #[test]
    fn the_ends_of_what_can_be_written_are_written_as_chrono_does() {
        let text = |text: &str| DateTime::parse_from_rfc3339(text).unwrap().with_timezone(&Utc);
        let next = |at: DateTime<Utc>, nanos| at + chrono::TimeDelta::nanoseconds(nanos);
        let (first, last) = (text("0000-01-01T00:00:00Z"), text("9999-12-31T23:59:59.999999999Z"));
        for at in
            [DateTime::<Utc>::MIN_UTC, DateTime::<Utc>::MAX_UTC, first, last, next(first, -1), next(last, 1)]
        {
            check(at);
        }
        check(text("2016-12-31T23:59:60.5Z"));
        check(text("2024-02-29T12:00:00.000000001Z"));
        check(DateTime::UNIX_EPOCH);
    }

    proptest! {
        #[test]
        fn a_text_is_read_as_chrono_reads_it(
            text in "[0-9]{4}-[01][0-9]-[0-3][0-9][Tt ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{1,10})?(Z|z|\\+01:00|)",
        ) {
            let text = serde_json::to_string(&text).unwrap();
            let theirs = serde_json::from_str::<DateTime<Utc>>(&text).ok();
            let ours = deserialize(&mut serde_json::Deserializer::from_str(&text)).ok();
            prop_assert_eq!(ours, theirs);
        }

        #[test]
        fn an_instant_is_written_byte_for_byte_as_chrono_writes_it(
            seconds in prop_oneof![-62_200_000_000..253_500_000_000_i64, 0..4_000_000_000_i64],
            nanos in 0..1_000_000_000_u32, kept in prop_oneof![Just(1_u32), Just(1_000), Just(1_000_000), Just(1_000_000_000)],
        ) {
            check(DateTime::from_timestamp(seconds, nanos / kept * kept).unwrap());
        }
    }
}
