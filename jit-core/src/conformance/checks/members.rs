//! Groups: members that come, go, and leave with what they are.

use std::sync::Arc;

use super::documents::{create, document, keeping, named};
use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, refused, same},
    sample::{Made, World, at, count},
};
use crate::{
    ConnectionId, Document, DocumentId, DocumentKey, DocumentWrite, ErrorKind, MEMBERSHIPS, MemberChange,
    Store,
};

/// Changes a group by these members and returns it as it must be stored.
async fn regroup(
    store: &dyn Store,
    world: &World,
    group: &Document,
    changes: Vec<MemberChange>,
) -> Made<Document> {
    let after = Document { changed_at: at(1), ..group.clone() };
    let write = DocumentWrite::update(group, after.clone()).with_members(changes);
    store.commit(&keeping(world, vec![write])).await?;
    Ok(Document { version: group.version + 1, ..after })
}

pub(super) fn add(member: &Document, body: &str) -> MemberChange {
    MemberChange::Add { member: member.key.id, kind: member.key.collection.kind.clone(), body: body.into() }
}

fn remove(member: &Document) -> MemberChange {
    MemberChange::Remove { member: member.key.id }
}

async fn members(store: &dyn Store, group: &Document) -> Made<Vec<(DocumentId, Arc<str>)>> {
    let page = store.members(&group.key, None, count(100)).await?;
    Ok(page.items.into_iter().map(|member| (member.id, member.body)).collect())
}

async fn groups_of(nodes: &Nodes, member: &Document) -> Made<Vec<DocumentKey>> {
    let found = nodes.two().memberships(&member.key).await?;
    ensure(!found.is_cut, "groups are said to be left out")?;
    Ok(found.groups)
}

fn is_member(document: &Document, body: &str) -> (DocumentId, Arc<str>) {
    (document.key.id, body.into())
}

/// Checks that a member is one once, that a second addition replaces nothing, and that changes are made in their order.
pub async fn members_come_and_go_in_order(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (anna, bert) =
        (create(store, &mut world, "User", "anna").await?, create(store, &mut world, "User", "bert").await?);
    let team = create(store, &mut world, "Group", "team").await?;
    let all = create(store, &mut world, "Group", "all").await?;
    let team =
        regroup(store, &world, &team, vec![add(&bert, "b"), add(&anna, "a"), add(&anna, "later")]).await?;
    let both = vec![is_member(&anna, "a"), is_member(&bert, "b")];
    same(&members(nodes.two(), &team).await?, &both, "the members in the order of their ids")?;
    let team = regroup(store, &world, &team, vec![add(&bert, "again"), remove(&all)]).await?;
    same(&members(nodes.two(), &team).await?, &both, "after nothing has changed")?;
    same(&nodes.two().document(&team.key).await?, &Some(team.clone()), "the group")?;
    regroup(store, &world, &all, vec![add(&team, "t"), add(&bert, "b")]).await?;
    let mut groups = vec![team.key.clone(), all.key.clone()];
    groups.sort();
    same(&groups_of(nodes, &bert).await?, &groups, "the groups of one")?;
    same(&groups_of(nodes, &team).await?, &vec![all.key.clone()], "the groups of a group")?;
    let changes = vec![
        remove(&bert),
        add(&bert, "new"),
        MemberChange::Clear,
        add(&anna, "anew"),
        add(&bert, "x"),
        remove(&bert),
    ];
    let team = regroup(store, &world, &team, changes).await?;
    same(&members(nodes.two(), &team).await?, &vec![is_member(&anna, "anew")], "after all of them")?;
    same(&nodes.two().member(&team.key, bert.key.id).await?, &None, "who has left")?;
    same(&groups_of(nodes, &bert).await?, &vec![all.key.clone()], "the groups of who has left")?;
    let member = nodes.two().member(&team.key, anna.key.id).await?;
    same(
        &member.map(|member| (member.kind, member.body)),
        &Some((anna.key.collection.kind, "anew".into())),
        "who stays",
    )
}

