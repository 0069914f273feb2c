//! The whole way: somebody signs in here, and what becomes of them here becomes of them there.

use std::num::NonZeroUsize;
use std::sync::Arc;

use chrono::TimeDelta;
use jit_core::config::{Check, ConnectionConfig, Format, Problems, load};
use jit_core::{
    Account, AdminAct, AdminRequest, Assurance, Attestation, Attestor, AttributeName, Check as Checked,
    Checks, Claims, Clock, ConnectionId, Context, DriftLook, Entitlement, Event, Issuer, Jit, JitError,
    MarkerKey, MemoryStore, Mirroring, Outcome, SeededEntropy, SessionHint, Stability, Subject, TargetId,
    TargetSetup, TenantId, WorkReport, WorkerId,
};
use jit_scim::client::{GroupOrigin, TargetProfile};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::life::changed;
use crate::sim::{Fault, Quirks, Sim};
use crate::world::target;

const SETTINGS: &str = r#"
tenant = "acme"
id = "sso"
issuers = ["https://acme.example"]
domains = ["acme.example"]
ceiling = ["role:member", "role:editor"]
protocol = {}
[mapping]
email = { claim = "email", verified = "own_domains" }
user_name = { template = ["{preferred_username}"] }
attribute = [{ attribute = "name", claim = "name" }, { attribute = "department", claim = "department" }]
entitlement = [{ claim = "groups", table = { members = ["role:member"], editors = ["role:editor"] } }]
[policy]
rule = [{ name = "everybody", permit = {} }]
"#;

const DEPARTMENT: &str = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

impl Check for Nothing {
    fn check(&self, _: &mut Problems) {}
}

struct House {
    jit: Jit,
    sso: Attestor,
    sim: Arc<Sim>,
}

fn chat() -> TargetId {
    TargetId::new("chat").unwrap()
}

fn house(more: impl FnOnce(Mirroring) -> Mirroring) -> House {
    house_at(false, more)
}

fn house_at(shows_groups: bool, more: impl FnOnce(Mirroring) -> Mirroring) -> House {
    let sim = Sim::new(Quirks { shows_groups, ..Quirks::default() });
    let profile: TargetProfile =
        changed(|profile| (profile.groups, profile.shows_groups) = (GroupOrigin::Made, shows_groups));
    let config: ConnectionConfig<Nothing> = load(SETTINGS, Format::Toml, "settings").unwrap();
    let (connection, sso, _) = config.define().unwrap();
    let name = |name: &str| AttributeName::new(name).unwrap();
    let mirroring = Mirroring::of_holders([Entitlement::role("member").unwrap()])
        .with_email()
        .with_display_name(name("name"))
        .with_attribute(name("department"), DEPARTMENT)
        .with_entitlement(Entitlement::role("editor").unwrap(), "Editors");
    let markers = MarkerKey::new("prod", &[5; 32]).unwrap();
    let setup = TargetSetup::new(chat(), Arc::new(target(&sim, profile)), markers);
    let setup = setup.for_tenants([TenantId::new("acme").unwrap()]).mirroring(more(mirroring));
    let clock = Arc::clone(&sim.clock) as Arc<dyn Clock>;
    let jit = Jit::builder(Arc::new(MemoryStore::new())).connection(connection).target(setup);
    let jit = jit.clock(clock).entropy(Arc::new(SeededEntropy::new(7))).build().unwrap();
    House { jit, sso, sim }
}

impl House {
    async fn sign_in(&self, groups: &[&str]) -> Result<Account, JitError> {
        self.sign_in_as("Anna", groups).await
    }

    async fn sign_in_as(&self, name: &str, groups: &[&str]) -> Result<Account, JitError> {
        self.sign_in_of("anna", name, groups).await
    }

