//! What holds of every server that accounts are mirrored to.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::DateTime;
use http::Method;
use jit_core::{
    BackendError, Desired, DesiredState, Differences, Drift, Effect, Listing, MarkerKey, Mint, Mirrored,
    Observed, RemoteRef, Target as _, TenantId,
};
use jit_scim::client::{
    Adoption, GroupChanges, GroupOrigin, PlannedStep, ScimTarget, TargetProfile, UserChanges,
};
use serde_json::{Value, json};

use crate::peer::Peer;

const USER: &str = "urn:ietf:params:scim:schemas:core:2.0:User";
const GROUP: &str = "urn:ietf:params:scim:schemas:core:2.0:Group";
const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

fn person(number: u8) -> RemoteRef {
    let key = MarkerKey::new("prod", &[5; 32]).unwrap();
    let lease = Mint::new(DateTime::default(), [number; 16]).account();
    let marker = key.mark(&TenantId::new("acme").unwrap(), lease);
    RemoteRef { name: format!("person-of-ours-{number}"), place: None, marker, native: None, home: None }
}

fn wanted(remote: &RemoteRef) -> Mirrored {
    Mirrored {
        active: true,
        user_name: remote.name.clone(),
        display_name: Some("Alice \"Al\" Adams".to_owned()),
        email: Some(format!("{}@example.com", remote.name)),
        attributes: BTreeMap::from([
            ("name.givenName".to_owned(), vec!["Alice".to_owned()]),
            ("name.familyName".to_owned(), vec!["Adams".to_owned()]),
            ("title".to_owned(), vec!["Engineer".to_owned()]),
            (DEPARTMENT.to_owned(), vec!["R&D".to_owned()]),
            ("phoneNumbers[type eq \"work\"].value".to_owned(), vec!["+1-555-0100".to_owned()]),
        ]),
        entitlements: BTreeSet::new(),
        held: BTreeSet::new(),
        doubtful: BTreeSet::new(),
        ids: BTreeMap::new(),
        confirmed: None,
    }
}

fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

async fn mirror(target: &ScimTarget, remote: &RemoteRef, wanted: &Mirrored) -> Result<Effect, BackendError> {
    ask(target, remote, DesiredState::Mirrored(Box::new(wanted.clone()))).await
}

async fn ask(target: &ScimTarget, remote: &RemoteRef, state: DesiredState) -> Result<Effect, BackendError> {
    target.ensure(&Desired { remote: remote.clone(), state }).await
}

/// Mirrors, and returns what the engine would remember.
async fn mirrored(target: &ScimTarget, remote: &RemoteRef, wanted: &Mirrored) -> (RemoteRef, Mirrored) {
    match mirror(target, remote, wanted).await.unwrap() {
        Effect::Mirrored { native, held, ids, confirmed, .. } => (
            RemoteRef { name: wanted.user_name.clone(), native: Some(native), ..remote.clone() },
            Mirrored { held, ids, confirmed: Some(confirmed), ..wanted.clone() },
        ),
        other => panic!("{other:?}"),
    }
}

async fn group(peer: &Peer, name: &str, members: &[&str]) {
    let members: Vec<_> = members.iter().map(|member| json!({ "value": member })).collect();
    let group = json!({ "schemas": [GROUP], "displayName": name, "members": members });
    peer.ask(Method::POST, "Groups", &group).await;
}

async fn stranger(peer: &Peer, name: &str) -> String {
    let there = json!({ "schemas": [USER], "userName": name, "nickName": "Al" });
    peer.ask(Method::POST, "Users", &there).await["id"].as_str().unwrap().to_owned()
}

async fn one(peer: &Peer, remote: &RemoteRef) -> Value {
    let all = peer.all("Users").await;
    let mut ours = all.into_iter().filter(|one| one["externalId"] == remote.marker.as_str());
    let found = ours.next().unwrap();
    assert!(ours.next().is_none());
    found
}

