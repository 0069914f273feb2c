//! What is checked of a rule for roles and groups before it is compiled.

use super::{EntitlementRule, LINES, NameForm, dn};
use crate::{Code, config::Problems};

/// Checks that the keys of a rule belong together.
pub(super) fn check_shape(rule: &EntitlementRule, found: &mut Problems) -> bool {
    let reads = rule.table.is_some() || rule.pattern.is_some();
    let problem = if rule.claim.is_none() && rule.always.is_empty() {
        Some("needs `always`, or a `claim` with a `table` or a `pattern`")
    } else if rule.claim.is_some() && (!reads || !rule.always.is_empty()) {
        Some("a `claim` needs a `table` or a `pattern`, and no `always`")
    } else if rule.claim.is_none() && reads {
        Some("a `table` or a `pattern` needs a `claim`")
    } else if rule.table.is_some() && rule.pattern.is_some() {
        Some("has either a `table` or a `pattern`; write two rules")
    } else if rule.pattern.is_none() && (rule.give.is_some() || !rule.allow.is_empty()) {
        Some("`give` and `allow` belong to a `pattern`")
    } else if rule.under.is_some() && rule.form != NameForm::DnFirstValue {
        Some("`under` belongs to `form = \"dn_first_value\"`")
    } else {
        None
    };
    if let Some(message) = problem {
        found.report(Code::new("config.one_of"), message);
        return false;
    }
    let table_is_right = check_table(rule, found);
    check_under(rule, found) && table_is_right
}

fn check_table(rule: &EntitlementRule, found: &mut Problems) -> bool {
    let mut is_right = rule.table.as_ref().is_none_or(|table| (1..=LINES).contains(&table.len()));
    if !is_right {
        let message = format!("needs 1 to {LINES} lines");
        found.report_in("table", Code::new("config.out_of_range"), message);
    }
    let table = rule.table.iter().flatten();
    for (name, _) in table.filter(|(_, entitlements)| entitlements.is_empty()) {
        is_right = false;
        let message = "gives nothing and is never of use";
        found.within("table", |found| found.report_in(name, Code::new("config.unreachable_rule"), message));
    }
    is_right
}

fn check_under(rule: &EntitlementRule, found: &mut Problems) -> bool {
    let is_right = rule.under.as_deref().is_none_or(dn::is_name);
    if !is_right {
        found.report_in("under", Code::new("config.invalid_value"), "is not a distinguished name");
    }
    is_right
}
