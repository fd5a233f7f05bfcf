export { type ErrorName, type FailureName, OvationError } from "./errors.ts";
export { failureCodes } from "./generated/failures.ts";
export type { GiftResult, OutcomeOptions } from "./gifts.ts";
export {
  type Battle,
  type ImGift,
  type ImState,
  type ImTicket,
  type RoomConnection,
  type RoomEvents,
  type RoomOptions,
  roomConnection,
} from "./im.ts";
export { defaultRepeats, type RepeatOptions } from "./repeats.ts";
export type { CallOptions, TransportOptions } from "./transport.ts";
export {
  createUserClient,
  type GiftOrder,
  type GiftToSend,
  type UserApi,
  type UserClient,
  type UserClientOptions,
  type UserData,
  type UserParams,
} from "./user.ts";
export { verifyWebhook, type Webhook, WebhookError, type WebhookFault } from "./webhooks.ts";
