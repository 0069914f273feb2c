//! Sign-in by bind at real directories, from a typed name to an account.

mod people;

use std::sync::Arc;

use jit_core::config::{self, ConnectionConfig, Format};
use jit_core::{
    Check, Clock as _, Context, ErrorClass, Event, Jit, LentAccounts, ManualClock, MemoryStore, Outcome,
    SystemClock, Trigger as _,
};
use jit_ldap::{
    Attribute, AttributeName, BindEvidence, Directory, EntryName, LdapError, LdapTrigger, Modification,
    OpenLdapTarget, Rdn, Search, SignInSettings,
};

use crate::active_directory::samba;
use crate::peer::Peer;
use crate::target::{House, World as Place, open_ldap};

const OPENLDAP: &str = r#"
tenant = "acme"
id = "directory"
issuers = ["ldap.jit.test"]
domains = ["jit.test"]
ceiling = ["role:*"]

[protocol]
issuer = "ldap.jit.test"
base = "ou=people,dc=jit,dc=test"
names = ["uid", "mail"]
filter = "(objectClass=inetOrgPerson)"
id = "entry_uuid"
claims = ["mail", "cn", "memberOf", "title"]
readable = ["memberOf"]
refused_after_ms = 0

[[mapping.entitlement]]
claim = "memberOf"
form = "dn_first_value"
under = "ou=groups,dc=jit,dc=test"
table = { staff = ["role:staff"] }

[[policy.rule]]
name = "everybody"
permit = {}
"#;

struct World {
    trigger: LdapTrigger,
    jit: Jit,
    clock: Arc<ManualClock>,
}

fn world(peer: &Peer, text: &str) -> World {
    let clock = Arc::new(ManualClock::at(SystemClock.now()));
    door(text, peer.directory(), &Arc::new(MemoryStore::new()), &clock)
}

/// The same, on the store that keeps the leases of a house.
fn world_of(house: &House, peer: &Peer, text: &str) -> World {
    door(text, peer.directory(), &house.store, &house.clock)
}

/// A way in among several that share a store.
fn door(text: &str, directory: Directory, store: &Arc<MemoryStore>, clock: &Arc<ManualClock>) -> World {
    let settings: ConnectionConfig<SignInSettings> = config::load(text, Format::Toml, "test.toml").unwrap();
    let (connection, attestor, sign_in) = settings.define().unwrap();
    let config = sign_in.check().unwrap();
    let lent = LentAccounts::of(attestor.tenant().clone(), store.clone());
    let trigger = LdapTrigger::new(config, directory, store.clone(), lent, clock.clone(), attestor);
    let jit = Jit::builder(store.clone()).connection(connection).build().unwrap();
    World { trigger, jit, clock: clock.clone() }
}

fn typed(user_name: &str, password: &str) -> BindEvidence {
    BindEvidence {
        user_name: user_name.to_owned(),
        password: zeroize::Zeroizing::new(password.to_owned()),
        context: Context::default(),
    }
}

impl World {
    async fn code(&self, user_name: &str, password: &str) -> String {
        match self.trigger.verify(typed(user_name, password)).await {
            Ok(_) => "fine".to_owned(),
            Err(error) => error.code().to_string(),
        }
    }

    /// Signs in and returns the account's number and roles.
    async fn enter(&self, user_name: &str, password: &str) -> (String, Vec<String>) {
        let outcome = self.jit.run(&self.trigger, typed(user_name, password)).await.unwrap();
        let Outcome::SignedIn(done) = outcome else { panic!("not let in: {outcome:?}") };
        let roles = done.account.grants.iter().map(|grant| grant.entitlement.to_string()).collect();
        (done.account.id.to_string(), roles)
    }
}

