//! Compiled rules for roles and groups: by table or by pattern, and never because two names happen to be equal.

use std::{borrow::Cow, collections::HashMap, sync::Arc};

use super::{
    CaseRule, EntitlementRule, EntitlementWish, MapError, NameForm, Notes,
    attribute::cased,
    dn,
    quick::BuildQuick,
    view::{Bound, Roots, View},
};
use crate::{Claim, ClaimPath, Code, Entitlement, EntitlementPattern, Finding, RuleName, config::Problems};

/// The most names that are read from one claim.
const NAMES: usize = 10_000;
/// The most roles and groups that a mapping wishes for at once.
const WISHES: usize = 1_000;
/// The most lines of a table.
const LINES: usize = 10_000;

/// Holds all rules for roles and groups, ready to run: those that read the same claim in the same way are one.
#[derive(Debug, Default)]
pub(super) struct CompiledEntitlements {
    always: Vec<EntitlementWish>,
    readers: Vec<Reader>,
}

/// Reads the names in one claim once, for all rules about it.
#[derive(Debug)]
struct Reader {
    bound: Bound,
    claim: Arc<str>,
    reading: Reading,
    /// Stands for all its rules in notes.
    rule: RuleName,
    tables: HashMap<String, Vec<(RuleName, Entitlement)>, BuildQuick>,
    /// The marks of all names in the tables: most other names are told apart without a search.
    marks: u64,
    patterns: Vec<Pattern>,
    starts: Starts,
}

/// Holds the bytes that names may begin with for any pattern to match: one look decides for all patterns.
#[derive(Debug, Default)]
struct Starts([u64; 4]);

/// Collects the wishes of all readers, with room to write names in.
struct Wishes {
    list: Vec<EntitlementWish>,
    scratch: String,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Reading {
    form: NameForm,
    under: Option<String>,
    split: Option<char>,
    case: CaseRule,
}

#[derive(Debug)]
struct Pattern {
    rule: RuleName,
    before: String,
    after: String,
    give: Vec<Give>,
    allow: Vec<EntitlementPattern>,
}

#[derive(Debug)]
enum Give {
    Fixed(Entitlement),
    Around(String, String),
}

impl CompiledEntitlements {
    /// Adds a rule; what is wrong with it is reported.
    pub(super) fn add(&mut self, rule: &EntitlementRule, found: &mut Problems) {
        let name = match (&rule.name, &rule.claim) {
            (Some(name), _) => Ok(name.clone()),
            (None, Some(claim)) => RuleName::new(format!("entitlement.{}", claim.as_str())),
            (None, None) => RuleName::new("entitlement.always"),
        };
        let Ok(name) = name else {
            found
                .report(Code::new("config.missing_field"), "give the rule a `name`: its claim's is too long");
            return;
        };
        if !check_shape(rule, found) {
            return;
        }
        for entitlement in &rule.always {
            let wish = EntitlementWish { entitlement: entitlement.clone(), rule: name.clone(), claim: None };
            self.always.push(wish);
        }
        let Some(path) = &rule.claim else { return };
        let pattern = match &rule.pattern {
            Some(pattern) => match Pattern::new(rule, pattern, &name, found) {
                Some(pattern) => Some(pattern),
                None => return,
            },
            None => None,
        };
        let reader = self.reader(path, rule, &name);
        if let Some(pattern) = pattern {
            reader.starts.add(&pattern.before);
            reader.patterns.push(pattern);
        }
        for (text, entitlements) in rule.table.iter().flatten() {
            let text = cased(Cow::Borrowed(text), rule.case).into_owned();
            reader.marks |= mark(&text);
            let line = reader.tables.entry(text).or_default();
            line.extend(entitlements.iter().map(|entitlement| (name.clone(), entitlement.clone())));
        }
    }

    fn reader(&mut self, path: &ClaimPath, rule: &EntitlementRule, name: &RuleName) -> &mut Reader {
        let reading =
            Reading { form: rule.form, under: rule.under.clone(), split: rule.split, case: rule.case };
        let same = |reader: &Reader| reader.bound.path() == path && reader.reading == reading;
        let at = self.readers.iter().position(same).unwrap_or(self.readers.len());
        if at == self.readers.len() {
            self.readers.push(Reader {
                bound: Bound::new(path.clone()),
                claim: path.as_str().into(),
                reading,
                rule: name.clone(),
                tables: HashMap::default(),
                marks: 0,
                patterns: Vec::new(),
                starts: Starts::default(),
            });
        }
        // The index was just found or made.
        #[expect(clippy::indexing_slicing, reason = "`at` is the index of a reader that exists")]
        &mut self.readers[at]
    }

