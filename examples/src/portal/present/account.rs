use chrono::{DateTime, Utc};
use jit_core::{
    Account, AccountEmail, AccountState, EmailTrust, Grant, HeldPresence, LinkProof, LinkedIdentity,
    Provenance, Source, Standing, StoreId,
};

use super::span::{instant, span};
use crate::portal::view::{
    AccountAct, AccountRef, AccountRow, AccountView, ApprovalRow, AttributeRow, Badge, EmailRow, Fact,
    GrantRow, IdentityRow, LeaverRow, Tone,
};

const DISPLAY_NAME: &str = "display_name";

/// Shows an account to the person it belongs to.
pub(crate) fn account_view(account: &Account, now: DateTime<Utc>) -> AccountView {
    AccountView {
        display_name: display_name(account),
        user_name: account.user_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        id: account.id.to_string(),
        tenant: account.tenant.to_string(),
        state: standing_badge(account.standing(now)),
        dates: dates(account),
        identities: account.identities.iter().map(identity_row).collect(),
        emails: account.email.iter().map(email_row).collect(),
        attributes: attribute_rows(account),
        grants: account.grants.iter().map(|grant| grant_row(grant, now)).collect(),
    }
}

/// Shows an account as one line.
pub(crate) fn account_row(account: &Account, store: Option<&StoreId>, now: DateTime<Utc>) -> AccountRow {
    let standing = account.standing(now);
    AccountRow {
        account: account_ref(account, store),
        user_name: account.user_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        display_name: display_name(account),
        state: standing_badge(standing),
        grants: held(account, now),
        act: match (&account.state, standing) {
            // It is checked in, or ended on the page of leases.
            _ if account.is_remote() => None,
            (_, Standing::Active) => Some(AccountAct::Suspend),
            (AccountState::Suspended { .. } | AccountState::Disabled { .. }, _) => {
                Some(AccountAct::Reactivate)
            }
            (AccountState::Ended { .. }, _) if holds_a_place(account) => Some(AccountAct::Release),
            _ => None,
        },
    }
}

fn held(account: &Account, now: DateTime<Utc>) -> String {
    let in_force = account.grants.iter().filter(|grant| grant.is_in_force(now));
    let mut grants: Vec<_> = in_force.map(|grant| grant.entitlement.to_string()).collect();
    grants.sort();
    grants.dedup();
    grants.join(", ")
}

/// Shows somebody whose leave waits, since too many came at once.
pub(crate) fn leaver_row(account: &Account, store: Option<&StoreId>, now: DateTime<Utc>) -> LeaverRow {
    let leaves = account.records.iter().filter_map(|held| {
        let (connection, since) = (&held.key.connection, instant(held.parked?));
        let what = if held.presence == HeldPresence::Gone { "removal for good" } else { "leave" };
        Some(format!("{what}, said over {connection} at {since}"))
    });
    LeaverRow {
        account: account_ref(account, store),
        name: display_name(account),
        user_name: account.user_name.as_ref().map(ToString::to_string).unwrap_or_default(),
        leaves: leaves.collect(),
        // Without it the form is refused.
        seen: serde_json::to_string(&account.waiting_leaves()).unwrap_or_default(),
        grants: held(account, now),
    }
}

/// Tells whether somebody cannot come because of what is left of this account.
fn holds_a_place(account: &Account) -> bool {
    !account.identities.is_empty() || account.user_name.is_some() || account.email.is_some()
}

/// Shows an account that waits for approval; `rule` is the one that holds it.
pub(crate) fn approval_row(account: &Account, store: Option<&StoreId>, rule: String) -> ApprovalRow {
    let connections: Vec<_> =
        account.identities.iter().map(|identity| identity.key.connection.to_string()).collect();
    let email = account.email.as_ref();
    ApprovalRow {
        account: account_ref(account, store),
        name: display_name(account),
        email: email.map(|email| email.address.as_str().to_owned()).unwrap_or_default(),
        connection: connections.join(", "),
        since: instant(account.created_at),
        rule,
    }
}

fn account_ref(account: &Account, store: Option<&StoreId>) -> AccountRef {
    AccountRef { account: account.id.to_string(), store: store.map(ToString::to_string).unwrap_or_default() }
}

/// Finds the best name for an account.
pub(crate) fn display_name(account: &Account) -> String {
    let shown = account.attributes.iter().find(|(name, _)| name.as_str() == DISPLAY_NAME);
    shown
        .and_then(|(_, values)| values.first())
        .map(|value| value.text.clone())
        .or_else(|| account.user_name.as_ref().map(ToString::to_string))
        .or_else(|| lent_name(account))
        .unwrap_or_else(|| account.id.to_string())
}

