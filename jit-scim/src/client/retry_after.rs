//! How long a target asks to be left alone (RFC 9110 §10.2.3).

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::{HeaderMap, HeaderName, header};

/// Whatever a target says, it is asked again within this span: revocations must not wait for a typing error.
pub(super) const LONGEST: TimeDelta = TimeDelta::hours(1);
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// Reads the pause, where the answer names one that can be understood: seconds, or a date in any of the three forms that
/// HTTP has ever had (§5.6.7). A date counts from what the target says the time is.
pub(super) fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Option<TimeDelta> {
    let text = text(headers, &header::RETRY_AFTER)?;
    let span = match seconds(text) {
        Some(span) => span,
        None => date(text)?.signed_duration_since(date_of(headers).unwrap_or(now)),
    };
    Some(span.clamp(SHORTEST, LONGEST))
}

fn seconds(text: &str) -> Option<TimeDelta> {
    let (whole, part) = text.split_once('.').unwrap_or((text, ""));
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if whole.is_empty() || !is_number(whole) || !is_number(part) {
        return None;
    }
    let rounded_up = i64::from(part.bytes().any(|digit| digit != b'0'));
    // more digits than fit are a pause beyond the longest one
    let whole = whole.parse::<i64>().unwrap_or(i64::MAX).saturating_add(rounded_up);
    Some(TimeDelta::try_seconds(whole).unwrap_or(LONGEST))
}

fn date_of(headers: &HeaderMap) -> Option<DateTime<Utc>> {
    date(text(headers, &header::DATE)?)
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let usual = DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc());
    usual.or_else(|| {
        obsolete.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|d| d.and_utc())
    })
}

fn text<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    Some(headers.get(name)?.to_str().ok()?.trim())
}

#[cfg(test)]
mod tests {
    use super::*;
    use http::HeaderValue;

    fn read(text: &str, date: Option<&str>) -> Option<i64> {
        let now = DateTime::parse_from_rfc3339("1994-11-06T08:49:07Z").unwrap().to_utc();
        let mut headers = HeaderMap::new();
        headers.insert(header::RETRY_AFTER, HeaderValue::from_str(text).unwrap());
        if let Some(date) = date {
            headers.insert(header::DATE, HeaderValue::from_str(date).unwrap());
        }
        pause(&headers, now).map(|span| span.num_seconds())
    }

    #[test]
    fn seconds_are_read_and_bounded() {
        for (text, seconds) in
            [("120", 120), (" 7 ", 7), ("1.2", 2), ("0", 1), ("99999999999999999999", 3600)]
        {
            assert_eq!(read(text, None), Some(seconds), "{text}");
        }
    }

    #[test]
    fn every_form_of_a_date_is_read() {
        for text in
            ["Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"]
        {
            assert_eq!(read(text, None), Some(30), "{text}");
        }
        assert_eq!(read("Sun, 06 Nov 1994 07:49:37 GMT", None), Some(1), "it has passed");
        assert_eq!(read("Sun, 06 Nov 2044 08:49:37 GMT", None), Some(3600), "not for fifty years");
    }

    #[test]
    fn a_date_counts_from_the_clock_of_the_target() {
        let (then, now) = ("Fri, 01 Jan 2100 00:00:20 GMT", "Fri, 01 Jan 2100 00:00:00 GMT");
        assert_eq!(read(then, Some(now)), Some(20));
    }

    #[test]
    fn what_cannot_be_understood_is_no_pause() {
        for text in ["", "soon", "-5", "1e3", "1.5.2", ".", "Sun, 06 Nov 1994"] {
            assert_eq!(read(text, None), None, "{text}");
        }
    }
}
