export const notificationLimits = Object.freeze({
  smsWebhookTimeoutMs: 5_000,
  eventsInFlight: 16,
});
