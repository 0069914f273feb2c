//! Checks of what a connection says about addresses of its domains.

use super::ConnectionConfig;
use crate::{Code, EmailRule, Verification, config::Problems};

/// Claims about an address that the operator of all tenants of a source fills in, and no tenant by itself.
const OPERATORS_CLAIMS: &[&str] = &["xms_edov"];

impl<P> ConnectionConfig<P> {
    /// Reports an `email` rule that the domains of the connection should verify where there are none. A preset may say
    /// so: it is made for connections with domains and harmless on others.
    pub(super) fn check_own_domains(&self, found: &mut Problems) {
        let says = |rule: &EmailRule| rule.verified == Some(Verification::OwnDomains);
        if self.domains.patterns().is_empty() && self.mapping.email.as_ref().is_some_and(says) {
            let message = "needs `domains` that the connection speaks for";
            found.within("mapping", |found| {
                found.within("email", |found| {
                    found.report_in("verified", Code::new("config.unreachable_rule"), message);
                });
            });
        }
    }

    /// Reports an address that several issuers could claim with the word of the connection behind it: whoever runs one of
    /// them, or opens a tenant where all are trusted, could be anybody of the domains.
    pub(super) fn check_who_speaks(&self, found: &mut Problems) {
        let has_several = self.issuers.len() > 1
            || self
                .issuer_template
                .as_ref()
                .is_some_and(|known| known.dangerously_allow_any || known.allow.len() > 1);
        let says = |rule: &EmailRule| match &rule.verified {
            Some(Verification::Claim { claim, .. }) => !OPERATORS_CLAIMS.contains(&claim.as_str()),
            Some(Verification::OwnDomains) => true,
            Some(Verification::Never) | None => rule.dangerously_assume_verified,
        };
        let whole = self.mapping.with_preset();
        if has_several && !self.domains.patterns().is_empty() && whole.email.as_ref().is_some_and(says) {
            let message = "goes with one issuer only: any other could claim these addresses too; give each issuer a \
                           connection with its own `domains`, or none, or let `verified = \"never\"` say that \
                           nobody proves an address (for Entra, `xms_edov` does)";
            found.report_in("domains", Code::new("config.several_issuers"), message);
        }
    }
}
