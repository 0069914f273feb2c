//! Leases at real directories: from check-out to check-in, and everything that may come in between.

mod custom;
mod dynamic;
mod elevation;
mod elsewhere;
mod house;
mod kills;
mod lagging;
mod life;
mod listing;
mod markers;
mod protected;
mod refusals;
mod renewals;
mod repointed;
mod resting;
mod servers;
mod unfollowed;
mod unread;
mod unseen;

pub(crate) use custom::{without_controls, without_controls_for_people};
pub(crate) use dynamic::{
    target as dynamic_target, target_pointed_elsewhere as dynamic_target_pointed_elsewhere,
};
pub(crate) use house::{House, World, absent, administrator_of, made, open_ldap, remote, secret, tenant};
pub(crate) use unfollowed::unfollowed;
