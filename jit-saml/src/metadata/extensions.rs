//! What metadata says about an entity beyond the protocol: scopes, names and logos for people, entity attributes.

use super::names::{ALG, MD, MDATTR, MDRPI, MDUI, SHIBMD};
use super::rejection::MetadataWarning;
use crate::binding::Reach;
use crate::names::SAML;
use crate::xml::Element;

/// Longer than any scope or name, and short enough to be shown.
const MAX_TEXT: usize = 4096;
/// Logos may be written out in the document (SDP-MD10).
const MAX_LOGO: usize = 256 * 1024;

/// A text in one language.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Localized {
    /// The language as a BCP 47 tag.
    pub language: String,
    /// The text.
    pub text: String,
}

/// A picture for a list of providers.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Logo {
    /// An https address, or the picture itself as a `data:image/` address.
    pub address: String,
    /// In pixels.
    pub width: Option<u32>,
    /// In pixels.
    pub height: Option<u32>,
    /// The language as a BCP 47 tag, where the picture holds text.
    pub language: Option<String>,
}

impl Logo {
    /// Names a picture and its size in pixels.
    #[must_use]
    pub fn new(address: impl Into<String>, width: u32, height: u32) -> Self {
        Self { address: address.into(), width: Some(width), height: Some(height), language: None }
    }
}

/// How an entity shows itself to people (`MetaUI` §2.1). Every address is https, every text is as the metadata has it: to be
/// escaped where it is shown.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct UserInterface {
    /// Names.
    pub display_names: Vec<Localized>,
    /// Descriptions.
    pub descriptions: Vec<Localized>,
    /// Pages about the entity.
    pub information_urls: Vec<Localized>,
    /// Privacy statements.
    pub privacy_statement_urls: Vec<Localized>,
    /// Pictures.
    pub logos: Vec<Logo>,
    /// Domains whose people probably belong here: a hint for discovery, never for trust.
    pub domain_hints: Vec<String>,
}

/// An attribute of an entity, such as its categories (`MetaAttr` §2).
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct EntityAttribute {
    /// The name.
    pub name: String,
    /// How the name is to be read.
    pub name_format: Option<String>,
    /// The values.
    pub values: Vec<String>,
}

/// Walks through the extensions of an entity or role.
pub(super) fn extensions(holder: Element<'_>) -> impl Iterator<Item = Element<'_>> {
    holder.children().filter(|child| child.is(MD, "Extensions")).flat_map(Element::children)
}

/// Collects the scopes that can be compared as they stand. A pattern is never run: what it would let in cannot be seen by
/// whoever reviews it (SDP-SP17 leaves them out as well).
pub(super) fn scopes(holder: Element<'_>, warnings: &mut Vec<MetadataWarning>) -> Vec<String> {
    let mut scopes = Vec::new();
    for scope in extensions(holder).filter(|child| child.is(SHIBMD, "Scope")) {
        if !matches!(scope.attribute("regexp").map(str::trim), None | Some("false" | "0")) {
            warnings.push(MetadataWarning::ScopePattern);
            continue;
        }
        match text(scope).filter(|scope| !scope.contains(char::is_whitespace)) {
            Some(scope) => scopes.push(scope),
            None => warnings.push(MetadataWarning::ScopeMalformed),
        }
    }
    scopes
}

/// Reads the first `mdui:UIInfo` and `mdui:DiscoHints` of a role.
pub(super) fn user_interface(role: Element<'_>, warnings: &mut Vec<MetadataWarning>) -> UserInterface {
    let mut ui = UserInterface::default();
    if let Some(info) = extensions(role).find(|child| child.is(MDUI, "UIInfo")) {
        for child in info.children().filter(|child| child.namespace() == MDUI) {
            match child.local() {
                "DisplayName" => ui.display_names.extend(localized(child)),
                "Description" => ui.descriptions.extend(localized(child)),
                "InformationURL" => ui.information_urls.extend(page(child, warnings)),
                "PrivacyStatementURL" => ui.privacy_statement_urls.extend(page(child, warnings)),
                "Logo" => ui.logos.extend(logo(child, warnings)),
                _ => {}
            }
        }
    }
    if let Some(hints) = extensions(role).find(|child| child.is(MDUI, "DiscoHints")) {
        let domains = hints.children().filter(|child| child.is(MDUI, "DomainHint"));
        ui.domain_hints.extend(domains.filter_map(text));
    }
    ui
}

/// Collects the attributes that stand by themselves. Those inside signed assertions speak for their own issuer, not for the
/// publisher of the metadata, and are left out.
pub(super) fn entity_attributes(entity: Element<'_>) -> Vec<EntityAttribute> {
    let holders = extensions(entity).filter(|child| child.is(MDATTR, "EntityAttributes"));
    let attributes = holders.flat_map(Element::children).filter(|child| child.is(SAML, "Attribute"));
    let read = |attribute: Element<'_>| {
        let values = attribute.children().filter(|child| child.is(SAML, "AttributeValue"));
        Some(EntityAttribute {
            name: attribute.attribute("Name")?.to_owned(),
            name_format: attribute.attribute("NameFormat").map(str::to_owned),
            values: values.filter_map(text).collect(),
        })
    };
    attributes.filter_map(read).collect()
}

