export const paymentLimits = Object.freeze({
  orderExpiresMs: 15 * 60_000,
  expiryGraceMs: 30_000,
  watchDelaysMs: Object.freeze([60_000, 60_000, 120_000, 240_000, 480_000, 600_000] as const),
  refundAttempts: 100,
  maintenancePollMs: 5_000,
  maintenanceLeaseMs: 60_000,
  maintenanceOrders: 200,
  maintenanceCallsInFlight: 10,
  maintenanceMessages: 500,
  messageLookDelaysMs: Object.freeze([5_000, 10_000, 30_000, 60_000, 120_000, 600_000] as const),
  /** Each is longer than `jetstream.duplicateWindowMs`, and than the one before. */
  messageAgainDelaysMs: Object.freeze([180_000, 600_000, 1_800_000, 3_600_000, 10_800_000, 21_600_000] as const),
  messageLooksBeforeAgain: 3,
  /** The pause before the wallet is asked about all watched messages after their stream was made again. */
  messageLookAfterLossMs: 2_000,
  cashierRetryDelaysMs: Object.freeze([500, 1_000, 2_000, 4_000, 8_000, 15_000, 30_000, 60_000]),
  cashierTimeoutMs: 5_000,
  cashierDuplicatePercent: 20,
  cashierIdlePollMs: 250,
  cashierCallsInFlight: 20,
  cashierGiveUpMs: 24 * 3_600_000,
  webhookFreshnessMs: 5 * 60_000,
  alipayWebhookFreshnessMs: 26 * 3_600_000,
  providerTimeoutMs: 5_000,
  providerAnswerBytes: 256 * 1024,
  providerBillBytes: 256 * 1024 * 1024,
  providerBillTimeoutMs: 120_000,
  reconcileTimeoutMs: 30 * 60_000,
  billLinesPerCall: 2_000,
  billsPerDay: 20,
  /** The daily reconciliation compares this many days back; older ones by the command. */
  reconcileDays: 7,
  reconcilePollMs: 30_000,
  /** The pause before a comparison that failed is tried again, e.g. since the bill is not there yet. */
  reconcileRetryMs: 10 * 60_000,
  /** Longer than a comparison usually takes: two nodes that compare a day at once do the work twice, no more. */
  reconcileLeaseMs: 15 * 60_000,
  /**
   * From so long after the end of a day on, a provider that has no bill of it had no payments on it. Until then the
   * bill may not be made yet, also where nothing was paid here.
   */
  billMissingMs: 48 * 3_600_000,
  /**
   * A refund is expected in the bills this long after the day on which the provider accepted it here: its own day may
   * be the next or the one before.
   */
  billDayMarginMs: 3_600_000,
  productNameChars: 100,
  /** One million yuan. */
  productFen: 100_000_000,
  productCoins: 1_000_000_000,
  /** Column t_pay_topic.biz_code. */
  bizCode: 4_294_967_295,
  webhookBodyBytes: 64 * 1024,
  webhookExcerptChars: 1_000,
  refusedWebhookRowsPerMinute: 600,
  uncreditedPollMs: 30_000,
  uncreditedOrders: 100,
  reasonChars: 200,
  /** Figures by minute: how often all minutes are read, and which are read each time, since webhooks come late. */
  paidReadAgainMs: 60_000,
  paidOpenMs: 2 * 60_000,
  /** Of the orders of a key: the rows that one call reads, and the orders that it answers. */
  keyOrdersRead: 20_000,
  keyOrdersShown: 500,
});
