//! What our account may no longer see: a directory says of it what it says of what is not there.

use chrono::TimeDelta;
use jit_core::*;
use jit_ldap::{
    ActiveDirectoryTarget, Attribute, AttributeName, Connection, Dn, EntryName, Filter, Modification,
    OpenLdapTarget, Rdn, Scope, Search,
};

use super::house::{House, World, absent, administrator_of, made, open_ldap, secret, tenant, windows};
use crate::peer::Peer;

/// Changes the rules of OpenLDAP on who may see what. That on passwords goes before: whoever is hidden can still bind.
async fn change_rules(peer: &Peer, change: impl Fn(Attribute) -> Modification, value: &str) {
    let rules = EntryName::Dn(Dn::parse("olcDatabase={1}mdb,cn=config").unwrap());
    let value = Attribute::new(AttributeName::new("olcAccess").unwrap(), [value]);
    peer.as_configurator().await.modify(&rules, &[change(value)], &[]).await.unwrap();
}

async fn hide(peer: &Peer, what: &str, dn: &str) {
    let rule = format!("{{1}}to dn.{what}=\"{}\" by * none", peer.below(dn));
    change_rules(peer, Modification::Add, &rule).await;
}

/// Lets everything of these entries be seen but this.
pub(super) async fn hide_of(peer: &Peer, what: &str, dn: &str, attribute: &str) {
    let rule = format!("{{1}}to dn.{what}=\"{}\" attrs={attribute} by * none", peer.below(dn));
    change_rules(peer, Modification::Add, &rule).await;
}

/// Lets everything of these entries be seen but what they are called for good.
pub(super) async fn hide_identifier(peer: &Peer, what: &str, dn: &str) {
    hide_of(peer, what, dn, "entryUUID").await;
}

pub(super) async fn reveal(peer: &Peer) {
    change_rules(peer, Modification::Delete, "{1}").await;
}

/// Ends a lease while its account is hidden: whoever has its secret logs in by it, and the end comes again.
pub(super) async fn stays_while_hidden(peer: &Peer, house: &House, out: &CheckedOut, dn: &Dn, how: &str) {
    assert_eq!(house.check_in(out.lease).await.unwrap().phase.word(), "ending", "{how}");
    assert_eq!(peer.bind(&dn.to_string(), out.secret.reveal()).await, "fine", "{how}");
    for _ in 0..3 {
        assert_eq!(house.an_hour_later().await.failed, 1, "{how}: it comes again");
    }
}

/// Shows an account again whose lease was to end.
pub(super) async fn ends_once_shown(world: &World, house: &House, dn: &Dn, how: &str) {
    reveal(world.peer()).await;
    assert_eq!(house.an_hour_later().await.failed, 0, "{how}");
    assert!(!world.exists(dn).await && !world.is_member("ops", dn).await, "{how}");
}

#[tokio::test]
async fn an_account_that_we_may_not_see_any_longer_is_not_called_gone() {
    let world = World::open_ldap();
    let (peer, target) = (world.peer(), world.target());
    let house = House::behind(target.clone(), 0).await;
    for what in ["subtree", "children"] {
        let out = house.out(30).await;
        let dn = world.dn(&out.name);
        // one that is in no group: nothing else names it
        let alone = made(target.as_ref(), &format!("jit-alone-{what}"), &[], &secret()).await;
        hide(peer, what, "ou=jit").await;
        stays_while_hidden(peer, &house, &out, &dn, what).await;
        for known in [Some(()), None] {
            let remote = RemoteRef { native: known.and(alone.native.clone()), ..alone.clone() };
            let error = target.ensure(&absent(&remote)).await.unwrap_err();
            assert_eq!(error.code().as_str(), "target.forbidden", "{what} {known:?}: {error:?}");
        }
        assert!(world.is_member("ops", &dn).await);
        ends_once_shown(&world, &house, &dn, what).await;
        assert_eq!(target.ensure(&absent(&alone)).await.unwrap(), Effect::Absent { was_there: true });
    }
}

