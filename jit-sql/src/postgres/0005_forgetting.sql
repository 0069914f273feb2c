-- Leases that are over for good are found by since when, so that their records can be removed: those as well that were over
-- before. The digest is the instant in microseconds, in eight bytes from the highest to the lowest, and 24 bytes of zero.

ALTER TABLE jit_refusal ADD CONSTRAINT jit_refused_forgotten CHECK (reason <> 'forgotten');

INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT tenant, 'over_since', int8send(greatest(since, updated, 0)) || decode(repeat('00', 24), 'hex'), id
  FROM (
    SELECT tenant, id,
      (extract(epoch FROM (rtrim(left(document#>>'{lease,phase,since}', 26), 'Z') || 'Z')::timestamptz) * 1000000)::bigint
        AS since,
      (extract(epoch FROM (rtrim(left(document->>'updated_at', 26), 'Z') || 'Z')::timestamptz) * 1000000)::bigint
        AS updated
    FROM jit_account
    WHERE state = 'ended' AND user_name_key IS NULL
      AND document#>>'{lease,phase,is}' = 'gone'
      AND document#>>'{lease,phase,why}' NOT IN ('declared_gone', 'reappeared')
      AND document#>>'{lease,unanswered}' IS NULL
      AND document#>>'{lease,task}' IS NULL
      AND coalesce(document#>>'{lease,alarms}', '0') = '0'
      AND coalesce(document#>>'{lease,counted}', 'false') = 'false'
  ) AS over
  ON CONFLICT DO NOTHING;
