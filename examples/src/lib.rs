//! What the example programs are made of.
//!
//! | module | does |
//! |---|---|
//! | [`portal`] | signs people in and shows the account that came into being, and why |
//! | [`demo_idp`] | is an identity provider with made-up people, for the portal's demo |
//! | [`demo_saml_idp`] | is another one, which speaks SAML |
//! | [`inspect`] | verifies evidence from files |
//! | [`web`] | serves pages safely |

pub mod demo_idp;
pub mod demo_saml_idp;
pub mod inspect;
pub mod portal;
pub mod web;

/// Compiles the example of the README.
#[cfg(doctest)]
#[doc = include_str!("../../README.md")]
pub mod readme {}
