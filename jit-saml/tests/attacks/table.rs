//! Runs the cases of a family and tells of all that went wrong at once.

use jit_saml::response::{Expectations, VerifiedResponse};
use jit_saml::{Rejection, TrustedIdp};

use crate::support::{Draft, code, trusted, verify, verify_with};

/// What is expected where only signed content was read.
pub(crate) const ORIGINAL: &str = "original";

/// The cases of one family.
pub(crate) struct Family {
    name: &'static str,
    original: Vec<String>,
    cases: usize,
    wrong: Vec<String>,
}

impl Family {
    pub(crate) fn new(name: &'static str) -> Self {
        let original = learned(&verify(&Draft::new().signed()).unwrap());
        Self { name, original, cases: 0, wrong: Vec::new() }
    }

    /// Verifies as a usual sign-in does.
    pub(crate) fn attack(&mut self, case: &str, xml: impl AsRef<str>, expected: &str) {
        self.judge(case, &verify(xml.as_ref()), expected);
    }

    /// Verifies octets that may be no text.
    pub(crate) fn octets(&mut self, case: &str, octets: &[u8], expected: &str) {
        let idp = trusted();
        let expectations = crate::forge::expectations(&idp);
        self.judge(case, &jit_saml::verify_response(octets, &expectations), expected);
    }

    /// Verifies with another provider, or with other demands.
    pub(crate) fn attack_on(
        &mut self,
        case: &str,
        xml: impl AsRef<str>,
        (idp, adjust): (&TrustedIdp, impl FnOnce(&mut Expectations<'_>)),
        expected: &str,
    ) {
        self.judge(case, &verify_with(xml.as_ref(), idp, adjust), expected);
    }

    fn judge(&mut self, case: &str, outcome: &Result<VerifiedResponse, Rejection>, expected: &str) {
        let found = match outcome {
            Ok(response) if learned(response) == self.original => ORIGINAL,
            Ok(_) => "BREACH: another identity was accepted",
            Err(_) => code(outcome),
        };
        self.expect(case, found, expected);
    }

    /// Compares a code that was found in another way.
    pub(crate) fn expect(&mut self, case: &str, found: &str, expected: &str) {
        self.cases += 1;
        if found != expected {
            self.wrong.push(format!("{}: {case}: expected {expected}, found {found}", self.name));
        }
    }

    #[track_caller]
    pub(crate) fn end(self, at_least: usize) {
        assert!(self.wrong.is_empty(), "\n{}", self.wrong.join("\n"));
        assert!(self.cases >= at_least, "{} cases are left", self.cases);
    }
}

/// All that an application learns.
fn learned(response: &VerifiedResponse) -> Vec<String> {
    let name = response.name_id().map(|name| format!("{} {}", name.format(), name.value));
    let attributes = response.attributes().iter().flat_map(|attribute| {
        let values = attribute.texts().map(str::to_owned).chain([attribute.values.len().to_string()]);
        std::iter::once(attribute.name.clone()).chain(values)
    });
    let rest =
        [name, response.session_index().map(str::to_owned), response.authn_context().map(str::to_owned)];
    let rest = rest.into_iter().map(Option::unwrap_or_default);
    let known = [response.issuer().to_owned(), response.assertion_id().to_owned()];
    let times = [Some(response.authn_instant()), response.session_not_on_or_after()];
    let times = times.into_iter().map(|time| time.map_or_else(String::new, |time| time.to_rfc3339()));
    known.into_iter().chain(rest).chain(times).chain(attributes).collect()
}