    async fn sign_in_of(&self, user: &str, name: &str, groups: &[&str]) -> Result<Account, JitError> {
        let made = || Checked::Made("test".into());
        let claims = json!({
            "preferred_username": user, "name": name, "email": format!("{user}@acme.example"),
            "department": "R&D", "groups": groups,
        });
        let Value::Object(claims) = claims else { panic!("claims") };
        let identity = self.sso.attest(Attestation {
            issuer: Issuer::new("https://acme.example").unwrap(),
            subject: Subject::new(format!("s-{user}")).unwrap(),
            stability: Stability::Persistent,
            claims: Claims::new(claims),
            assurance: Assurance::default(),
            session: SessionHint::default(),
            checks: Checks { origin: made(), audience: made(), freshness: made(), replay: made() },
        });
        let event = Event::sign_in(identity.unwrap(), Context::default());
        match self.jit.handle(event).await? {
            Outcome::SignedIn(signed_in) => Ok(Arc::unwrap_or_clone(signed_in.account)),
            other => panic!("{other:?}"),
        }
    }

    async fn work(&self) -> WorkReport {
        let (worker, limit) = (WorkerId::new("w").unwrap(), NonZeroUsize::new(100).unwrap());
        self.jit.work_target(&worker, &chat(), limit).await.unwrap()
    }

    async fn pass_minutes(&self, minutes: i64) {
        for _ in 0..minutes {
            self.sim.clock.advance(TimeDelta::minutes(1));
            self.work().await;
        }
    }

    async fn act(&self, account: &Account, act: AdminAct) {
        let (tenant, account) = (account.tenant.clone(), account.id);
        let request = AdminRequest { tenant, store: None, account, act, by: "root".into() };
        self.jit.administer(&request).await.unwrap().unwrap();
    }
}

#[tokio::test]
async fn from_the_first_sign_in_to_the_end() {
    let house = house(|mirroring| mirroring);
    let anna = house.sign_in(&["members", "editors"]).await.unwrap();
    assert!(house.sim.log().is_empty(), "nobody waits for it");
    house.work().await;
    let there = house.sim.one("Users");
    assert_eq!((&there["userName"], &there["displayName"]), (&json!("anna"), &json!("Anna")));
    assert_eq!(there["emails"][0]["value"], "anna@acme.example");
    assert_eq!(house.sim.members("Editors"), [there["id"].as_str().unwrap()]);

    house.sign_in(&["members"]).await.unwrap();
    house.work().await;
    assert!(house.sim.members("Editors").is_empty());

    for (act, active) in [(AdminAct::Suspend, false), (AdminAct::Reactivate, true), (AdminAct::End, false)] {
        house.act(&anna, act).await;
        house.work().await;
        assert_eq!(house.sim.one("Users")["active"], active);
    }
    assert_eq!(house.work().await, WorkReport::default(), "there is nothing left to do");
}

#[tokio::test]
async fn who_waits_is_there_when_they_are_in() {
    let house = house(|mirroring| mirroring.waited_for_by(ConnectionId::new("sso").unwrap()));
    house.sign_in(&["members"]).await.unwrap();
    assert_eq!(house.sim.one("Users")["userName"], "anna");
    house.sim.script(|_, _| Some(Fault::Answer(429, vec![("retry-after", "90".to_owned())], "")));
    house.sign_in(&["members"]).await.unwrap();
    assert!(house.sim.log().is_empty(), "who comes again changes nothing and waits for nobody");
    let error = house.sign_in(&["members", "editors"]).await.unwrap_err();
    assert_eq!(error.code().as_str(), "target.limit");
    house.sim.behave();
    house.pass_minutes(3).await;
    assert_eq!(house.sim.members("Editors").len(), 1, "a worker brings it");
}

#[tokio::test]
async fn a_pause_that_the_application_asks_for_is_kept_by_the_worker() {
    let house = house(|mirroring| mirroring);
    house.sign_in(&["members"]).await.unwrap();
    house.sim.script(|_, _| Some(Fault::Answer(429, vec![("retry-after", "600".to_owned())], "")));
    house.work().await;
    assert_eq!(house.sim.log().len(), 1);
    house.pass_minutes(9).await;
    assert_eq!(house.sim.log().len(), 1, "it is left alone for ten minutes");
    house.sim.behave();
    house.pass_minutes(2).await;
    assert_eq!(house.sim.all("Users").len(), 1);
}

