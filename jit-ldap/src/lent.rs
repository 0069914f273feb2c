//! What was made for a time in a directory is nobody who signs in there, or is read from there as a person.

use jit_core::Marker;

use crate::attribute::AttributeName;
use crate::entry::Entry;
use crate::identifier::IdAttribute;
use crate::sign_in::SettingsError;

/// The attribute that markers of temporary accounts stand in: the one that is set, or the usual one of such a directory.
pub(crate) fn marker_of(setting: Option<&str>, id: IdAttribute) -> Result<AttributeName, SettingsError> {
    let usual = if id == IdAttribute::ObjectGuid {
        AttributeName::ADMIN_DESCRIPTION
    } else {
        AttributeName::DESCRIPTION
    };
    let set = setting.map(AttributeName::new).transpose();
    let set = set.map_err(|_| SettingsError::new("marker", "must be the name of an attribute"))?;
    Ok(set.unwrap_or(usual))
}

/// Tells whether an entry bears what may be a marker of any deployment.
pub(crate) fn is_lent(entry: &Entry, marker: &AttributeName) -> bool {
    let values = entry.values(marker).unwrap_or_default();
    values.iter().any(|value| value.starts_with(Marker::PREFIX.as_bytes()))
}
