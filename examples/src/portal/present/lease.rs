use std::collections::BTreeSet;

use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use jit_core::{
    Account, AccountId, CheckedOut, Difference, Elevated, JitError, Lease, Phase, Reconciliation, RemoteRef,
    Seeing, StoreId, UnattendedEnd,
};

use super::account::display_name;
use super::span::{instant, span};
use crate::portal::comparisons::Comparison;
use crate::portal::view::{Badge, CompareRow, GrantedView, LeaseRow, OfferRow, Tone};
use crate::record::Record;
use crate::targets::{Opened, RoleOffer};

/// The spans to choose from, with what the form calls them.
const SPANS: [(&str, i64); 8] =
    [("1m", 1), ("5m", 5), ("15m", 15), ("30m", 30), ("1h", 60), ("2h", 120), ("4h", 240), ("8h", 480)];

/// Shows a role to somebody who may check it out.
pub(crate) fn offer_row(target: &Opened, role: &RoleOffer, account: Option<String>, demo: bool) -> OfferRow {
    OfferRow {
        target: target.id.to_string(),
        role: role.name.to_string(),
        entitlements: role.entitlements.join(", "),
        privileged: role.privileged,
        spans: spans(TimeDelta::zero(), role.longest),
        account,
        demo,
    }
}

/// The spans that are longer than the one and not longer than the other.
fn spans(above: TimeDelta, longest: TimeDelta) -> Vec<&'static str> {
    let all = SPANS.iter().map(|(name, minutes)| (*name, TimeDelta::minutes(*minutes)));
    all.filter(|(_, span)| *span > above && *span <= longest).map(|(name, _)| name).collect()
}

/// Shows who holds a lease.
pub(crate) fn holder(id: AccountId, record: &Record) -> String {
    match record {
        Record::Account(account) => display_name(account),
        Record::Missing => id.to_string(),
        Record::Unreadable => format!("{id}, whose record cannot be read"),
    }
}

/// Shows the lease that an account keeps; `None` where it keeps none.
pub(crate) fn lease_row(
    account: &Account,
    holder: String,
    store: Option<&StoreId>,
    now: DateTime<Utc>,
) -> Option<LeaseRow> {
    let lease = account.lease.as_deref()?;
    let is_in_use = matches!(lease.phase, Phase::Intended | Phase::Active { .. }) && now < lease.until;
    let extensible = matches!(lease.phase, Phase::Active { .. }) && is_in_use;
    Some(LeaseRow {
        id: account.id.to_string(),
        holder,
        target: lease.target.to_string(),
        role: lease.role.to_string(),
        name: lease.remote.name.clone(),
        lends: lease.elevates.map(|_| lease.entitlements.join(", ")),
        phase: phase(&lease.phase),
        reason: lease.purpose.clone().unwrap_or_default(),
        until: instant(lease.until),
        until_exact: exact(lease.until),
        left: is_in_use.then(|| left(lease.until, now)),
        proof: proof(lease, now),
        spans: if extensible { spans(lease.until - now, lease.latest - now) } else { Vec::new() },
        is_in_use,
        is_served: true,
        is_quarantined: matches!(lease.phase, Phase::Quarantined { .. }),
        store: store.map(ToString::to_string).unwrap_or_default(),
    })
}

/// Shows what was handed out.
pub(crate) fn granted_view(target: String, lent: &CheckedOut, now: DateTime<Utc>) -> GrantedView {
    GrantedView {
        target,
        name: lent.name.clone(),
        secret: Some(lent.secret.reveal().to_owned()),
        entitlements: String::new(),
        until: instant(lent.until),
        until_exact: exact(lent.until),
        left: left(lent.until, now),
        ender: ender(lent.unattended, (lent.until, lent.worst_case)),
        sessions_survive: lent.sessions_survive,
    }
}

/// Shows what was lent to an account that existed before.
pub(crate) fn elevated_view(
    target: String,
    role: &RoleOffer,
    lent: &Elevated,
    now: DateTime<Utc>,
) -> GrantedView {
    GrantedView {
        target,
        name: lent.name.clone(),
        secret: None,
        entitlements: role.entitlements.join(", "),
        until: instant(lent.until),
        until_exact: exact(lent.until),
        left: left(lent.until, now),
        ender: ender(lent.unattended, (lent.until, lent.worst_case)),
        sessions_survive: lent.sessions_survive,
    }
}

fn ender(unattended: UnattendedEnd, (until, worst_case): (DateTime<Utc>, Option<DateTime<Utc>>)) -> String {
    match (unattended, worst_case.filter(|worst| *worst > until)) {
        (UnattendedEnd::ServerDropsMembership, Some(worst)) => {
            format!("The target takes what was lent at {}, for another lease needs it.", instant(worst))
        }
        (UnattendedEnd::ServerDropsMembership, None) => {
            "The target takes what was lent at its end.".to_owned()
        }
        (UnattendedEnd::ServerDeletes, _) => "The target removes it at its end.".to_owned(),
        (UnattendedEnd::ServerRefusesLogin, _) => "The target refuses it from its end on.".to_owned(),
        (UnattendedEnd::LibraryOnly, _) => "Nobody else ends it.".to_owned(),
    }
}

