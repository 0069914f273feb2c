//! Names that derive from the lease, so that whatever is repeated meets what it did before.

use sha2::{Digest as _, Sha256};

use crate::{AccountId, TargetId, TenantId};

/// Letters and digits that nobody mistakes for each other; case does not count.
const SIGNS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const SIGNS_IN_NAME: usize = 13;

/// Names the remote account of a lease: 65 bits of a digest after the prefix. Another `turn` gives another name, for the
/// case that a stranger bears the first one.
pub(crate) fn remote_name(prefix: &str, tenant: &TenantId, lease: AccountId, turn: u32) -> String {
    let digest =
        digest(&[b"name", tenant.as_str().as_bytes(), lease.as_uuid().as_bytes(), &turn.to_be_bytes()]);
    let signs = digest.iter().filter_map(|byte| SIGNS.get(usize::from(byte & 0x1f)));
    prefix.chars().chain(signs.take(SIGNS_IN_NAME).map(|sign| char::from(*sign))).collect()
}

/// Names the lease that belongs to an idempotency key. Another `turn` gives another lease, for the case that the one before
/// was refused and nothing came of it.
pub(crate) fn account_for_key(
    tenant: &TenantId,
    target: &TargetId,
    holder: AccountId,
    key: &str,
    turn: u32,
) -> AccountId {
    let (holder, number) = (holder.as_uuid(), turn.to_be_bytes());
    let mut parts =
        vec![tenant.as_str().as_bytes(), target.as_str().as_bytes(), holder.as_bytes(), key.as_bytes()];
    parts.extend((turn > 0).then_some(number.as_slice()));
    account_of(&parts)
}

/// Names the account that keeps what is lent to one remote account that existed before.
pub(crate) fn account_for_remote(tenant: &TenantId, target: &TargetId, native: &str) -> AccountId {
    account_of(&[b"elevation", tenant.as_str().as_bytes(), target.as_str().as_bytes(), native.as_bytes()])
}

/// A UUID of version 8 (RFC 9562 section 5.8).
fn account_of(parts: &[&[u8]]) -> AccountId {
    let mut bytes = [0; 16];
    for (to, from) in bytes.iter_mut().zip(digest(parts)) {
        *to = from;
    }
    AccountId::from_uuid(uuid::Builder::from_custom_bytes(bytes).into_uuid())
}

/// Digests parts so that none can reach into the next.
fn digest(parts: &[&[u8]]) -> [u8; 32] {
    let mut hash = Sha256::new();
    for part in parts {
        hash.update((part.len() as u64).to_be_bytes());
        hash.update(part);
    }
    hash.finalize().into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mint;

    #[test]
    fn names_are_the_same_again_and_differ_between_leases_and_turns() {
        let mut mint = Mint::new(chrono::DateTime::default(), [3; 16]);
        let (tenant, lease) = (TenantId::new("acme").unwrap(), mint.account());
        let name = remote_name("jit-", &tenant, lease, 0);
        assert_eq!(name, remote_name("jit-", &tenant, lease, 0));
        assert_eq!(name.len(), 17);
        assert_ne!(name, remote_name("jit-", &tenant, lease, 1));
        assert_ne!(name, remote_name("jit-", &tenant, mint.account(), 0));
        assert_ne!(name, remote_name("jit-", &TenantId::new("other").unwrap(), lease, 0));
    }

    #[test]
    fn a_key_names_one_lease_of_one_holder() {
        let mut mint = Mint::new(chrono::DateTime::default(), [3; 16]);
        let (tenant, holder) = (TenantId::new("acme").unwrap(), mint.account());
        let target = |name| TargetId::new(name).unwrap();
        let id = account_for_key(&tenant, &target("ad"), holder, "k", 0);
        assert_ne!(id, account_for_key(&tenant, &target("ad"), holder, "k", 1));
        assert_eq!(id, account_for_key(&tenant, &target("ad"), holder, "k", 0));
        assert_ne!(id, account_for_key(&tenant, &target("ad"), mint.account(), "k", 0));
        assert_ne!(id, account_for_key(&tenant, &target("adk"), holder, "", 0));
    }
}
