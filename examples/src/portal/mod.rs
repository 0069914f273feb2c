//! The portal: people sign in, and see the account that came into being and why.

mod arguments;
pub(crate) mod assemble;
mod comparisons;
mod demo;
mod failure;
mod hang;
mod holds;
mod house;
pub mod pages;
mod present;
mod proxies;
mod refusal;
mod routes;
mod run;
mod scim;
mod session;
pub(crate) mod settings;
mod sign_in_forms;
pub mod view;
mod work;

pub use run::{BAD_USAGE, CANNOT_SERVE, ENDED, run};
