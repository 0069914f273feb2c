//! The pages, each a pure function from what it shows to markup.

mod access;
mod account;
mod admin;
mod audit;
mod decision;
mod held;
mod home;
mod layout;
mod leases;
mod refused;
mod sign_in;
mod signing_out;

pub use access::{COUNTDOWN_PATH, access, granted};
pub use account::account;
pub use admin::admin;
pub use audit::audit;
pub use held::{choose_password, choose_user_name, consent, prove_link, waiting};
pub use home::home;
pub use leases::leases;
pub use refused::{not_done, problem, refused};
pub use sign_in::sign_in;
pub use signing_out::{go_on, signed_out};
