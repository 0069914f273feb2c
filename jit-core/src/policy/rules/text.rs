//! The small languages of the format: spans, instants, times of day, offsets, networks, asks.

use std::{fmt, net::IpAddr, str::FromStr};

use chrono::{DateTime, TimeDelta, Utc};
use ipnet::{IpNet, Ipv4Net};
use serde::{Deserialize, Deserializer, Serialize, de};

use crate::Ask;

/// Says why a text of the policy format cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyTextError {
    /// Not a span such as `30m`.
    #[error("not a span of time such as `45s`, `30m`, `8h`, `90d`, `2w` or `1h30m`")]
    Span,
    /// A span of nothing, or of more than a hundred years.
    #[error("a span of time must be longer than nothing and not longer than a hundred years")]
    SpanBounds,
    /// Not an instant.
    #[error("not an instant with its offset such as `2026-12-31T18:00:00Z` (RFC 3339)")]
    Instant,
    /// Not a time of day.
    #[error("not a time of day from `00:00` to `24:00`")]
    TimeOfDay,
    /// Not an offset.
    #[error("not an offset from UTC such as `Z`, `+02:00` or `-03:30` (names of time zones are not read)")]
    Offset,
    /// Not a network.
    #[error("not an address or a network such as `192.0.2.0/24` or `2001:db8::/32`")]
    Network,
    /// A network with bits beyond its prefix.
    #[error("the network has bits set beyond its prefix length")]
    NetworkBits,
    /// Not an ask.
    #[error("not an ask: `consent:NAME`, `user_name`, `password`, `link_proof` or `approval`")]
    Ask,
}

/// Reads and writes a type as the text it stands for.
macro_rules! as_text {
    ($name:ident) => {
        impl TryFrom<String> for $name {
            type Error = PolicyTextError;
            fn try_from(text: String) -> Result<Self, PolicyTextError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(value: $name) -> Self {
                value.to_string()
            }
        }
    };
}

/// Holds a span of time, written `30m`, `8h`, `90d` or `1h30m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Span(TimeDelta);

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const CENTURY: i64 = 36_525 * DAY;

impl Span {
    /// The span.
    #[must_use]
    pub fn delta(self) -> TimeDelta {
        self.0
    }
}

impl FromStr for Span {
    type Err = PolicyTextError;
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        let (mut total, mut digits, mut number) = (0_i64, 0_u8, 0_i64);
        let mut smallest = i64::MAX;
        for c in text.chars() {
            if let Some(digit) = c.to_digit(10) {
                digits = digits.saturating_add(1);
                number = number.saturating_mul(10).saturating_add(i64::from(digit));
                continue;
            }
            let unit = match c {
                's' => 1,
                'm' => MINUTE,
                'h' => HOUR,
                'd' => DAY,
                'w' => WEEK,
                _ => return Err(PolicyTextError::Span),
            };
            if digits == 0 || unit >= smallest {
                return Err(PolicyTextError::Span);
            }
            total = total.saturating_add(number.saturating_mul(unit));
            (digits, number, smallest) = (0, 0, unit);
        }
        if digits > 0 || smallest == i64::MAX {
            return Err(PolicyTextError::Span);
        }
        match TimeDelta::try_seconds(total) {
            Some(delta) if (1..=CENTURY).contains(&total) => Ok(Self(delta)),
            _ => Err(PolicyTextError::SpanBounds),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut rest = self.0.num_seconds();
        for (unit, letter) in [(DAY, 'd'), (HOUR, 'h'), (MINUTE, 'm'), (1, 's')] {
            if rest >= unit {
                write!(f, "{}{letter}", rest / unit)?;
                rest %= unit;
            }
        }
        Ok(())
    }
}

as_text!(Span);

/// Holds an instant, written as in RFC 3339 with its offset: as text, or in TOML as a date-time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(transparent)]
pub struct Instant(pub DateTime<Utc>);

impl FromStr for Instant {
    type Err = PolicyTextError;
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        DateTime::parse_from_rfc3339(text)
            .map(|at| Self(at.with_timezone(&Utc)))
            .map_err(|_| PolicyTextError::Instant)
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Instant;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an instant with its offset (RFC 3339)")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Instant, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_map<A: de::MapAccess<'de>>(self, map: A) -> Result<Instant, A::Error> {
                let at = toml::value::Datetime::deserialize(de::value::MapAccessDeserializer::new(map))?;
                at.to_string().parse().map_err(de::Error::custom)
            }
        }
        deserializer.deserialize_any(Visitor)
    }
}