/// The name of what an account stands for at a target; `None` where it stands for a person or workload.
pub(crate) fn lent_name(account: &Account) -> Option<String> {
    let lease = account.lease.as_ref().map(|lease| (&lease.remote.name, &lease.target));
    let lent = lease.or_else(|| account.elevation.as_ref().map(|lent| (&lent.name, &lent.target)));
    lent.map(|(name, target)| format!("{name} at {target}"))
}

fn standing_badge(standing: Standing) -> Badge {
    let (text, tone) = match standing {
        Standing::Active => ("active", Tone::Good),
        Standing::Invited => ("invited", Tone::Plain),
        Standing::Pending => ("waiting for approval", Tone::Caution),
        Standing::Early => ("not yet begun", Tone::Caution),
        Standing::Suspended => ("suspended", Tone::Bad),
        Standing::Disabled => ("disabled", Tone::Bad),
        Standing::Expired => ("expired", Tone::Bad),
        Standing::Idle => ("unused for too long", Tone::Bad),
        Standing::Ended => ("ended", Tone::Bad),
    };
    Badge { text: text.into(), tone }
}

fn dates(account: &Account) -> Vec<Fact> {
    let fact = |name: &str, value: String| Fact { name: name.into(), value };
    let mut facts = vec![
        fact("Since", instant(account.created_at)),
        fact("Ends", account.ends_at.map_or_else(|| "no end".into(), instant)),
    ];
    if let Some(limit) = account.idle_limit {
        facts.push(fact("Ends when unused for", span(limit)));
    }
    facts.push(fact("Last changed", format!("{}, version {}", instant(account.updated_at), account.version)));
    facts
}

fn identity_row(identity: &LinkedIdentity) -> IdentityRow {
    IdentityRow {
        connection: identity.key.connection.to_string(),
        issuer: identity.key.issuer.to_string(),
        subject: identity.key.subject.to_string(),
        proof: format!("{}, {}", proof(identity.proof), instant(identity.linked_at)),
    }
}

fn proof(proof: LinkProof) -> &'static str {
    match proof {
        LinkProof::FirstSignIn => "the account came into being at its first sign-in",
        LinkProof::FirstRecord => "the account came into being at its source's first record",
        LinkProof::SameSource => "another connection of the same source names the person so",
        LinkProof::AuthoritativeEmail => "the domain's own provider verified the same address",
        LinkProof::MatchedAttribute => "an attribute that this connection may match by is the same",
        LinkProof::OtherIdentity => "the person signed in with another identity of the account",
        LinkProof::Mail => "the person received a message at the account's address",
        LinkProof::Reauthentication => "the person proved a local credential",
        LinkProof::Administrator => "an administrator said so",
        _ => "it was proved",
    }
}

fn email_row(email: &AccountEmail) -> EmailRow {
    let (text, tone) = match email.trust {
        EmailTrust::Authoritative => ("verified by the domain's own provider", Tone::Good),
        EmailTrust::Asserted => ("verified, says the provider", Tone::Good),
        EmailTrust::Unstated => ("the provider does not say whether it is verified", Tone::Caution),
        EmailTrust::Refuted => ("not verified", Tone::Bad),
    };
    EmailRow { address: email.address.as_str().into(), evidence: Badge { text: text.into(), tone } }
}

fn attribute_rows(account: &Account) -> Vec<AttributeRow> {
    let rows = account.attributes.iter().flat_map(|(name, values)| {
        values.iter().map(move |value| AttributeRow {
            name: name.to_string(),
            value: value.text.clone(),
            source: origin(&value.provenance),
        })
    });
    rows.collect()
}

fn grant_row(grant: &Grant, now: DateTime<Utc>) -> GrantRow {
    let until = grant.ends_at.map(|end| {
        if grant.is_in_force(now) {
            format!("ends {}", instant(end))
        } else {
            format!("ended {}", instant(end))
        }
    });
    GrantRow {
        entitlement: grant.entitlement.to_string(),
        source: source(&grant.provenance.source),
        rule: grant.provenance.rule.as_ref().map(ToString::to_string).unwrap_or_default(),
        since: instant(grant.given_at),
        until,
    }
}

fn origin(provenance: &Provenance) -> String {
    let mut text = source(&provenance.source);
    if let Some(rule) = &provenance.rule {
        text.push_str(", rule `");
        text.push_str(rule.as_str());
        text.push('`');
    }
    if let Some(claim) = &provenance.claim {
        text.push_str(", claim `");
        text.push_str(claim);
        text.push('`');
    }
    text
}

fn source(source: &Source) -> String {
    match source {
        Source::Connection(id) => format!("connection {id}"),
        Source::Person => "the person".into(),
        Source::Administrator => "an administrator".into(),
        Source::PreExisting => "before we came".into(),
        _ => "another source".into(),
    }
}