/// Says how far a comparison is.
pub(crate) fn comparison(last: &Comparison) -> String {
    match (last.ended, last.is_cut) {
        (None, _) => format!("A comparison runs since {}.", instant(last.began)),
        (Some(ended), false) => format!("Compared at {}.", instant(ended)),
        (Some(ended), true) => format!("The comparison was given up at {}: it is not whole.", instant(ended)),
    }
}

/// Shows how a target differs from what is written down.
pub(crate) fn compare_row(target: &Opened, compared: &Result<Reconciliation, JitError>) -> CompareRow {
    let (found, (verdict, tone)) = match compared {
        Err(error) => {
            (vec![format!("It could not be asked ({}).", error.code())], ("unknown", Tone::Caution))
        }
        Ok(compared) => {
            let found = findings(compared);
            let verdict = match (found.len(), compared.partial.is_none()) {
                (1, _) => ("as written down", Tone::Good),
                (2, false) => ("not whole", Tone::Caution),
                _ => ("differs", Tone::Bad),
            };
            (found, verdict)
        }
    };
    CompareRow { target: target.id.to_string(), verdict: Badge { text: verdict.to_owned(), tone }, found }
}

/// What a comparison found, of which the first is how much was seen.
fn findings(found: &Reconciliation) -> Vec<String> {
    let mut said = vec![format!("Accounts of ours that were seen: {}.", found.seen)];
    said.extend(found.partial.as_ref().map(|why| match why.as_str() {
        "reconcile.untold" => "It does not tell what some accounts hold.".to_owned(),
        "lease.unreadable" => "Some records cannot be read; nothing is said of these.".to_owned(),
        _ => format!("The listing is not whole ({why})."),
    }));
    said.extend(found.returned.iter().map(|remote| format!("{} is there though it was gone.", name(remote))));
    said.extend(
        found.suspects.iter().map(|remote| format!("{} is there, and no lease is known.", name(remote))),
    );
    said.extend(found.missing.iter().map(|lease| format!("Of lease {lease} nothing is there.")));
    said.extend(found.changed.iter().map(|lease| format!("Lease {lease} is there under another id.")));
    said.extend(found.differing.iter().flat_map(|differing| {
        differing.found.iter().map(|found| format!("Lease {} {}.", differing.lease, differs(found)))
    }));
    let unheld = found.unheld.iter();
    said.extend(
        unheld.map(|lent| format!("{} does not hold {}, which is lent to it.", lent.name, lent.entitlement)),
    );
    let leftover = found.leftover.iter();
    said.extend(
        leftover.map(|lent| format!("{} still holds {}, which no lease needs.", lent.name, lent.entitlement)),
    );
    said
}

fn differs(found: &Difference) -> String {
    let listed = |names: &BTreeSet<String>| names.iter().cloned().collect::<Vec<_>>().join(", ");
    match found {
        Difference::EndsNever => "has no end at the target any longer".to_owned(),
        Difference::EndsLater(at) => format!("ends later at the target, {}", instant(*at)),
        Difference::EndsEarlier(at) => format!("ends earlier at the target, {}", instant(*at)),
        Difference::Shut => "was put out of use at the target".to_owned(),
        Difference::HoldsMore(more) => format!("holds {} as well, which it was not given", listed(more)),
        Difference::Renamed(name) => format!("is named {name} at the target by now"),
        Difference::Moved(Some(place)) => format!("was moved to {place} at the target"),
        Difference::Moved(None) => "was moved at the target to where none of its places is".to_owned(),
        Difference::HoldsLess(less) => format!("does not hold {} any longer", listed(less)),
        other => format!("differs ({})", other.word()),
    }
}

fn name(remote: &RemoteRef) -> &str {
    &remote.name
}

fn phase(phase: &Phase) -> Badge {
    let tone = match phase {
        Phase::Active { .. } => Tone::Good,
        Phase::Intended | Phase::Ending { .. } | Phase::Unconfirmed { .. } => Tone::Caution,
        Phase::Quarantined { .. } => Tone::Bad,
        Phase::Gone { .. } => Tone::Plain,
    };
    Badge { text: phase.word().replace('_', " "), tone }
}

fn proof(lease: &Lease, now: DateTime<Utc>) -> String {
    lease.proof.map_or_else(
        || "none yet".to_owned(),
        |proof| {
            let seen = match proof.seen {
                Seeing::Present => "present",
                Seeing::Disabled => "disabled",
                Seeing::Absent => "absent",
            };
            format!("{seen}, {} ago", roughly(now - proof.at))
        },
    )
}

fn left(until: DateTime<Utc>, now: DateTime<Utc>) -> String {
    format!("{} left", roughly(until - now))
}

/// A span that nobody reads to the second.
fn roughly(exact: TimeDelta) -> String {
    let seconds = exact.num_seconds().max(0);
    span(TimeDelta::seconds(if seconds < 60 { seconds } else { seconds / 60 * 60 }))
}

fn exact(at: DateTime<Utc>) -> String {
    at.to_rfc3339_opts(SecondsFormat::Secs, true)
}
