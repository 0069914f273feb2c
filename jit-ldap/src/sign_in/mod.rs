//! The trigger: a name and a password become a sign-in event, if the directory takes them.
//!
//! The name is looked up first, and whoever is found is bound: a typed name is never an identity. The subject is the
//! identifier that the directory gave the entry for good.

mod groups;
mod pace;
mod refusal;
mod settings;
mod throttle;

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jit_core::{
    Assurance, Attestation, Attestor, Check, Checks, Claims, Clock, Context, Event, Jit, LentAccounts,
    OneTime, SessionHint, Stability, Subject, Trigger, VerifyError,
};
use tokio::time::timeout;
use zeroize::Zeroizing;

use crate::claims::ClaimsOf;
use crate::control::Control;
use crate::directory::Directory;
use crate::entry::Entry;
use crate::error::{Fate, LdapError};
use crate::filter::Filter;
use crate::identifier::{EntryId, EntryName};
use crate::password::Password;
use crate::pool::Loan;
use crate::reason::Reason;
use crate::request::{Scope, Search};

pub use groups::GroupSettings;
use refusal::{Count, answered, tell};
pub use settings::{SettingsError, SignInConfig, SignInSettings, ThrottleSettings};
pub(crate) use settings::{base_of, filter_of};
use throttle::{By, Slot, Throttle};

/// The longest name that a person types, in bytes.
const NAME_BYTES: usize = 256;

/// What a person typed.
#[expect(clippy::exhaustive_structs, reason = "built by every application")]
pub struct BindEvidence {
    /// The name.
    pub user_name: String,
    /// The password.
    pub password: Zeroizing<String>,
    /// From where the request came.
    pub context: Context,
}

impl fmt::Debug for BindEvidence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BindEvidence").field("context", &self.context).finish_non_exhaustive()
    }
}

/// Verifies sign-ins of one connection.
pub struct LdapTrigger {
    config: SignInConfig,
    directory: Directory,
    throttle: Throttle,
    lent: LentAccounts,
    clock: Arc<dyn Clock>,
    attestor: Attestor,
}

/// What an attempt takes before the directory is asked for it.
struct Slots {
    name: Slot,
    /// None where too many by other names failed.
    person: Option<Slot>,
}

impl LdapTrigger {
    /// Joins a directory with the attestor of its connection. Failures are counted in the one-time store, for all nodes
    /// together, and for all connections to the same directory ([`Directory::system`]), also those of other tenants: the
    /// directory counts them together as well. What leases lend signs in as nobody, by what `lent` tells, whatever it bears.
    #[must_use]
    pub fn new(
        config: SignInConfig,
        directory: Directory,
        failures: Arc<dyn OneTime>,
        lent: LentAccounts,
        clock: Arc<dyn Clock>,
        attestor: Attestor,
    ) -> Self {
        let tenant = Jit::house_tenant().unwrap_or_else(|| attestor.tenant().clone());
        let throttle = Throttle::new(failures, (tenant, directory.system().to_owned()), config.throttle());
        Self { config, directory, throttle, lent, clock, attestor }
    }

    async fn sign_in(&self, name: &str, password: &Password) -> Result<(EntryId, Claims), VerifyError> {
        let mut loan = self.directory.lend().await?;
        let found = self.find_person(&mut loan, name).await?;
        let slots = self.reserve(name, found.as_ref().ok().map(|(_, id)| *id)).await?;
        let (found, id) = match found {
            Ok(person) if slots.person.is_some() => person,
            // whose id is shut by guesses under other names is refused as nobody is, so that this tells nobody who exists
            Ok(_) => {
                let cause = LdapError::new(Reason::SignInThrottled);
                return Err(self.refuse(&loan, password, slots, Some(cause)).await);
            }
            Err(cause) => return Err(self.refuse(&loan, password, slots, cause).await),
        };
        self.bind_counted(&loan, found.dn_text(), password, slots).await?;
        let claims = self.read_again(&mut loan, &found, id).await?;
        Ok((id, claims))
    }

    /// Takes a slot of the name and one of the person. Nobody costs the same steps.
    async fn reserve(&self, name: &str, person: Option<EntryId>) -> Result<Slots, VerifyError> {
        let (folded, now) = (name.to_lowercase(), self.clock.now());
        let name = self.throttle.reserve(By::Name(&folded), now).await?;
        let name = name.ok_or_else(|| LdapError::new(Reason::SignInThrottled))?;
        let person = person.map(|id| *id.as_uuid().as_bytes());
        let person = person.as_ref().map_or(By::Nobody(&folded), |id| By::Person(id));
        let person = self.throttle.reserve(person, now).await?;
        Ok(Slots { name, person })
    }