pub(crate) async fn the_same_again_changes_nothing(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    let (known, confirmed) = mirrored(&target, &remote, &wanted(&remote)).await;
    let before = peer.all("Users").await;
    mirrored(&target, &known, &confirmed).await;
    mirrored(&target, &known, &wanted(&remote)).await;
    mirrored(&target, &remote, &wanted(&remote)).await;
    assert_eq!(peer.all("Users").await, before);
    let state = DesiredState::Mirrored(Box::new(wanted(&remote)));
    let planned = target.plan(&Desired { remote: known, state }).await.unwrap();
    assert_eq!(planned.step, PlannedStep::Nothing);
}

pub(crate) async fn what_others_changed_is_seen(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    let (known, mut confirmed) = mirrored(&target, &remote, &wanted(&remote)).await;
    let differs = async |wanted: &Mirrored| target.differs(&known, wanted).await.unwrap();
    assert_eq!(differs(&confirmed).await, Drift::Nothing);
    let path = format!("Users/{}", known.native.as_deref().unwrap());
    let set = async |attribute: &str, value: Value| {
        let operation = json!({ "op": "replace", "path": attribute, "value": value });
        let body = json!({ "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": [operation] });
        peer.ask(Method::PATCH, &path, &body).await;
    };
    set("title", json!("Chief")).await;
    let title = Differences { writes: names(&["title"]), ..Differences::default() };
    assert_eq!(differs(&confirmed).await, Drift::Differs(title.clone()), "though it was confirmed once");
    set("active", json!(false)).await;
    let both = Differences { writes: names(&["active", "title"]), ..Differences::default() };
    assert_eq!(differs(&confirmed).await, Drift::Differs(both));

    confirmed.active = false;
    set("active", json!(true)).await;
    let drift = differs(&confirmed).await;
    assert!(drift.gives_access());
    assert_eq!(drift, Drift::Differs(Differences { in_use: true, ..title }));
    set("externalId", json!("somebody")).await;
    assert_eq!(differs(&confirmed).await, Drift::Foreign);
    set("externalId", json!(remote.marker.as_str())).await;
    peer.ask(Method::DELETE, &path, &Value::Null).await;
    assert_eq!(
        differs(&confirmed).await,
        Drift::Nothing,
        "who is to be out of use, and is gone, is out of use"
    );
    confirmed.active = true;
    assert_eq!(differs(&confirmed).await, Drift::Missing);
}

pub(crate) async fn what_changes_here_changes_there(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    let (known, mut wanted) = mirrored(&target, &remote, &wanted(&remote)).await;
    "alice-ames".clone_into(&mut wanted.user_name);
    wanted.email = Some("alice@new.example".to_owned());
    wanted.display_name = Some("Alice Ames".to_owned());
    wanted.attributes.insert("name.familyName".to_owned(), vec!["Ames".to_owned()]);
    wanted.attributes.insert("title".to_owned(), Vec::new());
    wanted.attributes.insert(DEPARTMENT.to_owned(), vec!["Sales".to_owned()]);
    mirrored(&target, &known, &wanted).await;
    let there = one(peer, &remote).await;
    assert_eq!((&there["userName"], &there["displayName"]), (&json!("alice-ames"), &json!("Alice Ames")));
    assert_eq!(
        (&there["name"]["givenName"], &there["name"]["familyName"]),
        (&json!("Alice"), &json!("Ames"))
    );
    assert_eq!(there["emails"][0]["value"], "alice@new.example");
    assert_eq!(there["emails"].as_array().unwrap().len(), 1);
    assert_eq!(there["phoneNumbers"][0]["value"].as_str().unwrap().trim_start_matches("tel:"), "+1-555-0100");
    assert_eq!(there.get("title").filter(|title| !title.is_null()), None);
    let (schema, name) = DEPARTMENT.rsplit_once(':').unwrap();
    assert_eq!(there[schema][name], "Sales");
}

pub(crate) async fn who_is_out_of_use_comes_back(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    let (known, mut wanted) = mirrored(&target, &remote, &wanted(&remote)).await;
    for active in [false, true] {
        wanted.active = active;
        wanted = mirrored(&target, &known, &wanted).await.1;
        assert_eq!(one(peer, &remote).await["active"], active);
    }
    for _ in 0..2 {
        assert_eq!(ask(&target, &known, DesiredState::Disabled).await.unwrap(), Effect::Disabled);
    }
    let native = known.native.clone().unwrap();
    assert_eq!(target.observe(&known).await.unwrap(), Observed::Ours { native, enabled: false });
}

