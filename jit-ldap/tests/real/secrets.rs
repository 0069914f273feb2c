//! What is left of passwords in our memory once they were used: nothing.
#![cfg(target_os = "linux")]

use std::fs::{File, read_to_string};
use std::os::unix::fs::FileExt as _;

use jit_ldap::{Attribute, AttributeName, EntryName, Modification, Password};
use zeroize::Zeroizing;

use crate::peer::Peer;
use crate::target::{House, World, secret};

/// How much of the memory is looked at in one piece.
const PIECE: usize = 1 << 20;
/// What keeps our own note of a password from being found.
const VEIL: u8 = 0xa5;

/// Some octets of a password, noted so that the note is not what is found.
struct Trace(Vec<u8>);

impl Trace {
    /// Its end, as a text and as Active Directory gets it. Allocators write over the beginning of what they get back.
    fn of(password: &str) -> [Self; 2] {
        let inner = password.as_bytes().iter().skip(16);
        let wide = inner.clone().flat_map(|octet| [octet ^ VEIL, VEIL]);
        [Self(inner.map(|octet| octet ^ VEIL).collect()), Self(wide.collect())]
    }

    fn is_in(&self, memory: &[u8]) -> bool {
        let is_here = |place: &[u8]| place.iter().zip(&self.0).all(|(octet, veiled)| octet ^ VEIL == *veiled);
        let first = self.0[0] ^ VEIL;
        memory.windows(self.0.len()).any(|place| place[0] == first && is_here(place))
    }
}

/// How many pieces of what this process may write to hold one of the traces.
fn found(traces: &[Trace]) -> usize {
    let (map, memory) = (read_to_string("/proc/self/maps").unwrap(), File::open("/proc/self/mem").unwrap());
    let mut piece = vec![0; PIECE];
    let mut count = 0;
    for line in map.lines().filter(|line| line.contains(" rw")) {
        let (from, to) = line.split_once(' ').unwrap().0.split_once('-').unwrap();
        let [mut at, end] = [from, to].map(|address| u64::from_str_radix(address, 16).unwrap());
        while at < end {
            let size = usize::try_from(end - at).unwrap().min(PIECE);
            // what was given back meanwhile cannot be read
            if memory.read_exact_at(&mut piece[..size], at).is_ok() {
                count += usize::from(traces.iter().any(|trace| trace.is_in(&piece[..size])));
            }
            at += size as u64;
        }
    }
    piece.fill(0);
    count
}

#[tokio::test]
async fn nothing_of_a_password_stays_in_memory() {
    for world in World::both().await {
        let house = House::behind(world.target(), 0).await;
        let out = house.out(30).await;
        let traces = Trace::of(out.secret.reveal());
        assert!(found(&traces) > 0, "what is held is found");
        assert_eq!(world.peer().bind(&world.dn(&out.name).to_string(), out.secret.reveal()).await, "fine");
        let lease = out.lease;
        drop(out);
        assert_eq!(found(&traces), 0, "after check-out and bind");

        house.check_in(lease).await.unwrap();
    }
}

/// So long that a request outgrows the room it begins with, and that nothing else asks for as much memory as it leaves.
fn long() -> (Password, [Trace; 2]) {
    let part = secret();
    let mut text = Zeroizing::new(String::with_capacity(900));
    while text.len() + part.reveal().len() <= 900 {
        text.push_str(part.reveal());
    }
    (Password::new(text.as_str()).unwrap(), Trace::of(part.reveal()))
}

#[tokio::test]
async fn nothing_of_a_long_password_stays_in_the_way_of_any_request() {
    let peer = Peer::start("slapd");
    let (mut administrator, dn) = (peer.as_administrator().await, peer.below("uid=bob,ou=people"));

    let (password, traces) = long();
    let attribute = Attribute::new(AttributeName::USER_PASSWORD, [password.expose()]);
    let change = Modification::Replace(attribute.clone());
    let entry = EntryName::from(&dn);
    administrator.modify(&entry, std::slice::from_ref(&change), &[]).await.unwrap();
    let together = [(entry.clone(), change)];
    administrator.modify_together(&together).await.unwrap()[0].as_ref().unwrap();
    assert_eq!(peer.bind(&dn.to_string(), password.expose()).await, "fine");
    assert!(found(&traces) > 0, "what is held is found");
    drop((password, attribute, together));
    assert_eq!(found(&traces), 0, "of an attribute, and of a bind");

    let (password, traces) = long();
    administrator.modify_password(Some(&dn), None, Some(&password)).await.unwrap();
    drop(password);
    assert_eq!(found(&traces), 0, "of the operation that sets it");
}
