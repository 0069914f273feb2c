//! The groups of a person, where entries of people do not name them, or not all of them.

use serde::Deserialize;

use super::settings::SettingsError;
use crate::attribute::AttributeName;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::pool::Loan;
use crate::request::{Scope, Search};

/// How many groups are asked for at once.
const PAGE: u16 = 500;
/// How many groups a person may be in; beyond, the claim is marked as cut.
const GROUPS: usize = 5_000;
/// How many bytes their names may have; the same.
const BYTES: usize = 4 << 20;

/// Where groups are looked for.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct GroupSettings {
    /// Below which entry. Our account has to be able to read all groups there: one that it cannot see is one that the
    /// person is not in.
    pub base: String,
    /// The claim that holds the names of the groups.
    #[serde(default = "usual_claim")]
    pub claim: String,
    /// The attribute of a group that names its members.
    #[serde(default = "usual_member")]
    pub member: String,
    /// Whether groups in groups count: Active Directory only, which follows them itself.
    #[serde(default)]
    pub nested: bool,
}

fn usual_claim() -> String {
    "groups".to_owned()
}

fn usual_member() -> String {
    "member".to_owned()
}

/// Group settings that were found sound.
#[derive(Debug, Clone)]
pub(super) struct GroupConfig {
    base: Dn,
    pub(super) claim: String,
    member: AttributeName,
    nested: bool,
}

/// The groups that were found.
pub(super) struct Groups {
    pub(super) names: Vec<String>,
    /// Whether there are no others.
    pub(super) are_all: bool,
}

impl GroupSettings {
    /// Looks for groups below this entry.
    #[must_use]
    pub fn below(base: &str) -> Self {
        Self { base: base.to_owned(), claim: usual_claim(), member: usual_member(), nested: false }
    }

    pub(super) fn check(&self) -> Result<GroupConfig, SettingsError> {
        let unsound = |problem| SettingsError::new("groups", problem);
        let base = Dn::parse(&self.base).ok().filter(|base| *base != Dn::default());
        let member =
            AttributeName::new(&self.member).map_err(|_| unsound("must name an attribute of members"))?;
        if self.claim.is_empty() || self.claim.starts_with('/') {
            return Err(unsound("must name a claim"));
        }
        let base = base.ok_or(unsound("must lie below a distinguished name"))?;
        Ok(GroupConfig { base, claim: self.claim.clone(), member, nested: self.nested })
    }
}

impl GroupConfig {
    /// Looks the groups of a person up.
    pub(super) async fn of(&self, person: &Entry, loan: &mut Loan) -> Result<Groups, LdapError> {
        let filter = if self.nested {
            Filter::in_chain(&self.member, person.dn_text())
        } else {
            Filter::equals(&self.member, person.dn_text())
        };
        let mut pages = loan.pages(Search::new(&self.base, Scope::Subtree, filter), PAGE);
        let (mut names, mut bytes) = (Vec::new(), 0);
        while let Some(page) = pages.next_page().await? {
            bytes += page.iter().map(|group| group.dn_text().len()).sum::<usize>();
            names.extend(page.iter().map(|group| group.dn_text().to_owned()));
            if names.len() > GROUPS || bytes > BYTES {
                return Ok(Groups { names, are_all: false });
            }
        }
        Ok(Groups { names, are_all: pages.references() == 0 })
    }
}
