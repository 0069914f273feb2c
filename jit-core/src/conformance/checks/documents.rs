//! Documents: written, found, unique, grouped, and together with the rest of the commit.

use std::sync::Arc;

use chrono::TimeDelta;

use super::members::add;
use crate::conformance::{
    Failure, Nodes,
    failure::{ensure, is_nobody, refused, same},
    race::commit_all,
    sample::{Made, World, at, count},
};
use crate::{
    AccountId, Collection, Commit, ConnectionId, CounterName, Document, DocumentId, DocumentName,
    DocumentQuery, DocumentText, DocumentWrite, ErrorKind, IndexName, MemberChange, Store, Taken, TenantId,
};

pub(super) fn collection(tenant: &TenantId, kind: &str) -> Made<Collection> {
    Ok(Collection { tenant: tenant.clone(), connection: ConnectionId::new("scim")?, kind: kind.parse()? })
}

pub(super) fn index(name: &str) -> Made<IndexName> {
    Ok(IndexName::new(name)?)
}

pub(super) fn taken(name: &str) -> Made<ErrorKind> {
    Ok(ErrorKind::AlreadyExists(Taken::DocumentName(index(name)?)))
}

/// A document with a unique name.
pub(super) fn document(world: &mut World, kind: &str, name: &str) -> Made<Document> {
    Ok(Document {
        key: collection(&world.tenant, kind)?.key(world.document_id()),
        version: 1,
        created_at: at(0),
        changed_at: at(0),
        account: None,
        body: format!("{{\"name\":\"{name}\"}}").into(),
        names: [DocumentName::unique(index("name")?, name)].into(),
    })
}

/// The names of a document and one more.
fn with(document: &Document, name: DocumentName) -> Arc<[DocumentName]> {
    document.names.iter().cloned().chain([name]).collect()
}

pub(super) fn keeping(world: &World, documents: Vec<DocumentWrite>) -> Commit {
    Commit { documents, ..world.commit() }
}

pub(super) async fn create(store: &dyn Store, world: &mut World, kind: &str, name: &str) -> Made<Document> {
    let document = document(world, kind, name)?;
    store.commit(&keeping(world, vec![DocumentWrite::create(document.clone())])).await?;
    Ok(document)
}

pub(super) async fn named(store: &dyn Store, of: &Collection, name: (&str, &str)) -> Made<Vec<DocumentId>> {
    let found = store.documents_named(of, &index(name.0)?, name.1).await?;
    Ok(found.into_iter().map(|text| text.id).collect())
}

/// Checks that a document comes back word for word, on either node.
pub async fn a_document_is_read_as_it_was_written(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let whole = Document {
        account: Some(world.account().id),
        body: "{ \"b\" : \"é\\u0000 'x' \", \"a\":[1.50 , null]}".into(),
        names: [
            DocumentName::shared(index("urn:example:2.0:User:mail")?, "a@example.com"),
            DocumentName::unique(index("name")?, "\u{0}Ä b'\"\\"),
            DocumentName::unique(index("name")?, "x".repeat(5_000)),
        ]
        .into(),
        changed_at: at(3) + TimeDelta::microseconds(7),
        ..document(&mut world, "User", "x")?
    };
    let bare =
        Document { names: Arc::default(), body: "".into(), ..document(&mut world, "Ünit of 1", "x")? };
    for document in [whole, bare] {
        nodes.one().commit(&keeping(&world, vec![DocumentWrite::create(document.clone())])).await?;
        for store in [nodes.one(), nodes.two()] {
            let read = store.document(&document.key).await?;
            same(&read.as_ref(), &Some(&document), "the document")?;
            same(
                &read.map(|read| (read.body, read.names)),
                &Some((document.body.clone(), document.names.clone())),
                "its parts",
            )?;
        }
    }
    same(
        &nodes.one().document(&collection(&world.tenant, "User")?.key(world.document_id())).await?,
        &None,
        "another id",
    )
}

