//! The calls that are played, over few names, so that they meet each other.

use proptest::{collection::vec, option, prelude::*, strategy::Strategy};

use super::documents::{self, Write};

/// Which account: tenant and number.
pub(super) type Who = (u8, u8);

/// One call, by which node, at how many seconds after the one before.
#[derive(Clone, Debug)]
pub(super) struct Call {
    pub(super) node: usize,
    pub(super) later: i64,
    pub(super) what: What,
}

#[derive(Clone, Debug)]
pub(super) enum What {
    Create { who: Who, looks: Looks, parts: Parts },
    Update { who: Who, stale: bool, looks: Looks, parts: Parts },
    Commit { tenant: u8, parts: Parts },
    Touch { seen: Vec<(Who, i64)> },
    Read { who: Who },
    Find { tenant: u8, subject: u8 },
    Named { tenant: u8, name: u8 },
    Matching { tenant: u8, value: u8 },
    List { tenant: u8, filter: u8, limit: usize },
    Claim { lane: u8, tenants: u8, hold: i64, limit: usize },
    Settle { claim: usize, again: Option<i64> },
    NextDue { lane: u8 },
    Put { tenant: u8, key: u8, size: usize, lives: i64 },
    Take { tenant: u8, key: u8 },
    Purge { limit: usize },
    Events { tenant: u8, account: Option<u8>, latest_first: bool, limit: usize },
}

/// What an account looks like.
#[derive(Clone, Debug)]
pub(super) struct Looks {
    pub(super) subjects: u8,
    pub(super) name: Option<u8>,
    pub(super) email: Option<u8>,
    pub(super) badges: Vec<u8>,
    pub(super) grants: Vec<u8>,
    pub(super) state: u8,
    pub(super) last_seen: Option<i64>,
}

/// What else a commit carries.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    pub(super) tasks: Vec<(u8, u8, i64)>,
    pub(super) withdrawn: Vec<u8>,
    pub(super) events: Vec<(u8, Option<u8>)>,
    pub(super) counters: Vec<(u8, i64, Option<i64>, Option<i64>)>,
    pub(super) documents: Vec<Write>,
    /// Which part names another tenant, if any.
    pub(super) foreign: u8,
}

pub(super) fn sequence(calls: usize) -> impl Strategy<Value = Vec<Call>> {
    vec(call(), 1..=calls)
}

fn call() -> impl Strategy<Value = Call> {
    (0..2_usize, 0..4_i64, what()).prop_map(|(node, later, what)| Call { node, later, what })
}

fn who() -> impl Strategy<Value = Who> {
    (0..2_u8, 0..4_u8)
}

fn what() -> impl Strategy<Value = What> {
    let tenant = 0..2_u8;
    prop_oneof![
        3 => (who(), looks(), parts()).prop_map(|(who, looks, parts)| What::Create { who, looks, parts }),
        5 => (who(), prop::bool::weighted(0.25), looks(), parts())
            .prop_map(|(who, stale, looks, parts)| What::Update { who, stale, looks, parts }),
        2 => (tenant.clone(), parts()).prop_map(|(tenant, parts)| What::Commit { tenant, parts }),
        1 => vec((who(), 0..60_i64), 0..3).prop_map(|seen| What::Touch { seen }),
        5 => reads(),
        4 => task_calls(),
        5 => one_time_calls(),
        1 => (tenant, option::of(0..4_u8), any::<bool>(), 1..5_usize).prop_map(
            |(tenant, account, latest_first, limit)| What::Events { tenant, account, latest_first, limit }
        ),
    ]
}

fn reads() -> impl Strategy<Value = What> {
    let tenant = 0..2_u8;
    prop_oneof![
        who().prop_map(|who| What::Read { who }),
        (tenant.clone(), 0..4_u8).prop_map(|(tenant, subject)| What::Find { tenant, subject }),
        (tenant.clone(), 0..3_u8).prop_map(|(tenant, name)| What::Named { tenant, name }),
        (tenant.clone(), 0..6_u8).prop_map(|(tenant, value)| What::Matching { tenant, value }),
        (tenant, 0..7_u8, 1..4_usize).prop_map(|(tenant, filter, limit)| What::List {
            tenant,
            filter,
            limit
        }),
    ]
}

fn task_calls() -> impl Strategy<Value = What> {
    let lane = 0..2_u8;
    prop_oneof![
        3 => (lane.clone(), 0..9_u8, 1..8_i64, 1..4_usize)
            .prop_map(|(lane, tenants, hold, limit)| What::Claim { lane, tenants, hold, limit }),
        3 => (any::<usize>(), option::of(-3..9_i64)).prop_map(|(claim, again)| What::Settle { claim, again }),
        1 => lane.prop_map(|lane| What::NextDue { lane }),
    ]
}

fn one_time_calls() -> impl Strategy<Value = What> {
    let tenant = 0..2_u8;
    prop_oneof![
        3 => (tenant.clone(), 0..2_u8, 0..40_usize, 0..20_i64)
            .prop_map(|(tenant, key, size, lives)| What::Put { tenant, key, size, lives }),
        3 => (tenant, 0..2_u8).prop_map(|(tenant, key)| What::Take { tenant, key }),
        1 => (1..4_usize).prop_map(|limit| What::Purge { limit }),
    ]
}

fn looks() -> impl Strategy<Value = Looks> {
    let few = || vec(0..3_u8, 0..3);
    (0..16_u8, option::of(0..3_u8), option::of(0..3_u8), few(), few(), 0..3_u8, option::of(0..60_i64))
        .prop_map(|(subjects, name, email, badges, grants, state, last_seen)| Looks {
            subjects,
            name,
            email,
            badges,
            grants,
            state,
            last_seen,
        })
}

fn parts() -> impl Strategy<Value = Parts> {
    let tasks = vec((0..8_u8, 0..2_u8, 0..20_i64), 0..2);
    let events = vec((0..60_u8, option::of(0..4_u8)), 0..2);
    let bound = || option::of(-2..5_i64);
    let counters = vec((0..2_u8, -2..3_i64, bound(), bound()), 0..2);
    let foreign = prop_oneof![20 => Just(0_u8), 1 => 1..4_u8];
    (tasks, vec(0..8_u8, 0..2), events, counters, documents::writes(), foreign).prop_map(
        |(tasks, withdrawn, events, counters, documents, foreign)| Parts {
            tasks,
            withdrawn,
            events,
            counters,
            documents,
            foreign,
        },
    )
}
