//! Bounds the work of an expression before it runs, from the real sizes of the claims.
//!
//! A unit is about the work of copying a byte; a step of the interpreter counts as [`STEP`] units. What is allocated is
//! counted too, so that the bound holds for memory as well.

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};
use serde_json::{Map, Value};

use super::grammar::{claim_of, loop_variable, presence_of};

/// The most work that one run may take.
pub(super) const BUDGET: u64 = 4_000_000;
/// What one step of the interpreter counts.
const STEP: u64 = 32;
/// The deepest claim that is read.
const DEPTH: usize = 32;

/// Bounds the size of a value: all of it, how many items it has, the largest of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Size {
    pub(super) weight: u64,
    items: u64,
    item: u64,
}

impl Size {
    fn of_text(length: u64) -> Self {
        Self { weight: length.saturating_add(STEP), items: 0, item: 0 }
    }

    fn scalar() -> Self {
        Self::of_text(0)
    }

    fn of_items(items: impl Iterator<Item = u64>) -> Self {
        items.fold(Self::scalar(), |size, item| Self {
            weight: size.weight.saturating_add(item).saturating_add(STEP),
            items: size.items.saturating_add(1),
            item: size.item.max(item),
        })
    }

    /// What one item of this can be.
    fn any_item(self) -> Self {
        Self { weight: self.item, items: self.item, item: self.item }
    }

    fn either(self, other: Self) -> Self {
        Self {
            weight: self.weight.max(other.weight),
            items: self.items.max(other.items),
            item: self.item.max(other.item),
        }
    }

    fn plus(self, other: Self) -> Self {
        Self {
            weight: self.weight.saturating_add(other.weight),
            items: self.items.saturating_add(other.items),
            item: self.item.max(other.item),
        }
    }
}

/// The size of a claim; `None` when it is too deep.
pub(super) fn size_of(value: &Value, depth: usize) -> Option<Size> {
    if depth > DEPTH {
        return None;
    }
    let deeper = depth.saturating_add(1);
    match value {
        Value::String(text) => Some(Size::of_text(length(text))),
        Value::Array(items) => {
            let sizes = items.iter().map(|item| size_of(item, deeper).map(|size| size.weight));
            Some(Size::of_items(sizes.collect::<Option<Vec<_>>>()?.into_iter()))
        }
        Value::Object(members) => {
            let sizes = members.iter().map(|(name, value)| {
                size_of(value, deeper).map(|size| size.weight.saturating_add(length(name)))
            });
            Some(Size::of_items(sizes.collect::<Option<Vec<_>>>()?.into_iter()))
        }
        _ => Some(Size::scalar()),
    }
}

fn length(text: &str) -> u64 {
    u64::try_from(text.len()).unwrap_or(u64::MAX)
}

/// The most work that a run over these claims can take.
pub(super) fn bound(root: &IdedExpr, claims: &Map<String, Value>) -> u64 {
    let mut meter = Meter { claims, variables: Vec::new() };
    meter.measure(root).1
}

struct Meter<'e> {
    claims: &'e Map<String, Value>,
    variables: Vec<(&'e str, Size)>,
}

/// A size and the work to get there.
type Measured = (Size, u64);

