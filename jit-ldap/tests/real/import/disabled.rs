//! Who leaves by what the filter says and the attributes do not.

use jit_ldap::import::{ImportConfig, ImportCookie, ImportWay, Record};
use jit_ldap::{EntryId, IdAttribute, ImportSettings};

use super::{Unit, all};
use crate::active_directory::samba;
use crate::target::administrator_of;

/// Who was told, and how, since the cookie of the reading before.
async fn told_since(
    config: &ImportConfig,
    cookie: &mut ImportCookie,
    ids: &[EntryId],
) -> Vec<(EntryId, char)> {
    let (records, complete) = all(config, administrator_of(samba().await).await, Some(&*cookie)).await;
    *cookie = complete.cookie.unwrap();
    let told = records.iter().map(|record| match record {
        Record::Changed(entry) => (entry.id(), 'c'),
        Record::Gone(id) => (*id, 'g'),
        Record::Unchanged(id) => (*id, 'u'),
    });
    told.filter(|(id, _)| ids.contains(id)).collect()
}

#[tokio::test]
async fn whoever_is_disabled_leaves_and_comes_back_where_the_filter_says_so() {
    let peer = samba().await;
    let above = peer.below("OU=People");
    for sees_deleted in [true, false] {
        let unit = format!("import-disabled-{sees_deleted}");
        let mut unit = Unit::make(administrator_of(peer).await, &above, &unit, ("user", "cn")).await;
        let filter = "(&(objectClass=user)(!(userAccountControl:1.2.840.113556.1.4.803:=2)))";
        let mut settings = ImportSettings::new(&unit.dn.to_string(), filter, IdAttribute::ObjectGuid);
        (settings.way, settings.sees_deleted) = (ImportWay::DirSync, sees_deleted);
        settings.attributes = vec!["mail".to_owned()];
        let config = settings.check().unwrap();
        // 546: disabled, as whoever has no password yet
        for (person, control) in [("ann", "544"), ("ben", "546")] {
            let person = format!("{person}-{sees_deleted}");
            unit.add(&person).await;
            unit.set("userAccountControl", &person, control).await;
        }
        let (ann, ben) = (format!("ann-{sees_deleted}"), format!("ben-{sees_deleted}"));
        let (records, complete) = all(&config, administrator_of(peer).await, None).await;
        let [Record::Changed(one)] = &records[..] else { panic!("ann alone: {records:?}") };
        let (is_ann, mut cookie) = (one.id(), complete.cookie.unwrap());
        unit.set("userAccountControl", &ann, "546").await;
        assert_eq!(told_since(&config, &mut cookie, &[is_ann]).await, [(is_ann, 'g')], "{sees_deleted}");
        unit.set("userAccountControl", &ben, "544").await;
        let (records, complete) = all(&config, administrator_of(peer).await, Some(&cookie)).await;
        cookie = complete.cookie.unwrap();
        let came = |record: &Record| match record {
            Record::Changed(entry) if entry.entry().dn() == Ok(unit.dn_of(&ben)) => Some(entry.id()),
            Record::Changed(_) | Record::Unchanged(_) | Record::Gone(_) => None,
        };
        let is_ben = records.iter().find_map(came).expect("ben is told with his attributes");
        unit.set("userAccountControl", &ann, "544").await;
        unit.set("userAccountControl", &ben, "546").await;
        let told = told_since(&config, &mut cookie, &[is_ann, is_ben]).await;
        assert!(told.contains(&(is_ann, 'c')) && told.contains(&(is_ben, 'g')), "{told:?}");
    }
}