/// Checks that each write of a document is counted, and that when it came into being stays.
pub async fn an_update_of_a_document_counts_its_versions(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let mut before = create(nodes.one(), &mut world, "User", "x").await?;
    for turn in 1..4_u32 {
        let after = Document {
            body: format!("{turn}").into(),
            created_at: at(99),
            changed_at: at(i64::from(turn)),
            account: Some(AccountId::from_uuid(uuid::Uuid::from_u128(u128::from(turn)))),
            ..before.clone()
        };
        nodes.of(0).commit(&keeping(&world, vec![DocumentWrite::update(&before, after.clone())])).await?;
        before = Document { version: u64::from(turn) + 1, created_at: at(0), ..after };
        same(&nodes.two().document(&before.key).await?, &Some(before.clone()), "the document")?;
        let text = nodes.two().document_text(&before.key.collection, before.key.id).await?;
        same(&text, &Some(before.text()), "what it says")?;
    }
    Ok(())
}

/// Checks that a document is written over the version that was read, and over no other.
pub async fn a_document_is_written_over_its_own_version_only(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let old = create(store, &mut world, "User", "x").await?;
    let new = Document { body: "2".into(), version: 2, ..old.clone() };
    store.commit(&keeping(&world, vec![DocumentWrite::update(&old, new.clone())])).await?;
    let late = Document { body: "late".into(), ..old.clone() };
    let missing = document(&mut world, "User", "y")?;
    for (write, want, what) in [
        (DocumentWrite::update(&old, late), ErrorKind::DocumentChanged, "an update of an old version"),
        (DocumentWrite::remove(&old, at(1)), ErrorKind::DocumentChanged, "a removal of an old version"),
        (
            DocumentWrite::update(&missing, missing.clone()),
            ErrorKind::DocumentChanged,
            "an update of nothing",
        ),
        (DocumentWrite::remove(&missing, at(1)), ErrorKind::DocumentChanged, "a removal of nothing"),
        (DocumentWrite::create(old.clone()), ErrorKind::AlreadyExists(Taken::Document), "a second creation"),
    ] {
        refused(nodes.two().commit(&keeping(&world, vec![write])).await, &want, what)?;
    }
    same(&store.document(&old.key).await?, &Some(new), "the document")?;
    same(&store.count_documents(&old.key.collection).await?, &1, "how many there are")
}

/// Checks that nothing leads to a document that was removed, and that its names are free.
pub async fn a_removed_document_is_gone(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let old = create(store, &mut world, "User", "x").await?;
    store.commit(&keeping(&world, vec![DocumentWrite::remove(&old, at(1))])).await?;
    let of = &old.key.collection;
    same(&nodes.two().document(&old.key).await?, &None, "the document")?;
    same(&named(nodes.two(), of, ("name", "x")).await?, &Vec::new(), "its name")?;
    same(&store.count_documents(of).await?, &0, "how many there are")?;
    let heir = create(store, &mut world, "User", "x").await?;
    same(&named(nodes.two(), of, ("name", "x")).await?, &vec![heir.key.id], "the heir of its name")
}

