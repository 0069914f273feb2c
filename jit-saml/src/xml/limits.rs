//! How much one document may hold.

/// Bounds what one document may hold, so that no text costs more than its size.
///
/// The defaults fit messages of the sign-in. A federation's metadata is larger: its reader raises `bytes`, `elements`,
/// `nodes` and `signatures`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The most octets.
    pub bytes: usize,
    /// The most elements that are open at once.
    pub depth: usize,
    /// The most attributes of one element, declarations of namespaces included.
    pub attributes: usize,
    /// The most different prefixes, and the most different namespace names, in one document.
    pub namespaces: usize,
    /// The most elements.
    pub elements: usize,
    /// The most nodes: elements, runs of text, sections, comments and processing instructions. Counted apart, there may be as
    /// many references in texts, and half as many attributes and declarations of namespaces; tags that are repeated letter by
    /// letter count once.
    pub nodes: usize,
    /// The most elements `ds:Signature`.
    pub signatures: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            depth: 64,
            attributes: 64,
            namespaces: 64,
            elements: 20_000,
            nodes: 60_000,
            signatures: 4,
        }
    }
}
