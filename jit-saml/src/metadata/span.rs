//! Spans as XML Schema writes them.

use chrono::TimeDelta;

/// Reads an `xs:duration`. A year counts 365 days and a month 30: spans say here how soon to look again, not when a right
/// ends. Negative and fractional parts are not accepted, but for fractions of a second, which are dropped.
pub(super) fn span(text: &str) -> Option<TimeDelta> {
    let rest = text.trim_matches([' ', '\t', '\r', '\n']).strip_prefix('P')?;
    let (date, time) = match rest.split_once('T') {
        Some((_, "")) => return None,
        Some((date, time)) => (date, time),
        None if rest.is_empty() => return None,
        None => (rest, ""),
    };
    let days = sum(date, &[('Y', 365 * 86_400), ('M', 30 * 86_400), ('D', 86_400)])?;
    let seconds = sum(time, &[('H', 3_600), ('M', 60), ('S', 1)])?;
    TimeDelta::try_seconds(days.checked_add(seconds)?)
}

/// Adds up numbers that are followed by their unit, each unit at most once and in order.
fn sum(mut text: &str, units: &[(char, i64)]) -> Option<i64> {
    let mut total = 0_i64;
    for (unit, seconds) in units {
        let Some((number, rest)) = text.split_once(*unit) else { continue };
        let whole = match number.split_once('.') {
            Some((whole, fraction)) if *unit == 'S' && is_number(fraction) => whole,
            _ => number,
        };
        if !is_number(whole) {
            return None;
        }
        total = total.checked_add(whole.parse::<i64>().ok()?.checked_mul(*seconds)?)?;
        text = rest;
    }
    text.is_empty().then_some(total)
}

fn is_number(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_their_units_in_order() {
        assert_eq!(span("PT1H"), Some(TimeDelta::hours(1)));
        assert_eq!(span("P1DT12H30M5.25S"), Some(TimeDelta::seconds(86_400 + 12 * 3_600 + 1_805)));
        assert_eq!(span("P1Y2M"), Some(TimeDelta::days(365 + 60)));
        assert_eq!(span("PT604800S"), Some(TimeDelta::days(7)));
        for odd in ["", "P", "PT", "P1", "1D", "-P1D", "P1H", "PT1D", "P1M1Y", "PT1.5H", "P-1D", "P1DT"] {
            assert_eq!(span(odd), None, "{odd}");
        }
        assert_eq!(span("P99999999999999999999Y"), None);
        assert_eq!(span("P9999999999999Y"), None);
    }
}