/// Checks that names lead to their documents, byte for byte, and follow updates.
pub async fn a_document_is_found_by_its_names(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut all = Vec::new();
    for name in ["x", "X", "x ", ""] {
        let mut one = document(&mut world, "User", name)?;
        one.names = with(&one, DocumentName::shared(index("team")?, "red"));
        store.commit(&keeping(&world, vec![DocumentWrite::create(one.clone())])).await?;
        all.push(one);
    }
    let of = collection(&world.tenant, "User")?;
    let ids: Vec<_> = all.iter().map(|one| one.key.id).collect();
    for (one, name) in all.iter().zip(["x", "X", "x ", ""]) {
        same(&named(nodes.two(), &of, ("name", name)).await?, &vec![one.key.id], "by a unique name")?;
    }
    same(&named(nodes.two(), &of, ("team", "red")).await?, &ids, "by a name that several have")?;
    let elsewhere = [("name", "red"), ("team", "Red"), ("tea", "mred"), ("team", "")];
    for name in elsewhere {
        same(&named(store, &of, name).await?, &Vec::new(), "by a name that nobody has")?;
    }
    same(
        &named(store, &collection(&world.tenant, "Group")?, ("team", "red")).await?,
        &Vec::new(),
        "of another kind",
    )?;
    let Some(first) = all.first() else { return Ok(()) };
    let names = [DocumentName::unique(index("name")?, "y"), DocumentName::shared(index("team")?, "blue")];
    let after = Document { names: names.into(), ..first.clone() };
    store.commit(&keeping(&world, vec![DocumentWrite::update(first, after)])).await?;
    same(&named(nodes.two(), &of, ("name", "x")).await?, &Vec::new(), "by its old name")?;
    same(&named(nodes.two(), &of, ("name", "y")).await?, &vec![first.key.id], "by its new name")?;
    same(
        &named(nodes.two(), &of, ("team", "red")).await?,
        &ids.get(1..).unwrap_or_default().to_vec(),
        "those who stay",
    )
}

/// Checks that a unique name belongs to one document of its collection, and changes hands within a commit.
pub async fn a_unique_name_belongs_to_one_document(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let one = create(store, &mut world, "User", "one").await?;
    let two = create(store, &mut world, "User", "two").await?;
    let mut late = document(&mut world, "User", "three")?;
    late.names = with(&late, DocumentName::unique(index("mail")?, "one"));
    let twin = document(&mut world, "User", "one")?;
    let called = |document: &Document, name: &str| -> Made<DocumentWrite> {
        let names = [DocumentName::unique(index("name")?, name)].into();
        Ok(DocumentWrite::update(document, Document { names, ..document.clone() }))
    };
    let second = keeping(&world, vec![DocumentWrite::create(twin.clone())]);
    refused(nodes.two().commit(&second).await, &taken("name")?, "a second document of that name")?;
    refused(store.commit(&keeping(&world, vec![called(&two, "one")?])).await, &taken("name")?, "an update")?;
    let twice = vec![DocumentWrite::create(late.clone()), called(&two, "three")?];
    refused(store.commit(&keeping(&world, twice)).await, &taken("name")?, "two within a commit")?;
    same(&store.document(&twin.key).await?, &None, "the second document")?;
    store.commit(&keeping(&world, vec![DocumentWrite::create(late)])).await?;
    create(store, &mut world, "Group", "one").await?;
    store.commit(&keeping(&world, vec![called(&one, "two")?, called(&two, "one")?])).await?;
    let of = &one.key.collection;
    same(&named(nodes.two(), of, ("name", "one")).await?, &vec![two.key.id], "who has the first name now")?;
    same(&named(nodes.two(), of, ("name", "two")).await?, &vec![one.key.id], "who has the second name now")
}

/// Checks that of many documents of one name that come at once, one is kept.
pub async fn one_document_name_goes_to_one_document(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    for round in 0..4 {
        let name = format!("user{round}");
        let documents = (0..50).map(|_| document(&mut world, "User", &name)).collect::<Made<Vec<_>>>()?;
        let of = collection(&world.tenant, "User")?;
        let commits = documents
            .into_iter()
            .map(|document| keeping(&world, vec![DocumentWrite::create(document)]))
            .collect();
        let (accepted, others) = commit_all(nodes, commits).await?;
        same(&accepted, &1, "how many were kept")?;
        let want = taken("name")?;
        ensure(others.iter().all(|error| *error.kind() == want), "another refusal than for the name")?;
        same(&named(nodes.two(), &of, ("name", &name)).await?.len(), &1, "how many have the name")?;
    }
    Ok(())
}

