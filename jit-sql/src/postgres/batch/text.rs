//! The statement.

use std::sync::LazyLock;

use super::{
    Shape,
    columns::{Rows, Tables},
};

/// Writes the commits of a batch, or fails.
///
/// Rows that others may hold are taken in the order of the other statements: identities, accounts, documents and their
/// names, counters. Whoever holds one for long, an application in a transaction of its own, must not hold up a whole batch:
/// it gives up early.
pub(in crate::postgres) static BATCH: LazyLock<String> = LazyLock::new(|| text(Shape::Whole));

/// The same where no account and no document is there already.
pub(in crate::postgres) static BATCH_CREATES: LazyLock<String> = LazyLock::new(|| text(Shape::Creates));

/// The same where accounts and documents change, and nothing else but that they do is written.
pub(in crate::postgres) static BATCH_UPDATES: LazyLock<String> = LazyLock::new(|| text(Shape::Updates));

fn text(shape: Shape) -> String {
    let tables = Tables::new(shape);
    let mut text = Text::default();
    accounts(&mut text, &tables);
    keys(&mut text, &tables);
    documents(&mut text, &tables);
    records(&mut text, &tables);
    format!("WITH\n{}\n{}", text.parts.join(",\n"), answer(&tables))
}

/// A statement on its way.
struct Text {
    parts: Vec<String>,
    /// What waits for those before it, so that rows are taken in one order.
    last: Option<&'static str>,
}

impl Default for Text {
    fn default() -> Self {
        let hurried = "hurried AS MATERIALIZED (SELECT set_config('lock_timeout', '100ms', true))";
        Self { parts: vec![hurried.to_owned()], last: None }
    }
}

impl Text {
    /// Adds a part, whatever else is written.
    fn add(&mut self, name: &str, rows: Option<&Rows>, part: impl FnOnce(&str) -> String) {
        let Some(Rows { rows, .. }) = rows else { return };
        self.parts.push(format!("{name} AS ({}\n)", part(rows)));
    }

    /// Adds a part that begins when the one before it has ended. It is handed what it reads.
    fn add_in_turn(&mut self, name: &'static str, rows: Option<&Rows>, part: impl FnOnce(&str) -> String) {
        let Some(Rows { rows, .. }) = rows else { return };
        let turn = self.last.map(|last| format!("(SELECT count(*) FROM {last}) AS turn(earlier), "));
        let from = format!("hurried, {}{}", turn.unwrap_or_default(), rows);
        self.parts.push(format!("{name} AS ({}\n)", part(&from)));
        self.last = Some(name);
    }
}

fn accounts(text: &mut Text, tables: &Tables) {
    text.add_in_turn("linked", tables.identities.as_ref(), |from| {
        format!(
            "
  INSERT INTO jit_identity (tenant, connection, issuer, subject, account)
  SELECT tenant, connection, issuer, subject, account FROM {from}
  ON CONFLICT DO NOTHING
  RETURNING 1"
        )
    });
    let identities = tables.identities.as_ref().map_or("0", |rows| &rows.count);
    text.add_in_turn("created", tables.created.as_ref(), |from| {
        format!(
            "
  INSERT INTO jit_account (tenant, id, version, state, user_name_key, ends_at, last_seen, document)
  SELECT tenant, id, version, state, user_name_key, ends_at, last_seen, document::json
  FROM {from}
  WHERE earlier = {identities}
  RETURNING 1"
        )
    });
    text.add_in_turn("updated", tables.updated.as_ref(), |from| {
        format!(
            "
  UPDATE jit_account a
  SET version = r.version, state = r.state, user_name_key = r.user_name_key, ends_at = r.ends_at,
    last_seen = greatest(a.last_seen, r.last_seen), document = r.document::json
  FROM {from}
  WHERE a.tenant = r.tenant AND a.id = r.id AND a.version = r.expected
    AND coalesce(a.last_seen <= r.unused_since, true)
  RETURNING 1"
        )
    });
}

/// What accounts are found by, beside their identities.
fn keys(text: &mut Text, tables: &Tables) {
    text.add("not_looked_up", tables.lookups_removed.as_ref(), |rows| {
        format!(
            "
  DELETE FROM jit_lookup l USING {rows}
  WHERE l.tenant = r.tenant AND l.kind = r.kind AND l.digest = r.digest AND l.account = r.account"
        )
    });
    text.add("looked_up", tables.lookups_added.as_ref(), |rows| {
        format!(
            "
  INSERT INTO jit_lookup (tenant, kind, digest, account) SELECT tenant, kind, digest, account FROM {rows}"
        )
    });
    text.add("not_entitled", tables.entitlements_removed.as_ref(), |rows| {
        format!(
            "
  DELETE FROM jit_entitlement e USING {rows}
  WHERE e.tenant = r.tenant AND e.entitlement = r.name AND e.account = r.account"
        )
    });
    text.add("entitled", tables.entitlements_added.as_ref(), |rows| {
        format!(
            "
  INSERT INTO jit_entitlement (tenant, entitlement, account) SELECT tenant, name, account FROM {rows}"
        )
    });
}