#[tokio::test]
async fn a_person_of_openldap_gets_an_account_and_keeps_it_under_another_name() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    let mut admin = peer.as_service().await;
    let alice = peer.below("uid=alice,ou=people");
    let staff = EntryName::Dn(peer.below("cn=staff,ou=groups"));
    let member = Attribute::new(AttributeName::MEMBER, [alice.to_string()]);
    admin.modify(&staff, &[Modification::Add(member.clone())], &[]).await.unwrap();

    let (id, roles) = world.enter("alice", "alice-password-1").await;
    assert_eq!(roles, ["role:staff"]);
    assert_eq!(world.enter("ALICE@jit.test", "alice-password-1").await.0, id, "another of her names");
    admin.modify(&staff, &[Modification::Delete(member)], &[]).await.unwrap();
    let (same, roles) = world.enter("alice", "alice-password-1").await;
    assert_eq!(
        (same, roles.len()),
        (id, 0),
        "out of the group, out of the role: the claim is readable and empty"
    );
}

#[tokio::test]
async fn the_event_says_who_and_how() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    let event = world.trigger.verify(typed("alice", "alice-password-1")).await.unwrap();
    let Event::SignIn(sign_in) = event else { panic!("a sign-in") };
    let identity = &sign_in.identity;
    let search = Search::entry(peer.below("uid=alice,ou=people")).attributes([AttributeName::ENTRY_UUID]);
    let entry = peer.as_service().await.read(&search).await.unwrap().unwrap();
    assert_eq!(identity.key().subject.as_str(), entry.text(&AttributeName::ENTRY_UUID).unwrap());
    assert_eq!(identity.key().issuer.as_str(), "ldap.jit.test");
    assert_eq!(identity.claims().get("mail").values().unwrap().text().unwrap(), "alice@jit.test");
    assert_eq!(identity.claims().get("memberOf").state(), "empty");
    assert_eq!(identity.claims().get("title").state(), "absent");
    assert_eq!(identity.assurance().methods, ["pwd"]);
    assert!(matches!(identity.checks().origin, Check::Made(_)));
    assert!(matches!(identity.checks().replay, Check::NotApplicable(_)));
}

/// The same, with groups looked up instead of read from the person.
fn with_groups_looked_up(text: &str, groups: &str) -> String {
    text.replace(
        "[[mapping.entitlement]]\nclaim = \"memberOf\"",
        "[[mapping.entitlement]]\nclaim = \"groups\"",
    )
    .replace("readable = [\"memberOf\"]", &format!("groups = {groups}"))
}

#[tokio::test]
async fn groups_are_looked_up_where_people_do_not_name_them() {
    let peer = Peer::start("slapd");
    let world = world(&peer, &with_groups_looked_up(OPENLDAP, r#"{ base = "ou=groups,dc=jit,dc=test" }"#));
    let member = Attribute::new(AttributeName::MEMBER, [peer.below("uid=alice,ou=people").to_string()]);
    let staff = EntryName::Dn(peer.below("cn=staff,ou=groups"));
    let mut admin = peer.as_service().await;
    admin.modify(&staff, &[Modification::Add(member.clone())], &[]).await.unwrap();
    assert_eq!(world.enter("alice", "alice-password-1").await.1, ["role:staff"]);
    admin.modify(&staff, &[Modification::Delete(member)], &[]).await.unwrap();
    assert_eq!(world.enter("alice", "alice-password-1").await.1.len(), 0, "no group is no group");
}

#[tokio::test]
async fn every_refusal_looks_the_same() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    for (user_name, password) in [
        ("alice", "wrong"),
        ("nobody", "wrong"),
        // bob and carol share this address
        ("shared@jit.test", "bob-password-1"),
        ("*", "alice-password-1"),
        ("alice)(uid=*", "alice-password-1"),
        // an account that is no person
        ("jit", "jit-service-password"),
    ] {
        let error = world.trigger.verify(typed(user_name, password)).await.unwrap_err();
        assert_eq!(
            (error.code().as_str(), error.class()),
            ("ldap.sign_in_refused", ErrorClass::Rejected),
            "{user_name}"
        );
    }
    assert_eq!(world.code("alice", "alice-password-1").await, "fine");
    // this server, as Active Directory, would answer a bind without a password with success
    assert_eq!(world.code("alice", "").await, "ldap.password_empty");
    assert_eq!(world.code("alice", "alice-password-1\0x").await, "ldap.password_malformed");
    for name in ["", " alice", "alice ", "alice\0"] {
        assert_eq!(world.code(name, "alice-password-1").await, "ldap.user_name_malformed");
    }
}

#[tokio::test]
async fn guessing_locks_nobody_out() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    let alice = peer.below("uid=alice,ou=people").to_string();
    let guesses: Vec<_> = (0..20).map(|number| format!("guess-{number}")).collect();
    let mut refused = Vec::new();
    for guess in &guesses {
        // by either of her names
        let name = if refused.len() % 2 == 0 { "alice" } else { "alice@jit.test" };
        refused.push(world.code(name, guess).await);
    }
    assert!(refused[..6].iter().all(|code| code == "ldap.sign_in_refused"), "three by each of her names");
    assert!(refused[6..].iter().all(|code| code == "ldap.sign_in_throttled"));
    let failures = AttributeName::new("pwdFailureTime").unwrap();
    let search = Search::entry(peer.below("uid=alice,ou=people")).attributes([failures.clone()]);
    let entry = peer.as_administrator().await.read(&search).await.unwrap().unwrap();
    assert_eq!(
        entry.values(&failures).map(<[_]>::len),
        Some(3),
        "and three in all that reached the directory"
    );
    assert_eq!(peer.bind(&alice, "alice-password-1").await, "fine", "five failures would lock her out");
    world.clock.advance(chrono::TimeDelta::minutes(31));
    assert_eq!(world.code("alice", "alice-password-1").await, "fine");
}