    /// Takes slots for the claims that the rules read.
    pub(super) fn bind(&mut self, roots: &mut Roots) {
        self.readers.iter_mut().for_each(|reader| reader.bound.bind(roots));
    }

    /// Makes the wishes.
    pub(super) fn map(&self, claims: &View<'_>, notes: &mut Notes) -> Result<Vec<EntitlementWish>, MapError> {
        let mut wishes = Wishes { list: self.always.clone(), scratch: String::new() };
        for reader in &self.readers {
            reader.map(claims, &mut wishes, notes)?;
        }
        Ok(wishes.list)
    }
}

impl Reader {
    fn map(&self, claims: &View<'_>, wishes: &mut Wishes, notes: &mut Notes) -> Result<(), MapError> {
        let values = match claims.at(&self.bound) {
            Claim::Values(values) => values,
            Claim::Truncated => {
                notes.add(&self.rule, Finding::Skipped, "the claim is cut: nothing follows from it");
                return Ok(());
            }
            Claim::Absent | Claim::Empty => return Ok(()),
        };
        let mut count = 0_usize;
        if self.reading == Reading::default() {
            for text in values.texts() {
                count = self.counted(count)?;
                if self.may_give(&text) {
                    self.give(&text, wishes, notes)?;
                }
            }
            return Ok(());
        }
        for text in values.texts() {
            for name in self.reading.names(&text) {
                count = self.counted(count)?;
                match name {
                    Some(name) => self.give(&cased(name, self.reading.case), wishes, notes)?,
                    None => notes.add(&self.rule, Finding::Refused, "a name has another form or place"),
                }
            }
        }
        Ok(())
    }

    fn counted(&self, count: usize) -> Result<usize, MapError> {
        if count >= NAMES {
            let what = "the number of names in a claim";
            return Err(MapError::Limit { rule: self.rule.clone(), what });
        }
        Ok(count.saturating_add(1))
    }

    /// Tells most names apart that no rule is about.
    fn may_give(&self, name: &str) -> bool {
        self.marks & mark(name) != 0 || self.starts.may_begin(name)
    }

    fn give(&self, name: &str, wishes: &mut Wishes, notes: &mut Notes) -> Result<(), MapError> {
        if self.marks & mark(name) != 0 {
            for (rule, entitlement) in self.tables.get(name).into_iter().flatten() {
                self.wish(rule, Cow::Borrowed(entitlement), wishes)?;
            }
        }
        if !self.starts.may_begin(name) {
            return Ok(());
        }
        for pattern in &self.patterns {
            let Some(star) = pattern.star(name, self.reading.form) else { continue };
            for give in &pattern.give {
                match give.entitlement(star, &mut wishes.scratch) {
                    Some(entitlement) if pattern.allow.iter().any(|allow| allow.matches(&entitlement)) => {
                        self.wish(&pattern.rule, entitlement, wishes)?;
                    }
                    _ => notes.add(&pattern.rule, Finding::Refused, "the pattern gives what it may not give"),
                }
            }
        }
        Ok(())
    }

    fn wish(
        &self,
        rule: &RuleName,
        entitlement: Cow<'_, Entitlement>,
        wishes: &mut Wishes,
    ) -> Result<(), MapError> {
        let wishes = &mut wishes.list;
        if wishes.iter().any(|wish| wish.entitlement == *entitlement) {
            return Ok(());
        }
        if wishes.len() >= WISHES {
            return Err(MapError::Limit { rule: rule.clone(), what: "the number of roles and groups" });
        }
        if wishes.len() == wishes.capacity() {
            wishes.reserve(16);
        }
        wishes.push(EntitlementWish {
            entitlement: entitlement.into_owned(),
            rule: rule.clone(),
            claim: Some(Arc::clone(&self.claim)),
        });
        Ok(())
    }
}

fn sum_of(length: usize, first: u8, last: u8) -> usize {
    let ends = usize::from(first).wrapping_add(usize::from(last).wrapping_mul(5));
    length.wrapping_mul(29).wrapping_add(ends)
}

impl Starts {
    fn add(&mut self, before: &str) {
        match before.as_bytes().first() {
            Some(byte) => {
                let (word, bit) = Self::place(*byte);
                if let Some(word) = self.0.get_mut(word) {
                    *word |= bit;
                }
            }
            None => self.0 = [u64::MAX; 4],
        }
    }