/// Checks that of many who write over one version of a document, one gets through.
pub async fn one_version_of_a_document_is_written_over_once(nodes: &Nodes) -> Result<(), Failure> {
    let mut world = World::new("a")?;
    let before = create(nodes.one(), &mut world, "User", "x").await?;
    let commits = (0..30)
        .map(|number| {
            let after = Document { body: format!("{number}").into(), ..before.clone() };
            keeping(&world, vec![DocumentWrite::update(&before, after)])
        })
        .collect();
    let (accepted, others) = commit_all(nodes, commits).await?;
    same(&accepted, &1, "how many got through")?;
    ensure(others.iter().all(|error| *error.kind() == ErrorKind::DocumentChanged), "another refusal")?;
    same(&nodes.two().document(&before.key).await?.map(|document| document.version), &Some(2), "the version")
}

/// Checks that documents and the rest of a commit are written together or not at all.
pub async fn documents_are_written_with_the_commit_or_not_at_all(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    for (wrong, want) in refused_documents(&mut world, store).await? {
        nothing_is_written_beside(nodes, &mut world, wrong, &want).await?;
    }
    let account = world.person("p")?;
    let old = world.create(store, account).await?;
    let new = world.update(store, &old, old.clone()).await?;
    for (commit, want) in [
        (world.revision(&old, &old), ErrorKind::Conflict),
        (
            world.count(&CounterName::seats(), 5, (None, Some(1))),
            ErrorKind::LimitReached(CounterName::seats()),
        ),
    ] {
        let good = document(&mut world, "User", "good")?;
        let commit = Commit { documents: vec![DocumentWrite::create(good.clone())], ..commit };
        refused(store.commit(&commit).await, &want, "the commit")?;
        same(&nodes.two().document(&good.key).await?, &None, "the document of a refused commit")?;
    }
    let good = document(&mut world, "User", "good")?;
    let commit =
        Commit { documents: vec![DocumentWrite::create(good.clone())], ..world.revision(&new, &new) };
    store.commit(&commit).await?;
    ensure(nodes.two().document(&good.key).await?.is_some(), "the document of an accepted commit")
}

/// Writes of documents that a store refuses, each with its refusal.
async fn refused_documents(world: &mut World, store: &dyn Store) -> Made<Vec<(DocumentWrite, ErrorKind)>> {
    let holder = create(store, world, "User", "taken").await?;
    let stale = Document { version: 7, ..holder.clone() };
    let twin = DocumentWrite::create(document(world, "User", "taken")?);
    let stranger =
        MemberChange::Add { member: world.document_id(), kind: "User".parse()?, body: "{}".into() };
    let lonely = DocumentWrite::create(document(world, "Group", "g")?).with_members(vec![stranger]);
    Ok(vec![
        (twin, taken("name")?),
        (DocumentWrite::update(&stale, stale.clone()), ErrorKind::DocumentChanged),
        (DocumentWrite::create(holder), ErrorKind::AlreadyExists(Taken::Document)),
        (lonely, ErrorKind::NoSuchMember),
    ])
}

async fn nothing_is_written_beside(
    nodes: &Nodes,
    world: &mut World,
    wrong: DocumentWrite,
    want: &ErrorKind,
) -> Result<(), Failure> {
    let (store, person) = (nodes.one(), world.person("p")?);
    let (good, task) = (document(world, "User", "good")?, world.task("lane", at(0))?);
    let commit = Commit {
        documents: vec![DocumentWrite::create(good.clone()), wrong],
        tasks: vec![task.clone()],
        events: vec![world.event(None)],
        counters: world.count(&CounterName::seats(), 1, (None, None)).counters,
        ..world.creation(&person)
    };
    refused(store.commit(&commit).await, want, "the commit")?;
    is_nobody(nodes.two().get(&world.tenant, person.id).await?.as_ref(), "the account was written")?;
    same(&nodes.two().document(&good.key).await?, &None, "the other document")?;
    same(&nodes.two().next_due(&task.lane).await?, &None, "the task")?;
    ensure(world.recorded(store).await?.is_empty(), "an event was recorded")?;
    ensure(world.counter_is(store, &CounterName::seats(), 0).await, "the counter moved")
}

