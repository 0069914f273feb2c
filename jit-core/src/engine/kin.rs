//! Connections of one source: by what name each of them knows the same person.

use std::collections::HashMap;

use chrono::{DateTime, Utc};

use super::{BuildError, Connection, Jit, NamedBy};
use crate::{
    Account, Authority, BackendError, ClaimValues, ConnectionId, Denial, ExternalKey, Issuer, IssuerSet,
    Store, Subject, TenantId, VerifiedIdentity,
};

type Connections = HashMap<(TenantId, ConnectionId), Connection>;

/// Holds, for a connection that people sign in over, how a provisioning connection of the same source names them.
pub(super) struct Kin {
    connection: ConnectionId,
    issuer: Issuer,
    by: NamedBy,
    decides: bool,
}

/// Finds the kin of every connection.
///
/// # Errors
/// [`BuildError`] where a connection that provisions names one that is not there, keeps its accounts elsewhere or speaks for
/// several issuers: then two people could become one; or where one decides alone and does not say what lists memberships.
pub(super) fn kin(
    connections: &Connections,
) -> Result<HashMap<(TenantId, ConnectionId), Vec<Kin>>, BuildError> {
    let mut kin: HashMap<_, Vec<Kin>> = HashMap::new();
    for ((tenant, id), connection) in connections {
        let Some(provisioning) = &connection.provisioning else { continue };
        let issuer = only_issuer(connection).ok_or_else(|| BuildError::SeveralIssuers(id.clone()))?;
        if provisioning.authority == Authority::Whole && provisioning.memberships.is_none() {
            return Err(BuildError::NoMemberships(id.clone()));
        }
        for same in &provisioning.same_person {
            let key = (tenant.clone(), same.connection.clone());
            let other = connections.get(&key).filter(|_| same.connection != *id);
            let other = other.ok_or_else(|| BuildError::UnknownKin(id.clone(), same.connection.clone()))?;
            if other.settings.store != connection.settings.store {
                return Err(BuildError::KinElsewhere(id.clone(), same.connection.clone()));
            }
            only_issuer(other).ok_or_else(|| BuildError::SeveralIssuers(same.connection.clone()))?;
            kin.entry(key).or_default().push(Kin {
                connection: id.clone(),
                issuer: issuer.clone(),
                by: same.by.clone(),
                decides: provisioning.authority == Authority::Whole,
            });
        }
    }
    Ok(kin)
}

fn only_issuer(connection: &Connection) -> Option<&Issuer> {
    match &connection.settings.issuers {
        IssuerSet::Exactly(issuers) if issuers.len() == 1 => issuers.first(),
        _ => None,
    }
}

impl Jit {
    fn kin_of(&self, connection: &Connection) -> &[Kin] {
        if self.parts.kin.is_empty() {
            return &[];
        }
        let settings = &connection.settings;
        self.parts.kin.get(&(settings.tenant.clone(), settings.id.clone())).map_or(&[], Vec::as_slice)
    }

    /// Tells whether a provisioning connection of the same source decides alone.
    pub(super) fn is_decided_elsewhere(&self, connection: &Connection) -> bool {
        self.kin_of(connection).iter().any(|kin| kin.decides)
    }

    /// What provisioning connections of the same source call whoever signs in.
    pub(super) fn names_of(&self, connection: &Connection, identity: &VerifiedIdentity) -> Vec<ExternalKey> {
        let name = |kin: &Kin| {
            let subject = match &kin.by {
                NamedBy::Subject => identity.key().subject.clone(),
                NamedBy::Claim(path) => {
                    let text = identity.claims().at(path).values().and_then(ClaimValues::text)?;
                    Subject::new(text).ok()?
                }
            };
            let (tenant, connection) = (identity.key().tenant.clone(), kin.connection.clone());
            Some(ExternalKey { tenant, connection, issuer: kin.issuer.clone(), subject })
        };
        self.kin_of(connection).iter().filter_map(name).collect()
    }

    /// What the connections that people sign in over call the person of a record, as far as it tells.
    pub(super) fn names_of_record(&self, connection: &Connection, record: &ExternalKey) -> Vec<ExternalKey> {
        let same = connection.provisioning.iter().flat_map(|provisioning| &provisioning.same_person);
        let name = |id: &ConnectionId| {
            let other = self.connection(&record.tenant, id)?;
            let issuer = only_issuer(other)?.clone();
            let (tenant, subject) = (record.tenant.clone(), record.subject.clone());
            Some(ExternalKey { tenant, connection: id.clone(), issuer, subject })
        };
        same.filter(|same| same.by == NamedBy::Subject).filter_map(|same| name(&same.connection)).collect()
    }
}

/// Finds the account that goes by one of these names.
pub(super) async fn known_by(
    store: &dyn Store,
    names: &[ExternalKey],
) -> Result<Option<Account>, BackendError> {
    for name in names {
        if let Some(account) = store.find(name).await? {
            return Ok(Some(account));
        }
    }
    Ok(None)
}

/// Tells where the names of a person lead who has an account.
pub(super) struct Names {
    /// Those that lead nowhere.
    pub(super) free: Vec<ExternalKey>,
    /// Whether one leads to another account: then the person has two.
    pub(super) lead_elsewhere: bool,
    /// Why another account of the person may not be used.
    pub(super) stopped: Option<Denial>,
}

/// Follows the names of a person whose account was found.
pub(super) async fn follow_names(
    store: &dyn Store,
    names: Vec<ExternalKey>,
    own: &Account,
    now: DateTime<Utc>,
) -> Result<Names, BackendError> {
    let mut found = Names { free: Vec::new(), lead_elsewhere: false, stopped: None };
    for name in names {
        if own.is_linked_to(&name) {
            continue;
        }
        match store.find(&name).await? {
            None => found.free.push(name),
            // It may have come to this account since that was read.
            Some(other) if other.id == own.id => {}
            Some(other) => {
                tracing::warn!(
                    account = %own.id, other = %other.id, connection = %name.connection,
                    "a person of one source has two accounts"
                );
                found.lead_elsewhere = true;
                found.stopped = found.stopped.or(other.standing(now).denial().map(Denial::new));
            }
        }
    }
    Ok(found)
}
