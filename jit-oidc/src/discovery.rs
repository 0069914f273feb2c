//! What a provider publishes about itself (OpenID Connect Discovery 1.0, RFC 8414).

use serde_json::{Map, Value};
use url::{Host, Url};

use crate::algorithm::{Algorithm, AlgorithmSet};
use crate::expectations::IssuerRule;
use crate::json;
use crate::rejection::Rejection;

/// The longest metadata document that is read.
pub const MAX_METADATA: usize = 64 * 1024;
const MAX_VALUES: usize = 4 * 1024;

/// The parts of a provider's metadata that a sign-in needs.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderMetadata {
    /// The issuer as published, equal to the configured one byte for byte.
    pub issuer: String,
    /// Where people are sent.
    pub authorization_endpoint: Url,
    /// Where codes are redeemed.
    pub token_endpoint: Url,
    /// Where the keys are.
    pub jwks_uri: Url,
    /// Where more claims are, if anywhere.
    pub userinfo_endpoint: Option<Url>,
    /// Where people sign out, if anywhere.
    pub end_session_endpoint: Option<Url>,
    /// The algorithms that the provider signs ID tokens with; unknown names are left out.
    pub id_token_algorithms: AlgorithmSet,
    /// The ways in which clients may authenticate; empty where the provider does not say.
    pub client_authentication: Vec<String>,
    /// Whether each authorization response carries `iss` (RFC 9207).
    pub sends_issuer: bool,
}

/// Which addresses a document may name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Endpoints {
    /// Only https.
    Https,
    /// Also http on this machine: for tests and demonstrations.
    DangerousLoopbackHttp,
}

/// Returns the address of the metadata of an issuer (OpenID Connect Discovery §4.1).
#[must_use]
pub fn metadata_address(issuer: &str) -> String {
    format!("{}/.well-known/openid-configuration", issuer.strip_suffix('/').unwrap_or(issuer))
}

impl ProviderMetadata {
    /// Reads a metadata document and compares its issuer with the configured one (OpenID Connect Discovery §4.3).
    ///
    /// # Errors
    /// `oidc.discovery_…`, or `oidc.json_…` and `oidc.utf8_invalid` for the text.
    pub fn parse(text: &[u8], rule: &IssuerRule, endpoints: Endpoints) -> Result<Self, Rejection> {
        let document = json::object(text, MAX_VALUES)?;
        let issuer = string(&document, "issuer")?.ok_or(Rejection::DiscoveryMalformed)?;
        if issuer != rule.published() {
            return Err(Rejection::DiscoveryIssuerMismatch);
        }
        check_flow(&document)?;
        let needed = |name| endpoint(&document, name, endpoints)?.ok_or(Rejection::DiscoveryMalformed);
        Ok(Self {
            authorization_endpoint: needed("authorization_endpoint")?,
            token_endpoint: needed("token_endpoint")?,
            jwks_uri: needed("jwks_uri")?,
            userinfo_endpoint: endpoint(&document, "userinfo_endpoint", endpoints)?,
            end_session_endpoint: endpoint(&document, "end_session_endpoint", endpoints)?,
            id_token_algorithms: algorithms(&document)?,
            client_authentication: strings(&document, "token_endpoint_auth_methods_supported")?
                .unwrap_or_default(),
            sends_issuer: flag(&document, "authorization_response_iss_parameter_supported")?,
            issuer,
        })
    }
}

/// What a provider does not list it may still support, so only a list without our entry is a refusal.
fn check_flow(document: &Map<String, Value>) -> Result<(), Rejection> {
    for (name, needed) in [("response_types_supported", "code"), ("code_challenge_methods_supported", "S256")]
    {
        let listed = strings(document, name)?;
        if listed.is_some_and(|values| !values.iter().any(|value| value == needed)) {
            return Err(Rejection::DiscoveryFlowUnsupported);
        }
    }
    Ok(())
}

/// Algorithms can only narrow what is configured, so unknown ones, and `none`, count for nothing.
fn algorithms(document: &Map<String, Value>) -> Result<AlgorithmSet, Rejection> {
    let names = strings(document, "id_token_signing_alg_values_supported")?;
    let Some(names) = names else { return Ok(AlgorithmSet::of(Algorithm::ALL)) };
    let known: Vec<_> = names.iter().filter_map(|name| Algorithm::from_name(name)).collect();
    Ok(AlgorithmSet::of(&known))
}

fn endpoint(
    document: &Map<String, Value>,
    name: &str,
    endpoints: Endpoints,
) -> Result<Option<Url>, Rejection> {
    let Some(text) = string(document, name)? else { return Ok(None) };
    let url = Url::parse(&text).map_err(|_| Rejection::DiscoveryEndpointRefused)?;
    if is_allowed(&url, endpoints) { Ok(Some(url)) } else { Err(Rejection::DiscoveryEndpointRefused) }
}

