//! What the reader refuses, each with its own code, and what it must not refuse.

use std::fmt::Write as _;

use jit_saml::xml::{Document, Limits, XmlError};

fn error(text: impl AsRef<[u8]>) -> Option<XmlError> {
    Document::parse(text.as_ref(), &Limits::default()).err()
}

#[track_caller]
fn refuses(expected: XmlError, texts: &[&str]) {
    for text in texts {
        assert_eq!(error(text), Some(expected), "{text:?}");
    }
}

#[test]
fn the_document_has_one_root_and_ends_with_it() {
    refuses(XmlError::Unclosed, &["<a>", "<a><b></b>", "<a>text", "<a><!-- c -->"]);
    refuses(XmlError::TextOutsideRoot, &["x<a/>", "<a/>x", "<a/>&amp;", "<a/><![CDATA[ ]]>", "&#32;<a/>"]);
    refuses(XmlError::SecondRoot, &["<a/><b/>", "<a></a><a></a>", "<a/> <!-- c --> <b/>"]);
    refuses(XmlError::RootMissing, &["", "  ", "<!-- c -->", "<?xml version='1.0'?>"]);
    refuses(
        XmlError::EndTagMismatch,
        &["<a></b>", "<a><b></a></b>", "</a>", "<a/></a>", "<p:a xmlns:p='u:1'></a>", "<a></ a>"],
    );
}

#[test]
fn declarations_say_xml_1_0_in_utf_8_and_stand_first() {
    refuses(
        XmlError::DeclarationMisplaced,
        &[
            " <?xml version='1.0'?><a/>",
            "<a><?xml version='1.0'?></a>",
            "<a/><?xml version='1.0'?>",
            "<?XML version='1.0'?><a/>",
        ],
    );
    refuses(XmlError::VersionUnsupported, &["<?xml version='1.1'?><a/>", "<?xml version=\"2.0\"?><a/>"]);
    refuses(
        XmlError::EncodingUnsupported,
        &[
            "<?xml version='1.0' encoding='ISO-8859-1'?><a/>",
            "<?xml version='1.0' encoding='UTF-16'?><a/>",
            "<?xml version='1.0' encoding='UTF-7'?><a/>",
        ],
    );
    refuses(
        XmlError::DeclarationMalformed,
        &[
            "<?xml?><a/>",
            "<?xml encoding='UTF-8'?><a/>",
            "<?xml version='1.0' standalone='maybe'?><a/>",
            "<?xml version='1.0' x='y'?><a/>",
            "<?xml version='1.0'encoding='UTF-8'?><a/>",
        ],
    );
    refuses(
        XmlError::Doctype,
        &[
            "<!DOCTYPE a><a/>",
            "<!DOCTYPE a [<!ENTITY e 'x'>]><a>&e;</a>",
            "<a><!DOCTYPE a></a>",
            "<!doctype a><a/>",
            "<!DOCTYPE><a/>",
        ],
    );
    for good in [
        "<?xml version='1.0'?><a/>",
        "<?xml version=\"1.0\" encoding=\"utf-8\" standalone=\"yes\" ?>\n<a/>",
        "\u{feff}<?xml version='1.0'?><a/>",
    ] {
        assert_eq!(error(good), None, "{good:?}");
    }
}

#[test]
fn characters_are_those_of_xml() {
    refuses(
        XmlError::ForbiddenCharacter,
        &[
            "<a>\0</a>",
            "<a b='\u{1}'/>",
            "<a><!--\u{b}--></a>",
            "<a>\u{ffff}</a>",
            "<a>\u{fffe}</a>",
            "\u{1f}<a/>",
        ],
    );
    for bad in [&b"<a>\xff</a>"[..], b"<a>\xc0\x80</a>", b"<a>\xed\xa0\x80</a>", b"\xff\xfe<\0a\0/\0>\0"] {
        assert!(matches!(error(bad), Some(XmlError::Utf8Invalid | XmlError::ForbiddenCharacter)));
    }
    assert_eq!(error("<a>\u{7f}\u{80}\u{fffd}\u{10ffff}é</a>"), None);
}

