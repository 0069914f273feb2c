use super::*;

fn at(minute: i64) -> DateTime<Utc> {
    DateTime::from_timestamp(1_800_000_000 + minute * 60, 0).unwrap()
}

fn lease(number: u128) -> AccountId {
    AccountId::from_uuid(uuid::Uuid::from_u128(number))
}

/// What a target knows by this name and, where one follows `=`, by that id.
fn known(text: &str) -> RemoteEntitlement {
    let (name, native) = text.split_once('=').unwrap_or((text, text));
    RemoteEntitlement { native: Some(format!("id of {native}")), ..RemoteEntitlement::named(name) }
}

fn set(names: &[&str]) -> BTreeSet<RemoteEntitlement> {
    names.iter().map(|name| known(name)).collect()
}

/// What a target shows that was asked for these, of which it holds those.
fn shown(wanted: &[&str], held: &[&str]) -> Shown {
    let held = set(held);
    Shown { lacks: &set(wanted) - &held, held }
}

fn edge<'a>(lent: &'a Elevation, name: &str) -> &'a Edge {
    lent.edges.iter().find(|edge| edge.entitlement.name == name).unwrap()
}

fn fresh() -> Elevation {
    Elevation::begin(TargetId::new("ad").unwrap(), "alice".into(), "id-1".into())
}

/// How it is after the first lease heard an answer to a call that began when it was so.
fn answered(lent: &Elevation, begun: &Elevation, given: &[&str], ends: &[(&str, i64)]) -> Elevation {
    let ends = ends.iter().map(|(name, minute)| (known(name), at(*minute))).collect();
    lent.clone().answered(lease(1), &Answer { begun, given: &set(given), ends: &ends })
}

fn release(elevation: Elevation, number: u128) -> (Elevation, BTreeSet<RemoteEntitlement>) {
    elevation.released(lease(number), 9, at(2), at(0))
}

#[test]
fn what_two_leases_need_is_taken_when_the_second_ends() {
    let both = fresh().joined(lease(1), at(10), &shown(&["ops", "dba"], &[])).joined(
        lease(2),
        at(20),
        &shown(&["ops"], &[]),
    );
    assert_eq!(both.to_give(lease(1))[&known("ops")], at(20), "until the last one needs it");
    let (first, take) = release(both, 1);
    assert_eq!(take, set(&["dba"]));
    let (_, take) = release(first, 2);
    assert_eq!(take, set(&["ops"]));
}

#[test]
fn what_was_there_before_is_neither_given_nor_taken() {
    let joined = fresh().joined(lease(1), at(10), &shown(&["ops"], &["ops"]));
    assert!(joined.to_give(lease(1)).is_empty());
    let (after, take) = release(joined.clone(), 1);
    assert!(take.is_empty() && after.left(lease(1)) == fresh());
    // Taken back by whoever gave it, it is given, and is ours.
    let again = joined.joined(lease(2), at(20), &shown(&["ops"], &[]));
    assert_eq!(again.to_give(lease(2)), BTreeMap::from([(known("ops"), at(20))]));
}

#[test]
fn what_was_given_in_between_belongs_to_who_gave_it_unless_it_may_have_been_us() {
    let once = fresh().joined(lease(1), at(10), &shown(&["ops"], &[]));
    assert!(edge(&answered(&once, &once, &[], &[]), "ops").pre_existing);
    assert!(!edge(&answered(&once, &once, &["ops"], &[]), "ops").pre_existing);
    let twice = once.joined(lease(1), at(10), &shown(&["ops"], &[]));
    assert!(
        !edge(&answered(&twice, &twice, &[], &[]), "ops").pre_existing,
        "the first call may have been it"
    );
}

#[test]
fn while_a_call_may_still_take_it_nobody_else_is_given_it() {
    let (left, _) = release(fresh().joined(lease(1), at(10), &shown(&["ops"], &[])), 1);
    assert!(!left.is_free(&shown(&["ops"], &[]), at(1)) && left.is_free(&shown(&["dba"], &[]), at(1)));
    assert!(left.is_free(&shown(&["ops"], &[]), at(2)));
    assert!(left.taken(9, None).is_free(&shown(&["ops"], &[]), at(1)));
}

