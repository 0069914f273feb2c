//! What an expression may say: known functions, the variable `claims`, bounded loops.

use std::collections::BTreeSet;

use cel::common::ast::{CallExpr, EntryExpr, Expr, IdedExpr, LiteralValue};

use crate::config::nearest;

/// The most loops (`all`, `exists`, `exists_one`, `map`, `filter`).
const LOOPS: usize = 8;
/// The deepest nesting of loops.
const LOOP_NESTING: usize = 2;

/// How a function is called: its name, whether on a target, and with how many arguments.
type Signature = (&'static str, bool, std::ops::RangeInclusive<usize>);

/// Every function that is known; how much each costs stands in `cost.rs`.
const FUNCTIONS: &[Signature] = &[
    ("has", false, 1..=1),
    ("size", false, 1..=1),
    ("size", true, 0..=0),
    ("string", false, 1..=1),
    ("int", false, 1..=1),
    ("double", false, 1..=1),
    ("bool", false, 1..=1),
    ("contains", true, 1..=1),
    ("startsWith", true, 1..=1),
    ("endsWith", true, 1..=1),
    ("charAt", true, 1..=1),
    ("indexOf", true, 1..=2),
    ("lastIndexOf", true, 1..=2),
    ("join", true, 0..=1),
    ("lowerAscii", true, 0..=0),
    ("upperAscii", true, 0..=0),
    ("trim", true, 0..=0),
    ("replace", true, 2..=3),
    ("split", true, 1..=2),
    ("substring", true, 1..=2),
    ("all", true, 2..=2),
    ("exists", true, 2..=2),
    ("exists_one", true, 2..=2),
    ("filter", true, 2..=2),
    ("map", true, 2..=3),
];

/// Tells whether a call is a loop, and gives its variable.
pub(super) fn loop_variable(call: &CallExpr) -> Option<&str> {
    let is_loop = matches!(call.func_name.as_str(), "all" | "exists" | "exists_one" | "map" | "filter");
    match call.args.first().map(|first| &first.expr) {
        Some(Expr::Ident(name)) if is_loop && call.target.is_some() && call.args.len() > 1 => Some(name),
        _ => None,
    }
}

/// The claim that an expression names: `claims.name`, `claims["name"]`.
pub(super) fn claim_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Select(select) if is_claims(&select.operand.expr) => Some(&select.field),
        Expr::Call(call) if call.func_name == "_[_]" => match call.args.as_slice() {
            [base, name] if is_claims(&base.expr) => text_of(&name.expr),
            _ => None,
        },
        _ => None,
    }
}

/// The claim whose presence an expression asks for: `"name" in claims`.
pub(super) fn presence_of(call: &CallExpr) -> Option<&str> {
    match call.args.as_slice() {
        [name, base] if call.func_name == "@in" && is_claims(&base.expr) => text_of(&name.expr),
        _ => None,
    }
}

fn is_claims(expr: &Expr) -> bool {
    matches!(expr, Expr::Ident(name) if name == "claims")
}

pub(super) fn text_of(expr: &Expr) -> Option<&str> {
    match expr {
        Expr::Literal(LiteralValue::String(text)) => Some(text.inner()),
        _ => None,
    }
}

/// Collects the claims that an expression reads.
///
/// # Errors
/// The node that is not understood, and why.
pub(super) fn check(root: &IdedExpr) -> Result<BTreeSet<String>, (u64, String)> {
    let mut reader = Reader { claims: BTreeSet::new(), loops: 0, variables: Vec::new() };
    reader.read(root)?;
    Ok(reader.claims)
}

struct Reader<'e> {
    claims: BTreeSet<String>,
    loops: usize,
    variables: Vec<&'e str>,
}

impl<'e> Reader<'e> {
    fn read(&mut self, node: &'e IdedExpr) -> Result<(), (u64, String)> {
        if let Some(name) = claim_of(&node.expr) {
            self.claims.insert(name.to_owned());
            return Ok(());
        }
        match &node.expr {
            Expr::Call(call) => self.read_call(node.id, call),
            Expr::Ident(name) => self.read_variable(node.id, name),
            Expr::Select(select) => self.read(&select.operand),
            Expr::List(list) => list.elements.iter().try_for_each(|item| self.read(item)),
            Expr::Map(map) => map.entries.iter().try_for_each(|entry| match &entry.expr {
                EntryExpr::MapEntry(entry) => self.read(&entry.key).and_then(|()| self.read(&entry.value)),
                EntryExpr::StructField(_) => Err((node.id, "messages cannot be built here".to_owned())),
            }),
            Expr::Literal(_) => Ok(()),
            Expr::Struct(_) => Err((node.id, "messages cannot be built here".to_owned())),
            Expr::Comprehension(_) | Expr::Unspecified => Err((node.id, "cannot be understood".to_owned())),
        }
    }

    fn read_variable(&self, id: u64, name: &str) -> Result<(), (u64, String)> {
        if self.variables.contains(&name) {
            Ok(())
        } else if name == "claims" {
            Err((id, "name the claim that is read: `claims.name` or `claims[\"name\"]`".to_owned()))
        } else {
            let shown: String = name.chars().take(64).collect();
            Err((id, format!("unknown variable `{shown}`; there is `claims` only")))
        }
    }

    fn read_call(&mut self, id: u64, call: &'e CallExpr) -> Result<(), (u64, String)> {
        if let Some(name) = presence_of(call) {
            self.claims.insert(name.to_owned());
            return Ok(());
        }
        if !call.func_name.starts_with(['_', '@', '-', '!']) {
            check_function(call).map_err(|message| (id, message))?;
        }
        call.target.iter().try_for_each(|target| self.read(target))?;
        if matches!(call.func_name.as_str(), "all" | "exists" | "exists_one" | "map" | "filter") {
            let Some(variable) = loop_variable(call) else {
                return Err((id, format!("`{}` needs a variable as its first argument", call.func_name)));
            };
            return self.read_loop(id, variable, call);
        }
        call.args.iter().try_for_each(|argument| self.read(argument))
    }

    fn read_loop(&mut self, id: u64, variable: &'e str, call: &'e CallExpr) -> Result<(), (u64, String)> {
        self.loops = self.loops.saturating_add(1);
        if self.loops > LOOPS {
            return Err((id, format!("has more than {LOOPS} loops")));
        }
        if self.variables.len() >= LOOP_NESTING {
            return Err((id, format!("loops are nested more than {LOOP_NESTING} deep")));
        }
        if variable == "claims" || self.variables.contains(&variable) {
            return Err((id, format!("`{variable}` is the name of something else already")));
        }
        self.variables.push(variable);
        let result = call.args.iter().skip(1).try_for_each(|argument| self.read(argument));
        self.variables.pop();
        result
    }
}

fn check_function(call: &CallExpr) -> Result<(), String> {
    let name = call.func_name.as_str();
    let shown: String = name.chars().take(64).collect();
    if FUNCTIONS.iter().any(|(known, on_target, arguments)| {
        *known == name && *on_target == call.target.is_some() && arguments.contains(&call.args.len())
    }) {
        return Ok(());
    }
    let names: Vec<&str> = FUNCTIONS.iter().map(|(known, _, _)| *known).collect();
    if names.contains(&name) {
        return Err(format!("`{shown}` is not called like this"));
    }
    match nearest(name, &names) {
        Some(near) => Err(format!("unknown function `{shown}`; did you mean `{near}`?")),
        None => Err(format!("unknown function `{shown}`")),
    }
}
