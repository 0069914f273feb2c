use proptest::prelude::*;

use super::*;

fn name(text: &str) -> AttributeName {
    AttributeName::new(text).unwrap()
}

#[test]
fn a_value_stays_a_value() {
    for value in ["*", "a)(uid=*", "x*)(|(cn=*", "\\2a", "", "\0", "ä", "🦀"] {
        let filter = Filter::equals(&name("uid"), value);
        // [3] { uid, value }: the value stands behind its length, whatever it holds
        assert!(filter.wire().ends_with(value.as_bytes()));
        assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }
}

#[test]
fn filters_of_settings_are_read() {
    for text in [
        "(uid=alice)",
        "(&(objectClass=person)(!(pwdReset=TRUE)))",
        "(|(uid=a)(mail=a@b.c)(&(cn=x)(sn=y)))",
        "(cn=*)",
        "(cn=a*)",
        "(cn=*a)",
        "(cn=*a*)",
        "(cn=a*b*c)",
        "(uidNumber>=1000)",
        "(uidNumber<=1000)",
        "(sn~=smith)",
        "(userAccountControl:1.2.840.113556.1.4.803:=2)",
        "(ou:dn:=x)",
        "(&)",
        "(|)",
        "(cn=\\2a\\28)",
    ] {
        assert_eq!(Filter::parse(text).unwrap().to_string(), text);
    }
    let spaced = Filter::parse(" (& (a=b) (! (c=d) ) ) ");
    assert!(spaced.is_err() || spaced.unwrap().to_string() == "(&(a=b)(!(c=d)))");
    assert_eq!(
        Filter::has_bits(&name("userAccountControl"), 2),
        Filter::parse("(userAccountControl:1.2.840.113556.1.4.803:=2)").unwrap()
    );
}

#[test]
fn a_filter_tells_which_attributes_it_looks_at() {
    let names = |text: &str| {
        let names = Filter::parse(text).unwrap().attributes();
        names.map(|names| names.iter().map(ToString::to_string).collect::<std::collections::BTreeSet<_>>())
    };
    let set = |names: &[&str]| Some(names.iter().map(|name| (*name).to_owned()).collect());
    let each =
        "(&(a=x)(|(b=*)(c=x*y)(!(d>=1))(e<=1)(f~=x))(g:1.2.840.113556.1.4.803:=2)(2.5.4.3;lang-de=x)(A=y))";
    assert_eq!(names(each), set(&["a", "b", "c", "d", "e", "f", "g", "2.5.4.3"]));
    assert_eq!(names("(&)"), set(&[]));
    assert_eq!(names("(&(a=x)(:1.2.3:=y))"), None, "any attribute");
    assert_eq!(names("(|(a=x)(ou:dn:=y))"), None, "the name of the entry too");
}

#[test]
fn what_is_no_filter_is_refused() {
    for bad in [
        "",
        "uid=a",
        "(uid=a",
        "uid=a)",
        "(uid)",
        "()",
        "(=a)",
        "(uid=a)(uid=b)",
        "(&(uid=a)",
        "(!(a=b)(c=d))",
        "(!)",
        "(cn=**)",
        "(cn=a**b)",
        "(cn=\\zz)",
        "(cn=\\2)",
        "(uid>=*)",
        "(:=x)",
        "((uid=a))",
        "(a b=c)",
        "(cn=a(b)",
        "(&(a=b)))",
        "(u:x:y:z:=1)",
    ] {
        assert!(Filter::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn nesting_ends_at_a_limit_and_never_at_the_stack() {
    let deep = |levels: usize| format!("{}(a=b){}", "(&".repeat(levels), ")".repeat(levels));
    assert!(Filter::parse(&deep(31)).is_ok());
    assert_eq!(Filter::parse(&deep(32)), Err(Reason::FilterTooDeep));
    assert!(Filter::parse(&deep(5000)).is_err());
    assert!(Filter::parse(&"(&".repeat(8000)).is_err());
    let mut filter = Filter::present(&name("cn"));
    for _ in 0..31 {
        filter = Filter::all([filter]).unwrap();
    }
    assert_eq!(filter.clone().negate(), Err(Reason::FilterTooDeep));
    let long = Filter::equals(&name("cn"), vec![b'x'; 40_000]);
    assert_eq!(Filter::any([long.clone(), long]), Err(Reason::FilterTooDeep));
}

proptest! {
    #[test]
    fn any_value_comes_back(value in proptest::collection::vec(any::<u8>(), 0..40)) {
        let filter = Filter::equals(&name("uid"), &value);
        prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
    }

    #[test]
    fn any_text_is_a_filter_or_is_not(text in "[(&|!)a=*\\\\2:<>~ ]{0,40}") {
        if let Ok(filter) = Filter::parse(&text) {
            prop_assert_eq!(Filter::parse(&filter.to_string()), Ok(filter));
        }
    }
}
