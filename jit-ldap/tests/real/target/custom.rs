//! A directory of another kind, as OpenLDAP can be one: without controls, with other classes, and groups of names.

use std::collections::BTreeSet;

use jit_core::*;
use jit_ldap::target::{EndSettings, MembershipSettings, PasswordWay, SwitchSettings, TimeForm};
use jit_ldap::{
    Attribute, AttributeName, CustomSettings, CustomTarget, Dn, EntryName, Filter, Modification, Rdn, Scope,
    Search,
};

use super::house::{absent, made, present, remote, secret};
use super::renewals::rule;
use crate::peer::Peer;

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

fn settings(peer: &Peer) -> CustomSettings {
    let place = peer.below("ou=jit").to_string();
    let mut settings = CustomSettings::new(&place, ("jit", &place), "inetOrgPerson", "uid");
    settings.also_named = vec!["cn".to_owned(), "sn".to_owned()];
    settings.constants.insert("employeeType".to_owned(), vec!["temporary".to_owned()]);
    settings.groups.insert("crew".to_owned(), peer.below("cn=crew,ou=groups").to_string());
    settings.membership = MembershipSettings::by_name("memberUid");
    settings
}

/// Every way in which such a directory may be described.
fn all(peer: &Peer) -> Vec<CustomTarget> {
    all_with(peer, &settings(peer))
}

fn all_with(peer: &Peer, settings: &CustomSettings) -> Vec<CustomTarget> {
    let end = EndSettings { attribute: "pwdEndTime".to_owned(), form: TimeForm::GeneralizedTime };
    let lock = SwitchSettings {
        attribute: "pwdAccountLockedTime".to_owned(),
        open: None,
        closed: "000001010000Z".to_owned(),
    };
    let mut plainest = settings.clone();
    plainest.switch = None;
    let mut locked = settings.clone();
    (locked.end, locked.switch) = (Some(end), Some(lock));
    let mut by_operation = locked.clone();
    by_operation.password = PasswordWay::Operation;
    let mut with_controls = by_operation.clone();
    with_controls.controls = true;
    let new = |settings: &CustomSettings| CustomTarget::new(peer.directory(), settings).unwrap();
    [&plainest, &locked, &by_operation, &with_controls].map(new).into()
}

/// The target with the least help of its server, and a place and group of it.
pub(crate) fn without_controls(peer: &Peer) -> CustomTarget {
    all(peer).swap_remove(2)
}

/// The same with groups of members by name, which people are lent as well. Pointed elsewhere, the name of one group stands for
/// the other, whose name stands for none.
pub(crate) fn without_controls_for_people(peer: &Peer, is_pointed_elsewhere: bool) -> CustomTarget {
    let mut settings = settings(peer);
    (settings.membership, settings.groups_follow) = (MembershipSettings::default(), true);
    settings.people = Some(peer.base().to_string());
    let at = |group: &str| peer.below(&format!("cn={group},ou=groups")).to_string();
    settings.groups = if is_pointed_elsewhere {
        [("ops".to_owned(), at("staff"))].into()
    } else {
        ["ops", "staff"].map(|group| (group.to_owned(), at(group))).into()
    };
    all_with(peer, &settings).swap_remove(2)
}

async fn is_in_the_crew(peer: &Peer, account: &str) -> bool {
    let filter = Filter::equals(&name("memberUid"), account);
    let search = Search::new(peer.below("cn=crew,ou=groups"), Scope::Base, filter);
    peer.as_service().await.read(&search).await.unwrap().is_some()
}

fn dn(peer: &Peer, account: &str) -> Dn {
    peer.below("ou=jit").child(Rdn::new("uid", account).unwrap())
}

#[tokio::test]
async fn an_account_of_any_description_lives_and_ends() {
    let peer = Peer::start("slapd");
    // without a switch nobody can tell
    let told = [None, Some(true), Some(true), Some(true)];
    for (number, target) in all(&peer).iter().enumerate() {
        let account = format!("jit-{number}");
        let (dn, first, second) = (dn(&peer, &account), secret(), secret());
        let known = made(target, &account, &["crew"], &first).await;
        assert_eq!(peer.bind(&dn.to_string(), first.reveal()).await, "fine", "{number}");
        assert!(is_in_the_crew(&peer, &account).await);
        let constant = Search::entry(&dn).attributes([name("employeeType")]);
        let entry = peer.as_service().await.read(&constant).await.unwrap().unwrap();
        assert_eq!(entry.text(&name("employeeType")), Some("temporary"));

        let disabled = Desired { remote: known.clone(), state: DesiredState::Disabled };
        for _ in 0..2 {
            assert_eq!(target.ensure(&disabled).await.unwrap(), Effect::Disabled, "{number}");
        }
        assert_ne!(peer.bind(&dn.to_string(), first.reveal()).await, "fine", "{number}");
        assert!(!is_in_the_crew(&peer, &account).await);

        // the answer to the first request was lost, and the account closed: a new secret opens it
        let mut unknown = known.clone();
        unknown.native = None;
        let effect = target.ensure(&present(&unknown, &["crew"], Some(&second))).await.unwrap();
        assert_eq!(
            effect,
            Effect::Present { native: known.native.clone().unwrap(), end: target.capabilities().end },
            "{number}"
        );
        assert_eq!(peer.bind(&dn.to_string(), second.reveal()).await, "fine", "{number}");
        assert_eq!(peer.bind(&dn.to_string(), first.reveal()).await, "ldap.credentials_invalid");
        let third = secret();
        target.ensure(&present(&known, &["crew"], Some(&third))).await.unwrap();
        assert_eq!(peer.bind(&dn.to_string(), third.reveal()).await, "fine", "{number}");
        target.ensure(&present(&known, &[], None)).await.unwrap();
        assert!(!is_in_the_crew(&peer, &account).await);
        let Listing::Complete(listed) = target.list(None).await.unwrap() else { panic!("whole") };
        let [shown] = listed.as_slice() else { panic!("one") };
        assert_eq!((&shown.remote, shown.entitlements.as_ref().map(BTreeSet::len)), (&known, Some(0)));
        assert_eq!(shown.enabled, told[number], "{number}");
        assert_eq!(target.show(&known).await.unwrap().as_ref(), Some(shown));

        for was_there in [true, false] {
            assert_eq!(target.ensure(&absent(&known)).await.unwrap(), Effect::Absent { was_there });
        }
    }
}

