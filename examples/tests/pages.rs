//! Renders every page from sample views and checks what no page may get wrong.

use std::path::PathBuf;

use jit_examples::portal::pages;
use jit_examples::portal::view::{
    AccessView, AccountAct, AccountRef, AccountRow, AccountView, AdminView, ApprovalRow, AttributeRow,
    AuditRow, AuditView, BackLink, Badge, ChangeRow, CompareRow, ConnectionCard, DecisionView, EmailRow,
    Fact, Frame, GrantRow, GrantedView, GuestView, IdentityRow, LeaseRow, LeasesView, LeaverRow, MeView,
    NotDoneView, OfferRow, OnwardView, PlanView, QuestionView, RefusalView, RuleMark, RuleRow, SignInView,
    SignOutView, StageView, Tone, TroubleView, Visitor, WaitingView,
};

const HOSTILE: &str = "<script>alert(1)</script>\"'&";

fn badge(text: &str, tone: Tone) -> Badge {
    Badge { text: text.into(), tone }
}

fn fact(name: &str, value: &str) -> Fact {
    Fact { name: name.into(), value: value.into() }
}

fn frame() -> Frame {
    let visitor = Visitor { name: "Alice Example".into(), is_admin: true, csrf: "token".into() };
    Frame { visitor: Some(visitor), guest: None, demo: true, lends: true }
}

fn rule(id: &str, mark: RuleMark, why: &str) -> RuleRow {
    RuleRow { id: id.into(), mark, why: why.into() }
}

fn decision(text: &str, tone: Tone) -> DecisionView {
    DecisionView {
        outcome: badge(text, tone),
        facts: vec![fact("Session limit", "8 hours"), fact("Ceiling", "engineer, seller, admin")],
        stages: vec![
            StageView {
                title: "Mapping".into(),
                rules: vec![rule("department", RuleMark::Passed, "from claim `department`")],
            },
            StageView {
                title: "Policy".into(),
                rules: vec![
                    rule("contractors", RuleMark::Skipped, "claim `employment` is another"),
                    rule("acme-people", RuleMark::Decided, "the domain is verified"),
                    rule("everybody-else", RuleMark::NotAsked, ""),
                ],
            },
        ],
    }
}

fn not_done(back: &str) -> NotDoneView {
    NotDoneView {
        title: "Not checked out".into(),
        asked: format!("You asked for `{HOSTILE}` at `workshop`, for 9 hours."),
        code: "lease.not_entitled".into(),
        reason: HOSTILE.into(),
        advice: "Ask for less.".into(),
        is_about_holdings: true,
        back: BackLink { address: back.into(), label: HOSTILE.into() },
    }
}

fn onward() -> OnwardView {
    OnwardView {
        label: HOSTILE.into(),
        action: "https://idp.example/sso".into(),
        fields: vec![("SAMLRequest", HOSTILE.into()), ("RelayState", "handle".into())],
    }
}

fn account() -> AccountView {
    let attribute = |name: &str, value: &str| AttributeRow {
        name: name.into(),
        value: value.into(),
        source: "demo, forced".into(),
    };
    let grant = |entitlement: &str, until: Option<&str>| GrantRow {
        entitlement: entitlement.into(),
        source: "connection demo".into(),
        rule: "acme-engineering".into(),
        since: "2026-11-21 09:00".into(),
        until: until.map(Into::into),
    };
    AccountView {
        display_name: "Alice Example".into(),
        user_name: "alice".into(),
        id: "0192f0c1-1111-7aaa-8bbb-123456789abc".into(),
        tenant: "acme".into(),
        state: badge("active", Tone::Good),
        dates: vec![fact("Since", "2026-11-21 09:00"), fact("Ends", "no end"), fact("Last seen", "just now")],
        identities: vec![IdentityRow {
            connection: "Acme demo identity provider".into(),
            issuer: "http://127.0.0.1:8081".into(),
            subject: "acme|alice".into(),
            proof: "it was made by this identity".into(),
        }],
        emails: vec![EmailRow {
            address: "alice@acme.example".into(),
            evidence: badge("verified by the domain's own provider", Tone::Good),
        }],
        attributes: vec![attribute("display_name", "Alice Example"), attribute("department", "engineering")],
        grants: vec![grant("engineer", None), grant("admin", Some("ends 2027-02-01"))],
    }
}

