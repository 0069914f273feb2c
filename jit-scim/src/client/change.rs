//! Changing and removing an account of the target: only as it was seen, and proved by what the target says afterwards.

use http::Method;

use super::failure::Failure;
use super::people::People;
use super::person::{Difference, Person, id_of};
use super::profile::UserChanges;
use super::reason::TargetReason;
use super::wire::{Answer, Ask, Call, resource};

/// Whether a change was taken, or the account was not as it was seen.
pub(super) enum Written {
    Done(Option<Person>),
    Changed,
}

impl People {
    pub(super) async fn write(
        &self,
        call: &mut Call,
        person: &Person,
        difference: &Difference,
    ) -> Result<Written, Failure> {
        if difference.is_empty() {
            return Ok(Written::Done(None));
        }
        let written = self.written(self.send(call, person, difference).await?)?;
        if let (Written::Done(after), Some(false)) = (&written, difference.active) {
            self.prove_end(call, &person.id, after.as_ref()).await?;
        }
        Ok(written)
    }

    async fn send(
        &self,
        call: &mut Call,
        person: &Person,
        difference: &Difference,
    ) -> Result<Answer, Failure> {
        let is_patched = match self.profile.user_changes {
            UserChanges::Patch => true,
            UserChanges::PatchActive => difference.is_of_use_only(),
            UserChanges::Put => false,
        };
        let address = resource("Users", &person.id)?;
        let version = person.version.as_deref();
        if is_patched && !self.lacks_patch.is_believed(self.wire.now()) {
            let ask = Ask::new(Method::PATCH, address.clone()).body(difference.patch()).only_if(version);
            let answer = self.wire.send(call, &ask).await?;
            if !answer.is_unsupported() {
                return Ok(answer);
            }
            self.lacks_patch.learn(self.wire.now());
        }
        let ask = Ask::new(Method::PUT, address).body(difference.whole()).only_if(version);
        self.wire.send(call, &ask).await
    }

    fn written(&self, answer: Answer) -> Result<Written, Failure> {
        match answer.status {
            200..=299 => {
                let person = answer.json.filter(|json| id_of(json).is_some());
                Ok(Written::Done(person.map(|json| Person::read(json, &self.profile)).transpose()?))
            }
            404 | 410 | 412 => Ok(Written::Changed),
            _ if answer.is_taken() => Err(TargetReason::TakenByAnother.into()),
            _ => Err(answer.refused()),
        }
    }

    /// Makes sure that an account is out of use, as far as the target says: some take the change and overlook it. Where the
    /// answer says nothing of it, the account is looked at. That somebody is not in use yet, such as before they accept an
    /// invitation, is no failure.
    async fn prove_end(&self, call: &mut Call, id: &str, answered: Option<&Person>) -> Result<(), Failure> {
        let said = match answered.filter(|person| person.id == id).and_then(Person::said_active) {
            None => self.finder().by_id(call, id).await?.as_ref().and_then(Person::said_active),
            said => said,
        };
        if said == Some(true) { Err(TargetReason::UseUnchanged.into()) } else { Ok(()) }
    }

    /// Removes it only as it was seen: with our marker in it, where the target has versions.
    pub(super) async fn delete(&self, call: &mut Call, person: &Person) -> Result<Written, Failure> {
        let ask = Ask::new(Method::DELETE, resource("Users", &person.id)?).only_if(person.version.as_deref());
        let answer = self.wire.send(call, &ask).await?;
        match answer.status {
            200..=299 | 404 | 410 => Ok(Written::Done(None)),
            412 => Ok(Written::Changed),
            _ => Err(answer.refused()),
        }
    }
}
