//! Random documents: namespaces that are bound, bound again and undeclared, attributes in any order, every kind of text.

use std::fmt::Write as _;

/// `SplitMix64`: the same documents in every run.
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        usize::try_from(self.next() % u64::try_from(bound).unwrap()).unwrap()
    }

    pub(crate) fn one_in(&mut self, chances: usize) -> bool {
        self.below(chances) == 0
    }

    fn pick<'a>(&mut self, choices: &[&'a str]) -> &'a str {
        choices[self.below(choices.len())]
    }
}

pub(crate) const PREFIXES: &[&str] = &["", "a", "b", "ds", "saml", "é", "a-1", "_x"];
const NAMESPACES: &[&str] = &[
    "urn:a",
    "urn:b",
    "urn:A",
    "http://www.w3.org/2000/09/xmldsig#",
    "urn:oasis:names:tc:SAML:2.0:assertion",
    "http://example.com/?q=1;2",
    "urn:%C3%BCn%C3%AF",
];
const NAMES: &[&str] = &["r", "Assertion", "x", "x-y", "X", "ä", "x.1", "_", "longer-name-of-an-element"];
const VALUES: &[&str] = &[
    "v",
    "two words",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\r",
    "&#9;",
    "&#xA;",
    "&#13;",
    "&#x20;",
    "&amp;",
    "&lt;",
    "&gt;",
    ">",
    "&quot;",
    "&apos;",
    "'",
    "é",
    "€",
    "𝄞",
    "&#x1D11E;",
    "&#233;",
    "&#x7F;",
    "]]",
    "  ",
    "\u{85}",
    "\u{2028}",
];
const TEXTS: &[&str] = &[
    "text",
    " ",
    "\n  ",
    "\t",
    "\r\n",
    "\r",
    "&#xD;",
    "&#10;",
    "&#9;",
    "&amp;",
    "&lt;",
    "&gt;",
    "\"",
    "'",
    "&quot;",
    "&apos;",
    "é",
    "€",
    "𝄞",
    "&#x1D11E;",
    "] ]",
    "--",
    "\u{a0}",
    "\u{85}",
    "-->",
    "e\u{301}",
];
const SECTIONS: &[&str] = &[
    "<![CDATA[]]>",
    "<![CDATA[<a>&amp;</a>]]>",
    "<![CDATA[ ]] > ]]>",
    "<![CDATA[\r\n\"é\"]]>",
    "<![CDATA[]]]]><![CDATA[>]]>",
];
const COMMENTS: &[&str] = &["<!-- a comment -->", "<!---->", "<!-- <&> é - -->", "<!--\r\n-->"];
const INSTRUCTIONS: &[&str] =
    &["<?target?>", "<?target data?>", "<?t   <&\"'>  ?>", "<?xml-stylesheet href=\"a\"?>", "<?t a\r\nb?>"];

/// One document and how many elements it has.
pub(crate) struct Generated {
    pub(crate) text: String,
    pub(crate) elements: usize,
}

pub(crate) fn document(random: &mut Random) -> Generated {
    let mut generator = Generator { random, text: String::new(), elements: 0 };
    generator.prolog();
    generator.element(0, &mut Scope::default());
    generator.around();
    Generated { elements: generator.elements, text: generator.text }
}

/// The namespaces in scope, as (prefix, namespace); the last of a prefix counts.
#[derive(Clone, Default)]
struct Scope(Vec<(&'static str, &'static str)>);

impl Scope {
    fn namespace(&self, prefix: &str) -> Option<&'static str> {
        self.0.iter().rev().find(|(bound, _)| *bound == prefix).map(|(_, namespace)| *namespace)
    }

    fn bound_prefixes(&self) -> Vec<&'static str> {
        PREFIXES
            .iter()
            .copied()
            .filter(|prefix| !prefix.is_empty() && self.namespace(prefix).is_some())
            .collect()
    }
}

struct Generator<'r> {
    random: &'r mut Random,
    text: String,
    elements: usize,
}

