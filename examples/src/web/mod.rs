//! The parts that every page server here needs: strict parameters, guarded routers, bounded state.

mod cookie;
mod expiring;
mod guard;
mod head;
mod parameters;
mod per_browser;
mod piece;
mod random;
mod respond;
mod serve;
mod timely;

pub use cookie::{CookieName, cookie};
pub use expiring::Expiring;
pub use guard::{Guard, content_security_policy};
pub use parameters::{Form, ParameterError, Parameters, Query};
pub use per_browser::PerBrowser;
pub use random::{RandomError, is_same, random_token};
pub use respond::{ICON, STYLE_PATH, html, html_with_policy, json, see_other, style, with_header};
pub(crate) use serve::serve;
