use jit_core::{
    Account, AccountId, AccountState, AccountWrite, AdminAct, AuditEvent, AuditOutcome, Code, Commit,
    Entitlement, Entropy as _, ErrorKind, Grant, Mint, Provenance, Source, SystemEntropy, UserName,
};
use serde::Serialize;

use crate::checkout::DONE;
use crate::checkout::failure::Failure;
use crate::checkout::house::House;
use crate::checkout::report::Report;

/// Shows somebody who can check out.
#[derive(Serialize)]
struct PersonLine {
    account: AccountId,
    user: String,
    state: &'static str,
    roles: Vec<String>,
}

/// Makes an account, or gives the roles that are missing to the one that has the name.
pub(super) async fn add(
    house: &House,
    name: UserName,
    roles: Vec<Entitlement>,
    report: &mut Report<'_>,
) -> Result<u8, Failure> {
    let account = match house.person(&name).await? {
        Some(account) if matches!(account.state, AccountState::Ended { .. }) => {
            return Err(Failure::refused("account.ended"));
        }
        Some(account) => give(house, account, roles).await?,
        None => make(house, name, roles).await?,
    };
    show(house, &account, report)
}

/// Ends an account; the next `sweep` ends what is lent to it.
pub(super) async fn end(house: &House, name: &UserName, report: &mut Report<'_>) -> Result<u8, Failure> {
    let account = house.person(name).await?.ok_or(Failure::refused("account.unknown"))?;
    let account = house.act(account.id, AdminAct::End).await?;
    show(house, &account, report)
}

/// Frees what an ended account still has; where nobody has the name, it is taken for that of an account.
pub(super) async fn release(house: &House, whom: &UserName, report: &mut Report<'_>) -> Result<u8, Failure> {
    let account = house.person_or_account(whom).await?;
    let freed = House::name_of(&account);
    let account = house.act(account.id, AdminAct::Release).await?;
    show_as(house, &account, freed, report)
}

async fn make(house: &House, name: UserName, roles: Vec<Entitlement>) -> Result<Account, Failure> {
    let now = house.now();
    let mut seed = [0; 16];
    SystemEntropy.fill(&mut seed)?;
    let mut mint = Mint::new(now, seed);
    let mut account = Account::begin(mint.account(), house.tenant.clone(), AccountState::Active, now);
    account.user_name = Some(name);
    for role in roles {
        let grant = Grant::new(mint.grant(), role, Provenance::of(Source::Administrator), now);
        account.grants.push(grant);
    }
    let mut commit = Commit::new(house.tenant.clone());
    commit.events.push(AuditEvent {
        id: mint.event(),
        at: now,
        tenant: house.tenant.clone(),
        actor: house.actor(),
        action: Code::new("account.created"),
        account: Some(account.id),
        outcome: AuditOutcome::Done,
        rule: None,
        changes: Vec::new(),
    });
    commit.account = Some(AccountWrite::create(account.clone()));
    match house.store.commit(&commit).await {
        Ok(()) => Ok(account),
        Err(error) if matches!(error.kind(), ErrorKind::AlreadyExists(_)) => {
            Err(Failure::refused("name.taken"))
        }
        Err(error) => Err(error.into()),
    }
}

async fn give(house: &House, mut account: Account, roles: Vec<Entitlement>) -> Result<Account, Failure> {
    for entitlement in roles {
        if !account.holds(&entitlement, house.now()) {
            account = house.act(account.id, AdminAct::Give { entitlement, ends_at: None }).await?;
        }
    }
    Ok(account)
}

fn show(house: &House, account: &Account, report: &mut Report<'_>) -> Result<u8, Failure> {
    show_as(house, account, House::name_of(account), report)
}

fn show_as(house: &House, account: &Account, user: String, report: &mut Report<'_>) -> Result<u8, Failure> {
    let roles = house.roles_of(account);
    let line = PersonLine { account: account.id, user, state: account.state.word(), roles };
    let facts = [
        ("user", line.user.clone()),
        ("account", line.account.to_string()),
        ("state", line.state.to_owned()),
        ("roles", line.roles.join(" ")),
    ];
    report.one(&line, &facts)?;
    Ok(DONE)
}
