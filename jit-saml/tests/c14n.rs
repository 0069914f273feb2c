//! Canonical forms: the rules one by one, and that the form of a form is itself.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test says with a panic what went wrong")]

use std::collections::BTreeSet;

use jit_saml::xml::{Canonicalization, Document, Element, Limits, PrefixList, XML_NAMESPACE, canonicalize};
use proptest::prelude::*;

fn exclusive(prefixes: &str) -> Canonicalization {
    Canonicalization::Exclusive(PrefixList::parse(prefixes))
}

fn written(text: &str, apex: &str, form: &Canonicalization) -> String {
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let root = document.root();
    let apex = std::iter::once(root).chain(root.descendants()).find(|it| it.local() == apex).unwrap();
    String::from_utf8(canonicalize(apex, None, form)).unwrap()
}

#[track_caller]
fn becomes(text: &str, apex: &str, form: &Canonicalization, expected: &str) {
    assert_eq!(written(text, apex, form), expected);
}

#[test]
fn tags_are_written_in_one_way() {
    let form = exclusive("");
    becomes("<?xml version='1.0'?>\n<a  b = 'c'\n/>", "a", &form, "<a b=\"c\"></a>");
    becomes("<a z='1' y='2' x='\"'/>", "a", &form, "<a x=\"&quot;\" y=\"2\" z=\"1\"></a>");
    becomes("<a ></a  >", "a", &form, "<a></a>");
    becomes("<a><!-- gone --><?p   kept ?><?q?></a>", "a", &form, "<a><?p kept ?><?q?></a>");
}

#[test]
fn neighbours_are_written_as_each_alone() {
    let forms = [
        "<a>x</a>",
        "<a/>",
        "<a>y</a >",
        "<a ></a>",
        "<a><!-- gone --></a>",
        "<a>&#65;</a>",
        "<a>p&gt;q</a>",
        "<a>p>q</a>",
        "<a><![CDATA[<]]></a>",
        "<a b=\"1\">x</a>",
        "<a b='1'>x</a>",
        "<a  b=\"1\">x</a>",
        "<a\nb=\"1\">x</a>",
        "<a b =\"1\">x</a>",
        "<a b=\"1\" >x</a>",
        "<a b=\"1\"/>",
        "<a b=\"1\" c=\"2\">x</a>",
        "<a c=\"2\" b=\"1\">x</a>",
        "<a b=\"&#49;\">x</a>",
        "<a b='\"'>x</a>",
        "<a xml:b=\"1\" c=\"2\">x</a>",
        "<a xmlns=\"\">x</a>",
        "<a xmlns:p=\"u:p\" b=\"1\">x</a>",
        "<a b=\"1\" xmlns:p=\"u:p\">x</a>",
        "<a>x<a>x</a></a>",
        " ",
        "é",
    ];
    let alone = |piece: &str| {
        let all = written(&format!("<r>{piece}</r>"), "r", &exclusive(""));
        all.strip_prefix("<r>").unwrap().strip_suffix("</r>").unwrap().to_owned()
    };
    let canonical = forms.map(alone);
    for (one, first) in forms.iter().zip(&canonical) {
        for (other, second) in forms.iter().zip(&canonical) {
            let text = format!("<r>{one}{other}{one}</r>");
            becomes(&text, "r", &exclusive(""), &format!("<r>{first}{second}{first}</r>"));
            let omitted = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
            let Some(child) = omitted.root().children().next() else { continue };
            let rest = canonicalize(omitted.root(), Some(child), &exclusive(""));
            if one.starts_with('<') {
                assert_eq!(String::from_utf8(rest).unwrap(), format!("<r>{second}{first}</r>"), "{text}");
            }
        }
    }
    assert_eq!(alone("<a\nb='1'  c = '2'>x</a >"), "<a b=\"1\" c=\"2\">x</a>");
}

#[test]
fn characters_are_written_in_one_way() {
    let form = exclusive("");
    becomes("<a>&#xD;&gt;>&quot;&amp;&lt;&#65;</a>", "a", &form, "<a>&#xD;&gt;&gt;\"&amp;&lt;A</a>");
    becomes("<a><![CDATA[<&>]]>x</a>", "a", &form, "<a>&lt;&amp;&gt;x</a>");
    becomes("<a b=\"&#9;&#10;&#13;\t\n'&gt;&lt;\"/>", "a", &form, "<a b=\"&#x9;&#xA;&#xD;  '>&lt;\"></a>");
    becomes("<a>\r\n\r</a>", "a", &form, "<a>\n\n</a>");
    becomes("<a>é\u{1f600}</a>", "a", &form, "<a>é\u{1f600}</a>");
}

