//! The portal: people sign in, and see the account that came into being and why.

pub mod pages;
mod present;
mod session;
pub mod view;
