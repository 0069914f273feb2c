//! Attributes as an ordered multimap (SAML Core §2.7.3).

use std::collections::HashMap;
use std::fmt;

use super::name_id::NameId;
use crate::names::{SAML, XSI};
use crate::rejection::Rejection;
use crate::xml::Element;

/// The attributes of an assertion in the order in which their names occur first. What occurs several times under one name
/// is one attribute: many producers write an element for each value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Attributes(Vec<Attribute>);

/// One attribute. `Debug` shows its name and no value.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct Attribute {
    /// The name, by which alone it is known.
    pub name: String,
    /// How the name is to be read; kept and never used to decide (IIP-SP10).
    pub name_format: Option<String>,
    /// A name for people; kept and never used to decide (IIP-SP11).
    pub friendly_name: Option<String>,
    /// The values, in document order.
    pub values: Vec<AttributeValue>,
}

/// One value of an attribute.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum AttributeValue {
    /// Text, byte for byte; empty where the element is.
    Text(String),
    /// A `NameID`, such as `eduPersonTargetedID` holds.
    NameId(Box<NameId>),
    /// `xsi:nil`: the source says that there is none.
    Nil,
    /// XML that nothing here understands (IIP-SP10: it is passed over, and never fatal).
    Complex,
}

impl Attributes {
    /// Finds an attribute by its exact name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Attribute> {
        self.0.iter().find(|attribute| attribute.name == name)
    }

    /// Walks through the attributes.
    pub fn iter(&self) -> std::slice::Iter<'_, Attribute> {
        self.0.iter()
    }

    /// Counts the attributes.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Tells whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl<'a> IntoIterator for &'a Attributes {
    type Item = &'a Attribute;
    type IntoIter = std::slice::Iter<'a, Attribute>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl Attribute {
    /// Walks through the values that can be read as text.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.values.iter().filter_map(AttributeValue::text)
    }
}

impl AttributeValue {
    /// Returns the value as text: that of a `NameID` is the name itself.
    #[must_use]
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::NameId(name_id) => Some(&name_id.value),
            Self::Nil | Self::Complex => None,
        }
    }

    fn read(element: Element<'_>) -> Self {
        if let Some(text) = element.only_text() {
            return Self::Text(text.into_owned());
        }
        let mut children = element.children();
        match (children.next(), children.next()) {
            (Some(only), None) if !element.has_text() => {
                NameId::read(only).map_or(Self::Complex, |name_id| Self::NameId(Box::new(name_id)))
            }
            _ => Self::Complex,
        }
    }
}

/// Reads the attributes of all statements. `open` decrypts an `EncryptedAttribute` and adds the attribute inside it. One that
/// cannot be decrypted may be the one by which somebody is kept out, so it refuses the sign-in.
pub(crate) fn read_attributes<'d>(
    statements: impl Iterator<Item = Element<'d>>,
    open: impl Fn(Element<'d>, &mut Collected) -> Result<(), Rejection>,
) -> Result<Attributes, Rejection> {
    let mut collected = Collected::default();
    for child in statements.flat_map(Element::children) {
        match (child.namespace(), child.local()) {
            (SAML, "Attribute") => collected.add(child)?,
            (SAML, "EncryptedAttribute") => open(child, &mut collected)?,
            _ => return Err(Rejection::AttributeMalformed),
        }
    }
    Ok(Attributes(collected.attributes))
}

/// So many names are looked through faster than they are hashed.
const FEW: usize = 16;

/// Attributes while they are read. The index keeps a document with thousands of names linear.
#[derive(Default)]
pub(crate) struct Collected {
    attributes: Vec<Attribute>,
    /// Kept once there are more than a few.
    index: HashMap<String, usize>,
}

impl Collected {
    /// Adds the values of an `Attribute` to what is known under its name.
    pub(crate) fn add(&mut self, element: Element<'_>) -> Result<(), Rejection> {
        let name = element.attribute("Name").filter(|name| !name.is_empty());
        let name = name.filter(|_| element.is(SAML, "Attribute")).ok_or(Rejection::AttributeMalformed)?;
        let known = self.find(name).unwrap_or_else(|| self.insert(name, element));
        let Some(attribute) = self.attributes.get_mut(known) else { return Ok(()) };
        let mut like: Option<Element<'_>> = None;
        for value in element.children() {
            // what its tag says was looked at where it stood first
            if !like.is_some_and(|like| value.repeats(like)) {
                if !value.is(SAML, "AttributeValue") {
                    return Err(Rejection::AttributeMalformed);
                }
                if is_nil(value) {
                    attribute.values.push(AttributeValue::Nil);
                    continue;
                }
                like = Some(value);
            }
            attribute.values.push(AttributeValue::read(value));
        }
        Ok(())
    }

    fn find(&self, name: &str) -> Option<usize> {
        if self.attributes.len() <= FEW {
            return self.attributes.iter().position(|attribute| attribute.name == name);
        }
        self.index.get(name).copied()
    }

    fn insert(&mut self, name: &str, element: Element<'_>) -> usize {
        let owned = |name| element.attribute(name).map(str::to_owned);
        let known = self.attributes.len();
        if known == 0 {
            self.attributes.reserve(FEW);
        }
        if known == FEW {
            self.index = self.attributes.iter().map(|attribute| attribute.name.clone()).zip(0..).collect();
        }
        if known >= FEW {
            self.index.insert(name.to_owned(), known);
        }
        self.attributes.push(Attribute {
            name: name.to_owned(),
            name_format: owned("NameFormat"),
            friendly_name: owned("FriendlyName"),
            values: Vec::with_capacity(element.children().count()),
        });
        known
    }
}

fn is_nil(value: Element<'_>) -> bool {
    matches!(value.attribute_in(XSI, "nil").map(str::trim), Some("true" | "1"))
}

impl fmt::Debug for Attributes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.0).finish()
    }
}

impl fmt::Debug for Attribute {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} ({} values)", self.name, self.values.len())
    }
}

impl fmt::Debug for AttributeValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Text(_) => "Text(…)",
            Self::NameId(_) => "NameId(…)",
            Self::Nil => "Nil",
            Self::Complex => "Complex",
        })
    }
}
