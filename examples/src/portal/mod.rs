//! The portal: people sign in, and see the account that came into being and why.

pub mod pages;
pub mod view;
