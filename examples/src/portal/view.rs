//! What the pages show, as plain text: no page reads an account, a decision or a plan itself.

mod administering;
mod entering;
mod lending;
mod refusing;

pub use administering::{AccountAct, AccountRef, AccountRow, AdminView, ApprovalRow, LeaverRow};
pub use entering::{SignInView, TroubleView};
pub use lending::{AccessView, CompareRow, GrantedView, LeaseRow, LeasesView, OfferRow};
pub use refusing::{BackLink, NotDoneView, RefusalView};

/// Says how good or bad something is; it picks the colour and the mark, never the meaning alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Tone {
    /// As it should be.
    Good,
    /// Worth a look.
    Caution,
    /// Refused or ended.
    Bad,
    /// Neither.
    #[default]
    Plain,
}

/// Describes the frame around each page: who is signed in, and what they may do.
#[derive(Debug, Clone, Default)]
pub struct Frame {
    /// The visitor, if somebody is signed in.
    pub visitor: Option<Visitor>,
    /// Somebody whose sign-in waits, if nobody is signed in.
    pub guest: Option<GuestView>,
    /// Whether the made-up people of the demo provider are in use.
    pub demo: bool,
    /// Whether accounts of targets can be checked out.
    pub lends: bool,
}

/// Describes who is signed in.
#[derive(Debug, Clone)]
pub struct Visitor {
    /// The name to show.
    pub name: String,
    /// Whether the administration page is open to them.
    pub is_admin: bool,
    /// The token that each form of this session carries.
    pub csrf: String,
}

/// Describes somebody whose sign-in waits for an answer, theirs or an administrator's.
#[derive(Debug, Clone)]
pub struct GuestView {
    /// The name to show.
    pub name: String,
    /// The token of the form that gives the sign-in up, where there is one that they can answer.
    pub csrf: Option<String>,
}

/// Shows a state or an outcome in one or two words.
#[derive(Debug, Clone, Default)]
pub struct Badge {
    /// The words.
    pub text: String,
    /// Their tone.
    pub tone: Tone,
}

/// Describes one way to sign in.
#[derive(Debug, Clone)]
pub struct ConnectionCard {
    /// The connection's identifier, as in `/login/{id}`.
    pub id: String,
    /// The name to show.
    pub label: String,
    /// The issuer.
    pub issuer: String,
}

/// Describes an account to the person it belongs to.
#[derive(Debug, Clone, Default)]
pub struct AccountView {
    /// The name to show.
    pub display_name: String,
    /// The user name.
    pub user_name: String,
    /// The account's identifier.
    pub id: String,
    /// The tenant.
    pub tenant: String,
    /// The state of the account.
    pub state: Badge,
    /// Facts about its time: since when, until when.
    pub dates: Vec<Fact>,
    /// The identities that open it.
    pub identities: Vec<IdentityRow>,
    /// The e-mail addresses.
    pub emails: Vec<EmailRow>,
    /// The attributes.
    pub attributes: Vec<AttributeRow>,
    /// The grants.
    pub grants: Vec<GrantRow>,
}

/// Shows one fact under its name.
#[derive(Debug, Clone)]
pub struct Fact {
    /// The name of the fact.
    pub name: String,
    /// The fact.
    pub value: String,
}

/// Describes one identity of the account.
#[derive(Debug, Clone)]
pub struct IdentityRow {
    /// The connection.
    pub connection: String,
    /// The issuer.
    pub issuer: String,
    /// The subject.
    pub subject: String,
    /// Why it belongs to this account.
    pub proof: String,
}

/// Describes one e-mail address.
#[derive(Debug, Clone)]
pub struct EmailRow {
    /// The address.
    pub address: String,
    /// How well it is proved.
    pub evidence: Badge,
}

/// Describes one attribute.
#[derive(Debug, Clone)]
pub struct AttributeRow {
    /// The name.
    pub name: String,
    /// The value or values.
    pub value: String,
    /// Who gave it.
    pub source: String,
}

/// Describes one grant.
#[derive(Debug, Clone)]
pub struct GrantRow {
    /// The entitlement.
    pub entitlement: String,
    /// Who gave it.
    pub source: String,
    /// The rule that gave it, if a rule did.
    pub rule: String,
    /// Since when.
    pub since: String,
    /// Until when, in words; `None` stays until its source takes it back.
    pub until: Option<String>,
}