#[test]
fn namespaces_are_written_where_they_are_used() {
    let form = exclusive("");
    let text = "<r xmlns='u:d' xmlns:p='u:1' xmlns:q='u:2'><p:a q:x='1' y='2'><b/></p:a></r>";
    becomes(
        text,
        "a",
        &form,
        "<p:a xmlns:p=\"u:1\" xmlns:q=\"u:2\" y=\"2\" q:x=\"1\"><b xmlns=\"u:d\"></b></p:a>",
    );
    becomes(text, "b", &form, "<b xmlns=\"u:d\"></b>");
    // written once, again after another meaning, and emptied only where something was written before
    becomes(
        "<p:r xmlns:p='u:1'><p:a xmlns:p='u:2'><p:b xmlns:p='u:2'/><p:c xmlns:p='u:1'/></p:a><p:d/></p:r>",
        "r",
        &form,
        "<p:r xmlns:p=\"u:1\"><p:a xmlns:p=\"u:2\"><p:b></p:b><p:c xmlns:p=\"u:1\"></p:c></p:a><p:d></p:d></p:r>",
    );
    becomes(
        "<r xmlns='u:1'><a xmlns=''><b/></a></r>",
        "r",
        &form,
        "<r xmlns=\"u:1\"><a xmlns=\"\"><b></b></a></r>",
    );
    becomes(
        "<p:r xmlns:p='u:1' xmlns='u:2'><a xmlns=''/></p:r>",
        "r",
        &form,
        "<p:r xmlns:p=\"u:1\"><a></a></p:r>",
    );
    becomes("<r xml:lang='en'><a/></r>", "a", &form, "<a></a>");
}

#[test]
fn neighbours_with_one_tag_are_written_alike_only_in_one_place() {
    let form = exclusive("");
    becomes(
        "<r xmlns:p='u:1'><p:a>1</p:a><p:a>2</p:a><p:b><p:a>3</p:a><p:a>4</p:a></p:b><p:a><p:c/></p:a><p:a/></r>",
        "r",
        &form,
        "<r><p:a xmlns:p=\"u:1\">1</p:a><p:a xmlns:p=\"u:1\">2</p:a><p:b xmlns:p=\"u:1\"><p:a>3</p:a><p:a>4</p:a></p:b>\
         <p:a xmlns:p=\"u:1\"><p:c></p:c></p:a><p:a xmlns:p=\"u:1\"></p:a></r>",
    );
    becomes(
        "<r><s xmlns:p='u:1'><p:a/><p:a/></s><s xmlns:p='u:2'><p:a/><p:a/></s></r>",
        "r",
        &form,
        "<r><s><p:a xmlns:p=\"u:1\"></p:a><p:a xmlns:p=\"u:1\"></p:a></s>\
         <s><p:a xmlns:p=\"u:2\"></p:a><p:a xmlns:p=\"u:2\"></p:a></s></r>",
    );
}

#[test]
fn listed_prefixes_are_written_as_the_inclusive_form_does() {
    let text = "<r xmlns='u:d' xmlns:p='u:1' xmlns:q='u:2' xmlns:x='u:3'><q:a/></r>";
    becomes(text, "a", &exclusive("p"), "<q:a xmlns:p=\"u:1\" xmlns:q=\"u:2\"></q:a>");
    becomes(
        text,
        "a",
        &exclusive("#default  x"),
        "<q:a xmlns=\"u:d\" xmlns:q=\"u:2\" xmlns:x=\"u:3\"></q:a>",
    );
    becomes(text, "a", &exclusive("unknown xml"), "<q:a xmlns:q=\"u:2\"></q:a>");
    becomes(
        "<r xmlns:p='u:1'><a xmlns:p='u:2'><b/></a></r>",
        "r",
        &exclusive("p"),
        "<r xmlns:p=\"u:1\"><a xmlns:p=\"u:2\"><b></b></a></r>",
    );
}

