//! Finding resources: by an index where there is one, and otherwise by looking at as many as are allowed.

use std::num::NonZeroUsize;

use jit_core::{DocumentId, DocumentQuery, DocumentText, PAGE_ITEMS};

use super::candidates::{Candidates, is_exact, window};
use super::fault;
use super::message::ScimResponse;
use super::served::{Role, Served};
use super::service::Turn;
use crate::effort::Effort;
use crate::error::ScimError;
use crate::filter::Filter;
use crate::protocol::{END, Page, Query, QueryText, Rank, begin};
use crate::reason::Reason;
use crate::resource::Resource;
use crate::schema::ResourceType;

/// After so much work others have a turn.
const LOOKS_OF_A_TURN: usize = 20_000;
/// One resource takes no more: there is no turn of others in between.
const LOOKS_AT_ONE: usize = 1_000_000;
/// How many documents are read at a time: each may be as long as a resource may be.
const READ_AT_ONCE: NonZeroUsize = NonZeroUsize::new(200).unwrap();
/// About as long as what the service says of a resource is.
const META_BYTES: usize = 320;

/// The documents of one page.
pub(super) struct Hits {
    pub(super) total: usize,
    pub(super) next: Option<String>,
    pub(super) documents: Vec<DocumentText>,
    /// Whether there was no room for more.
    pub(super) is_full: bool,
}

/// What fulfils a query, in the order in which it was found.
struct Sieve<'a> {
    turn: &'a Turn<'a>,
    served: &'a Served,
    query: &'a Query,
    /// Whether everything that comes is known to fulfil the filter.
    is_sure: bool,
    /// Whether the filter looks at members, which lie apart.
    needs_members: bool,
    /// Whether it looks at what the service says of a resource, the address being part of that.
    needs_location: bool,
    members_left: usize,
    effort: Effort,
    pace: Pace,
    /// What fulfils the query, each with its place in `ids`.
    ranks: Vec<(Rank, usize)>,
    ids: Vec<DocumentId>,
    /// The documents of the first of them, so that what is found by an index is not read twice.
    kept: Vec<Option<DocumentText>>,
    room: Room,
}

