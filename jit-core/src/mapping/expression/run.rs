//! Compiles and runs expressions on a thread of their own, within bounds of stack, work and time.

use std::{
    collections::{BTreeSet, HashMap},
    fmt,
    sync::{Arc, mpsc},
    thread,
    time::Duration,
};

use cel::{
    Context, Env, Program, Value,
    common::ast::IdedExpr,
    extensions,
    objects::{Key, Map as CelMap},
};
use serde_json::{Map, Value as Json};

use super::{
    cost::{BUDGET, bound, size_of},
    grammar,
    scan::scan,
};
use crate::{Claim, ClaimPath, Claims, Code, config::Problems};

/// Enough for what the scan lets through, in debug builds too; pages that are not touched cost nothing.
const STACK_BYTES: usize = 64 << 20;
/// How long compiling may take.
const COMPILE_TIME: Duration = Duration::from_secs(10);
/// How long a run may take; by its budget it ends far earlier, and by itself when nobody waits any more.
const RUN_TIME: Duration = Duration::from_secs(2);
/// The most that the claims of one run may weigh.
const INPUT: u64 = 262_144;
/// The most texts that a result may hold.
const RESULTS: usize = 10_000;

/// Holds an expression that was checked and compiled when it was loaded.
#[derive(Clone)]
pub(crate) struct Expression {
    compiled: Arc<Compiled>,
}

struct Compiled {
    program: Program,
    /// The expression as written, with its loops not yet unfolded: what the bound of work is computed from.
    written: IdedExpr,
    env: Arc<Env>,
    roots: BTreeSet<String>,
}

/// Says why an expression gave no result. Never holds a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ExpressionFault {
    /// It failed: a wrong type, a missing member, an overflow.
    Failed,
    /// It could take more work than is allowed, or the claims are too large or too deep.
    OverBudget,
    /// It took too long.
    TooLate,
    /// Its result has no form that is taken.
    WrongResult,
    /// It reads a claim that is absent or cut.
    Missing,
}

impl ExpressionFault {
    /// What happened, to follow the words "the expression".
    pub(crate) fn problem(self) -> &'static str {
        match self {
            Self::Failed => "fails on these claims",
            Self::OverBudget => "could take more work than is allowed",
            Self::TooLate => "takes too long",
            Self::WrongResult => "gives something else than is needed",
            Self::Missing => "reads a claim that is absent or cut",
        }
    }
}

impl Expression {
    /// Compiles an expression; what is wrong with it is reported as `config.expression`.
    pub(crate) fn new_in(source: &str, found: &mut Problems) -> Option<Self> {
        match compile(source) {
            Ok(compiled) => Some(Self { compiled: Arc::new(compiled) }),
            Err(message) => {
                found.report(Code::new("config.expression"), message);
                None
            }
        }
    }

    /// The claims that an expression reads; none when it cannot be compiled.
    pub(crate) fn roots(source: &str) -> Vec<String> {
        compile(source).map(|compiled| compiled.roots.into_iter().collect()).unwrap_or_default()
    }

