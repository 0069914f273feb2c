//! The laws, over random histories of records, sign-ins and acts.

use jit_core::*;
use proptest::{collection::vec, option, prelude::*, sample::select};
use serde_json::{Value, json};

use crate::{facts::*, support::*};

/// One thing that happens to a person.
#[derive(Clone, Debug)]
enum Happens {
    Record { presence: Presence, claims: Value, version: Option<u64> },
    SignIn(Value),
    Act(AdminAct),
    Time(i64),
}

fn days(days: i64) -> chrono::DateTime<chrono::Utc> {
    instant("2026-11-21T09:00:00Z") + chrono::TimeDelta::days(days)
}

fn bounds() -> impl Strategy<Value = Bound> {
    prop_oneof![Just(Bound::Unsaid), Just(Bound::Open), (-20i64..20).prop_map(|n| Bound::At(days(n)))]
}

fn presences() -> impl Strategy<Value = Presence> {
    prop_oneof![
        3 => Just(Presence::ACTIVE),
        2 => (bounds(), bounds()).prop_map(|(from, until)| Presence::Active { from, until }),
        2 => option::of((-20i64..20).prop_map(days)).prop_map(|at| Presence::Inactive { at }),
        1 => Just(Presence::Gone),
        1 => Just(Presence::Unsaid),
    ]
}

fn claims() -> impl Strategy<Value = Value> {
    let groups = select(vec![
        json!(null),
        json!([]),
        json!(["editor"]),
        json!(["editor", "admin"]),
        json!(["reader"]),
    ]);
    let names = select(vec![json!(null), json!("alice"), json!("alina")]);
    (groups, select(vec![json!(null), json!(""), json!("x"), json!("y")]), names).prop_map(
        |(groups, department, name)| {
            json!({"groups": groups, "department": department, "preferred_username": name})
        },
    )
}

fn acts() -> impl Strategy<Value = AdminAct> {
    select(vec![
        AdminAct::Disable,
        AdminAct::Suspend,
        AdminAct::Reactivate,
        AdminAct::End,
        // Of what waits by then.
        AdminAct::ConfirmLeave(Vec::new()),
        AdminAct::DismissLeave(Vec::new()),
        AdminAct::Give { entitlement: role("auditor"), ends_at: None },
        AdminAct::SetEnd(Some(days(3))),
    ])
}

fn histories() -> impl Strategy<Value = Vec<Happens>> {
    let one = prop_oneof![
        5 => (presences(), claims(), option::of(0u64..6)).prop_map(|(presence, claims, version)| Happens::Record { presence, claims, version }),
        2 => claims().prop_map(Happens::SignIn),
        1 => acts().prop_map(Happens::Act),
        1 => (0i64..10).prop_map(Happens::Time),
    ];
    vec(one, 1..12)
}

fn settings() -> impl Strategy<Value = Provisioning> {
    let authority = select(vec![Authority::Shared, Authority::Whole]);
    let limit = option::of(Just(LeaverLimit { most: 1, within: "1d".parse().unwrap(), removals: None }));
    (authority, any::<bool>(), any::<bool>(), any::<bool>(), limit).prop_map(
        |(authority, reactivates, renames, keeps_records, leavers)| Provisioning {
            authority,
            reactivates,
            renames,
            keeps_records,
            memberships: Some("groups".parse().unwrap()),
            leavers,
            same_person: Vec::new(),
        },
    )
}

struct World {
    house: House,
    last: Option<(Presence, Value, Option<u64>)>,
}

impl World {
    fn of(provisioning: Provisioning) -> Self {
        // Whoever is in department y goes on the third day, used or not, and is not idle for long.
        let scim = scim(provisioning).ceiling(&["role:reader", "role:editor"]).decides(|request| {
            let department = request.identity.claims().get("department").values().and_then(ClaimValues::text);
            let limited = department.as_deref() == Some("y");
            Decision::Permit(Permit {
                account_end: limited.then(|| AccountEnd::At(days(2))),
                idle_limit: limited.then(|| chrono::TimeDelta::days(5)),
                entitlements: if limited { Vec::new() } else { vec![role("reader")] },
                ..Permit::default()
            })
        });
        Self { house: house(vec![scim, wire("okta").ceiling(&["role:reader"])]), last: None }
    }

    async fn account(&self) -> Option<Account> {
        self.house.all().await.into_iter().next()
    }

    async fn hear(&self, (presence, claims, version): &(Presence, Value, Option<u64>)) -> Outcome {
        let record = said("e1", claims.clone()).presence(*presence);
        self.house.hear(if let Some(version) = version { record.version(*version) } else { record }).await
    }

    async fn happen(&mut self, happens: &Happens) {
        match happens {
            Happens::Record { presence, claims, version } => {
                let record = (*presence, claims.clone(), *version);
                self.hear(&record).await;
                self.last = Some(record);
            }
            Happens::SignIn(claims) => drop(self.house.sign_in(1, "e1", claims.clone()).await),
            Happens::Act(act) => {
                if let Some(account) = self.account().await {
                    let act = match act {
                        AdminAct::ConfirmLeave(_) => AdminAct::ConfirmLeave(account.waiting_leaves()),
                        AdminAct::DismissLeave(_) => AdminAct::DismissLeave(account.waiting_leaves()),
                        act => act.clone(),
                    };
                    let _ = self.house.administer(account.id, act).await;
                }
            }
            Happens::Time(days) => {
                self.house.clock.advance(chrono::TimeDelta::days(*days));
                self.house.work().await;
            }
        }
    }
}