#[test]
fn what_one_server_took_and_another_shows_is_not_there_to_be_lent() {
    let (there, not_there) = (shown(&["ops"], &["ops"]), shown(&["ops"], &[]));
    let (left, _) = release(fresh().joined(lease(1), at(10), &not_there), 1);
    let taken = left.taken(9, Some(at(5)));
    assert!(taken.is_free(&there, at(1)) && taken.is_going(&there, at(4)));
    assert!(!taken.is_going(&there, at(5)), "all know of it by now");
    assert!(!taken.is_going(&not_there, at(4)) && !taken.is_going(&shown(&["dba"], &["dba"]), at(4)));
    let another = shown(&["ops=another"], &["ops=another"]);
    assert!(!taken.is_going(&another, at(4)) && taken.is_free(&another, at(1)), "the name alone");
    let next = taken.joined(lease(2), at(20), &not_there);
    assert!(!next.is_going(&there, at(4)), "it was given again since");
    assert!(release(next, 2).0.settling.len() == 1, "until it is forgotten");
}

#[test]
fn what_is_shared_is_counted_by_what_it_is_and_not_by_its_name() {
    // one name that stood for two
    let first = fresh().joined(lease(1), at(10), &shown(&["ops"], &[]));
    let both = first.joined(lease(2), at(20), &shown(&["ops=staff"], &["ops=staff"]));
    assert_eq!(both.edges.len(), 2);
    assert_eq!(release(both.clone(), 1).1, set(&["ops"]));
    assert!(release(both, 2).1.is_empty(), "there it was a member before");
    // two names that stand for one
    let first = fresh().joined(lease(1), at(10), &shown(&["ops"], &[]));
    let both = first.joined(lease(2), at(20), &shown(&["operators=ops"], &["operators=ops"]));
    let (second, take) = release(both, 1);
    assert!(take.is_empty(), "the second needs it");
    assert_eq!(release(second, 2).1, set(&["operators=ops"]));
}

#[test]
fn a_lease_goes_on_with_what_it_was_lent_whatever_the_name_stands_for() {
    let names = ["ops".to_owned()];
    assert_eq!(fresh().wanted(lease(1), &names), RemoteEntitlement::all_named(&names));
    let lent = fresh().joined(lease(1), at(10), &shown(&["ops"], &[]));
    assert_eq!(lent.wanted(lease(1), &names), set(&["ops"]));
    assert_eq!(lent.wanted(lease(2), &names), RemoteEntitlement::all_named(&names));
}

/// As an earlier build wrote it.
const BEFORE: &str = r#"{
    "target": "ad", "name": "alice", "native": "id-1",
    "edges": {"ops": {"pre_existing": false, "asked": 1,
        "leases": {"00000000-0000-0000-0000-000000000001": {"is": "needs", "until": "2027-01-15T08:10:00Z"}}}},
    "takes": [{"number": 3, "entitlements": ["dba"], "answer_by": "2027-01-15T08:05:00Z"}]
}"#;

#[test]
fn what_was_written_by_name_alone_is_what_the_name_stands_for_when_somebody_looks() {
    let before: Elevation = serde_json::from_str(BEFORE).unwrap();
    assert_eq!(before.exposure(lease(1)), None, "it did not say who ends it");
    let by_name = RemoteEntitlement::all_named(&["ops".to_owned()]);
    assert_eq!(release(before.clone(), 1).1, by_name);
    assert_eq!(before.wanted(lease(1), &[]), by_name);
    assert!(!before.is_free(&shown(&["dba"], &[]), at(1)));
    let next = before.joined(lease(2), at(20), &shown(&["ops"], &["ops"]));
    assert_eq!(next.edges.len(), 1);
    assert_eq!(edge(&next, "ops").entitlement, known("ops"));
    let text = serde_json::to_string(&next).unwrap();
    assert_eq!(serde_json::from_str::<Elevation>(&text).unwrap(), next);
}

