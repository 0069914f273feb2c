use chrono::{DateTime, Datelike, Months, Utc};
use serde_json::{Map, Value, json};

/// Describes the house that a demo provider speaks for.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Realm {
    /// The name that its pages show.
    pub name: &'static str,
    /// Everybody who can sign in there.
    pub people: &'static [Person],
}

/// A company with a domain of its own.
pub static ACME: Realm = Realm { name: "Acme", people: &ACME_PEOPLE };

/// A community of people from everywhere: it verifies addresses, and no domain is its own to speak for.
pub static GUILD: Realm = Realm { name: "Guild", people: &GUILD_PEOPLE };

/// A company with a domain of its own, whose provider speaks SAML.
pub static FOUNDRY: Realm = Realm { name: "Foundry", people: &FOUNDRY_PEOPLE };

/// Describes somebody who can sign in at a demo provider.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Person {
    /// The head of the subject.
    pub realm: &'static str,
    /// The name in the sign-in form, and the tail of the subject.
    pub id: &'static str,
    /// The given name.
    pub given_name: &'static str,
    /// The family name.
    pub family_name: &'static str,
    /// What the sign-in page says about this person.
    pub about: &'static str,
    /// The e-mail address the provider asserts.
    pub email: &'static str,
    /// Whether the provider says that it verified the address.
    pub email_verified: bool,
    /// The department, as HR knows it.
    pub department: &'static str,
    /// The kind of employment.
    pub employment: &'static str,
    /// The groups in the provider's directory.
    pub groups: &'static [&'static str],
    /// The user name the provider proposes, if any.
    pub user_name: Option<&'static str>,
    /// In how many months the contract ends, if it does.
    pub contract_months: Option<u32>,
}

const ALICE: Person = Person {
    realm: "acme",
    id: "alice",
    given_name: "Alice",
    family_name: "Example",
    about: "Engineering, and administrator of the portal. Her mail is verified.",
    email: "alice@acme.example",
    email_verified: true,
    department: "engineering",
    employment: "employee",
    groups: &["acme-engineering", "acme-portal-admins"],
    user_name: Some("alice"),
    contract_months: None,
};

static ACME_PEOPLE: [Person; 7] = [
    ALICE,
    Person {
        id: "bob",
        given_name: "Bob",
        family_name: "Brown",
        about: "Sales. His groups give him one role.",
        email: "bob@acme.example",
        department: "sales",
        groups: &["acme-sales", "acme-lunch"],
        user_name: Some("bob"),
        ..ALICE
    },
    Person {
        id: "casey",
        given_name: "Casey",
        family_name: "Clark",
        about: "A contractor. The account ends when the contract does.",
        email: "casey@acme.example",
        employment: "contractor",
        groups: &["acme-engineering"],
        user_name: Some("casey"),
        contract_months: Some(3),
        ..ALICE
    },
    Person {
        id: "mallory",
        given_name: "Mallory",
        family_name: "Mask",
        about: "Claims the mail address of Alice, unverified.",
        email: "alice@acme.example",
        email_verified: false,
        groups: &[],
        user_name: Some("mallory"),
        ..ALICE
    },
    Person {
        id: "erin",
        given_name: "Erin",
        family_name: "Elsewhere",
        about: "From a domain that nobody allowed.",
        email: "erin@elsewhere.example",
        department: "sales",
        groups: &["acme-sales"],
        user_name: Some("erin"),
        ..ALICE
    },
    Person {
        id: "pat",
        given_name: "Pat",
        family_name: "Pending",
        about: "Finance. An administrator has to approve the account.",
        email: "pat@acme.example",
        department: "finance",
        groups: &["acme-finance"],
        user_name: Some("pat"),
        ..ALICE
    },
    Person {
        id: "ned",
        given_name: "Ned",
        family_name: "Newcomer",
        about: "A trainee. Agrees to the terms, and chooses a user name.",
        email: "ned@acme.example",
        employment: "trainee",
        groups: &["acme-engineering"],
        user_name: None,
        ..ALICE
    },
];

static GUILD_PEOPLE: [Person; 2] = [
    Person {
        realm: "guild",
        id: "7001",
        about: "Has an account at Acme already, and comes another way. Proves that it is hers.",
        department: "craft",
        employment: "member",
        groups: &[],
        user_name: Some("alice"),
        ..ALICE
    },
    Person {
        realm: "guild",
        id: "7002",
        given_name: "Gwen",
        family_name: "Guild",
        about: "A guest. Agrees to the terms, chooses a user name and a password.",
        email: "gwen@guild.example",
        department: "craft",
        employment: "member",
        groups: &[],
        user_name: None,
        ..ALICE
    },
];

