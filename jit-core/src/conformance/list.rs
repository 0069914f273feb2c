//! The list of all checks, and the macros that make tests of them.

use super::Check;

/// Names the checks of `user_store!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_user_store_checks {
    ($with:ident $($rest:tt)*) => {
        $crate::$with! {
            { $($rest)* }
            find {
                an_empty_backend_knows_nobody
                each_identity_leads_to_its_account
                an_id_leads_to_its_account
                a_user_name_leads_to_its_account
                what_one_node_writes_the_other_reads
                a_lookup_key_tells_none_one_and_several
                a_lookup_key_counts_accounts_of_its_kind
                an_update_moves_lookup_keys
                an_ended_account_is_still_found
                a_long_lookup_value_is_compared_whole
            }
            round_trip {
                every_field_of_an_account_survives
                every_state_survives
                instants_are_kept_to_the_microsecond
                a_nul_character_is_kept_or_refused
                every_field_of_an_event_survives
                grants_are_kept_in_order_by_id
            }
            commit {
                an_update_replaces_the_account
                an_update_of_an_old_version_is_refused
                an_update_of_nobody_is_refused
                an_account_id_is_taken_once
                a_repeated_commit_is_refused
                an_identity_is_taken_once
                a_removed_identity_is_free
                a_user_name_is_taken_once
                an_ended_account_keeps_its_name_and_identity
                a_renamed_account_frees_its_name
                accounts_without_a_name_live_together
                a_commit_needs_no_account
                a_part_named_twice_is_invalid
            }
            forget {
                what_is_over_is_named_in_order
                what_is_over_is_named_from_where_somebody_was
                only_what_is_over_for_good_is_named
                a_forgotten_account_is_found_by_nobody
                what_a_forgotten_lease_made_stays_known
                pages_pass_over_what_was_forgotten
                the_id_of_a_forgotten_account_stays_taken
                what_changed_is_not_forgotten
                what_is_forgotten_goes_by_itself
                forgetting_stops_at_the_tenant
                a_forgotten_id_is_free_at_no_moment
            }
            atomic {
                an_accepted_commit_writes_every_part
                nothing_is_written_when_an_identity_is_taken
                nothing_is_written_when_the_user_name_is_taken
                nothing_is_written_when_the_version_is_old
                nothing_is_written_when_a_task_is_taken
                nothing_is_written_when_a_counter_is_at_its_bound
                nothing_is_written_when_an_event_is_recorded
                nothing_is_written_across_tenants
            }
            keys {
                case_tells_subjects_apart
                blanks_tell_subjects_apart
                normal_forms_tell_subjects_apart
                look_alikes_tell_subjects_apart
                patterns_are_plain_subjects
                every_part_of_a_key_counts
                the_longest_keys_are_kept
                a_user_name_key_is_compared_exactly
                a_lookup_value_is_compared_exactly
            }
            tenants {
                each_tenant_finds_its_own_identity
                an_id_of_another_tenant_reads_nothing
                each_tenant_has_its_own_names
                each_tenant_matches_its_own_accounts
                each_tenant_lists_its_own_accounts
                an_update_stops_at_the_tenant
                two_tenants_may_use_one_id
                each_tenant_counts_for_itself
                a_touch_stops_at_the_tenant
                a_withdrawal_stops_at_the_tenant
                a_claim_takes_tasks_of_the_tenants_that_it_names
                a_settlement_stops_at_the_tenant
                each_tenant_reads_its_own_trail
            }
            touch {
                a_touch_moves_last_seen_and_nothing_else
                a_touch_never_moves_backward
                a_touch_passes_over_the_unknown
                a_commit_from_an_older_read_keeps_the_touch
                a_commit_moves_last_seen_forward
                a_use_stands_in_the_way_of_disuse
            }
            paging {
                pages_hold_every_account_once
                the_last_page_says_that_it_is_the_last
                pages_stay_complete_while_accounts_are_written
                the_filter_by_state_follows_updates
                the_filter_by_entitlement_follows_updates
                the_filter_by_lookup_key_follows_updates
                bearers_are_named_as_they_are_listed
            }
            counters {
                counters_start_at_zero_and_move
                a_counter_stays_within_its_bounds
                the_counter_at_its_bound_is_named
                a_counter_does_not_overflow
                seats_are_never_oversold
                the_last_administrator_stays
            }
            races {
                one_identity_makes_one_account
                one_name_goes_to_one_account
                one_version_is_updated_once
                strangers_do_not_disturb_each_other
                touches_and_commits_go_together
            }
            sign_ins {
                first_sign_ins_at_once_all_get_in
                a_sign_in_on_the_other_node_changes_nothing
                an_administrator_is_left_between_nodes
            }
        }
    };
}

