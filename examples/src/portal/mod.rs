//! The portal: people sign in, and see the account that came into being and why.

#[expect(dead_code, reason = "the program that reads them comes with the engine")]
mod arguments;
pub mod pages;
mod present;
#[expect(dead_code, reason = "the program that calls it comes with the engine")]
mod serve;
#[expect(dead_code, reason = "the routes that use it come with the engine")]
mod session;
pub mod view;
