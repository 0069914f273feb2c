//! Verifies responses: a pure function of octets, expectations and the time.
//!
//! The octets are read once by the strict reader. If the response is signed, what was digested takes the place of the whole
//! document. The assertion is read from octets that were signed: its own, or those of the response where only that is
//! signed. Its own signature is verified where the provider made it, in the document that was posted: what prefixes mean
//! there may be a part of what was signed. Every signature must have been verified; one that stands anywhere else is refused. What nobody signed decides
//! nothing but refusals.

mod authn;
mod conditions;
mod confirmation;
mod envelope;
mod expectations;
mod status;
mod step;
mod verified;

pub use expectations::{Expectations, Solicitation, USUAL_SKEW};
pub use status::{Status, StatusCode};
pub use verified::VerifiedResponse;

use chrono::{DateTime, Utc};

use crate::assertion::{
    Assertion, Attributes, IdElement, NameId, Signed, SignedDocument, read_attributes, read_name_id,
};
use crate::checks::{Check, CheckList};
use crate::encryption::{Attempts, Decryption};
use crate::idp::SignatureDemand;
use crate::names::{SAML, SAMLP};
use crate::rejection::Rejection;
use crate::signature::{SignedOctets, signature_of, verify};
use crate::xml::{Document, Element};
use envelope::{Envelope, Payload};

/// Verifies a response (SAML Profiles §4.1.4.3). That the assertion was not used before is for the caller to ask, with
/// [`VerifiedResponse::replayable_until`].
///
/// # Errors
/// [`Rejection`] with the code of the first step that refuses.
pub fn verify_response(octets: &[u8], expected: &Expectations<'_>) -> Result<VerifiedResponse, Rejection> {
    let document = Document::parse(octets, &expected.limits)?;
    if !document.root().is(SAMLP, "Response") {
        return Err(Rejection::NotAResponse);
    }
    let attempts = Attempts::default();
    let posted = document.root();
    Verification { expected, posted, checks: CheckList::NONE, algorithm: "", attempts: &attempts }.run()
}

/// A verification under way.
struct Verification<'e, 'a> {
    expected: &'e Expectations<'a>,
    /// The response as it came, of which nothing is believed.
    posted: Element<'e>,
    checks: CheckList,
    algorithm: &'static str,
    attempts: &'e Attempts,
}