#[tokio::test]
async fn throttling_tells_nobody_who_exists() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    let mut told = Vec::new();
    for (plain, wide) in [("alice", "\u{ff41}lice"), ("zlice", "\u{ff5a}lice")] {
        let names = [plain, &plain.to_uppercase(), &format!("{plain}@jit.test"), wide].map(str::to_owned);
        let mut codes = Vec::new();
        for name in names {
            for _ in 0..4 {
                codes.push(world.code(&name, "guess").await);
            }
        }
        told.push(codes);
    }
    assert_eq!(told[0], told[1], "somebody by four ways to write her name, and nobody by as many");
    let once = ["refused", "refused", "refused", "throttled"].map(|word| format!("ldap.sign_in_{word}"));
    assert_eq!(told[0][..4], once);
    assert_eq!(told[0][8..12], once, "whoever types another name is told nothing of the first");
    let alice = peer.below("uid=alice,ou=people").to_string();
    assert_eq!(peer.bind(&alice, "alice-password-1").await, "fine", "five failures would lock her out");
    // by a name that nobody guessed with
    let error = world.trigger.verify(typed("Alice@JIT.test", "alice-password-1")).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.sign_in_throttled", "letters count alike");
    world.clock.advance(chrono::TimeDelta::minutes(31));
    assert_eq!(world.code("alice", "alice-password-1").await, "fine");
}

#[tokio::test]
async fn no_refusal_is_told_sooner_than_it_is_set() {
    let peer = Peer::start("slapd");
    let world = world(&peer, &OPENLDAP.replace("refused_after_ms = 0", "refused_after_ms = 300"));
    for (name, password, code, at_least) in [
        ("alice", "alice-password-1", "fine", 0),
        ("alice", "guess", "ldap.sign_in_refused", 300),
        ("zlice", "guess", "ldap.sign_in_refused", 300),
    ] {
        let begun = tokio::time::Instant::now();
        assert_eq!(world.code(name, password).await, code);
        assert!(begun.elapsed().as_millis() >= at_least, "{name}: {:?}", begun.elapsed());
    }
}

#[tokio::test]
async fn whoever_was_shut_by_another_name_is_refused_and_the_log_says_why() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    for _ in 0..3 {
        assert_eq!(world.code("alice", "guess").await, "ldap.sign_in_refused");
    }
    let error = world.trigger.verify(typed("alice@jit.test", "alice-password-1")).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.sign_in_refused");
    let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
    let cause = std::error::Error::source(cause.unwrap()).unwrap().to_string();
    assert!(cause.contains("too many sign-ins"), "{cause}");
    world.clock.advance(chrono::TimeDelta::minutes(31));
    assert_eq!(world.code("alice@jit.test", "alice-password-1").await, "fine");
}

