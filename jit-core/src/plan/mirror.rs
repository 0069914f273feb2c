//! How an account is to stand in a target that it is mirrored to. Pure.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use sha2::{Digest as _, Sha256};

use crate::{Account, AccountState, Mirror, Mirrored, Mirroring, Standing};

/// Says how an account is to stand in a target.
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "whoever brings it there decides each")]
pub enum Wanted {
    /// Nothing is there, and nothing is to be.
    Nothing,
    /// There, in this form.
    There(Box<Mirrored>),
    /// There, out of use and without what we gave.
    Stopped,
    /// Not there.
    Gone,
}

impl Wanted {
    /// Compares in few bytes what was wanted before with what is wanted now. What the target confirmed does not count.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut hash = Sha256::new();
        let mut add = |text: &str| {
            hash.update((text.len() as u64).to_be_bytes());
            hash.update(text);
        };
        match self {
            Self::Nothing => add("nothing"),
            Self::Stopped => add("stopped"),
            Self::Gone => add("gone"),
            Self::There(mirrored) => {
                add(if mirrored.active { "active" } else { "inactive" });
                add(&mirrored.user_name);
                for text in [&mirrored.display_name, &mirrored.email] {
                    add(if text.is_some() { "1" } else { "0" });
                    add(text.as_deref().unwrap_or_default());
                }
                for (name, values) in &mirrored.attributes {
                    add(name);
                    add(&values.len().to_string());
                    for value in values {
                        add(value);
                    }
                }
                add("/");
                for entitlement in &mirrored.entitlements {
                    add(entitlement);
                }
            }
        }
        hash.finalize().iter().take(16).fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
    }

    /// Tells whether it takes an account out of use.
    #[must_use]
    pub fn stops(&self) -> bool {
        match self {
            Self::Stopped | Self::Gone => true,
            Self::There(mirrored) => !mirrored.active,
            Self::Nothing => false,
        }
    }
}

/// Tells how an account is to stand in a target at `now`, by what is known of how it stands there.
///
/// Nobody is made there who may not be in use here. Whoever is there and may not be in use for a while is put out of use and
/// keeps what they hold; whoever ends here, or is no longer among those that are mirrored, is stopped or removed.
#[must_use]
pub fn wanted(
    account: &Account,
    mirroring: &Mirroring,
    there: Option<&Mirror>,
    now: DateTime<Utc>,
) -> Wanted {
    let is_there = there.is_some_and(Mirror::may_be_there);
    let is_over = account.is_remote() || matches!(account.state, AccountState::Ended { .. });
    let name = mirroring.name(account).filter(|_| !is_over && is_among(account, mirroring, now));
    match name {
        None if !is_there => Wanted::Nothing,
        None if mirroring.removes => Wanted::Gone,
        None => Wanted::Stopped,
        Some(name) => match account.standing(now) {
            Standing::Active => Wanted::There(Box::new(mirrored(account, mirroring, there, name, true, now))),
            _ if is_there => Wanted::There(Box::new(mirrored(account, mirroring, there, name, false, now))),
            _ => Wanted::Nothing,
        },
    }
}

/// Whoever is stopped may have lost what they are mirrored for, and that is an end of it.
fn is_among(account: &Account, mirroring: &Mirroring, now: DateTime<Utc>) -> bool {
    let of = mirroring.of.as_ref();
    of.is_none_or(|of| of.iter().any(|entitlement| account.holds(entitlement, now)))
}

fn mirrored(
    account: &Account,
    mirroring: &Mirroring,
    there: Option<&Mirror>,
    user_name: String,
    active: bool,
    now: DateTime<Utc>,
) -> Mirrored {
    let values = |name| account.attributes.get(name).into_iter().flatten().map(|value| value.text.clone());
    let display_name = mirroring.display_name.as_ref().and_then(|name| values(name).next());
    let email = account.email.as_ref().filter(|_| mirroring.email);
    let attributes: BTreeMap<_, Vec<_>> =
        mirroring.attributes.iter().map(|(name, there)| (there.clone(), values(name).collect())).collect();
    let held = |entitlement: &&crate::Entitlement| account.holds(entitlement, now);
    let given = mirroring.entitlements.iter().filter(|(entitlement, _)| held(entitlement));
    let entitlements: BTreeSet<_> = given.map(|(_, there)| there.clone()).collect();
    Mirrored {
        active,
        user_name,
        display_name,
        email: email.map(|email| email.address.as_str().to_owned()),
        attributes,
        entitlements,
        held: there.map(|there| there.held.clone()).unwrap_or_default(),
        doubtful: there.map(|there| there.doubtful.clone()).unwrap_or_default(),
        ids: there.map(|there| there.ids.clone()).unwrap_or_default(),
        confirmed: there.and_then(|there| there.confirmed.clone()),
    }
}
