//! Whatever is asked for in whatever order: who is in which group, and who holds what, is as a simple model says.

use std::collections::{BTreeMap, BTreeSet};

use jit_scim::server::Reach;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::support::*;

#[derive(Clone, Debug)]
enum Ask {
    Create(usize),
    Delete(usize),
    Active(usize, bool),
    Rename(usize, usize),
    Group(usize, Vec<usize>),
    Ungroup(usize),
    Join(usize, Vec<usize>),
    Leave(usize, usize),
    Members(usize, Vec<usize>),
    Put(usize, usize, Vec<usize>),
    Work,
}

#[derive(Clone, Default)]
struct Model {
    /// Those who are there: their identifiers, and whether they are active.
    people: BTreeMap<usize, (String, bool)>,
    gone: BTreeSet<usize>,
    groups: BTreeMap<usize, Group>,
}

#[derive(Clone, Default)]
struct Group {
    id: String,
    name: usize,
    members: BTreeSet<usize>,
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let (person, team, name) = (0..5_usize, 0..3_usize, 0..3_usize);
    let people = || prop::collection::vec(0..5_usize, 0..4);
    let ask = prop_oneof![
        4 => person.clone().prop_map(Ask::Create),
        1 => person.clone().prop_map(Ask::Delete),
        2 => (person.clone(), any::<bool>()).prop_map(|(who, on)| Ask::Active(who, on)),
        3 => (team.clone(), people()).prop_map(|(team, who)| Ask::Group(team, who)),
        1 => team.clone().prop_map(Ask::Ungroup),
        1 => (team.clone(), name.clone()).prop_map(|(team, name)| Ask::Rename(team, name)),
        3 => (team.clone(), people()).prop_map(|(team, who)| Ask::Join(team, who)),
        2 => (team.clone(), person).prop_map(|(team, who)| Ask::Leave(team, who)),
        1 => (team.clone(), people()).prop_map(|(team, who)| Ask::Members(team, who)),
        1 => (team, name, people()).prop_map(|(team, name, who)| Ask::Put(team, name, who)),
        1 => Just(Ask::Work),
    ];
    prop::collection::vec(ask, 1..25)
}

impl Model {
    fn values(&self, who: &[usize]) -> Value {
        who.iter().filter_map(|who| Some(json!({"value": self.people.get(who)?.0}))).collect()
    }

    fn there(&self, who: &[usize]) -> BTreeSet<usize> {
        who.iter().copied().filter(|who| self.people.contains_key(who)).collect()
    }

    fn whole(&self, name: usize, who: &[usize]) -> Value {
        json!({"schemas": [GROUP], "displayName": format!("team-{name}"), "members": self.values(who)})
    }

    async fn apply(&mut self, house: &House, ask: &Ask) {
        match ask {
            Ask::Create(who) if self.people.contains_key(who) || self.gone.contains(who) => {
                house.post("/Users", person(&name(*who), &name(*who))).await.is(409);
            }
            Ask::Create(who) => {
                let id = house.post("/Users", person(&name(*who), &name(*who))).await.is(201).id();
                self.people.insert(*who, (id, true));
            }
            Ask::Delete(who) => {
                let Some((id, _)) = self.people.remove(who) else { return };
                house.delete(&format!("/Users/{id}")).await.is(204);
                self.gone.insert(*who);
                for group in self.groups.values_mut() {
                    group.members.remove(who);
                }
            }
            Ask::Active(who, on) => {
                let Some((id, active)) = self.people.get_mut(who) else { return };
                *active = *on;
                let change = json!([{"op": "replace", "value": {"active": on}}]);
                house.patch(&format!("/Users/{id}"), change).await.is(200);
            }
            Ask::Work => drop(house.work().await),
            Ask::Group(team, who) if !self.groups.contains_key(team) => {
                let id = house.post("/Groups", self.whole(*team, who)).await.is(201).id();
                self.groups.insert(*team, Group { id, name: *team, members: self.there(who) });
            }
            ask => self.change_group(house, ask).await,
        }
    }

