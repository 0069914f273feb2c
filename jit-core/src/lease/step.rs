//! The steps of a lease. Each refuses what does not follow from where the lease stands, and none leads back into use.

use chrono::{DateTime, TimeDelta, Utc};

use super::{EndReason, Lease, Phase, Proof, Seeing, overdue::REMINDED_FROM};
use crate::{Code, UnattendedEnd};

/// Says that a step does not follow from where the lease stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the lease is {phase}, which does not allow this")]
pub struct Misfit {
    /// Where it stands, as a word.
    pub phase: &'static str,
}

type Stepped = Result<Lease, Misfit>;

impl Lease {
    /// Writes down that it is about to be made, its secret set anew, or its end set: until `answer_by` the call may take effect,
    /// and bring it this end.
    ///
    /// # Errors
    /// [`Misfit`] unless it is intended or active.
    pub fn asking(mut self, answer_by: DateTime<Utc>, until: DateTime<Utc>) -> Stepped {
        match self.phase {
            Phase::Intended | Phase::Active { .. } => {
                self.asked_until = Some(self.ends_by().max(until.min(self.latest)));
                self.unanswered = self.unanswered.max(Some(answer_by));
                Ok(self)
            }
            _ => Err(self.misfit()),
        }
    }

    /// Writes down that the call that is about to be made sets its secret anew. It may make the account anew as well, by other
    /// settings: who ends it is not known until the answer is there, and after a call without one not even then.
    #[must_use]
    pub fn renewing(mut self) -> Self {
        if self.renewing {
            self.unattended = None;
        }
        self.renewing = true;
        self
    }

    /// Learns that no call is on its way any longer. What one that set the secret anew came to is not known by that.
    #[must_use]
    pub fn answered(mut self) -> Self {
        if self.renewing {
            self.unattended = None;
        }
        self.not_renewed()
    }

    /// Learns that the target has it, under this id, and who ends it if nobody of ours ever runs again; `None` where that is
    /// not said of it as a whole.
    ///
    /// # Errors
    /// [`Misfit`] unless it is intended or active: whoever hears it too late must not bring it back into use.
    pub fn present(
        mut self,
        native: String,
        unattended: Option<UnattendedEnd>,
        now: DateTime<Utc>,
    ) -> Stepped {
        let since = match self.phase {
            Phase::Intended => now,
            Phase::Active { since } => since,
            _ => return Err(self.misfit()),
        };
        self.phase = Phase::Active { since };
        self.remote.native = Some(native);
        self = self.answered();
        self.unattended = unattended;
        Ok(self.proved(Seeing::Present, now))
    }

    /// Learns that a stranger bears its name, and takes another one.
    ///
    /// # Errors
    /// [`Misfit`] unless it is intended: what was there once keeps its name.
    pub fn renamed(mut self, name: String) -> Stepped {
        if self.phase != Phase::Intended || self.remote.native.is_some() {
            return Err(self.misfit());
        }
        self.names_taken = self.names_taken.saturating_add(1);
        self.remote.name = name;
        Ok(self)
    }

    /// Moves its end, never beyond the latest.
    ///
    /// # Errors
    /// [`Misfit`] unless it is active and not over.
    pub fn extended(mut self, until: DateTime<Utc>, now: DateTime<Utc>) -> Stepped {
        if !matches!(self.phase, Phase::Active { .. }) || self.until <= now {
            return Err(self.misfit());
        }
        self.until = until.min(self.latest);
        Ok(self)
    }

    /// Learns that it was never made: the one call that asked for it did nothing. The target need not be asked whether it is
    /// there, and proved nothing.
    ///
    /// # Errors
    /// [`Misfit`] unless it is intended, and no other call asked for it.
    pub fn never_made(mut self, now: DateTime<Utc>) -> Stepped {
        if self.phase != Phase::Intended || self.renewing {
            return Err(self.misfit());
        }
        self.phase = Phase::Gone { since: now, why: EndReason::Refused };
        Ok(self.not_renewed())
    }