impl Turn<'_> {
    /// Answers a query over the resources of a type (RFC 7644 §3.4.2).
    pub(super) async fn list(&self, served: &Served, text: &QueryText) -> Result<ScimResponse, ScimError> {
        let connection = &self.realm.connection;
        let query = text.bind(&served.kind, connection.tolerance, &connection.pages, self.now)?;
        let hits = self.find(served, &query).await?;
        let mut left = connection.reach.members;
        let room = hits.documents.iter().map(|document| document.body.len() + META_BYTES).sum();
        let mut out = begin(hits.total, hits.documents.len(), &query.place(hits.next), room);
        for (number, document) in hits.documents.iter().enumerate() {
            if number > 0 {
                out.push(b',');
            }
            self.render_into(&mut out, served, (document, &query.projection), &mut left).await?;
        }
        out.extend_from_slice(END);
        Ok(ScimResponse::with_body(200, out))
    }

    pub(super) async fn find(&self, served: &Served, query: &Query) -> Result<Hits, ScimError> {
        let Some(filter) = &query.filter else {
            return match query.sort {
                None => self.page(served, query).await,
                Some(_) => self.scan(served, query).await?.page().await,
            };
        };
        let Some(candidates) = self.candidates(served, filter).await? else {
            return self.scan(served, query).await?.page().await;
        };
        match query.page {
            Page::Index { start, count } if query.sort.is_none() && is_exact(filter) => {
                self.cut(served, candidates, start, count).await
            }
            _ => self.sieve(served, query, candidates).await?.page().await,
        }
    }

    /// Tells where all stand that fulfil a query, in no order.
    pub(super) async fn ranks(
        &self,
        served: &Served,
        query: &Query,
    ) -> Result<Vec<(Rank, DocumentId)>, ScimError> {
        let Sieve { ranks, ids, .. } = self.sift(served, query).await?;
        Ok(ranks.into_iter().map(|(rank, _)| rank).zip(ids).collect())
    }

    async fn sift<'a>(&'a self, served: &'a Served, query: &'a Query) -> Result<Sieve<'a>, ScimError> {
        let Some(filter) = &query.filter else { return self.scan(served, query).await };
        let Some(candidates) = self.candidates(served, filter).await? else {
            return self.scan(served, query).await;
        };
        self.sieve(served, query, candidates).await
    }

    /// Looks at everything that an index knows.
    async fn sieve<'a>(
        &'a self,
        served: &'a Served,
        query: &'a Query,
        candidates: Candidates,
    ) -> Result<Sieve<'a>, ScimError> {
        let mut sieve = Sieve::new(self, served, query);
        sieve.is_sure = query.filter.as_ref().is_some_and(is_exact);
        match candidates {
            Candidates::Read(documents) => {
                for document in documents {
                    sieve.look_at(document).await?;
                }
            }
            Candidates::Known(ids) => {
                for id in ids {
                    for document in self.by_ids(served, [id]).await? {
                        sieve.look_at(document).await?;
                    }
                }
            }
        }
        Ok(sieve)
    }

    /// Cuts a page out of everything that an index knows, where all of that fulfils the filter.
    async fn cut(
        &self,
        served: &Served,
        candidates: Candidates,
        start: usize,
        count: usize,
    ) -> Result<Hits, ScimError> {
        let (mut room, mut documents) = (self.room(), Vec::new());
        let total = match candidates {
            Candidates::Read(found) => {
                let total = found.len();
                for document in window(found, start, count) {
                    room.put(&mut documents, document);
                }
                total
            }
            Candidates::Known(ids) => {
                let total = ids.len();
                for id in window(ids, start, count) {
                    for document in self.by_ids(served, [id]).await? {
                        room.put(&mut documents, document);
                    }
                    if room.is_full {
                        break;
                    }
                }
                total
            }
        };
        Ok(Hits { total, next: None, documents, is_full: room.is_full })
    }

    pub(super) const fn room(&self) -> Room {
        Room { left: self.realm.connection.reach.page_bytes, is_empty: true, is_full: false }
    }

    /// Reads one page of everything.
    async fn page(&self, served: &Served, query: &Query) -> Result<Hits, ScimError> {
        let total = self.service.store.count_documents(&served.of).await;
        let total = total.map_err(|error| fault::of_store(&error))?;
        let total = usize::try_from(total).unwrap_or(usize::MAX);
        let (mut after, mut skip, count) = match &query.page {
            Page::Index { start, count } => (None, start.saturating_sub(1), *count),
            Page::Cursor { after, count } => {
                let last = after.as_ref().map(|cursor| Served::id(cursor.id()).ok_or(Reason::CursorInvalid));
                (last.transpose()?, 0, *count)
            }
        };
        let mut documents: Vec<DocumentText> = Vec::new();
        let (mut more, mut room) = (skip < total, self.room());
        while let Some(limit) = NonZeroUsize::new(count.saturating_sub(documents.len())) {
            if !more || room.is_full {
                break;
            }
            let page = self.documents(served, after, skip, limit.min(READ_AT_ONCE)).await?;
            (skip, more) = (0, page.1);
            for document in page.0 {
                room.put(&mut documents, document);
            }
            more |= room.is_full;
            after = documents.last().map(|document| document.id);
        }
        let last = after.filter(|_| more && matches!(query.page, Page::Cursor { .. }) && count > 0);
        let next = last.map(|id| query.cursor_behind(&id.to_string(), self.now));
        Ok(Hits { total, next, documents, is_full: room.is_full })
    }

    /// Looks at everything, as far as that is allowed.
    async fn scan<'a>(&'a self, served: &'a Served, query: &'a Query) -> Result<Sieve<'a>, ScimError> {
        let mut sieve = Sieve::new(self, served, query);
        let mut left = self.realm.connection.reach.looked_at;
        let mut after = None;
        loop {
            let (documents, more) = self.documents(served, after, 0, READ_AT_ONCE).await?;
            left = left.checked_sub(documents.len()).ok_or(Reason::TooManyFound)?;
            after = documents.last().map(|document| document.id);
            for document in documents {
                sieve.look_at(document).await?;
            }
            if !more || after.is_none() {
                return Ok(sieve);
            }
        }
    }

    async fn documents(
        &self,
        served: &Served,
        after: Option<DocumentId>,
        skip: usize,
        limit: NonZeroUsize,
    ) -> Result<(Vec<DocumentText>, bool), ScimError> {
        let query = DocumentQuery { of: served.of.clone(), after, skip, limit };
        let page = self.service.store.documents(&query).await;
        let page = page.map_err(|error| fault::of_store(&error))?;
        Ok((page.items, page.next.is_some()))
    }
}

impl<'a> Sieve<'a> {
    fn new(turn: &'a Turn<'a>, served: &'a Served, query: &'a Query) -> Self {
        let is_group = served.role == Role::Group;
        let looks = |kind: &ResourceType, filter: &Filter| {
            kind.resolve("members").is_some_and(|members| filter.looks_at(members.steps()))
        };
        let effort = Effort::new(turn.realm.connection.reach.looks);
        let needs_members =
            is_group && query.filter.as_ref().is_some_and(|filter| looks(&served.kind, filter));
        Self {
            turn,
            served,
            query,
            is_sure: false,
            needs_members,
            needs_location: query.looks_at_meta(),
            members_left: turn.realm.connection.reach.members,
            pace: Pace::new(&effort),
            effort,
            ranks: Vec::new(),
            ids: Vec::new(),
            kept: Vec::new(),
            room: turn.room(),
        }
    }