#[tokio::test]
async fn guesses_by_two_doors_to_one_directory_count_together_and_lock_nobody_out() {
    let peer = Peer::start("slapd");
    let (store, clock) = (Arc::new(MemoryStore::new()), Arc::new(ManualClock::at(SystemClock.now())));
    let guests = OPENLDAP.replace("\"acme\"", "\"other\"").replace("\"directory\"", "\"guests\"");
    let doors = [OPENLDAP, &guests].map(|text| door(text, peer.directory(), &store, &clock));
    let mut refused = Vec::new();
    for guess in 0..6 {
        for name in ["alice", "nobody"] {
            refused.push(doors[guess % 2].code(name, &format!("guess-{guess}")).await);
        }
    }
    assert!(refused[..6].iter().all(|code| code == "ldap.sign_in_refused"), "{refused:?}");
    assert!(refused[6..].iter().all(|code| code == "ldap.sign_in_throttled"), "{refused:?}");
    let alice = peer.below("uid=alice,ou=people").to_string();
    assert_eq!(peer.bind(&alice, "alice-password-1").await, "fine", "five failures would lock her out");
    clock.advance(chrono::TimeDelta::minutes(31));
    assert_eq!(doors[0].code("alice", "alice-password-1").await, "fine");
    assert_eq!(doors[1].code("alice", "guess-7").await, "ldap.sign_in_refused", "and that ended it for both");
}

#[tokio::test]
async fn a_password_that_somebody_else_set_has_to_be_changed_first() {
    let peer = Peer::start("slapd");
    let text = OPENLDAP.replace("ou=people,dc=jit", "ou=jit,dc=jit");
    let world = world(&peer, &text);
    let attributes =
        ["objectClass=inetOrgPerson", "uid=eve", "cn=Eve", "sn=E", "userPassword=a-long-password-1"];
    let attributes = attributes.map(|pair| {
        let (name, value) = pair.split_once('=').unwrap();
        Attribute::new(AttributeName::new(name).unwrap(), [value])
    });
    let mut service = peer.as_service().await;
    let dn = peer.below("ou=jit").child(Rdn::new("uid", "eve").unwrap());
    service.add(&dn, &attributes, &[]).await.unwrap();
    assert_eq!(world.code("eve", "a-long-password-1").await, "fine");
    let reset = Attribute::new(AttributeName::new("pwdReset").unwrap(), ["TRUE"]);
    service.modify(&EntryName::Dn(dn), &[Modification::Replace(reset)], &[]).await.unwrap();
    assert_eq!(world.code("eve", "wrong").await, "ldap.sign_in_refused");
    assert_eq!(world.code("eve", "a-long-password-1").await, "ldap.password_must_change");
}

#[tokio::test]
async fn a_directory_that_is_down_is_an_outage_and_no_refusal() {
    let peer = Peer::start("slapd");
    let world = world(&peer, OPENLDAP);
    drop(peer);
    for _ in 0..4 {
        assert_eq!(
            world.code("alice", "alice-password-1").await,
            "ldap.connect_failed",
            "an outage is no failure of hers"
        );
    }
    let error = world.trigger.verify(typed("alice", "alice-password-1")).await.unwrap_err();
    assert_eq!((error.code().as_str(), error.class()), ("ldap.connect_failed", ErrorClass::Transient));
}

#[tokio::test]
async fn groups_in_groups_count_in_active_directory() {
    let peer = Peer::start("samba");
    let nested = r#"{ base = "OU=Groups,DC=jit,DC=test", nested = true }"#;
    let text = with_groups_looked_up(&of_active_directory(), nested).replace("{ staff =", "{ everybody =");
    let world = world(&peer, &text);
    // alice is in `staff`, and `staff` is in `everybody`
    assert_eq!(world.enter("alice", "Alice-Passw0rd-1").await.1, ["role:staff"]);
    assert_eq!(world.enter("bob", "Bob-Passw0rd-1").await.1.len(), 0);
}

