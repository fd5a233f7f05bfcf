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
export {
  createServerClient,
  type ServerApi,
  type ServerCallOptions,
  type ServerClient,
  type ServerClientOptions,
  type ServerData,
  type ServerGift,
  type ServerGiftOrder,
  type ServerParams,
} from "./server.ts";
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
export {
  verifyWebhook,
  type Webhook,
  WebhookError,
  type WebhookEvent,
  type WebhookFault,
  type WebhookName,
} from "./webhooks.ts";
