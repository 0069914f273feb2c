//! The faults, and the checks that must catch each of them.

macro_rules! faults {
    ($($(#[doc = $doc:literal])* $fault:ident => [$($check:ident),+ $(,)?];)*) => {
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub(crate) enum Fault {
            /// None: the wrapper alone.
            Nothing,
            $($(#[doc = $doc])* $fault,)*
        }

        pub(crate) const FAULTS: &[(Fault, &[&str])] =
            &[$((Fault::$fault, &[$(stringify!($check)),+]),)*];
    };
}

faults! {
    // Reading.
    /// A key that leads to none is said to lead to several.
    NoneIsSeveral => [an_empty_backend_knows_nobody, a_lookup_key_tells_none_one_and_several];
    /// Only the first identity of an account is indexed.
    IndexesFirstIdentity => [each_identity_leads_to_its_account];
    /// `get` reads the first account that there is.
    GetsTheFirst => [an_id_leads_to_its_account];
    /// `named` takes the beginning of a name for the name.
    NamesByPrefix => [a_user_name_leads_to_its_account];
    /// Each node keeps its own accounts.
    NodesDoNotShare => [
        what_one_node_writes_the_other_reads,
        a_value_is_taken_as_it_was_put,
        a_sign_in_on_the_other_node_changes_nothing,
    ];
    /// Returns the first of several matches.
    FirstOfSeveral => [a_lookup_key_tells_none_one_and_several];
    /// Compares the values of lookup keys without their kinds.
    ForgetsLookupKind => [a_lookup_key_counts_accounts_of_its_kind];
    /// Lookup keys that an account once had still lead to it.
    KeepsOldLookups => [an_update_moves_lookup_keys];
    /// Ended accounts are not found.
    HidesEnded => [an_ended_account_is_still_found];
    /// Compares the first 255 bytes of a lookup value.
    CutsLookups => [a_long_lookup_value_is_compared_whole];

    // Round trips.
    /// Loses consents.
    LosesConsents => [every_field_of_an_account_survives];
    /// Keeps suspended accounts as disabled ones.
    ConfusesStates => [every_state_survives];
    /// Keeps whole milliseconds.
    KeepsMillis => [instants_are_kept_to_the_microsecond];
    /// Ends texts at a NUL character.
    EndsAtNul => [a_nul_character_is_kept_or_refused];
    /// Loses the changes of an event.
    LosesChanges => [every_field_of_an_event_survives];
    /// Keeps one grant for each entitlement.
    MergesGrants => [grants_are_kept_in_order_by_id, every_field_of_an_account_survives];

    // Commits.
    /// Accepts updates without writing them.
    IgnoresUpdates => [an_update_replaces_the_account];
    /// Accepts updates of any version.
    IgnoresVersions => [an_update_of_an_old_version_is_refused, nothing_is_written_when_the_version_is_old];
    /// Creates what an update does not find.
    Upserts => [an_update_of_nobody_is_refused];
    /// Writes a new account over the one that has its id.
    CreateOverwrites => [an_account_id_is_taken_once];
    /// Accepts a commit that was accepted before.
    AcceptsRepetition => [a_repeated_commit_is_refused];
    /// Leaves out identities that are taken.
    SkipsTakenIdentity => [an_identity_is_taken_once, one_identity_makes_one_account];
    /// Leaves out a user name that is taken.
    SkipsTakenName => [a_user_name_is_taken_once, one_name_goes_to_one_account];
    /// Identities that were linked once still lead to the account.
    KeepsOldIdentities => [a_removed_identity_is_free];
    /// User names that were held once are still taken.
    KeepsOldNames => [a_renamed_account_frees_its_name];
    /// Ending an account frees its identities and its name.
    EndFreesKeys => [an_ended_account_keeps_its_name_and_identity];
    /// Takes no name for a name.
    NoNameIsAName => [accounts_without_a_name_live_together];
    /// Wants an account in every commit.
    WantsAnAccount => [a_commit_needs_no_account];
    /// Writes a part that is named twice once.
    MergesTwins => [a_part_named_twice_is_invalid];

    // All or nothing.
    /// Loses the tasks of a commit.
    DropsTasks => [an_accepted_commit_writes_every_part];
    /// Loses the events of a commit.
    DropsEvents => [an_accepted_commit_writes_every_part, a_commit_needs_no_account];
    /// Writes the events of a commit first, and then the rest.
    EventsFirst => [
        nothing_is_written_when_an_identity_is_taken,
        nothing_is_written_when_the_user_name_is_taken,
        nothing_is_written_when_a_task_is_taken,
        nothing_is_written_when_a_counter_is_at_its_bound,
    ];
    /// Writes the account of a commit first, and then the rest.
    AccountFirst => [
        nothing_is_written_when_a_task_is_taken,
        nothing_is_written_when_a_counter_is_at_its_bound,
        nothing_is_written_when_an_event_is_recorded,
    ];
    /// Writes the tasks of a commit first, and then the rest.
    TasksFirst => [
        nothing_is_written_when_the_version_is_old,
        nothing_is_written_when_an_identity_is_taken,
    ];
    /// Moves the counters of a commit first, and then writes the rest.
    CountersFirst => [
        nothing_is_written_when_the_user_name_is_taken,
        nothing_is_written_when_the_version_is_old,
        nothing_is_written_when_a_task_is_taken,
    ];
    /// Leaves out the parts that belong to another tenant.
    SkipsForeignParts => [nothing_is_written_across_tenants];

    // Keys.
    /// Folds the case of subjects.
    FoldsCase => [case_tells_subjects_apart];
    /// Trims subjects.
    TrimsSubjects => [blanks_tell_subjects_apart];
    /// Composes subjects (NFC).
    ComposesSubjects => [normal_forms_tell_subjects_apart];
    /// Normalises subjects (NFKC) and drops what cannot be seen.
    NormalisesSubjects => [look_alikes_tell_subjects_apart, normal_forms_tell_subjects_apart];
    /// Reads subjects as patterns.
    MatchesPatterns => [patterns_are_plain_subjects];
    /// Compares the subject only.
    ForgetsIssuer => [every_part_of_a_key_counts];
    /// Joins the parts of a key without a mark between them.
    JoinsKeyParts => [every_part_of_a_key_counts];
    /// Compares the first 255 bytes of a subject.
    CutsSubjects => [the_longest_keys_are_kept];
    /// Folds and trims user names once more.
    FoldsNames => [a_user_name_key_is_compared_exactly];
    /// Folds and trims lookup values.
    FoldsLookups => [a_lookup_value_is_compared_exactly];

    // Tenants.
    /// Forgets the tenant in `find`.
    FindForgetsTenant => [each_tenant_finds_its_own_identity];
    /// Forgets the tenant in `get`.
    GetForgetsTenant => [an_id_of_another_tenant_reads_nothing];
    /// Forgets the tenant in `named`.
    NamedForgetsTenant => [each_tenant_has_its_own_names];
    /// Forgets the tenant in `matching`.
    MatchingForgetsTenant => [each_tenant_matches_its_own_accounts];
    /// Forgets the tenant in `list`.
    ListForgetsTenant => [each_tenant_lists_its_own_accounts];
    /// Names those who carry a key on the first page only.
    BearersEndEarly => [bearers_are_named_as_they_are_listed];
    /// Forgets the tenant of what an update replaces.
    UpdateForgetsTenant => [an_update_stops_at_the_tenant];
    /// Forgets the tenant of account ids.
    IdsForgetTenant => [two_tenants_may_use_one_id];
    /// Forgets the tenant of counters.
    CountersForgetTenant => [each_tenant_counts_for_itself];
    /// Forgets the tenant in `touch`.
    TouchForgetsTenant => [a_touch_stops_at_the_tenant];
    /// Forgets the tenant of withdrawn tasks.
    WithdrawalForgetsTenant => [a_withdrawal_stops_at_the_tenant];
    /// Claims tasks of tenants that are not named.
    ClaimsOfAnyTenant => [a_claim_takes_tasks_of_the_tenants_that_it_names];
    /// Claims the tasks of other tenants as well, and keeps them to itself.
    ClaimsForOtherTenants => [a_claim_takes_tasks_of_the_tenants_that_it_names];
    /// Claims the tasks of everybody where some are to be left out.
    ClaimsOfThoseLeftOut => [a_claim_takes_tasks_of_the_tenants_that_it_names];
    /// Forgets the tenant of settled tasks.
    SettlementForgetsTenant => [a_settlement_stops_at_the_tenant];
    /// Forgets the tenant of events.
    TrailForgetsTenant => [each_tenant_reads_its_own_trail];

    // Last-seen instants.
    /// A touch is an update.
    TouchRaisesVersion => [a_touch_moves_last_seen_and_nothing_else, touches_and_commits_go_together];
    /// A touch sets what it is given.
    TouchSets => [a_touch_never_moves_backward];
    /// A touch of an unknown account is refused.
    TouchWantsAccount => [a_touch_passes_over_the_unknown];
    /// A commit sets the instant that it carries.
    CommitSetsSeen => [a_commit_from_an_older_read_keeps_the_touch];
    /// Lets disuse end what was used meanwhile.
    EndsWhatIsUsed => [a_use_stands_in_the_way_of_disuse];
    /// A commit does not move the instant.
    CommitForgetsSeen => [a_commit_moves_last_seen_forward];

    // Pages.
    /// Skips an account after each page.
    SkipsAfterPage => [pages_hold_every_account_once];
    /// Repeats the last account of a page at the beginning of the next.
    RepeatsAfterPage => [pages_hold_every_account_once];
    /// Says that something follows every full page.
    FullPageGoesOn => [the_last_page_says_that_it_is_the_last];
    /// Lists by the instant of the last update.
    ListsByUpdate => [pages_stay_complete_while_accounts_are_written];
    /// Filters by what an account was when it was created.
    FiltersAsCreated => [
        the_filter_by_state_follows_updates,
        the_filter_by_entitlement_follows_updates,
        the_filter_by_lookup_key_follows_updates,
    ];
    /// Leaves out grants that are over.
    FiltersInForce => [the_filter_by_entitlement_follows_updates];

    // Counters.
    /// Counters do not move.
    CountersStand => [counters_start_at_zero_and_move, an_administrator_is_left_between_nodes];
    /// Counters have no bounds.
    CountersHaveNoBounds => [a_counter_stays_within_its_bounds];
    /// Names the first counter of the commit.
    NamesFirstCounter => [the_counter_at_its_bound_is_named];
    /// Accepts a change that runs over.
    AcceptsOverflow => [a_counter_does_not_overflow];
    /// Looks at the bounds first and moves the counter later.
    ChecksBoundsEarly => [seats_are_never_oversold, the_last_administrator_stays];

    // Races.
    /// Looks for the identity first and writes the account later.
    ChecksIdentityEarly => [one_identity_makes_one_account, first_sign_ins_at_once_all_get_in];
    /// Looks for the name first and writes the account later.
    ChecksNameEarly => [one_name_goes_to_one_account];
    /// Looks at the version first and writes the account later.
    ChecksVersionEarly => [one_version_is_updated_once];
    /// Fails while another commit is under way.
    FailsWhenBusy => [strangers_do_not_disturb_each_other];

    // Forgetting.
    /// Keeps what is forgotten.
    ForgottenStay => [
        a_forgotten_account_is_found_by_nobody,
        pages_pass_over_what_was_forgotten,
        the_id_of_a_forgotten_account_stays_taken,
    ];
    /// Forgets what a lease made with its record.
    ForgetsWhatWasMade => [what_a_forgotten_lease_made_stays_known];
    /// Forgets what was written since it was read.
    ForgetsWhateverChanged => [what_changed_is_not_forgotten];
    /// Forgets one after the other, and then writes the rest.
    ForgetsOneByOne => [what_changed_is_not_forgotten];
    /// Forgets in a commit that writes as well.
    ForgetsBesideWriting => [what_is_forgotten_goes_by_itself];
    /// Lets somebody have the id of what was forgotten.
    ForgottenIdsAreFree => [the_id_of_a_forgotten_account_stays_taken, a_forgotten_id_is_free_at_no_moment];
    /// Forgets the accounts of the id at every tenant.
    ForgettingForgetsTenant => [forgetting_stops_at_the_tenant];
    /// Names those that are over for good of all tenants.
    LongOverForgetsTenant => [forgetting_stops_at_the_tenant];
    /// Names those as well that are over since later.
    NamesTheYoung => [what_is_over_is_named_in_order];
    /// Names the first ones again in each part.
    NamesTheOldFromTheStart => [what_is_over_is_named_in_order];
    /// Names the first ones again where whoever the last part ended with is not there any longer.
    NamesFromWhoIsThere => [what_is_over_is_named_from_where_somebody_was];
    /// Names those that are over in the order of their ids.
    NamesInOrderOfIds => [what_is_over_is_named_in_order];
    /// Names every lease that is gone.
    NamesEveryGoneLease => [only_what_is_over_for_good_is_named];
    /// Names what was over once.
    NamesWhatWasOver => [only_what_is_over_for_good_is_named, a_forgotten_account_is_found_by_nobody];

    // Documents.
    /// Reads documents without their names.
    DocumentsLoseNames => [a_document_is_read_as_it_was_written];
    /// Says that every document is new.
    DocumentTextsStand => [an_update_of_a_document_counts_its_versions];
    DocumentVersionsStand => [an_update_of_a_document_counts_its_versions, a_removed_document_leaves_its_groups];
    /// Writes documents over whatever is there.
    DocumentVersionsIgnored => [a_document_is_written_over_its_own_version_only];
    /// Keeps what is removed.
    RemovedDocumentsStay => [a_removed_document_is_gone, a_removed_document_leaves_its_groups];
    /// Folds the case of names and trims them.
    FoldsDocumentNames => [a_document_is_found_by_its_names];
    /// Lets several have a unique name.
    UniqueNamesAreShared => [a_unique_name_belongs_to_one_document];
    /// Looks for the name first and writes the document later.
    ChecksDocumentNamesEarly => [one_document_name_goes_to_one_document];
    /// Looks at the version first and writes the document later.
    ChecksDocumentVersionsEarly => [one_version_of_a_document_is_written_over_once];
    /// Writes the documents of a commit first, and then the rest.
    DocumentsFirst => [documents_are_written_with_the_commit_or_not_at_all];
    /// Writes the documents of a commit after the rest.
    DocumentsLast => [documents_are_written_with_the_commit_or_not_at_all];
    /// Drops the documents of other tenants.
    SkipsForeignDocuments => [documents_that_are_wrong_in_themselves_are_invalid];
    /// Leaves out the first document of a further page.
    DocumentPagesSkip => [documents_are_listed_in_the_order_of_their_ids];
    /// Replaces what is kept of a member that is added again.
    AddingReplacesMembers => [members_come_and_go_in_order];
    /// Empties the group for one member.
    RemovingClears => [removing_a_member_keeps_the_others];
    /// Leaves out members that are not there.
    AcceptsAnyMember => [a_member_must_be_there];
    /// Says that who was a member once still is.
    KeepsLostMembers => [a_removed_document_leaves_its_groups, members_come_and_go_in_order];
    /// Says that the groups that it names are all.
    HidesCutGroups => [the_groups_of_one_are_all_named_or_said_to_be_cut];
    /// Empties every group that is removed.
    EmptiesRemovedGroups => [members_of_a_removed_group_stay_until_they_are_dismissed];
    /// Finds the documents of other tenants.
    DocumentsForgetTenant => [each_tenant_keeps_its_own_documents];
    /// Says that nothing follows the first page of members.
    MembersEndAtAPage => [a_large_group_is_read_in_pages];

    // Tasks.
    /// Claims what is due within the hour.
    ClaimsEarly => [only_due_tasks_are_claimed];
    /// Does not claim at the very instant.
    ClaimsLate => [only_due_tasks_are_claimed];
    /// Hands out the newest of a claim first.
    NewestFirst => [the_oldest_task_comes_first];
    /// Folds the case of lanes.
    FoldsLanes => [lanes_are_kept_apart];
    /// Claims more than asked for.
    ClaimsAll => [a_claim_keeps_to_its_limit];
    /// Forgets who claims.
    ForgetsWorker => [a_claim_tells_everything];
    /// Hands a claimed task to the next worker.
    HandsOutTwice => [a_claim_holds_until_it_is_over];
    /// Never hands a claimed task out again.
    HoldsForEver => [a_claim_holds_until_it_is_over, each_claim_raises_the_epoch];
    /// Every claim is the first.
    EpochStands => [each_claim_raises_the_epoch, a_task_put_off_comes_back];
    /// Accepts the settlement of a stale claim.
    AcceptsStale => [a_stale_claim_cannot_settle];
    /// Reads a clock of its own where the caller's is behind.
    ReadsOwnClock => [a_claim_lives_by_the_callers_time, a_value_lives_by_the_callers_time];
    /// Accepts every settlement.
    SettlesAgain => [a_claim_is_settled_once, one_settlement_of_many_counts];
    /// A task that is put off is done.
    PutOffIsDone => [a_task_put_off_comes_back];
    /// Keeps withdrawn tasks.
    IgnoresWithdrawal => [a_withdrawn_task_is_gone];
    /// Leaves out tasks whose id is taken.
    SkipsTakenTask => [a_task_id_is_taken_once];
    /// Forgets claimed tasks when it tells the next instant.
    ForgetsClaimedDue => [the_next_instant_is_told];
    /// Names one lane and no further one.
    NamesOneLane => [every_lane_is_named_once];
    /// Accepts any hold.
    AcceptsAnyHold => [a_hold_must_be_positive];
    /// Gives a worker that comes away empty-handed what another one got.
    SharesClaims => [workers_never_share_a_task];

    // One-time values.
    /// Keeps values as text.
    KeepsText => [a_value_is_taken_as_it_was_put];
    /// Puts over what is there.
    PutsOver => [a_value_is_put_once];
    /// Leaves what was taken.
    TakesACopy => [a_value_is_taken_once, one_of_many_takes];
    /// Looks at the value first and removes it later.
    TakesEarly => [one_of_many_takes];
    /// Looks whether the key is free first and puts the value later.
    PutsEarly => [one_of_many_puts];
    /// A value is good at its last instant.
    LivesTooLong => [a_value_is_over_at_its_instant];
    /// A value that is over still holds its key.
    OverIsTaken => [a_key_that_is_over_may_be_put_again];
    /// Accepts values of any size, and loses them.
    AcceptsAnySize => [a_value_has_a_longest_size];
    /// Cuts long values.
    CutsValues => [a_value_has_a_longest_size];
    /// Forgets the tenant of values.
    ValuesForgetTenant => [each_tenant_and_purpose_has_its_own_values];
    /// Purges without a limit.
    PurgesAll => [a_purge_removes_what_is_over];

    // The trail.
    /// Reads the trail in the order of writing.
    TrailAsWritten => [the_trail_is_in_order];
    /// Reads the trail forward only.
    TrailForwardOnly => [the_trail_is_read_backwards];
    /// Mixes the trails of accounts.
    TrailOfAll => [the_trail_of_one_account_is_its_own];
    /// Says that something follows every full page of the trail.
    TrailGoesOn => [the_last_page_of_the_trail_says_so];
    /// Names whom the trail is about on the first page only.
    AboutEndsEarly => [the_trail_names_whom_it_is_about];
    /// Leaves out events that are about nobody.
    AboutSomebodyOnly => [the_trail_names_whom_it_is_about];
    /// Names whom the trails of all tenants are about.
    AboutForgetsTenant => [the_trail_names_whom_it_is_about];
}