#[tokio::test]
async fn a_secret_that_may_not_be_set_anew_leaves_an_account_of_any_description_as_it_was() {
    let peer = Peer::start("slapd");
    rule(&peer, "pwdMinAge", "86400").await;
    for (number, target) in all(&peer).iter().enumerate() {
        let account = format!("jit-{number}");
        let (dn, first) = (dn(&peer, &account), secret());
        let known = made(target, &account, &["crew"], &first).await;
        let refused = target.ensure(&present(&known, &["crew"], Some(&secret()))).await.unwrap_err();
        assert_eq!(refused.code().as_str(), "target.secret", "{number}: {refused:?}");
        assert_eq!(peer.bind(&dn.to_string(), first.reveal()).await, "fine", "{number}");
        assert!(is_in_the_crew(&peer, &account).await);
    }
}

#[tokio::test]
async fn what_is_removed_at_once_is_in_no_group_that_names_it() {
    let peer = Peer::start("slapd");
    // no overlay follows members by their names: whoever gets the name next would be in the crew
    for (number, target) in all(&peer).iter().enumerate() {
        let account = format!("jit-{number}");
        let known = made(target, &account, &["crew"], &secret()).await;
        assert!(is_in_the_crew(&peer, &account).await);
        assert_eq!(target.ensure(&absent(&known)).await.unwrap(), Effect::Absent { was_there: true });
        assert!(!is_in_the_crew(&peer, &account).await, "{number}");
    }
}

#[tokio::test]
async fn of_two_that_bear_its_name_the_one_with_our_marker_is_ours() {
    let peer = Peer::start("slapd");
    let mut administrator = peer.as_administrator().await;
    // the server lets nobody have the `uid` of another, and any number have one `cn`
    let mut settings = settings(&peer);
    (settings.name, settings.also_named) = ("cn".to_owned(), vec!["sn".to_owned()]);
    let target = CustomTarget::new(peer.directory(), &settings).unwrap();
    let known = made(&target, "jit-namesake", &[], &secret()).await;
    // its answer was lost, an administrator moved it, and somebody else bears its name in its place
    let unknown = RemoteRef { native: None, ..known.clone() };
    let (rdn, people) = (Rdn::new("cn", "jit-namesake").unwrap(), peer.below("ou=people"));
    let (before, after) = (peer.below("ou=jit").child(rdn.clone()), people.child(rdn.clone()));
    administrator.rename(&EntryName::from(&before), &rdn, false, Some(&people), &[]).await.unwrap();
    let mut stranger = vec![Attribute::new(AttributeName::OBJECT_CLASS, ["inetOrgPerson"])];
    stranger.extend(["cn", "sn"].map(|kind| Attribute::new(name(kind), ["jit-namesake"])));
    administrator.add(&before, &stranger, &[]).await.unwrap();
    let Observed::Ours { native, .. } = target.observe(&unknown).await.unwrap() else { panic!("ours") };
    assert_eq!(Some(native), known.native);
    administrator.delete(&EntryName::from(&after), &[]).await.unwrap();
    assert_eq!(target.observe(&unknown).await.unwrap(), Observed::Foreign, "without ours it is the other");
}

#[tokio::test]
async fn without_controls_too_what_lost_its_marker_is_left_alone() {
    let peer = Peer::start("slapd");
    for (number, target) in all(&peer).iter().enumerate() {
        let account = format!("jit-{number}");
        let (dn, secret) = (dn(&peer, &account), secret());
        let known = made(target, &account, &["crew"], &secret).await;
        let other = Attribute::new(name("description"), ["of somebody"]);
        let change = [Modification::Replace(other)];
        peer.as_service().await.modify(&EntryName::from(&dn), &change, &[]).await.unwrap();
        let disabled = Desired { remote: known.clone(), state: DesiredState::Disabled };
        for desired in [absent(&known), disabled, present(&known, &[], Some(&secret))] {
            assert_eq!(target.ensure(&desired).await.unwrap(), Effect::NotOurs, "{number}");
        }
        assert_eq!(peer.bind(&dn.to_string(), secret.reveal()).await, "fine", "{number}");
        assert!(is_in_the_crew(&peer, &account).await);
    }
}

#[tokio::test]
async fn a_secret_that_the_rules_do_not_take_leaves_nothing_of_any_description() {
    let peer = Peer::start("slapd");
    let rule = Attribute::new(name("pwdMinLength"), ["60"]);
    let policy = EntryName::Dn(peer.below("cn=default,ou=policies"));
    peer.as_administrator().await.modify(&policy, &[Modification::Replace(rule)], &[]).await.unwrap();
    for target in all(&peer) {
        let weak = remote("jit-weak");
        let error = target.ensure(&present(&weak, &["crew"], Some(&secret()))).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.secret", "{error:?}");
        let entry = Search::entry(dn(&peer, "jit-weak"));
        assert!(peer.as_service().await.read(&entry).await.unwrap().is_none());
    }
}
