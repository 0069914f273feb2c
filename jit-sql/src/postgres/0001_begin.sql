-- Instants are microseconds since 1970, documents are JSON. Keys compare byte for byte, whatever the database's locale.
-- The tenant is the first column of every unique index.

CREATE TABLE jit_account (
  tenant text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  version bigint NOT NULL,
  state text COLLATE "C" NOT NULL,
  user_name_key text COLLATE "C",
  ends_at bigint,
  last_seen bigint,
  document json NOT NULL,
  CONSTRAINT jit_account_pkey PRIMARY KEY (tenant, id),
  -- Ended accounts are in it as well: a tombstone keeps its name.
  CONSTRAINT jit_account_user_name UNIQUE (tenant, user_name_key),
  -- Version 0 stands for a new account of whose identities some belong to somebody else.
  CONSTRAINT jit_account_identity CHECK (version > 0)
) WITH (fillfactor = 90);
CREATE INDEX jit_account_state ON jit_account (tenant, state, id);

CREATE TABLE jit_identity (
  tenant text COLLATE "C" NOT NULL,
  connection text COLLATE "C" NOT NULL,
  issuer text COLLATE "C" NOT NULL,
  subject text COLLATE "C" NOT NULL,
  account uuid NOT NULL,
  CONSTRAINT jit_identity_pkey PRIMARY KEY (tenant, connection, issuer, subject),
  CONSTRAINT jit_identity_account FOREIGN KEY (tenant, account) REFERENCES jit_account (tenant, id)
);

-- `digest` is the SHA-256 of the value: values may be of any length, an index entry may not.
CREATE TABLE jit_lookup (
  tenant text COLLATE "C" NOT NULL,
  kind text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  account uuid NOT NULL,
  CONSTRAINT jit_lookup_pkey PRIMARY KEY (tenant, kind, digest, account)
);

CREATE TABLE jit_entitlement (
  tenant text COLLATE "C" NOT NULL,
  entitlement text COLLATE "C" NOT NULL,
  account uuid NOT NULL,
  CONSTRAINT jit_entitlement_pkey PRIMARY KEY (tenant, entitlement, account)
);

-- `open_from` is when the task may be claimed: when it is due, or when its claim is over.
CREATE TABLE jit_task (
  tenant text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  lane text COLLATE "C" NOT NULL,
  account uuid NOT NULL,
  due bigint NOT NULL,
  open_from bigint NOT NULL,
  epoch bigint NOT NULL DEFAULT 0,
  worker text,
  document json NOT NULL,
  CONSTRAINT jit_task_pkey PRIMARY KEY (tenant, id)
);
CREATE INDEX jit_task_open ON jit_task (lane, open_from, id, tenant);

CREATE TABLE jit_audit (
  tenant text COLLATE "C" NOT NULL,
  id uuid NOT NULL,
  account uuid,
  at bigint NOT NULL,
  document json NOT NULL,
  CONSTRAINT jit_audit_pkey PRIMARY KEY (tenant, id)
);
CREATE INDEX jit_audit_account ON jit_audit (tenant, account, id) WHERE account IS NOT NULL;

CREATE TABLE jit_one_time (
  tenant text COLLATE "C" NOT NULL,
  digest bytea NOT NULL,
  until bigint NOT NULL,
  value bytea NOT NULL,
  CONSTRAINT jit_one_time_pkey PRIMARY KEY (tenant, digest)
);
CREATE INDEX jit_one_time_until ON jit_one_time (until);

CREATE TABLE jit_counter (
  tenant text COLLATE "C" NOT NULL,
  name text COLLATE "C" NOT NULL,
  value bigint NOT NULL,
  CONSTRAINT jit_counter_pkey PRIMARY KEY (tenant, name)
) WITH (fillfactor = 50);