#[test]
fn references_name_characters() {
    refuses(
        XmlError::ReferenceInvalid,
        &[
            "<a>&nbsp;</a>",
            "<a>&;</a>",
            "<a>&#0;</a>",
            "<a>&#x1;</a>",
            "<a>&#xD800;</a>",
            "<a>&#x110000;</a>",
            "<a>&#xFFFE;</a>",
            "<a>&#+65;</a>",
            "<a>&#X41;</a>",
            "<a b='&nbsp;'/>",
            "<a b='&amp'/>",
            "<a b='& '/>",
            "<a>& </a>",
            "<a>&amp</a>",
            "<a>&&amp;</a>",
        ],
    );
    let text =
        "<a b=' &#x9;&#10;&#13;\t\n&quot;&apos;'>&lt;&gt;&amp;&#x41;&#65;&#x1F600;<![CDATA[&amp;]]></a>";
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    assert_eq!(document.root().only_text().unwrap(), "<>&AA\u{1f600}&amp;");
    assert_eq!(document.root().attribute("b").unwrap(), " \t\n\r  \"'");
}

#[test]
fn text_has_no_end_mark_of_a_section() {
    refuses(XmlError::SectionEndInText, &["<a>]]></a>", "<a>x]]>y</a>", "<a>&amp;]]></a>"]);
    assert_eq!(error("<a>]]&gt;</a>"), None);
    assert_eq!(error("<a>]]<b/>></a>"), None);
}

#[test]
fn names_are_names() {
    refuses(
        XmlError::NameInvalid,
        &[
            "<1x/>",
            "<-a/>",
            "<.a/>",
            "<a 1b='c'/>",
            "<a;/>",
            "< a/>",
            "<>x</>",
            "<a\u{d7}/>",
            "<\u{b7}a/>",
            "<p:1a xmlns:p='u:1'/>",
            "<a/ >",
            "<a ='c'/>",
        ],
    );
    refuses(
        XmlError::QualifiedNameInvalid,
        &[
            "<a:b:c xmlns:a='u:1'/>",
            "<:a/>",
            "<a:/>",
            "<a b:c:d='e'/>",
            "<a xmlns:='u:1'/>",
            "<a xmlns:b:c='u:1'/>",
        ],
    );
    assert_eq!(error("<Ünïcødé_名前·1 ключ='v'/>"), None);
}

#[test]
fn attributes_are_well_formed_and_different() {
    refuses(XmlError::LessThanInAttribute, &["<a b='<'/>", "<a b=\"x<y\"/>", "<a xmlns:p='u:<'/>"]);
    refuses(XmlError::AttributeMalformed, &["<a b/>", "<a b=c/>", "<a b='c'd='e'/>", "<a b 'c'/>"]);
    refuses(
        XmlError::DuplicateAttribute,
        &[
            "<a b='1' b='2'/>",
            "<a xmlns:p='u:1' xmlns:q='u:1' p:b='1' q:b='2'/>",
            "<a xmlns='u:1' xmlns='u:2'/>",
            "<a xmlns:p='u:1' xmlns:p='u:1'/>",
        ],
    );
    let fine = "<a xmlns='u:1' xmlns:p='u:1' xmlns:q='u:2' b='1' p:b='2' q:b='3'/>";
    assert_eq!(error(fine), None);
}

#[test]
fn tags_end_outside_of_their_values() {
    let text = "<r><b c='1'/><b c='1'>x</b><b c='1' d='>'/><b c='1' d='>'>y</b><b c='>'/><b c='/>'>z</b><b c='1' ></b >\
                <b\tc='1'\n/><b c='1'/>w</r>";
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let said: Vec<_> = document
        .root()
        .children()
        .map(|b| (b.attribute("c").unwrap(), b.attribute("d"), b.only_text().unwrap().into_owned()))
        .collect();
    let said: Vec<_> = said.iter().map(|(c, d, text)| (*c, d.unwrap_or_default(), text.as_str())).collect();
    let expected =
        [("1", "", ""), ("1", "", "x"), ("1", ">", ""), ("1", ">", "y"), (">", "", ""), ("/>", "", "z")];
    assert_eq!(said, [expected.as_slice(), &[("1", "", ""); 3]].concat());
    refuses(
        XmlError::MarkupMalformed,
        &[
            "<a><b c='></a>",
            "<a b='>\"/>",
            "<a b='c'/ >",
            "<a b='c'/d='e'>",
            "<a><b c='1'>x</b><b c='1'/x></a>",
            "<a b='c'",
        ],
    );
}

