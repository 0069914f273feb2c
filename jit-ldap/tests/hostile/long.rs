//! Work that a server draws out: many answers, each of them in time.

use std::sync::Arc;
use std::time::Duration;

use jit_core::{
    Context, LentAccounts, Listing, ManualClock, MemoryStore, Target as _, Trigger as _,
    config::{self, ConnectionConfig, Format},
};
use jit_ldap::{
    BindEvidence, Directory, LdapTrigger, OpenLdapSettings, OpenLdapTarget, Password, PoolSettings,
    ServiceAccount, SignInSettings,
};
use tokio::time::Instant;

use crate::ber::{attribute, bound, controlled, done, entry, message, tlv};
use crate::server::{Act, Asked, connection, limits};

const PAGED: &str = "1.2.840.113556.1.4.319";

async fn directory(mut script: impl FnMut(Asked) -> Vec<Act> + Send + 'static) -> Directory {
    let mut connection = connection(move |asked| match asked.op {
        0x60 => vec![Act::Say(message(asked.id, &bound()))],
        _ => script(asked),
    });
    connection.bind("jit@x", &Password::new("a password").unwrap(), &[]).await.unwrap();
    let mut pool = PoolSettings::default();
    pool.limits = limits();
    pool.limits.call = Duration::from_secs(20);
    Directory::dangerously_over(connection, &ServiceAccount::new("jit@x", "a password").unwrap(), pool)
}

/// A page of so many entries; there is always another one.
fn page(id: i32, count: usize, attributes: &[Vec<u8>]) -> Vec<u8> {
    let one = message(id, &entry("uid=jit-1,ou=jit,dc=x", attributes));
    let value = tlv(0x30, &[tlv(2, &[0]), tlv(4, b"more")].concat());
    [one.repeat(count), controlled(id, &done(0), &[(PAGED, &value)])].concat()
}

async fn listing(script: impl FnMut(Asked) -> Vec<Act> + Send + 'static) -> (Listing, Duration) {
    let settings = OpenLdapSettings::new("ou=jit,dc=x", ("jit", "ou=jit,dc=x"));
    let target = OpenLdapTarget::new(directory(script).await, &settings).unwrap();
    let began = Instant::now();
    (target.list(None).await.unwrap(), began.elapsed())
}

fn why(listing: &Listing) -> &str {
    match listing {
        Listing::Partial(_, code) => code.as_str(),
        Listing::Complete(_) | Listing::More(..) => "whole",
    }
}

#[tokio::test(start_paused = true)]
async fn a_listing_ends_also_where_nothing_of_it_is_one_of_ours() {
    let nobody = |asked: Asked| match asked.id {
        ..400 => vec![Act::Say(page(asked.id, 900, &[]))],
        _ => vec![Act::Close],
    };
    assert_eq!(why(&listing(nobody).await.0), "ldap.too_many_entries");
    let large = |asked: Asked| match asked.id {
        ..400 => vec![Act::Say(page(asked.id, 1, &[attribute("uid", &[vec![b'x'; 1 << 20]])]))],
        _ => vec![Act::Close],
    };
    assert_eq!(why(&listing(large).await.0), "ldap.too_many_entries");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_comes_slowly_ends_in_its_time() {
    let slow = |asked: Asked| match asked.id {
        ..400 => vec![Act::Late(Duration::from_secs(5), page(asked.id, 1, &[]))],
        _ => vec![Act::Close],
    };
    let (listing, took) = listing(slow).await;
    assert_eq!((why(&listing), took), ("ldap.timeout", Duration::from_secs(600)));
}

const DOOR: &str = r#"
tenant = "acme"
id = "directory"

issuers = ["ldap.x"]

[protocol]
issuer = "ldap.x"
base = "ou=people,dc=x"
names = ["uid"]
id = "entry_uuid"

[[policy.rule]]
name = "everybody"
permit = {}
"#;

#[tokio::test(start_paused = true)]
async fn a_sign_in_at_a_slow_server_ends_in_its_time() {
    let reference = |id| message(id, &tlv(0x73, &tlv(4, b"ldap://x")));
    let slow = move |asked: Asked| {
        let late = (0..8).map(|_| Act::Late(Duration::from_secs(5), reference(asked.id)));
        late.chain([Act::Say(message(asked.id, &done(0)))]).collect()
    };
    let door: ConnectionConfig<SignInSettings> = config::load(DOOR, Format::Toml, "test.toml").unwrap();
    let (_, attestor, settings) = door.define().unwrap();
    let clock = Arc::new(ManualClock::at("2027-01-15T08:00:00Z".parse().unwrap()));
    let store = Arc::new(MemoryStore::new());
    let config = settings.check().unwrap();
    let lent = LentAccounts::of(attestor.tenant().clone(), store.clone());
    let trigger = LdapTrigger::new(config, directory(slow).await, store, lent, clock, attestor);
    let typed = BindEvidence {
        user_name: "alice".to_owned(),
        password: zeroize::Zeroizing::new("a password".to_owned()),
        context: Context::default(),
    };
    let began = Instant::now();
    let refused = trigger.verify(typed).await.unwrap_err();
    assert_eq!((refused.code().as_str(), began.elapsed()), ("ldap.timeout", Duration::from_secs(20)));
}
