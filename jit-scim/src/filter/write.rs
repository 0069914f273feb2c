//! Writes filters as RFC 7644 §3.4.2.2 does: what is read back is the same filter.

use std::fmt;

use super::{Comparison, Literal, Node};
use crate::resource::write::text;

impl fmt::Display for Node {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All(nodes) => list(f, nodes, " and ", |node| matches!(node, Self::All(_) | Self::Any(_))),
            Self::Any(nodes) => list(f, nodes, " or ", |node| matches!(node, Self::Any(_))),
            Self::Not(node) => write!(f, "not ({node})"),
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(comparison) => comparison.fmt(f),
            Self::Where(path, node) => write!(f, "{path}[{node}]"),
        }
    }
}

fn list(f: &mut fmt::Formatter<'_>, nodes: &[Node], sign: &str, grouped: fn(&Node) -> bool) -> fmt::Result {
    for (number, node) in nodes.iter().enumerate() {
        if number > 0 {
            f.write_str(sign)?;
        }
        if grouped(node) {
            write!(f, "({node})")?;
        } else {
            write!(f, "{node}")?;
        }
    }
    Ok(())
}

impl fmt::Display for Comparison {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} {}", self.path, self.operator.as_str(), self.literal)
    }
}

impl fmt::Display for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::Integer(value) => write!(f, "{value}"),
            Self::Decimal(value) => write!(f, "{value:?}"),
            Self::Text { written, .. } => quoted(f, written),
            Self::Instant(instant) => quoted(f, instant.as_str()),
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, value: &str) -> fmt::Result {
    let mut out = Vec::with_capacity(value.len() + 2);
    text(&mut out, value);
    f.write_str(&String::from_utf8_lossy(&out))
}
