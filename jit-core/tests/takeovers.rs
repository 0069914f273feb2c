//! One test for each known way to take over an account at sign-in. Each attack is refused with its code, or gains nothing.

#[cfg(test)]
mod support;

use jit_core::*;
use public::{beside, configured};
use serde_json::{Value, json};
use support::*;

const VICTIM: &str = "alice@example.com";

fn verified(address: &str) -> Value {
    json!({"email": address, "email_verified": true})
}

/// A house with Alice in it, who came over `corp` (0), which speaks for example.com; `other` (1) speaks for nothing.
async fn with_alice() -> (House, AccountId) {
    let house =
        house(vec![wire("corp").speaks_for("example.com").links_by_email(), wire("other").links_by_email()]);
    let id = house.enter(0, "alice-1", verified(VICTIM)).await.account.id;
    (house, id)
}

#[tokio::test]
async fn an_unverified_address_never_links() {
    let (house, alice) = with_alice().await;
    let other = house.enter(0, "x", verified("x@example.com")).await.account.id;
    for verified in [json!(false), json!(null), json!("true"), json!(1), json!(["true"])] {
        let code = house.denied(1, "mallory", json!({"email": VICTIM, "email_verified": verified})).await;
        assert_eq!(code, "link.email_unverified", "{verified}");
    }
    assert_eq!(house.denied(1, "mallory", json!({"email": VICTIM})).await, "link.email_unverified");
    assert_eq!(house.all().await.iter().map(|account| account.id).collect::<Vec<_>>(), [alice, other]);
    assert_eq!(house.get(alice).await.identities.len(), 1);
}

#[tokio::test]
async fn a_source_that_does_not_speak_for_the_domain_never_links_whatever_it_asserts() {
    // nOAuth: an issuer whose administrators write any address into the token.
    let (house, alice) = with_alice().await;
    assert_eq!(house.denied(1, "mallory", verified(VICTIM)).await, "link.not_authoritative");
    assert_eq!(house.get(alice).await.identities.len(), 1);
}

/// Sources that anybody can open an account or a tenant at.
#[cfg(test)]
mod public {
    use super::*;

    /// A connection as configuration describes it, to a source that anybody can open an account or a tenant at.
    pub(super) fn configured(
        issuers: &str,
        mapping: &str,
    ) -> Result<(Connection, Attestor), config::Problems> {
        #[derive(serde::Deserialize)]
        struct NoSettings {}
        impl config::Check for NoSettings {
            fn check(&self, _found: &mut config::Problems) {}
        }
        let text = format!(
            "tenant = 'acme'\nid = 'public'\n{issuers}\ndomains = ['example.com']\nmapping = {{ {mapping} }}\n\
             link = [{{ by = {{ email = 'when_authoritative' }} }}]\npolicy = {{ rule = [{{ name = 'all', permit = {{}} \
             }}] }}\nprotocol = {{}}\n"
        );
        let read: config::ConnectionConfig<NoSettings> =
            config::load(&text, config::Format::Toml, "public.toml")?;
        let (connection, attestor, _) = read.define()?;
        Ok((connection, attestor))
    }

    /// A house with Alice in it beside such a connection.
    pub(super) async fn beside(issuers: &str, mapping: &str) -> (House, Attestor) {
        let (connection, attestor) = configured(issuers, mapping).unwrap();
        let house = house_on(
            std::sync::Arc::new(MemoryStore::new()),
            vec![wire("corp").speaks_for("example.com").links_by_email()],
            |builder| builder.connection(connection),
        );
        house.enter(0, "alice-1", verified(VICTIM)).await;
        (house, attestor)
    }
}

