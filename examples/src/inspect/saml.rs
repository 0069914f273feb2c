use std::collections::HashSet;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{AttestError, Attestation, Clock, ManualClock, Stability, VerifiedIdentity};
use jit_saml::base64_text;
use jit_saml::crypto::{AwsLc, DecryptionKey, decode_all_pem};
use jit_saml::metadata::{
    MetadataError, MetadataPolicy, MetadataRejection, MetadataSource, aggregate_limits,
};
use jit_saml::response::USUAL_SKEW;
use jit_saml::signature::{SignatureError, VerificationKey};
use jit_saml::trigger::attestation;
use jit_saml::xml::{Document, Limits};
use jit_saml::{
    Expectations, Rejection, SamlConfig, Solicitation, TrustedIdp, VerifiedResponse, verify_response,
};

use super::arguments::{Encoding, SamlInquiry};
use super::configured::Configured;
use super::explain::Explainer;
use super::explained::Explained;
use super::files::{read, read_metadata, write_line};
use super::refusal::Refusal;
use super::report::Line;
use super::{ALL_ACCEPTED, Failure, SOME_REFUSED};
use crate::command_line::UsageError;
use crate::portal::settings::{MetadataSettings, Terms};

/// Verifies each response file and writes a line for it.
pub(super) fn inspect(inquiry: &SamlInquiry, clock: &dyn Clock, out: &mut dyn Write) -> Result<u8, Failure> {
    let now = inquiry.both.now(clock);
    let party = Party::of(inquiry, now)?;
    let engine = party.explainer(inquiry, now)?;
    let files = inquiry.both.files.iter().map(|file| read(file)).collect::<Result<Vec<_>, _>>()?;
    let is_compared = inquiry.request_id.is_some();
    let mut seen = HashSet::new();
    let mut code = ALL_ACCEPTED;
    for (file, octets) in inquiry.both.files.iter().zip(&files) {
        let verdict =
            party.judge(octets, inquiry, now).and_then(|judged| judged.for_the_first_time(&mut seen));
        let vouched =
            verdict.and_then(|judged| Ok((vouched(engine.as_ref(), judged.attestation)?, judged.response)));
        let line = match vouched {
            Ok((identity, response)) => {
                let explained = explain(engine.as_ref(), identity)?;
                write_line(out, &Line::accepted_response(file, &response, is_compared, explained))
            }
            Err(refusal) => {
                code = SOME_REFUSED;
                write_line(out, &Line::refused(file, &refusal.code, &refusal.reason))
            }
        };
        line.map_err(Failure::Output)?;
    }
    Ok(code)
}

/// Makes an identity of what is to be explained.
fn vouched(
    explainer: Option<&Explainer<'_>>,
    attestation: Option<Attestation>,
) -> Result<Option<VerifiedIdentity>, Refusal> {
    let (Some(explainer), Some(attestation)) = (explainer, attestation) else { return Ok(None) };
    Ok(Some(explainer.identity(attestation)?))
}

fn explain(
    explainer: Option<&Explainer<'_>>,
    identity: Option<VerifiedIdentity>,
) -> Result<Option<Explained>, Failure> {
    let (Some(explainer), Some(identity)) = (explainer, identity) else { return Ok(None) };
    explainer.explain(identity).map(Some).map_err(Failure::Backend)
}

/// A response that is accepted, and what it says in the words of the engine where a connection is known.
struct Judged {
    response: VerifiedResponse,
    attestation: Option<Attestation>,
}

impl Judged {
    /// An assertion counts once in a run, as it does at sign-ins.
    fn for_the_first_time(self, seen: &mut HashSet<(String, String)>) -> Result<Self, Refusal> {
        let key = (self.response.issuer().to_owned(), self.response.assertion_id().to_owned());
        if seen.insert(key) { Ok(self) } else { Err(Rejection::Replayed.into()) }
    }
}

/// The two parties of a sign-in, and what one demands of the other.
struct Party {
    sp_entity_id: String,
    acs_url: String,
    /// Or why nothing that the provider says could be believed.
    idp: Result<Arc<TrustedIdp>, Refusal>,
    decryption_keys: Vec<DecryptionKey>,
    contexts: Vec<String>,
    skew: TimeDelta,
    configured: Option<(Configured, SamlConfig)>,
}

