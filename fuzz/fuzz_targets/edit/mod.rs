//! Changes of a document, as bytes say them.

/// Changes a document: each change is two octets of where, one of how much goes, one of how much comes, and what comes.
pub(crate) fn edited(original: &[u8], mut changes: &[u8]) -> Vec<u8> {
    let mut document = original.to_vec();
    while let [high, low, goes, comes, rest @ ..] = changes {
        let (new, rest) = rest.split_at(usize::from(*comes).min(rest.len()));
        let from = usize::from(u16::from_be_bytes([*high, *low])).min(document.len());
        let to = (from + usize::from(*goes)).min(document.len());
        document.splice(from..to, new.iter().copied());
        changes = rest;
    }
    document
}