/// Names who registered the entity (`MDRPI` §2.1).
pub(super) fn registration_authority(entity: Element<'_>) -> Option<String> {
    let info = extensions(entity).find(|child| child.is(MDRPI, "RegistrationInfo"))?;
    info.attribute("registrationAuthority").map(str::to_owned)
}

/// Lists the signature algorithms that a role, or else its entity, says it accepts (`MetaAlgSup` §2.4).
pub(super) fn signing_methods(role: Element<'_>, entity: Element<'_>) -> Vec<String> {
    let of = |holder| -> Vec<String> {
        let methods = extensions(holder).filter(|child| child.is(ALG, "SigningMethod"));
        methods.filter_map(|method| method.attribute("Algorithm")).map(str::to_owned).collect()
    };
    let methods = of(role);
    if methods.is_empty() { of(entity) } else { methods }
}

/// Returns the text of an element, without white space around it.
pub(super) fn text(element: Element<'_>) -> Option<String> {
    let text = element.only_text()?;
    let text = text.trim();
    (!text.is_empty() && text.len() <= MAX_TEXT).then(|| text.to_owned())
}

fn localized(element: Element<'_>) -> Option<Localized> {
    let language = language(element).unwrap_or_default();
    Some(Localized { language, text: text(element)? })
}

fn page(element: Element<'_>, warnings: &mut Vec<MetadataWarning>) -> Option<Localized> {
    let page = localized(element).filter(|page| Reach::Https.admits(without_fragment(&page.text)));
    if page.is_none() {
        warnings.push(MetadataWarning::AddressRefused);
    }
    page
}

/// A page may be shown from its middle; an endpoint may not.
fn without_fragment(address: &str) -> &str {
    address.split_once('#').map_or(address, |(page, _)| page)
}

fn logo(element: Element<'_>, warnings: &mut Vec<MetadataWarning>) -> Option<Logo> {
    let address = element.only_text().map(|text| text.trim().to_owned());
    let Some(address) = address.filter(|address| is_picture(address)) else {
        warnings.push(MetadataWarning::AddressRefused);
        return None;
    };
    let pixels = |name| element.attribute(name).and_then(|number| number.trim().parse().ok());
    Some(Logo { address, width: pixels("width"), height: pixels("height"), language: language(element) })
}

fn is_picture(address: &str) -> bool {
    let inline = address.len() <= MAX_LOGO
        && address.starts_with("data:image/")
        && address.bytes().all(|byte| byte.is_ascii_graphic());
    inline || Reach::Https.admits(address)
}

fn language(element: Element<'_>) -> Option<String> {
    element.attribute_in(crate::xml::XML_NAMESPACE, "lang").map(str::to_owned)
}
