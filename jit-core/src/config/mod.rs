//! Checked loading of settings: whatever is wrong is reported with file, line, column, field and a stable code.

mod connection;
mod load;
mod locate;
mod problem;
mod provisioning;
mod wording;

pub use connection::{ConnectionConfig, IssuerTemplate, ShadowConfig, check_connections};
pub use load::{Check, Format, MAX_BYTES, MAX_NESTING, load, load_with};
pub use problem::{Place, Problem, Problems};

pub(crate) use wording::nearest;

/// Finds the place of a byte in a text.
#[cfg(feature = "cel")]
pub(crate) fn place_of(text: &str, offset: usize) -> Place {
    Place::of(text, offset)
}
