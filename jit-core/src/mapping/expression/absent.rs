//! What stands in for expressions where the feature `cel` is off: rules that hold one are refused when they are loaded.

use crate::{Claims, Code, config::Problems};

/// Cannot exist without the feature.
#[derive(Debug)]
pub(crate) enum Expression {}

/// Cannot happen without the feature.
#[derive(Debug)]
pub(crate) enum ExpressionFault {}

impl Expression {
    /// Reports that expressions need the feature.
    pub(crate) fn new_in(_source: &str, found: &mut Problems) -> Option<Self> {
        let message = "expressions need the feature `cel`, which this program was built without";
        found.report(Code::new("config.expression_unavailable"), message);
        None
    }

    /// Reads nothing.
    pub(crate) fn roots(_source: &str) -> Vec<String> {
        Vec::new()
    }

    /// Never runs.
    pub(crate) fn texts(&self, _claims: &Claims) -> Result<Option<Vec<String>>, ExpressionFault> {
        match *self {}
    }

    /// Never runs.
    pub(crate) fn evaluate_bool(&self, _claims: &Claims) -> Result<bool, ExpressionFault> {
        match *self {}
    }
}

impl ExpressionFault {
    /// Never read.
    pub(crate) fn problem(&self) -> &'static str {
        match *self {}
    }
}
