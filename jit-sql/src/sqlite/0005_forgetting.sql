-- Leases that are over for good are found by since when, so that their records can be removed: those as well that were over
-- before. The digest is the instant in microseconds, in eight bytes from the highest to the lowest, and 24 bytes of zero. A
-- record that cannot be read keeps no other from it.

INSERT OR IGNORE INTO jit_lookup (tenant, kind, digest, account)
  SELECT tenant, 'over_since',
    unhex(printf('%016x', max(0,
      unixepoch(substr(since, 1, 19)) * 1000000 + substr(rtrim(substr(since, 21), 'Z') || '000000', 1, 6),
      unixepoch(substr(updated, 1, 19)) * 1000000 + substr(rtrim(substr(updated, 21), 'Z') || '000000', 1, 6)
    )) || printf('%048d', 0)),
    id
  FROM (
    SELECT tenant, id, document->>'$.lease.phase.since' AS since, document->>'$.updated_at' AS updated
    FROM (
      SELECT tenant, id, iif(json_valid(document), document, '{}') AS document
      FROM jit_account
      WHERE state = 'ended' AND user_name_key IS NULL
    )
    WHERE document->>'$.lease.phase.is' = 'gone'
      AND document->>'$.lease.phase.why' NOT IN ('declared_gone', 'reappeared')
      AND document->>'$.lease.unanswered' IS NULL
      AND document->>'$.lease.task' IS NULL
      AND coalesce(document->>'$.lease.alarms', 0) = 0
      AND coalesce(document->>'$.lease.counted', 0) = 0
  );