impl<'e> Verification<'e, '_> {
    fn run(mut self) -> Result<VerifiedResponse, Rejection> {
        let (expected, posted) = (self.expected, self.posted);
        if !expected.idp.holds_at(expected.now) {
            return Err(Rejection::IdpExpired);
        }
        // SAML Core §5: a response that is signed is replaced by what was signed
        if signature_of(posted).is_none() {
            if matches!(expected.idp.demand(), SignatureDemand::Response | SignatureDemand::Both) {
                return Err(Rejection::ResponseNotSigned);
            }
            return self.read_envelope(posted, None);
        }
        let octets = self.verify(posted, Check::ResponseSignature)?;
        let document = SignedDocument::of(&octets, &expected.limits)?;
        let root = document.root();
        if !root.element().is(SAMLP, "Response") {
            return Err(Rejection::NotAResponse);
        }
        self.read_envelope(root.element(), Some(root))
    }

    fn verify(&mut self, element: Element<'_>, check: Check) -> Result<SignedOctets, Rejection> {
        let Expectations { idp, now, crypto, .. } = *self.expected;
        let octets = verify(element, idp.keys(), idp.signature_rules(), now, crypto);
        let octets = octets.map_err(|error| match check {
            Check::ResponseSignature => Rejection::ResponseSignature(error),
            _ => Rejection::AssertionSignature(error),
        })?;
        self.checks.add(check);
        self.algorithm = octets.by().algorithm();
        Ok(octets)
    }

    fn read_envelope(
        mut self,
        response: Element<'_>,
        signed: Option<Signed<'_>>,
    ) -> Result<VerifiedResponse, Rejection> {
        let envelope = Envelope::read(response)?;
        envelope.check(self.expected, signed.is_some(), &mut self.checks)?;
        let response_id = response.attribute("ID").unwrap_or_default();
        match envelope.payload {
            None => Err(Rejection::AssertionMissing),
            Some(Payload::Plain(assertion)) => {
                check_signatures(assertion)?;
                let signed = signed.and_then(|signed| signed.inside(assertion));
                let assertion = self.as_posted(assertion);
                self.read_payload(assertion, signed, response_id)
            }
            Some(Payload::Encrypted(holder)) => {
                if response.document().signatures().next().is_some() {
                    return Err(Rejection::SignatureUnexpected);
                }
                self.open_payload(holder, signed, response_id)
            }
        }
    }

    /// SAML Core §2.3.4: what was encrypted goes through the strict reader and the verification of signatures as well.
    fn open_payload(
        mut self,
        holder: Element<'_>,
        signed: Option<Signed<'_>>,
        response_id: &str,
    ) -> Result<VerifiedResponse, Rejection> {
        let limits = &self.expected.limits;
        let plaintext = self.decryption(signed.is_some()).open(holder)?;
        self.checks.add(Check::Encryption);
        let opened = plaintext.read(self.as_posted(holder), limits)?;
        let assertion = opened.document.root();
        check_signatures(assertion)?;
        match signed.and_then(|signed| signed.inside(holder)) {
            Some(holder) if signature_of(assertion).is_none() => {
                let document = SignedDocument::opened(opened, &plaintext, holder, limits)?;
                let root = document.root();
                check_signatures(root.element())?;
                self.read_payload(root.element(), Some(root), response_id)
            }
            _ => self.read_payload(assertion, None, response_id),
        }
    }

    /// Finds in the posted document what a child of the response was in there. A canonical form has the children of its
    /// document but for the signature, and a response has one child that holds an assertion.
    fn as_posted<'d>(&self, child: Element<'d>) -> Element<'d>
    where
        'e: 'd,
    {
        let mut children = self.posted.children();
        children.find(|posted| posted.is(child.namespace(), child.local())).unwrap_or(child)
    }

    /// Reads the assertion from its own signed octets, or as a part of a signed response.
    fn read_payload(
        mut self,
        assertion: Element<'_>,
        signed: Option<Signed<'_>>,
        response_id: &str,
    ) -> Result<VerifiedResponse, Rejection> {
        if !assertion.is(SAML, "Assertion") {
            return Err(Rejection::AssertionMalformed);
        }
        let own = signature_of(assertion).is_some();
        let demand = self.expected.idp.demand();
        if !own && matches!(demand, SignatureDemand::Assertion | SignatureDemand::Both) {
            return Err(Rejection::AssertionNotSigned);
        }
        match signed {
            Some(signed) if !own => self.finish(signed, response_id),
            None if !own => Err(Rejection::NotSigned),
            _ => {
                let octets = self.verify(assertion, Check::AssertionSignature)?;
                let document = SignedDocument::of(&octets, &self.expected.limits)?;
                self.finish(document.root(), response_id)
            }
        }
    }

    /// Checks the assertion, in the order of SAML Profiles §4.1.4.3.
    fn finish(mut self, signed: Signed<'_>, response_id: &str) -> Result<VerifiedResponse, Rejection> {
        let expected = self.expected;
        let assertion = Assertion::read(signed)?;
        // 6. SAML Core §2.3.3: Version, ID, IssueInstant
        step::check_version(assertion.element)?;
        let assertion_id = step::check_id(assertion.element)?;
        let issued = step::instant(assertion.element, "IssueInstant", expected)?;
        if expected.is_ahead(issued.ok_or(Rejection::IssueInstantMissing)?) {
            return Err(Rejection::IssuedInFuture);
        }
        // 7. SAML Profiles §4.1.4.2: Issuer
        step::check_issuer(assertion.issuer, expected)?;
        self.checks.add(Check::Issuer);
        // 8. SAML Profiles §4.1.4.2: Subject with a bearer confirmation
        let subject = assertion.subject.ok_or(Rejection::SubjectMissing)?;
        let confirmed_until = confirmation::check_confirmations(subject, expected, &mut self.checks)?;
        // 9. SAML Core §2.5: Conditions
        let conditions = assertion.conditions.ok_or(Rejection::ConditionsMissing)?;
        let valid_until = conditions::check_conditions(conditions, expected, &mut self.checks)?;
        // 10. SAML Core §2.7.2: AuthnStatement
        let authn = authn::check_authn(assertion, expected, &mut self.checks)?;
        // 11. SAML Core §2.4 and §2.7.3: whom it is about, and what is said of them
        let decryption = self.decryption(self.checks.made(Check::ResponseSignature));
        let name_id = name_id(subject, signed, &decryption, expected)?;
        let attributes = attributes(assertion, signed, &decryption, expected)?;
        Ok(VerifiedResponse {
            issuer: expected.idp.entity_id().to_owned(),
            response_id: response_id.to_owned(),
            assertion_id: assertion_id.to_owned(),
            name_id,
            attributes,
            authn_instant: authn.instant,
            authn_context: authn.context,
            session_index: authn.session_index,
            session_end: authn.session_end,
            replayable_until: replayable_until(confirmed_until, valid_until, expected),
            algorithm: self.algorithm,
            checks: self.checks,
        })
    }

    fn decryption(&self, under_signed_response: bool) -> Decryption<'_> {
        Decryption {
            keys: self.expected.decryption_keys,
            cbc: under_signed_response && self.expected.idp.legacy().cbc_under_signed_response,
            recipient: self.expected.sp_entity_id,
            crypto: self.expected.crypto,
            attempts: self.attempts,
        }
    }
}

