//! Settings of an import as people write them, and what they become when they are sound.

use jit_core::config::{Check, Problems};
use serde::Deserialize;

use crate::attribute::AttributeName;
use crate::claims::ClaimNames;
use crate::dn::Dn;
use crate::entry::Entry;
use crate::error::LdapError;
use crate::filter::Filter;
use crate::identifier::IdAttribute;
use crate::lent::{Markers, add_markers, one_or_more};
use crate::request::{Scope, Search};
use crate::sign_in::{SettingsError, base_of, filter_of};

/// What people write about entries that are read from a directory.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ImportSettings {
    /// Below which entry is read. On Active Directory a unit, not the root of the domain: there the server names others, and
    /// no reading is ever whole.
    pub base: String,
    /// What entries have to match (RFC 4515).
    pub filter: String,
    /// The attribute that names an entry for good.
    pub id: IdAttribute,
    /// The attributes that are read.
    #[serde(default)]
    pub attributes: Vec<String>,
    /// Those of them that our account can read on every entry: a missing one is empty. Of all others a missing attribute says
    /// nothing.
    #[serde(default)]
    pub readable: Vec<String>,
    /// The attributes in which temporary accounts bear their marker, one name or a list: what bears one in any of them is not
    /// read. None: `adminDescription` where `id` is `object_guid`, and `description` elsewhere, as for targets.
    #[serde(default, deserialize_with = "one_or_more")]
    pub marker: Vec<String>,
    /// How changes are found.
    #[serde(default)]
    pub way: ImportWay,
    /// `dir_sync`: whether our account may see deleted entries. Otherwise those that are there are listed each time, so that
    /// those that are not can be told.
    #[serde(default)]
    pub sees_deleted: bool,
}

/// How changes are found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
#[expect(clippy::exhaustive_enums, reason = "each has cookies of its own")]
pub enum ImportWay {
    /// Not at all: everything is read each time, by pages. Every directory can do that.
    #[default]
    Pages = 0,
    /// By synchronisation (RFC 4533): OpenLDAP with the overlay `syncprov`, and others.
    Sync = 1,
    /// By `DirSync` of Active Directory.
    DirSync = 2,
}

/// Settings that were found sound.
#[derive(Debug, Clone)]
pub struct ImportConfig {
    pub(super) base: Dn,
    pub(super) filter: Filter,
    pub(super) id: IdAttribute,
    pub(super) attributes: ClaimNames,
    pub(super) markers: Markers,
    pub(super) way: ImportWay,
    pub(super) sees_deleted: bool,
    /// `DirSync`: a change of which attributes is told. Nothing for the other ways.
    pub(super) told_by: Vec<AttributeName>,
}

/// What Active Directory tells no change of: `memberOf` is the other end of `member`, and `anr` is no attribute. With their
/// numbers.
const UNTOLD: [&str; 4] = ["memberOf", "1.2.840.113556.1.2.102", "anr", "1.2.840.113556.1.4.1208"];

impl ImportSettings {
    /// Settings by which everything is read each time, without attributes yet.
    #[must_use]
    pub fn new(base: &str, filter: &str, id: IdAttribute) -> Self {
        Self {
            base: base.to_owned(),
            filter: filter.to_owned(),
            id,
            attributes: Vec::new(),
            readable: Vec::new(),
            marker: Vec::new(),
            way: ImportWay::Pages,
            sees_deleted: false,
        }
    }

