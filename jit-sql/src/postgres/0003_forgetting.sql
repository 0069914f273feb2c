-- Accounts may be removed, where no identity leads to them. A foreign key would look through all identities of the tenant each
-- time, and did nothing else: every commit writes an identity together with its account.
ALTER TABLE jit_identity DROP CONSTRAINT jit_identity_account;
