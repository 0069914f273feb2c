//! What is refused when rules are loaded.

use std::collections::BTreeSet;

use super::format::{
    AccountEndRule, ClaimTest, Conditions, DenyAnswer, HoldAnswer, Hours, PermitAnswer, PolicyRule,
    PolicyRules,
};
use crate::{
    Code, EmailTrust, EntitlementPattern,
    config::{Check, Problems},
    mapping::expression::Expression,
};

/// The most rules of a policy.
const RULES: usize = 1_000;
/// The most items of a list.
const ITEMS: usize = 1_000;
/// The deepest nesting of `not`.
const NESTING: usize = 4;
/// The longest message for a person, in bytes.
const MESSAGE_BYTES: usize = 512;
/// The longest code, in bytes.
const CODE_BYTES: usize = 64;
/// What the library's own codes begin with: an operator's code must not pass for one of them.
const OWN_FAMILIES: [&str; 19] = [
    "access", "account", "admin", "audit", "config", "engine", "event", "hold", "identity", "ldap", "link",
    "map", "name", "oidc", "policy", "saml", "scim", "sign_in", "store",
];

impl Check for PolicyRules {
    /// Reports `config.no_rules`, `config.too_many`, `config.duplicate_rule`, `config.unreachable_rule`,
    /// `config.no_answer`, `config.several_answers`, `config.empty_list`, `config.empty_condition`,
    /// `config.missing_claim`, `config.email_claim`, `config.prefix_without_boundary`, `config.empty_window`,
    /// `config.invalid_code`, `config.invalid_message`, `config.privileged_unverified`,
    /// `config.privileged_to_everyone`, `config.token_end`, `config.too_deep`, `config.expression` and
    /// `config.expression_unavailable`.
    fn check(&self, found: &mut Problems) {
        if self.rules.is_empty() {
            found.report(
                Code::new("config.no_rules"),
                "a policy without rules lets nobody in; write at least one `rule`",
            );
        }
        if self.rules.len() > RULES {
            found.report_in("rule", Code::new("config.too_many"), format!("more than {RULES} rules"));
            return;
        }
        found.each("rule", &self.rules, |rule, found| {
            check_conditions(&rule.when, rule.deny.is_some(), found);
            check_answer(rule, &self.protected, found);
        });
        check_order(&self.rules, found);
    }
}

/// Finds rules that share a name and rules that none before lets a sign-in reach.
fn check_order(rules: &[PolicyRule], found: &mut Problems) {
    let mut names = BTreeSet::new();
    let mut wall: Option<&PolicyRule> = None;
    for (index, rule) in rules.iter().enumerate() {
        let at = |found: &mut Problems, field: &str, code, message: String| {
            found.within("rule", |found| found.item(index, |found| found.report_in(field, code, message)));
        };
        if !names.insert(rule.name.as_str()) {
            at(found, "name", Code::new("config.duplicate_rule"), "another rule has this name".to_owned());
        }
        let before = rules.iter().take(index);
        let same = || before.into_iter().find(|earlier| covers(earlier, rule));
        if let Some(earlier) = wall.or_else(same) {
            let message = format!("never reached: rule `{}` decides before it", earlier.name);
            at(found, "name", Code::new("config.unreachable_rule"), message);
        }
        if rule.when.is_empty() {
            wall = wall.or(Some(rule));
        }
    }
}

/// Tells whether two rules apply in the same cases. Addresses count at another grade in rules that deny.
fn covers(earlier: &PolicyRule, later: &PolicyRule) -> bool {
    earlier.when == later.when && earlier.deny.is_some() == later.deny.is_some()
}

fn check_conditions(when: &Conditions, denies: bool, found: &mut Problems) {
    found.within("when", |found| check_when(when, denies, 0, found));
}

