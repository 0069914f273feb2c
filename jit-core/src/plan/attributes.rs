//! Planning of attributes: what a source says is taken over by its rule, and only its own values go.

use super::{Change, Plan, Reason};
use crate::{
    Account, AttributeValue, AttributeWish, ConflictRule, ConnectionId, Denial, ImportRule, MapError,
    Provenance, Source, Wished, WishedValues,
};

/// Plans the wished attributes; with `is_new`, suggestions count as well.
///
/// # Errors
/// `map.conflict` when a rule says to fail on a value of another source.
pub(super) fn plan_attributes(
    plan: &mut Plan,
    account: Option<&Account>,
    is_new: bool,
    wishes: &[AttributeWish],
    connection: &ConnectionId,
) -> Result<(), Denial> {
    for wish in wishes {
        let counts = match wish.import {
            ImportRule::Ignore => false,
            ImportRule::Suggest => is_new,
            ImportRule::Force | ImportRule::Require => true,
        };
        if counts {
            plan_attribute(plan, account, wish, connection)?;
        }
    }
    Ok(())
}

fn plan_attribute(
    plan: &mut Plan,
    account: Option<&Account>,
    wish: &AttributeWish,
    connection: &ConnectionId,
) -> Result<(), Denial> {
    let nothing = WishedValues::default();
    let wished = match &wish.value {
        Wished::Unknown => return Ok(()),
        Wished::Empty => &nothing,
        Wished::Values(values) => values,
    };
    let present: &[AttributeValue] =
        account.and_then(|account| account.attributes.get(&wish.name)).map_or(&[], Vec::as_slice);
    if is_settled(present, wish, wished, connection) {
        return Ok(());
    }
    let theirs: Vec<_> =
        present.iter().filter(|value| !is_of(&value.provenance, connection)).cloned().collect();
    let contested = !theirs.is_empty() && !wished.is_empty();
    let mut values = match wish.conflict {
        ConflictRule::Fail if contested => {
            let error = MapError::Conflict { attribute: wish.name.clone() };
            return Err(Denial::new(error.code()).by(wish.rule.clone()));
        }
        ConflictRule::Set if contested => theirs,
        ConflictRule::Replace if contested => ours(wish, wished, connection),
        _ => theirs.into_iter().chain(ours(wish, wished, connection)).collect(),
    };
    values.sort_by(|a, b| (&a.text, &a.provenance).cmp(&(&b.text, &b.provenance)));
    values.dedup();
    if !is_same(present, &values) {
        let reason = Reason::code("map.attribute").by(Some(wish.rule.clone()), wish.claim.clone());
        plan.push(Change::SetAttribute { name: wish.name.clone(), values }, reason);
    }
    Ok(())
}

/// Recognises the usual case without building anything: all values present are ours and are the wished ones.
fn is_settled(
    present: &[AttributeValue],
    wish: &AttributeWish,
    wished: &WishedValues,
    connection: &ConnectionId,
) -> bool {
    let is_wished = |value: &AttributeValue| {
        value.searchable == wish.searchable
            && is_of(&value.provenance, connection)
            && value.provenance.rule.as_ref() == Some(&wish.rule)
            && value.provenance.claim == wish.claim
            && wished.iter().any(|text| text == value.text)
    };
    present.len() == wished.len()
        && present.iter().all(is_wished)
        && wished.iter().all(|text| present.iter().any(|value| value.text == text))
}

fn ours(wish: &AttributeWish, wished: &WishedValues, connection: &ConnectionId) -> Vec<AttributeValue> {
    let source = Source::Connection(connection.clone());
    let provenance = Provenance { source, rule: Some(wish.rule.clone()), claim: wish.claim.clone() };
    let value = |text: &str| AttributeValue {
        text: text.to_owned(),
        provenance: provenance.clone(),
        searchable: wish.searchable,
    };
    wished.iter().map(value).collect()
}

fn is_of(provenance: &Provenance, connection: &ConnectionId) -> bool {
    matches!(&provenance.source, Source::Connection(id) if id == connection)
}

/// Compares as sets: the order in which a source lists values carries no meaning.
fn is_same(present: &[AttributeValue], values: &[AttributeValue]) -> bool {
    present.len() == values.len() && values.iter().all(|value| present.contains(value))
}
