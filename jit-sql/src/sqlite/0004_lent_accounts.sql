-- What a live lease made is found by what its target calls it for good: what was lent before as well. `jit_digest` is the SHA-256
-- of a text; it is there while the steps are applied. A record that cannot be read keeps no other from it.

INSERT OR IGNORE INTO jit_lookup (tenant, kind, digest, account)
  SELECT tenant, 'leased_as', jit_digest(native), id
  FROM (
    SELECT account.tenant, account.id, iif(
      json_valid(account.document) AND json_extract(account.document, '$.lease.elevates') IS NULL,
      json_extract(account.document, '$.lease.remote.native'), NULL
    ) AS native
    FROM jit_lookup AS lookup
    JOIN jit_account AS account ON account.tenant = lookup.tenant AND account.id = lookup.account
    WHERE lookup.kind = 'leased_at'
  )
  WHERE native IS NOT NULL;
