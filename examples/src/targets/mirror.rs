//! What of the accounts here is mirrored to a target, as a configuration says.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use jit_core::config::Problems;
use jit_core::{
    AttributeName, Code, ConnectionId, DriftLook, Entitlement, Mirroring, QuarantineRules, Span, StopLimit,
    TenantId,
};
use jit_scim::client::TargetProfile;
use serde::Deserialize;

use super::settings::TargetSettings;

/// Says whose accounts are mirrored, and what of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct MirrorSettings {
    /// Whoever holds one of these.
    #[serde(default)]
    holders: Vec<Entitlement>,
    /// Everybody.
    #[serde(default)]
    everybody: bool,
    /// By what people are named there.
    #[serde(default)]
    named_by: NamedBy,
    /// Whether the address is handed out.
    #[serde(default)]
    email: bool,
    /// The attribute that is handed out as the name that people are shown.
    #[serde(default)]
    display_name: Option<AttributeName>,
    /// Attributes, with the names that the target knows them by.
    #[serde(default)]
    attributes: BTreeMap<AttributeName, String>,
    /// Entitlements, with the groups that they are there.
    #[serde(default)]
    entitlements: BTreeMap<Entitlement, String>,
    /// What becomes of those that end here.
    #[serde(default)]
    at_end: AtEnd,
    /// The connections whose sign-ins wait until the person stands there.
    #[serde(default)]
    waited_for_by: BTreeSet<ConnectionId>,
    /// How many are stopped within a span.
    #[serde(default)]
    stops: Option<StopSettings>,
    /// Whether any number may be.
    #[serde(default)]
    stops_any_number: bool,
    /// How often the target is looked at for what others changed there.
    #[serde(default)]
    look_for_drift_every: Option<Span>,
    /// What becomes of that.
    #[serde(default)]
    on_drift: Option<OnDrift>,
    /// When the target is left alone because it fails nearly everybody.
    #[serde(default)]
    quarantine: Option<QuarantineSettings>,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum NamedBy {
    #[default]
    UserName,
    Email,
}

#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum AtEnd {
    /// They are put out of use.
    #[default]
    Stop,
    /// They are removed.
    Remove,
    /// They are removed, although the target never takes them back.
    RemoveForGood,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum OnDrift {
    /// It is told of, and kept.
    Report,
    /// It is told of, and overwritten, up to so many accounts in a round.
    Overwrite { at_most: NonZeroU32 },
}

/// What is not said is as it is by default.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct QuarantineSettings {
    accounts: Option<u32>,
    percent: Option<u8>,
    within: Option<Span>,
    first_pause: Option<Span>,
    longest_pause: Option<Span>,
}

impl QuarantineSettings {
    fn rules(&self) -> QuarantineRules {
        let usual = QuarantineRules::default();
        let span = |said: Option<Span>, usual| said.map_or(usual, Span::delta);
        QuarantineRules {
            accounts: self.accounts.unwrap_or(usual.accounts),
            percent: self.percent.unwrap_or(usual.percent),
            within: span(self.within, usual.within),
            first_pause: span(self.first_pause, usual.first_pause),
            longest_pause: span(self.longest_pause, usual.longest_pause),
        }
    }
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct StopSettings {
    #[serde(default)]
    at_least: u32,
    #[serde(default)]
    percent: u8,
    at_most: NonZeroU32,
    within: Span,
}

impl StopSettings {
    fn limit(&self) -> StopLimit {
        let Self { at_least, percent, at_most, within } = *self;
        StopLimit { at_least, percent, at_most, within: within.delta() }
    }
}

impl MirrorSettings {
    pub(super) fn check(&self, profile: Option<&TargetProfile>, found: &mut Problems) {
        if let Some(profile) = profile {
            self.check_required(profile, found);
        }
        if self.everybody != self.holders.is_empty() {
            let message = "needs either `holders` or `everybody = true`";
            found.report(Code::new("config.one_of"), message);
        }
        if self.stops.is_some() && self.stops_any_number {
            let message = "has no place beside `stops_any_number`";
            found.report_in("stops", Code::new("config.contradiction"), message);
        }
        if self.stops.as_ref().is_some_and(|stops| stops.percent > 100) {
            found.report_in("stops", Code::new("config.invalid_value"), "`percent` is more than 100");
        }
        self.check_drift(found);
        let rules = self.quarantine.as_ref().map(QuarantineSettings::rules);
        if let Some((name, bounds)) = rules.and_then(|rules| rules.problem()) {
            found.within("quarantine", |found| {
                found.report_in(name, Code::new("config.invalid_value"), bounds);
            });
        }
    }

