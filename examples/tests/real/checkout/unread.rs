//! A record in the database that cannot be read keeps nobody from what can.

use std::fs;

use super::house::House;
use crate::peer::Kind;

#[test]
fn a_holder_whose_record_cannot_be_read_is_named_by_their_id_and_takes_no_other_from_a_list() {
    let house = House::new(Kind::OpenLdap, "unread");
    house.run("person add eve --role role:operator").fine();
    for person in ["ada", "eve"] {
        house.run(&format!("out --for {person} --target directory --role admin --ttl 30m")).fine();
    }
    let file = house.folder.join("accounts.db");
    let mut bytes = fs::read(&file).unwrap();
    let (text, wrong) = (br#"{"text":"eve","key":"#, br#"{"test":"eve","key":"#);
    let found: Vec<_> = bytes.windows(text.len()).enumerate().filter(|(_, part)| part == text).collect();
    let found: Vec<_> = found.into_iter().map(|(at, _)| at).collect();
    assert!(!found.is_empty());
    for at in found {
        bytes.get_mut(at..at + wrong.len()).unwrap().copy_from_slice(wrong);
    }
    fs::write(file, bytes).unwrap();

    for command in ["list", "exposure"] {
        let ran = house.run(command);
        assert_eq!(ran.code, 0, "{command}: {}", ran.complaint);
        let users: Vec<_> = ran.lines.iter().filter_map(|line| line["user"].as_str()).collect();
        assert!(
            users.len() == 2 && users.contains(&"ada") && !users.contains(&"eve"),
            "{command}: {users:?}"
        );
    }
}
