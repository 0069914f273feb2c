//! Comparisons of targets with what is written down. One may take longer than any request is answered in, so that it runs by
//! itself, and pages show how far it is.

use std::collections::BTreeMap;
use std::future::Future;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use jit_core::{Clock, TenantId};

use super::view::CompareRow;

/// How long whoever asks for a comparison waits for it: most have ended by then.
const SOON: Duration = Duration::from_secs(5);
/// After how long one is given up.
const LONGEST: Duration = Duration::from_secs(60 * 60);
/// How long what was found is shown.
const SHOWN_FOR: TimeDelta = TimeDelta::hours(1);
/// How much of what was found at one target is shown.
const MOST_FOUND: usize = 1_000;

/// Keeps the last comparison of each tenant.
pub(super) struct Comparisons {
    clock: Arc<dyn Clock>,
    last: Mutex<BTreeMap<TenantId, Comparison>>,
}

/// Tells how far a comparison is.
#[derive(Debug, Clone)]
pub(super) struct Comparison {
    pub(super) began: DateTime<Utc>,
    pub(super) ended: Option<DateTime<Utc>>,
    /// Whether it was given up before it was done.
    pub(super) is_cut: bool,
    pub(super) found: Vec<CompareRow>,
}

/// Takes what a comparison finds. Dropped before it was done, the comparison was given up.
pub(super) struct Finds {
    comparisons: Arc<Comparisons>,
    tenant: TenantId,
    is_done: bool,
}

impl Comparisons {
    pub(super) fn new(clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self { clock, last: Mutex::default() })
    }

    /// Begins a comparison for a tenant, unless one runs, and waits for it for a moment. It goes on whatever becomes of
    /// the caller.
    pub(super) async fn run<W>(
        self: &Arc<Self>,
        tenant: &TenantId,
        compare: impl FnOnce(Finds) -> W + Send + 'static,
    ) where
        W: Future<Output = ()> + Send + 'static,
    {
        let Some(finds) = self.begin(tenant) else { return };
        let running = tokio::spawn(async move {
            let _ = tokio::time::timeout(LONGEST, compare(finds)).await;
        });
        let _ = tokio::time::timeout(SOON, running).await;
    }

    /// The last comparison of a tenant; `None` where there was none for a while.
    pub(super) fn last(&self, tenant: &TenantId) -> Option<Comparison> {
        let now = self.clock.now();
        let mut last = self.all();
        last.retain(|_, comparison| comparison.ended.is_none_or(|ended| now - ended < SHOWN_FOR));
        last.get(tenant).cloned()
    }

    /// Takes the only place of a tenant.
    fn begin(self: &Arc<Self>, tenant: &TenantId) -> Option<Finds> {
        let mut last = self.all();
        if last.get(tenant).is_some_and(|comparison| comparison.ended.is_none()) {
            return None;
        }
        let began = self.clock.now();
        let comparison = Comparison { began, ended: None, is_cut: false, found: Vec::new() };
        last.insert(tenant.clone(), comparison);
        Some(Finds { comparisons: Arc::clone(self), tenant: tenant.clone(), is_done: false })
    }

    fn all(&self) -> MutexGuard<'_, BTreeMap<TenantId, Comparison>> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Finds {
    /// Shows what was found at a target.
    pub(super) fn add(&mut self, mut rows: Vec<CompareRow>) {
        for row in &mut rows {
            let more = row.found.len().saturating_sub(MOST_FOUND);
            row.found.truncate(MOST_FOUND);
            row.found.extend((more > 0).then(|| format!("And {more} more.")));
        }
        if let Some(comparison) = self.comparisons.all().get_mut(&self.tenant) {
            comparison.found.extend(rows);
        }
    }

    /// Says that every target was compared.
    pub(super) fn done(mut self) {
        self.is_done = true;
    }
}

impl Drop for Finds {
    fn drop(&mut self) {
        let now = self.comparisons.clock.now();
        if let Some(comparison) = self.comparisons.all().get_mut(&self.tenant) {
            (comparison.ended, comparison.is_cut) = (Some(now), !self.is_done);
        }
    }
}

