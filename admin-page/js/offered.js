/** What a key may be allowed and a webhook may subscribe to, as the server has it, and what the books may differ by. */

/** The scopes of API keys (services/api-scopes.ts). */
export const scopes = Object.freeze([
  ...["users:read", "users:write", "rooms:read", "rooms:write", "gifts:read", "gifts:send"],
  ...["wallet:read", "wallet:credit", "wallet:adjust", "wallet:payout", "webhooks"],
]);

/** Those with which coins or income move. */
export const moneyScopes = Object.freeze(["gifts:send", "wallet:credit", "wallet:adjust", "wallet:payout"]);

/** The events of webhooks (services/webhook-events.ts). */
export const webhookEvents = Object.freeze([
  ...["gift.settled", "gift.deadLettered", "payment.paid", "payment.refunded", "wallet.credited"],
  ...["income.held", "income.released", "account.frozen", "account.unfrozen", "user.registered"],
  ...["user.restricted", "user.unrestricted", "user.erased"],
  ...["room.opened", "room.closed", "battle.started", "battle.ended", "webhook.disabled"],
]);

/** Differences of the books that nobody accepts (services/auditor/differences.ts). */
export const neverAccepted = Object.freeze([
  ...["checkFailed", "sealForged", "sealKeyUnknown", "segmentForged"],
  ...["checkpointForged", "checkpointLate", "checkpointRemoved"],
]);
