//! Ours and the peers, each with what an application makes once and keeps; a call is what each sign-in costs.

use std::time::{Duration, SystemTime};

use chrono::{DateTime, TimeDelta};
use jit_saml::{
    base64_text,
    crypto::{AwsLc, VerificationKey},
    idp::TrustedIdp,
    response::{Expectations, Solicitation, verify_response},
};
use samael::{
    crypto::ReduceMode,
    metadata::EntityDescriptor,
    service_provider::{ServiceProvider, ServiceProviderBuilder},
};
use saml_rs::{
    AcsEndpoint, BrowserInput, EntityId, FormField, IdpDescriptor, MetadataTrustPolicy, PendingAuthnRequest,
    PendingSnapshot, RelayStateParam, ReplayPolicy, Saml, SamlValidationContext, Sp, SpConfig,
    SpValidationPolicy, SsoResponse,
};

use crate::{
    documents::{ACS, IDP, SP},
    provider::Provider,
};

const REQUEST: &str = "_request";
/// Within the life of the documents, in seconds since 1970.
const NOW: u32 = 1_800_000_100;

/// What was read of a response that was accepted.
#[derive(Debug, PartialEq)]
pub(crate) struct Seen {
    pub(crate) name_id: String,
    /// Of all attributes together.
    pub(crate) values: usize,
}

/// Takes the field of the form that a browser posts, and makes all checks that it has.
pub(crate) type Verifier = Box<dyn Fn(&str) -> Result<Seen, String>>;

pub(crate) fn verifier(who: &str, provider: &Provider) -> Verifier {
    match who {
        "samael" => samael(provider, ReduceMode::default()),
        "samael strict" => samael(provider, ReduceMode::PreDigest),
        "saml-rs" => saml_rs(provider),
        _ => ours(provider),
    }
}

fn ours(provider: &Provider) -> Verifier {
    let idp = TrustedIdp::new(IDP, vec![VerificationKey::from_public_key_info(&provider.key).unwrap()]);
    let now = DateTime::from_timestamp(NOW.into(), 0).unwrap();
    Box::new(move |form| {
        let expected = Expectations::new(SP, ACS, &idp, Solicitation::Request(REQUEST), now, &AwsLc);
        let octets = base64_text::decode(form.as_bytes()).ok_or("no base64")?;
        let response = verify_response(&octets, &expected).map_err(|error| error.to_string())?;
        Ok(Seen {
            name_id: response.name_id().map(|name_id| name_id.value.clone()).unwrap_or_default(),
            values: response.attributes().iter().map(|attribute| attribute.values.len()).sum(),
        })
    })
}

/// samael reads the clock itself, and the documents are of 2027: so it lets any time through.
fn samael(provider: &Provider, mode: ReduceMode) -> Verifier {
    let years = TimeDelta::days(36_500);
    let service: ServiceProvider = ServiceProviderBuilder::default()
        .entity_id(SP.to_owned())
        .acs_url(ACS.to_owned())
        .idp_metadata(provider.metadata().parse::<EntityDescriptor>().unwrap())
        .max_issue_delay(years)
        .max_clock_skew(years)
        .build()
        .unwrap();
    Box::new(move |form| {
        let assertion = service
            .parse_base64_response_with_mode(form, Some(&[REQUEST]), mode)
            .map_err(|error| error.to_string())?;
        let statements = assertion.attribute_statements.iter().flatten();
        Ok(Seen {
            values: statements.flat_map(|it| &it.attributes).map(|attribute| attribute.values.len()).sum(),
            name_id: assertion.subject.and_then(|it| it.name_id).map(|it| it.value).unwrap_or_default(),
        })
    })
}

fn saml_rs(provider: &Provider) -> Verifier {
    let now = SystemTime::UNIX_EPOCH + Duration::from_secs(NOW.into());
    let (service, idp, pending) = saml_rs_parts(provider).unwrap();
    Box::new(move |form| {
        let fields = vec![FormField::new("SAMLResponse", form)];
        let input = BrowserInput::<SsoResponse>::post(fields);
        let validation = SamlValidationContext::new(now, ReplayPolicy::DisabledForCompatibility);
        let session =
            service.finish_sso(&idp, &pending, input, validation).map_err(|error| error.to_string())?;
        Ok(Seen {
            name_id: session.name_id().value().to_owned(),
            values: session.attributes().as_slice().iter().map(|attribute| attribute.values().len()).sum(),
        })
    })
}

type SamlRsParts = (Saml<Sp>, IdpDescriptor, PendingAuthnRequest);

fn saml_rs_parts(provider: &Provider) -> Result<SamlRsParts, saml_rs::SamlError> {
    let config = SpConfig::builder(EntityId::try_new(SP)?)
        .acs_endpoint(AcsEndpoint::post(ACS)?)
        .validation(SpValidationPolicy::recommended())
        .build()?;
    let trust = MetadataTrustPolicy::UnsignedForCompatibility;
    let idp = IdpDescriptor::from_metadata_xml_for(EntityId::try_new(IDP)?, &provider.metadata(), trust)?;
    let request =
        PendingSnapshot::authn_request(REQUEST, RelayStateParam::absent(), IDP, "post", ACS, "post");
    Ok((Saml::sp(config)?, idp, PendingAuthnRequest::from_snapshot(request)?))
}
