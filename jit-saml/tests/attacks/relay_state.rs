//! `RelayState` names a sign-in and nothing else: no address in it is ever gone to.

use std::sync::Arc;

use jit_core::{ConnectionId, ManualClock, MemoryStore, SystemEntropy, TenantId};
use jit_saml::base64_text::encode;
use jit_saml::binding::{Outbound, RedirectMessage};
use jit_saml::crypto::AwsLc;
use jit_saml::idp::FixedIdps;
use jit_saml::{Begin, Departure, Environment, Login, ResponseForm, SamlSettings, StateKeeper};

use crate::support::{ACS, Draft, IDP, SP, now, trusted};
use crate::table::Family;

fn login(store: &Arc<MemoryStore>, tenant: &str, connection: &str) -> Login {
    let mut settings = SamlSettings::new(SP, ACS);
    settings.dangerous.accept_unsolicited = true;
    let environment = Environment {
        idps: Arc::new(FixedIdps::one(trusted())),
        crypto: Arc::new(AwsLc),
        clock: Arc::new(ManualClock::at(now())),
        entropy: Arc::new(SystemEntropy),
        keeper: StateKeeper::one_time(store.clone(), TenantId::new(tenant).unwrap()),
    };
    Login::new(ConnectionId::new(connection).unwrap(), settings.check().unwrap(), environment)
}

/// The handle of a sign-in, the cookie of its browser and the answer of the provider.
async fn begun(login: &Login) -> (String, String, String) {
    let mut begin = Begin::at(IDP);
    begin.return_to = Some("/reports".to_owned());
    let Departure { outbound, cookie, .. } = login.begin(begin).await.unwrap();
    let Outbound::Redirect(address) = outbound else { panic!("a redirect") };
    let message = RedirectMessage::from_query(address.split_once('?').unwrap().1).unwrap();
    let xml = String::from_utf8(message.xml().to_vec()).unwrap();
    let id = xml.split_once(" ID=\"").unwrap().1.split_once('"').unwrap().0.to_owned();
    let answered = format!("InResponseTo=\"{id}\"");
    let draft = Draft::new().response("InResponseTo=\"_request1\"", &answered);
    let draft = draft.assertion("InResponseTo=\"_request1\"", &answered).assertion("_session1", &id);
    (
        message.relay_state().unwrap().to_owned(),
        format!("{}={}", cookie.name(), cookie.value()),
        draft.signed(),
    )
}

async fn outcome(login: &Login, xml: &str, state: &str, cookie: &str) -> String {
    let form = match ResponseForm::new(&encode(xml.as_bytes()), Some(state)) {
        Ok(form) => form,
        Err(rejection) => return rejection.code().to_owned(),
    };
    match login.finish(&form, Some(cookie)).await {
        Ok(done) => done.return_to().unwrap_or_default().to_owned(),
        Err(error) => error.code().to_string(),
    }
}

