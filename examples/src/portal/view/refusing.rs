//! What the pages show about what was refused.

use super::DecisionView;

/// Describes a sign-in that was refused.
#[derive(Debug, Clone, Default)]
pub struct RefusalView {
    /// The stable code.
    pub code: String,
    /// The reason for people.
    pub reason: String,
    /// What the visitor can do about it.
    pub advice: String,
    /// Where the same sign-in begins anew.
    pub anew: Option<String>,
    /// The decision, where the policy was asked.
    pub decision: Option<DecisionView>,
}

/// Tells somebody that what they asked for was not done.
#[derive(Debug, Clone)]
pub struct NotDoneView {
    /// What was not done.
    pub title: String,
    /// What was asked for; empty where that is not known.
    pub asked: String,
    /// The stable code.
    pub code: String,
    /// The reason for people.
    pub reason: String,
    /// What they can do now.
    pub advice: String,
    /// Whether what they hold, and why they do, says more.
    pub is_about_holdings: bool,
    /// Where they go on.
    pub back: BackLink,
}

/// Leads back to where somebody was.
#[derive(Debug, Clone)]
pub struct BackLink {
    /// The address.
    pub address: String,
    /// What it is called.
    pub label: String,
}
