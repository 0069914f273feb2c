//! The faults of reading accounts.

use std::num::NonZeroUsize;

use jit_core::{
    Account, AccountId, AccountState, BackendError, Cursor, ExternalKey, Filter, LookupKey, Matches, Page,
    Query, TenantId, UserStore as _,
};
use unicode_normalization::UnicodeNormalization as _;

use crate::{faulty::Faulty, table::Fault};

impl Faulty {
    /// Every account of a tenant.
    pub(crate) async fn all(&self, tenant: &TenantId) -> Result<Vec<Account>, BackendError> {
        let limit = 1_000.try_into().unwrap();
        let query = Query { tenant: tenant.clone(), filter: Filter::All, after: None, limit };
        Ok(self.inner.list(&query).await?.items)
    }

    /// Every account of every tenant.
    pub(crate) async fn everybody(&self) -> Result<Vec<Account>, BackendError> {
        let tenants = self.tenants();
        let mut accounts = Vec::new();
        for tenant in &tenants {
            accounts.extend(self.all(tenant).await?);
        }
        Ok(accounts)
    }

    /// What an account looks like when it is read.
    pub(crate) fn seen_as(&self, mut account: Account) -> Account {
        match self.fault {
            Fault::LosesConsents => account.consents.clear(),
            Fault::ConfusesStates => {
                if let AccountState::Suspended { reason, since } = account.state {
                    account.state = AccountState::Disabled { reason, since };
                }
            }
            Fault::KeepsMillis => {
                let millis = account.created_at.timestamp_millis();
                account.created_at = chrono::DateTime::from_timestamp_millis(millis).unwrap();
            }
            Fault::EndsAtNul => {
                for value in account.attributes.values_mut().flatten() {
                    value.text = value.text.split('\0').next().unwrap().to_owned();
                }
            }
            Fault::MergesGrants => {
                account.grants.sort_by(|a, b| a.entitlement.cmp(&b.entitlement));
                account.grants.dedup_by(|a, b| a.entitlement == b.entitlement);
            }
            Fault::TouchSets | Fault::CommitSetsSeen => {
                if let Some(seen) = self.memo().seen.get(&account.id) {
                    account.last_seen = *seen;
                }
            }
            _ => {}
        }
        account
    }

    fn is_shown(&self, account: &Account) -> bool {
        !self.has(Fault::HidesEnded) || account.state.word() != "ended"
    }

    pub(crate) async fn faulty_find(&self, key: &ExternalKey) -> Result<Option<Account>, BackendError> {
        let first = |accounts: Vec<Account>, same: &dyn Fn(&ExternalKey) -> bool| {
            accounts.into_iter().find(|account| account.identities.iter().any(|identity| same(&identity.key)))
        };
        let found = match self.fault {
            Fault::FindForgetsTenant => first(self.everybody().await?, &|other| other.subject == key.subject),
            Fault::FoldsCase
            | Fault::TrimsSubjects
            | Fault::ComposesSubjects
            | Fault::NormalisesSubjects
            | Fault::MatchesPatterns
            | Fault::ForgetsIssuer
            | Fault::JoinsKeyParts
            | Fault::CutsSubjects => {
                first(self.all(&key.tenant).await?, &|other| alike(self.fault, key, other))
            }
            Fault::KeepsOldIdentities => {
                let id = self.memo().identities.get(key).copied();
                self.by_id(&key.tenant, id).await?
            }
            Fault::IndexesFirstIdentity => {
                let found = self.inner.find(key).await?;
                found.filter(|account| account.identities.first().is_some_and(|first| first.key == *key))
            }
            _ => self.inner.find(key).await?,
        };
        Ok(found.filter(|account| self.is_shown(account)))
    }

    pub(crate) async fn faulty_get(
        &self,
        tenant: &TenantId,
        id: AccountId,
    ) -> Result<Option<Account>, BackendError> {
        match self.fault {
            Fault::GetsTheFirst => Ok(self.all(tenant).await?.into_iter().next()),
            Fault::GetForgetsTenant => {
                Ok(self.everybody().await?.into_iter().find(|account| account.id == id))
            }
            _ => self.inner.get(tenant, id).await,
        }
    }