    /// Finds who may sign in under a name; the inner error says why that is nobody.
    async fn find_person(
        &self,
        loan: &mut Loan,
        name: &str,
    ) -> Result<Result<(Entry, EntryId), Option<LdapError>>, VerifyError> {
        let (found, cause) = match loan.find_one(&self.lookup(name)?).await {
            Ok(found) => (found, None),
            Err(error) if error.reason() == Reason::NotUnique => (None, Some(error)),
            Err(error) => return Err(error.into()),
        };
        let id =
            found.as_ref().map(|entry| entry.id(self.config.id())).transpose().map_err(LdapError::from)?;
        // whoever is not found costs the same look
        let is_lent = self.is_lent(id.unwrap_or(EntryId::NOBODY)).await?;
        let Some((entry, id)) = found.zip(id) else { return Ok(Err(cause)) };
        if is_lent || self.config.markers().are_on(&entry) {
            return Ok(Err(Some(LdapError::new(Reason::EntryLent))));
        }
        Ok(Ok((entry, id)))
    }

    /// An account that was made for a time stays one, also where somebody took its marker away.
    async fn is_lent(&self, id: EntryId) -> Result<bool, LdapError> {
        let told = self.lent.has(&id.to_string()).await;
        told.map_err(|error| LdapError::new(Reason::LeasesUntold).caused_by(error))
    }

    fn lookup(&self, name: &str) -> Result<Search, LdapError> {
        let names = self.config.names().iter().map(|attribute| Filter::equals(attribute, name));
        let filter = Filter::all([Filter::any(names)?, self.config.filter().clone()])?;
        let known_by =
            [self.config.id().name()].into_iter().chain(self.config.markers().names().iter().cloned());
        Ok(Search::new(self.config.base(), Scope::Subtree, filter).attributes(known_by))
    }

    /// Binds on a connection of its own, so that nobody works as this person afterwards.
    async fn bind(&self, loan: &Loan, dn: &str, password: &Password) -> Result<(), LdapError> {
        let mut binding = self.directory.lend_for_binding(&loan.server()).await?;
        let controls = binding.bind(dn, password, &[Control::password_policy()]).await?;
        let must_change = controls.must_change_password().map_err(answered)?;
        if must_change { Err(answered(Reason::PasswordMustChange)) } else { Ok(()) }
    }

    /// Binds, and does with the slots what the directory does with the failures that it counts. Each refusal counts for the
    /// name, so that it does not tell what kept somebody out.
    async fn bind_counted(
        &self,
        loan: &Loan,
        dn: &str,
        password: &Password,
        slots: Slots,
    ) -> Result<(), VerifyError> {
        let outcome = self.bind(loan, dn, password).await;
        let count = outcome.as_ref().map_or_else(Count::of, |()| Count::Forgotten);
        let outcome = outcome.map_err(tell);
        let is_refused = outcome.as_ref().is_err_and(|error| error.reason() == Reason::SignInRefused);
        let (person, name) = (slots.person, (!is_refused).then_some(slots.name));
        let now = self.clock.now();
        for slot in person.into_iter().chain(name) {
            match count {
                Count::Forgotten => self.throttle.release(slot, now).await?,
                Count::Kept => self.throttle.give_back(slot, now).await?,
                Count::Raised => {}
            }
        }
        Ok(outcome?)
    }

    /// Refuses somebody who is nobody of those who sign in in the same number of steps as somebody with a wrong password.
    async fn refuse(
        &self,
        loan: &Loan,
        password: &Password,
        slots: Slots,
        cause: Option<LdapError>,
    ) -> VerifyError {
        match self.bind_counted(loan, self.config.decoy(), password, slots).await {
            Err(error) if *error.code() != LdapError::new(Reason::SignInRefused).code() => error,
            _ => {
                let refused = answered(Reason::SignInRefused);
                match cause {
                    Some(cause) => refused.caused_by(cause).into(),
                    None => refused.into(),
                }
            }
        }
    }

