//! Claims with four states: absent, empty, values, truncated.

use std::{borrow::Cow, collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ClaimPath, members::Members};
use crate::text::head;

/// Holds what a source said of a subject, exactly as it was verified.
///
/// `Debug` prints names, never values.
#[derive(Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Claims {
    members: Members,
    /// Claims whose list was cut by the source, such as the group overage of Entra.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    truncated: BTreeSet<String>,
    /// Claims that came from a second, less direct source (such as a userinfo response).
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    supplementary: BTreeSet<String>,
}

impl Claims {
    /// Takes the members of the verified object.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self { members: Members::new(members), ..Self::default() }
    }

    /// Takes members in any order. Of two with one name the later counts.
    #[must_use]
    pub fn of(members: Vec<(String, Value)>) -> Self {
        Self { members: Members::in_any_order(members), ..Self::default() }
    }

    /// Says what `shared` does of everything that these claims do not name: for sources whose records are whole, so that what
    /// all of them leave out is kept once.
    #[must_use]
    pub fn over(self, shared: &SharedClaims) -> Self {
        Self { members: self.members.over(Arc::clone(&shared.0)), ..self }
    }

    /// Marks a claim as cut by its source: it is never read as complete, whatever values it holds.
    #[must_use]
    pub fn truncated(mut self, name: impl Into<String>) -> Self {
        self.truncated.insert(name.into());
        self
    }

    /// Tells whether any claim was cut by its source.
    #[must_use]
    pub fn has_truncated(&self) -> bool {
        !self.truncated.is_empty()
    }

    /// Adds members of a second source; what the first source said stays.
    #[must_use]
    pub fn supplement(mut self, members: Map<String, Value>) -> Self {
        let is_new = |(name, _): &(String, Value)| self.members.get(head(name), name).is_none();
        let more: Vec<_> = members.into_iter().filter(is_new).collect();
        self.supplementary.extend(more.iter().map(|(name, _)| name.clone()));
        self.members = self.members.with(more);
        self
    }

    /// Puts what was said later in the place of what was said before; what is absent later stays.
    pub(crate) fn overlaid(&self, later: &Self) -> Self {
        let is_said = |name: &str| later.get(name) != Claim::Absent;
        let kept = |names: &BTreeSet<String>| names.iter().filter(|name| !is_said(name)).cloned().collect();
        let (mut truncated, mut supplementary): (BTreeSet<_>, BTreeSet<_>) =
            (kept(&self.truncated), kept(&self.supplementary));
        truncated.extend(later.truncated.iter().cloned());
        supplementary.extend(later.supplementary.iter().filter(|name| is_said(name)).cloned());
        let before = self.members.each().filter(|(name, _)| !is_said(name));
        let said = later.members.each().filter(|(name, _)| is_said(name));
        let members = Members::sorted(before.chain(said).cloned().collect());
        Self { members, truncated, supplementary }
    }

    /// Makes a copy in which the source says nothing at this path.
    pub(crate) fn silenced(&self, path: &ClaimPath) -> Self {
        let mut list: Vec<_> = self.members.each().cloned().collect();
        if let Some((first, rest)) = path.segments.split_first() {
            let member = list.iter_mut().find(|(name, _)| name == first).map(|(_, value)| value);
            let said = rest.iter().fold(member, |value, segment| match value? {
                Value::Object(members) => members.get_mut(segment.as_str()),
                Value::Array(items) => items.get_mut(segment.parse::<usize>().ok()?),
                _ => None,
            });
            if let Some(value) = said {
                *value = Value::Null;
            }
        }
        let (truncated, supplementary) = (self.truncated.clone(), self.supplementary.clone());
        Self { members: Members::sorted(list), truncated, supplementary }
    }

    /// Tells whether the claim came from a second source.
    #[must_use]
    pub fn is_supplementary(&self, name: &str) -> bool {
        self.supplementary.contains(name)
    }

    /// Reads a claim by its exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Claim<'_> {
        self.read(head(name), name)
    }

    fn read(&self, head: u64, name: &str) -> Claim<'_> {
        match self.members.remembered(head, name) {
            Some(value) if !self.has_truncated() => Claim::of(value),
            _ => self.search(head, name),
        }
    }

    #[inline(never)]
    fn search(&self, head: u64, name: &str) -> Claim<'_> {
        if self.is_truncated(name) {
            return Claim::Truncated;
        }
        self.members.get(head, name).map_or(Claim::Absent, Claim::of)
    }

    fn is_truncated(&self, name: &str) -> bool {
        self.truncated.contains(name)
    }

    /// Reads a claim by its path; a cut claim is cut at every depth, and where a list has no such place there is nothing.
    #[inline]
    #[must_use]
    pub fn at(&self, path: &ClaimPath) -> Claim<'_> {
        match path.segments.as_slice() {
            [name] => self.read(path.head, name),
            segments => self.descend(path.head, segments),
        }
    }

    #[inline(never)]
    fn descend(&self, head: u64, segments: &[String]) -> Claim<'_> {
        let Some((first, rest)) = segments.split_first() else { return Claim::Absent };
        if self.is_truncated(first) {
            return Claim::Truncated;
        }
        let mut value = self.members.get(head, first);
        for segment in rest {
            value = match value {
                Some(Value::Object(members)) => members.get(segment.as_str()),
                Some(Value::Array(items)) => match segment.parse::<usize>().map(|index| items.get(index)) {
                    // A list that was not cut says that nothing stands behind its end.
                    Ok(None) => return Claim::Empty,
                    item => item.ok().flatten(),
                },
                _ => None,
            };
        }
        value.map_or(Claim::Absent, Claim::of)
    }

    /// The value as it stands, whether it was cut or not.
    #[cfg(feature = "cel")]
    pub(crate) fn json(&self, name: &str) -> Option<&Value> {
        self.members.get(head(name), name)
    }

    /// The names of all claims that hold something.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|(name, _)| name)
    }

    /// The members of the verified object, in the order of their names.
    pub fn members(&self) -> impl Iterator<Item = (&str, &Value)> {
        self.members.iter()
    }
}