#[test]
fn the_inclusive_form_takes_the_surroundings_along() {
    let form = Canonicalization::Inclusive;
    let text =
        "<r xmlns='u:d' xmlns:p='u:1' xml:lang='en' xml:space='preserve' b='c'><a xml:lang='de'><b/></a></r>";
    becomes(
        text,
        "a",
        &form,
        "<a xmlns=\"u:d\" xmlns:p=\"u:1\" xml:lang=\"de\" xml:space=\"preserve\"><b></b></a>",
    );
}

#[test]
fn one_element_may_be_left_out() {
    let document = Document::parse(b"<a> <b>x<c/></b>\n<d/></a>", &Limits::default()).unwrap();
    let omit = document.root().children().next();
    assert_eq!(canonicalize(document.root(), omit, &exclusive("")), b"<a> \n<d></d></a>");
}

/// Small documents of the parts that matter: prefixes, redeclarations, all kinds of nodes and characters.
fn documents() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        Just("t".to_owned()),
        Just("&amp;&#13;&#x9;]]&gt;".to_owned()),
        Just("<![CDATA[<&]]>".to_owned()),
        Just("<!--c-->".to_owned()),
        Just("<?p  d?>".to_owned()),
        Just("\r\n\t é".to_owned()),
    ];
    let tag = (0..3_usize, 0..4_usize, prop::collection::vec(0..7_usize, 0..4)).prop_map(
        |(name, local, attributes)| {
            let name = format!("{}{}", ["", "p:", "q:"][name], ["a", "b", "c", "Signature"][local]);
            let mut all = [
                " xmlns='u:1'",
                " xmlns:p='u:2'",
                " xmlns:q='u:3&amp;'",
                " x='&#10;\t&lt;\"'",
                " p:x=\"'\"",
                " xmlns=''",
                " q:y='2'",
            ];
            let mut chosen: Vec<_> =
                attributes.iter().map(|number| std::mem::take(&mut all[*number])).collect();
            chosen.dedup();
            (name, chosen.concat())
        },
    );
    let tree = piece.prop_recursive(4, 40, 5, move |inner| {
        (tag.clone(), prop::collection::vec(inner, 0..5)).prop_map(|((name, attributes), children)| {
            format!("<{name}{attributes}>{}</{name}>", children.concat())
        })
    });
    prop::collection::vec(tree, 0..4)
        .prop_map(|parts| format!("<r xmlns:p='u:p' xmlns:q='u:q'>{}</r>", parts.concat()))
}

fn each_element<'d>(document: &'d Document<'_>) -> Vec<Element<'d>> {
    std::iter::once(document.root()).chain(document.root().descendants()).collect()
}

type Content = Vec<(String, String, BTreeSet<(String, String, String)>)>;

/// Names and attributes of an element and all inside it. `xml:` attributes are left out: the inclusive form adds some.
fn content(from: Element<'_>) -> Content {
    let attributes = |element: Element<'_>| {
        let all = element.attributes().filter(|it| it.namespace() != XML_NAMESPACE);
        all.map(|it| (it.namespace().to_owned(), it.local().to_owned(), it.value().to_owned())).collect()
    };
    std::iter::once(from)
        .chain(from.descendants())
        .map(|it| (it.namespace().to_owned(), it.local().to_owned(), attributes(it)))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1500))]

    #[test]
    fn the_form_of_a_form_is_itself(text in documents()) {
        let limits = Limits { signatures: 100, ..Limits::default() };
        let Ok(document) = Document::parse(text.as_bytes(), &limits) else { return Ok(()) };
        for element in each_element(&document) {
            for form in [exclusive(""), exclusive("p #default"), Canonicalization::Inclusive] {
                let once = canonicalize(element, None, &form);
                let again = Document::parse(&once, &limits).unwrap();
                prop_assert_eq!(&canonicalize(again.root(), None, &form), &once);
                // What a caller reads is the same on both sides.
                prop_assert_eq!(content(element), content(again.root()));
            }
        }
    }

    #[test]
    fn no_text_makes_the_reader_panic(text in ".{0,200}", octets in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Document::parse(text.as_bytes(), &Limits::default());
        let _ = Document::parse(&octets, &Limits::default());
    }
}