/// Checks that removing one member leaves the others.
pub async fn removing_a_member_keeps_the_others(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut people = Vec::new();
    for number in 0..5 {
        people.push(create(store, &mut world, "User", &format!("user{number}")).await?);
    }
    let group = create(store, &mut world, "Group", "g").await?;
    let group = regroup(store, &world, &group, people.iter().map(|one| add(one, "{}")).collect()).await?;
    let Some((first, others)) = people.split_first() else { return Ok(()) };
    let group = regroup(store, &world, &group, vec![remove(first)]).await?;
    let want: Vec<_> = others.iter().map(|one| is_member(one, "{}")).collect();
    same(&members(nodes.two(), &group).await?, &want, "the others")
}

/// Checks that only a document that is there becomes a member, also where it comes with the same commit.
pub async fn a_member_must_be_there(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let group = create(store, &mut world, "Group", "g").await?;
    let person = document(&mut world, "User", "p")?;
    let mut elsewhere = document(&mut world, "User", "p")?;
    elsewhere.key.collection.connection = ConnectionId::new("other")?;
    store.commit(&keeping(&world, vec![DocumentWrite::create(elsewhere.clone())])).await?;
    for nobody in [&person, &elsewhere] {
        let joins = DocumentWrite::update(&group, group.clone()).with_members(vec![add(nobody, "{}")]);
        refused(store.commit(&keeping(&world, vec![joins])).await, &ErrorKind::NoSuchMember, "the commit")?;
    }
    same(
        &nodes.two().document(&group.key).await?.map(|group| group.version),
        &Some(1),
        "the group's version",
    )?;
    let passing = vec![add(&person, "{}"), remove(&person)];
    let group = regroup(store, &world, &group, passing).await?;
    let joins = DocumentWrite::update(&group, group.clone()).with_members(vec![add(&person, "{}")]);
    store.commit(&keeping(&world, vec![joins, DocumentWrite::create(person.clone())])).await?;
    same(&members(nodes.two(), &group).await?, &vec![is_member(&person, "{}")], "the members")
}

/// Checks that a removed document leaves its groups, which count that as a change, and that a removed group leaves its
/// members.
pub async fn a_removed_document_leaves_its_groups(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (anna, bert) =
        (create(store, &mut world, "User", "anna").await?, create(store, &mut world, "User", "bert").await?);
    let one = create(store, &mut world, "Group", "one").await?;
    let two = create(store, &mut world, "Group", "two").await?;
    let one = regroup(store, &world, &one, vec![add(&anna, "{}"), add(&bert, "{}")]).await?;
    let two = regroup(store, &world, &two, vec![add(&anna, "{}"), add(&one, "{}")]).await?;
    let renamed = DocumentWrite::update(&two, Document { body: "2".into(), ..two.clone() });
    store.commit(&keeping(&world, vec![DocumentWrite::remove(&anna, at(9)), renamed])).await?;
    same(&members(nodes.two(), &one).await?, &vec![is_member(&bert, "{}")], "the first group")?;
    same(&nodes.two().member(&one.key, anna.key.id).await?, &None, "who is gone")?;
    let moved = Document { version: 3, changed_at: at(9), ..one.clone() };
    same(&nodes.two().document(&one.key).await?, &Some(moved.clone()), "the first group as a document")?;
    let second = nodes.two().document(&two.key).await?.map(|group| (group.version, group.changed_at));
    same(&second, &Some((3, at(1))), "the group that the commit writes itself")?;
    same(&groups_of(nodes, &anna).await?, &Vec::new(), "the groups of who is gone")?;
    let stale = DocumentWrite::update(&one, one.clone());
    refused(
        store.commit(&keeping(&world, vec![stale])).await,
        &ErrorKind::DocumentChanged,
        "the old version",
    )?;
    store.commit(&keeping(&world, vec![DocumentWrite::remove(&moved, at(10))])).await?;
    same(&groups_of(nodes, &bert).await?, &Vec::new(), "the groups after the group is gone")?;
    same(&members(nodes.two(), &one).await?, &Vec::new(), "the members of a group that is gone")?;
    same(&members(nodes.two(), &two).await?, &Vec::new(), "the group of the group")
}