fn run(test: impl std::future::Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
}

fn is_of(source: &Source, connection: &str) -> bool {
    matches!(source, Source::Connection(id) if id.as_str() == connection)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Laws 2, 3, 10 and 11, after whatever has happened.
    #[test]
    fn records_converge_and_keep_the_laws(provisioning in settings(), history in histories()) {
        run(async {
            let reactivates = provisioning.reactivates;
            let mut world = World::of(provisioning);
            for happens in &history {
                let before = world.account().await;
                world.happen(happens).await;
                let after = world.account().await;
                if let (Some(before), Some(after)) = (&before, &after) {
                    assert_eq!(world.house.all().await.len(), 1, "one person, one account");
                    let now = world.house.clock.now();
                    let by_admin = matches!(happens, Happens::Act(_));
                    let was = before.standing(now);
                    if was == Standing::Ended {
                        assert_eq!(after.standing(now), Standing::Ended, "a tombstone came to life by {happens:?}");
                    }
                    let may_return = by_admin || (reactivates && matches!(happens, Happens::Record { .. }));
                    if !may_return && was.denial().is_some() && was != Standing::Early {
                        assert!(after.standing(now).denial().is_some(), "{was:?} came back by {happens:?}");
                    }
                    let stopped_by_admin = matches!(&before.state, AccountState::Disabled { reason, .. } | AccountState::Suspended { reason, .. } if reason.as_str() == "admin.act");
                    if stopped_by_admin && !by_admin {
                        let keeps = |reason: &Code| reason.as_str() == "admin.act";
                        let stays = match &after.state {
                            AccountState::Disabled { reason, .. } | AccountState::Suspended { reason, .. } => keeps(reason),
                            state => matches!(state, AccountState::Ended { .. }),
                        };
                        assert!(stays, "the administrator was overruled by {happens:?}");
                    }
                    if !by_admin {
                        let end = before.end_of_administrator();
                        assert_eq!(after.end_of_administrator(), end, "the administrator's end was lost by {happens:?}");
                        assert!(end.is_none() || after.ends_at.is_some_and(|at| Some(at) <= end), "lifted by {happens:?}");
                    }
                }
                let Some(after) = after else { continue };
                for grant in &after.grants {
                    let source = &grant.provenance.source;
                    assert!(*source == Source::Administrator || grant.entitlement != role("admin"), "above every ceiling");
                    assert!(!is_of(source, "okta") || grant.entitlement == role("reader"), "above the ceiling of sign-ins");
                }
                // Law 5: what an administrator gave goes by an administrator, by time or by the end of the account.
                let held = |account: &Account| account.grants.iter().filter(|grant| grant.provenance.source == Source::Administrator).count();
                if let (Some(before), Happens::Record { presence, .. }) = (&before, happens)
                    && *presence != Presence::Gone
                    && before.next_end().is_none_or(|end| end > world.house.clock.now())
                    && after.next_end() == before.next_end()
                {
                    assert_eq!(held(before), held(&after), "{happens:?}");
                }
                if let (Some(last), Happens::Record { .. }) = (&world.last, happens) {
                    let version = after.version;
                    world.hear(last).await;
                    assert_eq!(world.account().await.unwrap().version, version, "the same record twice: {last:?}");
                }
            }
        });
    }

    /// Where records have versions, the order in which they come does not matter.
    #[test]
    fn records_with_versions_come_in_any_order(
        provisioning in settings(),
        said_of in vec((presences(), claims()), 1..6),
        shuffle in any::<u64>(),
    ) {
        run(async {
            let provisioning = Provisioning { leavers: None, reactivates: true, ..provisioning };
            let last = said_of.len() - 1;
            let record = |n: usize| {
                let (presence, claims) = &said_of[n];
                // What is said once is not taken back by silence, so that each record says everything.
                let whole = json!({
                    "groups": if claims["groups"].is_null() { json!([]) } else { claims["groups"].clone() },
                    "department": if claims["department"].is_null() { json!("") } else { claims["department"].clone() },
                });
                let presence = match presence {
                    Presence::Gone if n != last => Presence::INACTIVE,
                    Presence::Active { .. } | Presence::Unsaid => Presence::Active { from: Bound::Open, until: Bound::Open },
                    Presence::Inactive { .. } => Presence::INACTIVE,
                    presence @ Presence::Gone => *presence,
                };
                (presence, whole, Some(n as u64))
            };
            let mut order: Vec<usize> = (0..said_of.len()).collect();
            let mut state = shuffle;
            for n in (1..order.len()).rev() {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                order.swap(n, usize::try_from(state >> 33).unwrap() % (n + 1));
            }
            let (straight, shuffled) = (World::of(provisioning.clone()), World::of(provisioning));
            for n in 0..said_of.len() {
                straight.hear(&record(n)).await;
            }
            for n in &order {
                shuffled.hear(&record(*n)).await;
            }
            let (one, other) = (straight.account().await, shuffled.account().await);
            let seen = |account: &Account| (
                account.state.word(),
                held_roles(account),
                // A tombstone keeps what was known, and hears nothing more.
                if account.records[0].presence == HeldPresence::Gone { Vec::new() } else { texts(account, "department") },
                account.records[0].version,
                account.records[0].presence,
            );
            assert_eq!(one.as_ref().map(seen), other.as_ref().map(seen), "{order:?}");
        });
    }
}
