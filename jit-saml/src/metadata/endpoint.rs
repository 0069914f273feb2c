//! Addresses of a provider (SAML Metadata §2.2.2).

use super::rejection::MetadataWarning;
use crate::binding::{Binding, Endpoint, Reach};
use crate::xml::Element;

/// Reads an endpoint. `Ok(None)` when its binding is none that is used here.
pub(super) fn endpoint(element: Element<'_>, reach: Reach) -> Result<Option<Endpoint>, MetadataWarning> {
    let attribute = |name| element.attribute(name).map(str::trim).filter(|text| !text.is_empty());
    let binding = attribute("Binding").ok_or(MetadataWarning::EndpointMalformed)?;
    let Some(binding) = Binding::from_uri(binding) else { return Ok(None) };
    let location = attribute("Location").ok_or(MetadataWarning::EndpointMalformed)?;
    let response_location = attribute("ResponseLocation");
    if !response_location.is_none_or(|address| reach.admits(address)) {
        return Err(MetadataWarning::EndpointRefused);
    }
    let endpoint = Endpoint::within(binding, location.to_owned(), reach);
    let mut endpoint = endpoint.ok_or(MetadataWarning::EndpointRefused)?;
    endpoint.response_location = response_location.map(str::to_owned);
    Ok(Some(endpoint))
}
