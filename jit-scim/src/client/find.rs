//! Looking: by id, by marker, by name. Whatever a target says that it found is looked at again here, since some overlook
//! filters.

use http::Method;
use jit_core::Marker;

use super::failure::Failure;
use super::person::{Person, id_of};
use super::profile::TargetProfile;
use super::reason::TargetReason;
use super::wire::{Answer, Ask, Call, Wire, escape, resource};
use crate::json::Json;

/// How many pages are looked through where a target overlooks filters.
const PAGES: usize = 100;

/// Looks at one target.
#[derive(Clone, Copy, Debug)]
pub(super) struct Finder<'a> {
    pub(super) wire: &'a Wire,
    pub(super) profile: &'a TargetProfile,
}

/// One page of a list.
#[derive(Debug)]
pub(super) struct ListPage {
    pub(super) resources: Vec<Json>,
    pub(super) total: usize,
}

impl Finder<'_> {
    /// Reads the account with this id. That it is not there has to be said by the target and by nobody else.
    pub(super) async fn by_id(&self, call: &mut Call, id: &str) -> Result<Option<Person>, Failure> {
        let answer = self.wire.send(call, &Ask::new(Method::GET, resource("Users", id)?)).await?;
        match (answer.status, answer.json) {
            (404 | 410, _) => Ok(None),
            (200, Some(json)) => {
                let person = Person::read(json, self.profile)?;
                if person.id == id { Ok(Some(person)) } else { Err(TargetReason::AnswerForeign.into()) }
            }
            (200..=299, _) => Err(TargetReason::AnswerMalformed.into()),
            (status, json) => Err(Answer { status, json }.refused()),
        }
    }

    /// Finds the one account with our marker.
    pub(super) async fn by_marker(
        &self,
        call: &mut Call,
        marker: &Marker,
    ) -> Result<Option<Person>, Failure> {
        if !self.profile.finds_marker {
            return Ok(None);
        }
        let is_hit = |person: &Person| person.is_marked(marker);
        self.one(call, &self.profile.marker, marker.as_str(), is_hit).await
    }

    /// Finds the one account with this user name.
    pub(super) async fn by_name(&self, call: &mut Call, name: &str) -> Result<Option<Person>, Failure> {
        self.one(call, "userName", name, |person| person.is_named(name)).await
    }

    async fn one(
        &self,
        call: &mut Call,
        attribute: &str,
        value: &str,
        is_hit: impl Fn(&Person) -> bool + Send + Sync,
    ) -> Result<Option<Person>, Failure> {
        let is_hit =
            |json: &Json| Person::read(json.clone(), self.profile).is_ok_and(|person| is_hit(&person));
        let mut hits = self.select(call, "Users?", attribute, value, is_hit).await?;
        match (hits.pop(), hits.is_empty()) {
            (None, _) => Ok(None),
            (Some(hit), true) => Person::read(hit, self.profile).map(Some),
            (Some(_), false) => Err(TargetReason::NotUnique.into()),
        }
    }

    /// Finds what bears a value, and nothing else: where a target overlooks the filter or does not know it, everything that it
    /// has is looked through, up to a bound.
    pub(super) async fn select(
        &self,
        call: &mut Call,
        endpoint: &str,
        attribute: &str,
        value: &str,
        is_hit: impl Fn(&Json) -> bool + Send + Sync,
    ) -> Result<Vec<Json>, Failure> {
        let filter = format!("{attribute} eq {}", serde_json::Value::from(value));
        let asked = format!("{endpoint}filter={}&", escape(&filter));
        let (mut asked, mut start, mut first) = (asked, 1, None);
        let mut hits: Vec<Json> = Vec::new();
        for _ in 0..PAGES {
            let Some(page) = self.page(call, &asked, start).await? else {
                // the filter was refused
                if asked == endpoint {
                    return Err(TargetReason::Refused.into());
                }
                endpoint.clone_into(&mut asked);
                continue;
            };
            let (seen, begins) = (page.resources.len(), page.resources.first().and_then(id_of));
            if begins.is_some() && begins == first {
                return Err(TargetReason::ListingUnstable.into());
            }
            first = begins;
            let found = page.resources.into_iter().filter(|resource| is_hit(resource));
            let before = hits.len();
            hits.extend(found);
            let is_filtered = asked != endpoint && hits.len() - before == seen;
            start += seen;
            if seen == 0 || is_filtered || start > page.total {
                return Ok(hits);
            }
        }
        Err(TargetReason::FilterIgnored.into())
    }

    /// Reads a page of a list; `None` where the target does not take the filter.
    pub(super) async fn page(
        &self,
        call: &mut Call,
        asked: &str,
        start: usize,
    ) -> Result<Option<ListPage>, Failure> {
        let path = format!("{asked}startIndex={start}&count={}", self.profile.page);
        let answer = self.wire.send(call, &Ask::new(Method::GET, path).for_many()).await?;
        match answer.status {
            200 => {}
            // so some say that they found nothing
            404 if answer.json.is_some() => return Ok(Some(ListPage { resources: Vec::new(), total: 0 })),
            400 | 501 => return Ok(None),
            201..=299 => return Err(TargetReason::AnswerMalformed.into()),
            _ => return Err(answer.refusal()),
        }
        let malformed = || Failure::from(TargetReason::AnswerMalformed);
        let json = answer.json.ok_or_else(malformed)?;
        let resources = match json.member("Resources") {
            Some(Json::List(resources)) => resources.clone(),
            None | Some(Json::Null) => Vec::new(),
            Some(_) => return Err(malformed()),
        };
        let total = match json.member("totalResults") {
            Some(Json::Integer(total)) => usize::try_from(*total).map_err(|_| malformed())?,
            _ => return Err(malformed()),
        };
        if resources.is_empty() && start <= total {
            return Err(malformed());
        }
        Ok(Some(ListPage { resources, total }))
    }
}