pub(crate) async fn what_is_removed_is_gone(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    let (known, _) = mirrored(&target, &remote, &wanted(&remote)).await;
    for was_there in [true, false] {
        let effect = ask(&target, &known, DesiredState::Absent { given: None }).await.unwrap();
        assert_eq!(effect, Effect::Absent { was_there });
    }
    assert_eq!(target.observe(&known).await.unwrap(), Observed::Missing);
    assert_eq!(target.observe(&remote).await.unwrap(), Observed::Missing);
    assert!(peer.all("Users").await.is_empty());
}

pub(crate) async fn a_stranger_is_never_touched(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    stranger(peer, &remote.name).await;
    let before = peer.all("Users").await;
    assert_eq!(mirror(&target, &remote, &wanted(&remote)).await.unwrap(), Effect::Stranger);
    for state in [DesiredState::Absent { given: None }, DesiredState::Disabled] {
        assert_eq!(ask(&target, &remote, state).await.unwrap(), Effect::Absent { was_there: false });
    }
    assert_eq!(target.observe(&remote).await.unwrap(), Observed::Foreign);
    assert_eq!(peer.all("Users").await, before);
}

pub(crate) async fn who_may_be_adopted_is_adopted_once(peer: &Peer) {
    let mut profile = TargetProfile::generic();
    profile.adoption = Adoption::Unmarked;
    let (target, remote) = (peer.target(profile), person(1));
    let id = stranger(peer, &remote.name).await;
    let effect = mirror(&target, &remote, &wanted(&remote)).await.unwrap();
    assert!(matches!(&effect, Effect::Mirrored { native, adopted: true, .. } if *native == id), "{effect:?}");
    assert_eq!(one(peer, &remote).await["nickName"], "Al", "what was there stays");
    let effect = mirror(&target, &remote, &wanted(&remote)).await.unwrap();
    assert!(matches!(&effect, Effect::Mirrored { adopted: false, .. }), "{effect:?}");
}

pub(crate) async fn nothing_is_removed_without_our_marker(peer: &Peer) {
    let (target, remote) = (peer.target(TargetProfile::generic()), person(1));
    let (known, confirmed) = mirrored(&target, &remote, &wanted(&remote)).await;
    let rival = RemoteRef { marker: person(2).marker, ..known };
    let before = peer.all("Users").await;
    for state in [
        DesiredState::Absent { given: None },
        DesiredState::Disabled,
        DesiredState::Mirrored(Box::new(confirmed)),
    ] {
        assert_eq!(ask(&target, &rival, state).await.unwrap(), Effect::NotOurs);
    }
    assert_eq!(target.observe(&rival).await.unwrap(), Observed::Foreign);
    assert_eq!(peer.all("Users").await, before);
}

pub(crate) async fn groups_are_joined_and_left_and_others_stay(peer: &Peer) {
    let mut profile = TargetProfile::generic();
    profile.groups = GroupOrigin::Made;
    groups(peer, profile).await;
}

pub(crate) async fn whole_accounts_and_groups_can_be_put(peer: &Peer) {
    let mut profile = TargetProfile::generic();
    (profile.user_changes, profile.group_changes) = (UserChanges::Put, GroupChanges::Put);
    profile.omits_members = true;
    profile.groups = GroupOrigin::Made;
    groups(peer, profile).await;
    let there = one(peer, &person(1)).await;
    assert_eq!((&there["displayName"], &there["title"]), (&json!("Alice Ames"), &json!("Engineer")));
}

