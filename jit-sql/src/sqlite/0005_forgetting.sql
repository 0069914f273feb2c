-- Leases that are over for good are found by since when, so that their records can be removed: those as well that were over
-- before. That takes a look at each record that ended, which is done by parts: here lies how far it is, from when on it may be
-- done, and how often it is still to be done. Twice, because a process of before may go on for some time.

CREATE TABLE IF NOT EXISTS jit_look (
  name TEXT NOT NULL PRIMARY KEY,
  tenant TEXT NOT NULL,
  account BLOB NOT NULL,
  due INTEGER NOT NULL,
  looks INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT OR REPLACE INTO jit_look (name, tenant, account, due, looks) VALUES ('over_since', '', x'', 0, 2);
