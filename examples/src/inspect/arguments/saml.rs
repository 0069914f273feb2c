use chrono::TimeDelta;

use super::{ForBoth, seconds};
use crate::command_line::{Given, Known, UsageError};

/// Asks about SAML responses.
pub(in crate::inspect) struct Inquiry {
    pub(in crate::inspect) both: ForBoth,
    pub(in crate::inspect) sp_entity_id: Option<String>,
    pub(in crate::inspect) acs_url: Option<String>,
    pub(in crate::inspect) idp_metadata: Option<String>,
    pub(in crate::inspect) idp_entity_id: Option<String>,
    pub(in crate::inspect) idp_certificates: Vec<String>,
    pub(in crate::inspect) decryption_keys: Vec<String>,
    pub(in crate::inspect) request_id: Option<String>,
    pub(in crate::inspect) unsolicited: bool,
    pub(in crate::inspect) skew: Option<TimeDelta>,
    pub(in crate::inspect) encoding: Option<Encoding>,
}

/// How a response file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::inspect) enum Encoding {
    /// As XML.
    Xml,
    /// As the form carries it.
    Base64,
}

impl std::fmt::Debug for Inquiry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Inquiry").field("files", &self.both.files).finish_non_exhaustive()
    }
}

/// The options that no other inquiry has, and whether each has a value.
pub(super) const OPTIONS: [Known; 10] = [
    ("--sp-entity-id", true),
    ("--acs-url", true),
    ("--idp-metadata", true),
    ("--idp-entity-id", true),
    ("--idp-cert", true),
    ("--decryption-key", true),
    ("--request-id", true),
    ("--unsolicited", false),
    ("--skew", true),
    ("--encoding", true),
];

impl Inquiry {
    /// Takes what was given, if its options go together.
    pub(super) fn take(given: &mut Given) -> Result<Self, UsageError> {
        let inquiry = Self {
            both: ForBoth::take(given)?,
            sp_entity_id: given.one("--sp-entity-id")?,
            acs_url: given.one("--acs-url")?,
            idp_metadata: given.one("--idp-metadata")?,
            idp_entity_id: given.one("--idp-entity-id")?,
            idp_certificates: given.all("--idp-cert")?,
            decryption_keys: given.all("--decryption-key")?,
            request_id: given.one("--request-id")?,
            unsolicited: given.flag("--unsolicited")?,
            skew: seconds(given, "--skew")?,
            encoding: given.one("--encoding")?.map(|name| encoding(&name)).transpose()?,
        };
        inquiry.checked()
    }

    fn checked(self) -> Result<Self, UsageError> {
        if self.both.has_config() {
            self.check_configured()?;
        } else {
            self.check_described()?;
        }
        if self.unsolicited && self.request_id.is_some() {
            return Err(UsageError::Conflicting("--unsolicited", "--request-id"));
        }
        self.both.check_rest()?;
        Ok(self)
    }

    fn check_configured(&self) -> Result<(), UsageError> {
        let described = [
            ("--sp-entity-id", self.sp_entity_id.is_some()),
            ("--acs-url", self.acs_url.is_some()),
            ("--idp-entity-id", self.idp_entity_id.is_some()),
            ("--idp-cert", !self.idp_certificates.is_empty()),
        ];
        if let Some((name, _)) = described.into_iter().find(|(_, given)| *given) {
            return Err(UsageError::Conflicting("--config", name));
        }
        self.both.check_configured()
    }

    fn check_described(&self) -> Result<(), UsageError> {
        self.both.check_described()?;
        if self.sp_entity_id.is_none() {
            return Err(UsageError::Missing("--sp-entity-id"));
        }
        if self.acs_url.is_none() {
            return Err(UsageError::Missing("--acs-url"));
        }
        match (&self.idp_metadata, self.idp_certificates.is_empty()) {
            (Some(_), false) => Err(UsageError::Conflicting("--idp-metadata", "--idp-cert")),
            (None, true) => Err(UsageError::Missing("--idp-metadata")),
            (None, false) if self.idp_entity_id.is_none() => Err(UsageError::Missing("--idp-entity-id")),
            _ => Ok(()),
        }
    }
}

fn encoding(text: &str) -> Result<Encoding, UsageError> {
    match text {
        "xml" => Ok(Encoding::Xml),
        "base64" => Ok(Encoding::Base64),
        _ => Err(UsageError::invalid("--encoding", &"neither `xml` nor `base64`")),
    }
}

#[cfg(test)]
mod tests {
    use super::super::both::no_files;
    use super::super::{Command, parse};
    use super::*;

    fn inquiry(line: &str) -> Result<Inquiry, UsageError> {
        match parse(line.split_whitespace())? {
            Command::Saml(inquiry) => Ok(*inquiry),
            other => panic!("{other:?}"),
        }
    }

    const LEAST: &str = "saml --sp-entity-id sp --acs-url https://sp.example/acs";

    #[test]
    fn every_option_is_read() {
        let asked = inquiry(&format!(
            "{LEAST} --idp-entity-id idp --idp-cert a.pem --idp-cert b.pem --decryption-key new.pem \
             --decryption-key old.pem --request-id _1 --skew 60 --now 1800000000 --encoding base64 one.txt -- --two"
        ))
        .unwrap();
        assert_eq!(asked.idp_certificates, ["a.pem", "b.pem"]);
        assert_eq!(asked.decryption_keys, ["new.pem", "old.pem"]);
        assert_eq!(asked.request_id.as_deref(), Some("_1"));
        assert_eq!(asked.skew, Some(TimeDelta::seconds(60)));
        assert_eq!(asked.encoding, Some(Encoding::Base64));
        assert_eq!(asked.both.files, ["one.txt", "--two"]);
        let asked =
            inquiry(&format!("{LEAST} --idp-metadata m.xml --idp-entity-id e --unsolicited f")).unwrap();
        assert_eq!(asked.idp_entity_id.as_deref(), Some("e"), "it chooses among several in the metadata");
        assert!(asked.unsolicited);
    }

    #[test]
    fn a_wrong_command_line_says_what_is_wrong() {
        for (line, error) in [
            ("saml f", UsageError::Missing("--sp-entity-id")),
            ("saml --sp-entity-id s f", UsageError::Missing("--acs-url")),
            ("saml --config c f", UsageError::Missing("--connection")),
            (
                "saml --config c --connection c --acs-url u f",
                UsageError::Conflicting("--config", "--acs-url"),
            ),
            ("saml --config c --connection c", no_files()),
            ("saml --config c --connection c --store s f", UsageError::Missing("--explain")),
        ] {
            assert_eq!(inquiry(line).unwrap_err(), error, "{line}");
        }
        for (tail, error) in [
            ("f", UsageError::Missing("--idp-metadata")),
            ("--idp-cert c f", UsageError::Missing("--idp-entity-id")),
            ("--idp-metadata m --idp-cert c f", UsageError::Conflicting("--idp-metadata", "--idp-cert")),
            ("--idp-metadata m --explain f", UsageError::Missing("--config")),
            (
                "--idp-metadata m --unsolicited --request-id r f",
                UsageError::Conflicting("--unsolicited", "--request-id"),
            ),
            ("--idp-metadata m --jwks f", UsageError::UnknownOption("--jwks".into())),
            ("--idp-metadata m --unsolicited=1 f", UsageError::UnexpectedValue("--unsolicited")),
            ("--encoding hex", UsageError::invalid("--encoding", &"neither `xml` nor `base64`")),
        ] {
            assert_eq!(inquiry(&format!("{LEAST} {tail}")).unwrap_err(), error, "{tail}");
        }
    }
}