fn me(changes: Vec<ChangeRow>) -> MeView {
    let decision = decision("permitted", Tone::Good);
    let refusals =
        vec![ChangeRow { what: "role:root".into(), reason: "above what the connection may give".into() }];
    let plan = PlanView { changes, refusals };
    MeView { account: account(), decision, plan, session_ends: "2026-11-21 17:00 UTC".into() }
}

fn question(problem: Option<&str>) -> QuestionView {
    QuestionView {
        csrf: "token".into(),
        name: "Ned Newcomer".into(),
        terms: "house-rules".into(),
        suggestion: "ned.newcomer".into(),
        ways: vec![card()],
        problem: problem.map(Into::into),
        decision: decision("held", Tone::Caution),
    }
}

fn sign_in(trouble: Option<&str>) -> SignInView {
    SignInView {
        action: "/login/staff".into(),
        label: HOSTILE.into(),
        csrf: "token".into(),
        prove: Some("hold".into()),
        user_name: HOSTILE.into(),
        trouble: trouble.map(|reason| TroubleView {
            reason: reason.into(),
            code: "ldap.sign_in_refused".into(),
            is_about_the_answer: true,
        }),
    }
}

fn lease(phase: &str, is_in_use: bool) -> LeaseRow {
    LeaseRow {
        id: format!("lease-{phase}"),
        holder: HOSTILE.into(),
        target: "ad".into(),
        role: "operator".into(),
        name: "jit-abc".into(),
        lends: None,
        phase: badge(phase, Tone::Good),
        reason: HOSTILE.into(),
        until: "2026-11-21 12:30 UTC".into(),
        until_exact: "2026-11-21T12:30:00Z".into(),
        left: is_in_use.then(|| "29 minutes left".into()),
        proof: "present, 1 minute ago".into(),
        spans: if is_in_use { vec!["1h", "2h"] } else { vec![] },
        is_in_use,
        is_served: phase != "ending",
        is_quarantined: phase == "quarantined",
        store: String::new(),
    }
}

fn access() -> AccessView {
    let offer = |role: &str| OfferRow {
        target: "ad".into(),
        role: role.into(),
        entitlements: HOSTILE.into(),
        privileged: true,
        spans: vec!["15m", "30m", "1h"],
        account: (role == HOSTILE).then(|| HOSTILE.into()),
        demo: true,
    };
    let lifted = LeaseRow { lends: Some(HOSTILE.into()), ..lease("ending", false) };
    let leases = vec![lease("active", true), lifted];
    let offers = vec![offer("operator"), offer(HOSTILE)];
    AccessView { offers, leases, unreadable: vec![HOSTILE.into()], has_more: true, key: "key".into() }
}

fn granted() -> GrantedView {
    GrantedView {
        target: "ad".into(),
        name: "jit-abc".into(),
        secret: Some("a-Secret_of-24-signs-12".into()),
        entitlements: String::new(),
        until: "2026-11-21 12:30 UTC".into(),
        until_exact: "2026-11-21T12:30:00Z".into(),
        left: "29 minutes left".into(),
        ender: "The target refuses it from its end on.".to_owned(),
        sessions_survive: true,
    }
}

fn elevated() -> GrantedView {
    GrantedView { name: HOSTILE.into(), secret: None, entitlements: HOSTILE.into(), ..granted() }
}

fn leases() -> LeasesView {
    let compared = CompareRow {
        target: "ad".into(),
        verdict: badge("differs", Tone::Bad),
        found: vec!["3 of ours were seen.".into(), HOSTILE.into()],
    };
    LeasesView {
        leases: vec![
            lease("active", true),
            LeaseRow { lends: Some(HOSTILE.into()), ..lease("ending", false) },
            lease("quarantined", false),
        ],
        unreadable: Vec::new(),
        has_more: true,
        compared: vec![compared],
        comparison: "A comparison runs since 2026-11-21 12:00 UTC.".into(),
        is_comparing: true,
    }
}