    async fn look_at(&mut self, document: DocumentText) -> Result<(), ScimError> {
        let id = document.id;
        self.effort.take_document(document.body.len()).map_err(|_| Reason::TooManyFound)?;
        self.pace.keep(&self.effort).await;
        let rank = if self.is_sure && self.query.sort.is_none() {
            Rank::of_id(id.to_string())
        } else {
            let mut resource = self.served.resource(&document)?;
            if self.needs_location {
                resource.set_location(&self.turn.realm.connection.base);
            }
            if self.needs_members && !self.is_sure {
                resource = self.with_members(resource, &document).await?;
            }
            if let Some(filter) = self.query.filter.as_ref().filter(|_| !self.is_sure) {
                let matches = |effort: &mut Effort| filter.matches_within(&resource, effort);
                if !self.effort.lend(LOOKS_AT_ONE, matches)? {
                    return Ok(());
                }
            }
            self.query.rank(&resource)
        };
        self.ranks.push((rank, self.ids.len()));
        self.ids.push(id);
        let is_next = self.kept.len() + 1 == self.ids.len();
        if is_next && self.kept.len() < PAGE_ITEMS && self.room.takes(&document) {
            self.kept.push(Some(document));
        }
        Ok(())
    }

    /// Reads the members that the filter looks at: those that it names, or all.
    async fn with_members(
        &mut self,
        resource: Resource,
        document: &DocumentText,
    ) -> Result<Resource, ScimError> {
        let (turn, group) = (self.turn, self.served.of.key(document.id));
        let path = self.served.kind.resolve("members");
        let named = path.zip(self.query.filter.as_ref());
        let Some(named) = named.as_ref().and_then(|(path, filter)| filter.only_values_of(path)) else {
            let members = turn.members_of(&group, self.members_left).await?;
            self.members_left = self.members_left.saturating_sub(members.len());
            return turn.with_members(resource, &members);
        };
        let mut members = Vec::new();
        for id in named.into_iter().filter_map(Served::id) {
            let member = turn.service.store.member(&group, id).await;
            members.extend(member.map_err(|error| fault::of_store(&error))?);
        }
        turn.with_members(resource, &members)
    }

    /// Orders what was found, and reads the documents of the page.
    async fn page(mut self) -> Result<Hits, ScimError> {
        let query = self.query;
        if query.sort.is_some() {
            self.ranks.sort_by(|(a, _), (b, _)| query.order(a, b));
        }
        let (ranks, places): (Vec<_>, Vec<_>) = self.ranks.into_iter().unzip();
        let mut window = query.window(&self.served.kind, &ranks);
        let (mut documents, mut room) = (Vec::with_capacity(window.len()), self.turn.room());
        for (number, place) in places.get(window.clone()).unwrap_or_default().iter().enumerate() {
            let read = match self.kept.get_mut(*place).and_then(Option::take) {
                Some(document) => Some(document),
                None => self.turn.by_ids(self.served, self.ids.get(*place).copied()).await?.pop(),
            };
            documents.extend(read.filter(|document| room.takes(document)));
            if room.is_full {
                window.end = window.start.saturating_add(number);
                break;
            }
        }
        let next = query.next(&ranks, &window, self.turn.now);
        Ok(Hits { total: ranks.len(), next, documents, is_full: room.is_full })
    }
}

/// What still fits on a page.
pub(super) struct Room {
    left: usize,
    is_empty: bool,
    /// Whether something was left out, and so all that comes after it.
    pub(super) is_full: bool,
}

impl Room {
    /// Tells whether there is room for a document, and takes it; for the first in any case.
    pub(super) fn takes(&mut self, document: &DocumentText) -> bool {
        let left = self.left.checked_sub(document.body.len());
        self.is_full |= left.is_none() && !self.is_empty;
        (self.left, self.is_empty) = (left.unwrap_or(0), false);
        !self.is_full
    }

    fn put(&mut self, documents: &mut Vec<DocumentText>, document: DocumentText) {
        if self.takes(&document) {
            documents.push(document);
        }
    }
}

/// Lets others have a turn whenever so much was looked at.
pub(super) struct Pace {
    left_at_turn: usize,
}

impl Pace {
    pub(super) const fn new(effort: &Effort) -> Self {
        Self { left_at_turn: effort.left() }
    }

    pub(super) async fn keep(&mut self, effort: &Effort) {
        if self.left_at_turn - effort.left() > LOOKS_OF_A_TURN {
            self.left_at_turn = effort.left();
            give_way().await;
        }
    }
}

/// Lets others have a turn in between.
pub(super) async fn give_way() {
    let mut gave = false;
    std::future::poll_fn(|context| {
        if std::mem::replace(&mut gave, true) {
            return std::task::Poll::Ready(());
        }
        context.waker().wake_by_ref();
        std::task::Poll::Pending
    })
    .await;
}
