//! The trigger: a callback and its cookie become a sign-in event.

use async_trait::async_trait;
use jit_core::{
    Assurance, Attestation, Attestor, Check, Checks, Code, Context, Event, Issuer, SessionHint, Stability,
    Subject, Trigger, VerifyError,
};
use serde_json::{Map, Value};

use crate::callback::Callback;
use crate::checks::Question;
use crate::claims::to_claims;
use crate::error::LoginError;
use crate::id_token::IdToken;
use crate::login::{Authentication, Begin, Login, Redirect};
use crate::numeric_date;
use crate::providers::Peculiarities;
use crate::rejection::Rejection;

/// What the browser brings back from the provider.
#[derive(Debug)]
#[expect(clippy::exhaustive_structs, reason = "built by every application")]
pub struct SignInEvidence {
    /// The parameters of the callback.
    pub callback: Callback,
    /// The whole `Cookie` header of the request.
    pub cookies: Option<String>,
    /// From where the request came.
    pub context: Context,
}

/// Verifies sign-ins over one connection.
#[derive(Debug)]
pub struct OidcTrigger {
    login: Login,
    attestor: Attestor,
}

impl OidcTrigger {
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

    /// Begins a sign-in; see [`Login::begin`].
    ///
    /// # Errors
    /// As [`Login::begin`].
    ///
    /// # Cancel safety
    /// As [`Login::begin`].
    pub async fn begin(&self, begin: Begin) -> Result<Redirect, LoginError> {
        self.login.begin(begin).await
    }

    /// Makes the event of a finished sign-in, for applications that want to see it first.
    ///
    /// # Errors
    /// `identity.foreign_issuer` when the connection is defined for another issuer.
    pub fn attest(&self, authentication: Authentication, context: Context) -> Result<Event, VerifyError> {
        let Authentication { id_token, userinfo, .. } = authentication;
        let attestation = attestation(&id_token, userinfo.as_ref(), self.login.config().peculiarities())?;
        let identity = self.attestor.attest(attestation);
        let identity = identity.map_err(|error| VerifyError::permanent(error.code(), error))?;
        Ok(Event::sign_in(identity, context))
    }
}

#[async_trait]
impl Trigger for OidcTrigger {
    type Evidence = SignInEvidence;

    async fn verify(&self, evidence: SignInEvidence) -> Result<Event, VerifyError> {
        let authentication = self.login.finish(&evidence.callback, evidence.cookies.as_deref()).await?;
        self.attest(authentication, evidence.context)
    }
}

/// Says in the words of `jit-core` what an ID token, and the userinfo that belongs to it, were found to say. Only an
/// attestor can make an identity of it.
///
/// # Errors
/// `oidc.issuer_malformed` and `oidc.subject_malformed` when `jit-core` cannot keep the text as a key.
pub fn attestation(
    id_token: &IdToken,
    userinfo: Option<&Map<String, Value>>,
    peculiarities: &Peculiarities,
) -> Result<Attestation, VerifyError> {
    let unusable = |rejection: Rejection| VerifyError::rejected(Code::new(rejection.code()), rejection);
    let issuer = Issuer::new(id_token.issuer()).map_err(|_| unusable(Rejection::IssuerMalformed))?;
    let subject = Subject::new(id_token.subject()).map_err(|_| unusable(Rejection::SubjectMalformed))?;
    Ok(Attestation {
        issuer,
        subject,
        // OpenID Connect Core §2: never reassigned within the issuer
        stability: Stability::Persistent,
        claims: to_claims(id_token.claims(), userinfo, peculiarities),
        assurance: assurance(id_token),
        session: session(id_token),
        checks: checks(id_token),
    })
}

fn assurance(id_token: &IdToken) -> Assurance {
    Assurance {
        context: id_token.acr().map(str::to_owned),
        methods: id_token.amr().map(str::to_owned).collect(),
        authenticated_at: id_token.auth_time(),
    }
}

/// `session_expiry` is that of the OpenID Connect Enterprise Extensions.
fn session(id_token: &IdToken) -> SessionHint {
    SessionHint {
        ends_at: id_token.claims().get("session_expiry").and_then(numeric_date::parse),
        index: id_token.claims().get("sid").and_then(Value::as_str).map(str::to_owned),
    }
}

fn checks(id_token: &IdToken) -> Checks {
    let made = |question| {
        let codes: Vec<_> = id_token.checks().codes(question).collect();
        Check::Made(codes.join(" "))
    };
    Checks {
        origin: Check::Made(format!(
            "{} {}",
            id_token.algorithm(),
            id_token.checks().codes(Question::Origin).collect::<Vec<_>>().join(" ")
        )),
        audience: made(Question::Audience),
        freshness: made(Question::Freshness),
        replay: made(Question::Replay),
    }
}