#[tokio::test]
async fn addresses_and_tricks_are_no_handles() {
    let mut family = Family::new("RelayState");
    let login = login(&Arc::new(MemoryStore::new()), "acme", "corp");
    let (handle, cookie, xml) = begun(&login).await;
    for state in [
        "https://evil.example/",
        "http://evil.example",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\\\evil.example",
        "/%2f%2fevil.example",
        "/%5cevil.example",
        "https:evil.example",
        "https:/evil.example",
        "https:\\\\evil.example",
        "HTTPS://EVIL.EXAMPLE",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "\tjavascript:alert(1)",
        "data:text/html,x",
        "vbscript:x",
        "file:///etc/passwd",
        "blob:x",
        "/reports@evil.example",
        "https://sp.example.com@evil.example/",
        "https://sp.example.com.evil.example/",
        "https://evil.example/?https://sp.example.com",
        "https://evil.example#sp.example.com",
        "https://sp.example.com%00.evil.example",
        "https://sp.example.com\u{3002}evil.example",
        "/reports\r\nSet-Cookie: a=b",
        "/reports\u{0}",
        "../../admin",
        "/..//evil.example",
        ".evil.example",
        "?next=//evil.example",
        "\u{202e}https://evil.example",
        "\" onload=\"alert(1)",
        "<script>alert(1)</script>",
        "' or '1'='1",
        "%00",
        "*",
    ] {
        family.expect(state, &outcome(&login, &xml, state, &cookie).await, "saml.state_not_this_browser");
    }
    let prefix = &handle[..12];
    for (name, state) in [
        ("the part that the cookie names", prefix.to_owned()),
        ("another end", format!("{prefix}{}", "A".repeat(handle.len() - 12))),
        ("an octet more", format!("{handle}A")),
        ("an octet less", handle[..handle.len() - 1].to_owned()),
        ("a space behind", format!("{handle} ")),
    ] {
        family.expect(name, &outcome(&login, &xml, &state, &cookie).await, "saml.state_unknown");
    }
    for (name, state, code) in [
        ("none", String::new(), "saml.relay_state_missing"),
        ("81 octets", "a".repeat(81), "saml.relay_state_too_long"),
        ("a megabyte", "a".repeat(1 << 20), "saml.relay_state_too_long"),
        ("80 octets in fewer characters", "\u{e9}".repeat(41), "saml.relay_state_too_long"),
    ] {
        family.expect(name, &outcome(&login, &xml, &state, &cookie).await, code);
    }
    // after all of that the sign-in is still there, and its return address is the one that was kept here
    family.expect("the handle", &outcome(&login, &xml, &handle, &cookie).await, "/reports");
    family.expect("the handle again", &outcome(&login, &xml, &handle, &cookie).await, "saml.state_unknown");
    // where nobody asked, it leads nowhere either
    let answer = " InResponseTo=\"_request1\"";
    let unasked =
        Draft::new().response(answer, "").assertion(answer, "").assertion("_assertion1", "_assertion9");
    let unasked =
        jit_saml::signature::sign_enveloped(&unasked.assertion, "_assertion9", crate::support::key(), None);
    let unasked = Draft::new().response(answer, "").with(&unasked.unwrap());
    let form = ResponseForm::new(&encode(unasked.as_bytes()), Some("https://evil.example/")).unwrap();
    let done = login.finish_unsolicited(&form).await.unwrap();
    family.expect("an address where nobody asked", done.return_to().unwrap_or("nowhere"), "nowhere");
    family.end(51);
}

#[tokio::test]
async fn a_sign_in_belongs_to_one_tenant_connection_and_browser() {
    let mut family = Family::new("sign-in");
    let store = Arc::new(MemoryStore::new());
    let (ours, theirs) = (login(&store, "acme", "corp"), login(&store, "umbrella", "corp"));
    let neighbour = login(&store, "acme", "other");
    let (handle, cookie, xml) = begun(&ours).await;
    let (other_handle, other_cookie, other_xml) = begun(&ours).await;
    let found = outcome(&theirs, &xml, &handle, &cookie).await;
    family.expect("another tenant", &found, "saml.state_unknown");
    family.expect(
        "another connection",
        &outcome(&neighbour, &xml, &handle, &cookie).await,
        "saml.state_unknown",
    );
    family.expect(
        "another browser",
        &outcome(&ours, &xml, &handle, &other_cookie).await,
        "saml.state_not_this_browser",
    );
    family.expect("no cookie", &outcome(&ours, &xml, &handle, "").await, "saml.state_not_this_browser");
    let named = cookie.split_once('=').unwrap().0;
    for value in ["", "x", "\"\"", "deleted"] {
        let cookie = format!("{named}={value}");
        family.expect(
            &format!("cookie {value}"),
            &outcome(&ours, &xml, &handle, &cookie).await,
            "saml.state_unknown",
        );
    }
    let unprefixed = cookie.replace("__Host-", "");
    family.expect(
        "a planted cookie",
        &outcome(&ours, &xml, &handle, &unprefixed).await,
        "saml.state_not_this_browser",
    );
    let swapped = outcome(&ours, &xml, &other_handle, &other_cookie).await;
    family.expect("the answer to another sign-in", &swapped, "saml.in_response_to_mismatch");
    family.expect(
        "that sign-in afterwards",
        &outcome(&ours, &other_xml, &other_handle, &other_cookie).await,
        "saml.state_unknown",
    );
    family.expect("the true one", &outcome(&ours, &xml, &handle, &cookie).await, "/reports");
    let (handle, cookie, xml) = begun(&ours).await;
    family.expect(
        "an assertion that was used, in another answer",
        &outcome(&ours, &xml, &handle, &cookie).await,
        "saml.replayed",
    );
    family.end(13);
}
