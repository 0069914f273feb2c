//! What the leases of all targets of a deployment have in common.

use std::num::NonZeroU32;
use std::path::PathBuf;

use chrono::TimeDelta;
use jit_core::config::Problems;
use jit_core::{Code, JitBuilder, Span};
use serde::Deserialize;

/// How long the records of ended leases are kept unless said otherwise: a year, and what an audit of it takes.
const KEPT_FOR: TimeDelta = TimeDelta::days(400);
/// For how long they are kept at least.
const KEPT_AT_LEAST: TimeDelta = TimeDelta::days(30);

/// Says by what the accounts that are made here are known from those of everybody else.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DeploymentSettings {
    /// Stands in every marker.
    pub(crate) name: String,
    /// The file with the key that makes markers: at least 32 bytes, for nobody but its owner to read.
    pub(crate) marker_key: PathBuf,
    /// The files with earlier keys, of which something may be left. Mirrors know the present key alone.
    #[serde(default)]
    pub(crate) former_keys: Vec<PathBuf>,
    /// How many leases one person may have at once, at all targets together.
    #[serde(default)]
    leases_per_holder: Option<NonZeroU32>,
    /// How long the records of leases are kept after they are over.
    #[serde(default)]
    keep_ended_for: Option<Span>,
}

impl DeploymentSettings {
    /// Says to an engine what holds for the leases of all targets.
    pub(crate) fn bound(&self, builder: JitBuilder) -> JitBuilder {
        let builder = builder.keep_ended_for(self.keep_ended_for.map_or(KEPT_FOR, Span::delta));
        match self.leases_per_holder {
            Some(most) => builder.leases_per_holder(most),
            None => builder,
        }
    }

    pub(super) fn check(&self, found: &mut Problems) {
        if self.keep_ended_for.is_some_and(|span| span.delta() < KEPT_AT_LEAST) {
            let message = "must be `30d` at least: the key of a request is known for good, and nothing else";
            found.report_in("keep_ended_for", Code::new("config.out_of_range"), message);
        }
    }
}
