-- What sources said, word for word. Instants are microseconds since 1970, ids are the 16 bytes of a UUID, names and
-- bodies are JSON. The tenant is the first column of every unique index.

CREATE TABLE jit_document (
  seq INTEGER PRIMARY KEY,
  tenant TEXT NOT NULL,
  connection TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL CHECK (length(id) = 16),
  version INTEGER NOT NULL,
  created_at INTEGER NOT NULL,
  changed_at INTEGER NOT NULL,
  account BLOB,
  names TEXT NOT NULL,
  body TEXT NOT NULL
) STRICT;
CREATE UNIQUE INDEX jit_document_id ON jit_document (tenant, connection, kind, id);

-- `digest` is the SHA-256 of index and value. `tie` is nothing but zeros for a unique name, and the document's id for
-- others.
CREATE TABLE jit_document_name (
  tenant TEXT NOT NULL,
  connection TEXT NOT NULL,
  kind TEXT NOT NULL,
  digest BLOB NOT NULL CHECK (length(digest) = 32),
  tie BLOB NOT NULL CHECK (length(tie) = 16),
  document BLOB NOT NULL,
  PRIMARY KEY (tenant, connection, kind, digest, tie)
) STRICT, WITHOUT ROWID;

-- `kind` and `id` are those of the group.
CREATE TABLE jit_member (
  tenant TEXT NOT NULL,
  connection TEXT NOT NULL,
  kind TEXT NOT NULL,
  id BLOB NOT NULL,
  member BLOB NOT NULL,
  member_kind TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (tenant, connection, kind, id, member)
) STRICT, WITHOUT ROWID;
CREATE INDEX jit_member_groups ON jit_member (tenant, connection, member_kind, member, kind, id);
