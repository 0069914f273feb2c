//! Cursors (RFC 9865): where the page before ended.
//!
//! A cursor says nothing that its reader does not know already, and whoever makes one up only begins elsewhere in what they
//! may read anyway. So it is not signed. It is bound to its query, because behind another one it would mean nothing.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use chrono::{DateTime, TimeDelta, Utc};

use crate::error::ScimError;
use crate::json::Json;
use crate::limits::Limits;
use crate::reason::Reason;
use crate::resource::Value;
use crate::schema::ResourceType;
use crate::sort::Sort;

/// The longest cursor, in bytes.
const BYTES: usize = 8 * 1024;

/// The place behind a resource. `Debug` shows no value.
#[derive(Clone, PartialEq)]
pub struct Cursor {
    key: Json,
    id: String,
}

impl Cursor {
    /// Names the place behind a resource with this identifier, which is sorted by this value.
    pub(super) fn behind(key: Option<&Value>, id: &str) -> Self {
        Self { key: Sort::written(key), id: id.to_owned() }
    }

    /// Returns the identifier of the resource.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Returns the text of the value that the resource is sorted by, where it is a text: its beginning, as it is compared.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        self.key.as_text()
    }

    /// Returns the value that the last resource is sorted by.
    pub(super) fn sorted_by(
        &self,
        kind: &ResourceType,
        sort: Option<&Sort>,
    ) -> Result<Option<Value>, ScimError> {
        sort.map_or(Ok(None), |sort| sort.read(kind, &self.key))
    }

    pub(super) fn write(&self, digest: u64, now: DateTime<Utc>) -> String {
        let parts = vec![
            Json::text(format!("{digest:016x}")),
            Json::Integer(now.timestamp()),
            self.key.clone(),
            Json::text(&self.id),
        ];
        BASE64_URL_SAFE_NO_PAD.encode(Json::List(parts).to_bytes())
    }

    pub(super) fn parse(
        text: &str,
        digest: u64,
        now: DateTime<Utc>,
        age: TimeDelta,
    ) -> Result<Self, ScimError> {
        let (own, made, cursor) = Self::read(text).ok_or(Reason::CursorInvalid)?;
        if own != format!("{digest:016x}") {
            return Err(Reason::CursorInvalid.into());
        }
        match DateTime::from_timestamp(made, 0) {
            Some(made) if made <= now + TimeDelta::minutes(5) && now - made <= age => Ok(cursor),
            Some(made) if made <= now => Err(Reason::CursorExpired.into()),
            _ => Err(Reason::CursorInvalid.into()),
        }
    }

    fn read(text: &str) -> Option<(String, i64, Self)> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(text).ok().filter(|bytes| bytes.len() <= BYTES)?;
        let Json::List(parts) = Json::parse(&bytes, &Limits::default()).ok()? else { return None };
        let [Json::Text(digest), Json::Integer(made), key, Json::Text(id)] =
            <[Json; 4]>::try_from(parts).ok()?
        else {
            return None;
        };
        Some((digest, made, Self { key, id }))
    }
}

impl fmt::Debug for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cursor(…)")
    }
}
