-- What sources said, word for word. Instants are microseconds since 1970, names and bodies are JSON. Keys compare byte for
-- byte, whatever the database's locale. The tenant is the first column of every unique index.

CREATE TABLE jit_document (
  tenant text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  version bigint NOT NULL,
  created_at bigint NOT NULL,
  changed_at bigint NOT NULL,
  account uuid,
  names text NOT NULL,
  body text NOT NULL,
  CONSTRAINT jit_document_pkey PRIMARY KEY (tenant, connection, kind, id)
) WITH (fillfactor = 90);

-- `digest` is the SHA-256 of index and value: values may be of any length, an index entry may not. `tie` is nothing but
-- zeros for a unique name, and the document's id for others.
CREATE TABLE jit_document_name (
  tenant text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  tie uuid NOT NULL,
  document uuid NOT NULL,
  CONSTRAINT jit_document_name_pkey PRIMARY KEY (tenant, connection, kind, digest, tie)
);

-- `kind` and `id` are those of the group. Checked at the end of a statement with the latest state of all: of two that
-- remove a document and make it a member at the same moment, one fails.
CREATE TABLE jit_member (
  tenant text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  member uuid NOT NULL,
  member_kind text COLLATE "C" NOT NULL,
  body text NOT NULL,
  CONSTRAINT jit_member_pkey PRIMARY KEY (tenant, connection, kind, id, member),
  CONSTRAINT jit_member_document FOREIGN KEY (tenant, connection, member_kind, member)
    REFERENCES jit_document (tenant, connection, kind, id)
);
CREATE INDEX jit_member_groups ON jit_member (tenant, connection, member_kind, member, kind, id);

-- More reasons for which a commit must not happen.
ALTER TABLE jit_refusal
  ADD CONSTRAINT jit_refused_document CHECK (reason <> 'document'),
  ADD CONSTRAINT jit_refused_name_0 CHECK (reason <> 'name_0'),
  ADD CONSTRAINT jit_refused_name_1 CHECK (reason <> 'name_1'),
  ADD CONSTRAINT jit_refused_name_2 CHECK (reason <> 'name_2'),
  ADD CONSTRAINT jit_refused_name_3 CHECK (reason <> 'name_3'),
  ADD CONSTRAINT jit_refused_name_4 CHECK (reason <> 'name_4'),
  ADD CONSTRAINT jit_refused_name_5 CHECK (reason <> 'name_5'),
  ADD CONSTRAINT jit_refused_name_6 CHECK (reason <> 'name_6'),
  ADD CONSTRAINT jit_refused_name_7 CHECK (reason <> 'name_7'),
  ADD CONSTRAINT jit_refused_name_8 CHECK (reason <> 'name_8'),
  ADD CONSTRAINT jit_refused_name_9 CHECK (reason <> 'name_9'),
  ADD CONSTRAINT jit_refused_name_10 CHECK (reason <> 'name_10'),
  ADD CONSTRAINT jit_refused_name_11 CHECK (reason <> 'name_11'),
  ADD CONSTRAINT jit_refused_name_12 CHECK (reason <> 'name_12'),
  ADD CONSTRAINT jit_refused_name_13 CHECK (reason <> 'name_13'),
  ADD CONSTRAINT jit_refused_name_14 CHECK (reason <> 'name_14'),
  ADD CONSTRAINT jit_refused_name_15 CHECK (reason <> 'name_15'),
  ADD CONSTRAINT jit_refused_name_16 CHECK (reason <> 'name_16'),
  ADD CONSTRAINT jit_refused_name_17 CHECK (reason <> 'name_17'),
  ADD CONSTRAINT jit_refused_name_18 CHECK (reason <> 'name_18'),
  ADD CONSTRAINT jit_refused_name_19 CHECK (reason <> 'name_19'),
  ADD CONSTRAINT jit_refused_name_20 CHECK (reason <> 'name_20'),
  ADD CONSTRAINT jit_refused_name_21 CHECK (reason <> 'name_21'),
  ADD CONSTRAINT jit_refused_name_22 CHECK (reason <> 'name_22'),
  ADD CONSTRAINT jit_refused_name_23 CHECK (reason <> 'name_23'),
  ADD CONSTRAINT jit_refused_name_24 CHECK (reason <> 'name_24'),
  ADD CONSTRAINT jit_refused_name_25 CHECK (reason <> 'name_25'),
  ADD CONSTRAINT jit_refused_name_26 CHECK (reason <> 'name_26'),
  ADD CONSTRAINT jit_refused_name_27 CHECK (reason <> 'name_27'),
  ADD CONSTRAINT jit_refused_name_28 CHECK (reason <> 'name_28'),
  ADD CONSTRAINT jit_refused_name_29 CHECK (reason <> 'name_29'),
  ADD CONSTRAINT jit_refused_name_30 CHECK (reason <> 'name_30'),
  ADD CONSTRAINT jit_refused_name_31 CHECK (reason <> 'name_31');