#[test]
fn nobody_needs_anything_beyond_their_end() {
    let both = fresh().joined(lease(1), at(10), &shown(&["ops"], &[])).joined(
        lease(2),
        at(20),
        &shown(&["ops"], &["ops"]),
    );
    assert!(both.clone().released(lease(1), 9, at(21), at(19)).1.is_empty());
    assert_eq!(both.clone().released(lease(1), 9, at(22), at(20)).1, set(&["ops"]));
    let gone = BTreeSet::from([lease(2)]);
    assert_eq!(both.needed_beside(lease(1)), gone);
    assert_eq!(both.without(lease(1), &gone).released(lease(1), 9, at(13), at(11)).1, set(&["ops"]));
}

#[test]
fn what_was_given_late_is_ours_though_another_lease_saw_it_there() {
    let seen = fresh().joined(lease(2), at(20), &shown(&["ops"], &["ops"]));
    let known = seen.given_late(lease(1), &set(&["ops"]));
    let (first, take) = release(known, 1);
    assert!(take.is_empty(), "the other needs it");
    assert_eq!(release(first, 2).1, set(&["ops"]));
}

#[test]
fn it_is_ours_as_long_as_a_call_that_gives_may_be_under_way() {
    let (left, _) = release(fresh().joined(lease(1), at(10), &shown(&["ops"], &[])), 1);
    let next = left.joined(lease(2), at(20), &shown(&["ops"], &["ops"]));
    assert!(!edge(&next, "ops").pre_existing, "it was the late call that gave it");
    let (next, take) = release(next, 2);
    assert_eq!(take, set(&["ops"]));
    assert!(!next.left(lease(1)).left(lease(2)).is_live());
}

#[test]
fn the_target_is_counted_on_for_what_it_said_and_for_nothing_else() {
    let end = |lent: &Elevation| lent.exposure(lease(1)).and_then(|exposure| exposure.worst_case);
    let both = fresh().joined(lease(1), at(10), &shown(&["ops", "dba"], &["dba"])).asking(lease(1), true);
    assert_eq!(end(&both), None, "nobody answered yet");
    let told = answered(&both, &both, &["ops"], &[("ops", 10)]);
    assert_eq!(end(&told), Some(at(10)), "what was there before is not lent");
    assert_eq!(end(&answered(&told, &told, &[], &[])), None, "the next answer says that it stays");
    let shared = told.joined(lease(2), at(20), &shown(&["ops"], &["ops"]));
    assert_eq!(end(&shared.clone().asking(lease(2), true)), Some(at(20)), "it may stay for the other");
    assert_eq!(end(&shared.asking(lease(2), false)), None, "which may give it for good");
}

#[test]
fn what_an_answer_says_that_another_call_overtook_is_not_counted_on() {
    let end = |lent: &Elevation| lent.exposure(lease(1)).and_then(|exposure| exposure.worst_case);
    let first = fresh().joined(lease(1), at(10), &shown(&["ops"], &[])).asking(lease(1), true);
    let second = first.clone().joined(lease(2), at(20), &shown(&["ops"], &[])).asking(lease(2), true);
    assert_eq!(end(&answered(&second, &first, &["ops"], &[("ops", 10)])), None);
    assert_eq!(end(&answered(&second, &second, &["ops"], &[("ops", 10)])), Some(at(20)));
}

#[test]
fn what_was_given_while_a_call_was_refused_belongs_to_who_gave_it_also_for_whoever_joined_meanwhile() {
    let first = fresh().joined(lease(2), at(10), &shown(&["ops"], &[]));
    assert_eq!(first.clone().not_joined(lease(2), &fresh(), &first), fresh());
    let both = first.clone().joined(lease(1), at(20), &shown(&["ops"], &["ops"]));
    let left = both.clone().not_joined(lease(2), &fresh(), &first);
    assert!(edge(&answered(&left, &both, &[], &[]), "ops").pre_existing, "neither of us gave it");
    assert!(!edge(&answered(&left, &both, &["ops"], &[]), "ops").pre_existing);
}