/// SAML Core §5.4.2: beside the signature of the assertion there is none in the document that nobody has verified.
fn check_signatures(assertion: Element<'_>) -> Result<(), Rejection> {
    let own = signature_of(assertion);
    let all_own = assertion.document().signatures().all(|signature| Some(signature) == own);
    if all_own { Ok(()) } else { Err(Rejection::SignatureUnexpected) }
}

fn name_id(
    subject: Element<'_>,
    signed: Signed<'_>,
    decryption: &Decryption<'_>,
    expected: &Expectations<'_>,
) -> Result<Option<NameId>, Rejection> {
    match IdElement::of(subject)? {
        None => Ok(None),
        Some(IdElement::Plain(element)) => read_name_id(element).map(Some),
        Some(IdElement::Encrypted(holder)) => {
            let plaintext = decryption.open(holder)?;
            let holder = signed.inside(holder).ok_or(Rejection::SubjectMalformed)?;
            let document = SignedDocument::decrypted(&plaintext, holder, &expected.limits)?;
            let name_id = read_name_id(document.root().element());
            name_id.map(Some).map_err(|rejection| plaintext.refusal(rejection))
        }
    }
}

fn attributes(
    assertion: Assertion<'_>,
    signed: Signed<'_>,
    decryption: &Decryption<'_>,
    expected: &Expectations<'_>,
) -> Result<Attributes, Rejection> {
    read_attributes(assertion.statements("AttributeStatement"), |holder, collected| {
        let plaintext = decryption.open(holder)?;
        let holder = signed.inside(holder).ok_or(Rejection::AttributeMalformed)?;
        let document = SignedDocument::decrypted(&plaintext, holder, &expected.limits)?;
        collected.add(document.root().element()).map_err(|rejection| plaintext.refusal(rejection))
    })
}

/// The assertion is refused from the end of its conditions, or from the end of its last confirmation, whichever is earlier.
fn replayable_until(
    confirmed_until: DateTime<Utc>,
    valid_until: Option<DateTime<Utc>>,
    expected: &Expectations<'_>,
) -> DateTime<Utc> {
    let end = valid_until.map_or(confirmed_until, |valid_until| valid_until.min(confirmed_until));
    end.checked_add_signed(expected.skew).unwrap_or(end)
}
