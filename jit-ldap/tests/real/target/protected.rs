//! Accounts in a group that rules the domain, whose list of rights a domain controller replaces with that of `AdminSDHolder`.
//! Samba does not do that by itself: these tests do it in its place.

use jit_core::*;
use jit_ldap::target::{GroupSettings, ProtectedGroup};
use jit_ldap::{
    ActiveDirectoryTarget, Attribute, AttributeName, Connection, Dn, EntryName, Filter, Modification, Scope,
    Search,
};
use uuid::Uuid;

use super::house::{absent, administrator_of, made, present, secret, windows};
use crate::peer::Peer;

/// Names of attributes and of one extended right, as lists of rights have them ([MS-ADA1], [MS-ADA3], [MS-ADTS] §5.1.3.2.1).
const USER_ACCOUNT_CONTROL: &str = "bf967a68-0de6-11d0-a285-00aa003049e2";
const ACCOUNT_EXPIRES: &str = "bf967915-0de6-11d0-a285-00aa003049e2";
const LOCKOUT_TIME: &str = "28630ebf-41d5-11d1-a9c1-0000f80367c1";
const ADMIN_DESCRIPTION: &str = "bf967919-0de6-11d0-a285-00aa003049e2";
const MEMBER: &str = "bf9679c0-0de6-11d0-a285-00aa003049e2";
const RESET_PASSWORD: &str = "00299570-246d-11d0-a768-00aa006e0529";
const READ_AND_WRITE: u32 = 0x30;
const EXTENDED_RIGHT: u32 = 0x100;

/// The list of rights of an entry, as it comes ([MS-DTYP] §2.4.6).
async fn rights(administrator: &mut Connection, entry: &Dn) -> Vec<u8> {
    let kind = AttributeName::new("nTSecurityDescriptor").unwrap();
    let search = Search::entry(entry).attributes([kind.clone()]);
    administrator.read(&search).await.unwrap().unwrap().value(&kind).unwrap().to_vec()
}

async fn set_rights(administrator: &mut Connection, entry: &Dn, rights: Vec<u8>) {
    let kind = AttributeName::new("nTSecurityDescriptor").unwrap();
    let change = Modification::Replace(Attribute::new(kind, [rights]));
    administrator.modify(&EntryName::from(entry), &[change], &[]).await.unwrap();
}

/// Lets somebody do something to one attribute, or one extended thing ([MS-DTYP] §2.4.4.3).
fn allowing(mask: u32, what: &str, sid: &[u8]) -> Vec<u8> {
    let what = Uuid::parse_str(what).unwrap().to_bytes_le();
    let body = [&mask.to_le_bytes()[..], &1_u32.to_le_bytes(), &what, sid].concat();
    let size = u16::try_from(body.len() + 4).unwrap();
    [&[5, 0][..], &size.to_le_bytes(), &body].concat()
}

/// Adds to a list of rights.
fn with(rights: &[u8], more: &[Vec<u8>]) -> Vec<u8> {
    let word = |at: usize| u16::from_le_bytes([rights[at], rights[at + 1]]);
    let at = usize::try_from(u32::from_le_bytes(rights[16..20].try_into().unwrap())).unwrap();
    let mut list = [&rights[at..at + usize::from(word(at + 2))], &more.concat()].concat();
    let (size, count) =
        (u16::try_from(list.len()).unwrap(), word(at + 4) + u16::try_from(more.len()).unwrap());
    list[2..4].copy_from_slice(&size.to_le_bytes());
    list[4..6].copy_from_slice(&count.to_le_bytes());
    let mut whole = rights.to_vec();
    whole[16..20].copy_from_slice(&u32::try_from(rights.len()).unwrap().to_le_bytes());
    [whole, list].concat()
}

/// What the domain controller does each hour to whoever is in a group that rules the domain.
async fn protect(peer: &Peer, administrator: &mut Connection, entry: &Dn) {
    let mut of_all = rights(administrator, &holder(peer)).await;
    of_all[3] |= 0x10; // nothing is inherited
    set_rights(administrator, entry, of_all).await;
}

fn holder(peer: &Peer) -> Dn {
    peer.below("CN=AdminSDHolder,CN=System")
}

/// The rights that `docs/ldap.md` names.
async fn grant(peer: &Peer, administrator: &mut Connection) {
    let service = Filter::equals(&AttributeName::USER_PRINCIPAL_NAME, peer.text("service"));
    let service = Search::new(peer.base(), Scope::Subtree, service);
    let found = administrator.read(&service.attributes([AttributeName::OBJECT_SID])).await.unwrap().unwrap();
    let sid = found.value(&AttributeName::OBJECT_SID).unwrap();
    let written = [USER_ACCOUNT_CONTROL, ACCOUNT_EXPIRES, LOCKOUT_TIME, ADMIN_DESCRIPTION, MEMBER];
    let mut more: Vec<_> = written.map(|what| allowing(READ_AND_WRITE, what, sid)).into();
    more.push(allowing(EXTENDED_RIGHT, RESET_PASSWORD, sid));
    let before = rights(administrator, &holder(peer)).await;
    set_rights(administrator, &holder(peer), with(&before, &more)).await;
}

#[tokio::test]
async fn who_rules_the_domain_for_a_time_ends_where_our_account_has_rights_on_the_list_of_all_who_do() {
    // of its own: who rules the domain is changed
    let peer = tokio::task::spawn_blocking(|| Peer::start("samba")).await.unwrap();
    let (mut settings, rulers) = (windows(&peer), peer.below("CN=Domain Admins,CN=Users"));
    let allowed = ProtectedGroup { dn: rulers.to_string(), protected: true };
    settings.groups.insert("rulers".into(), GroupSettings::Protected(allowed));
    let target = ActiveDirectoryTarget::new(peer.directory(), &settings).unwrap();
    let mut administrator = administrator_of(&peer).await;
    let dn = |name: &str| peer.below(&format!("CN={name},OU=JIT"));
    let disabled = |remote: &RemoteRef| Desired { remote: remote.clone(), state: DesiredState::Disabled };

    let first = made(&target, "jit-first-ruler", &["ops"], &secret()).await;
    protect(&peer, &mut administrator, &dn("jit-first-ruler")).await;
    for desired in [present(&first, &[], Some(&secret())), disabled(&first), absent(&first)] {
        let error = target.ensure(&desired).await.unwrap_err();
        assert_eq!(error.code().as_str(), "target.forbidden", "{error:?}");
    }
    assert!(matches!(target.observe(&first).await.unwrap(), Observed::Ours { enabled: true, .. }));

    grant(&peer, &mut administrator).await;
    protect(&peer, &mut administrator, &rulers).await;
    let second = made(&target, "jit-second-ruler", &["rulers"], &secret()).await;
    for name in ["jit-first-ruler", "jit-second-ruler"] {
        protect(&peer, &mut administrator, &dn(name)).await;
    }
    let secret = secret();
    target.ensure(&present(&second, &["rulers"], Some(&secret))).await.unwrap();
    assert_eq!(peer.bind("jit-second-ruler@jit.test", secret.reveal()).await, "fine");
    assert_eq!(target.ensure(&disabled(&second)).await.unwrap(), Effect::Disabled);
    let is_ruler = Filter::equals(&AttributeName::MEMBER, dn("jit-second-ruler").to_string());
    let is_ruler = Search::new(rulers, Scope::Base, is_ruler);
    assert!(administrator.read(&is_ruler).await.unwrap().is_none());
    for remote in [first, second] {
        assert_eq!(target.ensure(&absent(&remote)).await.unwrap(), Effect::Absent { was_there: true });
    }
}
