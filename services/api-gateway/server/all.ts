import { giftEndpoints } from "./gifts.ts";
import { roomEndpoints } from "./rooms.ts";
import type { ServerEndpoint } from "./server-endpoint.ts";
import { userEndpoints } from "./users.ts";
import { walletReadEndpoints } from "./wallet-reads.ts";
import { webhookEndpoints } from "./webhooks.ts";

/** Every endpoint of the server API, in the order of the documentation. */
export const serverEndpoints: readonly ServerEndpoint[] = Object.freeze([
  ...userEndpoints,
  ...roomEndpoints,
  ...giftEndpoints,
  ...walletReadEndpoints,
  ...webhookEndpoints,
]);