    /// Reads by the identifier what the claims are made of. An entry that has another name by now may not be the one whose
    /// password was proved.
    async fn read_again(&self, loan: &mut Loan, found: &Entry, id: EntryId) -> Result<Claims, VerifyError> {
        let attribute = self.config.id();
        let filter = Filter::equals(&attribute.name(), attribute.write(id));
        let search = Search::new(self.config.base(), Scope::Subtree, filter)
            .attributes([attribute.name()])
            .attributes(self.config.claims().names().iter().cloned());
        let entry = loan.find_one(&search).await?.filter(|entry| entry.dn_text() == found.dn_text());
        let mut entry = entry.ok_or_else(|| answered(Reason::SignInRefused))?;
        if entry.id(attribute).map_err(LdapError::from)? != id {
            return Err(answered(Reason::EntryForeign).into());
        }
        let name = EntryName::Dn(entry.dn().map_err(LdapError::from)?);
        match loan.complete(&name, &mut entry).await {
            Ok(()) => {}
            // what could not be fetched stays under its range and is reported as cut
            Err(error) if error.reason() == Reason::TooManyEntries => {}
            Err(error) => return Err(error.into()),
        }
        let groups = match self.config.groups() {
            Some(groups) => Some(groups.of(&entry, loan).await?),
            None => None,
        };
        let mut claims = ClaimsOf::entry(&entry, self.config.claims());
        if let (Some(groups), Some(settings)) = (groups, self.config.groups()) {
            claims.list(&settings.claim, groups.names, groups.are_all);
        }
        Ok(claims.into_claims())
    }

    fn attestation(&self, id: EntryId, claims: Claims) -> Result<Attestation, VerifyError> {
        let subject = Subject::new(id.to_string());
        Ok(Attestation {
            issuer: self.config.issuer().clone(),
            subject: subject.map_err(|_| LdapError::new(Reason::ValueMalformed))?,
            // RFC 4530 §2, [MS-ADTS] §3.1.1.1.4: given once, never to another entry
            stability: Stability::Persistent,
            claims,
            assurance: Assurance {
                context: None,
                methods: vec!["pwd".to_owned()],
                authenticated_at: Some(self.clock.now()),
            },
            session: SessionHint::default(),
            checks: Checks {
                origin: Check::Made("simple bind over tls".to_owned()),
                audience: Check::NotApplicable("the bind is our own".to_owned()),
                freshness: Check::Made("the directory answered during this sign-in".to_owned()),
                replay: Check::NotApplicable("a password may be used again".to_owned()),
            },
        })
    }
}

#[async_trait]
impl Trigger for LdapTrigger {
    type Evidence = BindEvidence;

    async fn verify(&self, evidence: BindEvidence) -> Result<Event, VerifyError> {
        let BindEvidence { user_name, password, context } = evidence;
        check_name(&user_name).map_err(LdapError::from)?;
        let password = Password::new(password.as_str()).map_err(LdapError::from)?;
        // a server that is slow at each step holds nobody for longer; whatever it counted stays counted here
        let in_time = async {
            let signed_in = timeout(self.directory.limits().call, self.sign_in(&user_name, &password)).await;
            signed_in.map_err(|_| LdapError::new(Reason::Timeout).with_fate(Fate::Unknown))?
        };
        let (id, claims) = pace::refused_after(self.config.refused_after(), in_time).await?;
        let identity = self.attestor.attest(self.attestation(id, claims)?);
        let identity = identity.map_err(|error| VerifyError::permanent(error.code(), error))?;
        Ok(Event::sign_in(identity, context))
    }
}

impl fmt::Debug for LdapTrigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LdapTrigger").field("directory", &self.directory).finish_non_exhaustive()
    }
}

/// Directories pass over blanks at the ends and end some values at NUL: what a person typed has to be what is compared.
fn check_name(name: &str) -> Result<(), Reason> {
    let is_sound = !name.is_empty()
        && name.len() <= NAME_BYTES
        && name.trim() == name
        && !name.chars().any(char::is_control);
    if is_sound { Ok(()) } else { Err(Reason::UserNameMalformed) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_directories_read_in_their_own_way_are_refused() {
        for good in ["alice", "alice@example.com", "EXAMPLE\\alice", "Zoë Müller", "a*)(uid=*"] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        for bad in ["", " alice", "alice ", "alice\0junk", "ali\nce", "\u{85}", "alice\u{2003}"] {
            assert_eq!(check_name(bad), Err(Reason::UserNameMalformed), "{bad:?}");
        }
        assert!(check_name(&"a".repeat(257)).is_err());
    }
}
