-- expand, release 2
-- The seal has the digest of body_salt and body (mixins/seals/erasable-text.ts). Where the body was erased, with the payer or
-- after PROVIDER_NOTICE_KEEP_DAYS, body and ip are empty and body_salt is NULL. Of rows of release 1, without a digest, the
-- body itself is sealed and stays.
ALTER TABLE t_pay_webhook
  ADD COLUMN body_salt CHAR(32) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ADD COLUMN body_digest CHAR(64) CHARACTER SET ascii COLLATE ascii_bin NULL,
  ALGORITHM=INSTANT;