/// Checks that a group can be removed without its members, who can still be listed and let go of, and that nobody is a member
/// of it any longer.
pub async fn members_of_a_removed_group_stay_until_they_are_dismissed(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let (anna, bert, carl) = (
        create(store, &mut world, "User", "anna").await?,
        create(store, &mut world, "User", "bert").await?,
        create(store, &mut world, "User", "carl").await?,
    );
    let team = create(store, &mut world, "Group", "team").await?;
    let other = create(store, &mut world, "Group", "other").await?;
    let everybody = vec![add(&anna, "a"), add(&bert, "b"), add(&carl, "c")];
    let team = regroup(store, &world, &team, everybody).await?;
    let other = regroup(store, &world, &other, vec![add(&anna, "a")]).await?;
    store.commit(&keeping(&world, vec![DocumentWrite::remove_apart(&team, at(9))])).await?;
    same(&nodes.two().document(&team.key).await?, &None, "the group")?;
    same(&named(nodes.two(), &team.key.collection, ("name", "team")).await?, &Vec::new(), "its name")?;
    let all = vec![is_member(&anna, "a"), is_member(&bert, "b"), is_member(&carl, "c")];
    same(&members(nodes.two(), &team).await?, &all, "who stayed behind")?;
    same(&groups_of(nodes, &anna).await?, &vec![other.key.clone()], "the groups of one of them")?;
    let dismiss = |group: &Document, one: &Document| {
        keeping(&world, vec![DocumentWrite::dismiss(group.key.clone(), [one.key.id])])
    };
    for _ in 0..2 {
        store.commit(&dismiss(&team, &anna)).await?;
        store.commit(&dismiss(&other, &anna)).await?;
    }
    same(&members(nodes.two(), &team).await?, &all.get(1..).unwrap_or_default().to_vec(), "who is left")?;
    same(&members(nodes.two(), &other).await?, &vec![is_member(&anna, "a")], "a group that is there")?;
    same(&nodes.two().document(&other.key).await?, &Some(other), "a group that is there, as a document")?;
    store.commit(&keeping(&world, vec![DocumentWrite::remove(&bert, at(10))])).await?;
    same(&members(nodes.two(), &team).await?, &vec![is_member(&carl, "c")], "after one of them is gone")
}

/// Checks that tenants and connections keep documents of the same ids, names and members apart.
pub async fn each_tenant_keeps_its_own_documents(nodes: &Nodes) -> Result<(), Failure> {
    let (mut a, b) = (World::new("a")?, World::new("b")?);
    let (user, group) = (document(&mut a, "User", "u")?, document(&mut a, "Group", "g")?);
    let at_b = |document: &Document| {
        let mut other = document.clone();
        other.key.collection.tenant = b.tenant.clone();
        other
    };
    let at_other = |document: &Document| -> Made<Document> {
        let mut other = document.clone();
        other.key.collection.connection = ConnectionId::new("other")?;
        Ok(other)
    };
    let write = |user: &Document, group: &Document| {
        let grouped = DocumentWrite::create(group.clone()).with_members(vec![add(user, "{}")]);
        vec![DocumentWrite::create(user.clone()), grouped]
    };
    nodes.one().commit(&keeping(&a, write(&user, &group))).await?;
    for (user, group) in [(at_b(&user), at_b(&group)), (at_other(&user)?, at_other(&group)?)] {
        let store = nodes.two();
        same(&store.document(&user.key).await?, &None, "the document of another")?;
        same(&named(store, &user.key.collection, ("name", "u")).await?, &Vec::new(), "its name")?;
        same(&store.count_documents(&user.key.collection).await?, &0, "how many there are")?;
        same(&members(store, &group).await?, &Vec::new(), "its members")?;
        same(&store.memberships(&user.key).await?.groups, &Vec::new(), "its groups")?;
    }
    nodes.one().commit(&keeping(&b, write(&at_b(&user), &at_b(&group)))).await?;
    nodes.one().commit(&keeping(&a, write(&at_other(&user)?, &at_other(&group)?))).await?;
    nodes.one().commit(&keeping(&b, vec![DocumentWrite::remove(&at_b(&user), at(1))])).await?;
    for (user, group) in [(user.clone(), group.clone()), (at_other(&user)?, at_other(&group)?)] {
        same(&nodes.two().document(&user.key).await?, &Some(user.clone()), "the document")?;
        same(&members(nodes.two(), &group).await?, &vec![is_member(&user, "{}")], "the members")?;
        same(&groups_of(nodes, &user).await?, &vec![group.key.clone()], "the groups")?;
    }
    Ok(())
}