    async fn change_group(&mut self, house: &House, ask: &Ask) {
        let (Ask::Group(team, _)
        | Ask::Ungroup(team)
        | Ask::Rename(team, _)
        | Ask::Join(team, _)
        | Ask::Leave(team, _)
        | Ask::Members(team, _)
        | Ask::Put(team, ..)) = ask
        else {
            return;
        };
        let Some(mut group) = self.groups.get(team).cloned() else { return };
        let path = format!("/Groups/{}", group.id);
        match ask {
            Ask::Ungroup(_) => {
                house.delete(&path).await.is(204);
                self.groups.remove(team);
                return;
            }
            Ask::Rename(_, name) => {
                let change =
                    json!([{"op": "replace", "path": "displayName", "value": format!("team-{name}")}]);
                house.patch(&path, change).await.is(204);
                group.name = *name;
            }
            Ask::Join(_, who) => {
                let change = json!([{"op": "add", "path": "members", "value": self.values(who)}]);
                house.patch(&path, change).await.is(204);
                group.members.extend(self.there(who));
            }
            Ask::Leave(_, who) => {
                let Some((id, _)) = self.people.get(who) else { return };
                let change = json!([{"op": "remove", "path": format!("members[value eq \"{id}\"]")}]);
                house.patch(&path, change).await.is(204);
                group.members.remove(who);
            }
            Ask::Members(_, who) => {
                let change = json!([{"op": "replace", "path": "members", "value": self.values(who)}]);
                house.patch(&path, change).await.is(204);
                group.members = self.there(who);
            }
            Ask::Put(_, name, who) => {
                house.put(&path, self.whole(*name, who)).await.is(200);
                (group.name, group.members) = (*name, self.there(who));
            }
            _ => {}
        }
        self.groups.insert(*team, group);
    }

    async fn check(&self, house: &House) {
        for (who, (id, active)) in &self.people {
            let teams = self.groups.values().filter(|group| group.members.contains(who));
            let mut teams: Vec<_> = teams.map(|group| format!("team-{}", group.name)).collect();
            teams.sort();
            let user = house.get(&format!("/Users/{id}")).await.is(200).body;
            let shown = user["groups"].as_array().map(Vec::as_slice).unwrap_or_default();
            let mut shown: Vec<_> =
                shown.iter().map(|group| group["display"].as_str().unwrap().to_owned()).collect();
            shown.sort();
            assert_eq!(shown, teams, "{}", name(*who));
            teams.dedup();
            let held =
                if *active { teams.iter().map(|team| format!("group:{team}")).collect() } else { vec![] };
            let mut grants = house.grants(&name(*who)).await;
            grants.sort();
            assert_eq!(grants, held, "{}", name(*who));
        }
        for group in self.groups.values() {
            let body = house.get(&format!("/Groups/{}", group.id)).await.is(200).body;
            let members = body["members"].as_array().map(Vec::as_slice).unwrap_or_default();
            let members: BTreeSet<_> =
                members.iter().map(|member| member["value"].as_str().unwrap()).collect();
            let expected: BTreeSet<_> = group.members.iter().map(|who| self.people[who].0.as_str()).collect();
            assert_eq!(members, expected);
        }
        assert_eq!(house.get("/Users").await.body["totalResults"], self.people.len());
        assert_eq!(house.get("/Groups").await.body["totalResults"], self.groups.len());
    }
}

fn name(who: usize) -> String {
    format!("person{who}")
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn groups_and_grants_are_as_the_model_says(asks in asks(), at_once in prop_oneof![Just(0_usize), Just(1), Just(200)]) {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let reach = Reach { retold_at_once: at_once, ..Reach::default() };
            let house = house_with(SETTINGS, |connection| connection.reach(reach));
            let mut model = Model::default();
            for ask in &asks {
                model.apply(&house, ask).await;
                if at_once == 200 {
                    model.check(&house).await;
                }
            }
            assert_eq!(house.work().await.failed, 0);
            model.check(&house).await;
        });
    }
}
