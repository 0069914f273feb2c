//! Groups whose members rule a domain.

use crate::attribute::AttributeName;
use crate::entry::Entry;
use crate::identifier::Sid;

/// Tells whether a group is one whose members rule the domain, or whom the directory guards as such (`adminCount`,
/// [MS-ADTS] §3.1.1.6.1).
pub(super) fn is_protected(group: &Entry) -> bool {
    let Some(sid) =
        group.value(&AttributeName::OBJECT_SID).and_then(|value| Sid::from_object_sid(value).ok())
    else {
        return true;
    };
    let is_guarded = group.text(&AttributeName::ADMIN_COUNT).is_some_and(|count| count != "0");
    is_guarded || rules_the_domain(&sid)
}

/// Well-known groups ([MS-DTYP] §2.4.2.4).
fn rules_the_domain(sid: &Sid) -> bool {
    let text = sid.to_string();
    let Some(id) = sid.relative_id() else { return true };
    if text.starts_with("S-1-5-32-") {
        // Administrators, Account, Server, Print and Backup Operators, Replicators
        return matches!(id, 544 | 548..=552);
    }
    // Read-only, Domain and Enterprise Controllers, Domain, Schema and Enterprise Admins, creators of policies, Key Admins
    text.starts_with("S-1-5-21-") && matches!(id, 498 | 512 | 516 | 518..=521 | 526 | 527)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sid(octets: &[u8]) -> Sid {
        Sid::from_object_sid(octets).unwrap()
    }

    #[test]
    fn groups_that_rule_a_domain_are_known_by_their_number() {
        let builtin = |id: u8| sid(&[1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, id, 2, 0, 0]);
        assert!(rules_the_domain(&builtin(0x20)) && rules_the_domain(&builtin(0x27)));
        assert!(!rules_the_domain(&builtin(0x21)), "users");
        let domain = |id: u16| {
            let mut octets = vec![1, 5, 0, 0, 0, 0, 0, 5, 21, 0, 0, 0];
            octets.extend_from_slice(&[7; 12]);
            octets.extend_from_slice(&u32::from(id).to_le_bytes());
            sid(&octets)
        };
        assert!([512, 518, 519].into_iter().all(|id| rules_the_domain(&domain(id))));
        assert!([513, 1000, 1104].into_iter().all(|id| !rules_the_domain(&domain(id))));
    }
}
