-- Instants are microseconds since 1970, ids are the 16 bytes of a UUID, documents are JSON.
-- The tenant is the first column of every unique index.

CREATE TABLE jit_account (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  state TEXT NOT NULL,
  user_name_key TEXT,
  ends_at INTEGER,
  last_seen INTEGER,
  document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jit_account_id ON jit_account (tenant, id);
-- Ended accounts are in it as well: a tombstone keeps its name.
CREATE UNIQUE INDEX jit_account_user_name ON jit_account (tenant, user_name_key);
CREATE INDEX jit_account_state ON jit_account (tenant, state, id);

CREATE TABLE jit_identity (
  tenant TEXT NOT NULL,
  connection TEXT NOT NULL,
  issuer TEXT NOT NULL,
  subject TEXT NOT NULL,
  account INTEGER NOT NULL REFERENCES jit_account (seq),
  PRIMARY KEY (tenant, connection, issuer, subject)
) STRICT, WITHOUT ROWID;

-- `digest` is the SHA-256 of the value: values may be of any length.
CREATE TABLE jit_lookup (
  tenant TEXT NOT NULL,
  kind TEXT NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  account BLOB NOT NULL,
  PRIMARY KEY (tenant, kind, digest, account)
) STRICT, WITHOUT ROWID;

CREATE TABLE jit_entitlement (
  tenant TEXT NOT NULL,
  entitlement TEXT NOT NULL,
  account BLOB NOT NULL,
  PRIMARY KEY (tenant, entitlement, account)
) STRICT, WITHOUT ROWID;

-- `open_from` is when the task may be claimed: when it is due, or when its claim is over.
CREATE TABLE jit_task (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  lane TEXT NOT NULL,
  account BLOB NOT NULL,
  due INTEGER NOT NULL,
  open_from INTEGER NOT NULL,
  epoch INTEGER NOT NULL DEFAULT 0,
  worker TEXT,
  document TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jit_task_id ON jit_task (tenant, id);
CREATE INDEX jit_task_open ON jit_task (lane, open_from, id, tenant);

CREATE TABLE jit_audit (
  tenant TEXT NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  account BLOB,
  at INTEGER NOT NULL,
  document TEXT NOT NULL,
  PRIMARY KEY (tenant, id)
) STRICT, WITHOUT ROWID;
CREATE INDEX jit_audit_account ON jit_audit (tenant, account, id) WHERE account IS NOT NULL;

CREATE TABLE jit_one_time (
  tenant TEXT NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  until INTEGER NOT NULL,
  value BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX jit_one_time_key ON jit_one_time (tenant, digest);
CREATE INDEX jit_one_time_until ON jit_one_time (until);

CREATE TABLE jit_counter (
  tenant TEXT NOT NULL,
  name TEXT NOT NULL,
  value INTEGER NOT NULL,
  PRIMARY KEY (tenant, name)
) STRICT, WITHOUT ROWID;
