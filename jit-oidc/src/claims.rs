//! From what was signed to the four-state claims of the engine.

use jit_core::Claims;
use serde_json::{Map, Value};

use crate::providers::Peculiarities;

/// Claims of a provider in OpenID Connect Core §5.6.2 that live elsewhere: the token only names where.
const CLAIM_NAMES: &str = "_claim_names";

/// Takes over the claims of the ID token and adds those of userinfo that the token lacks.
///
/// Addresses in `_claim_sources` are never fetched: a claim that lives elsewhere is one that is known to be incomplete.
pub(crate) fn to_claims(
    id_token: &Map<String, Value>,
    userinfo: Option<&Map<String, Value>>,
    peculiarities: &Peculiarities,
) -> Claims {
    let mut claims = Claims::new(normalised(id_token, peculiarities));
    if let Some(userinfo) = userinfo {
        claims = claims.supplement(normalised(userinfo, peculiarities));
    }
    for name in elsewhere(id_token).chain(userinfo.into_iter().flat_map(elsewhere)) {
        claims = claims.truncated(name);
    }
    if let Some(overage) = peculiarities.overage
        && [Some(id_token), userinfo].into_iter().flatten().any(|members| is_true(members.get(overage.flag)))
    {
        claims = claims.truncated(overage.claim);
    }
    claims
}

fn elsewhere(members: &Map<String, Value>) -> impl Iterator<Item = &str> {
    members.get(CLAIM_NAMES).and_then(Value::as_object).into_iter().flat_map(Map::keys).map(String::as_str)
}

fn normalised(members: &Map<String, Value>, peculiarities: &Peculiarities) -> Map<String, Value> {
    let mut members = members.clone();
    for name in peculiarities.string_booleans {
        if let Some(value) = members.get_mut(*name)
            && let Some(truth) = truth_of(value)
        {
            *value = Value::Bool(truth);
        }
    }
    members
}

fn is_true(value: Option<&Value>) -> bool {
    value.and_then(truth_of) == Some(true)
}

fn truth_of(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text == "true" || text == "1" => Some(true),
        Value::String(text) if text == "false" || text == "0" => Some(false),
        Value::Number(number) if number.as_u64() == Some(1) => Some(true),
        Value::Number(number) if number.as_u64() == Some(0) => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::providers::Preset;
    use jit_core::Claim;
    use serde_json::json;

    fn members(value: &Value) -> Map<String, Value> {
        value.as_object().unwrap().clone()
    }

    fn truth(claims: &Claims, name: &str) -> Option<bool> {
        claims.get(name).values().and_then(jit_core::ClaimValues::truth)
    }

    #[test]
    fn groups_that_live_elsewhere_are_cut_and_not_absent() {
        let token = members(&json!({
            "sub": "a", "_claim_names": {"groups": "src1"}, "_claim_sources": {"src1": {"endpoint": "https://169.254.169.254/"}},
        }));
        let claims = to_claims(&token, None, &Peculiarities::default());
        assert_eq!(claims.get("groups"), Claim::Truncated);
        let token = members(&json!({"sub": "a", "hasgroups": "true", "groups": ["one"]}));
        assert_eq!(to_claims(&token, None, &Preset::Entra.peculiarities()).get("groups"), Claim::Truncated);
        assert_ne!(to_claims(&token, None, &Preset::Okta.peculiarities()).get("groups"), Claim::Truncated);
    }

    #[test]
    fn text_is_a_truth_value_only_where_the_provider_is_known_for_it() {
        let token = members(&json!({"email_verified": "true", "is_private_email": "false"}));
        let apple = to_claims(&token, None, &Preset::Apple.peculiarities());
        assert_eq!(truth(&apple, "email_verified"), Some(true));
        assert_eq!(truth(&apple, "is_private_email"), Some(false));
        let okta = to_claims(&token, None, &Preset::Okta.peculiarities());
        assert_eq!(truth(&okta, "email_verified"), None);
    }

    #[test]
    fn userinfo_adds_and_never_replaces() {
        let token = members(&json!({"email": "a@example.com"}));
        let userinfo = members(&json!({"email": "b@example.com", "groups": ["x"]}));
        let claims = to_claims(&token, Some(&userinfo), &Peculiarities::default());
        assert_eq!(claims.get("email").values().unwrap().text().unwrap(), "a@example.com");
        assert!(claims.is_supplementary("groups"));
    }
}
