//! A target over the simulation, and what tests say about accounts.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use chrono::DateTime;
use jit_core::{
    BackendError, Desired, DesiredState, Effect, Listing, MarkerKey, Mint, Mirrored, RemoteRef, Target as _,
    TenantId,
};
use jit_scim::client::{FixedToken, ScimTarget, TargetProfile, TargetReason};

use crate::sim::{Quirks, Sim};

pub(crate) struct World {
    pub(crate) sim: Arc<Sim>,
    pub(crate) target: ScimTarget,
}

pub(crate) fn world(profile: TargetProfile, quirks: Quirks) -> World {
    let sim = Sim::new(quirks);
    World { target: target(&sim, profile), sim }
}

pub(crate) fn plain() -> World {
    world(TargetProfile::generic(), Quirks::default())
}

/// The same application, for a process that knows nothing of it yet.
pub(crate) fn target(sim: &Arc<Sim>, profile: TargetProfile) -> ScimTarget {
    let token = Arc::new(FixedToken::new("right"));
    let (transport, clock) = (Arc::<Sim>::clone(sim), sim.clock.clone());
    ScimTarget::new("https://app.example/scim/v2/", token, profile, transport, clock).unwrap()
}

/// The marker and name of a person of ours.
pub(crate) fn person(name: &str) -> RemoteRef {
    let seed = name.bytes().fold([7; 16], |mut seed: [u8; 16], byte| {
        seed.rotate_left(3);
        seed[0] ^= byte;
        seed
    });
    let key = MarkerKey::new("prod", &[5; 32]).unwrap();
    let marker = key.mark(&TenantId::new("acme").unwrap(), Mint::new(DateTime::default(), seed).account());
    RemoteRef { name: name.to_owned(), place: None, marker, native: None, home: None }
}

pub(crate) fn alice() -> RemoteRef {
    person("alice@example.com")
}

pub(crate) fn wanted(remote: &RemoteRef) -> Mirrored {
    Mirrored {
        active: true,
        user_name: remote.name.clone(),
        display_name: Some("Alice".to_owned()),
        email: Some(remote.name.clone()),
        attributes: BTreeMap::from([
            ("name.givenName".to_owned(), vec!["Alice".to_owned()]),
            ("name.familyName".to_owned(), vec!["Liddell".to_owned()]),
            (
                "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department".to_owned(),
                vec!["R&D".to_owned()],
            ),
        ]),
        entitlements: BTreeSet::new(),
        held: BTreeSet::new(),
        doubtful: BTreeSet::new(),
        ids: BTreeMap::new(),
        confirmed: None,
    }
}

pub(crate) fn names(names: &[&str]) -> BTreeSet<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

/// What the engine remembers of a mirror.
#[derive(Clone, Debug)]
pub(crate) struct Remembered {
    pub(crate) remote: RemoteRef,
    pub(crate) wanted: Mirrored,
    pub(crate) adopted: bool,
}

impl World {
    pub(crate) async fn ask(&self, remote: &RemoteRef, state: DesiredState) -> Result<Effect, BackendError> {
        self.target.ensure(&Desired { remote: remote.clone(), state }).await
    }

    pub(crate) async fn mirror(&self, remote: &RemoteRef, wanted: &Mirrored) -> Result<Effect, BackendError> {
        self.ask(remote, DesiredState::Mirrored(Box::new(wanted.clone()))).await
    }

    /// Mirrors, and remembers what came of it.
    pub(crate) async fn mirrored(&self, remote: &RemoteRef, wanted: &Mirrored) -> Remembered {
        remembered(remote, wanted, self.mirror(remote, wanted).await.unwrap())
    }

    pub(crate) async fn again(&self, known: &Remembered) -> Remembered {
        self.mirrored(&known.remote, &known.wanted).await
    }

    pub(crate) async fn refused(&self, remote: &RemoteRef, wanted: &Mirrored) -> TargetReason {
        reason(&self.mirror(remote, wanted).await.unwrap_err())
    }

    pub(crate) async fn listed(&self) -> Vec<Listing> {
        let (mut pages, mut cursor) = (Vec::new(), None);
        loop {
            let page = self.target.list(cursor.take()).await.unwrap();
            if let Listing::More(_, next) = &page {
                cursor = Some(next.clone());
            }
            pages.push(page);
            if cursor.is_none() {
                return pages;
            }
        }
    }
}

pub(crate) fn remembered(remote: &RemoteRef, wanted: &Mirrored, effect: Effect) -> Remembered {
    let Effect::Mirrored { native, held, ids, confirmed, adopted } = effect else { panic!("{effect:?}") };
    let remote = RemoteRef { name: wanted.user_name.clone(), native: Some(native), ..remote.clone() };
    Remembered {
        remote,
        wanted: Mirrored { held, ids, confirmed: Some(confirmed), ..wanted.clone() },
        adopted,
    }
}

pub(crate) fn reason(error: &BackendError) -> TargetReason {
    TargetReason::of(error).unwrap()
}