static FOUNDRY_PEOPLE: [Person; 4] = [
    Person {
        realm: "foundry",
        id: "fay",
        given_name: "Fay",
        family_name: "Ferrous",
        about: "A smith. Her group gives her a role.",
        email: "fay@foundry.example",
        department: "casting",
        groups: &["foundry-smiths", "foundry-choir"],
        user_name: Some("fay"),
        ..ALICE
    },
    Person {
        realm: "foundry",
        id: "finn",
        given_name: "Finn",
        family_name: "Fresh",
        about: "A trainee. Agrees to the terms, and chooses a user name.",
        email: "finn@foundry.example",
        department: "casting",
        employment: "trainee",
        groups: &["foundry-smiths"],
        user_name: None,
        ..ALICE
    },
    Person {
        realm: "foundry",
        id: "frank",
        given_name: "Frank",
        family_name: "Foreign",
        about: "From a domain that nobody allowed.",
        email: "frank@elsewhere.example",
        department: "casting",
        groups: &["foundry-smiths"],
        user_name: Some("frank"),
        ..ALICE
    },
    Person {
        realm: "foundry",
        id: "alice",
        about: "Works for both, and has an account by Acme already. Proves that it is hers.",
        department: "casting",
        groups: &["foundry-smiths"],
        ..ALICE
    },
];

impl Realm {
    /// Finds a person by the name in the sign-in form.
    #[must_use]
    pub fn find(&self, id: &str) -> Option<&'static Person> {
        self.people.iter().find(|person| person.id == id)
    }
}

impl Person {
    /// Gives the subject under which the provider knows this person; it never changes.
    #[must_use]
    pub fn subject(&self) -> String {
        format!("{}|{}", self.realm, self.id)
    }

    /// Gives the full name.
    #[must_use]
    pub fn name(&self) -> String {
        format!("{} {}", self.given_name, self.family_name)
    }

    /// Gives the claims that the scopes ask for
    /// ([OpenID Connect Core section 5.4](https://openid.net/specs/openid-connect-core-1_0.html#ScopeClaims)).
    pub(crate) fn claims(&self, scope: &str, now: DateTime<Utc>) -> Map<String, Value> {
        let asked = |wanted: &str| scope.split(' ').any(|one| one == wanted);
        let mut claims = Map::new();
        claims.insert("sub".into(), json!(self.subject()));
        if asked("profile") {
            self.add_profile(&mut claims, now);
        }
        if asked("email") {
            claims.insert("email".into(), json!(self.email));
            claims.insert("email_verified".into(), json!(self.email_verified));
        }
        if asked("groups") {
            claims.insert("groups".into(), json!(self.groups));
        }
        claims
    }

    fn add_profile(&self, claims: &mut Map<String, Value>, now: DateTime<Utc>) {
        claims.insert("name".into(), json!(self.name()));
        claims.insert("given_name".into(), json!(self.given_name));
        claims.insert("family_name".into(), json!(self.family_name));
        claims.insert("department".into(), json!(self.department));
        claims.insert("employment".into(), json!(self.employment));
        if let Some(user_name) = self.user_name {
            claims.insert("preferred_username".into(), json!(user_name));
        }
        // The first of a month: it stays the same for weeks, so that a second sign-in has nothing to change.
        let this_month = now.date_naive().with_day(1);
        let end = self.contract_months.and_then(|months| this_month?.checked_add_months(Months::new(months)));
        if let Some(end) = end {
            claims.insert("contract_end".into(), json!(format!("{end}T00:00:00Z")));
        }
    }
}

#[cfg(test)]
mod tests {
    use chrono::TimeZone;

    use super::*;

    #[test]
    fn claims_follow_the_scopes() {
        let now = Utc.with_ymd_and_hms(2026, 11, 21, 9, 0, 0).unwrap();
        let casey = ACME.find("casey").unwrap();
        let bare = casey.claims("openid", now);
        assert_eq!(bare.keys().collect::<Vec<_>>(), ["sub"]);
        let full = casey.claims("openid profile email groups", now);
        assert_eq!(full["contract_end"], "2027-02-01T00:00:00Z");
        assert_eq!(full["email_verified"], true);
        assert_eq!(full["groups"], json!(["acme-engineering"]));
    }

    #[test]
    fn every_subject_is_its_own() {
        let everybody = || ACME.people.iter().chain(GUILD.people).chain(FOUNDRY.people);
        let subjects: std::collections::BTreeSet<_> = everybody().map(Person::subject).collect();
        assert_eq!(subjects.len(), everybody().count());
    }
}
