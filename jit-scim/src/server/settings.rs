//! What a service does for one connection.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use jit_core::{AccountId, Attestor, BackendError, DocumentId};

use crate::limits::Limits;
use crate::protocol::{AuthenticationScheme, PageLimits};
use crate::schema::Schemas;
use crate::tolerance::Tolerance;

/// Serves one connection: what its source may say, and how it is answered.
///
/// The source speaks for the people of the connection's one issuer. It sees what it said itself, and never the accounts of
/// other connections.
pub struct ScimConnection {
    pub(super) attestor: Attestor,
    pub(super) base: String,
    pub(super) schemas: Schemas,
    pub(super) tolerance: Tolerance,
    pub(super) limits: Limits,
    pub(super) pages: PageLimits,
    pub(super) reach: Reach,
    pub(super) unique_group_names: bool,
    pub(super) is_feed: bool,
    pub(super) passwords: Option<Arc<dyn Passwords>>,
    pub(super) authentication: Vec<AuthenticationScheme>,
}

/// How much one request may look at, and how much it does before it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[expect(clippy::exhaustive_structs, reason = "a service says all of it in its configuration")]
pub struct Reach {
    /// The most resources that a query looks at which no index answers.
    pub looked_at: usize,
    /// The most work of a query, or of the filters in the changes of a request, whatever it looks at: each value that is compared with a term counts, and each 64 bytes of
    /// a text, or 32 bytes of a resource that is read.
    pub looks: usize,
    /// The most members that one answer shows.
    pub members: usize,
    /// The most members that the changes of one request read because they are about all of a group, such as a PUT, or
    /// `remove members[type eq "Group"]`. Looks that end because a group is too large take half of what is left.
    pub members_read: usize,
    /// The most bytes of resources, as they are kept, on one page, members aside: it has fewer resources where they are long,
    /// and one at least.
    pub page_bytes: usize,
    /// The most people whose access follows a change of their group before the request is answered; that of the others
    /// follows with [`ScimService::work`](super::ScimService::work).
    pub retold_at_once: usize,
}

impl Default for Reach {
    fn default() -> Self {
        Self {
            looked_at: 100_000,
            looks: 30_000_000,
            members: 100_000,
            members_read: 1_000_000,
            page_bytes: 8 << 20,
            retold_at_once: 200,
        }
    }
}

/// Says with which change a password came. Of two of one account the greater is the later.
///
/// Changes of one document are counted; a later document is greater, as far as the clocks of the nodes agree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(clippy::exhaustive_structs, reason = "whoever keeps passwords keeps all of it")]
pub struct PasswordVersion {
    /// The document: the `id` of the user.
    pub document: DocumentId,
    /// Its version after the change, as in `meta.version`.
    pub number: u64,
}

/// Takes passwords that a source sets. Without one they are thrown away unread.
#[async_trait]
pub trait Passwords: Send + Sync {
    /// Sets the password of an account, after the change that it came with.
    ///
    /// Changes that were made one after the other may be handed over in another order, or at the same time. Keep the version
    /// with the password, compare and write both in one step, and leave what is there where its version is greater: that is no
    /// error. It may also come after the account has ended, which gives nobody access: whoever asks for a password looks at the
    /// account first.
    ///
    /// # Errors
    /// `store.unavailable` when it could not be kept; the request is then answered with 503, and the change that it came with
    /// stays. A PUT or PATCH without `If-Match` comes again as it was. With it, the version has moved: the request is answered
    /// with 412, until it names the version of now. The person of a POST is there by then, without the password.
    ///
    /// # Cancel safety
    /// The password may have been set.
    async fn set(
        &self,
        account: AccountId,
        version: PasswordVersion,
        password: &str,
    ) -> Result<(), BackendError>;
}

impl ScimConnection {
    /// Serves the connection of this attestor. `base` is the address below which resources are found, such as
    /// `https://example.com/scim/v2`, or a path such as `/scim/v2`.
    #[must_use]
    pub fn new(attestor: Attestor, base: impl AsRef<str>) -> Self {
        Self {
            attestor,
            base: base.as_ref().trim_end_matches('/').to_owned(),
            schemas: Schemas::standard(),
            tolerance: Tolerance::strict(),
            limits: Limits::default(),
            pages: PageLimits::default(),
            reach: Reach::default(),
            unique_group_names: false,
            is_feed: false,
            passwords: None,
            authentication: vec![bearer()],
        }
    }

    /// Tells whether a bulk request can have any operation.
    pub(super) const fn takes_bulk(&self) -> bool {
        self.limits.bulk_operations > 0
    }

    /// Serves these schemas and resource types.
    #[must_use]
    pub fn schemas(mut self, schemas: Schemas) -> Self {
        self.schemas = schemas;
        self
    }

    /// Bears the quirks of a provider.
    #[must_use]
    pub fn tolerance(mut self, tolerance: Tolerance) -> Self {
        self.tolerance = tolerance;
        self
    }

    /// Bounds requests.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Bounds pages.
    #[must_use]
    pub fn pages(mut self, pages: PageLimits) -> Self {
        self.pages = pages;
        self
    }

    /// Bounds what one request looks at and does.
    #[must_use]
    pub fn reach(mut self, reach: Reach) -> Self {
        self.reach = reach;
        self
    }

    /// Refuses a second group of the same name, as Entra expects it. Decide it before there are groups.
    #[must_use]
    pub fn unique_group_names(mut self) -> Self {
        self.unique_group_names = true;
        self
    }

    /// Takes a POST of somebody who is known as what is new about them, and not as a conflict: for feeds that say everything
    /// with POST, such as the API-driven provisioning of Entra. What such a POST leaves out stays.
    #[must_use]
    pub fn feed(mut self) -> Self {
        self.is_feed = true;
        self
    }

    /// Hands passwords over.
    #[must_use]
    pub fn passwords(mut self, passwords: Arc<dyn Passwords>) -> Self {
        self.passwords = Some(passwords);
        self
    }

    /// Says in `/ServiceProviderConfig` how clients authenticate, the preferred way first; bearer tokens unless said
    /// otherwise.
    #[must_use]
    pub fn authentication(mut self, schemes: Vec<AuthenticationScheme>) -> Self {
        self.authentication = schemes;
        self
    }
}

fn bearer() -> AuthenticationScheme {
    AuthenticationScheme {
        kind: "oauthbearertoken".to_owned(),
        name: "Bearer token".to_owned(),
        description: "A token in the header `Authorization` (RFC 6750)".to_owned(),
    }
}

impl fmt::Debug for ScimConnection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ScimConnection")
            .field("tenant", self.attestor.tenant())
            .field("connection", self.attestor.connection())
            .field("base", &self.base)
            .finish_non_exhaustive()
    }
}