#[tokio::test]
async fn an_account_that_we_may_not_see_any_longer_is_neither_lost_nor_settled() {
    let world = World::open_ldap();
    let (peer, target) = (world.peer(), world.target());
    let house = House::behind(target, 0).await;
    let mut request = house.request("admin", 30);
    request.key = Some("once".to_owned());
    let live = house.jit.check_out(&request).await.unwrap();
    let taken = house.out(30).await;
    let none = Attribute::new(world.marker(), Vec::<Vec<u8>>::new());
    let unmark = [Modification::Replace(none)];
    let name = EntryName::from(&world.dn(&taken.name));
    world.administrator().await.modify(&name, &unmark, &[]).await.unwrap();
    assert_eq!(house.check_in(taken.lease).await.unwrap().phase.word(), "quarantined");

    hide(peer, "subtree", "ou=jit").await;
    let longer =
        async || house.jit.extend(None, &tenant(), live.lease, TimeDelta::hours(7), house.by()).await;
    assert_eq!(longer().await.unwrap_err().code().as_str(), "target.forbidden");
    house.clock.advance(TimeDelta::minutes(3));
    assert_eq!(house.jit.check_out(&request).await.unwrap_err().code().as_str(), "target.forbidden");
    reveal(peer).await;
    house.clock.advance(TimeDelta::minutes(3));
    longer().await.unwrap();

    hide(peer, "subtree", "ou=jit").await;
    house.clock.advance(TimeDelta::hours(2));
    assert_eq!(house.work().await.failed, 1, "what is quarantined stays so");
    reveal(peer).await;
    let still = house.check_in(taken.lease).await.unwrap_err();
    assert_eq!(still.code().as_str(), "lease.quarantined");
    assert_eq!(house.check_in(live.lease).await.unwrap().phase.word(), "gone");
}

/// A target that lends groups to people, all of them or all but one.
pub(super) fn lender(peer: &Peer, without: Option<&str>) -> std::sync::Arc<dyn Target> {
    let mut settings = open_ldap(peer);
    settings.people = Some(peer.below("ou=people").to_string());
    settings.groups.retain(|name, _| Some(name.as_str()) != without);
    std::sync::Arc::new(OpenLdapTarget::new(peer.directory(), &settings).unwrap())
}

/// Ends what was lent to Alice while so much is hidden, and shows it again: what a group gives stays hers until then.
pub(super) async fn loses_once_shown(
    world: &World,
    house: &House,
    group: &str,
    hidden: impl AsyncFnOnce(&Peer) -> usize,
) {
    let (peer, alice) = (world.peer(), world.peer().below("uid=alice,ou=people"));
    let role = format!("lift-{group}");
    let lent = house.jit.elevate(&house.request(&role, 30), Some("alice")).await.unwrap();
    let rules = hidden(peer).await;
    assert_eq!(house.check_in(lent.lease).await.unwrap().phase.word(), "ending", "{group}");
    assert_eq!(house.an_hour_later().await.failed, 1, "{group}: it comes again");
    for _ in 0..rules {
        reveal(peer).await;
    }
    assert!(world.is_member(group, &alice).await, "{group}");
    assert_eq!(house.an_hour_later().await.failed, 0, "{group}");
    assert!(!world.is_member(group, &alice).await, "{group}");
}

/// What hides people of OpenLDAP: the rule on all of them, and that on Alice.
pub(super) const PEOPLE: [(&str, &str); 2] = [("subtree", "ou=people"), ("exact", "uid=alice,ou=people")];

#[tokio::test]
async fn a_person_whom_we_may_not_see_any_longer_is_not_called_gone() {
    let world = World::open_ldap();
    let house = House::behind(lender(world.peer(), None), 0).await;
    for (what, dn) in PEOPLE {
        let hidden = async |peer: &Peer| {
            hide(peer, what, dn).await;
            1
        };
        loses_once_shown(&world, &house, "ops", hidden).await;
    }
}

/// Gives an entry another name, of the same kind.
pub(super) async fn rename(peer: &Peer, from: &Dn, after: &str) -> Dn {
    let (kind, _) = from.rdn().unwrap().single().unwrap();
    let rdn = Rdn::new(kind, after).unwrap();
    peer.as_administrator().await.rename(&EntryName::from(from), &rdn, true, None, &[]).await.unwrap();
    from.parent().unwrap().child(rdn)
}