#[tokio::test]
async fn a_private_account_with_a_companys_address_is_nobody_of_the_company() {
    // Google lets anybody open an account with an address of elsewhere, and says truly that mail to it was read once.
    let (house, google) = beside("issuers = ['https://public.example']", "preset = 'google'").await;
    let come = async |subject: &str, said: Value| {
        let event = Event::sign_in(attest(&google, subject, claims(said)), Context::default());
        house.jit.handle(event).await.unwrap()
    };
    let of = |address: &str, hd: Value| json!({"email": address, "email_verified": true, "hd": hd});
    for hd in
        [json!(null), json!(""), json!("evil.example"), json!(["example.com", "evil.example"]), json!(true)]
    {
        let Outcome::Denied(denied) = come("mallory", of(VICTIM, hd.clone())).await else { panic!("{hd}") };
        assert_eq!(denied.denial.code.as_str(), "link.not_authoritative", "{hd}");
    }
    let Outcome::SignedIn(first) = come("eve", of("eve@example.com", json!(null))).await else {
        panic!("let in")
    };
    assert_eq!(first.account.email.as_ref().unwrap().trust, EmailTrust::Asserted);
    let Outcome::SignedIn(member) = come("alice-2", of(VICTIM, json!("example.com"))).await else {
        panic!("linked")
    };
    assert_eq!(member.account.identities.len(), 2, "a member of the organisation is who the address says");
}

#[tokio::test]
async fn a_tenant_that_anybody_can_open_proves_no_address() {
    // nOAuth by configuration: every tenant's administrator writes what he likes into the token.
    let any =
        "issuer_template = { template = 'https://login.example/{*}/v2.0', dangerously_allow_any = true }";
    for mapping in [
        "email = { claim = 'email', verified = 'own_domains' }",
        "email = { claim = 'email', verified = { claim = 'email_verified' } }",
        "email = { claim = 'email', dangerously_assume_verified = true }",
        "preset = 'okta'",
    ] {
        let problems = configured(any, mapping).map(drop).unwrap_err().to_string();
        assert!(problems.contains("domains: goes with one issuer only"), "{problems}");
    }
    let (house, entra) = beside(any, "preset = 'entra'").await;
    for edov in [json!(null), json!(false), json!("yes")] {
        let said = json!({"email": VICTIM, "email_verified": true, "xms_edov": edov});
        let evil = Issuer::new("https://login.example/evil/v2.0").unwrap();
        let identity = entra.attest(attestation(evil, "mallory", claims(said))).unwrap();
        let outcome = house.jit.handle(Event::sign_in(identity, Context::default())).await.unwrap();
        let Outcome::Denied(denied) = outcome else { panic!("{edov}") };
        assert_eq!(denied.denial.code.as_str(), "link.email_unverified", "{edov}");
    }
}

#[tokio::test]
async fn an_address_that_somebody_has_makes_no_second_account_even_without_a_link_rule() {
    let house = house(vec![
        wire("corp").speaks_for("example.com"),
        wire("other"),
        wire("twin").speaks_for("example.com"),
    ]);
    house.enter(0, "alice-1", verified(VICTIM)).await;
    assert_eq!(house.denied(1, "m", verified(VICTIM)).await, "link.not_authoritative");
    assert_eq!(house.denied(2, "m", verified(VICTIM)).await, "link.proof_required");
    assert_eq!(house.all().await.len(), 1);
}

