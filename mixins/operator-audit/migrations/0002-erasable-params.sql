-- expand, release 2
-- The seal has the digest of params_salt and params (mixins/seals/erasable-text.ts). Where the params were erased, with the
-- user whom they name, both are NULL. Of rows of release 1, without a digest, the params themselves are sealed and stay.
ALTER TABLE t_operator_audit
  ADD COLUMN params_salt CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN params_digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ALGORITHM=INSTANT;
