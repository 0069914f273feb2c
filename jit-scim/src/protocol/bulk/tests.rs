use proptest::prelude::*;

use super::*;

fn bulk(operations: &str) -> Bulk {
    parse(&format!(r#""Operations":[{operations}]"#)).unwrap()
}

fn parse(rest: &str) -> Result<Bulk, ScimError> {
    let text = format!(r#"{{"schemas":["urn:ietf:params:scim:api:messages:2.0:BulkRequest"],{rest}}}"#);
    Bulk::parse(&Json::parse(text.as_bytes(), &Limits::default()).unwrap(), &Limits::default())
}

fn post(name: &str, data: &str) -> String {
    format!(r#"{{"method":"POST","path":"/Groups","bulkId":"{name}","data":{{{data}}}}}"#)
}

fn done(id: &str) -> BulkOutcome {
    BulkOutcome::Done { status: 201, id: id.to_owned(), location: format!("/x/{id}"), version: None }
}

/// Runs everything; what is created gets the number of its operation as identifier. Returns what ran.
fn run(bulk: &mut Bulk, refused: &[usize]) -> Vec<String> {
    let mut ran = Vec::new();
    while let Some(step) = bulk.next() {
        let data = step.data.map_or(String::new(), |data| String::from_utf8(data.to_bytes()).unwrap());
        ran.push(format!("{} {} {data}", step.method.as_str(), step.path));
        let outcome = if refused.contains(&step.operation) {
            BulkOutcome::Refused { error: Reason::Taken.into(), location: None }
        } else {
            done(&format!("id{}", step.operation))
        };
        bulk.done(step.operation, outcome);
    }
    ran
}

/// The change that completes what a circle left out.
fn addition(path: &str, value: &str) -> String {
    let schemas = r#""schemas":["urn:ietf:params:scim:api:messages:2.0:PatchOp"]"#;
    format!(r#"PATCH {path} {{{schemas},"Operations":[{{"op":"add","value":{value}}}]}}"#)
}

fn statuses(bulk: &Bulk) -> Vec<String> {
    let answer = bulk.answer();
    let Some(Json::List(list)) = answer.member("Operations") else { panic!() };
    list.iter().map(|one| one.member("status").and_then(Json::as_text).unwrap().to_owned()).collect()
}

#[test]
fn who_is_named_runs_first() {
    let operations = [
        post("a", r#""members":[{"value":"bulkId:b"}]"#),
        r#"{"method":"PATCH","path":"/Groups/bulkId:a","data":{"x":"bulkId:b"}}"#.to_owned(),
        post("b", r#""displayName":"b""#),
        r#"{"method":"DELETE","path":"/Users/7","version":"W/\"3\""}"#.to_owned(),
    ];
    let mut bulk = bulk(&operations.join(","));
    assert_eq!(
        run(&mut bulk, &[]),
        [
            r#"POST /Groups {"displayName":"b"}"#,
            r#"POST /Groups {"members":[{"value":"id2"}]}"#,
            r#"PATCH /Groups/id0 {"x":"id2"}"#,
            "DELETE /Users/7 ",
        ]
    );
    assert_eq!(statuses(&bulk).len(), 4);
}

#[test]
fn filters_in_paths_name_what_is_created() {
    let removes = |path: &str| {
        let path = String::from_utf8(Json::text(path).to_bytes()).unwrap();
        format!(
            r#"{{"method":"PATCH","path":"/Groups/7","data":{{"operations":[{{"op":"remove","Path":{path}}}]}}}}"#
        )
    };
    let name = r#"a\"b\\"#;
    let operations = [
        removes(r#"members[value eq "bulkId:u" or value eq "bulkId:a\"b\\" and type pr].value"#),
        removes(r#"x[y eq "say \"bulkId:u" and z eq "w bulkId:u" or bulkId:u eq 1]"#),
        removes(r#"x[y eq "bulkId:u"#),
        removes(r#"x[y eq "bulkId:nobody"]"#),
        post("u", ""),
        post(name, r#""displayName":"x[y eq \"bulkId:u\"]""#),
    ];
    let mut bulk = bulk(&operations.join(","));
    let ran = run(&mut bulk, &[]);
    let patches: Vec<_> = ran.iter().filter(|one| one.starts_with("PATCH")).collect();
    for (patch, part) in patches.iter().zip([
        r#""x[y eq \"say \\\"bulkId:u\" and z eq \"w bulkId:u\" or bulkId:u eq 1]""#,
        r#""x[y eq \"bulkId:u""#,
        r#""members[value eq \"id4\" or value eq \"id5\" and type pr].value""#,
    ]) {
        assert!(patch.contains(part), "{patch} instead of {part}");
    }
    assert!(
        ran.iter().any(|one| one.contains(r#""x[y eq \"bulkId:u\"]""#)),
        "a path is one in a PATCH alone"
    );
    assert_eq!(statuses(&bulk), ["201", "201", "201", "400", "201", "201"]);
}

#[test]
fn what_a_circle_leaves_out_is_added_and_nothing_else() {
    let operations = [
        post("a", r#""displayName":"A","members":[{"value":"bulkId:b"},{"value":"7"}]"#),
        post("b", r#""displayName":"B","members":[{"value":"bulkId:a"}]"#),
    ];
    let mut circle = bulk(&operations.join(","));
    assert_eq!(
        run(&mut circle, &[]),
        [
            r#"POST /Groups {"displayName":"A","members":[{"value":"7"}]}"#,
            r#"POST /Groups {"displayName":"B","members":[{"value":"id0"}]}"#,
            &addition("/Groups/id0", r#"{"members":[{"value":"id1"}]}"#),
        ]
    );
    assert_eq!(statuses(&circle), ["201", "201"]);
    let mut itself = bulk(&post("a", r#""urn:x:y":{"manager":{"value":"bulkId:a"},"b":1}"#));
    assert_eq!(
        run(&mut itself, &[]),
        [
            r#"POST /Groups {"urn:x:y":{"b":1}}"#,
            &addition("/Groups/id0", r#"{"urn:x:y":{"manager":{"value":"id0"}}}"#)
        ]
    );
    let three: Vec<_> = [("a", "b"), ("b", "c"), ("c", "a")]
        .map(|(name, other)| post(name, &format!(r#""members":[{{"value":"bulkId:{other}"}}]"#)))
        .into();
    assert_eq!(run(&mut bulk(&three.join(",")), &[]).len(), 4);
}

#[test]
fn who_only_waits_for_a_circle_is_created_whole() {
    let named = |name: &str| format!(r#"{{"value":"bulkId:{name}"}}"#);
    let group = |name: &str, of: &[&str]| {
        let members: Vec<_> = of.iter().map(|name| named(name)).collect();
        post(name, &format!(r#""members":[{}]"#, members.join(",")))
    };
    let waits = [group("x", &["a"]), group("a", &["b"]), group("b", &["a"])];
    assert_eq!(
        run(&mut bulk(&waits.join(",")), &[]),
        [
            r#"POST /Groups {"members":[]}"#,
            r#"POST /Groups {"members":[{"value":"id1"}]}"#,
            r#"POST /Groups {"members":[{"value":"id1"}]}"#,
            &addition("/Groups/id1", r#"{"members":[{"value":"id2"}]}"#),
        ],
        "x and b name a, which is a part short for a moment"
    );
    // One circle that names another one: that one comes first, so that nothing of it is left out.
    let two = [group("a", &["b", "c"]), group("b", &["a"]), group("c", &["d"]), group("d", &["c"])];
    assert_eq!(
        run(&mut bulk(&two.join(",")), &[]),
        [
            r#"POST /Groups {"members":[]}"#,
            r#"POST /Groups {"members":[{"value":"id2"}]}"#,
            &addition("/Groups/id2", r#"{"members":[{"value":"id3"}]}"#),
            r#"POST /Groups {"members":[{"value":"id2"}]}"#,
            r#"POST /Groups {"members":[{"value":"id0"}]}"#,
            &addition("/Groups/id0", r#"{"members":[{"value":"id1"}]}"#),
        ]
    );
}

#[test]
fn a_failure_reaches_those_that_wait_for_it_and_no_others() {
    let operations = [
        post("a", ""),
        post("b", r#""members":[{"value":"bulkId:a"}]"#),
        post("c", r#""members":[{"value":"bulkId:nobody"}]"#),
        post("d", ""),
    ];
    let mut all = bulk(&operations.join(","));
    assert_eq!(run(&mut all, &[0]).len(), 2);
    assert_eq!(statuses(&all), ["409", "409", "400", "201"]);
    let mut stopped = parse(&format!(r#""failOnErrors":1,"Operations":[{}]"#, operations.join(","))).unwrap();
    assert_eq!(run(&mut stopped, &[0]).len(), 1);
    assert_eq!(statuses(&stopped), ["409"]);
}

#[test]
fn what_is_no_bulk_request_is_refused() {
    let one = |text: &str| parse(&format!(r#""Operations":[{text}]"#)).unwrap_err().reason();
    for bad in [r"{}", r#"{"method":1}"#, r#"{"method":"","path":"/Users/1"}"#] {
        assert_eq!(one(bad), Reason::BulkMalformed, "{bad}");
    }
    for bad in [
        r#"{"method":"GET","path":"/Users/1"}"#,
        r#"{"method":"POST","path":"/Users","data":{}}"#,
        r#"{"method":"POST","path":"/Users/1","bulkId":"a","data":{}}"#,
        r#"{"method":"PUT","path":"/Users","data":{}}"#,
        r#"{"method":"PUT","path":"Users/1","data":{}}"#,
        r#"{"method":"PUT","path":"/Users/1"}"#,
        r#"{"method":"PUT","path":"/Users/1","data":{},"version":"3"}"#,
        r#"{"method":"PUT","path":"/Users/1","data":{},"extra":1}"#,
    ] {
        let mut bulk = bulk(bad);
        assert!(run(&mut bulk, &[]).is_empty(), "{bad}");
        assert_eq!(statuses(&bulk), ["400"], "{bad}");
    }
    assert_eq!(one("1"), Reason::NotAnObject);
    assert_eq!(one(&[post("a", ""), post("a", "")].join(",")), Reason::BulkIdTwice);
    let many = vec![r#"{"method":"DELETE","path":"/Users/1"}"#; 1001].join(",");
    assert_eq!(one(&many), Reason::BulkTooManyOperations);
    let refused = parse(&format!(r#""Operations":[{many}]"#)).unwrap_err();
    assert!(refused.to_string().ends_with("at most 1000"), "RFC 7644 §3.7.4: {refused}");
    assert_eq!(parse(r#""Operations":[],"failOnErrors":0"#).unwrap_err().reason(), Reason::BulkMalformed);
    assert_eq!(
        Bulk::parse(&Json::Object(vec![]), &Limits::default()).unwrap_err().reason(),
        Reason::SchemasMissing
    );
}

#[test]
fn a_long_chain_is_run_promptly() {
    let link = |number: usize| {
        post(&number.to_string(), &format!(r#""members":[{{"value":"bulkId:{}"}}]"#, number + 1))
    };
    let chain: Vec<_> = (0..999).map(link).chain([post("999", "")]).collect();
    let mut chain = bulk(&chain.join(","));
    assert_eq!(run(&mut chain, &[]).len(), 1000);
    assert!(statuses(&chain).iter().all(|status| status == "201"));
}

/// A group that is created, or a change that adds members to one that is.
#[derive(Clone, Debug)]
struct Ask {
    changes: Option<usize>,
    members: BTreeSet<usize>,
    is_refused: bool,
}

fn asks() -> impl Strategy<Value = Vec<Ask>> {
    let changes = prop::option::weighted(0.3, 0..6_usize);
    let members = prop::collection::btree_set(0..6_usize, 0..4);
    let ask = (changes, members, prop::bool::weighted(0.1));
    let ask = ask.prop_map(|(changes, members, is_refused)| Ask { changes, members, is_refused });
    prop::collection::vec(ask, 1..8)
}

fn written(ask: &Ask, number: usize) -> String {
    let own = ask.changes.map(|_| format!("by{number}"));
    let members = ask.members.iter().map(|one| format!("bulkId:{one}")).chain(own);
    let members: Vec<_> = members.map(|one| format!(r#"{{"value":"{one}"}}"#)).collect();
    let data = format!(r#""members":[{}]"#, members.join(","));
    match ask.changes {
        None => post(&number.to_string(), &data),
        Some(group) => {
            format!(r#"{{"method":"PATCH","path":"/Groups/bulkId:{group}","data":{{{data}}}}}"#)
        }
    }
}

/// Names the members that a message holds.
fn named(json: &Json) -> BTreeSet<String> {
    match json {
        Json::Object(members) => members
            .iter()
            .flat_map(|(name, json)| match (name.as_str(), json) {
                ("value", Json::Text(id)) => BTreeSet::from([id.clone()]),
                _ => named(json),
            })
            .collect(),
        Json::List(list) => list.iter().flat_map(named).collect(),
        _ => BTreeSet::new(),
    }
}

proptest! {
    /// Whatever waits for whatever: what is said to be made is whole, and no change is undone.
    #[test]
    fn what_is_said_to_be_done_is_done(asks in asks(), stops in prop::option::weighted(0.3, 1..3_usize)) {
        let operations: Vec<_> = asks.iter().enumerate().map(|(number, ask)| written(ask, number)).collect();
        let stop = stops.map(|most| format!(r#""failOnErrors":{most},"#)).unwrap_or_default();
        let mut bulk = parse(&format!(r#"{stop}"Operations":[{}]"#, operations.join(","))).unwrap();
        let mut groups: HashMap<String, BTreeSet<String>> = HashMap::new();
        while let Some(step) = bulk.next() {
            let id = step.path.split('/').nth(2).map_or(format!("id{}", step.operation), str::to_owned);
            if let (Some(group), false) = (asks[step.operation].changes, step.completes) {
                let created = bulk.operations.get(group);
                prop_assert!(created.is_none_or(|one| !one.is_unfinished()), "changed before it was whole");
            }
            if asks[step.operation].is_refused {
                bulk.done(step.operation, BulkOutcome::Refused { error: Reason::Taken.into(), location: None });
                continue;
            }
            let said = named(step.data.as_ref().unwrap());
            match step.method {
                BulkMethod::Patch => groups.entry(id.clone()).or_default().extend(said),
                _ => drop(groups.insert(id.clone(), said)),
            }
            bulk.done(step.operation, done(&id));
        }
        for (number, ask) in asks.iter().enumerate() {
            let Some(BulkOutcome::Done { id, .. }) = &bulk.operations[number].outcome else { continue };
            for member in &ask.members {
                prop_assert!(groups[id].contains(&format!("id{member}")), "{number} lacks {member}: {operations:?}");
            }
            prop_assert!(ask.changes.is_none() || groups[id].contains(&format!("by{number}")), "{operations:?}");
        }
        let is_whole = stops.is_none();
        prop_assert!(!is_whole || statuses(&bulk).len() == asks.len(), "an operation has no answer");
    }
}