    fn may_begin(&self, name: &str) -> bool {
        let (word, bit) = Self::place(name.as_bytes().first().copied().unwrap_or(0));
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    fn place(byte: u8) -> (usize, u64) {
        (usize::from(byte >> 6), 1 << (byte & 63))
    }
}

/// Marks a name by its length and its ends with one of 64 bits.
fn mark(name: &str) -> u64 {
    let sum = match name.as_bytes() {
        [] => 0,
        all @ [only] => sum_of(all.len(), *only, *only),
        all @ [first, .., last] => sum_of(all.len(), *first, *last),
    };
    1 << (sum & 63)
}

impl Reading {
    /// The names in one text; `None` for one that has another form.
    fn names<'t>(&'t self, text: &'t str) -> impl Iterator<Item = Option<Cow<'t, str>>> {
        let (whole, parts) = match self.split {
            None => (Some(text), None),
            Some(at) => (None, Some(text.split(at).map(str::trim).filter(|part| !part.is_empty()))),
        };
        whole.into_iter().chain(parts.into_iter().flatten()).map(|name| match self.form {
            NameForm::Plain => Some(Cow::Borrowed(name)),
            NameForm::Path => Some(Cow::Borrowed(name.strip_prefix('/').unwrap_or(name))),
            NameForm::DnFirstValue => dn::first_value(name, self.under.as_deref()).map(Cow::Owned),
        })
    }
}

impl Pattern {
    fn new(rule: &EntitlementRule, pattern: &str, name: &RuleName, found: &mut Problems) -> Option<Self> {
        let parts = pattern.split_once('*').filter(|(_, after)| !after.contains('*'));
        let Some((before, after)) = parts else {
            let message = "needs exactly one `*`; use a `table` for fixed names";
            found.report_in("pattern", Code::new("config.pattern"), message);
            return None;
        };
        if rule.allow.is_empty() {
            let message = "a pattern needs `allow`: the roles and groups that it may give at all";
            found.report(Code::new("config.missing_field"), message);
            return None;
        }
        check_allow(&rule.allow, found);
        let texts = rule.give.as_ref().map_or(&[][..], |texts| &texts.0);
        let give = found.within("give", |found| gives(texts, &rule.allow, found))?;
        let case = |text: &str| cased(Cow::Borrowed(text), rule.case).into_owned();
        Some(Self {
            rule: name.clone(),
            before: case(before),
            after: case(after),
            give,
            allow: rule.allow.clone(),
        })
    }

    /// What the `*` stands for in a name.
    fn star<'n>(&self, name: &'n str, form: NameForm) -> Option<&'n str> {
        // Most names differ in their first byte already.
        if self.before.as_bytes().first().is_some_and(|first| name.as_bytes().first() != Some(first)) {
            return None;
        }
        let star = name.strip_prefix(self.before.as_str())?.strip_suffix(self.after.as_str())?;
        let is_step = form != NameForm::Path || !star.contains('/');
        (!star.is_empty() && is_step).then_some(star)
    }
}

impl Give {
    fn entitlement(&self, star: &str, scratch: &mut String) -> Option<Cow<'_, Entitlement>> {
        match self {
            Self::Fixed(entitlement) => Some(Cow::Borrowed(entitlement)),
            Self::Around(before, after) => {
                scratch.clear();
                scratch.reserve(256);
                for part in [before, star, after] {
                    scratch.push_str(part);
                }
                scratch.parse().ok().map(Cow::Owned)
            }
        }
    }
}