    fn check_drift(&self, found: &mut Problems) {
        let allowed = DriftLook::SHORTEST..=DriftLook::LONGEST;
        if self.look_for_drift_every.is_some_and(|span| !allowed.contains(&span.delta())) {
            let message = "must be `1h` to `366d`: each account is asked for once in that time";
            found.report_in("look_for_drift_every", Code::new("config.invalid_value"), message);
        }
        if self.on_drift.is_some() && self.look_for_drift_every.is_none() {
            let message = "needs `look_for_drift_every`: without it nobody looks";
            found.report_in("on_drift", Code::new("config.missing_field"), message);
        }
    }

    /// Checks that a target is handed what it requires.
    fn check_required(&self, profile: &TargetProfile, found: &mut Problems) {
        let mut handed_out = vec!["userName"];
        handed_out.extend(self.email.then_some("emails"));
        handed_out.extend(self.display_name.as_ref().map(|_| "displayName"));
        handed_out.extend(self.attributes.values().map(String::as_str));
        for name in profile.lacking(&handed_out) {
            let message = format!("must hand out `{name}`: the target makes no account without it");
            found.report(Code::new("config.missing_field"), message);
        }
        if let Some(name) = profile.lacks_of_name(&handed_out) {
            let message = format!("must hand out `{name}`: the target takes no `name` without both parts");
            found.report(Code::new("config.missing_field"), message);
        }
        if profile.removes_for_good && self.at_end == AtEnd::Remove {
            let message = "the target never takes back whom it removed: must be `stop`, or `remove_for_good`";
            found.report_in("at_end", Code::new("config.invalid_value"), message);
        }
    }

    /// Checks that people sign in over each connection that waits, of those that this finds.
    pub(super) fn check_waiters(
        &self,
        provisions: impl Fn(&ConnectionId) -> Option<bool>,
        found: &mut Problems,
    ) {
        for id in &self.waited_for_by {
            match provisions(id) {
                Some(false) => {}
                Some(true) => {
                    let message = format!("`{id}` provisions: only sign-ins wait");
                    found.report_in("waited_for_by", Code::new("config.invalid_value"), message);
                }
                None => {
                    let message = format!("no connection of these tenants is `{id}`: nobody would wait");
                    found.report_in("waited_for_by", Code::new("config.unknown_connection"), message);
                }
            }
        }
    }

    pub(super) fn mirroring(&self) -> Mirroring {
        let mut mirroring = if self.everybody {
            Mirroring::of_everybody()
        } else {
            Mirroring::of_holders(self.holders.iter().cloned())
        };
        if self.at_end != AtEnd::Stop {
            mirroring = mirroring.removing();
        }
        for connection in &self.waited_for_by {
            mirroring = mirroring.waited_for_by(connection.clone());
        }
        if self.stops_any_number {
            mirroring = mirroring.stopping_any_number();
        }
        if let Some(stops) = &self.stops {
            mirroring = mirroring.stopping_no_more_than(stops.limit());
        }
        if let Some(quarantine) = &self.quarantine {
            mirroring = mirroring.left_alone_by(quarantine.rules());
        }
        if let Some(look) = self.drift_look() {
            mirroring = mirroring.looking_for_drift(look);
        }
        self.handing_out(mirroring)
    }

    /// What of an account is handed out, and under which name.
    fn handing_out(&self, mut mirroring: Mirroring) -> Mirroring {
        if self.named_by == NamedBy::Email {
            mirroring = mirroring.named_by_email();
        }
        if self.email {
            mirroring = mirroring.with_email();
        }
        if let Some(name) = &self.display_name {
            mirroring = mirroring.with_display_name(name.clone());
        }
        for (name, there) in &self.attributes {
            mirroring = mirroring.with_attribute(name.clone(), there);
        }
        for (entitlement, there) in &self.entitlements {
            mirroring = mirroring.with_entitlement(entitlement.clone(), there);
        }
        mirroring
    }

    fn drift_look(&self) -> Option<DriftLook> {
        let look = DriftLook::each(self.look_for_drift_every.map(Span::delta)?);
        Some(match self.on_drift {
            Some(OnDrift::Overwrite { at_most }) => look.overwriting(at_most),
            Some(OnDrift::Report) | None => look,
        })
    }
}

/// Checks that people sign in over each connection that waits for a target: of one that is named it is told whose it is, and
/// whether it provisions.
pub(crate) fn check_waiters<'a>(
    targets: &[TargetSettings],
    named: impl Fn(&ConnectionId) -> Option<(&'a TenantId, bool)>,
    found: &mut Problems,
) {
    found.each("target", targets, |target, found| {
        let Some(mirror) = &target.mirror else { return };
        let is_open = |tenant: &TenantId| !target.says_whose() || target.tenants.contains(tenant);
        let provisions = |id: &ConnectionId| {
            named(id).filter(|(tenant, _)| is_open(tenant)).map(|(_, provisions)| provisions)
        };
        found.within("mirror", |found| mirror.check_waiters(provisions, found));
    });
}