fn of_active_directory() -> String {
    OPENLDAP
        .replace("ou=people,dc=jit,dc=test", "OU=People,DC=jit,DC=test")
        .replace("ou=groups,dc=jit,dc=test", "OU=Groups,DC=jit,DC=test")
        .replace(r#""uid", "mail""#, r#""sAMAccountName", "userPrincipalName""#)
        .replace("(objectClass=inetOrgPerson)", "(&(objectCategory=person)(objectClass=user))")
        .replace("entry_uuid", "object_guid")
}

#[tokio::test]
async fn a_person_of_active_directory_gets_an_account() {
    let peer = Peer::start("samba");
    let text = of_active_directory();
    let world = world(&peer, &text);
    let (id, roles) = world.enter("alice", "Alice-Passw0rd-1").await;
    assert_eq!(roles, ["role:staff"]);
    assert_eq!(world.enter("alice@jit.test", "Alice-Passw0rd-1").await.0, id);
    assert_eq!(world.enter("bob", "Bob-Passw0rd-1").await.1.len(), 0);
    // Samba itself takes these
    for name in ["alice@jit.test\0junk", "alice ", "alice@jit.test "] {
        assert_eq!(world.code(name, "Alice-Passw0rd-1").await, "ldap.user_name_malformed");
    }
    assert_eq!(world.code("alice", "Alice-Passw0rd-1\0junk").await, "ldap.password_malformed");
    let error = world.trigger.verify(typed("alice", "wrong")).await.unwrap_err();
    assert_eq!(error.code().as_str(), "ldap.sign_in_refused");
    let cause =
        std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>()).unwrap();
    assert!(std::error::Error::source(cause).is_some(), "the log can say more than the person is told");
    for _ in 0..8 {
        world.code("alice", "wrong").await;
    }
    world.clock.advance(chrono::TimeDelta::minutes(31));
    assert_eq!(world.code("alice", "Alice-Passw0rd-1").await, "fine", "five failures would lock her out");
}

#[tokio::test]
async fn whoever_has_to_change_a_password_of_active_directory_is_told_so_and_guesses_nothing() {
    let peer = samba().await;
    let world = world(peer, &of_active_directory().replace("\"OU=People,DC=jit", "\"OU=JIT,DC=jit"));
    let person = people::person(peer, "jit-reset").await;
    person.set("pwdLastSet", "0").await;
    assert_eq!(world.code("jit-reset", "wrong").await, "ldap.sign_in_refused");
    assert_eq!(person.failures().await, 1);
    for _ in 0..4 {
        assert_eq!(world.code("jit-reset", people::PASSWORD).await, "ldap.password_must_change");
    }
    assert_eq!(person.failures().await, 1, "none of them is a guess, and none forgets the first");
    assert_eq!(world.code("jit-reset", "wrong").await, "ldap.sign_in_refused");
    person.set("pwdLastSet", "-1").await;
    assert_eq!(world.code("jit-reset", people::PASSWORD).await, "fine", "the password was changed");
}

#[tokio::test]
async fn whoever_is_kept_out_with_the_right_password_uses_up_no_guess() {
    let peer = samba().await;
    let world = world(peer, &of_active_directory().replace("\"OU=People,DC=jit", "\"OU=JIT,DC=jit"));
    for (name, kind, shut, open) in [
        ("jit-out-of-use", "userAccountControl", &b"514"[..], &b"512"[..]),
        ("jit-over", "accountExpires", b"1", b"0"),
        ("jit-hours", "logonHours", &[0; 21], &[0xff; 21]),
    ] {
        let person = people::person(peer, name).await;
        person.set(kind, shut).await;
        for _ in 0..3 {
            assert_eq!(world.code(name, people::PASSWORD).await, "ldap.sign_in_refused", "{kind}");
        }
        assert_eq!(person.failures().await, 0, "{kind}");
        person.set(kind, open).await;
        // whoever sees refusals only is told nothing by what one more of them is
        let other = format!("{name}@jit.test");
        assert_eq!(world.code(&other, people::PASSWORD).await, "fine", "{kind}");
    }
}