#[test]
fn prefixes_are_declared_and_not_emptied() {
    refuses(
        XmlError::PrefixUnbound,
        &["<p:a/>", "<a p:b='c'/>", "<a><b xmlns:p='u:1'/><p:c/></a>", "<xmlns:a/>"],
    );
    refuses(XmlError::PrefixEmptied, &["<a xmlns:p=''/>"]);
    refuses(
        XmlError::PrefixReserved,
        &[
            "<a xmlns:xml='u:1'/>",
            "<a xmlns:xmlns='u:1'/>",
            "<a xmlns:p='http://www.w3.org/XML/1998/namespace'/>",
            "<a xmlns:p='http://www.w3.org/2000/xmlns/'/>",
            "<a xmlns='http://www.w3.org/XML/1998/namespace'/>",
        ],
    );
    refuses(
        XmlError::NamespaceRelative,
        &["<a xmlns='relative'/>", "<a xmlns:p='./x'/>", "<a xmlns:p='1:x'/>", "<a xmlns:p='//host/x'/>"],
    );
    assert_eq!(
        error(
            "<a xmlns='u:1' xml:lang='en' xmlns:xml='http://www.w3.org/XML/1998/namespace'><b xmlns=''/></a>"
        ),
        None
    );
}

#[test]
fn comments_and_instructions_are_well_formed() {
    refuses(XmlError::CommentMalformed, &["<a><!-- -- --></a>", "<a><!-- ---></a>", "<a><!----->x</a>"]);
    refuses(XmlError::InstructionMalformed, &["<a><?1x y?></a>", "<a><?p:x y?></a>", "<a><? x?></a>"]);
    refuses(
        XmlError::MarkupMalformed,
        &[
            "<a><!x></a>",
            "<a",
            "<a><!-- </a>",
            "<a><![CDATA[</a>",
            "<a b='>",
            "<a><?x </a>",
            "<a><![cdata[x]]></a>",
        ],
    );
    assert_eq!(error("<?p q?><!----><a><!-- - --><?x?></a><?y z?><!--e-->\n"), None);
}

#[test]
fn line_ends_are_one_line_feed() {
    let document = Document::parse(b"<a b='1\r\n2\r3'>x\r\ny\rz&#13;\n\r\n</a>", &Limits::default()).unwrap();
    assert_eq!(document.root().only_text().unwrap(), "x\ny\nz\r\n\n");
    assert_eq!(document.root().attribute("b").unwrap(), "1 2 3");
}

#[test]
fn text_is_one_text_or_none() {
    let document = Document::parse(
        b"<a><b>admin<!-- -->@evil</b><b>admin<?x?>x</b><b>x<c/></b><b>x<![CDATA[<y>]]>&amp;z</b><b/><b></b></a>",
        &Limits::default(),
    )
    .unwrap();
    let texts: Vec<_> = document.root().children().map(jit_saml::xml::Element::only_text).collect();
    assert_eq!(texts, [None, None, None, Some("x<y>&z".into()), Some("".into()), Some("".into())]);
}

#[test]
fn elements_answer_for_themselves() {
    let text =
        "<r xmlns='u:d' xmlns:p='u:1'><p:a p:x='1' x='2'> <b xmlns:p='u:2'/> </p:a><c xmlns=''>t</c></r>";
    let document = Document::parse(text.as_bytes(), &Limits::default()).unwrap();
    let root = document.root();
    let [a, c] = root.children().collect::<Vec<_>>()[..] else { panic!("two children") };
    assert!(a.is("u:1", "a") && c.is("", "c") && root.is("u:d", "r"));
    assert_eq!((a.attribute("x"), a.attribute_in("u:1", "x")), (Some("2"), Some("1")));
    assert!(!a.has_text() && c.has_text());
    let b = a.children().next().unwrap();
    assert_eq!(b.prefix_namespace("p"), Some("u:2"));
    assert_eq!((b.prefix_namespace(""), c.prefix_namespace("")), (Some("u:d"), None));
    assert_eq!((b.prefix_namespace("q"), a.prefix_namespace("p")), (None, Some("u:1")));
    assert_eq!(root.descendants().count(), 3);
    assert_eq!(b.parent(), Some(a));
    assert_eq!(root.parent(), None);
}