/// What was confirmed last says nothing once an answer was lost: the target may have heard the change, or its reversal.
#[tokio::test]
async fn a_change_whose_answer_was_lost_and_that_is_taken_back_is_taken_back_there() {
    for at in 1..=4 {
        for holds in [false, true] {
            let house = house(|mirroring| mirroring);
            let (before, meanwhile): (&[&str], &[&str]) = if holds {
                (&["members", "editors"], &["members"])
            } else {
                (&["members"], &["members", "editors"])
            };
            house.sign_in(before).await.unwrap();
            house.work().await;
            house.sign_in_as("Anne", meanwhile).await.unwrap();
            house.sim.script(move |number, _| (number == at).then_some(Fault::LostAfter));
            house.work().await;
            house.sim.behave();
            house.sign_in(before).await.unwrap();
            house.pass_minutes(5).await;
            assert_eq!(house.sim.one("Users")["displayName"], "Anna", "request {at}, held before: {holds}");
            assert_eq!(
                house.sim.members("Editors").len(),
                usize::from(holds),
                "request {at}, held before: {holds}"
            );
        }
    }
}

/// Somebody renames the group over there, and another one gets its name.
#[tokio::test]
async fn who_loses_a_role_leaves_the_group_that_it_gave_whatever_is_lost_meanwhile() {
    for at in 0..=6 {
        let house = house(|mirroring| mirroring);
        house.sign_in(&["members", "editors"]).await.unwrap();
        house.work().await;
        let group = house.sim.one("Groups")["id"].as_str().unwrap().to_owned();
        house.sim.rename_group(&group, "Old editors");
        house.sim.plant("Groups", &json!({ "schemas": [crate::life::GROUP], "displayName": "Editors" }));
        house.sim.clock.advance(TimeDelta::minutes(6));
        if at > 0 {
            let (tenant, limit) = (TenantId::new("acme").unwrap(), NonZeroUsize::new(9).unwrap());
            house.jit.mirror_anew(None, &tenant, &chat(), None, limit).await.unwrap();
            house.sim.script(move |number, _| (number == at).then_some(Fault::LostAfter));
            house.work().await;
            house.sim.behave();
        }
        house.sign_in(&["members"]).await.unwrap();
        house.pass_minutes(5).await;
        let members = (house.sim.members("Old editors"), house.sim.members("Editors"));
        assert_eq!(members, (vec![], vec![]), "request {at}");
    }
}

/// One group is at fault while another is joined, which somebody renames then.
#[tokio::test]
async fn what_was_joined_before_a_failure_is_left_whatever_it_is_called_by_now() {
    for lost in [false, true] {
        let member = Entitlement::role("member").unwrap();
        let house = house(|mirroring| mirroring.with_entitlement(member, "Members"));
        house.sim.script(move |_, asked| {
            if lost && asked.path.starts_with("Groups/") && asked.method == http::Method::PATCH {
                return Some(Fault::LostAfter);
            }
            let is_making = asked.path == "Groups" && asked.method == http::Method::POST;
            let is_at_fault = is_making && asked.body["displayName"] == "Members";
            is_at_fault.then(|| Fault::Answer(400, Vec::new(), "{}"))
        });
        house.sign_in(&["members", "editors"]).await.unwrap();
        house.work().await;
        assert_eq!(house.sim.members("Editors").len(), 1, "{lost}");
        let group = house.sim.one("Groups")["id"].as_str().unwrap().to_owned();
        house.sim.rename_group(&group, "Old editors");
        house.sim.clock.advance(TimeDelta::minutes(6));
        house.sign_in(&["members"]).await.unwrap();
        if lost {
            house.sim.behave();
        }
        house.pass_minutes(5).await;
        assert_eq!(house.sim.members("Old editors"), Vec::<String>::new(), "{lost}");
    }
}

