-- Leases that are over for good are found by since when, so that their records can be removed: those as well that were over
-- before. That takes a look at each record that ended, which is done by parts, beside whatever else is done: here lies how far
-- it is, from when on it may be done, and how often it is still to be done. Twice, because a process of before may go on for
-- some time. Nothing else of the step: a table that commits write to is not altered while they do.

CREATE TABLE IF NOT EXISTS jit_look (
  name text COLLATE "C" NOT NULL,
  tenant text COLLATE "C" NOT NULL,
  account uuid NOT NULL,
  due bigint NOT NULL,
  looks bigint NOT NULL,
  CONSTRAINT jit_look_pkey PRIMARY KEY (name)
);
INSERT INTO jit_look (name, tenant, account, due, looks)
  VALUES ('over_since', '', '00000000-0000-0000-0000-000000000000', 0, 2)
  ON CONFLICT (name) DO UPDATE
  SET tenant = excluded.tenant, account = excluded.account, due = excluded.due, looks = excluded.looks;
