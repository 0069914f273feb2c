//! Numbers and instants are ordered as they are, however they are written.

use std::sync::{Arc, LazyLock};

use proptest::prelude::*;

use super::*;
use crate::{Json, Limits, Schemas};

fn things() -> Arc<ResourceType> {
    static THINGS: LazyLock<Arc<ResourceType>> = LazyLock::new(|| {
        let schemas =
            Schemas::builder().add_schemas(include_bytes!("../../tests/data/schemas.json")).unwrap();
        let types = include_bytes!("../../tests/data/resource-type.json");
        schemas.add_resource_types(types).unwrap().build().endpoint("/TestResources").unwrap().clone()
    });
    THINGS.clone()
}

/// How a value is written, and what it is: for numbers in thousandths, for instants in milliseconds of a day.
type Written = (&'static str, i128);

const WHOLE: [Written; 8] = [
    ("-9223372036854775808", -9_223_372_036_854_775_808_000),
    ("-1", -1_000),
    ("0", 0),
    ("1", 1_000),
    ("2", 2_000),
    // doubles do not tell these apart
    ("9007199254740992", 9_007_199_254_740_992_000),
    ("9007199254740993", 9_007_199_254_740_993_000),
    ("9223372036854775807", 9_223_372_036_854_775_807_000),
];
const NUMBERS: [Written; 9] = [
    ("-1", -1_000),
    ("-0.5", -500),
    ("0", 0),
    ("-0.0", 0),
    ("1.0", 1_000),
    ("1.125", 1_125),
    ("2", 2_000),
    ("2e0", 2_000),
    ("1.5E3", 1_500_000),
];
const INSTANTS: [Written; 7] = [
    ("2026-01-01T23:59:59Z", -1_000),
    ("2026-01-02T00:00:00Z", 0),
    ("2026-01-02T02:00:00+02:00", 0),
    ("2026-01-02T00:00:00.000Z", 0),
    ("2026-01-01T19:00:00.25-05:00", 250),
    ("2026-01-02T00:00:01", 1_000),
    ("2026-01-02T00:00:00.999Z", 999),
];

const OPERATORS: [&str; 6] = ["eq", "ne", "gt", "ge", "lt", "le"];

/// The attributes, and which of the values above they hold.
#[derive(Clone, Debug)]
struct Thing {
    whole: Option<Written>,
    inner: Option<Written>,
    decimal: Option<Written>,
    instant: Option<Written>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Attribute {
    Whole,
    Inner,
    Decimal,
    Instant,
}

#[derive(Clone, Debug)]
enum Plain {
    And(Box<Plain>, Box<Plain>),
    Or(Box<Plain>, Box<Plain>),
    Not(Box<Plain>),
    Present(Attribute),
    Test(Attribute, &'static str, Written),
}

impl Attribute {
    const fn name(self) -> &'static str {
        match self {
            Self::Whole => "integerAttr",
            Self::Inner => "complexAttr.sub2",
            Self::Decimal => "decimalAttr",
            Self::Instant => "dateTimeAttr",
        }
    }

    const fn of(self, thing: &Thing) -> Option<Written> {
        match self {
            Self::Whole => thing.whole,
            Self::Inner => thing.inner,
            Self::Decimal => thing.decimal,
            Self::Instant => thing.instant,
        }
    }
}

impl Thing {
    fn resource(&self) -> Resource {
        let quoted = |(text, _): Written| format!("\"{text}\"");
        let plain = |(text, _): Written| text.to_owned();
        let parts = [
            self.whole.map(|one| format!(r#""integerAttr":{}"#, plain(one))),
            self.inner.map(|one| format!(r#""complexAttr":{{"sub2":{}}}"#, plain(one))),
            self.decimal.map(|one| format!(r#""decimalAttr":{}"#, plain(one))),
            self.instant.map(|one| format!(r#""dateTimeAttr":{}"#, quoted(one))),
        ];
        let extension = "urn:ietf:params:scim:schemas:extension:test:2.0:TestResource";
        let start = format!(
            r#""schemas":["urn:ietf:params:scim:schemas:test:2.0:TestResource","{extension}"],"identifier":"a","{extension}":{{"extRequired":"r"}}"#
        );
        let all: Vec<_> = std::iter::once(start).chain(parts.into_iter().flatten()).collect();
        let json = Json::parse(format!("{{{}}}", all.join(",")).as_bytes(), &Limits::default()).unwrap();
        Resource::create(&things(), &json, Tolerance::strict()).unwrap()
    }
}

impl Plain {
    fn text(&self) -> String {
        match self {
            Self::And(a, b) => format!("({}) and ({})", a.text(), b.text()),
            Self::Or(a, b) => format!("({}) or ({})", a.text(), b.text()),
            Self::Not(a) => format!("not ({})", a.text()),
            Self::Present(attribute) => format!("{} pr", attribute.name()),
            Self::Test(Attribute::Instant, operator, (text, _)) => {
                format!("dateTimeAttr {operator} \"{text}\"")
            }
            Self::Test(attribute, operator, (text, _)) => format!("{} {operator} {text}", attribute.name()),
        }
    }

    fn holds(&self, thing: &Thing) -> bool {
        match self {
            Self::And(a, b) => a.holds(thing) & b.holds(thing),
            Self::Or(a, b) => a.holds(thing) | b.holds(thing),
            Self::Not(a) => !a.holds(thing),
            Self::Present(attribute) => attribute.of(thing).is_some(),
            Self::Test(attribute, operator, (_, literal)) => {
                let Some((_, value)) = attribute.of(thing) else { return *operator == "ne" };
                match *operator {
                    "eq" => value == *literal,
                    "ne" => value != *literal,
                    "gt" => value > *literal,
                    "ge" => value >= *literal,
                    "lt" => value < *literal,
                    _ => value <= *literal,
                }
            }
        }
    }
}

fn thing() -> impl Strategy<Value = Thing> {
    let one = |values: &'static [Written]| proptest::option::of(proptest::sample::select(values));
    (one(&WHOLE), one(&WHOLE), one(&NUMBERS), one(&INSTANTS))
        .prop_map(|(whole, inner, decimal, instant)| Thing { whole, inner, decimal, instant })
}

fn plain() -> impl Strategy<Value = Plain> {
    use Attribute::{Decimal, Inner, Instant, Whole};
    let test = |attribute, values: &'static [Written]| {
        (proptest::sample::select(&OPERATORS[..]), proptest::sample::select(values))
            .prop_map(move |(operator, literal)| Plain::Test(attribute, operator, literal))
    };
    let leaf = prop_oneof![
        3 => test(Whole, &WHOLE),
        2 => test(Inner, &WHOLE),
        3 => test(Decimal, &NUMBERS),
        3 => test(Instant, &INSTANTS),
        1 => proptest::sample::select(vec![Whole, Inner, Decimal, Instant]).prop_map(Plain::Present),
    ];
    leaf.prop_recursive(3, 16, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Plain::And(a.into(), b.into())),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| Plain::Or(a.into(), b.into())),
            inner.prop_map(|a| Plain::Not(a.into())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn the_plain_reading_of_numbers_and_instants_agrees(plain in plain(), thing in thing()) {
        let filter = Filter::parse(&things(), &plain.text()).unwrap();
        prop_assert_eq!(filter.matches(&thing.resource()), plain.holds(&thing), "{} on {:?}", plain.text(), thing);
        let again = Filter::parse(&things(), &filter.to_string()).unwrap();
        prop_assert_eq!(again, filter);
    }
}

#[test]
fn whole_numbers_and_fractions_are_ordered_together() {
    let thing =
        Thing { whole: Some(WHOLE[4]), inner: None, decimal: Some(NUMBERS[5]), instant: None }.resource();
    for (text, holds) in [
        ("integerAttr gt 1.999", true),
        ("integerAttr eq 2.0", true),
        ("integerAttr lt 2.001", true),
        ("integerAttr ge 2.5", false),
        ("decimalAttr gt 1", true),
        ("decimalAttr lt 2", true),
        ("decimalAttr eq 1", false),
    ] {
        assert_eq!(Filter::parse(&things(), text).unwrap().matches(&thing), holds, "{text}");
    }
    for text in ["integerAttr co 1", "decimalAttr sw 1", "integerAttr gt \"1\"", "dateTimeAttr gt 1"] {
        assert!(Filter::parse(&things(), text).is_err(), "{text}");
    }
}