    /// Runs the expression for texts: of a text, a number or a truth value one, of a list each; `None` when it reads a
    /// claim that is cut, or fails since it reads one that is absent.
    pub(crate) fn texts(&self, claims: &Claims) -> Result<Option<Vec<String>>, ExpressionFault> {
        match self.run(claims) {
            Ok(value) => texts(&value).map(Some).ok_or(ExpressionFault::WrongResult),
            Err(ExpressionFault::Missing) => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    /// Runs the expression for a truth value. What cannot be concluded is a fault, never `false`.
    pub(crate) fn evaluate_bool(&self, claims: &Claims) -> Result<bool, ExpressionFault> {
        match self.run(claims)? {
            Value::Bool(truth) => Ok(truth),
            _ => Err(ExpressionFault::WrongResult),
        }
    }

    fn run(&self, claims: &Claims) -> Result<Value, ExpressionFault> {
        let mut read = Map::new();
        let mut is_missing = false;
        let mut weight = 0_u64;
        for root in &self.compiled.roots {
            match claims.get(root) {
                Claim::Truncated => return Err(ExpressionFault::Missing),
                Claim::Absent => is_missing = true,
                Claim::Empty | Claim::Values(_) => {
                    let Some(value) = claims.json(root) else { continue };
                    let size = size_of(value, 0).ok_or(ExpressionFault::OverBudget)?;
                    weight = weight.saturating_add(size.weight);
                    if weight > INPUT {
                        return Err(ExpressionFault::OverBudget);
                    }
                    read.insert(root.clone(), value.clone());
                }
            }
        }
        let compiled = Arc::clone(&self.compiled);
        let result = apart(RUN_TIME, move || compiled.execute(&read)).ok_or(ExpressionFault::TooLate)?;
        match result {
            Err(ExpressionFault::Failed) if is_missing => Err(ExpressionFault::Missing),
            result => result,
        }
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Expression").field("reads", &self.compiled.roots).finish_non_exhaustive()
    }
}

impl Compiled {
    fn execute(&self, claims: &Map<String, Json>) -> Result<Value, ExpressionFault> {
        if bound(&self.written, claims) > BUDGET {
            return Err(ExpressionFault::OverBudget);
        }
        let mut context = Context::with_env(Arc::clone(&self.env));
        context.add_variable_from_value("claims", object(claims));
        self.program.execute(&context).map_err(|_| ExpressionFault::Failed)
    }
}

/// Does work on a thread with a large stack; `None` when it does not end in time or panics.
fn apart<T: Send + 'static>(time: Duration, work: impl FnOnce() -> T + Send + 'static) -> Option<T> {
    let (sender, receiver) = mpsc::sync_channel(1);
    let thread = thread::Builder::new().name("jit expression".to_owned()).stack_size(STACK_BYTES);
    thread.spawn(move || sender.send(work())).ok()?;
    receiver.recv_timeout(time).ok()
}

fn compile(source: &str) -> Result<Compiled, String> {
    scan(source).map_err(|(at, message)| format!("{}: {message}", place(source, at)))?;
    let text = source.to_owned();
    apart(COMPILE_TIME, move || compile_here(&text))
        .unwrap_or_else(|| Err("takes too long to read".to_owned()))
}

fn compile_here(source: &str) -> Result<Compiled, String> {
    // Without macros the loops stay calls, so that they can be recognised and their work bounded.
    let plain = Env::default().with_optional_support(false);
    let (written, places) =
        plain.parser().parse_with_source_info(source).map_err(|errors| syntax(&errors))?;
    let roots = grammar::check(&written).map_err(|(id, message)| {
        let at = places.offset_for(id).and_then(|(start, _)| usize::try_from(start).ok()).unwrap_or(0);
        format!("{}: {message}", place(source, at))
    })?;
    if let Some(bad) = roots.iter().find(|name| ClaimPath::new(name).is_err()) {
        let shown: String = bad.chars().take(64).collect();
        return Err(format!("`{shown}` cannot be the name of a claim"));
    }
    let mut env = Env::stdlib().with_optional_support(false);
    env.add_extension(extensions::strings).map_err(|_| "the functions cannot be set up".to_owned())?;
    let program = env.compile(source).map_err(|errors| syntax(&errors))?;
    Ok(Compiled { program, written, env: Arc::new(env), roots })
}

fn place(source: &str, offset: usize) -> String {
    let place = crate::config::place_of(source, offset);
    format!("line {}, column {}", place.line, place.column)
}

/// Says the first thing that is wrong, on one line.
fn syntax(errors: &cel::ParseErrors) -> String {
    let Some(first) = errors.errors.first() else { return "cannot be read".to_owned() };
    let said: String = first.msg.lines().next().unwrap_or_default().chars().take(160).collect();
    let (line, column) = first.pos;
    format!("line {}, column {}: {}", line.max(1), column.max(1), said.trim_start_matches("Syntax error: "))
}

fn object(members: &Map<String, Json>) -> Value {
    let entries = members.iter().filter(|(_, value)| !value.is_null());
    let map: HashMap<Key, Value> =
        entries.map(|(name, json)| (Key::String(Arc::new(name.clone())), value(json))).collect();
    Value::Map(CelMap { map: Arc::new(map) })
}

fn value(json: &Json) -> Value {
    match json {
        Json::Null => Value::Null,
        Json::Bool(truth) => Value::Bool(*truth),
        Json::Number(number) => match (number.as_i64(), number.as_u64()) {
            (Some(number), _) => Value::Int(number),
            (None, Some(number)) => Value::UInt(number),
            (None, None) => Value::Float(number.as_f64().unwrap_or(f64::NAN)),
        },
        Json::String(text) => Value::String(Arc::new(text.clone())),
        Json::Array(items) => Value::List(Arc::new(items.iter().map(value).collect())),
        Json::Object(members) => object(members),
    }
}

/// The texts of a result; `None` when it has another form.
fn texts(result: &Value) -> Option<Vec<String>> {
    match result {
        Value::Null => Some(Vec::new()),
        Value::List(items) if items.len() <= RESULTS => items.iter().map(text).collect(),
        value => text(value).map(|text| vec![text]),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.as_str().to_owned()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Int(number) => Some(number.to_string()),
        Value::UInt(number) => Some(number.to_string()),
        Value::Float(number) => Some(number.to_string()),
        _ => None,
    }
}
