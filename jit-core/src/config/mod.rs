//! Checked loading of settings: whatever is wrong is reported with file, line, column, field and a stable code.

mod load;
mod locate;
mod problem;
mod wording;

pub use load::{Check, Format, MAX_BYTES, MAX_NESTING, load};
pub use problem::{Place, Problem, Problems};

pub(crate) use wording::nearest;