fn gives(texts: &[String], allow: &[EntitlementPattern], found: &mut Problems) -> Option<Vec<Give>> {
    if texts.is_empty() {
        found.report(Code::new("config.missing_field"), "a pattern needs `give`: what such a name gives");
        return None;
    }
    let mut gives = Vec::new();
    for text in texts {
        let give = match text.split_once("{*}") {
            None => text.parse().map(Give::Fixed).map_err(|error| error.to_string()),
            Some((before, after)) => around(before, after),
        };
        match give {
            Ok(give) if give.stays_within(allow) => gives.push(give),
            Ok(_) => {
                let message = "could give what `allow` does not list";
                found.report(Code::new("config.outside_allow"), message);
            }
            Err(message) => found.report(Code::new("config.invalid_value"), message),
        }
    }
    (gives.len() == texts.len()).then_some(gives)
}

fn around(before: &str, after: &str) -> Result<Give, String> {
    // Any letter in the place of the star shows whether kind and characters are right.
    let sample = format!("{before}x{after}").parse::<Entitlement>();
    match sample {
        _ if after.contains("{*}") => Err("`{*}` may stand there once".to_owned()),
        Err(error) => Err(format!("a role or group is written `role:NAME` or `group:NAME`: {error}")),
        Ok(_) => Ok(Give::Around(before.to_owned(), after.to_owned())),
    }
}

impl Give {
    /// Tells whether everything that this can give is listed: by a prefix, or name by name.
    fn stays_within(&self, allow: &[EntitlementPattern]) -> bool {
        let before = match self {
            Self::Fixed(entitlement) => return allow.iter().any(|allow| allow.matches(entitlement)),
            Self::Around(before, _) => before,
        };
        // What follows the literal part is the source's choice: a character that no rule names stands for it.
        let unforeseen = format!("{before}\u{fffd}").parse::<Entitlement>();
        let by_prefix =
            unforeseen.is_ok_and(|name| allow.iter().any(|allow| !allow.is_exact() && allow.matches(&name)));
        by_prefix || allow.iter().all(EntitlementPattern::is_exact)
    }
}

fn check_allow(allow: &[EntitlementPattern], found: &mut Problems) {
    found.each("allow", allow, |pattern, found| {
        let text = String::from(pattern.clone());
        if matches!(text.as_str(), "role:*" | "group:*") {
            let message = "allows every name, so that the source could name itself an administrator";
            found.report(Code::new("config.allows_everything"), message);
        }
    });
}

/// Checks that the keys of a rule belong together.
fn check_shape(rule: &EntitlementRule, found: &mut Problems) -> bool {
    let reads = rule.table.is_some() || rule.pattern.is_some();
    let problem = if rule.claim.is_none() && rule.always.is_empty() {
        Some("needs `always`, or a `claim` with a `table` or a `pattern`")
    } else if rule.claim.is_some() && (!reads || !rule.always.is_empty()) {
        Some("a `claim` needs a `table` or a `pattern`, and no `always`")
    } else if rule.claim.is_none() && reads {
        Some("a `table` or a `pattern` needs a `claim`")
    } else if rule.table.is_some() && rule.pattern.is_some() {
        Some("has either a `table` or a `pattern`; write two rules")
    } else if rule.pattern.is_none() && (rule.give.is_some() || !rule.allow.is_empty()) {
        Some("`give` and `allow` belong to a `pattern`")
    } else if rule.under.is_some() && rule.form != NameForm::DnFirstValue {
        Some("`under` belongs to `form = \"dn_first_value\"`")
    } else {
        None
    };
    if let Some(message) = problem {
        found.report(Code::new("config.one_of"), message);
        return false;
    }
    let table = rule.table.iter().flatten();
    let mut is_right = rule.table.as_ref().is_none_or(|table| (1..=LINES).contains(&table.len()));
    if !is_right {
        let message = format!("needs 1 to {LINES} lines");
        found.report_in("table", Code::new("config.out_of_range"), message);
    }
    for (name, _) in table.filter(|(_, entitlements)| entitlements.is_empty()) {
        is_right = false;
        let message = "gives nothing and is never of use";
        found.within("table", |found| found.report_in(name, Code::new("config.unreachable_rule"), message));
    }
    if rule.under.as_deref().is_some_and(|under| !dn::is_name(under)) {
        is_right = false;
        found.report_in("under", Code::new("config.invalid_value"), "is not a distinguished name");
    }
    is_right
}