#[cfg(test)]
mod tests {
    use axum::Router;
    use axum::body::Body;
    use axum::http::{Request, StatusCode};
    use axum::routing::post;
    use jit_core::ManualClock;
    use tower::ServiceExt as _;

    use super::*;
    use crate::portal::view::{Badge, Tone};
    use crate::web::{Guard, see_other};

    fn tenant() -> TenantId {
        TenantId::new("acme").unwrap()
    }

    fn row(found: Vec<String>) -> CompareRow {
        CompareRow { target: "ad".into(), verdict: Badge { text: "ok".into(), tone: Tone::Good }, found }
    }

    /// A site, with every limit on, that compares targets of which each takes so long.
    fn site(comparisons: &Arc<Comparisons>, each: Duration) -> Router {
        let comparisons = Arc::clone(comparisons);
        let ask = async move || {
            let compare = async move |mut finds: Finds| {
                for _ in 0..2 {
                    tokio::time::sleep(each).await;
                    finds.add(vec![row(Vec::new())]);
                }
                finds.done();
            };
            comparisons.run(&tenant(), compare).await;
            see_other("/leases")
        };
        Guard::new("portal.example").around(Router::new().route("/leases/compare", post(ask)))
    }

    async fn ask(site: &Router) -> StatusCode {
        let request = Request::post("/leases/compare").header("host", "portal.example");
        site.clone().oneshot(request.body(Body::empty()).unwrap()).await.unwrap().status()
    }

    fn comparisons() -> (Arc<Comparisons>, Arc<ManualClock>) {
        let clock = Arc::new(ManualClock::at(DateTime::<Utc>::default()));
        (Comparisons::new(Arc::clone(&clock) as _), clock)
    }

    #[tokio::test(start_paused = true)]
    async fn one_that_takes_minutes_is_answered_at_once_and_runs_to_its_end() {
        let (comparisons, _) = comparisons();
        let site = site(&comparisons, Duration::from_secs(40));
        assert_eq!(ask(&site).await, StatusCode::SEE_OTHER);
        let running = comparisons.last(&tenant()).unwrap();
        assert!(running.ended.is_none() && running.found.is_empty());
        tokio::time::sleep(Duration::from_secs(40)).await;
        assert_eq!(comparisons.last(&tenant()).unwrap().found.len(), 1, "what is known by now is shown");
        tokio::time::sleep(Duration::from_secs(40)).await;
        let done = comparisons.last(&tenant()).unwrap();
        assert!(done.ended.is_some() && !done.is_cut);
        assert_eq!(done.found.len(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_tenant_has_one_at_a_time() {
        let (comparisons, _) = comparisons();
        let site = site(&comparisons, Duration::from_secs(40));
        ask(&site).await;
        ask(&site).await;
        tokio::time::sleep(Duration::from_secs(100)).await;
        assert_eq!(comparisons.last(&tenant()).unwrap().found.len(), 2, "it was not begun twice");
        let quick = self::site(&comparisons, Duration::ZERO);
        ask(&quick).await;
        assert!(
            comparisons.last(&tenant()).unwrap().ended.is_some(),
            "the next one may begin, and is awaited"
        );
    }

    #[tokio::test(start_paused = true)]
    async fn one_without_an_end_is_given_up_and_said_to_be() {
        let (comparisons, clock) = comparisons();
        let site = site(&comparisons, LONGEST);
        ask(&site).await;
        tokio::time::sleep(LONGEST).await;
        let cut = comparisons.last(&tenant()).unwrap();
        assert!(cut.ended.is_some() && cut.is_cut);
        clock.advance(SHOWN_FOR);
        assert!(comparisons.last(&tenant()).is_none(), "what is old is not shown");
    }

    #[test]
    fn of_what_was_found_so_much_is_kept() {
        let (comparisons, _) = comparisons();
        let mut finds = comparisons.begin(&tenant()).unwrap();
        finds.add(vec![row(vec!["odd".into(); MOST_FOUND + 7])]);
        finds.done();
        let found = &comparisons.last(&tenant()).unwrap().found[0].found;
        assert_eq!((found.len(), found.last().unwrap().as_str()), (MOST_FOUND + 1, "And 7 more."));
    }
}
