-- What a live lease made is found by what its target calls it for good: what was lent before as well.

INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT tenant, 'leased_as', sha256(convert_to(native, 'UTF8')), id
  FROM (
    SELECT account.tenant, account.id, account.document #>> '{lease,remote,native}' AS native
    FROM jit_lookup AS lookup
    JOIN jit_account AS account ON account.tenant = lookup.tenant AND account.id = lookup.account
    WHERE lookup.kind = 'leased_at' AND account.document #>> '{lease,elevates}' IS NULL
  ) AS lent
  WHERE native IS NOT NULL
  ON CONFLICT DO NOTHING;