#[tokio::test]
async fn an_application_that_fails_everybody_is_left_alone_and_not_for_what_it_refuses_of_each() {
    for (status, is_left_alone) in
        [(400, false), (409, false), (429, false), (403, true), (500, true), (503, true)]
    {
        let house = house(|mirroring| mirroring);
        for number in 0..15 {
            house.sign_in_of(&format!("p{number}"), "P", &["members"]).await.unwrap();
        }
        // That nobody is found there is no sign that it works.
        house.sim.script(move |_, asked| {
            let is_read = asked.method == http::Method::GET;
            (!is_read).then(|| Fault::Answer(status, Vec::new(), "{}"))
        });
        house.pass_minutes(4).await;
        let quarantine = house.jit.target_quarantine(&chat()).await.unwrap();
        assert_eq!(quarantine.is_some(), is_left_alone, "{status}: {quarantine:?}");
        house.sim.behave();
        house.pass_minutes(20).await;
        assert_eq!(house.sim.all("Users").len(), 15, "{status}");
        assert_eq!(house.jit.target_quarantine(&chat()).await.unwrap(), None, "{status}");
    }
}

#[tokio::test]
async fn an_application_whose_groups_are_out_is_left_alone() {
    let house = house(|mirroring| mirroring);
    house.sign_in(&["members"]).await.unwrap();
    house.pass_minutes(1).await;
    let fails = || Fault::Answer(500, Vec::new(), "{}");
    house.sim.script(move |_, asked| asked.path.starts_with("Groups").then(fails));
    for number in 0..15 {
        house.sign_in_of(&format!("p{number}"), "P", &["members", "editors"]).await.unwrap();
    }
    house.pass_minutes(4).await;
    assert!(house.jit.target_quarantine(&chat()).await.unwrap().is_some(), "it fails everybody");
    house.sim.behave();
    house.pass_minutes(20).await;
    assert_eq!(house.sim.members("Editors").len(), 15);
    assert_eq!(house.jit.target_quarantine(&chat()).await.unwrap(), None);
}

/// Somebody takes Anna out of the group there, and puts a stranger into it.
async fn a_day_after_somebody_changed_the_group(look: DriftLook) -> (House, String) {
    let house = house_at(true, |mirroring| mirroring.looking_for_drift(look));
    house.sign_in(&["members", "editors"]).await.unwrap();
    house.pass_minutes(3).await;
    let (anna, group) = (house.sim.one("Users")["id"].clone(), house.sim.one("Groups")["id"].clone());
    let anna = anna.as_str().unwrap().to_owned();
    assert_eq!(house.sim.members("Editors"), [anna.as_str()]);
    house.sim.overwrite_group(group.as_str().unwrap(), "stranger");
    house.pass_minutes(10).await;
    assert_eq!(house.sim.members("Editors"), ["stranger"], "not before it is time to look");
    house.sim.clock.advance(TimeDelta::days(1));
    house.pass_minutes(3).await;
    (house, anna)
}

#[tokio::test]
async fn a_membership_that_was_changed_there_by_hand_is_told_of_or_put_right() {
    let daily = DriftLook::each(TimeDelta::days(1));
    let (house, _) = a_day_after_somebody_changed_the_group(daily).await;
    assert_eq!(house.sim.members("Editors"), ["stranger"], "nothing is touched");
    let round = house.jit.drift_rounds(None, &chat()).await.unwrap().last.unwrap();
    assert_eq!((round.looked, round.differing, round.overwritten), (1, 1, 0));

    let at_most = std::num::NonZeroU32::new(5).unwrap();
    let (house, anna) = a_day_after_somebody_changed_the_group(daily.overwriting(at_most)).await;
    let mut members = house.sim.members("Editors");
    members.sort();
    let mut wanted = vec![anna, "stranger".to_owned()];
    wanted.sort();
    assert_eq!(members, wanted, "whom others put in stays");
    let round = house.jit.drift_rounds(None, &chat()).await.unwrap().last.unwrap();
    assert_eq!((round.differing, round.overwritten), (1, 1));
}
