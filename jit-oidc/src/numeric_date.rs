//! `NumericDate` of RFC 7519 §2.

use chrono::{DateTime, Utc};
use serde_json::Value;

/// 9999-12-31T23:59:59Z.
const LATEST: f64 = 253_402_300_799.0;

/// Reads seconds since 1970, whole or with a fraction (some providers send one), from 1970 to the year 9999.
/// Strings are not numbers.
pub(crate) fn parse(value: &Value) -> Option<DateTime<Utc>> {
    let Value::Number(number) = value else { return None };
    let seconds = number.as_f64().filter(|seconds| (0.0..=LATEST).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "the range was checked")]
    let milliseconds = (seconds * 1000.0) as i64;
    DateTime::from_timestamp_millis(milliseconds)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn reads_whole_seconds_fractions_and_exponents() {
        for (value, milliseconds) in [
            (json!(0), 0),
            (json!(1_795_213_538), 1_795_213_538_000),
            (json!(1_795_213_538.557_962), 1_795_213_538_557),
            (json!(1.7e9), 1_700_000_000_000),
            (json!(253_402_300_799_u64), 253_402_300_799_000),
        ] {
            assert_eq!(parse(&value).unwrap().timestamp_millis(), milliseconds, "{value}");
        }
    }

    #[test]
    fn refuses_everything_else() {
        for value in [
            json!("1795213538"),
            json!(-1),
            json!(253_402_300_800_u64),
            json!(1e300),
            json!(u64::MAX),
            json!(null),
            json!(true),
            json!([1]),
            json!({}),
        ] {
            assert_eq!(parse(&value), None, "{value}");
        }
    }
}
