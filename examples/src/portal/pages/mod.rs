//! The pages, each a pure function from what it shows to markup.

mod account;
mod admin;
mod audit;
mod decision;
mod held;
mod home;
mod layout;
mod refused;
mod signing_out;

pub use account::account;
pub use admin::admin;
pub use audit::audit;
pub use held::{choose_password, choose_user_name, consent, prove_link, waiting};
pub use home::home;
pub use refused::{problem, refused};
pub use signing_out::{go_on, signed_out};
