import { z } from "zod";

/**
 * What an API key of the platform's backend may be allowed to do. Each endpoint of the server API needs one of them
 * (services/api-gateway/server/). A scope never gets a wider meaning, since keys that have it exist. `webhooks` manages
 * webhooks, and so reads every event: gifts, payments and credits of all users.
 */
export const apiScopes = [
  "users:read",
  "users:write",
  "rooms:read",
  "rooms:write",
  "gifts:read",
  "gifts:send",
  "wallet:read",
  "wallet:credit",
  "wallet:adjust",
  "wallet:payout",
  "webhooks",
] as const;
export type ApiScope = (typeof apiScopes)[number];

export const apiScope = z.enum(apiScopes);

export function isApiScope(name: unknown): name is ApiScope {
  return apiScope.safeParse(name).success;
}