async fn groups(peer: &Peer, profile: TargetProfile) {
    let (target, remote) = (peer.target(profile), person(1));
    let other = stranger(peer, "somebody-else").await;
    group(peer, "Staff", &[&other]).await;
    let mut all = wanted(&remote);
    all.entitlements = names(&["Staff", "Made by us"]);
    let (known, mut wanted) = mirrored(&target, &remote, &all).await;
    let id = known.native.clone().unwrap();
    let sorted = |mut list: Vec<String>| {
        list.sort();
        list
    };
    let both = sorted(vec![other.clone(), id.clone()]);
    assert_eq!(sorted(peer.members("Staff").await), both);
    assert_eq!(peer.members("Made by us").await, [id]);
    wanted.display_name = Some("Alice Ames".to_owned());
    wanted.entitlements = names(&["Made by us"]);
    let (_, mut wanted) = mirrored(&target, &known, &wanted).await;
    assert_eq!(peer.members("Staff").await, [other]);
    for _ in 0..2 {
        wanted.entitlements.clear();
        wanted.confirmed = None;
        mirrored(&target, &known, &wanted).await;
    }
    assert!(peer.members("Made by us").await.is_empty());
}

pub(crate) async fn whatever_is_lost_one_account_comes_of_it_and_none_stays(peer: &Peer) {
    let mut profile = TargetProfile::generic();
    profile.groups = GroupOrigin::Made;
    let other = stranger(peer, "somebody-else").await;
    group(peer, "Staff", &[&other]).await;
    for at in 1..=8 {
        for after in [false, true] {
            // who was removed from our server has a tombstone there, and another account here would have another marker
            let number = u8::try_from(2 * at).unwrap() + u8::from(after);
            let (target, remote) = (peer.target(profile.clone()), person(number));
            let losing = || peer.target_that_loses(profile.clone(), at, after);
            let mut all = wanted(&remote);
            all.entitlements = names(&["Crew", "Staff"]);
            let _lost = mirror(&losing(), &remote, &all).await;
            let (known, mut wanted) = mirrored(&target, &remote, &all).await;
            let id = known.native.clone().unwrap();
            assert_eq!(one(peer, &remote).await["id"], *id);
            // SCIMMY names a member twice that is added twice, where RFC 7644 §3.5.2.1 has nothing change
            assert!(peer.members("Staff").await.contains(&id));
            wanted.entitlements = names(&["Staff"]);
            let _lost = mirror(&losing(), &known, &wanted).await;
            mirrored(&target, &known, &wanted).await;
            assert!(!peer.members("Crew").await.contains(&id));
            let _lost = ask(&losing(), &known, DesiredState::Absent { given: None }).await;
            ask(&target, &known, DesiredState::Absent { given: None }).await.unwrap();
            let left = peer.all("Users").await;
            assert_eq!((left.len(), &left[0]["id"]), (1, &json!(other)), "request {at}, after: {after}");
        }
    }
    assert_eq!(peer.members("Staff").await.iter().filter(|member| **member == other).count(), 1);
}

pub(crate) async fn many_who_make_it_at_once_make_one(peer: &Peer) {
    let target = Arc::new(peer.target(TargetProfile::generic()));
    let mut makers = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let target = Arc::clone(&target);
        makers.spawn(async move { mirrored(&target, &person(1), &wanted(&person(1))).await.0.native });
    }
    let ids: BTreeSet<_> = makers.join_all().await.into_iter().collect();
    assert_eq!(ids.len(), 1);
    assert_eq!(peer.all("Users").await.len(), 1);
}

pub(crate) async fn a_listing_names_ours(peer: &Peer) {
    let mut profile = TargetProfile::generic();
    profile.page = 3;
    let target = peer.target(profile);
    for number in 0..5 {
        mirrored(&target, &person(number), &wanted(&person(number))).await;
        stranger(peer, &format!("stranger-{number}")).await;
    }
    let (mut found, mut cursor) = (BTreeSet::new(), None);
    loop {
        let (page, next) = match target.list(cursor.take()).await.unwrap() {
            Listing::More(page, next) => (page, Some(next)),
            Listing::Complete(page) => (page, None),
            Listing::Partial(_, why) => panic!("{why}"),
        };
        found.extend(page.into_iter().map(|listed| (listed.remote.name, listed.remote.marker)));
        cursor = next;
        if cursor.is_none() {
            break;
        }
    }
    let ours: BTreeSet<_> = (0..5).map(person).map(|remote| (remote.name, remote.marker)).collect();
    assert_eq!(found, ours);
}
