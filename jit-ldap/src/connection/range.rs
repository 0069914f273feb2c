//! Attributes with more values than a server returns at once ([MS-ADTS] §3.1.1.3.1.3.3): `member;range=0-1499`.

use tokio::time::timeout;

use super::Connection;
use crate::attribute::{Attribute, AttributeName};
use crate::control::Control;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::identifier::EntryName;
use crate::reason::Reason;
use crate::request::Search;

impl Connection {
    /// Fetches the values that a server held back, so that each attribute of the entry is there whole and under its own
    /// name. An entry without ranges costs nothing.
    ///
    /// # Errors
    /// `ldap.range_stuck` when the server hands out ranges that do not follow each other; `ldap.too_many_entries` when an
    /// attribute has more values than the limit, or all of them take more room; `ldap.timeout` when it takes longer than one
    /// search may; `ldap.entry_missing` when the entry went away meanwhile; as [`Connection::search`] otherwise. The entry is
    /// not complete then.
    ///
    /// # Cancel safety
    /// The connection is unusable afterwards, and the entry not complete.
    pub async fn complete(&mut self, name: &EntryName, entry: &mut Entry) -> Result<(), LdapError> {
        self.complete_under(name, entry, &[]).await
    }

    /// The same for an entry that was read under these controls.
    pub(crate) async fn complete_under(
        &mut self,
        name: &EntryName,
        entry: &mut Entry,
        controls: &[Control],
    ) -> Result<(), LdapError> {
        if !entry.is_cut() {
            return Ok(());
        }
        let within = self.limits.search;
        let late = |_| LdapError::new(Reason::Timeout).with_fate(Fate::Unknown);
        timeout(within, self.complete_in_time(name, entry, controls)).await.map_err(late)?
    }

    async fn complete_in_time(
        &mut self,
        name: &EntryName,
        entry: &mut Entry,
        controls: &[Control],
    ) -> Result<(), LdapError> {
        let mut bytes = 0;
        while let Some(part) = entry.attributes().iter().find(|part| range_of(part.name()).is_some()) {
            let plain = part.name().without_options();
            // until all of it is there, the part stays under the name that says so
            let whole = self.whole(name, part.clone(), controls, &mut bytes).await?;
            // an empty attribute of the plain name may stand beside the range
            entry.attributes_mut().retain(|other| !other.name().kind().eq_ignore_ascii_case(plain.kind()));
            entry.attributes_mut().push(Attribute::new(plain, whole));
        }
        Ok(())
    }

    async fn whole(
        &mut self,
        name: &EntryName,
        first: Attribute,
        controls: &[Control],
        bytes: &mut usize,
    ) -> Result<Vec<Vec<u8>>, LdapError> {
        let plain = first.name().without_options();
        let mut range = range_of(first.name()).ok_or(Reason::RangeStuck)?;
        let mut values = Vec::new();
        let mut part = first;
        loop {
            let expected = range.last.map_or(Some(part.values().len()), Range::length(range.first));
            if range.first != values.len()
                || part.values().is_empty()
                || expected != Some(part.values().len())
            {
                return Err(LdapError::new(Reason::RangeStuck).with_fate(Fate::Answered));
            }
            *bytes += part.size();
            values.extend(part.into_values());
            if values.len() > self.limits.values || *bytes > self.limits.value_bytes {
                return Err(LdapError::new(Reason::TooManyEntries).with_fate(Fate::Answered));
            }
            if range.last.is_none() {
                return Ok(values);
            }
            (range, part) = self.next_range(name, &plain, values.len(), controls).await?;
        }
    }

    async fn next_range(
        &mut self,
        name: &EntryName,
        plain: &AttributeName,
        first: usize,
        controls: &[Control],
    ) -> Result<(Range, Attribute), LdapError> {
        let wanted = plain.with_option(&format!("range={first}-*"));
        let search = Search::entry(name.clone()).attributes([wanted]);
        let search = controls.iter().cloned().fold(search, Search::control);
        let found = self.find_one(&search).await?;
        let mut found =
            found.ok_or_else(|| LdapError::new(Reason::EntryMissing).with_fate(Fate::Answered))?;
        let parts = std::mem::take(found.attributes_mut()).into_iter();
        let parts = parts.filter(|part| part.name().kind().eq_ignore_ascii_case(plain.kind()));
        let mut ranged = parts.filter_map(|part| Some((range_of(part.name())?, part)));
        ranged.next().ok_or_else(|| LdapError::new(Reason::RangeStuck).with_fate(Fate::Answered))
    }
}

impl Entry {
    /// Tells whether the server held values back.
    pub(crate) fn is_cut(&self) -> bool {
        self.attributes().iter().any(|part| range_of(part.name()).is_some())
    }
}

/// `0-1499`, or `1500-*` at the end.
#[derive(Clone, Copy)]
struct Range {
    first: usize,
    last: Option<usize>,
}

impl Range {
    /// How many values lie between the first and the last.
    fn length(first: usize) -> impl Fn(usize) -> Option<usize> {
        move |last| last.checked_sub(first)?.checked_add(1)
    }
}

fn range_of(name: &AttributeName) -> Option<Range> {
    let option = name.options().find_map(|option| option.strip_prefix("range="))?;
    let (first, last) = option.split_once('-')?;
    let last = if last == "*" { None } else { Some(last.parse().ok()?) };
    Some(Range { first: first.parse().ok()?, last })
}
