//! Values that many accounts have in common, each kept once and known by a number.

use std::{collections::HashMap, hash::Hash};

/// The most values of a table: what comes from people and not from settings must not fill the memory for good.
const MOST: usize = 65_536;

/// So many values are compared with each other rather than hashed: most tables have no more.
const FEW: usize = 8;

/// Numbers values. None is ever forgotten.
pub(super) struct Table<T> {
    numbers: HashMap<T, usize>,
    values: Vec<T>,
}

impl<T> Default for Table<T> {
    fn default() -> Self {
        Self { numbers: HashMap::new(), values: Vec::new() }
    }
}

impl<T: Clone + Eq + Hash> Table<T> {
    /// The number of a value; `None` where the table is full.
    pub(super) fn number(&mut self, value: &T) -> Option<u64> {
        if let Some(number) = self.among_few(|known| known == value) {
            return Some(number);
        }
        if let Some(number) = self.numbers.get(value) {
            return Some(*number as u64);
        }
        let number = self.values.len();
        if number >= MOST {
            return None;
        }
        self.numbers.insert(value.clone(), number);
        self.values.push(value.clone());
        Some(number as u64)
    }

    /// The number of one of the first values, without one to compare it with.
    pub(super) fn among_few(&self, is_it: impl Fn(&T) -> bool) -> Option<u64> {
        self.values.iter().take(FEW).position(is_it).map(|number| number as u64)
    }

    pub(super) fn value(&self, number: u64) -> Option<&T> {
        self.values.get(usize::try_from(number).ok()?)
    }
}
