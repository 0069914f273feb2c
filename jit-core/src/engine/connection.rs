//! A connection: a configured trust in one source, with its own mapping, policy, link rules and user store.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Provisioning;
use crate::{
    Attestor, AttributeMapper, AttributeName, ClaimPath, ConnectionId, DomainSet, EntitlementPattern,
    IssuerSet, Policy, StoreId, TenantId, identity::Seal,
};

/// Says what a connection is trusted with.
#[derive(Clone, Debug)]
#[expect(
    clippy::exhaustive_structs,
    reason = "whoever adds a kind of trust must visit every place that grants it"
)]
pub struct ConnectionSettings {
    /// The tenant that the connection speaks for, and no other.
    pub tenant: TenantId,
    /// Its id, unique in the tenant.
    pub id: ConnectionId,
    /// The issuers that may speak over it.
    pub issuers: IssuerSet,
    /// The mail domains that it speaks for: verified as the tenant's own by the operator.
    pub domains: DomainSet,
    /// What it may grant at most. Empty: nothing.
    pub ceiling: Vec<EntitlementPattern>,
    /// How an account is found that the identity is not linked to yet, in this order.
    pub link: Vec<LinkRule>,
    /// The user store that its accounts live in; `None` for the application's main one.
    pub store: Option<StoreId>,
}

/// Finds an account that an identity may belong to. The first rule that finds any ends the search.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(clippy::exhaustive_structs, reason = "read from configuration")]
pub struct LinkRule {
    /// By what.
    pub by: LinkBy,
}

/// Says by what an account is found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
#[expect(clippy::exhaustive_enums, reason = "each way to link is a decision of its own")]
pub enum LinkBy {
    /// By the mapped e-mail address.
    Email(MailLink),
    /// By a claim whose value a searchable attribute of the account holds, byte for byte. Only values count that this
    /// connection, an administrator or one of the connections in `given_by` gave: others may claim what they like.
    Attribute {
        /// The claim.
        claim: ClaimPath,
        /// The attribute.
        attribute: AttributeName,
        /// The other connections whose values are believed, such as the HR feed.
        #[serde(default, skip_serializing_if = "Vec::is_empty")]
        given_by: Vec<ConnectionId>,
    },
}

/// Says what an address must prove before it links.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(clippy::exhaustive_enums, reason = "each way to link is a decision of its own")]
pub enum MailLink {
    /// A verified address of a domain that the connection speaks for links by itself.
    WhenAuthoritative,
    /// No address links by itself; the person proves that the account is theirs.
    AfterProof,
}

/// Holds a connection, ready for the engine.
#[derive(Clone)]
pub struct Connection {
    pub(crate) seal: Arc<Seal>,
    pub(crate) settings: Arc<ConnectionSettings>,
    pub(crate) mapper: Arc<dyn AttributeMapper>,
    pub(crate) policy: Arc<dyn Policy>,
    pub(crate) shadow: Option<(Arc<dyn AttributeMapper>, Arc<dyn Policy>)>,
    pub(crate) provisioning: Option<Arc<Provisioning>>,
}

impl Connection {
    /// Defines a connection and hands out the one attestor that can speak for it: give it to the trigger.
    #[must_use]
    pub fn define(
        settings: ConnectionSettings,
        mapper: Arc<dyn AttributeMapper>,
        policy: Arc<dyn Policy>,
    ) -> (Self, Attestor) {
        let seal = Arc::new(Seal {
            tenant: settings.tenant.clone(),
            connection: settings.id.clone(),
            issuers: settings.issuers.clone(),
        });
        let attestor = Attestor::new(Arc::clone(&seal));
        (
            Self { seal, settings: Arc::new(settings), mapper, policy, shadow: None, provisioning: None },
            attestor,
        )
    }

    /// Runs another mapping and policy beside the real ones at every sign-in and reports where they differ.
    #[must_use]
    pub fn shadowed_by(mut self, mapper: Arc<dyn AttributeMapper>, policy: Arc<dyn Policy>) -> Self {
        self.shadow = Some((mapper, policy));
        self
    }

    /// Lets the connection speak of joiners, movers and leavers. It must have exactly one issuer.
    #[must_use]
    pub fn provisions(mut self, provisioning: Provisioning) -> Self {
        self.provisioning = Some(Arc::new(provisioning));
        self
    }

    /// How far the connection may provision, where it may.
    #[must_use]
    pub fn provisioning(&self) -> Option<&Provisioning> {
        self.provisioning.as_deref()
    }

    /// What the connection is trusted with.
    #[must_use]
    pub fn settings(&self) -> &ConnectionSettings {
        &self.settings
    }
}

impl fmt::Debug for Connection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Connection").field("settings", &self.settings).finish_non_exhaustive()
    }
}
