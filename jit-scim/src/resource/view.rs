//! Users and groups as Rust sees them, without copies.

use crate::resource::Resource;
use crate::resource::value::{Object, Value};
use crate::schema::{Attribute, ENTERPRISE_USER, GROUP, USER};

/// A user (RFC 7643 §4.1) with the enterprise extension (§4.3).
#[derive(Clone, Copy, Debug)]
pub struct UserView<'a>(&'a Resource);

/// A group (RFC 7643 §4.2).
#[derive(Clone, Copy, Debug)]
pub struct GroupView<'a>(&'a Resource);

/// The parts of a name.
#[derive(Clone, Copy, Debug)]
pub struct NameView<'a>(&'a Resource);

/// One of several values, such as an e-mail address.
#[derive(Clone, Copy, Debug)]
pub struct Labelled<'a> {
    attribute: &'a Attribute,
    value: &'a Object,
}

/// A member of a group.
#[derive(Clone, Copy, Debug)]
pub struct MemberView<'a>(Labelled<'a>);

impl Resource {
    /// Looks at the resource as a user, if it is one.
    #[must_use]
    pub fn as_user(&self) -> Option<UserView<'_>> {
        (self.kind().schema().id() == USER).then_some(UserView(self))
    }

    /// Looks at the resource as a group, if it is one.
    #[must_use]
    pub fn as_group(&self) -> Option<GroupView<'_>> {
        (self.kind().schema().id() == GROUP).then_some(GroupView(self))
    }

    /// Iterates over the complex values of an attribute.
    pub fn labelled(&self, name: &str) -> impl Iterator<Item = Labelled<'_>> {
        let path = || self.kind().resolve(name);
        let attribute = match self.kind().attributes().named(name) {
            Some(attribute) => Some(attribute),
            None => path().and_then(|path| self.kind().attribute(&path)),
        };
        let values = self.value(name).map_or(&[][..], Value::each);
        attribute.into_iter().flat_map(move |attribute| {
            values.iter().filter_map(move |value| Some(Labelled { attribute, value: value.as_complex()? }))
        })
    }
}

impl<'a> UserView<'a> {
    /// Returns the name to sign in with.
    #[must_use]
    pub fn user_name(self) -> &'a str {
        self.0.text("userName").unwrap_or_default()
    }

    /// Returns the name for display.
    #[must_use]
    pub fn display_name(self) -> Option<&'a str> {
        self.0.text("displayName")
    }

    /// Returns the parts of the name.
    #[must_use]
    pub const fn name(self) -> NameView<'a> {
        NameView(self.0)
    }

    /// Tells whether the account can be used. A client that says nothing of it means that it can.
    #[must_use]
    pub fn is_active(self) -> bool {
        self.0.value("active").and_then(Value::as_boolean).unwrap_or(true)
    }

    /// Iterates over the e-mail addresses.
    pub fn emails(self) -> impl Iterator<Item = Labelled<'a>> {
        self.0.labelled("emails")
    }

    /// Returns the primary e-mail address, or the first.
    #[must_use]
    pub fn email(self) -> Option<&'a str> {
        self.emails().find(|email| email.is_primary()).or_else(|| self.emails().next())?.value()
    }

    /// Returns an attribute of the enterprise extension, such as `department`.
    #[must_use]
    pub fn enterprise(self, name: &str) -> Option<&'a str> {
        self.0.text(&format!("{ENTERPRISE_USER}:{name}"))
    }

    /// Returns the identifier of the manager.
    #[must_use]
    pub fn manager(self) -> Option<&'a str> {
        self.enterprise("manager.value")
    }
}

impl<'a> NameView<'a> {
    /// Returns the whole name.
    #[must_use]
    pub fn formatted(self) -> Option<&'a str> {
        self.0.text("name.formatted")
    }

    /// Returns the given name.
    #[must_use]
    pub fn given(self) -> Option<&'a str> {
        self.0.text("name.givenName")
    }

    /// Returns the family name.
    #[must_use]
    pub fn family(self) -> Option<&'a str> {
        self.0.text("name.familyName")
    }
}

impl<'a> GroupView<'a> {
    /// Returns the name for display.
    #[must_use]
    pub fn display_name(self) -> &'a str {
        self.0.text("displayName").unwrap_or_default()
    }

    /// Iterates over the members.
    pub fn members(self) -> impl Iterator<Item = MemberView<'a>> {
        self.0.labelled("members").map(MemberView)
    }
}

impl<'a> Labelled<'a> {
    /// Returns the value itself.
    #[must_use]
    pub fn value(self) -> Option<&'a str> {
        self.text("value")
    }

    /// Returns what it is for, such as `work`.
    #[must_use]
    pub fn kind(self) -> Option<&'a str> {
        self.text("type")
    }

    /// Returns the value for display.
    #[must_use]
    pub fn display(self) -> Option<&'a str> {
        self.text("display")
    }

    /// Tells whether it is the preferred one.
    #[must_use]
    pub fn is_primary(self) -> bool {
        let position = self.attribute.sub_attributes().find("primary").map(|(position, _)| position);
        position.and_then(|position| self.value.get(position)) == Some(&Value::Boolean(true))
    }

    /// Returns the text of a sub-attribute.
    #[must_use]
    pub fn text(self, name: &str) -> Option<&'a str> {
        self.value.text(self.attribute.sub_attributes().find(name)?.0)
    }
}

impl<'a> MemberView<'a> {
    /// Returns the identifier of the member.
    #[must_use]
    pub fn id(self) -> &'a str {
        self.0.value().unwrap_or_default()
    }

    /// Returns what the member is: `User` or `Group`, where the client said it.
    #[must_use]
    pub fn kind(self) -> Option<&'a str> {
        self.0.kind()
    }
}