impl Generator<'_> {
    fn prolog(&mut self) {
        if self.random.one_in(3) {
            let choices =
                ["<?xml version=\"1.0\"?>", "<?xml version='1.0' encoding='UTF-8' standalone=\"yes\" ?>\r\n"];
            self.text.push_str(self.random.pick(&choices));
        }
        self.around();
    }

    /// Comments and instructions beside the root: no part of any canonical form of an element.
    fn around(&mut self) {
        while self.random.one_in(5) {
            let choices = [self.random.pick(COMMENTS), self.random.pick(INSTRUCTIONS), "\n"];
            self.text.push_str(self.random.pick(&choices));
        }
    }

    fn element(&mut self, depth: usize, outer: &mut Scope) {
        self.elements += 1;
        let mut scope = outer.clone();
        let mut tags = self.declarations(&mut scope);
        let mut bound = scope.bound_prefixes();
        bound.push("");
        let name = self.qualified_name(&bound);
        self.attributes(&scope, &mut tags);
        self.shuffle(&mut tags);
        write!(self.text, "<{name}").unwrap();
        for tag in tags {
            let space = self.random.pick(&[" ", " ", "  ", "\n", "\r\n\t"]);
            write!(self.text, "{space}{tag}").unwrap();
        }
        self.text.push_str(self.random.pick(&["", "", " "]));
        if self.random.one_in(5) {
            self.text.push_str("/>");
            return;
        }
        self.text.push('>');
        self.content(depth, &mut scope);
        let space = self.random.pick(&["", "", "", " ", "\n"]);
        write!(self.text, "</{name}{space}>").unwrap();
    }

    fn declarations(&mut self, scope: &mut Scope) -> Vec<String> {
        let mut written = Vec::new();
        let mut declared = Vec::new();
        for _ in 0..self.random.below(4) {
            let prefix = self.random.pick(PREFIXES);
            if declared.contains(&prefix) {
                continue;
            }
            declared.push(prefix);
            let namespace =
                if prefix.is_empty() && self.random.one_in(3) { "" } else { self.random.pick(NAMESPACES) };
            scope.0.push((prefix, namespace));
            let colon = if prefix.is_empty() { "" } else { ":" };
            let quote = self.random.pick(&["'", "\""]);
            written.push(format!("xmlns{colon}{prefix}={quote}{namespace}{quote}"));
        }
        written
    }

    fn qualified_name(&mut self, bound: &[&str]) -> String {
        let prefix = self.random.pick(bound);
        let colon = if prefix.is_empty() { "" } else { ":" };
        format!("{prefix}{colon}{}", self.random.pick(NAMES))
    }

    fn attributes(&mut self, scope: &Scope, tags: &mut Vec<String>) {
        let mut bound = scope.bound_prefixes();
        bound.extend(["", "", "xml"]);
        let mut expanded: Vec<(&str, String)> = Vec::new();
        for _ in 0..self.random.below(5) {
            let prefix = self.random.pick(&bound);
            let local = match prefix {
                "xml" => self.random.pick(&["lang", "space"]),
                _ => self.random.pick(NAMES),
            };
            let namespace = if prefix.is_empty() { "" } else { scope.namespace(prefix).unwrap_or(prefix) };
            if expanded.contains(&(namespace, local.to_owned())) {
                continue;
            }
            expanded.push((namespace, local.to_owned()));
            let colon = if prefix.is_empty() { "" } else { ":" };
            let equals = self.random.pick(&["=", "=", " = ", "\n="]);
            tags.push(format!("{prefix}{colon}{local}{equals}{}", self.quoted_value(prefix == "xml")));
        }
    }

    fn quoted_value(&mut self, plain: bool) -> String {
        let mut value = String::new();
        let pieces = if plain { 0 } else { self.random.below(5) };
        for _ in 0..pieces {
            value.push_str(self.random.pick(VALUES));
        }
        if plain {
            value.push_str(self.random.pick(&["en", "default", "preserve"]));
        }
        let quote = if value.contains('\'') { "\"" } else { self.random.pick(&["'", "\""]) };
        format!("{quote}{value}{quote}")
    }

    fn shuffle(&mut self, tags: &mut [String]) {
        for last in (1..tags.len()).rev() {
            tags.swap(last, self.random.below(last + 1));
        }
    }

    fn content(&mut self, depth: usize, scope: &mut Scope) {
        for _ in 0..self.random.below(6) {
            match self.random.below(10) {
                0..=3 if depth < 5 => self.element(depth + 1, scope),
                4..=6 => self.push(TEXTS),
                7 => self.push(SECTIONS),
                8 => self.push(COMMENTS),
                _ => self.push(INSTRUCTIONS),
            }
        }
    }

    fn push(&mut self, choices: &[&str]) {
        let piece = self.random.pick(choices);
        self.text.push_str(piece);
    }
}
