use chrono::{DateTime, TimeDelta, Utc};

/// Writes an instant to the minute.
pub(crate) fn instant(at: DateTime<Utc>) -> String {
    at.format("%Y-%m-%d %H:%M UTC").to_string()
}

/// Writes a span in its largest whole unit.
pub(crate) fn span(span: TimeDelta) -> String {
    let units = [(span.num_days(), "day"), (span.num_hours(), "hour"), (span.num_minutes(), "minute")];
    let (count, unit) = units
        .into_iter()
        .find(|(count, unit)| *count > 0 && length(*count, unit) == span)
        .unwrap_or((span.num_seconds(), "second"));
    if count == 1 { format!("1 {unit}") } else { format!("{count} {unit}s") }
}

fn length(count: i64, unit: &str) -> TimeDelta {
    match unit {
        "day" => TimeDelta::days(count),
        "hour" => TimeDelta::hours(count),
        _ => TimeDelta::minutes(count),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_span_is_written_in_its_largest_whole_unit() {
        assert_eq!(span(TimeDelta::hours(8)), "8 hours");
        assert_eq!(span(TimeDelta::days(1)), "1 day");
        assert_eq!(span(TimeDelta::minutes(90)), "90 minutes");
        assert_eq!(span(TimeDelta::seconds(61)), "61 seconds");
        assert_eq!(span(TimeDelta::zero()), "0 seconds");
    }
}