/// Holds a time of day, written `08:00`; `24:00` is the end of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct TimeOfDay(i32);

impl TimeOfDay {
    /// The first instant of a day.
    pub const START: Self = Self(0);
    /// The end of a day.
    pub const END: Self = Self(24 * 60);

    /// Minutes since the day began.
    #[must_use]
    pub fn minutes(self) -> i32 {
        self.0
    }
}

/// Reads two digits, a colon, two digits.
fn hours_and_minutes(text: &str) -> Option<(i32, i32)> {
    let (hours, minutes) = text.split_once(':')?;
    let two = |digits: &str| {
        (digits.len() == 2 && digits.bytes().all(|b| b.is_ascii_digit())).then(|| digits.parse().ok())?
    };
    let (hours, minutes) = (two(hours)?, two(minutes)?);
    (minutes < 60).then_some((hours, minutes))
}

impl FromStr for TimeOfDay {
    type Err = PolicyTextError;
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        let (hours, minutes) = hours_and_minutes(text).ok_or(PolicyTextError::TimeOfDay)?;
        let total = hours * 60 + minutes;
        if total <= Self::END.0 { Ok(Self(total)) } else { Err(PolicyTextError::TimeOfDay) }
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

as_text!(TimeOfDay);

/// Holds a fixed offset from UTC, written `Z`, `+02:00` or `-03:30`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Offset(i32);

/// The widest offset, in minutes; civil time stays within fourteen hours.
const OFFSET_MINUTES: i32 = 14 * 60;

impl Offset {
    /// Minutes east of UTC.
    #[must_use]
    pub fn minutes(self) -> i32 {
        self.0
    }
}

impl FromStr for Offset {
    type Err = PolicyTextError;
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        if text == "Z" {
            return Ok(Self(0));
        }
        let (sign, rest) = match (text.strip_prefix('+'), text.strip_prefix('-')) {
            (Some(rest), _) => (1, rest),
            (_, Some(rest)) => (-1, rest),
            _ => return Err(PolicyTextError::Offset),
        };
        let (hours, minutes) = hours_and_minutes(rest).ok_or(PolicyTextError::Offset)?;
        let total = hours * 60 + minutes;
        if total <= OFFSET_MINUTES { Ok(Self(sign * total)) } else { Err(PolicyTextError::Offset) }
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        write!(f, "{sign}{:02}:{:02}", self.0.abs() / 60, self.0.abs() % 60)
    }
}

as_text!(Offset);

/// Holds a network of addresses, written `192.0.2.0/24`, `2001:db8::/32` or as one address.
///
/// IPv4 addresses written inside IPv6 (`::ffff:192.0.2.1`) are IPv4 addresses here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Network(IpNet);

impl Network {
    /// The network; IPv4 addresses must be compared as such.
    #[must_use]
    pub fn net(self) -> IpNet {
        self.0
    }

    /// Tells whether the address, with IPv4 inside IPv6 read as IPv4, lies in the network.
    #[must_use]
    pub fn contains(self, address: IpAddr) -> bool {
        self.0.contains(&address.to_canonical())
    }
}

impl FromStr for Network {
    type Err = PolicyTextError;
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        let net = match text.parse::<IpNet>() {
            Ok(net) => net,
            Err(_) => IpNet::from(text.parse::<IpAddr>().map_err(|_| PolicyTextError::Network)?),
        };
        if net.trunc() != net {
            return Err(PolicyTextError::NetworkBits);
        }
        let mapped = match net {
            IpNet::V6(v6) if v6.prefix_len() >= 96 => v6
                .addr()
                .to_ipv4_mapped()
                .and_then(|address| Ipv4Net::new(address, v6.prefix_len().saturating_sub(96)).ok()),
            _ => None,
        };
        Ok(Self(mapped.map_or(net, IpNet::V4)))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

as_text!(Network);

/// Holds an ask as the format writes it: `consent:terms-2026`, `user_name`, `password`, `link_proof` or `approval`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AskText(pub Ask);

/// The longest name of terms, in bytes.
const TERMS_BYTES: usize = 128;

impl FromStr for AskText {
    type Err = PolicyTextError;
    fn from_str(text: &str) -> Result<Self, PolicyTextError> {
        Ok(Self(match text {
            "user_name" => Ask::UserName,
            "password" => Ask::Password,
            "link_proof" => Ask::LinkProof,
            "approval" => Ask::Approval,
            text => match text.strip_prefix("consent:") {
                Some(terms)
                    if (1..=TERMS_BYTES).contains(&terms.len()) && !terms.contains(char::is_control) =>
                {
                    Ask::Consent(terms.to_owned())
                }
                _ => return Err(PolicyTextError::Ask),
            },
        }))
    }
}

impl fmt::Display for AskText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            Ask::Consent(terms) => write!(f, "consent:{terms}"),
            ask => f.write_str(ask.word()),
        }
    }
}

