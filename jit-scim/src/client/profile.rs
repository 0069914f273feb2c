//! What a target bears, as data: presets for well-known applications, and every part of them can be said otherwise.

use jit_core::Code;
use jit_core::config::{Check, Problems};
use serde::{Deserialize, Serialize};

use super::place::Place;
use super::rate::{MemberRate, RequestRate};
use super::reason::TargetReason;

/// A well-known application, whose peculiarities apply.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum TargetPreset {
    /// A server that does as the RFCs say.
    #[default]
    Generic,
    /// Slack.
    Slack,
    /// GitHub Enterprise with managed users.
    Github,
    /// AWS IAM Identity Center.
    Aws,
    /// Atlassian.
    Atlassian,
    /// Zoom.
    Zoom,
}

/// How users are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum UserChanges {
    /// By PATCH of what differs; by PUT of the whole where the target says that it has no PATCH.
    Patch,
    /// `active` by PATCH, everything else by PUT.
    PatchActive,
    /// By PUT of the whole: what the target showed, with what we say in its place.
    Put,
}

/// How members of groups are changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum GroupChanges {
    /// By PATCH of members; by PUT of the whole where the target says that it has no PATCH.
    Patch,
    /// By PUT of the whole, which needs that the target shows who is in a group.
    Put,
}

/// How a member is taken out of a group by PATCH.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum MemberRemoval {
    /// By a path that selects the member, as RFC 7644 §3.5.2.2 has it.
    Filter,
    /// By the path `members` with the member as value. A target that follows the RFC would empty the group.
    Value,
}

/// Where groups come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum GroupOrigin {
    /// Somebody makes them in the target; one that is not there is an error.
    Found,
    /// They are made when the first member comes. None is ever removed.
    Made,
}

/// What removing an account means there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum Removal {
    /// DELETE removes it.
    Delete,
    /// DELETE puts it out of use, and it stays.
    DeleteDeactivates,
    /// It is put out of use, and DELETE is never sent.
    Deactivate,
}

/// Which accounts without our marker are adopted, when the name is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum Adoption {
    /// None.
    Never,
    /// The one with exactly this user name, if nobody's marker stands where ours would.
    Unmarked,
    /// The one with exactly this user name, even if another system that provisions has marked it. Never one that bears a
    /// marker of this library.
    DangerouslyAny,
}

/// What becomes of an account whose id is known and that is no longer there.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "the client decides each")]
pub enum WhenLost {
    /// It is made anew.
    MakeAnew,
    /// Nothing is done, until a person lets go of it ([`Jit::let_go_of_mirrored`](jit_core::Jit::let_go_of_mirrored)).
    Hold,
}

