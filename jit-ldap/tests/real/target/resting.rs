//! Sign-in and a target that share one account of ours, whose password is wrong for a while.

use std::time::Duration;

use chrono::TimeDelta;
use jit_ldap::{Attribute, AttributeName, EntryName, Modification};

use super::house::{House, World};

/// Gives our account this password, as its administrator does, who does not ask for another one at its first use.
async fn rotate(world: &World, password: &str) {
    let peer = world.peer();
    let name = EntryName::Dn(jit_ldap::Dn::parse(peer.text("service")).unwrap());
    let set = |kind: &str, values: &[&str]| {
        Modification::Replace(Attribute::new(AttributeName::new(kind).unwrap(), values.iter().copied()))
    };
    let mut administrator = peer.as_administrator().await;
    for change in [set("userPassword", &[password]), set("pwdReset", &[])] {
        administrator.modify(&name, &[change], &[]).await.unwrap();
    }
}

/// Lets minutes pass, for leases and for connections.
async fn pass(house: &House, minutes: u32) {
    house.clock.advance(TimeDelta::minutes(minutes.into()));
    tokio::time::pause();
    tokio::time::advance(Duration::from_secs(60) * minutes).await;
    tokio::time::resume();
}

#[tokio::test]
async fn an_end_waits_for_what_the_directory_said_and_no_longer_because_we_did_not_ask() {
    let world = World::open_ldap();
    let directory = world.peer().directory();
    let sign_in = directory.guarded_with(&directory);
    let house = House::behind(world.target_at(directory.guarded_with(&sign_in)), 0).await;
    let dn = world.dn(&house.out(30).await.name);

    pass(&house, 15).await;
    rotate(&world, "another-password").await;
    // people sign in: the second refusal counts until minute 55
    for (after, code) in [(0, "ldap.service_refused"), (1, "ldap.circuit_open"), (4, "ldap.service_refused")]
    {
        pass(&house, after).await;
        assert_eq!(sign_in.lend().await.unwrap_err().code().as_str(), code);
    }
    rotate(&world, world.peer().text("service_password")).await;
    pass(&house, 10).await;
    let mut minute = 30;
    while world.exists(&dn).await {
        assert!(minute <= 56, "the directory may be asked from minute 55 on, and not {minute}");
        house.work().await;
        pass(&house, 1).await;
        minute += 1;
    }
    assert!(minute > 55, "and is left alone until then: {minute}");
}
