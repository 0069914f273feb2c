//! Alice, who is in already, and whoever comes over another source with her address.

use std::sync::Arc;

use jit_core::*;
use serde_json::{Value, json};

use crate::support::*;

pub(crate) const VICTIM: &str = "alice@example.com";

pub(crate) fn verified(address: &str) -> Value {
    json!({"email": address, "email_verified": true})
}

/// Speaks for example.com (0), beside a source that links by address after a proof (1).
pub(crate) fn corp() -> Wire {
    wire("corp").speaks_for("example.com")
}

pub(crate) fn other(asks: &[Ask]) -> Wire {
    let asks = asks.to_vec();
    wire("other").links_by(LinkBy::Email(MailLink::AfterProof)).decides(move |_| hold(&asks))
}

/// Alice is in already, over `corp`.
pub(crate) async fn with_alice(asks: &[Ask]) -> (House, Account) {
    let house = house(vec![corp(), other(asks)]);
    let alice = Arc::unwrap_or_clone(house.enter(0, "alice-1", verified(VICTIM)).await.account);
    (house, alice)
}

pub(crate) fn terms() -> Ask {
    Ask::Consent("terms".into())
}

pub(crate) fn consent() -> Reply {
    Reply { consents: ["terms".to_owned()].into(), ..Reply::default() }
}

pub(crate) fn by_mail(token: &str) -> Reply {
    Reply { link: Some(LinkAnswer::Mail(token.into())), ..Reply::default() }
}

pub(crate) fn by_identity(identity: VerifiedIdentity) -> Reply {
    Reply { link: Some(LinkAnswer::OtherIdentity(Box::new(identity))), ..Reply::default() }
}

pub(crate) fn named(name: &str) -> Reply {
    Reply { user_name: Some(UserName::new(name).unwrap()), ..Reply::default() }
}

impl House {
    /// Answers and expects another question.
    pub(crate) async fn again(&self, ticket: &Ticket, reply: Reply) -> Held {
        match self.jit.answer(ticket, reply).await {
            Ok(Outcome::Held(held)) => *held,
            other => panic!("expected to be held: {other:?}"),
        }
    }

    /// Answers and expects to be let in.
    pub(crate) async fn let_in(&self, ticket: &Ticket, reply: Reply) -> Account {
        match self.jit.answer(ticket, reply).await {
            Ok(Outcome::SignedIn(signed_in)) => Arc::unwrap_or_clone(signed_in.account),
            other => panic!("expected to be signed in: {other:?}"),
        }
    }

    /// Answers and expects a refusal.
    pub(crate) async fn refused(&self, ticket: &Ticket, reply: Reply) -> String {
        self.jit.answer(ticket, reply).await.unwrap_err().code().to_string()
    }

    pub(crate) async fn actions(&self, account: AccountId) -> Vec<String> {
        let about = self.trail().await.into_iter().filter(|event| event.account == Some(account));
        about.map(|event| event.action.to_string()).collect()
    }
}

pub(crate) async fn set_email(store: &dyn Store, id: AccountId, address: &str) {
    let before = store.get(&tenant(), id).await.unwrap().unwrap();
    let mut after = before.clone();
    after.email.as_mut().unwrap().address = EmailAddress::new(address).unwrap();
    let commit = Commit { account: Some(AccountWrite::update(&before, after)), ..Commit::new(tenant()) };
    store.commit(&commit).await.unwrap();
}
