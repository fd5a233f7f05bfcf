/** How long rows are kept that have no other bound (services/retention.ts), and the jobs that erase them. */
export const retentionLimits = Object.freeze({
  /** Where AUDIT_KEEP_DAYS and PROVIDER_WEBHOOK_KEEP_DAYS are unset. */
  auditDays: 1_095,
  providerWebhookDays: 400,
  /** How often the jobs look for rows that are too old, and the rows of one statement. */
  everyMs: 10 * 60_000,
  rows: 1_000,
  leaseMs: 60_000,
  /** The least that a request id of a gift is remembered; the ids of charges, orders and payments are for ever. */
  requestIdDays: 400,
});
