//! Checks of the section `provisioning` of a connection.

use super::{ConnectionConfig, Problems};
use crate::{Authority, Code, ConnectionId, NamedBy, Provisioning};

/// The most connections of one source.
const KIN: usize = 16;

/// Checks what the section says by itself.
pub(super) fn check_provisioning(
    provisioning: &Provisioning,
    own: &ConnectionId,
    has_one_issuer: bool,
    found: &mut Problems,
) {
    if !has_one_issuer {
        let message = "needs exactly one entry in `issuers`: two issuers may name two people alike";
        found.report(Code::new("config.several_issuers"), message);
    }
    if provisioning.authority == Authority::Whole && provisioning.same_person.is_empty() {
        let message = "needs `same_person`: it decides for the connections that are named there";
        found.report_in("authority", Code::new("config.contradiction"), message);
    }
    if provisioning.authority == Authority::Whole && provisioning.memberships.is_none() {
        let message = "needs `memberships`: what sign-ins gave earlier is measured by it";
        found.report_in("authority", Code::new("config.contradiction"), message);
    }
    if provisioning.memberships.is_some() && provisioning.authority != Authority::Whole {
        let message = "counts only with `authority = \"whole\"`";
        found.report_in("memberships", Code::new("config.contradiction"), message);
    }
    if provisioning.same_person.len() > KIN {
        let message = format!("has more than {KIN} lines");
        found.report_in("same_person", Code::new("config.out_of_range"), message);
    }
    for (index, same) in provisioning.same_person.iter().enumerate() {
        let is_twin =
            provisioning.same_person.iter().take(index).any(|other| other.connection == same.connection);
        let is_mail = |by: &NamedBy| matches!(by, NamedBy::Claim(path) if path.root() == "email");
        let problem = if is_twin {
            ("config.duplicate_rule", "the same connection stands before")
        } else if same.connection == *own {
            ("config.contradiction", "is this connection itself, which needs no word for it")
        } else if is_mail(&same.by) {
            (
                "config.email_unverified",
                "an address is given to another person one day: use a name that is not",
            )
        } else {
            continue;
        };
        found.within("same_person", |found| {
            found.item(index, |found| found.report(Code::new(problem.0), problem.1));
        });
    }
}

/// Checks that the connections which are named fit, as far as they stand in the same list. The others are checked when the
/// engine is composed.
pub(super) fn check_kin<P>(own: &ConnectionConfig<P>, all: &[ConnectionConfig<P>], found: &mut Problems) {
    let Some(provisioning) = &own.provisioning else { return };
    for (index, same) in provisioning.same_person.iter().enumerate() {
        let named = |other: &&ConnectionConfig<P>| other.tenant == own.tenant && other.id == same.connection;
        let Some(other) = all.iter().find(named) else { continue };
        let problem = if other.issuer_template.is_some() || other.issuers.len() != 1 {
            ("config.several_issuers", "needs exactly one entry in `issuers` over there")
        } else if other.store != own.store {
            ("config.contradiction", "keeps its accounts in another store")
        } else {
            continue;
        };
        found.within("provisioning", |found| {
            found.within("same_person", |found| {
                found.item(index, |found| found.report_in("connection", Code::new(problem.0), problem.1));
            });
        });
    }
}