/// Tells whether an address may be named by a document or a configuration.
pub(crate) fn is_allowed(url: &Url, endpoints: Endpoints) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost",
        None => return false,
    };
    let scheme = match url.scheme() {
        "https" => true,
        "http" => endpoints == Endpoints::DangerousLoopbackHttp && is_loopback,
        _ => false,
    };
    scheme && url.username().is_empty() && url.password().is_none() && url.fragment().is_none()
}

fn string(document: &Map<String, Value>, name: &str) -> Result<Option<String>, Rejection> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(Rejection::DiscoveryMalformed),
    }
}

fn strings(document: &Map<String, Value>, name: &str) -> Result<Option<Vec<String>>, Rejection> {
    let values = match document.get(name) {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::Array(values)) => values,
        Some(_) => return Err(Rejection::DiscoveryMalformed),
    };
    let texts = values.iter().map(|value| value.as_str().map(str::to_owned)).collect::<Option<Vec<_>>>();
    texts.map(Some).ok_or(Rejection::DiscoveryMalformed)
}

fn flag(document: &Map<String, Value>, name: &str) -> Result<bool, Rejection> {
    match document.get(name) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(flag)) => Ok(*flag),
        Some(_) => Err(Rejection::DiscoveryMalformed),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn document() -> Value {
        json!({
            "issuer": "https://op.example.com", "authorization_endpoint": "https://op.example.com/auth",
            "token_endpoint": "https://op.example.com/token", "jwks_uri": "https://keys.example.net/jwks",
            "response_types_supported": ["code", "id_token"], "id_token_signing_alg_values_supported": ["none", "RS256", "ES256K"],
        })
    }

    fn parse(change: impl FnOnce(&mut Value), endpoints: Endpoints) -> Result<ProviderMetadata, Rejection> {
        let mut document = document();
        change(&mut document);
        let rule = IssuerRule::exact("https://op.example.com");
        ProviderMetadata::parse(document.to_string().as_bytes(), &rule, endpoints)
    }

    fn refused(name: &str, value: Value) -> Option<Rejection> {
        parse(|document| document[name] = value, Endpoints::Https).err()
    }

    #[test]
    fn keeps_what_a_sign_in_needs() {
        let metadata = parse(|_| {}, Endpoints::Https).unwrap();
        assert_eq!(metadata.id_token_algorithms, AlgorithmSet::of(&[Algorithm::Rs256]));
        assert_eq!(metadata.jwks_uri.as_str(), "https://keys.example.net/jwks");
        assert!(!metadata.sends_issuer);
    }

    #[test]
    fn the_issuer_is_compared_byte_for_byte() {
        for issuer in [
            "https://op.example.com/",
            "https://OP.example.com",
            "https://op.example.com:443",
            "http://op.example.com",
        ] {
            assert_eq!(
                refused("issuer", json!(issuer)),
                Some(Rejection::DiscoveryIssuerMismatch),
                "{issuer}"
            );
        }
        assert_eq!(refused("issuer", json!(1)), Some(Rejection::DiscoveryMalformed));
    }

    #[test]
    fn endpoints_are_https() {
        for address in [
            "http://op.example.com/token",
            "file:///etc/passwd",
            "https://u:p@op.example.com/",
            "token",
            "https://x/#f",
        ] {
            assert_eq!(
                refused("token_endpoint", json!(address)),
                Some(Rejection::DiscoveryEndpointRefused),
                "{address}"
            );
        }
        let loopback = |address: &str| {
            let address = json!(address);
            parse(|document| document["token_endpoint"] = address, Endpoints::DangerousLoopbackHttp)
        };
        assert!(loopback("http://127.0.0.1:4000/token").is_ok());
        assert!(loopback("http://10.0.0.1/token").is_err());
    }

    #[test]
    fn a_provider_must_offer_code_and_s256_where_it_lists_anything() {
        assert_eq!(
            refused("response_types_supported", json!(["id_token"])),
            Some(Rejection::DiscoveryFlowUnsupported)
        );
        assert_eq!(
            refused("code_challenge_methods_supported", json!(["plain"])),
            Some(Rejection::DiscoveryFlowUnsupported)
        );
        assert_eq!(refused("code_challenge_methods_supported", json!(["S256"])), None);
        assert_eq!(refused("response_types_supported", json!("code")), Some(Rejection::DiscoveryMalformed));
    }

    #[test]
    fn the_address_of_the_metadata_keeps_the_path_of_the_issuer() {
        assert_eq!(
            metadata_address("https://op.example.com/"),
            "https://op.example.com/.well-known/openid-configuration"
        );
        assert_eq!(
            metadata_address("https://op.example.com/a"),
            "https://op.example.com/a/.well-known/openid-configuration"
        );
    }
}
