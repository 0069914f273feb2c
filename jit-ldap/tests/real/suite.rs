//! The conformance suite of targets, at both directories.

use jit_core::conformance::target::Rig;
use tokio::sync::OnceCell;

use crate::target::World;

static SLAPD: OnceCell<World> = OnceCell::const_new();

async fn open_ldap() -> Rig {
    let start = async || tokio::task::spawn_blocking(World::open_ldap).await.unwrap();
    rig(SLAPD.get_or_init(start).await)
}

async fn windows() -> Rig {
    rig(&World::windows().await)
}

fn rig(world: &World) -> Rig {
    Rig::new(world.target()).in_place("jit").with(vec!["ops".into(), "staff".into()])
}

mod at_open_ldap {
    jit_core::conformance::target!(super::open_ldap());
}

mod at_active_directory {
    jit_core::conformance::target!(super::windows());
}
