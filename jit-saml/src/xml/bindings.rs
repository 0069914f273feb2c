//! The namespace of each prefix, by numbers, with the way back.

use super::arena::Declaration;

/// A prefix that is not declared, or not written yet.
pub(super) const NOTHING: u32 = u32::MAX;

/// What prefixes mean at one place of a document. Each state has a number: the same number, the same meanings.
#[derive(Debug)]
pub(super) struct Bindings {
    now: Vec<u32>,
    outer: Vec<Declaration>,
    state: u32,
    states: u32,
}

/// A state to return to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Mark {
    length: usize,
    state: u32,
}

impl Bindings {
    /// Begins with nothing but the default namespace, which is none.
    pub(super) fn new(prefixes: usize) -> Self {
        let mut now = Vec::with_capacity(prefixes.max(8));
        now.resize(prefixes, NOTHING);
        if let Some(default) = now.first_mut() {
            *default = 0;
        }
        Self { now, outer: Vec::with_capacity(8), state: 0, states: 0 }
    }

    pub(super) fn add_prefix(&mut self) {
        self.now.push(NOTHING);
    }

    pub(super) fn of(&self, prefix: u32) -> u32 {
        self.now.get(prefix as usize).copied().unwrap_or(NOTHING)
    }

    pub(super) fn state(&self) -> u32 {
        self.state
    }

    pub(super) fn bind(&mut self, declaration: Declaration) {
        if let Some(now) = self.now.get_mut(declaration.prefix as usize) {
            self.outer.push(Declaration { prefix: declaration.prefix, namespace: *now });
            *now = declaration.namespace;
            self.states += 1;
            self.state = self.states;
        }
    }

    pub(super) fn mark(&self) -> Mark {
        Mark { length: self.outer.len(), state: self.state }
    }

    pub(super) fn restore(&mut self, mark: Mark) {
        while self.outer.len() > mark.length {
            let Some(old) = self.outer.pop() else { break };
            if let Some(now) = self.now.get_mut(old.prefix as usize) {
                *now = old.namespace;
            }
        }
        self.state = mark.state;
    }
}