/// Claims that many records have in common: see [`Claims::over`].
#[derive(Clone)]
pub struct SharedClaims(Arc<Members>);

impl SharedClaims {
    /// Takes what is said unless something else is.
    #[must_use]
    pub fn new(members: Map<String, Value>) -> Self {
        Self(Arc::new(Members::new(members)))
    }
}

impl fmt::Debug for SharedClaims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SharedClaims")?;
        f.debug_set().entries(self.0.iter().map(|(name, _)| name)).finish()
    }
}

impl fmt::Debug for Claims {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Claims")?;
        f.debug_set().entries(self.names()).finish()
    }
}

/// Reads one claim in one of its four states.
#[derive(Clone, Copy, PartialEq)]
#[expect(
    clippy::exhaustive_enums,
    reason = "absent is not empty, and cut is not complete: every reader decides all four"
)]
pub enum Claim<'a> {
    /// The source said nothing (or `null`): nothing may be concluded.
    Absent,
    /// The source said that there is nothing: an empty text, list or object, or a list of empty texts.
    Empty,
    /// The source said this, completely.
    Values(ClaimValues<'a>),
    /// The source said that there is more than it sent: nothing may be removed.
    Truncated,
}

impl<'a> Claim<'a> {
    fn of(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Absent,
            Value::String(text) if text.is_empty() => Self::Empty,
            // A list of nothing but empty texts, as SAML says that there is nothing.
            Value::Array(items) if items.iter().all(|item| item.as_str() == Some("")) => Self::Empty,
            Value::Object(members) if members.is_empty() => Self::Empty,
            value => Self::Values(ClaimValues(value)),
        }
    }

    /// The values, where the claim has them completely.
    #[must_use]
    pub fn values(self) -> Option<ClaimValues<'a>> {
        match self {
            Self::Values(values) => Some(values),
            Self::Absent | Self::Empty | Self::Truncated => None,
        }
    }

    /// Tells whether the source spoke completely, so that what it left out may be removed.
    #[must_use]
    pub fn is_settled(self) -> bool {
        matches!(self, Self::Empty | Self::Values(_))
    }

    /// The state as a word, for explanations.
    #[must_use]
    pub fn state(self) -> &'static str {
        match self {
            Self::Absent => "absent",
            Self::Empty => "empty",
            Self::Values(_) => "values",
            Self::Truncated => "truncated",
        }
    }
}

impl fmt::Debug for Claim<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.state())
    }
}

/// Iterates over the values of a claim; a single value is a list of one.
#[derive(Clone, Copy, PartialEq)]
pub struct ClaimValues<'a>(&'a Value);

