//! What marks a remote account as ours, so that nobody can pass another one off as ours.

use std::fmt;

use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use crate::{AccountId, TenantId};

/// Marks a remote account: version, deployment, tenant and lease, and a code over them (HMAC-SHA-256, RFC 2104) that only
/// the holder of the deployment's key can make. It is no secret.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Marker(String);

impl Marker {
    /// What every marker begins with: what to look for in a target. Whether a marker is ours, [`MarkerKey::reads`] tells.
    pub const PREFIX: &'static str = "jit1:";

    /// Takes a marker as it was found; whether it is one of ours, [`MarkerKey::reads`] tells.
    #[must_use]
    pub fn found(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The marker as it is written into a target.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Marker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Makes and reads the markers of one deployment. All nodes share it; whoever loses it can no longer tell which remote
/// accounts are theirs.
#[derive(Clone)]
pub struct MarkerKey {
    deployment: String,
    keyed: Hmac<Sha256>,
    former: Vec<Hmac<Sha256>>,
}

/// Says why a key was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MarkerKeyError {
    /// The name of the deployment is empty, longer than 32 bytes, or holds more than letters, digits and `-`.
    #[error("the name of the deployment is not 1 to 32 letters, digits and `-`")]
    Deployment,
    /// The key is shorter than 32 bytes.
    #[error("the key is shorter than 32 bytes")]
    TooShort,
}

const DEPLOYMENT_BYTES: usize = 32;
const KEY_BYTES: usize = 32;
/// The code is cut to 128 bits, so that a marker fits where directories keep short texts.
const CODE_BYTES: usize = 16;

impl MarkerKey {
    /// Takes the name and the key of a deployment.
    ///
    /// # Errors
    /// [`MarkerKeyError`].
    pub fn new(deployment: &str, key: &[u8]) -> Result<Self, MarkerKeyError> {
        let allowed = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !(1..=DEPLOYMENT_BYTES).contains(&deployment.len()) || !deployment.chars().all(allowed) {
            return Err(MarkerKeyError::Deployment);
        }
        if key.len() < KEY_BYTES {
            return Err(MarkerKeyError::TooShort);
        }
        let keyed = Hmac::<Sha256>::new_from_slice(key).map_err(|_| MarkerKeyError::TooShort)?;
        Ok(Self { deployment: deployment.to_owned(), keyed, former: Vec::new() })
    }

    /// Reads what was made with an earlier key of the deployment as well, until nothing of it is left. New markers are made
    /// with the present key.
    ///
    /// It helps leases, which keep the mark that they were made with. A mirrored account keeps none: its mark is made anew
    /// with the present key, so that after a change each account of a mirror is taken for a stranger's (`mirror.stranger`).
    /// Do not change the key of a target that is a mirror.
    ///
    /// # Errors
    /// [`MarkerKeyError::TooShort`].
    pub fn with_former(mut self, key: &[u8]) -> Result<Self, MarkerKeyError> {
        self.former.push(Self::new(&self.deployment, key)?.keyed);
        Ok(self)
    }

    /// Marks what a lease makes.
    #[must_use]
    pub fn mark(&self, tenant: &TenantId, lease: AccountId) -> Marker {
        self.mark_with(&self.keyed, tenant, lease)
    }

    fn mark_with(&self, keyed: &Hmac<Sha256>, tenant: &TenantId, lease: AccountId) -> Marker {
        let said = format!("{}{}:{tenant}:{lease}", Marker::PREFIX, self.deployment);
        let code = keyed.clone().chain_update(&said).finalize().into_bytes();
        Marker(code.iter().take(CODE_BYTES).fold(said + ":", |text, byte| text + &format!("{byte:02x}")))
    }

    /// Digests what is kept beside other things and must not be guessed from its digest, such as a password. No marker
    /// begins so.
    pub(crate) fn digest(&self, parts: &[&[u8]]) -> [u8; CODE_BYTES] {
        let mut keyed = self.keyed.clone().chain_update("digest:").chain_update(&self.deployment);
        for part in parts {
            keyed.update(&(part.len() as u64).to_be_bytes());
            keyed.update(part);
        }
        let mut digest = [0; CODE_BYTES];
        digest.iter_mut().zip(keyed.finalize().into_bytes()).for_each(|(to, from)| *to = from);
        digest
    }

    /// Reads a marker that was found: the tenant and lease that made it, or `None` where this deployment did not.
    #[must_use]
    pub fn reads(&self, found: &Marker) -> Option<(TenantId, AccountId)> {
        let said = found.0.strip_prefix(Marker::PREFIX)?.strip_prefix(self.deployment.as_str())?;
        // A tenant may hold colons; lease and code do not.
        let (said, _) = said.strip_prefix(':')?.rsplit_once(':')?;
        let (tenant, lease) = said.rsplit_once(':')?;
        let (tenant, lease) = (TenantId::new(tenant).ok()?, lease.parse().ok()?);
        let is_by = |keyed| same(self.mark_with(keyed, &tenant, lease).0.as_bytes(), found.0.as_bytes());
        std::iter::once(&self.keyed).chain(&self.former).any(is_by).then_some((tenant, lease))
    }
}

/// Compares without telling by its time how much is equal.
fn same(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && one.iter().zip(other).fold(0, |differ, (a, b)| differ | (a ^ b)) == 0
}

impl fmt::Debug for MarkerKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MarkerKey").field("deployment", &self.deployment).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Mint;

    fn lease() -> AccountId {
        Mint::new(chrono::DateTime::default(), [7; 16]).account()
    }

    #[test]
    fn a_marker_names_its_lease_and_nobody_else_can_make_it() {
        let tenant = TenantId::new("acme:eu").unwrap();
        let key = MarkerKey::new("prod", &[1; 32]).unwrap();
        let marker = key.mark(&tenant, lease());
        assert_eq!(key.reads(&marker), Some((tenant.clone(), lease())));
        for (deployment, bytes) in [("prod", [2; 32]), ("test", [1; 32])] {
            assert_eq!(MarkerKey::new(deployment, &bytes).unwrap().reads(&marker), None);
        }
        for changed in [
            marker.as_str().replace("acme", "evil"),
            marker.as_str().to_uppercase(),
            format!("{} ", marker.as_str()),
            marker.as_str().trim_end_matches(char::is_alphanumeric).to_owned(),
            String::new(),
        ] {
            assert_eq!(key.reads(&Marker::found(changed)), None);
        }
    }

    #[test]
    fn what_a_former_key_made_is_read_until_it_is_forgotten() {
        let tenant = TenantId::new("acme").unwrap();
        let old = MarkerKey::new("prod", &[1; 32]).unwrap();
        let new = MarkerKey::new("prod", &[2; 32]).unwrap();
        let both = new.clone().with_former(&[1; 32]).unwrap();
        let marker = old.mark(&tenant, lease());
        assert_eq!((new.reads(&marker), both.reads(&marker)), (None, Some((tenant.clone(), lease()))));
        assert_eq!(both.mark(&tenant, lease()), new.mark(&tenant, lease()));
        assert_eq!(both.with_former(&[1; 31]).unwrap_err(), MarkerKeyError::TooShort);
    }

    #[test]
    fn weak_keys_and_odd_deployments_are_refused() {
        assert_eq!(MarkerKey::new("prod", &[1; 31]).unwrap_err(), MarkerKeyError::TooShort);
        for deployment in ["", "a:b", "ä", &"x".repeat(33)] {
            assert_eq!(MarkerKey::new(deployment, &[1; 32]).unwrap_err(), MarkerKeyError::Deployment);
        }
    }
}
