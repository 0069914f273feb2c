//! The parts of the statements that write documents.

/// Documents, their names and members. Names that go make room before names come.
macro_rules! kept {
    () => {
        concat!(
            ",
made AS (
  INSERT INTO jit_document
    (tenant, connection, kind, id, version, created_at, changed_at, account, names, body)
  SELECT a.tenant, v->>0, v->>1, (v->>2)::uuid, 1, (v->>4)::bigint, (v->>5)::bigint, (v->>6)::uuid, v->>7, v->>8
  FROM account a, input, jsonb_array_elements(j->'made') AS k(v)
  RETURNING 1
),
changed AS (
  UPDATE jit_document d
  SET version = d.version + 1, changed_at = (v->>5)::bigint, account = (v->>6)::uuid, names = v->>7, body = v->>8
  FROM ",
            rows!("changed"),
            "
  WHERE d.tenant = r.tenant AND d.connection = v->>0 AND d.kind = v->>1 AND d.id = (v->>2)::uuid
    AND d.version = (v->>3)::bigint
  RETURNING 1
),
gone AS (
  DELETE FROM jit_document d
  USING ",
            rows!("gone"),
            "
  WHERE d.tenant = r.tenant AND d.connection = v->>0 AND d.kind = v->>1 AND d.id = (v->>2)::uuid
    AND d.version = (v->>3)::bigint
  RETURNING d.tenant, d.connection, d.kind, d.id, (v->>4)::bigint AS at, (v->>5)::boolean AS leaves_members
),
unnamed AS (
  DELETE FROM jit_document_name n
  USING ",
            rows!("names_removed"),
            "
  WHERE n.tenant = r.tenant AND n.connection = v->>0 AND n.kind = v->>1 AND n.digest = decode(v->>2, 'hex')
    AND n.tie = (v->>3)::uuid AND n.document = (v->>4)::uuid
  RETURNING 1
),
named AS (
  INSERT INTO jit_document_name (tenant, connection, kind, digest, tie, document)
  SELECT a.tenant, v->>0, v->>1, decode(v->>2, 'hex'), (v->>3)::uuid, (v->>4)::uuid
  FROM account a, (SELECT count(*) FROM made) AS rows_first, (SELECT count(*) FROM unnamed) AS room_first,
    input, jsonb_array_elements(j->'names_added') AS k(v)
  ON CONFLICT DO NOTHING
  RETURNING connection, kind, digest, document
),
moved AS (
  UPDATE jit_document d SET version = d.version + 1, changed_at = greatest(d.changed_at, l.at)
  FROM (
    SELECT m.tenant, m.connection, m.kind, m.id, max(g.at) AS at
    FROM gone g JOIN jit_member m ON m.tenant = g.tenant AND m.connection = g.connection
      AND m.member_kind = g.kind AND m.member = g.id
    GROUP BY m.tenant, m.connection, m.kind, m.id
  ) AS l
  WHERE d.tenant = l.tenant AND d.connection = l.connection AND d.kind = l.kind AND d.id = l.id
    AND NOT EXISTS (
      SELECT FROM input, jsonb_array_elements(j->'changed' || (j->'gone')) AS k(v)
      WHERE v->>0 = d.connection AND v->>1 = d.kind AND (v->>2)::uuid = d.id
    )
),
orphaned AS (
  DELETE FROM jit_member m USING gone g
  WHERE m.tenant = g.tenant AND m.connection = g.connection AND m.member_kind = g.kind AND m.member = g.id
),
emptied AS (
  DELETE FROM jit_member m USING gone g
  WHERE m.tenant = g.tenant AND m.connection = g.connection AND m.kind = g.kind AND m.id = g.id
    AND NOT g.leaves_members
),
dismissed AS (
  DELETE FROM jit_member m
  USING ",
            rows!("dismissed"),
            "
  WHERE m.tenant = r.tenant AND m.connection = v->0->>0 AND m.kind = v->0->>1 AND m.id = (v->0->>2)::uuid
    AND m.member = (v->>1)::uuid AND NOT EXISTS (
      SELECT FROM jit_document d
      WHERE d.tenant = m.tenant AND d.connection = m.connection AND d.kind = m.kind AND d.id = m.id
    )
),
cleared AS (
  DELETE FROM jit_member m
  USING ",
            rows!("cleared"),
            "
  WHERE m.tenant = r.tenant AND m.connection = v->>0 AND m.kind = v->>1 AND m.id = (v->>2)::uuid
    AND (m.connection, m.kind, m.id, m.member) NOT IN (
      SELECT w->>0, w->>1, (w->>2)::uuid, (w->>4)::uuid
      FROM input AS i, jsonb_array_elements(i.j->'rejoining') AS others(w)
    )
),
leaving AS (
  DELETE FROM jit_member m
  USING ",
            rows!("leaving"),
            "
  WHERE m.tenant = r.tenant AND m.connection = v->0->>0 AND m.kind = v->0->>1 AND m.id = (v->0->>2)::uuid
    AND m.member = (v->>1)::uuid
),
joining AS (
  INSERT INTO jit_member (tenant, connection, kind, id, member_kind, member, body)
  SELECT a.tenant, v->>0, v->>1, (v->>2)::uuid, v->>3, (v->>4)::uuid, v->>5
  FROM account a, input, jsonb_array_elements(j->'joining') AS k(v)
  ON CONFLICT DO NOTHING
),
rejoining AS (
  INSERT INTO jit_member (tenant, connection, kind, id, member_kind, member, body)
  SELECT a.tenant, v->>0, v->>1, (v->>2)::uuid, v->>3, (v->>4)::uuid, v->>5
  FROM account a, input, jsonb_array_elements(j->'rejoining') AS k(v)
  ON CONFLICT (tenant, connection, kind, id, member)
  DO UPDATE SET member_kind = excluded.member_kind, body = excluded.body
)"
        )
    };
}

/// Why the documents of a commit cannot be written, as rows of reasons.
macro_rules! kept_refused {
    () => {
        "
  SELECT 'document' FROM account, input
  WHERE (SELECT count(*) FROM changed) <> jsonb_array_length(j->'changed')
    OR (SELECT count(*) FROM gone) <> jsonb_array_length(j->'gone')
  UNION ALL SELECT 'name_' || (v->>5) FROM account, input, jsonb_array_elements(j->'names_added') AS k(v)
  WHERE v->>5 IS NOT NULL AND NOT EXISTS (
    SELECT FROM named n
    WHERE n.connection = v->>0 AND n.kind = v->>1 AND n.digest = decode(v->>2, 'hex') AND n.document = (v->>4)::uuid
  )"
    };
}

pub(super) use {kept, kept_refused};
