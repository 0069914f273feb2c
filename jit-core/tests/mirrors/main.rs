//! Accounts that are mirrored to other systems: they stand there as they do here, whatever fails in between.

#[cfg(test)]
mod drift;
#[cfg(test)]
mod faults;
#[cfg(test)]
#[path = "../leases/faulty/mod.rs"]
#[expect(dead_code, reason = "the tests of leases use the rest")]
mod faulty;
#[cfg(test)]
mod follower;
#[cfg(test)]
mod house;
#[cfg(test)]
mod life;
#[cfg(test)]
mod newcomers;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod stops;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod waiting;
#[cfg(test)]
mod waiting_beside;
#[cfg(test)]
mod watched;
