//! How it is written what verifies an address.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{Error, MapAccess, Visitor, value::MapAccessDeserializer},
};

use super::Verification;
use crate::ClaimPath;

const OWN_DOMAINS: &str = "own_domains";
const NEVER: &str = "never";

/// The form with a claim.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct ByClaim {
    claim: ClaimPath,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    organisation: Option<ClaimPath>,
}

impl Serialize for Verification {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Claim { claim, organisation } => {
                let (claim, organisation) = (claim.clone(), organisation.clone());
                ByClaim { claim, organisation }.serialize(serializer)
            }
            Self::OwnDomains => serializer.serialize_str(OWN_DOMAINS),
            Self::Never => serializer.serialize_str(NEVER),
        }
    }
}

impl<'de> Deserialize<'de> for Verification {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Forms)
    }
}

struct Forms;

impl<'de> Visitor<'de> for Forms {
    type Value = Verification;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a table with a claim, or a word")
    }

    fn visit_str<E: Error>(self, word: &str) -> Result<Verification, E> {
        match word {
            OWN_DOMAINS => Ok(Verification::OwnDomains),
            NEVER => Ok(Verification::Never),
            other => Err(E::unknown_variant(other, &[OWN_DOMAINS, NEVER])),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, members: A) -> Result<Verification, A::Error> {
        let ByClaim { claim, organisation } = ByClaim::deserialize(MapAccessDeserializer::new(members))?;
        Ok(Verification::Claim { claim, organisation })
    }
}
