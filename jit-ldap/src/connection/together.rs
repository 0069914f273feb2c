//! Several changes that are on their way at once, for the time of one.

use super::{Connection, concluded};
use crate::error::{Fate, LdapError};
use crate::identifier::EntryName;
use crate::reason::Reason;
use crate::request::{Modification, Request};

/// How many are on their way at most: their answers must find room while nobody reads them.
const AT_ONCE: usize = 16;

impl Connection {
    /// Changes several entries that do not depend on each other, and tells what became of each change, in their order. All
    /// are sent before the first answer is read (RFC 4511 §3.1): the server may make them in any order, and make some
    /// though it refuses others.
    ///
    /// # Errors
    /// Every code of the way and of broken answers: any of the changes may have been made then. `ldap.password_in_clear` as
    /// for [`Connection::add`].
    ///
    /// # Cancel safety
    /// Any of the changes may have been made; the connection is unusable afterwards.
    pub async fn modify_together(
        &mut self,
        changes: &[(EntryName, Modification)],
    ) -> Result<Vec<Result<(), LdapError>>, LdapError> {
        self.demand_confidential_for(changes.iter().map(|(_, change)| change.attribute()))?;
        let mut outcomes = Vec::with_capacity(changes.len());
        for some in changes.chunks(AT_ONCE) {
            let request = |(entry, change): &(EntryName, Modification)| {
                Request::modify(entry, std::slice::from_ref(change))
            };
            let answers = self.exchange_all(some.iter().map(request).collect()).await;
            // what failed before it was sent says nothing of what was sent before it
            let is_first = outcomes.is_empty();
            let fate = |error: LdapError| if is_first { error } else { error.with_fate(Fate::Unknown) };
            outcomes.extend(answers.map_err(fate)?);
        }
        Ok(outcomes)
    }

    /// Sends requests in one go and waits for the one message that ends each.
    async fn exchange_all(
        &mut self,
        requests: Vec<Request>,
    ) -> Result<Vec<Result<(), LdapError>>, LdapError> {
        let ids = self.wire.send_all(&requests, self.operation_deadline()).await?;
        let mut outcomes: Vec<_> = requests.iter().map(|_| None).collect();
        let mut waiting = ids.clone();
        while !waiting.is_empty() {
            let message = self.wire.answer_to(&waiting, self.operation_deadline()).await?;
            waiting.retain(|id| *id != message.id);
            let asked = requests.iter().zip(&ids).zip(&mut outcomes).find(|((_, id), _)| **id == message.id);
            let Some(((request, _), outcome)) = asked else { return Err(Reason::MessageIdUnexpected.into()) };
            *outcome = Some(concluded(request.ends_with, message)?.map(drop));
        }
        self.wire.finish();
        Ok(outcomes.into_iter().flatten().collect())
    }
}
