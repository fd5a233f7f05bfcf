import { z } from "zod";
import { limits } from "../config/limits.ts";
import type { SealingService } from "./book-seals.ts";
import { eventTime, integer } from "./fields.ts";

/** Hex. */
const digest = z.string().regex(/^[0-9a-f]{64}$/);

/**
 * The heads of a service's chains of seals that grew since the event before, joined: what its sealed tables were at this
 * time. Digests are hex. `number` counts the events; `previous` is the digest of the one before; `key` is the name of
 * one of the service's keys (book-keys.ts).
 */
export const sealedEvent = z.object({
  number: integer(1),
  previous: digest,
  digest,
  key: z.string().max(16),
  heads: z.array(z.object({ writer: z.string().length(32), number: integer(1), digest })),
  time: eventTime,
});

/** That of the wallet's ledgers: of a further server (services/wallet-servers.ts), whose checkpoints have numbers of their own, with its name. */
export const ledgersSealedEvent = sealedEvent.extend({
  server: z.string().max(limits.wallet.serverNameChars).optional(),
});

/** The event of each service's checkpoints. Each service may publish its own alone. */
export const sealedEvents = {
  wallet: "books.sealed",
  gift: "gift.books-sealed",
  payment: "payment.books-sealed",
  auditor: "auditor.books-sealed",
  platform: "platform.books-sealed",
  staff: "staff.books-sealed",
} as const satisfies Record<SealingService, string>;