fn account_ref() -> AccountRef {
    AccountRef { account: "0192f0c1-1111-7aaa-8bbb-123456789abc".into(), store: "partners".into() }
}

fn card() -> ConnectionCard {
    ConnectionCard { id: "demo".into(), label: "Acme demo".into(), issuer: "http://127.0.0.1:8081".into() }
}

fn admin() -> AdminView {
    AdminView {
        waiting: vec![ApprovalRow {
            account: account_ref(),
            name: "Pat Pending".into(),
            email: "pat@acme.example".into(),
            connection: "demo".into(),
            since: "2026-11-21 09:00".into(),
            rule: "finance-needs-approval".into(),
        }],
        more_waiting: true,
        leaving: vec![LeaverRow {
            account: account_ref(),
            name: HOSTILE.into(),
            user_name: "ada".into(),
            leaves: vec!["removal for good, said over hr at 2026-11-21 09:00".into()],
            seen: "[{\"presence\":\"gone\"}]".into(),
            grants: "engineer".into(),
        }],
        more_leaving: true,
        accounts: vec![AccountRow {
            account: account_ref(),
            act: Some(AccountAct::Suspend),
            user_name: "alice".into(),
            display_name: "Alice Example".into(),
            state: badge("active", Tone::Good),
            grants: "engineer, admin".into(),
        }],
        next: Some("?after=0192f0c1-1111-7aaa-8bbb-123456789abc".into()),
        ..AdminView::default()
    }
}

/// A page behind the first one, or what was found: nobody who waits is on it.
fn admin_later(sought: &str) -> AdminView {
    AdminView {
        is_later: true,
        sought: sought.into(),
        place: "?after=7&store=partners".into(),
        next: None,
        ..admin()
    }
}

fn trail(is_own: bool) -> AuditView {
    let row = AuditRow {
        at: "2026-11-21 09:00:00".into(),
        at_exact: "2026-11-21T09:00:00Z".into(),
        words: format!("Checked out `{HOSTILE}`"),
        action: "lease.active".into(),
        outcome: badge("permitted", Tone::Good),
        actor: "connection demo".into(),
        account: "alice".into(),
        detail: "rule acme-people; account created, 2 grants".into(),
    };
    AuditView { rows: vec![row.clone(), AuditRow { words: String::new(), ..row }], is_own }
}

fn every_page() -> Vec<(&'static str, String)> {
    let frame = frame();
    let changes = vec![
        ChangeRow {
            what: "Create the account alice".into(),
            reason: "first sign-in of this identity".into(),
        },
        ChangeRow { what: "Grant engineer".into(), reason: "group acme-engineering".into() },
    ];
    let refusal = RefusalView {
        code: "policy.domain_not_allowed".into(),
        reason: "Your address is of a domain that is not allowed here.".into(),
        advice: "Ask the administrators of Acme to allow your domain.".into(),
        anew: Some("/login/acme".into()),
        decision: Some(decision("denied", Tone::Bad)),
    };
    let waiting = WaitingView { name: "Pat Pending".into(), decision: decision("held", Tone::Caution) };
    let stranger = Frame { visitor: None, guest: None, demo: true, lends: false };
    let guest = GuestView { name: HOSTILE.into(), csrf: Some("token".into()) };
    let waits = Frame { guest: Some(GuestView { csrf: None, ..guest.clone() }), ..stranger.clone() };
    let held = Frame { guest: Some(guest), ..stranger.clone() };
    [
        ("home", pages::home(&stranger, &[card()])),
        ("account", pages::account(&frame, &me(changes))),
        ("account-again", pages::account(&frame, &me(vec![]))),
        ("audit", pages::audit(&frame, &trail(false))),
        ("audit-own", pages::audit(&frame, &trail(true))),
        ("home-held", pages::home(&held, &[card()])),
        (
            "sign-in",
            pages::sign_in(&stranger, &SignInView { action: "/login/x".into(), ..SignInView::default() }),
        ),
        ("sign-in-again", pages::sign_in(&stranger, &sign_in(Some(HOSTILE)))),
        ("refused", pages::refused(&stranger, &refusal)),
        ("waiting", pages::waiting(&waits, &waiting)),
        ("consent", pages::consent(&held, &question(None))),
        ("password", pages::choose_password(&held, &question(Some("too short")))),
        ("link-proof", pages::prove_link(&held, &question(None))),
        ("user-name", pages::choose_user_name(&held, &question(Some("`ned` is taken")))),
        ("admin", pages::admin(&frame, &admin())),
        ("admin-later", pages::admin(&frame, &admin_later(""))),
        ("admin-found", pages::admin(&frame, &admin_later(HOSTILE))),
        (
            "signed-out",
            pages::signed_out(&stranger, &SignOutView::Link { label: HOSTILE.into(), address: "/".into() }),
        ),
        ("access", pages::access(&frame, &access())),
        ("access-none", pages::access(&frame, &AccessView::default())),
        ("granted", pages::granted(&frame, &granted())),
        ("elevated", pages::granted(&frame, &elevated())),
        ("leases", pages::leases(&frame, &leases())),
        ("leases-none", pages::leases(&frame, &LeasesView::default())),
        ("signed-out-form", pages::signed_out(&stranger, &SignOutView::Form(onward()))),
        ("go-on", pages::go_on(&stranger, &onward())),
        ("problem", pages::problem(&stranger, "Not found", "There is no such page.", &not_done("/").back)),
        ("not-done", pages::not_done(&frame, &not_done("/access"))),
    ]
    .map(|(name, page)| (name, page.into_string()))
    .into()
}

