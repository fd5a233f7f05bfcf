import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { coinAmount, externalReference, id, integer, userId } from "../fields.ts";

/**
 * Orders of the platform service to move money. They come as signed texts (`platformSignatures`), so that a service that
 * may call the wallet, or write the platform service's tables, cannot give one.
 */

/** The place of the signature of an order that is to be carried out (mixins/jetstream/signatures.ts). */
export const platformOrderSubject = "platform.orders";

/**
 * `id` identifies the order among those of its kind for ever: the platform's own order or payout id, of an adjustment an
 * id that the platform service makes. Coins of an adjustment are given (above 0) or taken (below 0).
 */
export const platformOrder = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("credit"), id: externalReference, userId, coins: coinAmount }),
  z.object({
    kind: z.literal("adjust"),
    id: externalReference,
    userId,
    coins: integer().refine((coins) => coins !== 0),
  }),
  z.object({ kind: z.literal("payout"), id: externalReference, userId, points: id }),
]);
export type PlatformOrder = z.infer<typeof platformOrder>;
export type PlatformOrderKind = PlatformOrder["kind"];

/** The business id of an order in the wallet's ledgers. An operator's payout of the same name has another one. */
export const platformBizId = (kind: PlatformOrderKind, id: string): string => `platform:${kind}:${id}`;

/** A signed order. */
export const signedPlatformOrder = z.string().min(1).max(limits.wallet.platformOrderChars);

/**
 * The outcome of an order, which it keeps for ever. `balanceAfter`: what the account had right after the coins moved,
 * without what they paid off of a debt; of a payout there is none. `reason`: a name of config/errors.ts (balanceShort;
 * idempotencyConflict, where the ledger has other content under the order's business id; invalidParam, where the balance
 * would exceed the safe integers; accountUnusable, where coins are for an erased user).
 */
export type PlatformOrderOutcome =
  | { readonly status: "done"; readonly balanceAfter: number | null }
  | { readonly status: "refused"; readonly reason: PlatformRefusal };

export const platformRefusals = ["balanceShort", "idempotencyConflict", "invalidParam", "accountUnusable"] as const;
export type PlatformRefusal = (typeof platformRefusals)[number];