#[tokio::test]
async fn what_was_made_for_a_time_is_nobody_who_signs_in() {
    for place in Place::both().await {
        let house = House::behind(place.target(), 0).await;
        let out = house.out(30).await;
        // the base spans the place of temporary accounts
        let text = match &place {
            Place::OpenLdap(_) => OPENLDAP.replace("\"ou=people,dc=jit", "\"dc=jit"),
            Place::Windows(_) => of_active_directory().replace("\"OU=People,DC=jit", "\"OU=JIT,DC=jit"),
        };
        let lent = world(place.peer(), &text);
        let error = lent.trigger.verify(typed(&out.name, out.secret.reveal())).await.unwrap_err();
        assert_eq!(error.code().as_str(), "ldap.sign_in_refused");
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
        let cause = std::error::Error::source(cause.unwrap()).unwrap().to_string();
        assert!(cause.contains("made for a time"), "the log can say why: {cause}");
        // it is the mark that keeps it out
        let text = text.replace("[protocol]", "[protocol]\nmarker = \"title\"");
        assert_eq!(world(place.peer(), &text).code(&out.name, out.secret.reveal()).await, "fine");
        house.check_in(out.lease).await.unwrap();
    }
}

#[tokio::test]
async fn what_was_made_for_a_time_signs_in_as_nobody_also_where_its_marker_was_taken_away() {
    for place in Place::both().await {
        let house = House::behind(place.target(), 0).await;
        let out = house.out(30).await;
        let entry = EntryName::Dn(place.dn(&out.name));
        let mut administrator = place.administrator().await;
        let search = Search::entry(place.dn(&out.name)).attributes([place.marker()]);
        let before = administrator.read(&search).await.unwrap().unwrap();
        let marker = Attribute::new(place.marker(), before.values(&place.marker()).unwrap().to_vec());
        let hired = Modification::Replace(Attribute::new(place.marker(), ["one of us now"]));
        administrator.modify(&entry, &[hired], &[]).await.unwrap();
        let text = match &place {
            Place::OpenLdap(_) => OPENLDAP.replace("\"ou=people,dc=jit", "\"dc=jit"),
            Place::Windows(_) => of_active_directory().replace("\"OU=People,DC=jit", "\"OU=JIT,DC=jit"),
        };
        // it is the lease that keeps it out
        assert_eq!(world(place.peer(), &text).code(&out.name, out.secret.reveal()).await, "fine");
        let beside = world_of(&house, place.peer(), &text);
        let error = beside.trigger.verify(typed(&out.name, out.secret.reveal())).await.unwrap_err();
        assert_eq!(error.code().as_str(), "ldap.sign_in_refused");
        let cause = std::error::Error::source(&error).and_then(|cause| cause.downcast_ref::<LdapError>());
        let cause = std::error::Error::source(cause.unwrap()).unwrap().to_string();
        assert!(cause.contains("made for a time"), "the log can say why: {cause}");
        // its end leaves alone what is not marked, and from then on it is nobody all the same
        let lease = house.check_in(out.lease).await.unwrap();
        assert_eq!(lease.phase.word(), "quarantined");
        assert_eq!(beside.code(&out.name, out.secret.reveal()).await, "ldap.sign_in_refused");
        administrator.modify(&entry, &[Modification::Replace(marker)], &[]).await.unwrap();
        house.check_in(out.lease).await.unwrap();
        assert!(!place.exists(&place.dn(&out.name)).await);
    }
}

#[tokio::test]
async fn what_any_target_of_the_directory_made_for_a_time_signs_in_as_nobody() {
    let peer = Peer::start("slapd");
    let text = OPENLDAP.replace("\"ou=people,dc=jit", "\"dc=jit");
    let both = text.replace("[protocol]", "[protocol]\nmarker = [\"description\", \"title\"]");
    for marker in ["description", "title"] {
        let mut settings = open_ldap(&peer);
        settings.marker = marker.to_owned();
        let target = OpenLdapTarget::new(peer.directory(), &settings).unwrap();
        assert_eq!(target.marker().as_str(), marker);
        let house = House::behind(Arc::new(target), 0).await;
        let out = house.out(30).await;
        assert_eq!(world(&peer, &both).code(&out.name, out.secret.reveal()).await, "ldap.sign_in_refused");
        // a door that knows the other target only lets them in
        let other = if marker == "title" { "description" } else { "title" };
        let one = text.replace("[protocol]", &format!("[protocol]\nmarker = \"{other}\""));
        assert_eq!(world(&peer, &one).code(&out.name, out.secret.reveal()).await, "fine");
        house.check_in(out.lease).await.unwrap();
    }
    assert_eq!(world(&peer, &both).code("alice", "alice-password-1").await, "fine");
}