#[test]
fn every_page_has_one_heading_and_obeys_the_content_policy() {
    let shelf = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("pages");
    std::fs::create_dir_all(&shelf).unwrap();
    std::fs::write(shelf.join("style.css"), include_str!("../src/portal/style.css")).unwrap();
    for (name, page) in every_page() {
        assert_eq!(page.matches("<h1").count(), 1, "{name} has one first heading");
        assert_eq!(page.matches("<main").count(), 1, "{name} has one main landmark");
        assert!(page.contains("<html lang=\"en\">"), "{name} names its language");
        // One script there is, and it comes from a file of the portal.
        let page_without_countdown = page.replace("<script src=\"/countdown.js\" defer></script>", "");
        for forbidden in
            ["<script", "<style", " style=", " onclick=", " onload=", " onsubmit=", "javascript:"]
        {
            assert!(!page_without_countdown.contains(forbidden), "{name} holds {forbidden}");
        }
        assert_eq!(
            page.matches("method=\"post\" action=\"/").count(),
            page.matches("name=\"csrf\"").count(),
            "each form of {name} to the portal itself carries the token"
        );
        std::fs::write(shelf.join(format!("{name}.html")), page).unwrap();
    }
}

#[test]
fn an_administrator_decides_leaves_that_wait() {
    let page = pages::admin(&frame(), &admin()).into_string();
    for shown in [
        "Waiting to leave",
        "removal for good, said over hr",
        "value=\"confirm_leave\"",
        "value=\"dismiss_leave\"",
        // The form names what the page shows, so that nothing else is decided.
        "name=\"seen\" value=\"[{&quot;presence&quot;:&quot;gone&quot;}]\"",
    ] {
        assert!(page.contains(shown), "{shown}");
    }
    assert!(!page.contains("<script"));
    assert!(page.contains("More leaves wait") && page.contains("confirm-leave --all --connection"));
    let all = AdminView { more_leaving: false, ..admin() };
    assert!(!pages::admin(&frame(), &all).into_string().contains("More leaves wait"));
    let nobody = AdminView { leaving: Vec::new(), ..admin() };
    assert!(!pages::admin(&frame(), &nobody).into_string().contains("Waiting to leave"));
}

