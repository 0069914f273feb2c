//! Canonical forms of many random documents, compared with those of libxml2 and of the JDK.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "helpers of tests")]

mod generator;
mod oracle;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jit_saml::xml::{Canonicalization, Document, Element, Limits, PrefixList, canonicalize};

use generator::{Generated, PREFIXES, Random};

const EXCLUSIVE: usize = 50_000;
const INCLUSIVE: usize = 5_000;

/// Whom to ask; each has questions that it cannot answer.
#[derive(Clone, Copy, PartialEq)]
enum Oracle {
    /// lxml drops `#default` from a list of prefixes, and inherits no `xml:` attributes into a subtree.
    Libxml2,
    /// Of two ancestors with the same `xml:` attribute the JDK inherits from the farther one, against Canonical XML
    /// 1.0 §2.4.
    Jdk,
}

impl Oracle {
    fn folder(self) -> &'static str {
        match self {
            Self::Libxml2 => "c14n-libxml2",
            Self::Jdk => "c14n-jdk",
        }
    }

    fn knows_only_whole_inclusive_forms(self, text: &str) -> bool {
        self == Self::Libxml2 || text.matches("xml:lang").count() > 1 || text.matches("xml:space").count() > 1
    }
}

struct Case {
    text: String,
    exclusive: bool,
    apex: usize,
    omitted: Option<usize>,
    prefixes: Vec<&'static str>,
}

impl Case {
    fn random(random: &mut Random, exclusive: bool, oracle: Oracle) -> Self {
        let Generated { text, elements } = generator::document(random);
        let whole = random.one_in(2) || (!exclusive && oracle.knows_only_whole_inclusive_forms(&text));
        let apex = if whole { 0 } else { random.below(elements) };
        let mut prefixes: Vec<_> = PREFIXES.iter().copied().filter(|_| random.one_in(3)).collect();
        if !exclusive || random.one_in(2) {
            prefixes.clear();
        }
        if oracle == Oracle::Libxml2 {
            prefixes.retain(|prefix| !prefix.is_empty());
        }
        let mut case = Self { text, exclusive, apex, omitted: None, prefixes };
        case.omitted = case.one_inside(random);
        case
    }

    /// Now and then an element below the apex, as a signature that is not part of what it signs.
    fn one_inside(&self, random: &mut Random) -> Option<usize> {
        if !random.one_in(3) {
            return None;
        }
        let limits = Limits::default();
        let document = Document::parse(self.text.as_bytes(), &limits).ok()?;
        let inside = elements(&document)[self.apex].descendants().count();
        (inside > 0).then(|| self.apex + 1 + random.below(inside))
    }

    fn ours(&self) -> Result<Vec<u8>, String> {
        let limits = Limits::default();
        let document =
            Document::parse(self.text.as_bytes(), &limits).map_err(|error| error.code().to_owned())?;
        let all = elements(&document);
        Ok(canonicalize(all[self.apex], self.omitted.map(|index| all[index]), &self.form()))
    }

    /// Whether the canonical form of a canonical form is itself.
    fn is_stable(&self, octets: &[u8]) -> bool {
        let limits = Limits::default();
        Document::parse(octets, &limits)
            .is_ok_and(|document| canonicalize(document.root(), None, &self.form()) == octets)
    }

    fn form(&self) -> Canonicalization {
        if self.exclusive {
            Canonicalization::Exclusive(PrefixList::parse(&self.tokens().join(" ")))
        } else {
            Canonicalization::Inclusive
        }
    }

    fn request(&self) -> String {
        let form = if self.exclusive { "exclusive" } else { "inclusive" };
        let omitted = self.omitted.map_or_else(|| "-".to_owned(), |index| index.to_string());
        let prefixes = if self.prefixes.is_empty() { "-".to_owned() } else { self.tokens().join(",") };
        format!("{form} {} {omitted} {prefixes} {}", self.apex, STANDARD.encode(&self.text))
    }

    fn tokens(&self) -> Vec<&'static str> {
        self.prefixes.iter().map(|prefix| if prefix.is_empty() { "#default" } else { prefix }).collect()
    }
}

fn elements<'d>(document: &'d Document<'d>) -> Vec<Element<'d>> {
    std::iter::once(document.root()).chain(document.root().descendants()).collect()
}

/// Compares our forms with the oracle's, and shows the first that differ.
fn compare(oracle: Oracle, seed: u64) {
    let mut random = Random::new(seed);
    let cases: Vec<_> = (0..EXCLUSIVE + INCLUSIVE)
        .map(|number| Case::random(&mut random, number < EXCLUSIVE, oracle))
        .collect();
    let requests: Vec<_> = cases.iter().map(Case::request).collect();
    let answers = oracle::answers(oracle.folder(), &requests);
    assert_eq!(answers.len(), cases.len());
    let mut mismatches = 0;
    for (case, answer) in cases.iter().zip(&answers) {
        let ours = case.ours();
        assert!(ours.as_ref().is_ok_and(|octets| case.is_stable(octets)), "{}", case.text);
        let ours = ours.map(|octets| STANDARD.encode(octets));
        if ours.as_deref() == Ok(answer.as_str()) {
            continue;
        }
        mismatches += 1;
        if mismatches <= 3 {
            eprintln!(
                "{}\n{}\nours: {}\ntheirs: {}\n",
                case.request(),
                case.text,
                shown(&ours),
                shown(&Ok(answer.clone()))
            );
        }
    }
    assert_eq!(mismatches, 0, "of {} documents", cases.len());
}

fn shown(answer: &Result<String, String>) -> String {
    match answer {
        Ok(text) => STANDARD
            .decode(text)
            .map_or_else(|_| text.clone(), |octets| String::from_utf8_lossy(&octets).into_owned()),
        Err(code) => code.clone(),
    }
}

#[test]
fn the_oracles_tell_forms_apart() {
    let text = "<r xmlns:a=\"urn:a\" xmlns=\"urn:d\"><a:x/></r>";
    let case = |exclusive, apex, prefixes: &[&'static str]| Case {
        text: text.to_owned(),
        exclusive,
        apex,
        omitted: None,
        prefixes: prefixes.to_vec(),
    };
    let cases = [
        case(true, 0, &[]),
        case(true, 0, &["a"]),
        case(false, 0, &[]),
        case(true, 1, &[]),
        case(true, 1, &["a"]),
    ];
    let requests: Vec<_> = cases.iter().map(Case::request).collect();
    for oracle in [Oracle::Libxml2, Oracle::Jdk] {
        let shown: Vec<_> = oracle::answers(oracle.folder(), &requests)
            .into_iter()
            .map(|answer| shown(&Ok(answer)))
            .collect();
        assert_eq!(
            shown,
            [
                "<r xmlns=\"urn:d\"><a:x xmlns:a=\"urn:a\"></a:x></r>",
                "<r xmlns=\"urn:d\" xmlns:a=\"urn:a\"><a:x></a:x></r>",
                "<r xmlns=\"urn:d\" xmlns:a=\"urn:a\"><a:x></a:x></r>",
                "<a:x xmlns:a=\"urn:a\"></a:x>",
                "<a:x xmlns:a=\"urn:a\"></a:x>",
            ]
        );
    }
}

#[test]
fn libxml2_writes_the_same_octets() {
    compare(Oracle::Libxml2, 1);
}

#[test]
fn the_jdk_writes_the_same_octets() {
    compare(Oracle::Jdk, 2);
}
