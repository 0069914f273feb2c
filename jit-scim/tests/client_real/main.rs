//! The client against real servers: scim2-server (Python), SCIMMY (JavaScript), and the one of this crate.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that cannot go on fails"
)]

mod checks;
mod ours;
mod peer;

macro_rules! checks {
    ($peer:ident, $program:literal, [$($check:ident)+]) => {
        mod $peer {
            $(
                #[tokio::test]
                async fn $check() {
                    crate::checks::$check(&crate::peer::Peer::start($program).await).await;
                }
            )+
        }
    };
    ($($peer:ident: $program:literal,)+ => $checks:tt) => { $( checks!($peer, $program, $checks); )+ };
}

// each check with a server of its own, so that none has to care for what others left
checks! {
    scim2_server: "scim2-server",
    scimmy: "scimmy",
    ours_without_a_socket: "ours",
    => [
        the_same_again_changes_nothing
        what_changes_here_changes_there
        who_is_out_of_use_comes_back
        what_is_removed_is_gone
        a_stranger_is_never_touched
        who_may_be_adopted_is_adopted_once
        nothing_is_removed_without_our_marker
        groups_are_joined_and_left_and_others_stay
        whole_accounts_and_groups_can_be_put
        whatever_is_lost_one_account_comes_of_it_and_none_stays
        many_who_make_it_at_once_make_one
        a_listing_names_ours
        what_others_changed_is_seen
    ]
}
