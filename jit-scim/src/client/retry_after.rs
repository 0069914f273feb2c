//! How long a target asks to be left alone: by `Retry-After` (RFC 9110 §10.2.3), or by what is left of a limit and when it
//! begins anew, which GitHub, Okta, Atlassian and a draft of the IETF each write in a way of their own.

use chrono::{DateTime, NaiveDateTime, TimeDelta, Utc};
use http::header::AsHeaderName;
use http::{HeaderMap, header};

/// Whatever a target says, it is asked again within this span: revocations must not wait for a typing error.
pub(super) const LONGEST: TimeDelta = TimeDelta::hours(1);
const SHORTEST: TimeDelta = TimeDelta::seconds(1);

/// What is left of a limit, by the names that are in use, and when it begins anew.
const LEFT: [&str; 3] = ["x-ratelimit-remaining", "x-rate-limit-remaining", "ratelimit-remaining"];
const RESET: [&str; 3] = ["x-ratelimit-reset", "x-rate-limit-reset", "ratelimit-reset"];
/// A larger number counts seconds since 1970, a smaller one from now on.
const IS_INSTANT: TimeDelta = TimeDelta::seconds(1_000_000_000);

/// Reads the pause, where the answer names one that can be understood: seconds, or a date in any of the three forms that
/// HTTP has ever had (§5.6.7). A date counts from what the target says the time is. Where nothing of that is there, the
/// pause lasts until the limit begins anew, unless some of it is left: then it is not that limit which was reached.
pub(super) fn pause(headers: &HeaderMap, now: DateTime<Utc>) -> Option<TimeDelta> {
    let now = date_of(headers).unwrap_or(now);
    let asked = text(headers, header::RETRY_AFTER).and_then(|text| after(text, now));
    let reset = || {
        let is_reached = left(headers).is_none_or(|left| left == TimeDelta::zero());
        RESET.iter().filter(|_| is_reached).find_map(|name| reset(text(headers, *name)?, now))
    };
    Some(asked.or_else(reset)?.clamp(SHORTEST, LONGEST))
}

/// Tells whether an answer that would be a refusal is about how often was asked.
pub(super) fn is_limit(headers: &HeaderMap) -> bool {
    headers.contains_key(header::RETRY_AFTER) || left(headers) == Some(TimeDelta::zero())
}

fn left(headers: &HeaderMap) -> Option<TimeDelta> {
    LEFT.iter().find_map(|name| seconds(text(headers, *name)?))
}

fn after(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    seconds(text).or_else(|| Some(date(text)?.signed_duration_since(now)))
}

fn reset(text: &str, now: DateTime<Utc>) -> Option<TimeDelta> {
    match after(text, now) {
        Some(span) if span >= IS_INSTANT && seconds(text).is_some() => {
            Some(span - now.signed_duration_since(DateTime::UNIX_EPOCH))
        }
        Some(span) => Some(span),
        None => {
            let whole = DateTime::parse_from_rfc3339(text).ok().map(|date| date.to_utc());
            let minutes =
                || NaiveDateTime::parse_from_str(text, "%Y-%m-%dT%H:%MZ").ok().map(|date| date.and_utc());
            Some(whole.or_else(minutes)?.signed_duration_since(now))
        }
    }
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
    date(text(headers, header::DATE)?)
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let obsolete = ["%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];
    let usual = DateTime::parse_from_rfc2822(text).ok().map(|date| date.to_utc());
    usual.or_else(|| {
        obsolete.iter().find_map(|form| NaiveDateTime::parse_from_str(text, form).ok()).map(|d| d.and_utc())
    })
}

fn text(headers: &HeaderMap, name: impl AsHeaderName) -> Option<&str> {
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
    fn a_limit_begins_anew_at_an_instant_or_after_a_span() {
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let read = |pairs: &[(&'static str, &'static str)]| {
            let pair = |(name, text): &(&'static str, &'static str)| {
                (http::HeaderName::from_static(name), HeaderValue::from_static(text))
            };
            pause(&pairs.iter().map(pair).collect(), now).map(|span| span.num_seconds())
        };
        for (text, seconds) in [
            ("1800000090", Some(90)),
            ("1799990000", Some(1)),
            ("90", Some(90)),
            ("99999999999999999999", Some(3600)),
            ("2027-01-15T08:02Z", Some(120)),
            ("2027-01-15T09:00:30+01:00", Some(30)),
            ("Fri, 15 Jan 2027 08:01:00 GMT", Some(60)),
            ("soon", None),
            ("", None),
            ("-1", None),
        ] {
            assert_eq!(read(&[("x-ratelimit-reset", text)]), seconds, "{text}");
        }
        let own = ("date", "Fri, 15 Jan 2027 07:00:00 GMT");
        assert_eq!(read(&[own, ("x-ratelimit-reset", "1799996410")]), Some(10), "by its own clock");
        assert_eq!(read(&[("retry-after", "soon"), ("ratelimit-reset", "9")]), Some(9));
        assert_eq!(read(&[("ratelimit-remaining", "1"), ("ratelimit-reset", "9")]), None);
    }

    #[test]
    fn what_cannot_be_understood_is_no_pause() {
        for text in ["", "soon", "-5", "1e3", "1.5.2", ".", "Sun, 06 Nov 1994"] {
            assert_eq!(read(text, None), None, "{text}");
        }
    }
}