/// Names the checks of `document_store!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_document_store_checks {
    ($with:ident $($rest:tt)*) => {
        $crate::$with! {
            { $($rest)* }
            documents {
                a_document_is_read_as_it_was_written
                an_update_of_a_document_counts_its_versions
                a_document_is_written_over_its_own_version_only
                a_removed_document_is_gone
                a_document_is_found_by_its_names
                a_unique_name_belongs_to_one_document
                one_document_name_goes_to_one_document
                one_version_of_a_document_is_written_over_once
                documents_are_written_with_the_commit_or_not_at_all
                documents_that_are_wrong_in_themselves_are_invalid
                documents_are_listed_in_the_order_of_their_ids
            }
            members {
                members_come_and_go_in_order
                removing_a_member_keeps_the_others
                a_member_must_be_there
                a_removed_document_leaves_its_groups
                members_of_a_removed_group_stay_until_they_are_dismissed
                each_tenant_keeps_its_own_documents
                a_large_group_is_read_in_pages
                the_groups_of_one_are_all_named_or_said_to_be_cut
            }
        }
    };
}

/// Names the checks of `task_queue!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_task_queue_checks {
    ($with:ident $($rest:tt)*) => {
        $crate::$with! {
            { $($rest)* }
            tasks {
                only_due_tasks_are_claimed
                the_oldest_task_comes_first
                lanes_are_kept_apart
                a_claim_keeps_to_its_limit
                a_claim_tells_everything
                a_claim_holds_until_it_is_over
                each_claim_raises_the_epoch
                a_stale_claim_cannot_settle
                a_claim_lives_by_the_callers_time
                a_claim_is_settled_once
                a_task_put_off_comes_back
                a_withdrawn_task_is_gone
                a_task_id_is_taken_once
                the_next_instant_is_told
                every_lane_is_named_once
                a_hold_must_be_positive
                workers_never_share_a_task
                one_settlement_of_many_counts
            }
        }
    };
}

/// Names the checks of `audit_log!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_audit_log_checks {
    ($with:ident $($rest:tt)*) => {
        $crate::$with! {
            { $($rest)* }
            audit {
                the_trail_is_in_order
                the_trail_is_read_backwards
                the_trail_of_one_account_is_its_own
                the_last_page_of_the_trail_says_so
                the_trail_names_whom_it_is_about
            }
        }
    };
}

/// Names the checks of `one_time!`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_one_time_checks {
    ($with:ident $($rest:tt)*) => {
        $crate::$with! {
            { $($rest)* }
            one_time {
                a_value_is_taken_as_it_was_put
                a_value_is_put_once
                a_value_is_taken_once
                one_of_many_takes
                one_of_many_puts
                a_value_is_over_at_its_instant
                a_value_lives_by_the_callers_time
                a_key_that_is_over_may_be_put_again
                a_value_has_a_longest_size
                each_tenant_and_purpose_has_its_own_values
                a_purge_removes_what_is_over
            }
        }
    };
}

/// Makes one test of each check.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_tests {
    ({ $backend:expr } $($module:ident { $($check:ident)* })*) => {
        $($(
            #[test]
            fn $check() -> ::core::result::Result<(), $crate::conformance::Failure> {
                $crate::conformance::run($backend, |nodes| {
                    ::std::boxed::Box::pin($crate::conformance::checks::$module::$check(nodes))
                })
            }
        )*)*
    };
}

/// Makes one test of each check of one-time values, for the nodes of a whole backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_one_time_tests {
    ({ $backend:expr } $module:ident { $($check:ident)* }) => {
        $(
            #[test]
            fn $check() -> ::core::result::Result<(), $crate::conformance::Failure> {
                $crate::conformance::run($backend, |nodes: &$crate::conformance::Nodes| {
                    ::std::boxed::Box::pin(async move {
                        $crate::conformance::checks::$module::$check(&nodes.to_one_times()).await
                    })
                })
            }
        )*
    };
}