impl Party {
    fn of(inquiry: &SamlInquiry, now: DateTime<Utc>) -> Result<Self, Failure> {
        let mut party = match inquiry.both.configured() {
            Some((file, connection)) => Self::configured(file, connection, inquiry, now)?,
            None => Self::described(inquiry, now)?,
        };
        if !inquiry.decryption_keys.is_empty() {
            party.decryption_keys =
                inquiry.decryption_keys.iter().map(|file| decryption_key(file)).collect::<Result<_, _>>()?;
        }
        party.skew = inquiry.skew.unwrap_or(party.skew);
        Ok(party)
    }

    /// As the command line describes it.
    fn described(inquiry: &SamlInquiry, now: DateTime<Utc>) -> Result<Self, Failure> {
        let entity_id = inquiry.idp_entity_id.as_deref();
        let idp = if let Some(file) = &inquiry.idp_metadata {
            from_metadata("--idp-metadata", &read_metadata(file)?, entity_id, Terms::default(), now)?
        } else {
            let keys = keys(&inquiry.idp_certificates)?;
            let unusable = || SignatureError::KeyMissing.into();
            let keys = if keys.is_empty() { Err(unusable()) } else { Ok(keys) };
            keys.map(|keys| Arc::new(TrustedIdp::new(entity_id.unwrap_or_default(), keys)))
        };
        Ok(Self {
            sp_entity_id: inquiry.sp_entity_id.clone().unwrap_or_default(),
            acs_url: inquiry.acs_url.clone().unwrap_or_default(),
            idp,
            decryption_keys: Vec::new(),
            contexts: Vec::new(),
            skew: USUAL_SKEW,
            configured: None,
        })
    }

    /// As a connection of a configuration has it.
    fn configured(
        file: &str,
        connection: &str,
        inquiry: &SamlInquiry,
        now: DateTime<Utc>,
    ) -> Result<Self, Failure> {
        let configured = Configured::load(file, connection)?;
        let door = configured.door();
        let Some(settings) = &door.protocol.saml else {
            return Err(configured.of_another_protocol());
        };
        let config = settings.check().map_err(|error| configured.unusable(&error))?;
        let entity_id = door.issuers.first().map(jit_core::Issuer::as_str);
        let folder = Path::new(file).parent().unwrap_or(Path::new(""));
        let terms = Terms::of(&door.protocol);
        let idp = match (&inquiry.idp_metadata, config.idp(), &door.protocol.metadata) {
            (Some(file), ..) => {
                from_metadata("--idp-metadata", &read_metadata(file)?, entity_id, terms, now)?
            }
            (None, Some(idp), _) => Ok(Arc::clone(idp)),
            (None, None, Some(MetadataSettings { file: Some(file), .. })) => {
                let octets = read_metadata(&folder.join(file).display().to_string())?;
                from_metadata("metadata", &octets, entity_id, terms, now)?
            }
            (None, None, _) => {
                return Err(configured.unusable(&"fetches its metadata: give `--idp-metadata`"));
            }
        };
        Ok(Self {
            sp_entity_id: config.entity_id().to_owned(),
            acs_url: config.acs_url().to_owned(),
            idp,
            decryption_keys: config.decryption_keys().to_vec(),
            contexts: config.authn_contexts().to_vec(),
            skew: config.skew(),
            configured: Some((configured, config)),
        })
    }

    fn explainer(&self, inquiry: &SamlInquiry, now: DateTime<Utc>) -> Result<Option<Explainer<'_>>, Failure> {
        match &self.configured {
            Some((configured, _)) => configured.explainer(&inquiry.both, now),
            None => Ok(None),
        }
    }

    fn judge(&self, file: &[u8], inquiry: &SamlInquiry, now: DateTime<Utc>) -> Result<Judged, Refusal> {
        let idp = self.idp.as_ref().map_err(Clone::clone)?;
        let octets = document(file, inquiry.encoding)?;
        let named = match &inquiry.request_id {
            Some(id) => Some(id.clone()),
            None if inquiry.unsolicited => None,
            None => Some(request_named(&octets)?),
        };
        let solicitation = named.as_deref().map_or(Solicitation::Unsolicited, Solicitation::Request);
        let mut expected =
            Expectations::new(&self.sp_entity_id, &self.acs_url, idp, solicitation, now, &AwsLc);
        expected.decryption_keys = &self.decryption_keys;
        expected.contexts = &self.contexts;
        expected.skew = self.skew;
        let response = verify_response(&octets, &expected)?;
        let attestation = match &self.configured {
            Some((_, config)) => Some(attested(&response, config, idp)?),
            None => None,
        };
        Ok(Judged { response, attestation })
    }
}

