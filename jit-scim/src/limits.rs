//! How much of everything is taken from a stranger.

/// Bounds of a request. What goes beyond them is refused before anything is changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// The longest body, in bytes.
    pub body_bytes: usize,
    /// The longest text within it, in bytes: of one value of one attribute.
    pub text_bytes: usize,
    /// How deep objects and arrays may lie in each other.
    pub depth: usize,
    /// How many values a body may hold, counting each array and object as one.
    pub values: usize,
    /// The longest resource, in bytes, without what is kept apart (members, passwords). Whatever was longer before it was
    /// bounded may become shorter.
    pub resource_bytes: usize,
    /// How many operations a PATCH may hold.
    pub patch_operations: usize,
    /// How many operations a bulk request may hold.
    pub bulk_operations: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes: 1 << 20,
            text_bytes: 64 << 10,
            depth: 32,
            values: 200_000,
            resource_bytes: 1 << 20,
            patch_operations: 1000,
            bulk_operations: 1000,
        }
    }
}
