//! The checks, by what they look at.
//!
//! Each takes an empty backend and fails with the first thing that it found wrong.

pub mod atomic;
pub mod audit;
pub mod commit;
pub mod counters;
pub mod documents;
pub mod find;
pub mod forget;
pub mod keys;
pub mod members;
pub mod one_time;
pub mod paging;
pub mod races;
pub mod round_trip;
pub mod sign_ins;
pub mod tasks;
pub mod tenants;
pub mod touch;
