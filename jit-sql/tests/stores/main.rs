//! The stores against real databases.
#![cfg(any(feature = "sqlite", feature = "real-postgres"))]

#[cfg(test)]
#[cfg(feature = "real-postgres")]
mod batches;
#[cfg(test)]
#[cfg(feature = "real-postgres")]
mod beside;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod documents;
#[cfg(test)]
mod followers;
#[cfg(test)]
mod forgetting;
#[cfg(test)]
#[cfg(feature = "real-postgres")]
mod kept_batches;
#[cfg(test)]
mod later;
#[cfg(test)]
mod lent;
#[cfg(test)]
#[cfg(feature = "real-postgres")]
mod looks;
#[cfg(test)]
#[cfg(feature = "real-postgres")]
mod postgres;
#[cfg(test)]
mod quarantine;
#[cfg(test)]
mod retention;
#[cfg(test)]
#[cfg(feature = "sqlite")]
mod sqlite;
#[cfg(test)]
mod support;
#[cfg(test)]
mod trail;
#[cfg(test)]
mod upgrades;
