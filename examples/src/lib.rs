//! What the example programs are made of.
//!
//! | module | does |
//! |---|---|
//! | [`portal`] | signs people in and shows the account that came into being, and why |
//! | [`checkout`] | lends accounts in directories for a time, and ends them |
//! | [`demo_idp`] | is an identity provider with made-up people, for the portal's demo |
//! | [`demo_saml_idp`] | is another one, which speaks SAML |
//! | [`inspect`] | verifies evidence from files |
//! | [`scim_server`] | lets a directory drive accounts over SCIM |
//! | [`web`] | serves pages safely |
//! | [`command_line`] | reads command lines, for all programs alike |

#![deny(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "they panic where nobody listens: `say` does not"
)]

mod alarms;
pub mod checkout;
pub mod command_line;
pub mod demo_idp;
pub mod demo_saml_idp;
pub mod inspect;
mod log;
pub mod portal;
mod record;
mod say;
pub mod scim_server;
mod signals;
mod targets;
pub mod web;
mod work;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
