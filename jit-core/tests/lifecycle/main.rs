//! Joiners, movers and leavers: accounts that a source makes, changes and ends without a sign-in.

#[cfg(test)]
mod absolute;
#[cfg(test)]
mod alarms;
#[cfg(test)]
mod authority;
#[cfg(test)]
mod docs;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod facts;
#[cfg(test)]
mod guard;
#[cfg(test)]
mod joiners;
#[cfg(test)]
mod laws;
#[cfg(test)]
mod leavers;
#[cfg(test)]
mod movers;
#[cfg(test)]
mod removals;
#[cfg(test)]
mod same_person;
#[cfg(test)]
#[path = "../support/mod.rs"]
mod support;
#[cfg(test)]
mod takeovers;
