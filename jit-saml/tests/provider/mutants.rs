//! Changed responses: refused, or read as the provider signed them.

use std::sync::LazyLock;

use crate::support::{Draft, verify};
use jit_saml::assertion::Attributes;
use jit_saml::response::VerifiedResponse;
use proptest::prelude::*;

static DOCUMENTS: LazyLock<[String; 3]> = LazyLock::new(|| {
    let draft = Draft::new();
    [draft.signed(), draft.response_signed(), draft.both_signed()]
});

/// All that an application learns from a response.
fn learned(response: &VerifiedResponse) -> (String, Attributes, Option<String>) {
    let name = response.name_id().map(|name_id| format!("{} {}", name_id.format(), name_id.value));
    (name.unwrap_or_default(), response.attributes().clone(), response.session_index().map(str::to_owned))
}

#[derive(Debug, Clone)]
enum Mutation {
    Replace(u8),
    Remove(usize),
    Repeat(usize),
    Insert(&'static str),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let pieces = [
        "<!-- -->",
        "<?a?>",
        "<![CDATA[",
        "]]>",
        "&#32;",
        "&amp;",
        "<a/>",
        "</",
        ">",
        "\"",
        " ID=\"_assertion1\"",
        "<ds:Signature/>",
        " xmlns=\"\"",
        "\u{0}",
        "\r\n",
        "<saml:Assertion>",
        "</saml:Assertion>",
    ];
    prop_oneof![
        any::<u8>().prop_map(Mutation::Replace),
        (1_usize..400).prop_map(Mutation::Remove),
        (1_usize..2000).prop_map(Mutation::Repeat),
        proptest::sample::select(pieces.to_vec()).prop_map(Mutation::Insert),
    ]
}

fn mutate(document: &str, place: usize, mutation: &Mutation) -> Vec<u8> {
    let mut octets = document.as_bytes().to_vec();
    let place = place % octets.len();
    let end = |length: usize| (place + length).min(octets.len());
    match mutation {
        Mutation::Replace(octet) => octets[place] = *octet,
        Mutation::Remove(length) => drop(octets.drain(place..end(*length))),
        Mutation::Repeat(length) => {
            let piece = octets[place..end(*length)].to_vec();
            octets.splice(place..place, piece);
        }
        Mutation::Insert(piece) => drop(octets.splice(place..place, piece.bytes())),
    }
    octets
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_mutant_is_accepted_with_another_identity(
        which in 0_usize..3,
        changes in proptest::collection::vec((any::<usize>(), mutation()), 1..3),
    ) {
        let original = learned(&verify(&DOCUMENTS[which]).unwrap());
        let mut document = DOCUMENTS[which].clone();
        for (place, change) in &changes {
            document = String::from_utf8_lossy(&mutate(&document, *place, change)).into_owned();
        }
        if let Ok(response) = verify(&document) {
            prop_assert!(learned(&response) == original);
        }
    }
}
