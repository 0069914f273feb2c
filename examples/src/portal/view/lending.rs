//! What the pages of leases show.

use super::Badge;

/// Describes the page where accounts of targets are checked out.
#[derive(Debug, Clone, Default)]
pub struct AccessView {
    /// What the visitor may check out.
    pub offers: Vec<OfferRow>,
    /// What is lent to the visitor.
    pub leases: Vec<LeaseRow>,
    /// What may be lent to them, but cannot be read.
    pub unreadable: Vec<String>,
    /// Whether there is more than that.
    pub has_more: bool,
    /// Makes a form that is sent twice one request.
    pub key: String,
}

/// Describes a role that can be checked out.
#[derive(Debug, Clone)]
pub struct OfferRow {
    /// The target.
    pub target: String,
    /// The role.
    pub role: String,
    /// What it holds there.
    pub entitlements: String,
    /// Whether it is privileged.
    pub privileged: bool,
    /// The spans to choose from, as the form sends them.
    pub spans: Vec<&'static str>,
    /// The visitor's own account there that would hold more for a time; `None` where an account is made.
    pub account: Option<String>,
    /// Whether the target lives in the portal's memory.
    pub demo: bool,
}

/// Describes a lease.
#[derive(Debug, Clone)]
pub struct LeaseRow {
    /// Its id.
    pub id: String,
    /// Whose it is.
    pub holder: String,
    /// The target.
    pub target: String,
    /// The role.
    pub role: String,
    /// The name to log in by.
    pub name: String,
    /// What is lent to an account that existed before; `None` where the account was made.
    pub lends: Option<String>,
    /// How far it has come.
    pub phase: Badge,
    /// Why it was asked for.
    pub reason: String,
    /// From when on it is over, for people.
    pub until: String,
    /// The same, for the countdown.
    pub until_exact: String,
    /// How long that is from now; `None` where it is over.
    pub left: Option<String>,
    /// What the target last proved, and how long ago.
    pub proof: String,
    /// The spans by which it can end later, as the form sends them.
    pub spans: Vec<&'static str>,
    /// Whether it can still be checked in.
    pub is_in_use: bool,
    /// Whether its target is configured: else nobody ends it.
    pub is_served: bool,
    /// Whether a person has to look after what is at the target, and may say that they did.
    pub is_quarantined: bool,
    /// The user store that keeps it; empty for the main one.
    pub store: String,
}

/// Hands out what was lent: a secret, once, or what an account of the visitor holds from now on.
#[derive(Debug, Clone, Default)]
pub struct GrantedView {
    /// The target.
    pub target: String,
    /// The name to log in by.
    pub name: String,
    /// The secret to log in by; `None` for an account that existed before.
    pub secret: Option<String>,
    /// What such an account holds for a time.
    pub entitlements: String,
    /// From when on it is over, for people.
    pub until: String,
    /// The same, for the countdown.
    pub until_exact: String,
    /// How long that is from now.
    pub left: String,
    /// Who ends it if the portal never runs again.
    pub ender: String,
    /// Whether sessions that are open at its end go on.
    pub sessions_survive: bool,
}

/// Describes every lease of the tenant to administrators.
#[derive(Debug, Clone, Default)]
pub struct LeasesView {
    /// The leases.
    pub leases: Vec<LeaseRow>,
    /// Those whose records cannot be read.
    pub unreadable: Vec<String>,
    /// Whether there are more than these.
    pub has_more: bool,
    /// How targets differ from what is written down, where that was asked for lately.
    pub compared: Vec<CompareRow>,
    /// How far that comparison is; empty where there was none lately.
    pub comparison: String,
    /// Whether it is under way.
    pub is_comparing: bool,
}

/// Tells how a target differs from what is written down.
#[derive(Debug, Clone)]
pub struct CompareRow {
    /// The target.
    pub target: String,
    /// The verdict.
    pub verdict: Badge,
    /// What was found, one sentence each.
    pub found: Vec<String>,
}