#[test]
fn everything_is_bounded() {
    let nested = |depth: usize| "<a>".repeat(depth) + &"</a>".repeat(depth);
    assert_eq!(error(nested(64)), None);
    assert_eq!(error(nested(65)), Some(XmlError::TooDeep));
    assert_eq!(error(nested(100_000)), Some(XmlError::TooDeep));
    let attributes = |count: usize| {
        (0..count).fold("<a".to_owned(), |mut tag, number| {
            write!(tag, " a{number}=''").unwrap();
            tag
        }) + "/>"
    };
    assert_eq!(error(attributes(64)), None);
    assert_eq!(error(attributes(65)), Some(XmlError::TooManyAttributes));
    let namespaces = (0..100).fold("<a>".to_owned(), |mut text, number| {
        write!(text, "<b xmlns:p{number}='u:{number}'/>").unwrap();
        text
    }) + "</a>";
    assert_eq!(error(namespaces), Some(XmlError::TooManyNamespaces));
    assert_eq!(error(format!("<a>{}</a>", "<b/>".repeat(20_000))), Some(XmlError::TooManyElements));
    assert_eq!(error(format!("<a>{}</a>", "<!---->".repeat(60_000))), Some(XmlError::TooManyNodes));
    assert_eq!(error(format!("<a>{}</a>", "x".repeat(1 << 20))), Some(XmlError::TooLarge));
    let many = (0..1000).fold("<a>".to_owned(), |mut text, number| {
        write!(text, "<b n{number}=''").unwrap();
        (0..63).for_each(|place| write!(text, " c{place}=''").unwrap());
        text + "/>"
    });
    assert_eq!(error(many + "</a>"), Some(XmlError::TooManyNodes));
    let signatures = "<s:Signature xmlns:s='http://www.w3.org/2000/09/xmldsig#'/>".repeat(5);
    assert_eq!(error(format!("<a>{signatures}</a>")), Some(XmlError::TooManySignatures));
}

/// The costliest documents that the limits let in; the benchmarks hold the times.
#[test]
fn documents_at_the_limits_are_read() {
    let wide: String = (0..64).fold("<b".to_owned(), |mut tag, number| {
        write!(tag, " attribute{number:02}='x'").unwrap();
        tag
    }) + "/>";
    // The same length and the same beginning, so that comparing is dear, and another value each time, so that no tag is
    // known already.
    let different = |count: usize, tag: &dyn Fn(usize, usize) -> String| {
        (0..count).fold(String::new(), |mut text, number| {
            text.push_str("<b");
            (10..70).for_each(|place| text.push_str(&tag(number, place)));
            write!(text, " c='{number}'/>").unwrap();
            text
        })
    };
    let bodies = [
        different(490, &|_, place| format!(" attribut{place}=''")),
        different(490, &|_, place| format!(" xmlns:p{place}='u:{place}'")),
        format!(
            "<d{}>{}</d>",
            (10..70).fold(String::new(), |all, place| all + &format!(" xmlns:p{place}='u:{place}'")),
            different(480, &|_, place| format!(" p{place}:a=''"))
        ),
        wide.repeat((1 << 20) / wide.len() - 1),
        "<b/>".repeat(19_000),
        "<b>x</b>".repeat(19_000),
        "&amp;".repeat(60_000),
        "&#x41;<!---->".repeat(29_000),
        "<b xmlns:p='u:1' xmlns='u:2'/>".repeat(19_000),
        "]>".repeat(500_000),
        "é".repeat(500_000),
        "\r".repeat(1_000_000),
        "<![CDATA[]]>".repeat(50_000),
        format!("<b c='{}'/>", "&#x9;".repeat(200_000)),
        format!("<b c='{}'/>", "\t".repeat(1_000_000)),
    ];
    for body in bodies {
        let text = format!("<a>{body}</a>");
        assert_eq!(error(&text), None, "{}", text.get(..40).unwrap());
    }
}