/// Checks that a commit is invalid whose documents are another tenant's, named twice, or at odds with each other.
pub async fn documents_that_are_wrong_in_themselves_are_invalid(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let user = create(store, &mut world, "User", "u").await?;
    let group = create(store, &mut world, "Group", "g").await?;
    let good = document(&mut world, "User", "good")?;
    let mut foreign = document(&mut world, "User", "foreign")?;
    foreign.key.collection.tenant = TenantId::new("b")?;
    let nul = Document { body: "\0".into(), ..document(&mut world, "User", "nul")? };
    let gone = DocumentWrite::remove(&user, at(1));
    let joins = DocumentWrite::update(&group, group.clone()).with_members(vec![add(&user, "{}")]);
    for (documents, what) in [
        (vec![DocumentWrite::create(foreign.clone())], "a document of another tenant"),
        (vec![gone.clone(), gone.clone()], "a document that is named twice"),
        (vec![gone.clone(), joins], "a document that goes and joins"),
        (vec![gone.with_members(vec![MemberChange::Clear])], "members of a document that goes"),
        (vec![DocumentWrite::create(nul)], "a NUL character"),
    ] {
        let documents = [vec![DocumentWrite::create(good.clone())], documents].concat();
        refused(store.commit(&keeping(&world, documents)).await, &ErrorKind::Invalid, what)?;
        same(&nodes.two().document(&good.key).await?, &None, "the other document")?;
        same(&nodes.two().document(&foreign.key).await?, &None, "the document of another tenant")?;
        same(&nodes.two().document(&user.key).await?, &Some(user.clone()), "the document that is there")?;
    }
    Ok(())
}

/// Checks that documents are listed in the order of their ids, each once, while others come and go, and can be passed over.
pub async fn documents_are_listed_in_the_order_of_their_ids(nodes: &Nodes) -> Result<(), Failure> {
    let (mut world, store) = (World::new("a")?, nodes.one());
    let mut documents = Vec::new();
    for number in 0..9 {
        documents.push(create(store, &mut world, "User", &format!("user{number}")).await?);
    }
    let first = documents.first().cloned();
    let mut documents: Vec<_> = documents.iter().map(Document::text).collect();
    create(store, &mut world, "Group", "g").await?;
    let of = collection(&world.tenant, "User")?;
    let query = |after, skip, limit| DocumentQuery { of: of.clone(), after, skip, limit: count(limit) };
    let ids = |texts: &[DocumentText]| texts.iter().map(|text| text.id).collect::<Vec<_>>();
    let (mut read, mut after) = (Vec::new(), None);
    loop {
        let page = nodes.two().documents(&query(after, 0, 4)).await?;
        read.extend(page.items);
        after = page.next.map(|cursor| DocumentId::from_uuid(cursor.id()));
        if after.is_none() {
            break;
        }
        if let Some(first) = first.as_ref().filter(|_| read.len() == 4) {
            store.commit(&keeping(&world, vec![DocumentWrite::remove(first, at(1))])).await?;
        }
    }
    same(&read, &documents, "all pages")?;
    documents.remove(0);
    same(&store.count_documents(&of).await?, &8, "how many there are")?;
    for (skip, limit, more) in [(0, 8, false), (3, 4, true), (7, 5, false), (8, 5, false), (9_000, 1, false)]
    {
        let page = nodes.two().documents(&query(None, skip, limit)).await?;
        let want = documents.get(skip..).unwrap_or_default();
        same(&ids(&page.items), &ids(want.get(..limit).unwrap_or(want)), "a page further on")?;
        same(&page.next.is_some(), &more, "whether another follows")?;
    }
    let second = documents.get(1).map(|text| text.id);
    let page = nodes.two().documents(&query(second, 2, 2)).await?;
    same(&ids(&page.items), &ids(documents.get(4..6).unwrap_or_default()), "after one, and then further on")
}
