//! Instants as SAML writes them.

use chrono::{DateTime, FixedOffset, NaiveDate, Utc};

/// The most digits of a fraction of a second that are read; what is below a nanosecond is dropped.
const FRACTION: usize = 32;

/// Which ways to write an instant are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum TimeForm {
    /// In UTC, with `Z` (SAML Core §1.3.3).
    #[default]
    Utc,
    /// Also with an offset, or with nothing at its end, which then means UTC.
    LegacyOffset,
}

/// Reads an `xs:dateTime`.
pub(crate) fn instant(text: &str, form: TimeForm) -> Option<DateTime<Utc>> {
    let (head, rest) = text.as_bytes().split_first_chunk::<19>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2, b'T', h1, h2, b':', n1, n2, b':', s1, s2] = *head else {
        return None;
    };
    let year = number(&[y1, y2, y3, y4])?;
    let date = NaiveDate::from_ymd_opt(i32::try_from(year).ok()?, number(&[m1, m2])?, number(&[d1, d2])?)?;
    let (nanos, zone) = fraction(rest)?;
    let local = date.and_hms_nano_opt(number(&[h1, h2])?, number(&[n1, n2])?, number(&[s1, s2])?, nanos)?;
    match (zone, form) {
        (b"Z", _) | (b"", TimeForm::LegacyOffset) => Some(local.and_utc()),
        (zone, TimeForm::LegacyOffset) => {
            local.and_local_timezone(offset(zone)?).single().map(|at| at.to_utc())
        }
        (_, TimeForm::Utc) => None,
    }
}

/// Writes an instant to the second, in UTC.
pub(crate) fn written(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%dT%H:%M:%SZ").to_string()
}

fn number(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |sum, digit| {
        let digit = digit.checked_sub(b'0').filter(|digit| *digit < 10)?;
        sum.checked_mul(10)?.checked_add(u32::from(digit))
    })
}

/// Reads the fraction of the second, if there is one, and returns what follows.
fn fraction(rest: &[u8]) -> Option<(u32, &[u8])> {
    let Some((b'.', rest)) = rest.split_first() else { return Some((0, rest)) };
    let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 || digits > FRACTION {
        return None;
    }
    let (digits, zone) = rest.split_at_checked(digits)?;
    let mut scale = 100_000_000;
    let mut nanos = 0_u32;
    for digit in digits {
        nanos = nanos.checked_add(u32::from(digit.checked_sub(b'0')?).checked_mul(scale)?)?;
        scale /= 10;
    }
    Some((nanos, zone))
}

/// Reads `+11:00`; XML Schema bounds it by fourteen hours.
fn offset(zone: &[u8]) -> Option<FixedOffset> {
    let [sign, h1, h2, b':', m1, m2] = *zone else { return None };
    let minutes = number(&[h1, h2])?.checked_mul(60)?.checked_add(number(&[m1, m2]).filter(|m| *m < 60)?)?;
    let seconds = i32::try_from(minutes).ok().filter(|minutes| *minutes <= 14 * 60)?.checked_mul(60)?;
    match sign {
        b'+' => FixedOffset::east_opt(seconds),
        b'-' => FixedOffset::west_opt(seconds),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn strict(text: &str) -> Option<i64> {
        instant(text, TimeForm::Utc).map(|at| at.timestamp())
    }

    #[test]
    fn instants_are_in_utc() {
        assert_eq!(strict("2027-01-15T12:00:00Z"), Some(1_800_014_400));
        assert_eq!(strict("2027-01-15T12:00:00.1234567Z"), Some(1_800_014_400));
        assert_eq!(strict("2024-02-29T23:59:59Z"), Some(1_709_251_199));
        for odd in [
            "",
            "2027-01-15",
            "2027-01-15T12:00:00",
            "2027-01-15T12:00:00z",
            "2027-01-15T12:00:00+00:00",
            "2027-01-15T12:00:00.Z",
            "2027-01-15T24:00:00Z",
            "2027-01-15T12:00:60Z",
            "2027-02-29T12:00:00Z",
            "2027-13-15T12:00:00Z",
            "2027-01-15 12:00:00Z",
            " 2027-01-15T12:00:00Z",
            "2027-01-15T12:00:00Z ",
            "-2027-01-15T12:00:00Z",
            "12027-01-15T12:00:00Z",
            "2027-01-15T12:00:00.1Z.1Z",
            "20\u{661}7-01-15T12:00:00Z",
        ] {
            assert_eq!(strict(odd), None, "{odd}");
        }
        let long = format!("2027-01-15T12:00:00.{}Z", "9".repeat(1000));
        assert_eq!(strict(&long), None);
    }

    #[test]
    fn the_switch_reads_offsets() {
        let legacy = |text: &str| instant(text, TimeForm::LegacyOffset).map(|at| at.timestamp());
        assert_eq!(legacy("2027-01-15T23:00:00+11:00"), Some(1_800_014_400));
        assert_eq!(legacy("2027-01-15T06:30:00.5-05:30"), Some(1_800_014_400));
        assert_eq!(legacy("2027-01-15T12:00:00"), Some(1_800_014_400));
        for odd in ["+14:01", "+1100", "+11:60", "11:00", "+11", "Zulu"] {
            let text = format!("2027-01-15T12:00:00{odd}");
            assert_eq!(legacy(&text), None, "{odd}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_reads_back(seconds in 0_i64..4_102_444_800) {
            let at = DateTime::from_timestamp(seconds, 0).unwrap();
            prop_assert_eq!(instant(&written(at), TimeForm::Utc), Some(at));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC{0,40}") {
            let _ = instant(&text, TimeForm::LegacyOffset);
        }
    }
}
