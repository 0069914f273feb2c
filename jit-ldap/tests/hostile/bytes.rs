//! What is no LDAP, too much of it, or never comes to an end.

use jit_ldap::{Connection, Dn, Entry, LdapError, Password, Search};
use proptest::prelude::*;

use crate::ber::{attribute, bound, entry, message, nested, notice, result, tlv};
use crate::server::{Act, code, connection};

async fn bind(mut connection: Connection) -> Result<(), LdapError> {
    connection.bind("cn=us", &Password::new("secret").unwrap(), &[]).await.map(|_| ())
}

async fn read(mut connection: Connection) -> Result<Option<Entry>, LdapError> {
    connection.read(&Search::entry(Dn::parse("cn=a").unwrap())).await
}

async fn bytes(answer: Vec<u8>) -> String {
    code(move |_| vec![Act::Say(answer.clone()), Act::Wait], bind).await
}

#[tokio::test(start_paused = true)]
async fn silence_ends_at_our_deadline() {
    assert_eq!(code(|_| vec![Act::Wait], bind).await, "ldap.timeout");
    assert_eq!(code(|id| vec![Act::Drip(message(id, &bound()))], bind).await, "ldap.timeout");
}

#[tokio::test(start_paused = true)]
async fn a_search_that_drips_for_ever_ends_at_our_deadline() {
    let drip = |id| {
        let one = message(id, &entry("cn=a", &[]));
        (0..1000).flat_map(|_| [Act::Drip(one[..1].to_vec()), Act::Say(one[1..].to_vec())]).collect()
    };
    assert_eq!(code(drip, read).await, "ldap.timeout");
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_ends_is_noticed() {
    assert_eq!(code(|_| vec![Act::Close], bind).await, "ldap.connection_lost");
    let half = |id| vec![Act::Say(message(id, &bound())[..6].to_vec()), Act::Close];
    assert_eq!(code(half, bind).await, "ldap.connection_lost");
}

#[tokio::test(start_paused = true)]
async fn a_length_is_refused_before_anything_is_kept_for_it() {
    assert_eq!(bytes(vec![0x30, 0x84, 0xff, 0xff, 0xff, 0xff]).await, "ldap.message_too_large");
    assert_eq!(bytes(vec![0x30, 0x84, 0, 0x20, 0, 0x01]).await, "ldap.message_too_large");
    assert_eq!(bytes(vec![0x30, 0x88, 0, 0, 0, 0, 0, 0, 0, 9]).await, "ldap.message_malformed");
}

#[tokio::test(start_paused = true)]
async fn what_is_no_ldap_is_refused_at_once() {
    assert_eq!(bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec()).await, "ldap.message_malformed");
    assert_eq!(bytes(vec![0x30, 0x80, 2, 1, 1, 0, 0]).await, "ldap.message_malformed");
    assert_eq!(bytes(vec![0; 64]).await, "ldap.message_malformed");
    assert_eq!(bytes(message(-1, &bound())).await, "ldap.message_malformed");
    assert_eq!(bytes(tlv(0x30, &[2, 5, 0, 0, 0, 0, 1])).await, "ldap.message_malformed");
    assert_eq!(bytes(tlv(0x30, &[])).await, "ldap.message_malformed");
    let with_rest = |id| {
        vec![Act::Say(tlv(0x30, &[&tlv(2, &[u8::try_from(id).unwrap()]), &bound()[..], &[5, 0]].concat()))]
    };
    assert_eq!(code(with_rest, bind).await, "ldap.message_malformed");
}

#[tokio::test(start_paused = true)]
async fn nesting_has_no_depth_for_us() {
    for levels in [100, 8_000, 200_000] {
        for tag in [0x30, 0x31, 0xa0, 0xa2, 0x24] {
            let deep = nested(tag, levels);
            for op in [
                tlv(0x61, &deep),
                tlv(0x61, &[&result(0x61, 0, b"")[2..], &deep].concat()),
                tlv(0x64, &deep),
                entry("cn=a", std::slice::from_ref(&deep)),
                tlv(0x63, &deep),
                deep.clone(),
            ] {
                let answer = move |id| vec![Act::Say(message(id, &op)), Act::Wait];
                let outcome = code(answer, bind).await;
                assert!(outcome.starts_with("ldap.") || outcome == "fine", "{outcome}");
            }
        }
    }
}

#[tokio::test(start_paused = true)]
async fn many_small_parts_are_too_many() {
    let values = vec![Vec::new(); 70_000];
    let op = entry("cn=a", &[attribute("member", &values)]);
    let answer = move |id| vec![Act::Say(message(id, &op)), Act::Wait];
    assert_eq!(code(answer, read).await, "ldap.message_too_large");
    let controls = tlv(0xa0, &tlv(0x30, &tlv(4, b"1.2.3")).repeat(33));
    let answer = move |id| vec![Act::Say(message(id, &[bound(), controls.clone()].concat())), Act::Wait];
    assert_eq!(code(answer, bind).await, "ldap.message_too_large");
}

#[tokio::test(start_paused = true)]
async fn a_text_that_is_no_text_is_an_error_in_a_name_and_nothing_in_an_explanation() {
    let refusal = |id| vec![Act::Say(message(id, &result(0x61, 49, &[0xff, 0xfe])))];
    assert_eq!(code(refusal, bind).await, "ldap.credentials_invalid");
    let name = |id| vec![Act::Say(message(id, &tlv(0x64, &[tlv(4, &[0xff]), tlv(0x30, &[])].concat())))];
    assert_eq!(code(name, read).await, "ldap.text_malformed");
}

#[tokio::test(start_paused = true)]
async fn notices_end_the_connection_or_are_passed_over() {
    let end = |_| vec![Act::Say(notice("1.3.6.1.4.1.1466.20036")), Act::Wait];
    assert_eq!(code(end, bind).await, "ldap.disconnected");
    let one = |id| vec![Act::Say(notice("1.2.3")), Act::Say(message(id, &bound()))];
    assert_eq!(code(one, bind).await, "fine");
    assert_eq!(code(|_| vec![Act::Repeat(notice("1.2.3"))], bind).await, "ldap.too_many_notices");
}

#[tokio::test(start_paused = true)]
async fn an_answer_that_is_not_ours_is_never_taken() {
    assert_eq!(
        code(|id| vec![Act::Say(message(id + 1, &bound()))], bind).await,
        "ldap.message_id_unexpected"
    );
    assert_eq!(code(|_| vec![Act::Say(message(0, &bound()))], bind).await, "ldap.message_id_unexpected");
    for tag in [0x65, 0x67, 0x69, 0x6b, 0x6d, 0x6f, 0x78, 0x60, 0x63, 0x42] {
        let other = move |id| vec![Act::Say(message(id, &result(tag, 0, b"")))];
        assert_eq!(code(other, bind).await, "ldap.response_unexpected", "{tag:x}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Whatever comes, there is an answer or an error, and soon.
    #[test]
    fn no_bytes_crash_or_hold_us(noise in proptest::collection::vec(any::<u8>(), 0..300), at in 0..60_usize) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().unwrap();
        runtime.block_on(async {
            let mut good = message(1, &entry("cn=a", &[attribute("cn", &[b"a".to_vec()])]));
            good.extend(message(1, &crate::ber::done(0)));
            let at = at.min(good.len());
            good.splice(at..(at + noise.len()).min(good.len()), noise);
            let mut connection = connection(move |_| vec![Act::Say(good.clone()), Act::Close]);
            let _outcome = connection.read(&Search::entry(Dn::parse("cn=a").unwrap())).await;
        });
    }
}