#[tokio::test]
async fn a_group_that_cannot_be_looked_at_is_not_one_that_names_nobody() {
    let world = World::open_ldap();
    let peer = world.peer();
    let (whole, struck) = (lender(peer, None), lender(peer, Some("ops")));
    let house = House::behind(whole.clone(), 0).await;
    let alice = peer.below("uid=alice,ou=people");
    for how in ["hidden", "renamed", "struck"] {
        let lent = house.jit.elevate(&house.request("lift-ops", 30), Some("alice")).await.unwrap();
        hide(peer, "exact", "uid=alice,ou=people").await;
        let (mut now, mut hidden, mut renamed) = (house.anew(house.store.clone(), whole.clone()), 1, None);
        match how {
            "hidden" => {
                hide(peer, "exact", "cn=ops,ou=groups").await;
                hidden += 1;
            }
            "renamed" => renamed = Some(rename(peer, &peer.below("cn=ops,ou=groups"), "operations").await),
            _ => now = house.anew(house.store.clone(), struck.clone()),
        }
        assert_eq!(now.check_in(lent.lease).await.unwrap().phase.word(), "ending", "{how}");
        assert_eq!(now.an_hour_later().await.failed, 1, "{how}: it comes again");
        for _ in 0..hidden {
            reveal(peer).await;
        }
        if let Some(renamed) = renamed {
            rename(peer, &renamed, "ops").await;
        }
        assert!(world.is_member("ops", &alice).await, "{how}");
        assert_eq!(house.an_hour_later().await.failed, 0, "{how}");
        assert!(!world.is_member("ops", &alice).await, "{how}");
    }
}

/// What lets somebody see what lies below an entry, and all rights that there are ([MS-DTYP] §2.4.3).
const LIST: u32 = 0x0000_0004;
const ALL: u32 = 0x000f_01ff;

/// The attribute `member`, as access lists name it ([MS-ADA2] §2.43).
const MEMBER: [u8; 16] =
    [0xc0, 0x79, 0x96, 0xbf, 0xe6, 0x0d, 0xd0, 0x11, 0xa2, 0x85, 0x00, 0xaa, 0x00, 0x30, 0x49, 0xe2];

/// An access list with a refusal of these rights put first, for the account of this `sid`: on all of the entry, or on one
/// attribute.
fn refusing(list: &[u8], rights: u32, sid: &[u8], attribute: Option<[u8; 16]>) -> Vec<u8> {
    let offset = |at: usize| u32::from_le_bytes(list[at..at + 4].try_into().unwrap());
    let object: Vec<u8> = attribute.map(|id| [vec![1, 0, 0, 0], id.to_vec()].concat()).unwrap_or_default();
    let (own, rules) = (8 + object.len() + sid.len(), usize::try_from(offset(16)).unwrap());
    let mut refusal = vec![if object.is_empty() { 1 } else { 6 }, 0];
    refusal.extend(u16::try_from(own).unwrap().to_le_bytes());
    refusal.extend(rights.to_le_bytes());
    refusal.extend(object);
    refusal.extend(sid);
    let mut changed = list.to_vec();
    // what lies behind the rules moves
    for at in [4, 8, 12].into_iter().filter(|at| offset(*at) > offset(16)) {
        let moved = offset(at) + u32::try_from(own).unwrap();
        changed[at..at + 4].copy_from_slice(&moved.to_le_bytes());
    }
    for (at, more) in [(rules + 2, own), (rules + 4, 1)] {
        let now = u16::from_le_bytes(changed[at..at + 2].try_into().unwrap()) + u16::try_from(more).unwrap();
        changed[at..at + 2].copy_from_slice(&now.to_le_bytes());
    }
    changed.splice(rules + 8..rules + 8, refusal);
    changed
}

async fn refuse(administrator: &mut Connection, dn: &Dn, rights: u32, sid: &[u8]) {
    refuse_of(administrator, dn, rights, sid, None).await;
}

async fn refuse_of(
    administrator: &mut Connection,
    dn: &Dn,
    rights: u32,
    sid: &[u8],
    attribute: Option<[u8; 16]>,
) {
    let list = AttributeName::new("nTSecurityDescriptor").unwrap();
    let before = administrator.read(&Search::entry(dn).attributes([list.clone()])).await.unwrap().unwrap();
    let after =
        Attribute::new(list.clone(), [refusing(before.value(&list).unwrap(), rights, sid, attribute)]);
    administrator.modify(&EntryName::from(dn), &[Modification::Replace(after)], &[]).await.unwrap();
}