/// Tests that a backend keeps accounts as [`UserStore`](crate::UserStore) says: `user_store!(open())`, where `open()`
/// makes the [`Nodes`](crate::conformance::Nodes) of an empty backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_user_store {
    ($backend:expr $(,)?) => {
        $crate::__jit_user_store_checks! { __jit_tests $backend }
    };
}

/// Tests that a backend keeps documents as [`DocumentStore`](crate::DocumentStore) says: `document_store!(open())`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_document_store {
    ($backend:expr $(,)?) => {
        $crate::__jit_document_store_checks! { __jit_tests $backend }
    };
}

/// Tests that a backend hands out tasks as [`TaskQueue`](crate::TaskQueue) says: `task_queue!(open())`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_task_queue {
    ($backend:expr $(,)?) => {
        $crate::__jit_task_queue_checks! { __jit_tests $backend }
    };
}

/// Tests that a backend keeps the trail as [`AuditLog`](crate::AuditLog) says: `audit_log!(open())`.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_audit_log {
    ($backend:expr $(,)?) => {
        $crate::__jit_audit_log_checks! { __jit_tests $backend }
    };
}

/// Tests that a backend keeps values as [`OneTime`](crate::OneTime) says: `one_time!(open())`, where `open()` makes
/// [`Nodes<dyn OneTime>`](crate::conformance::Nodes).
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_one_time {
    ($backend:expr $(,)?) => {
        $crate::__jit_one_time_checks! { __jit_tests $backend }
    };
}

/// Tests that a backend implements every port as the ports say: `store!(open())`, where `open()` makes the
/// [`Nodes`](crate::conformance::Nodes) of an empty backend.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_store {
    ($backend:expr $(,)?) => {
        $crate::__jit_user_store_checks! { __jit_tests $backend }
        $crate::__jit_document_store_checks! { __jit_tests $backend }
        $crate::__jit_task_queue_checks! { __jit_tests $backend }
        $crate::__jit_audit_log_checks! { __jit_tests $backend }
        $crate::__jit_one_time_checks! { __jit_one_time_tests $backend }
    };
}

/// Tests that a backend answers random calls as the memory store does: `model!(open())`, where `open()` makes the
/// [`Nodes`](crate::conformance::Nodes) of an empty backend. `model!(open(), 10_000)` plays that many sequences.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_model {
    ($backend:expr $(,)?) => {
        $crate::__jit_model! { $backend, $crate::conformance::model::SEQUENCES }
    };
    ($backend:expr, $sequences:expr $(,)?) => {
        #[test]
        fn random_calls_are_answered_as_the_model_answers_them()
        -> ::core::result::Result<(), $crate::conformance::Failure> {
            $crate::conformance::model::compare($backend, $sequences)
        }
    };
}

/// Makes a slice of checks.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_slice {
    ({} $($module:ident { $($check:ident)* })*) => {
        &[$($(
            $crate::conformance::Check {
                name: stringify!($check),
                run: |nodes| ::std::boxed::Box::pin($crate::conformance::checks::$module::$check(nodes)),
            },
        )*)*]
    };
}

/// Makes a slice of the checks of one-time values.
#[doc(hidden)]
#[macro_export]
macro_rules! __jit_one_time_slice {
    ({} $module:ident { $($check:ident)* }) => {
        &[$(
            $crate::conformance::Check {
                name: stringify!($check),
                run: |nodes| ::std::boxed::Box::pin(async move {
                    $crate::conformance::checks::$module::$check(&nodes.to_one_times()).await
                }),
            },
        )*]
    };
}

const SUITES: [&[Check]; 5] = [
    crate::__jit_user_store_checks! { __jit_slice },
    crate::__jit_document_store_checks! { __jit_slice },
    crate::__jit_task_queue_checks! { __jit_slice },
    crate::__jit_audit_log_checks! { __jit_slice },
    crate::__jit_one_time_checks! { __jit_one_time_slice },
];

/// Lists every check of every suite.
pub fn all_checks() -> impl Iterator<Item = Check> {
    SUITES.into_iter().flatten().copied()
}