    /// Begins its end.
    ///
    /// # Errors
    /// [`Misfit`] where it has begun or is quarantined.
    pub fn ending(mut self, why: EndReason, now: DateTime<Utc>) -> Stepped {
        if !matches!(self.phase, Phase::Intended | Phase::Active { .. }) {
            return Err(self.misfit());
        }
        self.phase = Phase::Ending { since: now, why, shut: false };
        Ok(self)
    }

    /// Ends after all, because a person looked after what was not what was made.
    ///
    /// # Errors
    /// [`Misfit`] unless it is quarantined.
    pub fn settled(mut self, why: EndReason, now: DateTime<Utc>) -> Stepped {
        if !matches!(self.phase, Phase::Quarantined { .. }) {
            return Err(self.misfit());
        }
        self.phase = Phase::Ending { since: now, why, shut: false };
        // Somebody was told of it, and is told when it is gone.
        self.alarms = 1;
        Ok(self)
    }

    /// Learns that it cannot be used any longer, though it is still there.
    ///
    /// # Errors
    /// [`Misfit`] unless it is ending.
    pub fn shut(mut self, now: DateTime<Utc>) -> Stepped {
        let Phase::Ending { since, why, .. } = self.phase else { return Err(self.misfit()) };
        self.phase = Phase::Ending { since, why, shut: true };
        Ok(self.proved(Seeing::Disabled, now))
    }

    /// Learns that it is there no longer, and that what it held names it still.
    ///
    /// # Errors
    /// [`Misfit`] unless it is ending.
    pub fn outlived(self, now: DateTime<Utc>) -> Stepped {
        let mut shut = self.shut(now)?;
        // It is told of at once.
        shut.alarms = shut.alarms.max(1);
        Ok(shut.proved(Seeing::Absent, now))
    }

    /// Learns that it was removed, which every replica shows after `settles_after`. That counts from when no call can take
    /// effect any longer: until then another server may take one that ours learns of as late as that.
    ///
    /// # Errors
    /// [`Misfit`] unless it is ending.
    pub fn removed(mut self, settles_after: TimeDelta, now: DateTime<Utc>) -> Stepped {
        let Phase::Ending { why, .. } = self.phase else { return Err(self.misfit()) };
        let settling = Some(settles_after).filter(|span| *span > TimeDelta::zero());
        let last = self.unanswered.map_or(now, |answer_by| answer_by.max(now));
        self.phase = match settling.and_then(|span| last.checked_add_signed(span)) {
            Some(look_at) => Phase::Unconfirmed { since: now, why, look_at },
            None => Phase::Gone { since: now, why },
        };
        Ok(self.proved(Seeing::Absent, now))
    }

    /// Learns that no replica shows it.
    ///
    /// # Errors
    /// [`Misfit`] unless that was to be looked at.
    pub fn confirmed(mut self, now: DateTime<Utc>) -> Stepped {
        let Phase::Unconfirmed { since, why, .. } = self.phase else { return Err(self.misfit()) };
        self.phase = Phase::Gone { since, why };
        Ok(self.proved(Seeing::Absent, now))
    }

    /// Learns that no late call brought it back: no call is on its way any longer.
    ///
    /// # Errors
    /// [`Misfit`] unless it is gone.
    pub fn swept(self, now: DateTime<Utc>) -> Stepped {
        if !matches!(self.phase, Phase::Gone { .. }) {
            return Err(self.misfit());
        }
        Ok(self.answered().proved(Seeing::Absent, now))
    }

    /// Takes a person's word that it is gone. Nothing was proved, and nobody looks after it any longer.
    ///
    /// # Errors
    /// [`Misfit`] where it is gone already, and no call of it is on its way.
    pub fn declared_gone(mut self, now: DateTime<Utc>) -> Stepped {
        if !self.is_live() {
            return Err(self.misfit());
        }
        self.phase = Phase::Gone { since: now, why: EndReason::DeclaredGone };
        Ok(self.answered())
    }

