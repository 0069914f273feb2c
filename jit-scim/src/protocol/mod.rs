//! Messages: queries and their pages, bulk requests, and what a service says about itself.

mod bulk;
mod cursor;
mod discovery;
mod list;
mod page;
mod query;

pub use bulk::{Bulk, BulkMethod, BulkOutcome, BulkStep};
pub use cursor::Cursor;
pub use discovery::{AuthenticationScheme, Capabilities, Discovery, PageMethods};
pub(crate) use list::{END, begin};
pub use list::{ListResponse, Place};
pub use page::Found;
pub(crate) use page::Rank;
pub use query::{Page, PageLimits, Query, QueryText};

#[cfg(test)]
mod tests;