/// Describes how one sign-in was decided.
#[derive(Debug, Clone, Default)]
pub struct DecisionView {
    /// The answer.
    pub outcome: Badge,
    /// The answer's limits and reasons.
    pub facts: Vec<Fact>,
    /// Every step on the way to it, by stage.
    pub stages: Vec<StageView>,
}

/// Describes one stage of the way from claims to an answer.
#[derive(Debug, Clone)]
pub struct StageView {
    /// What happens in it.
    pub title: String,
    /// Its rules, in the order in which they were asked.
    pub rules: Vec<RuleRow>,
}

/// Describes what one rule said.
#[derive(Debug, Clone)]
pub struct RuleRow {
    /// The rule's identifier; empty for a step that no rule names.
    pub id: String,
    /// What became of it.
    pub mark: RuleMark,
    /// Why.
    pub why: String,
}

/// Says what became of a rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(clippy::exhaustive_enums, reason = "each has a mark of its own on the page")]
pub enum RuleMark {
    /// It gave something, or its check was passed.
    Passed,
    /// It did not apply, and the next one was asked.
    Skipped,
    /// It matched, and so it decided.
    Decided,
    /// It refused.
    Refused,
    /// An earlier rule had decided.
    NotAsked,
}

/// Describes what a sign-in changed.
#[derive(Debug, Clone, Default)]
pub struct PlanView {
    /// The changes, in order; empty when there was nothing to change.
    pub changes: Vec<ChangeRow>,
    /// What was asked for and not given, while the rest went on.
    pub refusals: Vec<ChangeRow>,
}

/// Describes one change of a plan.
#[derive(Debug, Clone)]
pub struct ChangeRow {
    /// The change.
    pub what: String,
    /// The reason.
    pub reason: String,
}

/// Describes the account page: what is, and how the last sign-in led there.
#[derive(Debug, Clone, Default)]
pub struct MeView {
    /// The account.
    pub account: AccountView,
    /// The decision of the last sign-in.
    pub decision: DecisionView,
    /// The plan of the last sign-in.
    pub plan: PlanView,
    /// When this session ends.
    pub session_ends: String,
}

/// Describes one line of the audit trail.
#[derive(Debug, Clone)]
pub struct AuditRow {
    /// When, for people.
    pub at: String,
    /// The same, for programs.
    pub at_exact: String,
    /// What happened, in plain words; empty where there are none for it.
    pub words: String,
    /// The code of what happened.
    pub action: String,
    /// How it ended.
    pub outcome: Badge,
    /// Who caused it.
    pub actor: String,
    /// The account it is about.
    pub account: String,
    /// Names and rules, never values.
    pub detail: String,
}

/// Describes the audit trail.
#[derive(Debug, Clone, Default)]
pub struct AuditView {
    /// Its lines, the newest first.
    pub rows: Vec<AuditRow>,
    /// Whether it is that of the visitor alone.
    pub is_own: bool,
}

/// Describes a form that takes the browser to a provider.
#[derive(Debug, Clone, Default)]
pub struct OnwardView {
    /// The name of the connection.
    pub label: String,
    /// Where the form goes.
    pub action: String,
    /// Its hidden fields.
    pub fields: Vec<(&'static str, String)>,
}

/// Shows the way to sign out at the provider as well.
#[derive(Debug, Clone)]
#[expect(clippy::exhaustive_enums, reason = "each looks different on the page")]
pub enum SignOutView {
    /// By an address.
    Link {
        /// The name of the connection.
        label: String,
        /// The address.
        address: String,
    },
    /// By a form.
    Form(OnwardView),
}

/// Describes a sign-in that waits for an administrator.
#[derive(Debug, Clone, Default)]
pub struct WaitingView {
    /// Who is waiting.
    pub name: String,
    /// The decision.
    pub decision: DecisionView,
}

/// Describes a question that a held sign-in asks.
#[derive(Debug, Clone, Default)]
pub struct QuestionView {
    /// The token of the form.
    pub csrf: String,
    /// The name of the visitor.
    pub name: String,
    /// The terms, when consent to them is asked for.
    pub terms: String,
    /// A proposed value, for a user name.
    pub suggestion: String,
    /// The ways to sign in, when a link has to be proved.
    pub ways: Vec<ConnectionCard>,
    /// What was wrong with the answer before.
    pub problem: Option<String>,
    /// The decision.
    pub decision: DecisionView,
}
