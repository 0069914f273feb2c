//! People of Active Directory whose accounts are in one state or another.

use jit_ldap::{Attribute, AttributeName, Connection, Dn, EntryName, Modification, Password, Rdn, Search};

use crate::peer::Peer;

pub(super) const PASSWORD: &str = "Xy7-long-enough";

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

async fn administrator(peer: &Peer) -> Connection {
    let mut connection = peer.connect().await;
    let password = Password::new("Adm1nistrator-Passw0rd").unwrap();
    connection.bind("Administrator@jit.test", &password, &[]).await.unwrap();
    connection
}

pub(super) struct Person<'a> {
    peer: &'a Peer,
    dn: Dn,
}

/// Hires somebody.
pub(super) async fn person<'a>(peer: &'a Peer, account: &str) -> Person<'a> {
    let dn = peer.below("OU=JIT").child(Rdn::new("CN", account).unwrap());
    let password = Password::new(PASSWORD).unwrap().to_unicode_password();
    let attributes = [
        Attribute::new(AttributeName::OBJECT_CLASS, ["user"]),
        Attribute::new(name("sAMAccountName"), [account]),
        Attribute::new(name("userPrincipalName"), [format!("{account}@jit.test")]),
        Attribute::new(name("userAccountControl"), ["512"]),
        Attribute::new(AttributeName::UNICODE_PASSWORD, [password.to_vec()]),
    ];
    administrator(peer).await.add(&dn, &attributes, &[]).await.unwrap();
    Person { peer, dn }
}

impl Person<'_> {
    pub(super) async fn set(&self, kind: &str, value: impl Into<Vec<u8>>) {
        let change = Modification::Replace(Attribute::new(name(kind), [value.into()]));
        let entry = EntryName::Dn(self.dn.clone());
        administrator(self.peer).await.modify(&entry, &[change], &[]).await.unwrap();
    }

    /// How many failures the directory counts.
    pub(super) async fn failures(&self) -> u32 {
        let kind = name("badPwdCount");
        let search = Search::entry(&self.dn).attributes([kind.clone()]);
        let entry = administrator(self.peer).await.read(&search).await.unwrap().unwrap();
        entry.text(&kind).map_or(0, |count| count.parse().unwrap())
    }
}
