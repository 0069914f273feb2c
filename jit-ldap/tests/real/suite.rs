//! The conformance suite of targets, at both directories.

use std::sync::Arc;

use jit_core::conformance::target::Rig;
use tokio::sync::OnceCell;

use crate::target::{World, dynamic_target, without_controls};

static SLAPD: OnceCell<World> = OnceCell::const_new();

async fn slapd() -> &'static World {
    let start = async || tokio::task::spawn_blocking(World::open_ldap).await.unwrap();
    SLAPD.get_or_init(start).await
}

async fn open_ldap() -> Rig {
    rig(slapd().await)
}

async fn dynamic_entries() -> Rig {
    let target = Arc::new(dynamic_target(slapd().await.peer(), true));
    Rig::new(target).in_place("jit").with(vec!["ops".into(), "staff".into()])
}

async fn another_directory() -> Rig {
    let target = Arc::new(without_controls(slapd().await.peer()));
    Rig::new(target).in_place("jit").with(vec!["crew".into()])
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

mod at_open_ldap_with_dynamic_entries {
    jit_core::conformance::target!(super::dynamic_entries());
}

mod at_a_directory_without_controls {
    jit_core::conformance::target!(super::another_directory());
}

mod at_active_directory {
    jit_core::conformance::target!(super::windows());
}