#[test]
fn an_administrator_reaches_every_account_and_learns_of_those_who_are_not_shown() {
    let first = pages::admin(&frame(), &admin()).into_string();
    assert!(first.contains("href=\"/admin?after=0192f0c1-1111-7aaa-8bbb-123456789abc\" rel=\"next\""));
    assert!(first.contains("More people wait") && !first.contains("First page"));
    let later = pages::admin(&frame(), &admin_later("")).into_string();
    assert!(later.contains("First page") && !later.contains("Next page"));
    assert!(!later.contains("Waiting for approval") && !later.contains("Waiting to leave"));
    assert!(
        later.contains("action=\"/admin/decide?after=7&amp;store=partners\""),
        "whoever decides comes back to this page"
    );
    let nobody = AdminView { accounts: Vec::new(), ..admin_later(HOSTILE) };
    let found = pages::admin(&frame(), &nobody).into_string();
    assert!(found.contains("Nobody has this user name or id.") && found.contains("value=\"&lt;script"));
    let lent = AdminView { accounts: Vec::new(), ..admin() };
    assert!(pages::admin(&frame(), &lent).into_string().contains("nothing but what is lent"));
    let few = AdminView { next: None, more_waiting: false, ..admin() };
    let few = pages::admin(&frame(), &few).into_string();
    assert!(!few.contains("aria-label=\"Pages\"") && !few.contains("More people wait"));
}

#[test]
fn nothing_from_outside_becomes_markup() {
    let mut view = me(vec![ChangeRow { what: HOSTILE.into(), reason: HOSTILE.into() }]);
    view.account.display_name = HOSTILE.into();
    view.account.attributes =
        vec![AttributeRow { name: HOSTILE.into(), value: HOSTILE.into(), source: HOSTILE.into() }];
    let page = pages::account(&frame(), &view).into_string();
    assert!(!page.contains("<script"));
    let asked = QuestionView { suggestion: HOSTILE.into(), ..question(Some(HOSTILE)) };
    let page = pages::choose_user_name(&frame(), &asked).into_string();
    assert!(!page.contains("<script") && page.contains("value=\"&lt;script"));
}

#[test]
fn the_form_for_a_password_keeps_the_name_and_says_what_was_wrong_of_both_fields_alike() {
    let page = pages::sign_in(&frame(), &sign_in(Some("the name or the password"))).into_string();
    assert!(!page.contains("<script") && page.contains("value=\"&lt;script"));
    assert_eq!(page.matches("aria-describedby=\"trouble\"").count(), 2);
    assert_eq!(page.matches("aria-invalid=\"true\"").count(), 2, "nobody learns which of them it was");
    let (_, password) = page.split_once("type=\"password\"").unwrap();
    assert!(!password.split('>').next().unwrap().contains("value"), "a password is never filled in");
}

#[test]
fn an_administrator_extends_and_ends_leases_where_they_are_kept_and_learns_of_those_not_shown() {
    let page = pages::leases(&frame(), &leases()).into_string();
    assert!(page.contains("action=\"/leases/end\"") && page.contains("action=\"/leases/extend\""));
    assert!(!page.contains("/access/in") && !page.contains("/access/extend"));
    assert!(page.contains("There are more leases"));
    assert_eq!(page.matches("This target is not configured").count(), 1);
}

#[test]
fn while_targets_are_compared_the_page_says_so_and_offers_no_other_comparison() {
    let running = pages::leases(&frame(), &leases()).into_string();
    assert!(running.contains("A comparison runs since") && running.contains("Look again"));
    assert!(!running.contains("/leases/compare"));
    let done = LeasesView { comparison: "Compared at 12:00.".into(), is_comparing: false, ..leases() };
    let done = pages::leases(&frame(), &done).into_string();
    assert!(done.contains("Compared at 12:00.") && done.contains("action=\"/leases/compare\""));
}

#[test]
fn an_empty_plan_says_that_nothing_changes() {
    let page = pages::account(&frame(), &me(vec![])).into_string();
    assert!(page.contains("Nothing to change"));
}

#[test]
fn the_user_name_field_names_its_trouble() {
    let page = pages::choose_user_name(&frame(), &question(Some("`ned` is taken"))).into_string();
    assert!(page.contains("aria-describedby=\"trouble\"") && page.contains("id=\"trouble\""));
}