-- Stays empty: no row passes its checks. A commit that must not happen tries to insert the reason here and fails with
-- the name of the check, which undoes the whole statement. Checks are made in the order of their names.
CREATE TABLE jit_refusal (
  reason text COLLATE "C" NOT NULL,
  CONSTRAINT jit_refused_identity CHECK (reason <> 'identity'),
  CONSTRAINT jit_refused_otherwise CHECK (reason = '' AND reason <> ''),
  CONSTRAINT jit_refused_counter_0 CHECK (reason <> 'counter_0'),
  CONSTRAINT jit_refused_counter_1 CHECK (reason <> 'counter_1'),
  CONSTRAINT jit_refused_counter_2 CHECK (reason <> 'counter_2'),
  CONSTRAINT jit_refused_counter_3 CHECK (reason <> 'counter_3'),
  CONSTRAINT jit_refused_counter_4 CHECK (reason <> 'counter_4'),
  CONSTRAINT jit_refused_counter_5 CHECK (reason <> 'counter_5'),
  CONSTRAINT jit_refused_counter_6 CHECK (reason <> 'counter_6'),
  CONSTRAINT jit_refused_counter_7 CHECK (reason <> 'counter_7'),
  CONSTRAINT jit_refused_counter_8 CHECK (reason <> 'counter_8'),
  CONSTRAINT jit_refused_counter_9 CHECK (reason <> 'counter_9'),
  CONSTRAINT jit_refused_counter_10 CHECK (reason <> 'counter_10'),
  CONSTRAINT jit_refused_counter_11 CHECK (reason <> 'counter_11'),
  CONSTRAINT jit_refused_counter_12 CHECK (reason <> 'counter_12'),
  CONSTRAINT jit_refused_counter_13 CHECK (reason <> 'counter_13'),
  CONSTRAINT jit_refused_counter_14 CHECK (reason <> 'counter_14'),
  CONSTRAINT jit_refused_counter_15 CHECK (reason <> 'counter_15'),
  CONSTRAINT jit_refused_counter_16 CHECK (reason <> 'counter_16'),
  CONSTRAINT jit_refused_counter_17 CHECK (reason <> 'counter_17'),
  CONSTRAINT jit_refused_counter_18 CHECK (reason <> 'counter_18'),
  CONSTRAINT jit_refused_counter_19 CHECK (reason <> 'counter_19'),
  CONSTRAINT jit_refused_counter_20 CHECK (reason <> 'counter_20'),
  CONSTRAINT jit_refused_counter_21 CHECK (reason <> 'counter_21'),
  CONSTRAINT jit_refused_counter_22 CHECK (reason <> 'counter_22'),
  CONSTRAINT jit_refused_counter_23 CHECK (reason <> 'counter_23'),
  CONSTRAINT jit_refused_counter_24 CHECK (reason <> 'counter_24'),
  CONSTRAINT jit_refused_counter_25 CHECK (reason <> 'counter_25'),
  CONSTRAINT jit_refused_counter_26 CHECK (reason <> 'counter_26'),
  CONSTRAINT jit_refused_counter_27 CHECK (reason <> 'counter_27'),
  CONSTRAINT jit_refused_counter_28 CHECK (reason <> 'counter_28'),
  CONSTRAINT jit_refused_counter_29 CHECK (reason <> 'counter_29'),
  CONSTRAINT jit_refused_counter_30 CHECK (reason <> 'counter_30'),
  CONSTRAINT jit_refused_counter_31 CHECK (reason <> 'counter_31'),
  CONSTRAINT jit_refused_counter_32 CHECK (reason <> 'counter_32'),
  CONSTRAINT jit_refused_counter_33 CHECK (reason <> 'counter_33'),
  CONSTRAINT jit_refused_counter_34 CHECK (reason <> 'counter_34'),
  CONSTRAINT jit_refused_counter_35 CHECK (reason <> 'counter_35'),
  CONSTRAINT jit_refused_counter_36 CHECK (reason <> 'counter_36'),
  CONSTRAINT jit_refused_counter_37 CHECK (reason <> 'counter_37'),
  CONSTRAINT jit_refused_counter_38 CHECK (reason <> 'counter_38'),
  CONSTRAINT jit_refused_counter_39 CHECK (reason <> 'counter_39'),
  CONSTRAINT jit_refused_counter_40 CHECK (reason <> 'counter_40'),
  CONSTRAINT jit_refused_counter_41 CHECK (reason <> 'counter_41'),
  CONSTRAINT jit_refused_counter_42 CHECK (reason <> 'counter_42'),
  CONSTRAINT jit_refused_counter_43 CHECK (reason <> 'counter_43'),
  CONSTRAINT jit_refused_counter_44 CHECK (reason <> 'counter_44'),
  CONSTRAINT jit_refused_counter_45 CHECK (reason <> 'counter_45'),
  CONSTRAINT jit_refused_counter_46 CHECK (reason <> 'counter_46'),
  CONSTRAINT jit_refused_counter_47 CHECK (reason <> 'counter_47'),
  CONSTRAINT jit_refused_counter_48 CHECK (reason <> 'counter_48'),
  CONSTRAINT jit_refused_counter_49 CHECK (reason <> 'counter_49'),
  CONSTRAINT jit_refused_counter_50 CHECK (reason <> 'counter_50'),
  CONSTRAINT jit_refused_counter_51 CHECK (reason <> 'counter_51'),
  CONSTRAINT jit_refused_counter_52 CHECK (reason <> 'counter_52'),
  CONSTRAINT jit_refused_counter_53 CHECK (reason <> 'counter_53'),
  CONSTRAINT jit_refused_counter_54 CHECK (reason <> 'counter_54'),
  CONSTRAINT jit_refused_counter_55 CHECK (reason <> 'counter_55'),
  CONSTRAINT jit_refused_counter_56 CHECK (reason <> 'counter_56'),
  CONSTRAINT jit_refused_counter_57 CHECK (reason <> 'counter_57'),
  CONSTRAINT jit_refused_counter_58 CHECK (reason <> 'counter_58'),
  CONSTRAINT jit_refused_counter_59 CHECK (reason <> 'counter_59'),
  CONSTRAINT jit_refused_counter_60 CHECK (reason <> 'counter_60'),
  CONSTRAINT jit_refused_counter_61 CHECK (reason <> 'counter_61'),
  CONSTRAINT jit_refused_counter_62 CHECK (reason <> 'counter_62'),
  CONSTRAINT jit_refused_counter_63 CHECK (reason <> 'counter_63')
);
