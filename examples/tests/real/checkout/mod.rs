//! `checkout` with real directories.

mod house;
mod life;
mod refusals;
mod sweep;
mod unread;