#[test]
fn what_another_lease_left_to_one_whose_call_was_refused_is_taken() {
    let first = fresh().joined(lease(2), at(10), &shown(&["ops"], &[]));
    let both = first.clone().joined(lease(1), at(20), &shown(&["ops"], &[]));
    let (given, take) = release(answered(&both, &both, &["ops"], &[]), 1);
    assert!(take.is_empty(), "the other says that it needs it");
    let left = given.left(lease(1)).not_joined(lease(2), &fresh(), &first);
    assert_eq!(release(left, 2).1, set(&["ops"]));
}

#[test]
fn what_another_lease_needed_a_moment_ago_is_not_forgotten_with_the_lease_that_left_it() {
    let (ended, _) = release(fresh().joined(lease(1), at(10), &shown(&["ops"], &[])), 1);
    let shared = ended.clone().joined(lease(2), at(20), &shown(&["ops"], &["ops"]));
    let (again, take) = release(shared.clone(), 1);
    assert!(take.is_empty(), "the other needs it");
    let back = again.not_joined(lease(2), &ended, &shared);
    assert!(back.clone().left_but(lease(1), &take, at(0)).mentions(lease(1)), "it is to be taken by now");
    assert!(!back.left_but(lease(1), &set(&["ops"]), at(0)).is_live());
}

/// What a target knows by its place alone: its id may not be read.
fn hidden(name: &str, place: &str) -> RemoteEntitlement {
    RemoteEntitlement { at: Some(place.to_owned()), ..RemoteEntitlement::named(name) }
}

#[test]
fn what_has_an_id_for_one_lease_alone_is_one() {
    let by_place = hidden("ops", "cn=ops");
    let by_id = RemoteEntitlement { at: Some("cn=ops".to_owned()), ..known("ops") };
    let other = RemoteEntitlement { at: Some("cn=ops".to_owned()), ..known("ops=another") };
    for (one, two) in [(&by_place, &by_id), (&by_id, &by_place)] {
        let first = Shown { lacks: BTreeSet::from([one.clone()]), held: BTreeSet::new() };
        let second = Shown { held: BTreeSet::from([two.clone()]), lacks: BTreeSet::new() };
        let first = fresh().joined(lease(1), at(10), &first);
        let both = first.clone().joined(lease(2), at(20), &second);
        assert_eq!(both.edges.len(), 1);
        assert_eq!(both.edges[0].entitlement, by_id, "an id is not forgotten");
        assert_eq!(both.clone().not_joined(lease(2), &first, &both), first);
        assert_eq!(release(release(both, 1).0, 2).1, BTreeSet::from([by_id.clone()]));
    }
    let two = Shown { held: BTreeSet::from([by_id, other]), lacks: BTreeSet::new() };
    let two = fresh().joined(lease(1), at(10), &two);
    let seen = Shown { held: BTreeSet::from([by_place]), lacks: BTreeSet::new() };
    assert_eq!(two.joined(lease(2), at(20), &seen).edges.len(), 2, "one was made in the place of the other");
}

#[test]
fn what_turns_out_to_be_the_same_is_ours_where_any_of_it_is() {
    let mut lent = fresh().joined(lease(1), at(10), &shown(&["ops"], &[]));
    lent.edges[0].entitlement = RemoteEntitlement::named("ops");
    lent.takes.push(Taking {
        number: 1,
        entitlements: RemoteEntitlement::all_named(["ops".to_owned()].iter()),
        answer_by: at(5),
    });
    let theirs = Edge { entitlement: known("operators=ops"), pre_existing: true, ..Edge::default() };
    let leases = BTreeMap::from([(lease(2), Share::Needs { until: at(20) })]);
    lent.edges.push(Edge { leases, ..theirs });
    assert!(lent.has_both_kinds());
    let ids = [Identified { asked: RemoteEntitlement::named("ops"), told: known("ops") }];
    let one = lent.knowing(&ids);
    assert_eq!(one.edges.len(), 1);
    let edge = edge(&one, "ops");
    assert!(!edge.pre_existing && edge.asked == 1 && edge.until() == Some(at(20)), "{edge:?}");
    assert!(!one.is_free(&shown(&["operators=ops"], &[]), at(1)), "it may still be taken");
}
