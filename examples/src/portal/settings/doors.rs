//! Checks that what the engine trusts and what the protocol verifies are the same.

use jit_core::config::{Check, Problems};
use jit_core::{Code, ConnectionId, Issuer};
use jit_ldap::SignInSettings;
use jit_oidc::OidcSettings;
use jit_saml::SamlSettings;

use super::scim::check_source;
use super::{DoorSettings, Method, Settings};
use crate::targets::TargetSettings;

/// Where a provider sends people back to: an address of the connection alone, so that the answer of one provider is
/// never taken for that of another.
pub(crate) fn callback(base_url: &str, id: &ConnectionId) -> String {
    format!("{base_url}/callback/{id}")
}

/// Checks that what the engine trusts and what the protocol verifies are the same.
pub(super) fn check_door(door: &DoorSettings, all: &Settings, found: &mut Problems) {
    let base_url = &all.portal.base_url;
    match door.protocol.method() {
        Some(Method::Oidc(settings)) => check_oidc_door(door, settings, base_url, found),
        Some(Method::Saml(settings)) => check_saml_door(door, settings, base_url, found),
        Some(Method::Ldap(settings)) => check_ldap_door(door, settings, all, found),
        Some(Method::Scim(_)) => check_source(door, found),
        None => {}
    }
}

/// The addresses of a SAML connection at this portal begin with this.
pub(crate) fn saml_address(base_url: &str, id: &ConnectionId, what: &str) -> String {
    format!("{base_url}/saml/{id}/{what}")
}

fn check_saml_door(door: &DoorSettings, settings: &SamlSettings, base_url: &str, found: &mut Problems) {
    if settings.acs_url != saml_address(base_url, &door.id, "acs") {
        found.within("protocol", |found| {
            found.within("saml", |found| {
                let message =
                    "must be the portal's `base_url`, then `/saml/`, the connection's id and `/acs`";
                found.report_in("acs_url", Code::new("config.invalid_value"), message);
            });
        });
    }
    if settings.idp.is_none() && door.protocol.metadata.is_none() {
        found.within("protocol", |found| {
            let message = "needs `saml.idp` or `metadata`";
            found.report(Code::new("config.one_of"), message);
        });
    }
    // A template names no provider to begin a sign-in at.
    let own = settings.idp.as_ref().map(|idp| idp.entity_id.as_str());
    let named: Vec<&str> = door.issuers.iter().map(Issuer::as_str).collect();
    let is_one = matches!(named.as_slice(), [one] if own.is_none_or(|own| own == *one));
    if !is_one {
        let message =
            "must be the one name of the provider, that of `protocol.saml.idp` or of its `metadata`";
        found.report_in("issuers", Code::new("config.issuer_mismatch"), message);
    }
}

fn check_ldap_door(door: &DoorSettings, settings: &SignInSettings, all: &Settings, found: &mut Problems) {
    // What is wrong with it alone was reported before.
    let Ok(config) = settings.check() else { return };
    found.within("protocol", |found| {
        found.within("ldap", |found| Check::check(&all.refusing_what_is_lent(settings), found));
    });
    if door.issuers != [config.issuer().clone()] {
        let message = "must be the one `issuer` of `protocol.ldap`";
        found.report_in("issuers", Code::new("config.issuer_mismatch"), message);
    }
}

impl Settings {
    /// The settings of a sign-in that refuses whatever bears a marker of one of the targets.
    pub(crate) fn refusing_what_is_lent(&self, settings: &SignInSettings) -> SignInSettings {
        settings.clone().beside_targets(self.target.iter().flat_map(TargetSettings::markers))
    }
}

fn check_oidc_door(door: &DoorSettings, settings: &OidcSettings, base_url: &str, found: &mut Problems) {
    let Ok(oidc) = settings.check() else { return };
    if settings.redirect_uri != callback(base_url, &door.id) {
        found.within("protocol", |found| {
            found.within("oidc", |found| {
                let message = "must be the portal's `base_url`, then `/callback/` and the connection's id";
                found.report_in("redirect_uri", Code::new("config.invalid_value"), message);
            });
        });
    }
    // What is wrong with the rest was reported before.
    let Ok((connection, _, _)) = door.clone().define() else { return };
    if oidc.issuers().as_ref() != Some(&connection.settings().issuers) {
        let message = "are not those whose tokens `protocol.oidc` accepts";
        found.report_in("issuers", Code::new("config.issuer_mismatch"), message);
    }
}
