//! What holds among the connections of one configuration.

use super::ConnectionConfig;
use crate::{
    Code, Issuer, IssuerSet,
    config::{Check, Problems, provisioning::check_kin},
};

/// Checks each connection, and that no two of them speak for the same: ids and issuers are unique in a tenant, and a
/// domain belongs to one tenant. `field` is the name of the list in the settings.
pub fn check_connections<P: Check>(field: &str, connections: &[ConnectionConfig<P>], found: &mut Problems) {
    for (index, connection) in connections.iter().enumerate() {
        found.within(field, |found| {
            found.item(index, |found| {
                connection.check(found);
                check_kin(connection, connections, found);
                for (other_index, other) in connections.iter().take(index).enumerate() {
                    check_pair(connection, other, &format!("{field}[{other_index}]"), found);
                }
            });
        });
    }
}

fn check_pair<P>(one: &ConnectionConfig<P>, other: &ConnectionConfig<P>, name: &str, found: &mut Problems) {
    if one.tenant != other.tenant {
        found.each("domains", one.domains.patterns(), |pattern, found| {
            if other.domains.patterns().contains(pattern) {
                let message = format!("{name} speaks for this domain in another tenant");
                found.report(Code::new("config.duplicate_domain"), message);
            }
        });
        return;
    }
    if one.id == other.id {
        found.report_in(
            "id",
            Code::new("config.duplicate_connection"),
            format!("{name} has this id already"),
        );
    }
    if overlap(&one.issuer_set(), &other.issuer_set()) {
        let message = format!("{name} trusts the same issuer: one person would become two accounts");
        let field = if one.issuer_template.is_some() { "issuer_template" } else { "issuers" };
        found.report_in(field, Code::new("config.duplicate_issuer"), message);
    }
}

/// Tells whether an issuer may speak by both sets.
fn overlap(one: &IssuerSet, other: &IssuerSet) -> bool {
    match (named(one), named(other)) {
        (Some(issuers), _) => issuers.iter().any(|issuer| other.contains(issuer)),
        (None, Some(issuers)) => issuers.iter().any(|issuer| one.contains(issuer)),
        (None, None) => one == other,
    }
}

/// Every issuer of a set that names them.
fn named(set: &IssuerSet) -> Option<Vec<Issuer>> {
    match set {
        IssuerSet::Exactly(issuers) => Some(issuers.iter().cloned().collect()),
        IssuerSet::Between { prefix, suffix, names } => {
            let issuers = names.iter().map(|name| Issuer::new(format!("{prefix}{name}{suffix}")));
            Some(issuers.filter_map(Result::ok).collect())
        }
        IssuerSet::DangerouslyAnyBetween { .. } => None,
    }
}
