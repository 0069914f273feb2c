//! A set of attributes that is searched by name, without regard to case.

use smol_str::SmolStr;

use super::Attribute;
use crate::json::Json;

/// Where an attribute stands in its set. Resources keep positions in the place of names.
pub(crate) type Position = u16;

/// The attributes of a schema, of a resource type or of a complex attribute, in their order.
#[derive(Debug, Clone, Default)]
pub struct Attributes {
    list: Vec<Attribute>,
    /// By the length of the name, which tells most of them apart at once.
    by_length: Vec<(usize, Position)>,
}

impl Attributes {
    /// Takes attributes over, or returns the name that was there before or is one too many.
    pub(super) fn new(list: Vec<Attribute>) -> Result<Self, SmolStr> {
        let mut set = Self::default();
        for attribute in list {
            set.push(attribute)?;
        }
        Ok(set)
    }

    /// Takes attributes over whose names are known to differ; of two with the same name the first counts.
    pub(super) fn of(list: impl IntoIterator<Item = Attribute>) -> Self {
        let mut set = Self::default();
        for attribute in list {
            let _known = set.push(attribute);
        }
        set
    }

    pub(super) fn push(&mut self, attribute: Attribute) -> Result<(), SmolStr> {
        let (Ok(position), None) = (Position::try_from(self.list.len()), self.find(&attribute.name)) else {
            return Err(attribute.name);
        };
        let length = attribute.name.len();
        let place = self.by_length.partition_point(|(other, _)| *other <= length);
        self.by_length.insert(place, (length, position));
        self.list.push(attribute);
        Ok(())
    }

    /// Iterates over the attributes in the order of the schema.
    #[must_use]
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Attribute> {
        self.list.iter()
    }

    /// Returns the attribute of this name.
    #[must_use]
    pub fn named(&self, name: &str) -> Option<&Attribute> {
        self.find(name).map(|(_, attribute)| attribute)
    }

    pub(crate) fn find(&self, name: &str) -> Option<(Position, &Attribute)> {
        let first = self.by_length.partition_point(|(length, _)| *length < name.len());
        let alike = self.by_length.get(first..)?.iter().take_while(|(length, _)| *length == name.len());
        let mut alike = alike.filter_map(|(_, position)| Some((*position, self.at(*position)?)));
        // as the schema writes it, mostly
        alike.find(|(_, attribute)| *attribute.name == *name || attribute.name.eq_ignore_ascii_case(name))
    }

    pub(crate) fn at(&self, position: Position) -> Option<&Attribute> {
        self.list.get(usize::from(position))
    }

    pub(crate) fn positions(&self) -> impl Iterator<Item = (Position, &Attribute)> {
        (0..Position::MAX).zip(&self.list)
    }

    pub(crate) fn len(&self) -> usize {
        self.list.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    pub(super) fn to_json(&self) -> Json {
        Json::List(self.iter().map(Attribute::to_json).collect())
    }
}