#[tokio::test]
async fn whoever_registered_a_foreign_address_first_loses_every_way_in_when_the_owner_comes() {
    // Pre-hijacking: the classic-federated merge, the unexpired session, the trojan identifier, the unexpired address
    // change and the issuer that does not verify all live on something that was there before the owner came.
    let house = house(vec![wire("corp").speaks_for("example.com").links_by_email(), wire("other")]);
    let said = json!({"email": VICTIM, "groups": ["editor"], "preferred_username": "trojan"});
    let trojan = house.enter(1, "mallory", said.clone()).await;
    assert_eq!(trojan.account.email.as_ref().unwrap().trust, EmailTrust::Unstated);
    house
        .administer(trojan.account.id, AdminAct::Give { entitlement: role("kept"), ends_at: None })
        .await
        .unwrap();
    let owner = house.enter(0, "alice-1", verified(VICTIM)).await;
    assert_eq!(owner.account.id, trojan.account.id);
    assert_eq!(owner.account.identities.len(), 1, "the earlier identity is cut off");
    assert!(owner.account.credential_epoch > trojan.session.epoch, "sessions, tokens and passwords are void");
    assert_eq!(held_roles(&owner.account), ["role:kept"], "what the earlier connection gave is gone");
    assert!(
        house
            .jit
            .session_account(None, &tenant(), owner.account.id, trojan.session.epoch)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(house.denied(1, "mallory", said).await, "link.email_unverified");
}

#[tokio::test]
async fn an_address_that_its_source_refutes_is_never_kept() {
    let house = house(vec![wire("other")]);
    let entered = house.enter(0, "mallory", json!({"email": VICTIM, "email_verified": false})).await;
    assert_eq!(entered.account.email, None);
    // Nor does it become a user name, which is how a stranger would get the name of somebody of the house.
    let (connection, public) = configured(
        "issuers = ['https://public.example']",
        "email = { claim = 'email', verified = { claim = 'v' } }, user_name = { template = ['{email|local}'] }",
    )
    .unwrap();
    let house =
        house_on(std::sync::Arc::new(MemoryStore::new()), vec![], |builder| builder.connection(connection));
    let said = claims(json!({"email": "root@example.com", "v": false}));
    let event = Event::sign_in(attest(&public, "mallory", said), Context::default());
    let Outcome::SignedIn(entered) = house.jit.handle(event).await.unwrap() else { panic!("let in") };
    assert_eq!((&entered.account.email, &entered.account.user_name), (&None, &None));
}

#[tokio::test]
async fn another_subject_with_a_used_address_is_not_the_same_person() {
    // A recycled mailbox or user principal name: the address is right and proved, the immutable subject is not.
    let (house, alice) = with_alice().await;
    assert_eq!(house.denied(0, "alice-2", verified(VICTIM)).await, "link.subject_changed");
    assert_eq!(house.get(alice).await.identities.len(), 1);
}

#[tokio::test]
async fn several_accounts_with_one_address_link_to_none_of_them() {
    let (house, alice) = with_alice().await;
    let mut twin = house.get(alice).await;
    twin.id = Mint::new(instant("2026-01-01T00:00:00Z"), [9; 16]).account();
    twin.identities.clear();
    twin.user_name = None;
    twin.version = 1;
    let commit = Commit { account: Some(AccountWrite::create(twin)), ..Commit::new(tenant()) };
    house.store.commit(&commit).await.unwrap();
    assert_eq!(house.denied(0, "alice-9", verified(VICTIM)).await, "link.ambiguous");
}

#[tokio::test]
async fn look_alikes_in_case_and_width_are_other_subjects_and_no_addresses() {
    let (house, alice) = with_alice().await;
    for (n, subject) in ["Alice-1", " alice-1", "alice-1 ", "alice\u{2010}1", "ａlice-1"].iter().enumerate()
    {
        let entered = house.enter(0, subject, json!({"email": format!("n{n}@example.com")})).await;
        assert_ne!(entered.account.id, alice, "{subject:?}");
    }
    // An address beyond plain ASCII is no evidence at all, so that it cannot meet Alice's under any normalisation.
    for address in [
        "ａlice@example.com",
        "alice@ｅxample.com",
        "alice\u{ff20}example.com",
        "al\u{131}ce@example.com",
        "\u{212a}@example.com",
    ] {
        let subject = format!("look-alike {address}");
        let entered = house.enter(1, &subject, verified(address)).await;
        assert_eq!(entered.account.email, None, "{address}");
        assert_ne!(entered.account.id, alice);
    }
    // In another case it is the same mailbox: found, and still not linked without proof.
    assert_eq!(house.denied(1, "m", verified("ALICE@Example.COM")).await, "link.not_authoritative");
}

#[tokio::test]
async fn every_character_that_becomes_part_of_an_address_under_normalisation_is_refused() {
    use unicode_normalization::UnicodeNormalization as _;
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-/=?^_`{|}~.@".contains(c);
    let mut seen = 0;
    for c in ('\u{80}'..=char::MAX).filter(|c| !c.is_ascii()) {
        let folded: String = c.nfkc().flat_map(char::to_lowercase).collect();
        let upper: String = c.to_uppercase().collect();
        if folded.chars().all(legal) || upper.is_ascii() || c.to_lowercase().all(|c| c.is_ascii()) {
            seen += 1;
            assert!(EmailAddress::new(&format!("a{c}b@example.com")).is_err(), "{c:?}");
            let domain = EmailAddress::new(&format!("a@e{c}b.com"));
            assert!(domain.is_err() || domain.is_ok_and(|address| address.key().contains("xn--")), "{c:?}");
        }
    }
    assert!(seen >= 1231, "the list of such characters only grows: {seen}");
}

#[tokio::test]
async fn a_domain_that_only_ends_alike_proves_nothing() {
    let house = house(vec![wire("corp").speaks_for("example.com").links_by_email()]);
    for address in ["a@evilexample.com", "a@example.com.evil.org", "a@sub.example.com"] {
        let entered = house.enter(0, address, verified(address)).await;
        assert_eq!(entered.account.email.as_ref().unwrap().trust, EmailTrust::Asserted, "{address}");
    }
}

#[tokio::test]
async fn an_identity_of_another_house_tenant_or_connection_is_foreign() {
    let (house, _) = with_alice().await;
    let twin = support::house(vec![wire("corp").speaks_for("example.com")]);
    let forged = attest(&twin.attestors[0], "alice-1", claims(verified(VICTIM)));
    let error = house.jit.handle(Event::sign_in(forged, Context::default())).await.unwrap_err();
    assert_eq!(error.code().as_str(), "engine.foreign_identity");
    // An attestor vouches for its own issuers only.
    let attestation = attestation(issuer("corp"), "alice-1", Claims::default());
    assert_eq!(
        house.attestors[1].attest(attestation).unwrap_err().code().as_str(),
        "identity.foreign_issuer"
    );
}

#[tokio::test]
async fn the_same_subject_over_another_connection_is_another_person() {
    let (house, alice) = with_alice().await;
    assert_ne!(house.enter(1, "alice-1", json!({})).await.account.id, alice);
}

#[tokio::test]
async fn an_empty_or_transient_subject_is_no_key() {
    assert!(Subject::new("").is_err());
    let (house, _) = with_alice().await;
    let attestation = Attestation {
        stability: Stability::Transient,
        ..attestation(issuer("corp"), "_session-123", Claims::default())
    };
    assert_eq!(
        house.attestors[0].attest(attestation).unwrap_err().code().as_str(),
        "identity.transient_subject"
    );
}

#[tokio::test]
async fn a_user_name_in_the_form_of_a_foreign_address_is_refused() {
    // Mixing of the two name spaces: Mallory's user name is the address by which Alice is known.
    let (house, _) = with_alice().await;
    assert_eq!(house.denied(1, "m", json!({"preferred_username": VICTIM})).await, "name.not_own_address");
    let own =
        json!({"email": "bob@example.com", "email_verified": true, "preferred_username": "Bob@example.com"});
    assert_eq!(house.enter(0, "bob", own).await.account.user_name.as_ref().unwrap().key(), "bob@example.com");
}

#[tokio::test]
async fn a_cut_list_of_groups_takes_no_access_away() {
    let house = house(vec![wire("corp")]);
    house.enter(0, "s1", json!({"groups": ["editor"]})).await;
    let overage = claims(json!({"_claim_names": {"groups": "src1"}})).truncated("groups");
    let event = Event::sign_in(attest(&house.attestors[0], "s1", overage), Context::default());
    let Outcome::SignedIn(kept) = house.jit.handle(event).await.unwrap() else { panic!("signed in") };
    assert_eq!(held_roles(&kept.account), ["role:editor"]);
}

#[tokio::test]
async fn no_sign_in_revives_an_account_that_was_stopped_or_ended() {
    for (act, code) in [
        (AdminAct::Suspend, "account.suspended"),
        (AdminAct::Disable, "account.disabled"),
        (AdminAct::End, "account.ended"),
    ] {
        let (house, alice) = with_alice().await;
        house.administer(alice, act.clone()).await.unwrap();
        assert_eq!(house.denied(0, "alice-1", verified(VICTIM)).await, code);
        assert_eq!(house.denied(0, "alice-2", verified(VICTIM)).await, code, "nor by its address");
        assert_eq!(house.all().await.len(), 1);
        let back = house.administer(alice, AdminAct::Reactivate).await;
        if act == AdminAct::End {
            assert_eq!(back.unwrap_err().code.as_str(), "account.ended");
        } else {
            back.unwrap();
            assert_eq!(house.enter(0, "alice-1", verified(VICTIM)).await.account.id, alice);
        }
    }
}

#[tokio::test]
async fn a_connection_grants_nothing_above_its_ceiling() {
    let protection = Protection::new()
        .protect(role("admin"))
        .includes(role("bundle"), vec![role("editor"), role("admin")]);
    let house = house_on(
        std::sync::Arc::new(MemoryStore::new()),
        vec![wire("corp"), wire("narrow").ceiling(&["role:reader"]), wire("named").ceiling(&["role:admin"])],
        |builder| builder.protection(protection),
    );
    let said = json!({"groups": ["admin", "bundle", "editor", "reader"]});
    let wide = house.enter(0, "s1", said.clone()).await;
    assert_eq!(
        held_roles(&wide.account),
        ["role:editor", "role:reader"],
        "a pattern reaches no protected role"
    );
    let refused: Vec<_> = wide.plan.refusals.iter().map(|refusal| refusal.wish.as_str()).collect();
    assert_eq!(refused, ["role:admin", "role:bundle"], "nor a role that brings one");
    assert_eq!(held_roles(&house.enter(1, "s1", said.clone()).await.account), ["role:reader"]);
    assert_eq!(held_roles(&house.enter(2, "s1", said).await.account), ["role:admin"]);
}

#[tokio::test]
async fn the_last_administrator_stays_whatever_the_source_says() {
    let house = house_on(
        std::sync::Arc::new(MemoryStore::new()),
        vec![wire("corp").ceiling(&["role:admin"]).decides(|_| {
            let idle_limit = Some(chrono::TimeDelta::days(90));
            Decision::Permit(Permit { idle_limit, ..Permit::default() })
        })],
        |builder| builder.protection(Protection::new().never_without(role("admin"))),
    );
    let first = house.enter(0, "a", json!({"groups": ["admin"]})).await.account.id;
    let second = house.enter(0, "b", json!({"groups": ["admin"]})).await.account.id;
    assert!(held_roles(&house.enter(0, "a", json!({"groups": []})).await.account).is_empty());
    let kept = house.enter(0, "b", json!({"groups": []})).await;
    assert_eq!(held_roles(&kept.account), ["role:admin"]);
    assert_eq!(kept.plan.refusals[0].code.as_str(), "access.last_holder");
    for act in [AdminAct::Disable, AdminAct::End] {
        assert_eq!(house.administer(second, act).await.unwrap_err().code.as_str(), "access.last_holder");
    }
    house.administer(first, AdminAct::Give { entitlement: role("admin"), ends_at: None }).await.unwrap();
    house.administer(second, AdminAct::Disable).await.unwrap();
}

#[tokio::test]
async fn a_proof_for_a_link_counts_for_one_sign_in_one_account_and_once() {
    let with_proof = |id: &str| {
        wire(id).links_by(LinkBy::Email(MailLink::AfterProof)).decides(|_| hold(&[Ask::LinkProof]))
    };
    let house = house(vec![wire("corp").speaks_for("example.com"), with_proof("other"), with_proof("evil")]);
    let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account.id;
    let bob = house.enter(0, "bob-1", verified("bob@example.com")).await.account.id;
    let mine = house.held(1, "alice-at-other", verified(VICTIM)).await.ticket.unwrap();
    let theirs = house.held(2, "mallory", verified(VICTIM)).await.ticket.unwrap();
    let mail = house.jit.offer_mail_proof(&mine).await.unwrap();
    assert_eq!(mail.to.as_str(), VICTIM, "to the stored address, never to the claimed one");
    let refused = |result: Result<Outcome, JitError>| {
        assert_eq!(result.unwrap_err().code().as_str(), "hold.proof_refused");
    };
    let by_mail = |token: &str| Reply { link: Some(LinkAnswer::Mail(token.into())), ..Reply::default() };
    refused(house.jit.answer(&theirs, by_mail(&mail.token)).await);
    refused(house.jit.answer(&mine, by_mail("a guess")).await);
    // The ticket was spent by the guess, and the token with it; the person begins anew.
    let spent = house.jit.answer(&mine, by_mail(&mail.token)).await.unwrap_err();
    assert_eq!(spent.code().as_str(), "hold.unknown_ticket");
    let mine = house.held(1, "alice-at-other", verified(VICTIM)).await.ticket.unwrap();
    refused(house.jit.answer(&mine, by_mail(&mail.token)).await);
    let mine = house.held(1, "alice-at-other", verified(VICTIM)).await.ticket.unwrap();
    refused(
        house
            .jit
            .answer(
                &mine,
                Reply { link: Some(LinkAnswer::DangerouslyReauthenticated(bob)), ..Reply::default() },
            )
            .await,
    );
    let mine = house.held(1, "alice-at-other", verified(VICTIM)).await.ticket.unwrap();
    let bobs = attest(&house.attestors[0], "bob-1", claims(verified("bob@example.com")));
    refused(
        house
            .jit
            .answer(
                &mine,
                Reply { link: Some(LinkAnswer::OtherIdentity(Box::new(bobs))), ..Reply::default() },
            )
            .await,
    );
    let mine = house.held(1, "alice-at-other", verified(VICTIM)).await.ticket.unwrap();
    let own = attest(&house.attestors[0], "alice-1", claims(verified(VICTIM)));
    let reply = Reply { link: Some(LinkAnswer::OtherIdentity(Box::new(own))), ..Reply::default() };
    let Outcome::SignedIn(linked) = house.jit.answer(&mine, reply).await.unwrap() else { panic!("linked") };
    assert_eq!((linked.account.id, linked.account.identities.len()), (alice, 2));
}

#[tokio::test]
async fn a_mailed_proof_dies_when_the_identities_change() {
    let other =
        wire("other").links_by(LinkBy::Email(MailLink::AfterProof)).decides(|_| hold(&[Ask::LinkProof]));
    let house = house(vec![wire("corp").speaks_for("example.com"), other]);
    let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let mail = house.jit.offer_mail_proof(&ticket).await.unwrap();
    house.administer(alice.id, AdminAct::Unlink(alice.identities[0].key.clone())).await.unwrap();
    let reply = Reply { link: Some(LinkAnswer::Mail(mail.token)), ..Reply::default() };
    assert_eq!(house.jit.answer(&ticket, reply).await.unwrap_err().code().as_str(), "hold.proof_refused");
}

#[tokio::test]
async fn a_mailed_proof_links_and_its_owner_is_told() {
    let other =
        wire("other").links_by(LinkBy::Email(MailLink::AfterProof)).decides(|_| hold(&[Ask::LinkProof]));
    let house = house(vec![wire("corp").speaks_for("example.com"), other]);
    let alice = house.enter(0, "alice-1", verified(VICTIM)).await.account;
    let ticket = house.held(1, "a", verified(VICTIM)).await.ticket.unwrap();
    let mail = house.jit.offer_mail_proof(&ticket).await.unwrap();
    let reply = Reply { link: Some(LinkAnswer::Mail(mail.token)), ..Reply::default() };
    let Outcome::SignedIn(linked) = house.jit.answer(&ticket, reply).await.unwrap() else { panic!("linked") };
    assert_eq!(linked.account.id, alice.id);
    assert_eq!(linked.account.identities[1].proof, LinkProof::Mail);
    assert_eq!(linked.account.credential_epoch, 0, "the owner was proved before: nothing ends");
}

#[tokio::test]
async fn seats_are_counted_for_every_way_in() {
    let house = house_on(std::sync::Arc::new(MemoryStore::new()), vec![wire("corp")], |builder| {
        builder.protection(Protection::new().seats(2))
    });
    let first = house.enter(0, "a", json!({})).await.account.id;
    house.enter(0, "b", json!({})).await;
    assert_eq!(house.denied(0, "c", json!({})).await, "account.no_seat");
    house.administer(first, AdminAct::End).await.unwrap();
    house.enter(0, "c", json!({})).await;
}