impl<'e> Meter<'e> {
    fn measure(&mut self, node: &'e IdedExpr) -> Measured {
        let (size, work) = match &node.expr {
            expr if claim_of(expr).is_some() => (self.claim(expr), 0),
            Expr::Call(call) => self.measure_call(call),
            Expr::Ident(name) => (self.variable(name), 0),
            Expr::Select(select) => {
                let (size, work) = self.measure(&select.operand);
                (size.any_item(), work)
            }
            Expr::Literal(LiteralValue::String(text)) => (Size::of_text(length(text.inner())), 0),
            Expr::List(list) => self.measure_all(list.elements.iter()),
            Expr::Map(map) => self.measure_all(map.entries.iter().flat_map(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => vec![&entry.key, &entry.value],
                EntryExpr::StructField(field) => vec![&field.value],
            })),
            _ => (Size::scalar(), 0),
        };
        (size, work.saturating_add(STEP))
    }

    fn claim(&self, expr: &Expr) -> Size {
        let value = claim_of(expr).and_then(|name| self.claims.get(name));
        value.and_then(|value| size_of(value, 0)).unwrap_or_else(Size::scalar)
    }

    fn variable(&self, name: &str) -> Size {
        let bound = self.variables.iter().rev().find(|(variable, _)| *variable == name);
        bound.map_or_else(Size::scalar, |(_, size)| *size)
    }

    /// Measures the items of a literal list or map.
    fn measure_all(&mut self, nodes: impl Iterator<Item = &'e IdedExpr>) -> Measured {
        let measured: Vec<Measured> = nodes.map(|node| self.measure(node)).collect();
        let size = Size::of_items(measured.iter().map(|(size, _)| size.weight));
        let work = measured.iter().fold(size.weight, |sum, (_, work)| sum.saturating_add(*work));
        (size, work)
    }

    fn measure_call(&mut self, call: &'e CallExpr) -> Measured {
        if presence_of(call).is_some() {
            return (Size::scalar(), 0);
        }
        if let (Some(variable), Some(target)) = (loop_variable(call), &call.target) {
            return self.measure_loop(variable, target, call);
        }
        let parts: Vec<Measured> =
            call.target.iter().map(AsRef::as_ref).chain(&call.args).map(|node| self.measure(node)).collect();
        let before = parts.iter().fold(0_u64, |sum, (_, work)| sum.saturating_add(*work));
        let sizes: Vec<Size> = parts.iter().map(|(size, _)| *size).collect();
        let (size, work) = apply(&call.func_name, &sizes);
        (size, before.saturating_add(work))
    }

    fn measure_loop(&mut self, variable: &'e str, target: &'e IdedExpr, call: &'e CallExpr) -> Measured {
        let (range, before) = self.measure(target);
        self.variables.push((variable, range.any_item()));
        let parts: Vec<Measured> = call.args.iter().skip(1).map(|node| self.measure(node)).collect();
        self.variables.pop();
        let turn = parts.iter().fold(STEP.saturating_mul(4), |sum, (_, work)| sum.saturating_add(*work));
        let item = parts.last().map_or(0, |(size, _)| size.weight);
        let size = match call.func_name.as_str() {
            "map" => Size {
                weight: range.items.saturating_mul(item.saturating_add(STEP)).saturating_add(STEP),
                items: range.items,
                item,
            },
            "filter" => range,
            _ => Size::scalar(),
        };
        // A list that grows by one item a turn may be copied at each turn.
        let copies = if size.items > 0 { range.items.saturating_mul(range.items) } else { 0 };
        let turns = range.items.saturating_mul(turn);
        (size, before.saturating_add(turns).saturating_add(copies).saturating_add(size.weight))
    }
}

/// The result of a function or operator on values of these sizes, and the work of the call itself.
fn apply(function: &str, sizes: &[Size]) -> Measured {
    let all = sizes.iter().copied().reduce(Size::plus).unwrap_or_default();
    let at = |index: usize| sizes.get(index).copied().unwrap_or_default();
    let product = at(0).weight.saturating_mul(at(1).weight);
    let text = |weight: u64| Size { weight, items: 0, item: 0 };
    match function {
        "_+_" => (all, all.weight),
        "_?_:_" => (at(1).either(at(2)), 0),
        "_[_]" => (at(0).any_item(), at(1).weight),
        "string" | "lowerAscii" | "upperAscii" | "trim" | "substring" | "charAt" => {
            let weight = at(0).weight.saturating_mul(4);
            (text(weight), weight)
        }
        "join" => {
            let separators = at(0).items.saturating_mul(at(1).weight);
            let weight = at(0).weight.saturating_add(separators);
            (text(weight), weight)
        }
        "split" => {
            let items = at(0).weight;
            let weight = items.saturating_mul(STEP);
            (Size { weight, items, item: at(0).weight }, product.saturating_add(weight))
        }
        "replace" => {
            let weight = at(0).weight.saturating_mul(at(2).weight.saturating_add(1));
            (text(weight), product.saturating_add(weight))
        }
        "indexOf" | "lastIndexOf" => (Size::scalar(), product.saturating_add(all.weight)),
        "_&&_" | "_||_" | "!_" => (Size::scalar(), 0),
        // Comparisons, `in`, `contains` and their like look at everything once; `in` compares with each item.
        "@in" => (Size::scalar(), at(1).items.saturating_mul(at(0).weight).saturating_add(all.weight)),
        _ => (Size::scalar(), all.weight),
    }
}