impl<'a> ClaimValues<'a> {
    /// The verified value as it stands.
    #[must_use]
    pub fn json(self) -> &'a Value {
        self.0
    }

    /// Each value.
    pub fn iter(self) -> impl Iterator<Item = &'a Value> {
        self.as_slice().iter()
    }

    #[inline]
    pub(crate) fn as_slice(self) -> &'a [Value] {
        match self.0 {
            Value::Array(items) => items,
            value => std::slice::from_ref(value),
        }
    }

    /// Each value that can be read as text: strings, numbers and booleans.
    pub fn texts(self) -> impl Iterator<Item = Cow<'a, str>> {
        self.iter().filter_map(text_of)
    }

    /// The text, where there is exactly one value and it is text.
    #[must_use]
    pub fn text(self) -> Option<Cow<'a, str>> {
        match self.0 {
            Value::Array(items) => match items.as_slice() {
                [item] => text_of(item),
                _ => None,
            },
            value => text_of(value),
        }
    }

    /// The truth value, where the claim is a JSON boolean; the text `"true"` is not one.
    #[must_use]
    pub fn truth(self) -> Option<bool> {
        self.0.as_bool()
    }
}

#[inline]
pub(crate) fn text_of(value: &Value) -> Option<Cow<'_, str>> {
    match value {
        Value::String(text) => Some(Cow::Borrowed(text.as_str())),
        Value::Number(number) => Some(Cow::Owned(number.to_string())),
        Value::Bool(truth) => Some(Cow::Borrowed(if *truth { "true" } else { "false" })),
        _ => None,
    }
}

