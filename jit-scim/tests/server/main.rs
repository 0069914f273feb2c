//! The server as a client sees it, with a real engine and store behind it.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod attackers;
#[cfg(test)]
mod bulk;
#[cfg(test)]
mod discovery;
#[cfg(test)]
mod faults;
#[cfg(test)]
mod filtered_members;
#[cfg(test)]
mod groups;
#[cfg(test)]
#[cfg(feature = "tower")]
mod http;
#[cfg(test)]
mod index;
#[cfg(test)]
mod large_groups;
#[cfg(test)]
mod memberships;
#[cfg(test)]
mod model;
#[cfg(test)]
mod pages;
#[cfg(test)]
mod parked;
#[cfg(test)]
mod people;
#[cfg(test)]
mod races;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod sequences;
#[cfg(test)]
mod support;