    pub(crate) async fn faulty_named(
        &self,
        tenant: &TenantId,
        key: &str,
    ) -> Result<Option<Account>, BackendError> {
        let name = |account: &Account| account.user_name.as_ref().map(|name| name.key().to_owned());
        let found = match self.fault {
            Fault::NamesByPrefix => {
                let all = self.all(tenant).await?;
                all.into_iter().find(|account| name(account).is_some_and(|name| name.starts_with(key)))
            }
            Fault::FoldsNames => self.inner.named(tenant, key.trim().to_lowercase().as_str()).await?,
            Fault::NamedForgetsTenant => {
                self.everybody().await?.into_iter().find(|account| name(account).as_deref() == Some(key))
            }
            Fault::KeepsOldNames => {
                let id = self.memo().names.get(&(tenant.clone(), key.to_owned())).copied();
                self.by_id(tenant, id).await?
            }
            Fault::NoNameIsAName if key.is_empty() => self.all(tenant).await?.into_iter().next(),
            _ => self.inner.named(tenant, key).await?,
        };
        Ok(found.filter(|account| self.is_shown(account)))
    }

    async fn by_id(&self, tenant: &TenantId, id: Option<AccountId>) -> Result<Option<Account>, BackendError> {
        match id {
            Some(id) => self.inner.get(tenant, id).await,
            None => Ok(None),
        }
    }

    pub(crate) async fn faulty_matching(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
    ) -> Result<Matches, BackendError> {
        let among = |accounts: Vec<Account>, same: &dyn Fn(&LookupKey) -> bool| {
            let mut found: Vec<_> =
                accounts.into_iter().filter(|account| account.lookup_keys().iter().any(same)).collect();
            match found.len() {
                0 => Matches::None,
                1 => found.pop().map_or(Matches::None, |account| Matches::One(Box::new(account))),
                _ => Matches::Several,
            }
        };
        let fold = |text: &str| text.trim().to_lowercase();
        let found = match self.fault {
            Fault::MatchingForgetsTenant => among(self.everybody().await?, &|other| other == key),
            Fault::ForgetsLookupKind => among(self.all(tenant).await?, &|other| other.value == key.value),
            Fault::FoldsLookups => {
                among(self.all(tenant).await?, &|other| fold(&other.value) == fold(&key.value))
            }
            Fault::CutsLookups => {
                let cut = |text: &str| text.chars().take(255).collect::<String>();
                among(self.all(tenant).await?, &|other| cut(&other.value) == cut(&key.value))
            }
            Fault::KeepsOldLookups => {
                let id = self.memo().lookups.get(&(tenant.clone(), key.clone())).copied();
                let account = self.by_id(tenant, id).await?;
                account.map_or(Matches::None, |account| Matches::One(Box::new(account)))
            }
            _ => self.inner.matching(tenant, key).await?,
        };
        Ok(match (self.fault, found) {
            (Fault::NoneIsSeveral, Matches::None) => Matches::Several,
            (Fault::FirstOfSeveral, Matches::Several) => {
                let first = self.all(tenant).await?.into_iter().next();
                first.map_or(Matches::None, |account| Matches::One(Box::new(account)))
            }
            (_, Matches::One(account)) if !self.is_shown(&account) => Matches::None,
            (_, found) => found,
        })
    }

    pub(crate) async fn faulty_bearers(
        &self,
        tenant: &TenantId,
        key: &LookupKey,
        after: Option<Cursor>,
        limit: NonZeroUsize,
    ) -> Result<Page<AccountId>, BackendError> {
        let mut page = self.inner.bearers(tenant, key, after, limit).await?;
        if self.has(Fault::ForgetsWhatWasMade) {
            let (mut kept, all) = (Vec::new(), std::mem::take(&mut page.items));
            for id in all {
                kept.extend(self.inner.get(tenant, id).await?.map(|account| account.id));
            }
            page.items = kept;
        }
        Ok(Page { next: page.next.filter(|_| self.fault != Fault::BearersEndEarly), ..page })
    }

