//! Instants as directories write them.

use chrono::{DateTime, Datelike as _, NaiveDate, TimeDelta, Timelike as _, Utc};
use jit_core::ShownEnd;

use crate::reason::Reason;

/// Seconds from 1601, where Windows begins to count, to 1970.
const FROM_1601: i64 = 11_644_473_600;
/// Ticks in a second.
const TICKS: i64 = 10_000_000;

/// When an account of Active Directory ends (`accountExpires`, [MS-ADA1] §2.1): the server refuses to bind from then on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "an account ends or does not")]
pub enum AccountExpires {
    /// Never.
    Never,
    /// At this instant, to a ten-millionth of a second.
    At(DateTime<Utc>),
}

impl AccountExpires {
    /// Reads the value of the attribute.
    ///
    /// # Errors
    /// `ldap.value_malformed`.
    pub fn read(value: &[u8]) -> Result<Self, Reason> {
        let ticks = std::str::from_utf8(value).ok().and_then(|text| text.parse::<i64>().ok());
        match ticks.ok_or(Reason::ValueMalformed)? {
            0 | i64::MAX => Ok(Self::Never),
            ticks if ticks > 0 => {
                let nanos = u32::try_from(ticks % TICKS * 100).map_err(|_| Reason::ValueMalformed)?;
                let instant = DateTime::from_timestamp(ticks / TICKS - FROM_1601, nanos);
                instant.map(Self::At).ok_or(Reason::ValueMalformed)
            }
            _ => Err(Reason::ValueMalformed),
        }
    }

    /// The value of the attribute as a listing tells it.
    pub(crate) fn shown(value: &[u8]) -> ShownEnd {
        Self::read(value).map_or(ShownEnd::Untold, |end| match end {
            Self::Never => ShownEnd::Never,
            Self::At(at) => ShownEnd::At(at),
        })
    }

    /// Writes the value of the attribute. An instant between two ticks is the earlier one: nothing lasts longer than asked.
    ///
    /// # Errors
    /// `ldap.value_malformed` when the instant is before 1601.
    pub fn write(self) -> Result<String, Reason> {
        let Self::At(instant) = self else { return Ok(i64::MAX.to_string()) };
        let seconds =
            instant.timestamp().checked_add(FROM_1601).and_then(|seconds| seconds.checked_mul(TICKS));
        let ticks =
            seconds.and_then(|ticks| ticks.checked_add(i64::from(instant.timestamp_subsec_nanos() / 100)));
        // nought would mean never
        let ticks = ticks.filter(|ticks| *ticks > 0 && *ticks < i64::MAX).ok_or(Reason::ValueMalformed)?;
        Ok(ticks.to_string())
    }
}

/// Writes `GeneralizedTime` (RFC 4517 §3.3.13) in UTC, to the second: `pwdEndTime` and its like.
///
/// # Errors
/// `ldap.value_malformed` when the year does not have four digits.
pub fn write_generalized(instant: DateTime<Utc>) -> Result<String, Reason> {
    if !(0..=9999).contains(&instant.year()) {
        return Err(Reason::ValueMalformed);
    }
    Ok(format!(
        "{:04}{:02}{:02}{:02}{:02}{:02}Z",
        instant.year(),
        instant.month(),
        instant.day(),
        instant.hour(),
        instant.minute(),
        instant.second()
    ))
}

/// Reads `GeneralizedTime` as servers write it: in UTC or with an offset, with or without a fraction of the second.
///
/// # Errors
/// `ldap.value_malformed`.
pub fn read_generalized(value: &[u8]) -> Result<DateTime<Utc>, Reason> {
    generalized(value).ok_or(Reason::ValueMalformed)
}

fn generalized(value: &[u8]) -> Option<DateTime<Utc>> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii() && text.len() <= 40)?;
    let (year, rest) = number(text, 4)?;
    let (month, rest) = number(rest, 2)?;
    let (day, rest) = number(rest, 2)?;
    let (hour, rest) = number(rest, 2)?;
    let (minute, rest) = number(rest, 2)?;
    let (second, mut rest) = number(rest, 2)?;
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        let digits = fraction.bytes().take_while(u8::is_ascii_digit).count();
        rest = fraction.get(digits..).filter(|_| digits > 0)?;
    }
    let year = i32::try_from(year).ok()?;
    let local = NaiveDate::from_ymd_opt(year, month, day)?.and_hms_opt(hour, minute, second.min(59))?;
    Some((local - offset(rest)?).and_utc())
}

fn offset(text: &str) -> Option<TimeDelta> {
    if text == "Z" {
        return Some(TimeDelta::zero());
    }
    let sign = match text.bytes().next()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, rest) = number(text.get(1..)?, 2)?;
    let (minutes, rest) = if rest.is_empty() { (0, rest) } else { number(rest, 2)? };
    let minutes = (hours < 24 && minutes < 60 && rest.is_empty()).then_some(hours * 60 + minutes)?;
    Some(TimeDelta::minutes(sign * i64::from(minutes)))
}

fn number(text: &str, digits: usize) -> Option<(u32, &str)> {
    let (number, rest) = text.split_at_checked(digits)?;
    let number = number.bytes().all(|byte| byte.is_ascii_digit()).then(|| number.parse().ok())??;
    Some((number, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(seconds, 0).unwrap()
    }

    #[test]
    fn an_account_ends_when_it_was_told_to() {
        assert_eq!(AccountExpires::read(b"0"), Ok(AccountExpires::Never));
        assert_eq!(AccountExpires::read(b"9223372036854775807"), Ok(AccountExpires::Never));
        assert_eq!(AccountExpires::read(b"116444736000000000"), Ok(AccountExpires::At(at(0))));
        assert_eq!(AccountExpires::At(at(1_800_000_000)).write().unwrap(), "134444736000000000");
        assert_eq!(AccountExpires::Never.write().unwrap(), "9223372036854775807");
        for bad in [&b""[..], b"-1", b"x", b"9223372036854775808", b" 1"] {
            assert_eq!(AccountExpires::read(bad), Err(Reason::ValueMalformed));
        }
        assert!(AccountExpires::At(at(-FROM_1601)).write().is_err());
        assert!(AccountExpires::At(DateTime::<Utc>::MAX_UTC).write().is_err());
    }

    #[test]
    fn generalized_time_is_read_as_servers_write_it() {
        assert_eq!(write_generalized(at(1_800_000_000)).unwrap(), "20270115080000Z");
        for same in [
            "20270115080000Z",
            "20270115080000.0Z",
            "20270115080000,123Z",
            "20270115090000+0100",
            "20270115070000-01",
        ] {
            assert_eq!(read_generalized(same.as_bytes()), Ok(at(1_800_000_000)), "{same}");
        }
        for bad in [
            "",
            "20270115080000",
            "2027011508Z",
            "20271315080000Z",
            "20270115080000.Z",
            "20270115080000+2500",
            "x0270115080000Z",
        ] {
            assert_eq!(read_generalized(bad.as_bytes()), Err(Reason::ValueMalformed), "{bad}");
        }
        assert!(write_generalized(DateTime::<Utc>::MAX_UTC).is_err());
    }
}
