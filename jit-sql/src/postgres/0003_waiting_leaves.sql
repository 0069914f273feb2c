-- Accounts whose leave waits are found by its connection, and from now on by the fact alone that one waits: those that waited
-- before as well. The digest is that of the value `any`.

INSERT INTO jit_lookup (tenant, kind, digest, account)
  SELECT DISTINCT tenant, 'parked_leaves', '\xd6a7cd2a7371b1a15d543196979ff74fdb027023ebf187d5d329be11055c77fd'::bytea, account
  FROM jit_lookup WHERE kind = 'parked_leave'
  ON CONFLICT DO NOTHING;
