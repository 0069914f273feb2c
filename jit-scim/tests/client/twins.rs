//! Nodes that make the same group: whatever the order, there is one in the end.

use std::sync::Arc;

use jit_core::{Desired, DesiredState, Target as _};
use jit_scim::client::{GroupOrigin, ScimTarget};
use serde_json::json;

use crate::life::{USER, changed};
use crate::sim::{Fault, Quirks, Sim};
use crate::world::{names, person, target, wanted};

fn maker(sim: &Arc<Sim>) -> Arc<ScimTarget> {
    Arc::new(target(sim, changed(|profile| profile.groups = GroupOrigin::Made)))
}

async fn join(target: &ScimTarget, name: &str) -> Result<(), String> {
    let remote = person(name);
    let mut all = wanted(&remote);
    all.entitlements = names(&["Crew"]);
    let desired = Desired { remote, state: DesiredState::Mirrored(Box::new(all)) };
    target.ensure(&desired).await.map(drop).map_err(|error| format!("{error:?}"))
}

/// Ids are compared as texts: that of the second group may be the lower one.
fn application(users: usize) -> Arc<Sim> {
    let sim = Sim::new(Quirks { equal_names: true, ..Quirks::default() });
    for number in 0..users {
        sim.plant("Users", &json!({ "schemas": [USER], "userName": format!("stranger-{number}") }));
    }
    sim
}

#[tokio::test]
async fn nodes_that_make_one_group_at_the_same_moment_come_to_one() {
    for users in 0..12 {
        let sim = application(users);
        let nodes = [maker(&sim), maker(&sim), maker(&sim)];
        let (first, second, third) =
            tokio::join!(join(&nodes[0], "anna"), join(&nodes[1], "bob"), join(&nodes[2], "carol"));
        let failed = [first, second, third].iter().filter(|outcome| outcome.is_err()).count();
        for (node, name) in nodes.iter().zip(["anna", "bob", "carol"]) {
            join(node, name).await.unwrap();
        }
        assert_eq!(sim.all("Groups").len(), 1, "{users} were there before, {failed} failed at first");
        assert_eq!(sim.members("Crew").len(), 3);
        join(&maker(&sim), "dave").await.unwrap();
    }
}

#[tokio::test]
async fn a_group_that_somebody_is_in_stays_whoever_has_the_lower_id() {
    for users in 0..12 {
        let sim = application(users);
        join(&maker(&sim), "anna").await.unwrap();
        let old = sim.one("Groups")["id"].clone();
        // the other one looked before, and finds nothing until it has made its own
        let mut is_made = false;
        sim.script(move |_, asked| {
            is_made |= asked.method == http::Method::POST && asked.path == "Groups";
            let is_look = asked.method == http::Method::GET && asked.path.starts_with("Groups?");
            let nothing = r#"{"totalResults":0}"#;
            (is_look && !is_made).then(|| Fault::Answer(200, Vec::new(), nothing))
        });
        let node = maker(&sim);
        join(&node, "bob").await.unwrap();
        assert_eq!(sim.one("Groups")["id"], old);
        assert_eq!(sim.members("Crew").len(), 2);
    }
}