    /// Learns that it is there though it was gone, under this id. It may be as it was long ago, or as a late call made it: who
    /// ends it is not known.
    ///
    /// # Errors
    /// [`Misfit`] unless it was gone.
    pub fn reappeared(self, native: String, now: DateTime<Utc>) -> Stepped {
        Ok(self.made_late(Some(native), now)?.proved(Seeing::Present, now))
    }

    /// Learns that a late call may have made it though it was gone, under this id where that is known. Nothing is proved.
    ///
    /// # Errors
    /// [`Misfit`] unless it was gone.
    pub fn made_late(mut self, native: Option<String>, now: DateTime<Utc>) -> Stepped {
        if !matches!(self.phase, Phase::Gone { .. } | Phase::Unconfirmed { .. }) {
            return Err(self.misfit());
        }
        self.phase = Phase::Ending { since: now, why: EndReason::Reappeared, shut: false };
        self.came_back = Some(now);
        (self.remote.native, self.unattended) = (native, None);
        Ok(self)
    }

    /// Begins a lease that takes what a late call gave to this one, of which there is no record any longer. What it is about may
    /// still arrive until `answer_by`.
    #[must_use]
    pub fn passed_on(self, answer_by: DateTime<Utc>, now: DateTime<Utc>) -> Self {
        Self {
            phase: Phase::Gone { since: now, why: EndReason::Reappeared },
            unanswered: Some(answer_by),
            renewing: false,
            asked_until: None,
            counted: false,
            alarms: 0,
            proof: None,
            task: None,
            ..self
        }
    }

    /// Learns that a comparison found it though it was gone. Nothing is done about it, and its record stays.
    ///
    /// # Errors
    /// [`Misfit`] unless it was gone.
    pub fn seen_again(mut self, now: DateTime<Utc>) -> Stepped {
        if !matches!(self.phase, Phase::Gone { .. }) {
            return Err(self.misfit());
        }
        self.came_back = Some(now);
        Ok(self)
    }

    /// Learns that what is there is not what was made.
    ///
    /// # Errors
    /// [`Misfit`] where it is quarantined, or gone with no call on its way that could have made it.
    pub fn quarantined(mut self, found: Code, now: DateTime<Utc>) -> Stepped {
        match self.phase {
            // What is known by its id is gone: what bears the name now has another.
            Phase::Gone { .. } if self.may_have_been_made() => self.remote.native = None,
            Phase::Gone { .. } | Phase::Quarantined { .. } => return Err(self.misfit()),
            _ => {}
        }
        self.phase = Phase::Quarantined { since: now, found };
        // It is told of at once.
        self.alarms = 1;
        Ok(self)
    }

    /// Counts the alarms of a quarantined lease that are due by now as raised.
    ///
    /// # Errors
    /// [`Misfit`] unless it is quarantined.
    pub fn reminded(mut self, now: DateTime<Utc>) -> Stepped {
        let Phase::Quarantined { since, .. } = self.phase else { return Err(self.misfit()) };
        self.told(REMINDED_FROM, now.signed_duration_since(since));
        Ok(self)
    }

    fn proved(mut self, seen: Seeing, at: DateTime<Utc>) -> Self {
        self.proof = Some(Proof { seen, at });
        self
    }