/// Checks that the members of a large group are read page by page.
pub async fn a_large_group_is_read_in_pages(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut group = document(&mut world, "Group", "g")?;
    let write = DocumentWrite::create(group.clone());
    store.commit(&keeping(&world, vec![write])).await?;
    let mut keys: Vec<DocumentKey> = Vec::new();
    for part in 0..3 {
        let people: Vec<_> = (0..400)
            .map(|number| document(&mut world, "User", &format!("user{part}-{number}")))
            .collect::<Made<_>>()?;
        let joins = people.iter().map(|one| add(one, "{}")).collect();
        let grouped = DocumentWrite::update(&group, group.clone()).with_members(joins);
        keys.extend(people.iter().map(|one| one.key.clone()));
        let people = people.into_iter().map(DocumentWrite::create);
        store.commit(&keeping(&world, people.chain([grouped]).collect())).await?;
        group.version += 1;
    }
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = nodes.two().members(&group.key, after, count(500)).await?;
        ensure(page.items.len() <= 500, "a page holds more than asked for")?;
        read.extend(page.items.iter().map(|member| member.id));
        after = page.next.map(|cursor| DocumentId::from_uuid(cursor.id()));
        if after.is_none() {
            break;
        }
    }
    same(&read, &keys.iter().map(|key| key.id).collect(), "the members")?;
    let page = nodes.two().members(&group.key, None, count(5_000)).await?;
    same(&page.items.len(), &crate::PAGE_ITEMS, "the most that one page holds")
}

/// Checks that a store names as many groups of one member as it may, and says so where there are more.
pub async fn the_groups_of_one_are_all_named_or_said_to_be_cut(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let person = create(store, &mut world, "User", "p").await?;
    let mut groups = Vec::new();
    for number in 0..=MEMBERSHIPS {
        groups.push(Document { names: [].into(), ..document(&mut world, "Group", &format!("g{number}"))? });
    }
    let mut keys: Vec<_> = groups.iter().map(|group| group.key.clone()).collect();
    let Some(last) = groups.pop() else { return Ok(()) };
    let join = |group: &Document| DocumentWrite::create(group.clone()).with_members(vec![add(&person, "{}")]);
    for some in groups.chunks(1_000) {
        store.commit(&keeping(&world, some.iter().map(join).collect())).await?;
    }
    let mut all: Vec<_> = keys.iter().filter(|key| **key != last.key).cloned().collect();
    all.sort();
    same(&groups_of(nodes, &person).await?, &all, "as many groups as may be named")?;
    store.commit(&keeping(&world, vec![join(&last)])).await?;
    keys.sort();
    keys.truncate(MEMBERSHIPS);
    let found = nodes.two().memberships(&person.key).await?;
    same(&(found.groups, found.is_cut), &(keys, true), "one more than may be named")
}