/// What the engine would be told; a subject that names a session only is no key there.
fn attested(
    response: &VerifiedResponse,
    config: &SamlConfig,
    idp: &TrustedIdp,
) -> Result<Attestation, Refusal> {
    let attestation = attestation(response, config, idp)?;
    match attestation.stability {
        Stability::Persistent => Ok(attestation),
        Stability::Transient => Err(AttestError::TransientSubject.into()),
    }
}

/// The response as XML; how it is written is told, or seen.
fn document(file: &[u8], encoding: Option<Encoding>) -> Result<Vec<u8>, Rejection> {
    let text = file.trim_ascii();
    // XML in UTF-16 is refused as such, and not taken for damaged base64.
    let seems_xml = || {
        [&b"<"[..], b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0<"].iter().any(|it| text.starts_with(it))
    };
    let is_xml = encoding.map_or_else(seems_xml, |encoding| encoding == Encoding::Xml);
    if is_xml { Ok(text.to_vec()) } else { base64_text::decode(text).ok_or(Rejection::Base64Invalid) }
}

/// Without a request to compare with, the response must at least name one.
fn request_named(octets: &[u8]) -> Result<String, Rejection> {
    let document = Document::parse(octets, &Limits::default())?;
    document.root().attribute("InResponseTo").map(str::to_owned).ok_or(Rejection::InResponseToMissing)
}

/// What the metadata says of the provider, or why nobody would believe a message of it.
fn from_metadata(
    option: &'static str,
    octets: &[u8],
    entity_id: Option<&str>,
    terms: Terms,
    now: DateTime<Utc>,
) -> Result<Result<Arc<TrustedIdp>, Refusal>, Failure> {
    let policy = MetadataPolicy::pinned().limits(aggregate_limits()).dangerous().accept_loopback();
    let clock = Arc::new(ManualClock::at(now));
    let source = match MetadataSource::from_octets(octets, policy, clock, Arc::new(AwsLc)) {
        Ok(source) => source.adjusting(move |idp| terms.imposed_on(idp)),
        Err(error) => return Ok(Err(error.into())),
    };
    // The document is at hand: nothing in there ever waits.
    let runtime = tokio::runtime::Builder::new_current_thread().build().map_err(Failure::Output)?;
    runtime.block_on(async {
        let entity_id = match (entity_id, source.entity_ids().await) {
            (Some(entity_id), _) => entity_id.to_owned(),
            (None, Ok(entity_ids)) if entity_ids.is_empty() => {
                return Ok(Err(MetadataError::from(MetadataRejection::NoProvider).into()));
            }
            (None, Ok(entity_ids)) => only(entity_ids)?,
            (None, Err(error)) => return Ok(Err(error.into())),
        };
        match source.trusted(&entity_id).await {
            // A name that the document does not know is misspelt here, and not the document's fault.
            Err(error) if error.code().as_str() == MetadataRejection::EntityUnknown.code() => {
                let problem = format!("`{option}`: {error} ({})", error.code());
                Err(Failure::Usage(UsageError::Unclear(problem)))
            }
            trusted => Ok(trusted.map_err(Refusal::from)),
        }
    })
}

fn only(mut entity_ids: Vec<String>) -> Result<String, Failure> {
    match (entity_ids.pop(), entity_ids.is_empty()) {
        (Some(only), true) => Ok(only),
        _ => Err(Failure::Usage(UsageError::Missing("--idp-entity-id"))),
    }
}

/// Those keys of the files that can be used: one that cannot does not poison the others, as in a configuration.
fn keys(files: &[String]) -> Result<Vec<VerificationKey>, Failure> {
    let mut keys = Vec::new();
    let mut any = false;
    for file in files {
        let text = String::from_utf8_lossy(&read(file)?).into_owned();
        let certificates = decode_all_pem("CERTIFICATE", &text);
        let bare = decode_all_pem("PUBLIC KEY", &text);
        any |= !certificates.is_empty() || !bare.is_empty();
        keys.extend(certificates.iter().filter_map(|der| VerificationKey::from_certificate(der).ok()));
        keys.extend(bare.iter().filter_map(|der| VerificationKey::from_public_key_info(der).ok()));
    }
    if any { Ok(keys) } else { Err(UsageError::invalid("--idp-cert", &"holds no certificate or key").into()) }
}

fn decryption_key(file: &str) -> Result<DecryptionKey, Failure> {
    let text = String::from_utf8_lossy(&read(file)?).into_owned();
    DecryptionKey::from_pem(&text).map_err(|_| {
        Failure::Usage(UsageError::invalid(
            "--decryption-key",
            &"is not an RSA key in PEM, without a password",
        ))
    })
}
