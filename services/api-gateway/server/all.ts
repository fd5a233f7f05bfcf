import type { ServerEndpoint } from "./server-endpoint.ts";
import { userEndpoints } from "./users.ts";
import { walletOrderEndpoints } from "./wallet-orders.ts";

/** Every endpoint of the server API, in the order of the documentation. */
export const serverEndpoints: readonly ServerEndpoint[] = Object.freeze([...userEndpoints, ...walletOrderEndpoints]);
