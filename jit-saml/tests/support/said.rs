//! What responses say.

use jit_saml::assertion::{Attributes, NameId};
use jit_saml::response::VerifiedResponse;

/// All that an application learns from a response.
pub(crate) fn said_by(response: &VerifiedResponse) -> (String, Option<NameId>, Attributes) {
    let (issuer, id, context) = (response.issuer(), response.assertion_id(), response.authn_context());
    let session = (response.session_index(), response.session_not_on_or_after());
    let text = format!("{issuer} {id} {context:?} {:?} {session:?}", response.authn_instant());
    (text, response.name_id().cloned(), response.attributes().clone())
}