fn documents(text: &mut Text, tables: &Tables) {
    text.add_in_turn("made", tables.made.as_ref(), |from| {
        format!(
            "
  INSERT INTO jit_document
    (tenant, connection, kind, id, version, created_at, changed_at, account, names, body)
  SELECT tenant, connection, kind, id, 1, created_at, changed_at, account, names, body
  FROM {from}
  RETURNING 1"
        )
    });
    text.add_in_turn("changed", tables.changed.as_ref(), |from| {
        format!(
            "
  UPDATE jit_document d
  SET version = d.version + 1, changed_at = r.changed_at, account = r.account, names = r.names, body = r.body
  FROM {from}
  WHERE d.tenant = r.tenant AND d.connection = r.connection AND d.kind = r.kind AND d.id = r.id
    AND d.version = r.expected
  RETURNING 1"
        )
    });
    text.add_in_turn("unnamed", tables.names_removed.as_ref(), |from| {
        format!(
            "
  DELETE FROM jit_document_name n USING {from}
  WHERE n.tenant = r.tenant AND n.connection = r.connection AND n.kind = r.kind AND n.digest = r.digest
    AND n.tie = r.tie AND n.document = r.document
  RETURNING 1"
        )
    });
    text.add_in_turn("named", tables.names_added.as_ref(), |from| {
        format!(
            "
  INSERT INTO jit_document_name (tenant, connection, kind, digest, tie, document)
  SELECT tenant, connection, kind, digest, tie, document
  FROM {from}
  RETURNING 1"
        )
    });
}

fn records(text: &mut Text, tables: &Tables) {
    text.add("task", tables.tasks.as_ref(), |rows| {
        format!(
            "
  INSERT INTO jit_task (tenant, id, lane, account, due, open_from, document)
  SELECT tenant, id, lane, account, due, due, document::json FROM {rows}"
        )
    });
    text.add("withdrawn", tables.withdrawn.as_ref(), |rows| {
        format!(
            "
  DELETE FROM jit_task t USING hurried, {rows} WHERE t.tenant = r.tenant AND t.id = r.id"
        )
    });
    text.add("event", tables.events.as_ref(), |rows| {
        format!(
            "
  INSERT INTO jit_audit (tenant, id, account, at, document)
  SELECT tenant, id, account, at, document::json FROM {rows}"
        )
    });
    text.add_in_turn("counter", tables.counters.as_ref(), |from| {
        format!(
            "
  INSERT INTO jit_counter AS c (tenant, name, value)
  SELECT tenant, name, step FROM {from}
  ON CONFLICT (tenant, name) DO UPDATE SET value = c.value + excluded.value
  RETURNING name, tenant, value"
        )
    });
}

fn answer(tables: &Tables) -> String {
    let counted = [("created", &tables.created), ("updated", &tables.updated), ("changed", &tables.changed)];
    let counted = counted.into_iter().filter_map(|(name, rows)| Some((name, rows.as_ref()?)));
    let mut holds: Vec<_> = counted
        .map(|(name, Rows { count, .. })| format!("(SELECT count(*) FROM {name}) = {count}"))
        .collect();
    if let Some(Rows { rows, .. }) = &tables.counters {
        holds.push(format!(
            "NOT EXISTS (
    SELECT FROM counter c, {rows}
    WHERE r.name = c.name AND r.tenant = c.tenant AND (c.value < r.at_least OR c.value > r.at_most)
  )"
        ));
    }
    format!("SELECT 1 / CASE WHEN {}\nTHEN 1 ELSE 0 END", holds.join("\n  AND "))
}

#[cfg(test)]
mod tests {
    use super::{super::Columns, *};

    #[test]
    fn each_shape_has_the_parameters_of_what_it_writes_and_waits_for_nothing_else() {
        for (shape, written) in [(Shape::Updates, 3), (Shape::Creates, 9), (Shape::Whole, 15)] {
            let text = text(shape);
            let numbers: Vec<usize> = text
                .split('$')
                .skip(1)
                .filter_map(|rest| rest.split(|c: char| !c.is_ascii_digit()).next()?.parse().ok())
                .collect();
            let parameters = Columns::default().parameters(shape).len();
            assert_eq!(numbers.iter().max(), Some(&parameters), "{text}");
            assert!((1..=parameters).all(|number| numbers.contains(&number)), "{text}");
            // The first part is the one that hurries.
            assert_eq!(text.matches(" AS (\n").count(), written, "{text}");
            for part in text.split("FROM ").skip(1).filter_map(|rest| rest.split(')').next()) {
                let is_part =
                    ["linked", "created", "updated", "made", "changed", "unnamed", "named"].contains(&part);
                assert!(!is_part || text.contains(&format!(",\n{part} AS (")), "{part} is not there: {text}");
            }
        }
    }
}