as_text!(AskText);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_largest_unit_first_and_written_back() {
        for (text, seconds) in
            [("45s", 45), ("30m", 1_800), ("8h", 28_800), ("90d", 7_776_000), ("1h30m", 5_400)]
        {
            let span: Span = text.parse().unwrap();
            assert_eq!(span.delta().num_seconds(), seconds, "{text}");
            assert_eq!(span.to_string().parse::<Span>().unwrap(), span);
        }
        assert_eq!("2w".parse::<Span>().unwrap(), "14d".parse().unwrap());
        for bad in ["", "8", "h", "8 h", "-8h", "30m1h", "1h1h", "8H", "1.5h", "٣h"] {
            assert_eq!(bad.parse::<Span>(), Err(PolicyTextError::Span), "{bad}");
        }
        for bad in ["0s", "101000d", "99999999999999999999999d"] {
            assert_eq!(bad.parse::<Span>(), Err(PolicyTextError::SpanBounds), "{bad}");
        }
    }

    #[test]
    fn times_of_day_and_offsets_have_two_digits_each() {
        assert_eq!("24:00".parse::<TimeOfDay>().unwrap(), TimeOfDay::END);
        assert_eq!("08:30".parse::<TimeOfDay>().unwrap().minutes(), 510);
        for bad in ["8:00", "24:01", "12:60", "1200", "+1:00", ""] {
            assert!(bad.parse::<TimeOfDay>().is_err(), "{bad}");
        }
        assert_eq!("-03:30".parse::<Offset>().unwrap().minutes(), -210);
        assert_eq!("Z".parse::<Offset>().unwrap().minutes(), 0);
        for bad in ["Europe/Berlin", "+2", "02:00", "+15:00", "+14:01"] {
            assert!(bad.parse::<Offset>().is_err(), "{bad}");
        }
    }

    #[test]
    fn networks_read_ipv4_inside_ipv6_as_ipv4() {
        let net = |text: &str| text.parse::<Network>().unwrap();
        let address = |text: &str| text.parse::<IpAddr>().unwrap();
        assert!(net("192.0.2.0/24").contains(address("::ffff:192.0.2.7")));
        assert!(net("::ffff:192.0.2.0/120").contains(address("192.0.2.7")));
        assert!(!net("::/0").contains(address("::ffff:192.0.2.7")));
        assert!(net("2001:db8::/32").contains(address("2001:db8::1")));
        assert!(
            net("192.0.2.7").contains(address("192.0.2.7"))
                && !net("192.0.2.7").contains(address("192.0.2.8"))
        );
        assert_eq!("192.0.2.1/24".parse::<Network>(), Err(PolicyTextError::NetworkBits));
        for bad in ["192.0.2", "192.0.2.0/33", "example.com", "fe80::1%eth0", ""] {
            assert_eq!(bad.parse::<Network>(), Err(PolicyTextError::Network), "{bad}");
        }
    }

    #[test]
    fn an_instant_is_read_from_text_and_from_a_toml_date_time_and_needs_its_offset() {
        #[derive(Deserialize)]
        struct Holder {
            at: Instant,
        }
        let wanted = DateTime::from_timestamp(1_798_740_000, 0).unwrap();
        for text in
            ["at = '2026-12-31T18:00:00Z'", "at = 2026-12-31T18:00:00Z", "at = 2026-12-31T20:00:00+02:00"]
        {
            assert_eq!(toml::from_str::<Holder>(text).unwrap().at.0, wanted, "{text}");
        }
        for text in
            ["at = 2026-12-31T18:00:00", "at = 2026-12-31", "at = '2026-12-31'", "at = 7", "at = {a = 1}"]
        {
            assert!(toml::from_str::<Holder>(text).is_err(), "{text}");
        }
    }

    #[test]
    fn asks_are_words_and_consent_names_its_terms() {
        assert_eq!("consent:terms-2026".parse::<AskText>().unwrap().0, Ask::Consent("terms-2026".into()));
        assert_eq!("approval".parse::<AskText>().unwrap().to_string(), "approval");
        for bad in ["consent", "consent:", "Approval", "captcha", "consent:a\nb"] {
            assert_eq!(bad.parse::<AskText>(), Err(PolicyTextError::Ask), "{bad}");
        }
    }
}