fn check_when(when: &Conditions, denies: bool, depth: usize, found: &mut Problems) {
    check_lists(when, found);
    if let Some(test) = &when.groups {
        found.within("groups", |found| check_claim(test, false, denies, found));
    }
    if let Some(tests) = &when.claim {
        found.each("claim", tests, |test, found| check_claim(test, true, denies, found));
    }
    if let Some(windows) = &when.hours {
        found.each("hours", windows, check_hours);
    }
    if let Some(amr) = &when.amr {
        found.within("amr", |found| {
            check_list(amr.any.as_deref(), "any", found);
            check_list(amr.all.as_deref(), "all", found);
            if amr.any.is_none() && amr.all.is_none() {
                found.report(Code::new("config.empty_condition"), "write `any`, `all` or both");
            }
        });
    }
    if when.not_before.zip(when.not_after).is_some_and(|(start, end)| start >= end) {
        found.report_in(
            "not_after",
            Code::new("config.empty_window"),
            "`not_after` must be later than `not_before`",
        );
    }
    if let Some(source) = &when.expression {
        found.within("expression", |found| check_expression(source, denies, found));
    }
    if let Some(not) = &when.not {
        found.within("not", |found| check_not(not, denies, depth + 1, found));
    }
}

fn check_expression(source: &str, denies: bool, found: &mut Problems) {
    if Expression::new_in(source, found).is_none() || denies {
        return;
    }
    let roots = Expression::roots(source);
    let reads = |name: &str| roots.iter().any(|root| root == name);
    if reads("email") && !reads("email_verified") {
        found.report(
            Code::new("config.email_claim"),
            "an address counts only with its verification; use `email_domain`",
        );
    }
}

fn check_not(not: &Conditions, denies: bool, depth: usize, found: &mut Problems) {
    if not.is_empty() {
        found.report(Code::new("config.empty_condition"), "a `not` without conditions never holds");
    } else if depth > NESTING {
        found.report(Code::new("config.too_deep"), format!("`not` is nested more than {NESTING} deep"));
    } else {
        check_when(not, denies, depth, found);
    }
}

fn check_lists(when: &Conditions, found: &mut Problems) {
    check_list(when.connection.as_deref(), "connection", found);
    check_list(when.tenant.as_deref(), "tenant", found);
    check_list(when.account.as_deref(), "account", found);
    check_list(when.email_domain.as_deref(), "email_domain", found);
    check_list(when.claim.as_deref(), "claim", found);
    check_list(when.wished.as_deref(), "wished", found);
    check_list(when.holds.as_deref(), "holds", found);
    check_list(when.not_holds.as_deref(), "not_holds", found);
    check_list(when.network.as_deref(), "network", found);
    check_list(when.hours.as_deref(), "hours", found);
    check_list(when.acr.as_deref(), "acr", found);
}

fn check_list<T>(list: Option<&[T]>, field: &str, found: &mut Problems) {
    match list.map(<[T]>::len) {
        Some(0) => found.report_in(
            field,
            Code::new("config.empty_list"),
            "an empty list is met by nothing; leave it out or fill it",
        ),
        Some(length) if length > ITEMS => {
            found.report_in(field, Code::new("config.too_many"), format!("more than {ITEMS} items"));
        }
        _ => {}
    }
}

fn check_claim(test: &ClaimTest, named: bool, denies: bool, found: &mut Problems) {
    check_list(test.any.as_deref(), "any", found);
    check_list(test.contains.as_deref(), "contains", found);
    check_list(test.prefix.as_deref(), "prefix", found);
    if named && test.name.is_none() {
        found.report(Code::new("config.missing_claim"), "`name` must say which claim is tested");
    }
    if test.any.is_none() && test.contains.is_none() && test.prefix.is_none() && test.is.is_none() {
        found.report(Code::new("config.empty_condition"), "write `any`, `contains`, `prefix` or `is`");
    }
    if !denies && test.name.as_ref().is_some_and(|name| name.root() == "email") {
        found.report_in(
            "name",
            Code::new("config.email_claim"),
            "an address counts only with its verification; use `email_domain`",
        );
    }
    let boundless = |prefix: &String| prefix.chars().last().is_none_or(char::is_alphanumeric);
    if test.prefix.iter().flatten().any(boundless) {
        found.report_in(
            "prefix",
            Code::new("config.prefix_without_boundary"),
            "a prefix must end at a boundary such as `/`, `-` or `:`",
        );
    }
}

fn check_hours(hours: &Hours, found: &mut Problems) {
    check_list(hours.days.as_deref(), "days", found);
    let starts_at_the_end = hours.from.minutes() >= super::text::TimeOfDay::END.minutes();
    if hours.from == hours.to || starts_at_the_end {
        found.report(
            Code::new("config.empty_window"),
            "a window must have a length; the whole day is `from = \"00:00\"`, `to = \"24:00\"`",
        );
    }
}

