//! The trigger: a posted response and its cookie become a sign-in event.

use async_trait::async_trait;
use jit_core::{
    Assurance, Attestation, Attestor, Check, Checks, Code, Context, Event, Issuer, SessionHint, Subject,
    Trigger, VerifyError,
};

use crate::binding::ResponseForm;
use crate::checks::Question;
use crate::claims::{out_of_scope, to_claims};
use crate::config::SamlConfig;
use crate::error::LoginError;
use crate::idp::TrustedIdp;
use crate::login::{Authentication, Begin, Departure, Login};
use crate::rejection::Rejection;
use crate::response::VerifiedResponse;
use crate::subject::subject;

/// What the browser brings back from the provider, in answer to a request.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by every application")]
pub struct SamlEvidence {
    /// The parameters that were posted.
    pub form: ResponseForm,
    /// The whole `Cookie` header of the request.
    pub cookies: Option<String>,
    /// From where the request came.
    pub context: Context,
}

/// What a browser brings from a provider that nobody asked. A type of its own, so that no application takes the one for
/// the other.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by applications that accept it")]
pub struct UnsolicitedEvidence {
    /// The parameters that were posted.
    pub form: ResponseForm,
    /// From where the request came.
    pub context: Context,
}

/// Verifies sign-ins over one connection.
#[derive(Debug)]
pub struct SamlTrigger {
    login: Login,
    attestor: Attestor,
}

/// Verifies sign-ins that the provider began, where the connection accepts them.
#[derive(Debug, Clone, Copy)]
pub struct UnsolicitedTrigger<'t>(&'t SamlTrigger);

impl SamlTrigger {
    /// Joins a login with the attestor of its connection.
    #[must_use]
    pub const fn new(login: Login, attestor: Attestor) -> Self {
        Self { login, attestor }
    }

    /// Returns the login.
    #[must_use]
    pub const fn login(&self) -> &Login {
        &self.login
    }

    /// Returns the trigger for sign-ins that the provider began.
    #[must_use]
    pub const fn unsolicited(&self) -> UnsolicitedTrigger<'_> {
        UnsolicitedTrigger(self)
    }

    /// Begins a sign-in; see [`Login::begin`].
    ///
    /// # Errors
    /// As [`Login::begin`].
    ///
    /// # Cancel safety
    /// As [`Login::begin`].
    pub async fn begin(&self, begin: Begin) -> Result<Departure, LoginError> {
        self.login.begin(begin).await
    }

    /// Makes the event of a finished sign-in, for applications that want to see it first.
    ///
    /// # Errors
    /// As [`attestation`], `identity.foreign_issuer` when the connection is defined for other issuers,
    /// `identity.transient_subject` when the `NameID` names a session only.
    pub fn attest(&self, authentication: &Authentication, context: Context) -> Result<Event, VerifyError> {
        let attestation = attestation(&authentication.response, self.login.config(), &authentication.idp)?;
        let identity = self.attestor.attest(attestation);
        let identity = identity.map_err(|error| VerifyError::permanent(error.code(), error))?;
        Ok(Event::sign_in(identity, context))
    }
}

#[async_trait]
impl Trigger for SamlTrigger {
    type Evidence = SamlEvidence;

    async fn verify(&self, evidence: SamlEvidence) -> Result<Event, VerifyError> {
        let authentication = self.login.finish(&evidence.form, evidence.cookies.as_deref()).await?;
        self.attest(&authentication, evidence.context)
    }
}

#[async_trait]
impl Trigger for UnsolicitedTrigger<'_> {
    type Evidence = UnsolicitedEvidence;

    async fn verify(&self, evidence: UnsolicitedEvidence) -> Result<Event, VerifyError> {
        let authentication = self.0.login.finish_unsolicited(&evidence.form).await?;
        self.0.attest(&authentication, evidence.context)
    }
}

/// Says in the words of `jit-core` what a response was found to say. Only an attestor can make an identity of it.
///
/// # Errors
/// `saml.name_id_…` and `saml.subject_…` when nothing in the response may be the key of a person, `saml.issuer_unusable`
/// when the name of the provider cannot be part of one.
pub fn attestation(
    response: &VerifiedResponse,
    config: &SamlConfig,
    idp: &TrustedIdp,
) -> Result<Attestation, VerifyError> {
    let unusable = |rejection: Rejection| VerifyError::rejected(Code::new(rejection.code()), rejection);
    let issuer = Issuer::new(response.issuer()).map_err(|_| unusable(Rejection::IssuerUnusable))?;
    let (subject, stability) = subject(response, config, idp).map_err(unusable)?;
    let subject = Subject::new(subject).map_err(|_| unusable(Rejection::SubjectUnusable))?;
    Ok(Attestation {
        issuer,
        subject,
        stability,
        claims: to_claims(response, config, idp),
        assurance: Assurance {
            context: response.authn_context().map(str::to_owned),
            methods: Vec::new(),
            authenticated_at: Some(response.authn_instant()),
        },
        session: SessionHint {
            ends_at: response.session_not_on_or_after(),
            index: response.session_index().map(str::to_owned),
        },
        checks: checks(response, config, idp),
    })
}

/// Says what was checked, and what was left out for it, so that an explanation shows why a claim is missing.
fn checks(response: &VerifiedResponse, config: &SamlConfig, idp: &TrustedIdp) -> Checks {
    let mut origin = response.algorithm().to_owned();
    origin.extend(response.checks().codes(Question::Origin).flat_map(|code| [" ", code]));
    origin.extend(out_of_scope(response, config, idp).flat_map(|name| [" left_out_for_its_scope:", name]));
    let codes = |question| response.checks().codes(question).collect::<Vec<_>>().join(" ");
    Checks {
        origin: Check::Made(origin),
        audience: Check::Made(codes(Question::Audience)),
        freshness: Check::Made(codes(Question::Freshness)),
        replay: Check::Made(codes(Question::Replay)),
    }
}
