//! The conformance suite of targets, at both directories.

use std::sync::Arc;

use jit_core::conformance::target::Rig;
use tokio::sync::OnceCell;

use crate::target::{
    World, dynamic_target, dynamic_target_pointed_elsewhere, without_controls, without_controls_for_people,
};

static SLAPD: OnceCell<World> = OnceCell::const_new();

async fn slapd() -> &'static World {
    let start = async || tokio::task::spawn_blocking(World::open_ldap).await.unwrap();
    SLAPD.get_or_init(start).await
}

async fn open_ldap() -> Rig {
    rig(slapd().await)
}

async fn dynamic_entries() -> Rig {
    let peer = slapd().await.peer();
    let elsewhere = Arc::new(dynamic_target_pointed_elsewhere(peer));
    let rig = Rig::new(Arc::new(dynamic_target(peer, true))).pointed_elsewhere(elsewhere);
    rig.in_place("jit").with(vec!["ops".into(), "staff".into()])
}

async fn another_directory() -> Rig {
    let peer = slapd().await.peer();
    Rig::new(Arc::new(without_controls(peer))).in_place("jit").with(vec!["crew".into()])
}

async fn another_directory_for_people() -> Rig {
    let peer = slapd().await.peer();
    let [target, elsewhere] =
        [false, true].map(|is_pointed| Arc::new(without_controls_for_people(peer, is_pointed)));
    let rig = Rig::new(target).pointed_elsewhere(elsewhere);
    rig.in_place("jit").with(vec!["ops".into(), "staff".into()])
}

async fn unfollowed() -> Rig {
    static UNFOLLOWED: OnceCell<World> = OnceCell::const_new();
    let start = async || tokio::task::spawn_blocking(crate::target::unfollowed).await.unwrap();
    rig(UNFOLLOWED.get_or_init(start).await)
}

async fn windows() -> Rig {
    rig(&World::windows().await)
}

fn rig(world: &World) -> Rig {
    let elsewhere = world.target_pointed_elsewhere("ops", "staff");
    let rig = Rig::new(world.target()).pointed_elsewhere(elsewhere);
    rig.in_place("jit").with(vec!["ops".into(), "staff".into()])
}

mod at_open_ldap {
    jit_core::conformance::target!(super::open_ldap());
}

mod at_open_ldap_whose_groups_do_not_follow {
    jit_core::conformance::target!(super::unfollowed());
}

mod at_open_ldap_with_dynamic_entries {
    jit_core::conformance::target!(super::dynamic_entries());
}

mod at_a_directory_without_controls {
    jit_core::conformance::target!(super::another_directory());
}

mod at_a_directory_without_controls_for_people {
    jit_core::conformance::target!(super::another_directory_for_people());
}

mod at_active_directory {
    jit_core::conformance::target!(super::windows());
}