impl fmt::Debug for ClaimValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ClaimValues(…)")
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;
    use crate::ClaimPathError;

    fn claims(value: Value) -> Claims {
        let Value::Object(members) = value else { panic!("an object") };
        Claims::new(members)
    }

    proptest! {
        #[test]
        fn claims_over_others_are_as_those_that_say_all_of_it(
            own in prop::collection::btree_map("[a-d]{1,12}", 0..3_u8, 0..12),
            shared in prop::collection::btree_map("[a-d]{1,12}", 3..6_u8, 0..12),
            other in "[a-d]{1,2}",
        ) {
            let map = |list: &std::collections::BTreeMap<String, u8>| -> Map<String, Value> {
                list.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
            };
            let mut all = shared.clone();
            all.extend(own.clone());
            let (over, all) = (Claims::new(map(&own)).over(&SharedClaims::new(map(&shared))), Claims::new(map(&all)));
            prop_assert!(over == all);
            prop_assert!(all == over);
            prop_assert_eq!(serde_json::to_string(&over).unwrap(), serde_json::to_string(&all).unwrap());
            prop_assert!(over.members().eq(all.members()));
            for name in all.names().chain([other.as_str()]) {
                prop_assert!(over.get(name) == all.get(name), "{name}");
                prop_assert!(over.is_truncated(name) == all.is_truncated(name));
            }
            let more = || map(&[(other.clone(), 9)].into());
            prop_assert!(over.clone().supplement(more()) == all.clone().supplement(more()));
            prop_assert!(over.overlaid(&all) == all && Claims::default().overlaid(&over) == all);
        }
    }

    #[test]
    fn four_states_are_told_apart() {
        let claims =
            claims(json!({
                "a": null, "b": "", "c": [], "d": {}, "e": "x", "f": [1, "y"], "g": ["z"], "h": ["", ""], "i": ["", "x"]
            }))
                .truncated("g");
        assert_eq!(claims.get("nope"), Claim::Absent);
        assert_eq!(claims.get("a"), Claim::Absent);
        for empty in ["b", "c", "d", "h"] {
            assert_eq!(claims.get(empty), Claim::Empty, "{empty}");
        }
        assert_eq!(claims.get("f").values().unwrap().texts().collect::<Vec<_>>(), ["1", "y"]);
        assert_eq!(claims.get("e").values().unwrap().text().unwrap(), "x");
        assert_eq!(claims.get("f").values().unwrap().text(), None);
        assert_eq!(claims.get("i").values().unwrap().texts().collect::<Vec<_>>(), ["", "x"]);
        assert_eq!(claims.get("g"), Claim::Truncated);
    }

    #[test]
    fn a_dot_or_a_url_is_part_of_a_name_and_a_slash_descends() {
        let claims = claims(json!({"a.b": "name", "https://x/roles": "url", "a": {"b/c": {"~": ["deep"]}}}));
        let text = |path: &str| {
            claims.at(&ClaimPath::new(path).unwrap()).values().map(|v| v.text().unwrap().into_owned())
        };
        assert_eq!(text("a.b").as_deref(), Some("name"));
        assert_eq!(text("https://x/roles").as_deref(), Some("url"));
        assert_eq!(text("/a/b~1c/~0/0").as_deref(), Some("deep"));
        assert_eq!(text("/a/nope"), None);
        assert_eq!(ClaimPath::new("/a~2"), Err(ClaimPathError::Escape));
        assert_eq!(ClaimPath::new(""), Err(ClaimPathError::Empty));
    }

    #[test]
    fn what_stands_behind_the_end_of_a_list_is_empty_and_what_an_object_does_not_name_is_absent() {
        let claims =
            claims(json!({"none": [], "one": [{"value": "x"}], "lists": [[]], "cut": [], "object": {}}))
                .truncated("cut");
        let at = |path: &str| claims.at(&ClaimPath::new(path).unwrap()).state();
        for path in ["/none/0", "/none/0/value", "/one/1/value", "/lists/0/0", "/none/9/a/b"] {
            assert_eq!(at(path), "empty", "{path}");
        }
        for path in ["/one/0/other", "/one/value", "/one/-1", "/object/a", "/nope/0"] {
            assert_eq!(at(path), "absent", "{path}");
        }
        assert_eq!((at("/one/0/value"), at("/cut/0/value")), ("values", "truncated"));
    }

    #[test]
    fn a_second_source_adds_and_never_replaces() {
        let Value::Object(more) = json!({"email": "evil@example.org", "locale": "en"}) else {
            panic!("an object")
        };
        let claims = claims(json!({"email": "a@example.com"})).supplement(more);
        assert_eq!(claims.get("email").values().unwrap().text().unwrap(), "a@example.com");
        assert!(claims.is_supplementary("locale") && !claims.is_supplementary("email"));
    }

    #[test]
    fn what_is_said_later_takes_the_place_of_what_was_said_and_silence_of_nothing() {
        let before = claims(json!({"a": 1, "b": ["x"], "c": "kept", "d": ["cut"]})).truncated("d");
        let after = before.overlaid(&claims(json!({"a": 2, "b": [], "c": null, "d": ["whole"]})));
        assert_eq!(after.get("a").values().unwrap().text().unwrap(), "2");
        assert_eq!(after.get("b"), Claim::Empty);
        assert_eq!(after.get("c").values().unwrap().text().unwrap(), "kept");
        assert_eq!(after.get("d").values().unwrap().text().unwrap(), "whole");
        assert_eq!(after.overlaid(&Claims::default()), after);
        assert_eq!(after.overlaid(&claims(json!({"a": []})).truncated("b")).get("b"), Claim::Truncated);
    }

    #[test]
    fn claims_are_written_as_the_object_that_they_were_read_from() {
        let text = r#"{"members":{"a":1,"b":{"c":[true]}},"truncated":["b"]}"#;
        let claims: Claims = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&claims).unwrap(), text);
        assert_eq!(claims.names().collect::<Vec<_>>(), ["a", "b"]);
    }

    proptest! {
        #[test]
        fn a_claim_is_found_by_its_whole_name(
            names in prop::collection::btree_set("(claim_x)?[a-c\\x00]{0,3}", 0..12),
            more in prop::collection::btree_set("(claim_x)?[b-d\\x00]{0,3}", 0..12),
            wanted in "(claim_x)?[a-d\\x00]{0,3}",
        ) {
            let object = |names: &BTreeSet<String>, of: &str| {
                names.iter().map(|name| (name.clone(), Value::from(format!("{of}{name}")))).collect()
            };
            let claims = Claims::new(object(&names, "1")).supplement(object(&more, "2"));
            let found = claims.get(&wanted).values().and_then(ClaimValues::text).map(Cow::into_owned);
            let of = [(&names, "1"), (&more, "2")].into_iter().find(|(names, _)| names.contains(&wanted));
            prop_assert_eq!(found, of.map(|(_, of)| format!("{of}{wanted}")));
            prop_assert!(claims.names().is_sorted());
        }
    }

    #[test]
    fn debug_shows_no_value() {
        assert_eq!(format!("{:?}", claims(json!({"email": "a@example.com"}))), "Claims{\"email\"}");
    }
}
