//! Accounts that are lent for a time: they always end, and nobody else's is touched.

#[cfg(test)]
mod accepted;
#[cfg(test)]
mod checkout;
#[cfg(test)]
mod differing;
#[cfg(test)]
mod elevation;
#[cfg(test)]
mod ends;
#[cfg(test)]
mod exposure;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod faulty;
#[cfg(test)]
mod forget;
#[cfg(test)]
mod gone_for_good;
#[cfg(test)]
mod held_up;
#[cfg(test)]
mod house;
#[cfg(test)]
mod interleavings;
#[cfg(test)]
mod later;
#[cfg(test)]
mod limits;
#[cfg(test)]
mod long_gone;
#[cfg(test)]
mod lost_answers;
#[cfg(test)]
mod made_late;
#[cfg(test)]
mod nothing_made;
#[cfg(test)]
mod outages;
#[cfg(test)]
mod reconcile;
#[cfg(test)]
mod refused;
#[cfg(test)]
mod replicas;
#[cfg(test)]
mod repointed;
#[cfg(test)]
mod scenarios;
#[cfg(test)]
mod short_lived;
#[cfg(test)]
mod storms;
#[cfg(test)]
mod time;
#[cfg(test)]
mod told_again;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod unmarked;
#[cfg(test)]
mod unmarked_elsewhere;
#[cfg(test)]
mod walls;
