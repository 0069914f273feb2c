-- What a live lease made is found by what its target calls it for good: what was lent before as well. No text of the server
-- holds the character NUL, and who reads a value of a document that has one fails: it is read as another character that no id
-- has. An escaped backslash stands aside meanwhile, so that what follows it is not taken for an escape.

INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT tenant, 'leased_as', sha256(convert_to(document #>> '{lease,remote,native}', 'UTF8')), id
  FROM (
    SELECT account.tenant, account.id, replace(replace(replace(
      account.document::text, '\\', chr(1)), '\u0000', '\u0001'), chr(1), '\\')::json AS document
    FROM jit_lookup AS lookup
    JOIN jit_account AS account ON account.tenant = lookup.tenant AND account.id = lookup.account
    WHERE lookup.kind = 'leased_at'
  ) AS lent
  WHERE document #>> '{lease,elevates}' IS NULL AND document #>> '{lease,remote,native}' IS NOT NULL
  ON CONFLICT DO NOTHING;