    fn misfit(&self) -> Misfit {
        Misfit { phase: self.phase.word() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{AccountId, MarkerKey, RemoteRef, RuleName, TargetId, TenantId, lease::Duty};

    fn at(minute: i64) -> DateTime<Utc> {
        DateTime::from_timestamp(1_800_000_000, 0).unwrap() + TimeDelta::minutes(minute)
    }

    fn lease() -> Lease {
        let id = AccountId::from_uuid(uuid::Uuid::from_u128(7));
        let marker = MarkerKey::new("test", &[5; 32]).unwrap().mark(&TenantId::new("acme").unwrap(), id);
        let remote = RemoteRef { name: "jit-1".into(), place: None, marker, native: None, home: None };
        let (target, role) = (TargetId::new("ad").unwrap(), RuleName::new("admin").unwrap());
        Lease { latest: at(60), unanswered: Some(at(2)), ..Lease::intended(target, id, role, remote, at(30)) }
    }

    /// Every step, for every lease that any steps lead to.
    fn steps(lease: &Lease, now: DateTime<Utc>) -> Vec<Lease> {
        let all = [
            lease.clone().asking(now + TimeDelta::minutes(2), lease.until),
            lease.clone().asking(now + TimeDelta::minutes(2), at(90)),
            lease.clone().present("id".into(), Some(UnattendedEnd::ServerDeletes), now),
            lease.clone().renamed("other".into()),
            lease.clone().extended(at(90), now),
            lease.clone().ending(EndReason::Expired, now),
            lease.clone().never_made(now),
            lease.clone().settled(EndReason::CheckedIn, now),
            lease.clone().reminded(now),
            lease.clone().shut(now),
            lease.clone().outlived(now),
            lease.clone().removed(TimeDelta::zero(), now),
            lease.clone().removed(TimeDelta::minutes(5), now),
            lease.clone().confirmed(now),
            lease.clone().swept(now),
            lease.clone().reappeared("late".into(), now),
            lease.clone().made_late(None, now),
            lease.clone().seen_again(now),
            lease.clone().declared_gone(now),
            lease.clone().quarantined(Code::new("lease.not_ours"), now),
        ];
        all.into_iter().flatten().collect()
    }

    #[test]
    fn a_promise_is_lost_by_a_renewal_without_an_answer_and_by_no_other() {
        let made = lease().present("id".into(), Some(UnattendedEnd::ServerDeletes), at(1)).unwrap();
        let id = made.holder;
        let ended_by = |lease: &Lease| lease.exposure(id, None).ended_by;
        assert_eq!(ended_by(&made), UnattendedEnd::ServerDeletes);
        let before = made.awaited();
        let asking = made.asking(at(3), at(30)).unwrap().renewing();
        assert_eq!(ended_by(&asking), UnattendedEnd::LibraryOnly, "it may be another account by now");
        let refused = asking.clone().unchanged(before);
        assert_eq!(ended_by(&refused), UnattendedEnd::ServerDeletes);
        let first = asking.awaited();
        let again = asking.clone().asking(at(4), at(30)).unwrap().renewing().unchanged(first);
        assert_eq!(ended_by(&again), UnattendedEnd::LibraryOnly, "the first one has no answer yet");
        assert_eq!(ended_by(&asking.answered()), UnattendedEnd::LibraryOnly);
    }

    #[test]
    fn whatever_has_begun_to_end_never_comes_back_into_use_and_always_has_a_duty() {
        let mut found = vec![lease()];
        for minute in 0..6 {
            for lease in found.clone() {
                let in_use = matches!(lease.phase, Phase::Intended | Phase::Active { .. });
                for next in steps(&lease, at(minute)) {
                    let is_used = matches!(next.phase, Phase::Intended | Phase::Active { .. });
                    assert!(in_use || !is_used, "{:?} became {:?}", lease.phase, next.phase);
                    assert!(next.until <= next.latest);
                    assert!((next.until..=next.latest).contains(&next.ends_by()));
                    assert!(next.unanswered.is_some() || next.asked_until.is_none());
                    let rests = next.duty(at(minute)) == Duty::Rest;
                    assert!(!rests || !next.is_live(), "{next:?} is forgotten");
                    if !found.contains(&next) && found.len() < 4_000 {
                        found.push(next);
                    }
                }
            }
        }
        assert!(found.len() > 1_000);
    }

    #[test]
    fn it_is_over_at_its_end_itself_and_a_late_extension_does_not_count() {
        let active = lease().present("id".into(), None, at(0)).unwrap();
        assert_eq!(active.duty(at(29)), Duty::Wait(at(30)));
        assert_eq!(active.duty(at(30)), Duty::End(EndReason::Expired));
        assert!(active.extended(at(60), at(30)).is_err());
    }
}
