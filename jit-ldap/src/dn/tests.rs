use proptest::prelude::*;

use super::*;

fn dn(text: &str) -> Dn {
    Dn::parse(text).unwrap()
}

#[test]
fn whatever_a_value_holds_it_stays_one_value() {
    let base = dn("ou=jit,dc=example,dc=com");
    for value in [
        "plain",
        " edges ",
        "#hash",
        "a,ou=admins",
        "a+b",
        "a\\",
        "\"q\"",
        "<x>;y",
        "a=b",
        "new\nline",
        "ümläut",
        "🦀",
        "\u{200b}",
        "x\\2c",
        " ",
        "  ",
        "#",
        "\\",
    ] {
        let name = base.child(Rdn::new("uid", value).unwrap());
        let back = dn(&name.to_string());
        assert_eq!(back.rdns().len(), 4, "{name}");
        assert_eq!(back.rdn().unwrap().single(), Some(("uid", value)), "{name}");
        assert!(back.is_below(&base), "{name}");
    }
    for bad in ["", "a\0b"] {
        assert_eq!(Rdn::new("uid", bad).unwrap_err(), Reason::DnMalformed);
    }
    assert!(Rdn::new("uid=x,ou", "a").is_err());
}

#[test]
fn an_ou_is_a_wall() {
    let wall = dn("OU=JIT,DC=example,DC=com");
    for inside in [
        "cn=a,ou=jit,dc=example,dc=com",
        "CN=x,OU=sub,OU=JIT,DC=EXAMPLE,DC=COM",
        "uid=a,2.5.4.11=jit,dc=example,dc=com",
    ] {
        assert!(dn(inside).is_below(&wall), "{inside}");
    }
    for outside in [
        "ou=jit,dc=example,dc=com",
        "cn=a,ou=xjit,dc=example,dc=com",
        "cn=a\\,ou=jit,dc=example,dc=com",
        "cn=a,ou=jit+l=x,dc=example,dc=com",
        "cn=a,ou=jit,dc=example,dc=com,dc=evil",
        "cn=a\\,ou\\=jit\\,dc\\=example\\,dc\\=com",
        "cn=a,cn=jit,dc=example,dc=com",
        "cn=a,ou=ji\u{0301}t,dc=example,dc=com",
        "",
    ] {
        assert!(!dn(outside).is_below(&wall), "{outside}");
    }
    assert!(wall.is_within(&wall) && !wall.is_below(&wall));
}

#[test]
fn spelling_does_not_make_another_name() {
    for (one, other) in [
        ("cn=a+uid=b,dc=x", "UID=b + CN=a , DC=X"),
        ("cn=Ops  Team,dc=x", "cn=ops team,dc=x"),
        ("cn=caf\\C3\\A9,dc=x", "cn=café,dc=x"),
        ("cn=\\ a,dc=x", "cn=a,dc=x"),
    ] {
        assert_eq!(dn(one), dn(other));
    }
    for (one, other) in
        [("cn=a,dc=x", "cn=b,dc=x"), ("cn=#0401,dc=x", "cn=\\#0401,dc=x"), ("cn=a,dc=x", "uid=a,dc=x")]
    {
        assert_ne!(dn(one), dn(other));
    }
}

#[test]
fn names_of_deleted_objects_are_read() {
    let name = dn("CN=jit-a\\0ADEL:0c0ffee0-0000-0000-0000-000000000000,CN=Deleted Objects,DC=x");
    assert_eq!(name.rdn().unwrap().single().unwrap().1, "jit-a\nDEL:0c0ffee0-0000-0000-0000-000000000000");
}

#[test]
fn what_is_no_name_is_refused() {
    for bad in [
        "a",
        "=a",
        "cn=",
        "cn=a,",
        "cn=a,,cn=b",
        ",cn=a",
        "cn=a\\",
        "cn=a\\zz",
        "cn=\"a\"",
        "cn=a;cn=b",
        "cn=#",
        "cn=#0",
        "cn=#zz",
        "cn=a\0",
        "cn=a\\00b",
        "cn=\\ff",
        "c n=a",
        "cn=<a>",
        "cn=a+,dc=x",
    ] {
        assert_eq!(Dn::parse(bad), Err(Reason::DnMalformed), "{bad}");
    }
    assert!(Dn::parse(&format!("cn={}", "a".repeat(9000))).is_err());
    assert!(Dn::parse(&vec!["a=b"; 129].join(",")).is_err());
    assert!(Dn::parse(&vec!["a=b"; 17].join("+")).is_err());
    assert_eq!(Dn::parse("").unwrap(), Dn::default());
    assert_eq!(dn("cn=\\ ").rdn().unwrap().single(), Some(("cn", " ")));
}

proptest! {
    #[test]
    fn any_value_comes_back(value in "[^\0]{1,40}", further in "\\PC{1,20}") {
        let name = Dn::default().child(Rdn::new("o", &further).unwrap()).child(Rdn::new("cn", &value).unwrap());
        let back = dn(&name.to_string());
        prop_assert_eq!(back.rdn().unwrap().single(), Some(("cn", value.as_str())));
        prop_assert_eq!(&back, &name);
        prop_assert_eq!(back.to_string(), name.to_string());
    }

    #[test]
    fn any_text_is_a_name_or_is_not(text in "\\PC{0,60}") {
        if let Ok(name) = Dn::parse(&text) {
            prop_assert_eq!(dn(&name.to_string()), name);
        }
    }
}

#[test]
fn the_domain_of_an_entry_is_what_its_components_say() {
    assert_eq!(dn("OU=JIT,OU=x,DC=example,DC=com").domain(), dn("DC=example,DC=com"));
    assert_eq!(dn("DC=com").domain(), dn("DC=com"));
    assert_eq!(dn("O=example").domain(), Dn::default());
}

#[test]
fn names_that_are_the_same_fold_to_one_text_which_is_read_again() {
    for (one, other) in [
        ("cn=Ops,OU=Groups", "2.5.4.3=ops,ou=groups"),
        ("cn=Two  Words", "CN=two words"),
        ("cn=b+uid=a", "UID=A+CN=B"),
        ("cn=\\20", "cn=\\20\\20"),
        ("cn=a\\,b", "cn=A\\2Cb"),
        ("cn=#0401FF", "cn=#0401ff"),
    ] {
        let (name, folded) = (dn(one), dn(one).folded().to_string());
        assert_eq!(folded, dn(other).folded().to_string());
        assert_eq!((dn(&folded), dn(other)), (name.clone(), name), "{one}");
    }
}