fn check_answer(rule: &PolicyRule, protected: &[EntitlementPattern], found: &mut Problems) {
    let answers = [rule.permit.is_some(), rule.hold.is_some(), rule.deny.is_some()];
    match answers.iter().filter(|there| **there).count() {
        0 => found.report(Code::new("config.no_answer"), "a rule must `permit`, `hold` or `deny`"),
        1 => {}
        _ => found.report(
            Code::new("config.several_answers"),
            "a rule must have one answer: `permit`, `hold` or `deny`",
        ),
    }
    if let Some(permit) = &rule.permit {
        found.within("permit", |found| check_permit(permit, rule, protected, found));
    }
    if let Some(HoldAnswer { asks, permit }) = &rule.hold {
        found.within("hold", |found| {
            check_list(Some(asks), "asks", found);
            found.within("permit", |found| check_permit(permit, rule, protected, found));
        });
    }
    if let Some(deny) = &rule.deny {
        found.within("deny", |found| check_deny(deny, found));
    }
}

fn check_permit(
    permit: &PermitAnswer,
    rule: &PolicyRule,
    protected: &[EntitlementPattern],
    found: &mut Problems,
) {
    check_list(permit.entitlements.as_deref(), "entitlements", found);
    if let Some(AccountEndRule::Claim(end)) = &permit.account_end
        && end.name.root() == "exp"
    {
        found.report_in(
            "account_end",
            Code::new("config.token_end"),
            "`exp` is the end of a token, not of a person's contract",
        );
    }
    let mut entitlements = permit.entitlements.iter().flatten();
    let gives = entitlements.any(|given| protected.iter().any(|pattern| pattern.matches(given)));
    let lets =
        permit.ceiling.iter().flatten().any(|lets| protected.iter().any(|pattern| meet(lets, pattern)));
    let field = if gives { "entitlements" } else { "ceiling" };
    let doubtful = rule.when.email_domain.is_some()
        && rule.when.email_trust.is_some_and(|trust| trust < EmailTrust::Authoritative);
    if (gives || lets) && doubtful {
        found.report_in(
            field,
            Code::new("config.privileged_unverified"),
            "a protected entitlement on the word of an address that its connection does not speak for",
        );
    }
    if gives && rule.when.is_empty() {
        found.report_in(
            field,
            Code::new("config.privileged_to_everyone"),
            "a protected entitlement for everybody; give the rule conditions",
        );
    }
}

/// Tells whether some entitlement falls under both patterns.
fn meet(one: &EntitlementPattern, other: &EntitlementPattern) -> bool {
    let (one, other) = (String::from(one.clone()), String::from(other.clone()));
    match (one.strip_suffix('*'), other.strip_suffix('*')) {
        (None, None) => one == other,
        (Some(begin), None) => other.starts_with(begin),
        (None, Some(begin)) => one.starts_with(begin),
        (Some(one), Some(other)) => one.starts_with(other) || other.starts_with(one),
    }
}

fn check_deny(deny: &DenyAnswer, found: &mut Problems) {
    let is_word = |word: &str| {
        word.starts_with(|c: char| c.is_ascii_lowercase())
            && word.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
    };
    let is_code =
        |code: &String| code.len() <= CODE_BYTES && code.contains('.') && code.split('.').all(is_word);
    let is_ours = |code: &String| code.split('.').next().is_some_and(|first| OWN_FAMILIES.contains(&first));
    let message = match &deny.code {
        Some(code) if !is_code(code) => {
            "a code is words of lower-case letters joined by full stops, such as `app.contractors_only`"
        }
        Some(code) if is_ours(code) => {
            "codes that begin like this belong to the library; begin with a word of your own, such as `app`"
        }
        _ => "",
    };
    if !message.is_empty() {
        found.report_in("code", Code::new("config.invalid_code"), message);
    }
    let message = deny.message.as_str();
    if message.trim().is_empty() || message.len() > MESSAGE_BYTES || message.contains(char::is_control) {
        found.report_in(
            "message",
            Code::new("config.invalid_message"),
            format!("a message is one line of at most {MESSAGE_BYTES} bytes"),
        );
    }
}