    pub(crate) async fn faulty_list(&self, query: &Query) -> Result<Page<Account>, BackendError> {
        let page = self.inner.list(query).await?;
        match self.fault {
            Fault::ListForgetsTenant => Ok(Page { items: self.everybody().await?, next: None }),
            Fault::ListsByUpdate => {
                let mut accounts = self.all(&query.tenant).await?;
                accounts.sort_by_key(|account| (account.updated_at, account.id));
                Ok(cut(accounts, query))
            }
            Fault::FiltersAsCreated => {
                let mut accounts = self.all(&query.tenant).await?;
                let memo = self.memo();
                accounts.retain(|account| {
                    let created = memo.created.get(&(account.tenant.clone(), account.id));
                    created.is_some_and(|created| passes(&query.filter, created))
                });
                Ok(cut(accounts, query))
            }
            Fault::FiltersInForce => {
                let mut page = page;
                page.items.retain(|account| account.grants.iter().any(|grant| grant.ends_at.is_none()));
                Ok(page)
            }
            Fault::SkipsAfterPage | Fault::RepeatsAfterPage | Fault::FullPageGoesOn => {
                Ok(self.turn_badly(page, query).await?)
            }
            _ => Ok(page),
        }
    }

    /// Gives a page a wrong cursor.
    async fn turn_badly(&self, page: Page<Account>, query: &Query) -> Result<Page<Account>, BackendError> {
        let all = self.all(&query.tenant).await?;
        let last = page.items.last().and_then(|last| all.iter().position(|account| account.id == last.id));
        let to = last.and_then(|last| match self.fault {
            Fault::SkipsAfterPage => all.get(last + 1),
            Fault::RepeatsAfterPage => all.get(last.wrapping_sub(1)),
            _ => all.get(last),
        });
        let next = to.map(|account| Cursor::after(account.id.as_uuid()));
        let keep = page.next.is_some() || self.has(Fault::FullPageGoesOn);
        Ok(Page { next: next.filter(|_| keep), ..page })
    }
}

fn passes(filter: &Filter, account: &Account) -> bool {
    match filter {
        Filter::State(word) => account.state.word() == *word,
        Filter::Holding(entitlement) => account.grants.iter().any(|grant| grant.entitlement == *entitlement),
        Filter::Bearing(key) => account.lookup_keys().contains(key),
        _ => true,
    }
}

/// Cuts a page out of accounts in whatever order.
fn cut(accounts: Vec<Account>, query: &Query) -> Page<Account> {
    let after = query
        .after
        .and_then(|cursor| accounts.iter().position(|account| account.id.as_uuid() == cursor.id()));
    let rest: Vec<Account> = accounts.into_iter().skip(after.map_or(0, |at| at + 1)).collect();
    let more = rest.len() > query.limit.get();
    let items: Vec<Account> = rest.into_iter().take(query.limit.get()).collect();
    let next = items.last().filter(|_| more).map(|last| Cursor::after(last.id.as_uuid()));
    Page { items, next }
}

/// Tells whether a backend with this fault takes two keys for one.
fn alike(fault: Fault, asked: &ExternalKey, stored: &ExternalKey) -> bool {
    let form = |key: &ExternalKey| -> String {
        let subject = key.subject.as_str();
        match fault {
            Fault::FoldsCase => subject.to_lowercase(),
            Fault::TrimsSubjects => subject.trim().to_owned(),
            Fault::ComposesSubjects => subject.nfc().collect(),
            Fault::NormalisesSubjects => {
                subject.nfkc().filter(|c| !matches!(c, '\u{200b}' | '\u{ad}')).collect()
            }
            Fault::CutsSubjects => subject.chars().take(255).collect(),
            Fault::JoinsKeyParts => format!("{}{}{subject}", key.connection, key.issuer),
            _ => subject.to_owned(),
        }
    };
    let pattern =
        fault == Fault::MatchesPatterns && asked.subject.as_str().len() == stored.subject.as_str().len();
    if pattern {
        let mut pairs = asked.subject.as_str().chars().zip(stored.subject.as_str().chars());
        return pairs.all(|(asked, stored)| asked == stored || matches!(asked, '%' | '_'));
    }
    form(asked) == form(stored)
}