    /// Adds the attributes of the markers of targets on the same directory to those that are looked at: what any of them lends is
    /// not read. Cookies of a reading before are of other settings then.
    #[must_use]
    pub fn beside_targets<N: Into<String>>(mut self, markers: impl IntoIterator<Item = N>) -> Self {
        add_markers(&mut self.marker, self.id, markers);
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    /// [`SettingsError`] that names the first unsound field; its code is `ldap.settings_invalid`.
    pub fn check(&self) -> Result<ImportConfig, SettingsError> {
        let attributes = ClaimNames::check(&self.attributes, &self.readable, "attributes")?;
        let has_id = match self.way {
            ImportWay::Pages => true,
            // the servers themselves name entries so
            ImportWay::Sync => self.id == IdAttribute::EntryUuid,
            ImportWay::DirSync => self.id == IdAttribute::ObjectGuid,
        };
        if !has_id {
            return Err(SettingsError::new("id", "must be the one by which this way names entries"));
        }
        let filter = filter_of(&self.filter)?;
        let markers = Markers::check(&self.marker, self.id)?;
        let told_by = match self.way {
            ImportWay::Pages | ImportWay::Sync => Vec::new(),
            ImportWay::DirSync => told_by(&filter, &attributes, &markers)?,
        };
        Ok(ImportConfig {
            base: base_of(&self.base)?,
            filter,
            id: self.id,
            attributes,
            markers,
            way: self.way,
            sees_deleted: self.sees_deleted,
            told_by,
        })
    }
}

/// The attributes of which a change has to be told: those that are read, and those that tell whether an entry is read at all.
fn told_by(
    filter: &Filter,
    attributes: &ClaimNames,
    markers: &Markers,
) -> Result<Vec<AttributeName>, SettingsError> {
    let is_untold = |name: &AttributeName| UNTOLD.iter().any(|other| other.eq_ignore_ascii_case(name.kind()));
    if attributes.names().iter().any(is_untold) {
        let problem = "must not name `memberOf`, of which this way tells no change: read the groups too";
        return Err(SettingsError::new("attributes", problem));
    }
    let Some(compared) = filter.attributes().filter(|names| !names.iter().any(is_untold)) else {
        let problem =
            "must compare attributes that this way tells changes of: no `memberOf`, no `anr`, no `:dn`";
        return Err(SettingsError::new("filter", problem));
    };
    let mut names: Vec<AttributeName> = Vec::new();
    for name in attributes.names().iter().chain(markers.names()).chain(&compared) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    Ok(names)
}

impl Check for ImportSettings {
    fn check(&self, found: &mut Problems) {
        if let Err(error) = Self::check(self) {
            found.report_in(error.field, jit_core::Code::new(SettingsError::REASON.code()), error.problem);
        }
    }
}

impl ImportConfig {
    /// Searches for all entries, with their attributes and identifiers.
    pub(super) fn everything(&self) -> Search {
        self.identifiers().attributes(self.attributes.names().iter().cloned())
    }

    /// Searches for all entries, with nothing but their identifiers.
    pub(super) fn identifiers(&self) -> Search {
        let names = [self.id.name()].into_iter().chain(self.markers.names().iter().cloned());
        Search::new(&self.base, Scope::Subtree, self.filter.clone()).attributes(names)
    }

    /// Searches for entries that were made for a time.
    pub(super) fn lent(&self) -> Result<Search, LdapError> {
        Ok(self.identifiers().filtered(Filter::all([self.filter.clone(), self.markers.filter()?])?))
    }

    /// Tells whether an entry was made for a time: it is not read.
    pub(super) fn leaves_out(&self, entry: &Entry) -> bool {
        self.markers.are_on(entry)
    }

    /// The entry with what the settings ask for.
    pub(super) fn asked_for(&self, mut entry: Entry) -> Entry {
        let is_asked_for = |name: &AttributeName| {
            !self.markers.names().contains(name) || self.attributes.names().contains(name)
        };
        entry.attributes_mut().retain(|attribute| is_asked_for(attribute.name()));
        entry
    }

    /// The root of the naming context that the base lies in.
    pub(super) fn context(&self) -> Dn {
        self.base.domain()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(change: impl FnOnce(&mut ImportSettings)) -> &'static str {
        let mut settings = ImportSettings::new("ou=people,dc=x", "(uid=*)", IdAttribute::EntryUuid);
        settings.check().unwrap();
        change(&mut settings);
        settings.check().unwrap_err().field
    }

    #[test]
    fn each_unsound_setting_is_named() {
        assert_eq!(problem(|s| s.base = "people".to_owned()), "base");
        assert_eq!(problem(|s| s.filter = "uid=*".to_owned()), "filter");
        assert_eq!(problem(|s| s.attributes.push("a b".to_owned())), "attributes");
        assert_eq!(problem(|s| s.attributes.push("userPassword".to_owned())), "attributes");
        assert_eq!(problem(|s| s.readable.push("mail".to_owned())), "readable");
        assert_eq!(problem(|s| s.marker = vec!["title".to_owned(), "a b".to_owned()]), "marker");
        assert_eq!(problem(|s| s.way = ImportWay::DirSync), "id");
        assert_eq!(problem(|s| (s.way, s.id) = (ImportWay::Sync, IdAttribute::ObjectGuid)), "id");
        let member_of = |s: &mut ImportSettings| {
            (s.way, s.id) = (ImportWay::DirSync, IdAttribute::ObjectGuid);
            s.attributes.push("MEMBEROF".to_owned());
        };
        assert_eq!(problem(member_of), "attributes");
        for untold in ["(&(a=b)(!(MemberOf=cn=x)))", "(anr=x)", "(ou:dn:=x)", "(1.2.840.113556.1.2.102=cn=x)"]
        {
            let filter = |s: &mut ImportSettings| {
                (s.way, s.id) = (ImportWay::DirSync, IdAttribute::ObjectGuid);
                s.filter = untold.to_owned();
            };
            assert_eq!(problem(filter), "filter", "{untold}");
        }
    }
}