macro_rules! profile {
    ($( $(#[doc = $doc:literal])+ $field:ident: $type:ty = $usual:expr; )+) => {
        /// Says what a target bears.
        #[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(from = "ProfileSettings")]
        #[non_exhaustive]
        pub struct TargetProfile {
            $( $(#[doc = $doc])+ pub $field: $type, )+
        }

        /// What people write of a profile: a preset, and what is said otherwise.
        #[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
        #[serde(deny_unknown_fields)]
        struct ProfileSettings {
            #[serde(default)]
            preset: TargetPreset,
            $( #[serde(default)] $field: Option<$type>, )+
        }

        impl From<ProfileSettings> for TargetProfile {
            fn from(settings: ProfileSettings) -> Self {
                let preset = Self::preset(settings.preset);
                Self { $( $field: settings.$field.unwrap_or(preset.$field), )+ }
            }
        }

        impl TargetProfile {
            /// A server that does as the RFCs say.
            #[must_use]
            pub fn generic() -> Self {
                Self { $( $field: $usual, )+ }
            }
        }
    };
}

profile! {
    /// Where our marker is kept: an attribute that the target shows again and that people there cannot write.
    marker: String = "externalId".to_owned();
    /// Whether accounts can be looked for by the marker.
    finds_marker: bool = true;
    /// The `type` of the address that is written.
    email_type: String = "work".to_owned();
    /// Whether attributes that may have several values hold one only.
    single_values: bool = false;
    /// How users are changed.
    user_changes: UserChanges = UserChanges::Patch;
    /// What removing an account means.
    removal: Removal = Removal::Delete;
    /// Whether an account that is out of use answers as if it were not there.
    hides_inactive: bool = false;
    /// Which accounts without our marker are adopted.
    adoption: Adoption = Adoption::Never;
    /// What becomes of an account whose id is known and that is not there.
    when_lost: WhenLost = WhenLost::MakeAnew;
    /// Where groups come from.
    groups: GroupOrigin = GroupOrigin::Found;
    /// Whether a group that is made bears an `externalId`: the same for each process that makes one of this name.
    marks_groups: bool = false;
    /// The attributes without which it makes no account: who lacks one is not asked for.
    requires: Vec<String> = Vec::new();
    /// Whether it takes a `name` only with both `givenName` and `familyName`.
    whole_names: bool = false;
    /// Whether somebody who was removed there can never be made again.
    removes_for_good: bool = false;
    /// How members are changed.
    group_changes: GroupChanges = GroupChanges::Patch;
    /// How a member is taken out.
    member_removal: MemberRemoval = MemberRemoval::Filter;
    /// How many members one request may name.
    members_per_request: u32 = 100;
    /// Whether users show the groups that they are in. Where they do not, what was confirmed last is what counts.
    shows_groups: bool = false;
    /// Whether groups show who is in them.
    shows_members: bool = true;
    /// Whether a group in which nobody is has no `members` at all. Unless that is said, a group that shows none is not put
    /// back before another one showed some.
    omits_members: bool = false;
    /// Whether changes hold only for the version that was seen, where a resource shows one.
    versions: bool = true;
    /// How many resources a page of a listing asks for.
    page: u32 = 100;
    /// The media type of what we send.
    media_type: String = "application/scim+json".to_owned();
    /// How often is read.
    reads: Option<RequestRate> = None;
    /// How often is written.
    writes: Option<RequestRate> = None;
    /// How often members of one group change: each group by itself.
    member_changes: Option<MemberRate> = None;
    /// How many seconds one call may wait in all for its turn; what would take longer is put off.
    patience_seconds: u32 = 10;
    /// After how many seconds one call makes no further request.
    call_seconds: u32 = 60;
}

/// Longer, and a call could still be under way when the engine believes that it is over.
const LONGEST_CALL: u32 = 80;

impl TargetProfile {
    /// The profile of a well-known application.
    #[must_use]
    pub fn preset(preset: TargetPreset) -> Self {
        match preset {
            TargetPreset::Generic => Self::generic(),
            TargetPreset::Slack => Self::slack(),
            TargetPreset::Github => Self::github(),
            TargetPreset::Aws => Self::aws(),
            TargetPreset::Atlassian => Self::atlassian(),
            TargetPreset::Zoom => Self::zoom(),
        }
    }

    /// Slack: 180 writes a minute of which 20 at once, 1,000 reads a minute; DELETE puts out of use.
    #[must_use]
    pub fn slack() -> Self {
        Self {
            removal: Removal::DeleteDeactivates,
            groups: GroupOrigin::Made,
            reads: Some(RequestRate { requests: 1000, seconds: 60, burst: 100 }),
            writes: Some(RequestRate { requests: 180, seconds: 60, burst: 20 }),
            ..Self::generic()
        }
    }

    /// GitHub Enterprise with managed users: nobody without a display name and an address, and no group without an
    /// `externalId`; no more than 1,000 changes in any hour, nor of the members of one group, of which 100 may come at once
    /// (<https://docs.github.com/en/enterprise-cloud@latest/rest/enterprise-admin/scim>).
    #[must_use]
    pub fn github() -> Self {
        Self {
            groups: GroupOrigin::Made,
            marks_groups: true,
            requires: vec!["displayName".to_owned(), "emails".to_owned()],
            whole_names: true,
            removes_for_good: true,
            writes: Some(RequestRate { requests: 900, seconds: 3600, burst: 100 }),
            member_changes: Some(MemberRate { members: 900, seconds: 3600, burst: 100 }),
            ..Self::generic()
        }
    }

    /// AWS IAM Identity Center: nobody without a display name and both parts of a name
    /// (<https://docs.aws.amazon.com/singlesignon/latest/developerguide/createuser.html>); one value of each kind, 100 members a
    /// request, taken out by value, groups that do not show their members, pages of 50.
    #[must_use]
    pub fn aws() -> Self {
        Self {
            single_values: true,
            requires: ["displayName", "name.givenName", "name.familyName"].map(str::to_owned).to_vec(),
            groups: GroupOrigin::Made,
            member_removal: MemberRemoval::Value,
            shows_members: false,
            page: 50,
            ..Self::generic()
        }
    }

    /// Atlassian: DELETE puts out of use, and who is out of use is not shown.
    #[must_use]
    pub fn atlassian() -> Self {
        Self {
            removal: Removal::DeleteDeactivates,
            hides_inactive: true,
            groups: GroupOrigin::Made,
            ..Self::generic()
        }
    }

    /// Zoom: one request a second; PATCH knows `active` and nothing else.
    #[must_use]
    pub fn zoom() -> Self {
        let rate = Some(RequestRate { requests: 1, seconds: 1, burst: 1 });
        Self { user_changes: UserChanges::PatchActive, reads: rate, writes: rate, ..Self::generic() }
    }

    /// Tells which of the attributes that are required have no place among these paths: those of what a mirror hands out.
    pub fn lacking<'a>(&'a self, handed_out: &[&str]) -> impl Iterator<Item = &'a str> {
        let places: Vec<_> = handed_out.iter().filter_map(|path| Place::parse(path)).collect();
        let is_lacking = move |name: &&String| {
            let required = Place::parse(name);
            !required.is_some_and(|required| places.iter().any(|place| place.lies_in(&required)))
        };
        self.requires.iter().filter(is_lacking).map(String::as_str)
    }

    /// Tells which part of a name is missing among these paths, where the other is handed out and the target takes no name
    /// without both.
    #[must_use]
    pub fn lacks_of_name(&self, handed_out: &[&str]) -> Option<&'static str> {
        let has = |part: &str| {
            let part = Place::parse(part);
            part.is_some_and(|part| handed_out.iter().any(|path| Place::parse(path).as_ref() == Some(&part)))
        };
        match (has("name.givenName"), has("name.familyName")) {
            (true, false) if self.whole_names => Some("name.familyName"),
            (false, true) if self.whole_names => Some("name.givenName"),
            _ => None,
        }
    }

    /// Tells what is not sound.
    pub(super) fn problems(&self) -> impl Iterator<Item = ProfileError> {
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric());
        let is_sound = |rate: Option<RequestRate>| rate.is_none_or(|rate| rate.is_sound());
        let are_sound = self.member_changes.is_none_or(|rate| rate.is_sound());
        let is_json = ["application/scim+json", "application/json"].contains(&self.media_type.as_str());
        let are_named = self.requires.iter().all(|name| Place::parse(name).is_some());
        let is_text = Place::parse(&self.marker).is_some_and(|place| place.is_plain());
        [
            ("marker", is_text, "must name an attribute that is one text"),
            ("requires", are_named, "must name attributes"),
            ("email_type", is_word(&self.email_type), "must be a word"),
            ("members_per_request", self.members_per_request > 0, "must be at least 1"),
            ("page", (1..=1000).contains(&self.page), "must be 1 to 1000"),
            ("media_type", is_json, "must be `application/scim+json` or `application/json`"),
            ("reads", is_sound(self.reads), "must have numbers from 1 to 1000000"),
            ("writes", is_sound(self.writes), "must have numbers from 1 to 1000000"),
            ("member_changes", are_sound, "must have numbers from 1 to 1000000"),
            ("call_seconds", (1..=LONGEST_CALL).contains(&self.call_seconds), "must be 1 to 80"),
            ("patience_seconds", self.patience_seconds < self.call_seconds, "must be below `call_seconds`"),
        ]
        .into_iter()
        .filter(|(_, is_sound, _)| !is_sound)
        .map(|(field, _, problem)| ProfileError { field, problem })
    }
}

impl Check for TargetProfile {
    fn check(&self, found: &mut Problems) {
        for error in self.problems() {
            found.report_in(error.field, Code::new(error.code()), error.problem);
        }
    }
}

/// Says what of a target's settings is not sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{field}` {problem}")]
#[non_exhaustive]
pub struct ProfileError {
    /// The setting.
    pub field: &'static str,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl ProfileError {
    pub(super) const BASE: Self =
        Self { field: "base", problem: "must be an address with a host and without a query" };

    /// Returns the stable code.
    #[must_use]
    pub const fn code(self) -> &'static str {
        TargetReason::ProfileInvalid.code()
    }
}
