//! Policy as data: rules read from TOML or JSON, checked when loaded, compiled once.

mod answer;
mod block;
mod check;
mod compile;
mod facts;
mod format;
mod found;
mod list;
mod text;
mod weigh;

pub use compile::RulePolicy;
pub use format::{
    AccountEndRule, AccountIs, AuthenticationMethods, ClaimEnd, ClaimIs, ClaimTest, Conditions, Day,
    DenyAnswer, GrantEndRule, HoldAnswer, Hours, PermitAnswer, PolicyRule, PolicyRules,
};
pub use text::{AskText, Instant, Network, Offset, PolicyTextError, Span, TimeOfDay};

#[cfg(test)]
mod tests;