#[tokio::test]
async fn whoever_we_may_not_see_any_longer_in_active_directory_is_not_called_gone() {
    // of its own: what is hidden is hidden from all
    let peer = tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap();
    let target = ActiveDirectoryTarget::new(peer.directory(), &windows(&peer)).unwrap();
    let house = House::behind(std::sync::Arc::new(target), 0).await;
    let target = ActiveDirectoryTarget::new(peer.directory(), &windows(&peer)).unwrap();
    let known = made(&target, "jit-known", &["ops"], &secret()).await;
    let alone = made(&target, "jit-alone", &[], &secret()).await;
    let ours = made(&target, "jit-ours", &["ops"], &secret()).await;
    let lent = house.jit.elevate(&house.request("lift-ops", 30), Some("alice")).await.unwrap();

    let mut administrator = administrator_of(&peer).await;
    let us = Search::entry(peer.below("CN=jit,OU=Services")).attributes([AttributeName::OBJECT_SID]);
    let us = administrator.read(&us).await.unwrap().unwrap();
    let refused = [
        // what we may not see and may still remove goes as ever
        ("CN=jit-known,OU=JIT", ALL),
        ("CN=jit-alone,OU=JIT", ALL),
        ("OU=JIT", LIST),
        ("OU=People", LIST),
    ];
    for (dn, rights) in refused {
        let sid = us.value(&AttributeName::OBJECT_SID).unwrap();
        refuse(&mut administrator, &peer.below(dn), rights, sid).await;
    }
    assert_eq!(target.ensure(&absent(&ours)).await.unwrap(), Effect::Absent { was_there: true });
    for account in [&known, &alone] {
        let error = target.ensure(&absent(account)).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.forbidden", "{}: {error:?}", account.name);
    }
    // what may be seen no longer is taken all the same: by what they are called for good
    let alice = peer.below("CN=alice,OU=People");
    assert!(is_in_ops(&mut administrator, &alice).await);
    assert_eq!(house.check_in(lent.lease).await.unwrap().phase.word(), "gone");
    assert!(!is_in_ops(&mut administrator, &alice).await);
}

async fn is_in_ops(administrator: &mut Connection, dn: &Dn) -> bool {
    let domain = dn.parent().and_then(|people| people.parent()).unwrap();
    let group = Dn::parse(&format!("CN=ops,OU=Groups,{domain}")).unwrap();
    let filter = Filter::equals(&AttributeName::MEMBER, dn.to_string());
    administrator.read(&Search::new(group, Scope::Base, filter)).await.unwrap().is_some()
}

#[tokio::test]
async fn in_active_directory_too_a_group_that_does_not_show_its_members_is_not_one_that_names_nobody() {
    const READ: u32 = 0x10;
    const WRITE: u32 = 0x20;
    let peer = tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap();
    let target = ActiveDirectoryTarget::new(peer.directory(), &windows(&peer)).unwrap();
    let house = House::behind(std::sync::Arc::new(target), 0).await;
    let mut administrator = administrator_of(&peer).await;
    let us = Search::entry(peer.below("CN=jit,OU=Services")).attributes([AttributeName::OBJECT_SID]);
    let us = administrator.read(&us).await.unwrap().unwrap();
    let sid = us.value(&AttributeName::OBJECT_SID).unwrap();
    let ops = peer.below("CN=ops,OU=Groups");
    let list = AttributeName::new("nTSecurityDescriptor").unwrap();
    let rights = Search::entry(&ops).attributes([list.clone()]);
    let rights = administrator.read(&rights).await.unwrap().unwrap().value(&list).unwrap().to_vec();
    let [alice, bob] = ["alice", "bob"].map(|name| peer.below(&format!("CN={name},OU=People")));

    let first = house.jit.elevate(&house.request("lift-ops", 30), Some("alice")).await.unwrap();
    let second = house.jit.elevate(&house.request("lift-ops", 30), Some("bob")).await.unwrap();
    refuse(&mut administrator, &peer.below("OU=People"), LIST, sid).await;
    refuse_of(&mut administrator, &ops, READ, sid, Some(MEMBER)).await;
    // nothing of them can be read, and what they were lent is taken
    assert_eq!(house.check_in(first.lease).await.unwrap().phase.word(), "gone");
    assert!(!is_in_ops(&mut administrator, &alice).await && is_in_ops(&mut administrator, &bob).await);
    // nothing can be read or changed: nothing is proved
    refuse_of(&mut administrator, &ops, WRITE, sid, Some(MEMBER)).await;
    assert_eq!(house.check_in(second.lease).await.unwrap().phase.word(), "ending");
    assert_eq!(house.an_hour_later().await.failed, 1, "it comes again");
    assert!(is_in_ops(&mut administrator, &bob).await);
    // whoever is removed took what they held with them, and a group that is empty by then proves it
    administrator.delete(&EntryName::from(&bob), &[]).await.unwrap();
    assert_eq!(house.an_hour_later().await.failed, 1, "that cannot be read either");
    let restored = [Modification::Replace(Attribute::new(list, [rights]))];
    administrator.modify(&EntryName::from(&ops), &restored, &[]).await.unwrap();
    assert_eq!(house.an_hour_later().await.failed, 0);
}
