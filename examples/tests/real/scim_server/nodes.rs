//! Two servers on one PostgreSQL: they share everything, and nobody is lost or doubled between them.

use crate::peer::{folder, start as start_peer};
use crate::scim::Server;
use crate::scim_races;

#[test]
fn two_nodes_on_one_database_agree() {
    let (url, _postgres) = start_peer("postgres", &["--no-fsync"], &folder("peer-scim-nodes"));
    let folder = folder("scim-nodes");
    let start = || Server::start(&folder, &url, &["--base", "https://scim.example/scim/v2"]);
    let (one, other) = (start(), start());
    let made = one.join("ada");
    let found = other.get(&format!("/Users/{}", made.id()));
    assert_eq!(found.body, made.body);
    other.join("ADA").refuses(409, Some("uniqueness"));
    scim_races::one_of_fifty_creates(&[&one, &other]);
    scim_races::one_of_thirty_writers(&[&one, &other]);
    scim_races::no_member_is_lost(&[&one, &other]);
}
