//! Listing what bears a marker of ours, page by page.

use jit_core::{Code, ListCursor, Listed, Listing, Marker, RemoteRef};
use serde::{Deserialize, Serialize};

use super::failure::Failure;
use super::find::Finder;
use super::person::Person;
use super::reason::TargetReason;

/// Where a listing goes on, and what tells whether it is whole.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Progress {
    start: usize,
    total: usize,
    first: Option<String>,
    /// Why it can no longer become whole.
    partial: Option<String>,
}

pub(super) async fn list(finder: Finder<'_>, cursor: Option<ListCursor>) -> Result<Listing, Failure> {
    let mut progress = match cursor {
        Some(cursor) => serde_json::from_slice(cursor.place()).map_err(|_| TargetReason::AnswerMalformed)?,
        None => Progress { start: 1, ..Progress::default() },
    };
    let mut call = finder.wire.call();
    let Some(page) = finder.page(&mut call, "Users?", progress.start).await? else {
        return Err(TargetReason::Refused.into());
    };
    let (seen, is_first) = (page.resources.len(), progress.start == 1);
    let people: Vec<_> = page
        .resources
        .into_iter()
        .map(|json| Person::read(json, finder.profile))
        .collect::<Result<_, _>>()?;
    let begins = people.first().map(|person| person.id.clone());
    let repeats = begins.is_some() && begins == progress.first;
    // whoever comes or goes meanwhile moves the others between pages: one of them may be on none
    if repeats || !is_first && page.total != progress.total {
        progress.partial = Some(TargetReason::ListingUnstable.code().to_owned());
    }
    progress.start += seen;
    (progress.total, progress.first) = (page.total, begins);
    let is_last = seen == 0 || repeats || progress.start > page.total;
    let found = people.into_iter().filter_map(ours).collect();
    Ok(match progress.partial {
        Some(code) if is_last => Listing::Partial(found, Code::from(code)),
        None if is_last => Listing::Complete(found),
        _ => {
            let place = serde_json::to_vec(&progress).map_err(|_| TargetReason::AnswerMalformed)?;
            Listing::More(found, ListCursor::new(place))
        }
    })
}

fn ours(person: Person) -> Option<Listed> {
    let marker = person.marker.filter(|marker| marker.starts_with(Marker::PREFIX))?;
    Some(Listed::named(RemoteRef {
        name: person.name.unwrap_or_default(),
        place: None,
        marker: Marker::found(marker),
        native: Some(person.id),
        home: None,
    }))
}
