use axum::http::HeaderMap;
use chrono::{DateTime, Utc};

use super::{CookieName, Expiring, RandomError, cookie, random_token};

/// Keeps one value for each browser, on the server; the browser holds nothing but a random id.
#[derive(Debug)]
pub struct PerBrowser<V> {
    kept: Expiring<V>,
    cookie: CookieName,
}

impl<V: Clone> PerBrowser<V> {
    /// Makes an empty keeper of at most `most` values, whose ids are in a cookie of this name.
    #[must_use]
    pub fn in_cookie(name: &str, base_url: &str, most: usize) -> Self {
        Self { kept: Expiring::new(most), cookie: CookieName::new(name, base_url) }
    }

    /// Keeps a value under a new id, and gives the header value that hands the id to the browser.
    ///
    /// # Errors
    /// `RandomError` where no id can be drawn.
    pub fn keep(&self, value: V, until: DateTime<Utc>, now: DateTime<Utc>) -> Result<String, RandomError> {
        let id = random_token()?;
        let header = self.cookie.set(&id);
        self.kept.put(id, value, until, now);
        Ok(header)
    }

    /// Looks at the value of a request, and may change it in place.
    pub fn with<R>(
        &self,
        headers: &HeaderMap,
        now: DateTime<Utc>,
        look: impl FnOnce(&mut V) -> R,
    ) -> Option<R> {
        self.kept.with(cookie(headers, &self.cookie)?, now, look)
    }

    /// Finds the value of a request.
    pub fn find(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<V> {
        self.with(headers, now, |value| value.clone())
    }

    /// Tells the id of the value of a request, so that it is found by that where the cookie is another one by then.
    pub fn id(&self, headers: &HeaderMap, now: DateTime<Utc>) -> Option<String> {
        self.with(headers, now, |_| ())?;
        cookie(headers, &self.cookie).map(str::to_owned)
    }

    /// Finds the value of this id.
    pub fn find_by_id(&self, id: &str, now: DateTime<Utc>) -> Option<V> {
        self.kept.with(id, now, |value| value.clone())
    }

    /// Ends the value of a request, and gives the header value that takes the id away.
    pub fn close(&self, headers: &HeaderMap, now: DateTime<Utc>) -> String {
        if let Some(id) = cookie(headers, &self.cookie) {
            self.kept.take(id, now);
        }
        self.cookie.clear()
    }

    /// Ends every value that `ends` picks.
    pub fn end_where(&self, ends: impl Fn(&V) -> bool) {
        self.kept.end_where(ends);
    }
}
