import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { type ApiScope, apiScope } from "../api-scopes.ts";
import { erasureActions } from "../erasure.contract.ts";
import { integer, operator, text } from "../fields.ts";
import { sealedEvent } from "../sealed-event.ts";
import { moneyActions } from "./money.contract.ts";

/** What an operator sees of an API key. */
export interface ApiKeyView {
  keyId: string;
  name: string;
  scopes: ApiScope[];
  /** Requests of the key in a minute; `null`: the default. */
  perMinute: number | null;
  createdBy: string;
  createTime: string;
  /** `null`: it is valid. */
  revokedTime: string | null;
}

/** What a gateway needs to check a key. */
export interface KnownApiKey {
  keyId: string;
  /** SHA-256 of the key, hex. */
  digest: string;
  scopes: ApiScope[];
  perMinute: number | null;
}

export const keyId = z.string().regex(/^[a-z0-9]{12}$/);

/** The platform's name for one write: the header Idempotency-Key. */
export const idempotencyKey = z.string().regex(/^[A-Za-z0-9_-]{8,64}$/);

/** One try of a write, made by the gateway: hex. */
const attempt = z.string().regex(/^[0-9a-f]{32}$/);

/** A write that a gateway wants to carry out. */
export const begunWrite = z.object({
  key: idempotencyKey,
  attempt,
  /** Of the path and the params (the gateway's idempotency.ts), hex: the same content has the same. */
  fingerprint: z.string().regex(/^[0-9a-f]{32}$/),
  /** Running it again gives the same success by itself: no repeat waits, and no success is kept by the gateway. */
  rerun: z.boolean().default(false),
});
export type BegunWrite = z.output<typeof begunWrite>;

/**
 * What follows for the gateway: `run`: carry it out, and finish it with this attempt (`unsure`: an earlier attempt of a
 * `rerun` write may still be carried out, so a refusal of this one is not the outcome of the request); `answered`: give
 * this answer; `underWay`: another attempt is carrying it out; `conflict`: the key stands for other content.
 */
export type BeginOutcome =
  | { outcome: "run"; unsure?: true }
  | { outcome: "answered"; answer: string }
  | { outcome: "underWay" }
  | { outcome: "conflict" };

/** The end of an attempt. Without an answer the key is free for the same content again, at once. */
export const finishedWrite = z.object({
  key: idempotencyKey,
  attempt,
  answer: z.string().max(limits.platform.answerBytes).optional(),
});
export type FinishedWrite = z.output<typeof finishedWrite>;

const writesOf = <Write extends z.ZodType>(write: Write) => z.array(write).min(1).max(limits.platform.writesPerCall);

export const platformActions = {
  /** Adjustments that wait for another person: how many, up to `limits.metrics.countedRows`. Fails: unavailable. */
  figures: action({}).returns<{ openProposals: number }>(),
  /**
   * Operators: makes an API key; the answer alone has it, and what is kept is its hash. It works on every node within a
   * second. Fails: business, where there are `limits.platform.keysMax` keys; unavailable: it may have been made, and
   * nobody has it.
   */
  createKey: action({
    name: text(1, limits.platform.keyNameChars),
    scopes: z.array(apiScope).min(1),
    perMinute: integer(1, limits.platform.requestsPerKeyPerMinuteMax).optional(),
    operator,
  }).returns<{ keyId: string; key: string }>(),
  /** Operators: revokes a key for ever; every node refuses it within a second. A repeat changes nothing. Fails: keyUnknown. */
  revokeKey: action({ keyId, operator }).returns<ApiKeyView>(),
  /** The keys by id, revoked ones too. `after`: the id of the last one of the page before. */
  listKeys: action({
    after: z.string().max(12).default(""),
    limit: integer(1, limits.platform.keysPerPage).default(limits.platform.keysPerPage),
  }).returns<{ list: ApiKeyView[]; next: string | null }>(),
  /**
   * For a gateway's copy: the keys that are not revoked, by id, in pages; `null` where the keys have not changed since
   * this revision and `after` is "". All pages of a copy must be of one revision. Fails: unavailable.
   */
  keysSince: action({ revision: integer(0), after: z.string().max(12).default("") }).returns<{
    revision: number;
    list: KnownApiKey[] | null;
    next: string | null;
  }>(),
  /**
   * Begins writes under their idempotency keys, in groups of one INSERT; one outcome for each, in their order. An
   * attempt that is durable when it returns has `limits.platform.leaseMs`; then another one may take over, of a `rerun`
   * write at once. It may be repeated with the same attempts. Fails: unavailable, also where it may have begun.
   */
  begin: action({ writes: writesOf(begunWrite) }).returns<{ outcomes: BeginOutcome[] }>(),
  /**
   * Ends attempts: keeps their answers or frees their keys; durable when it returns. `false` of an attempt that another
   * one has taken over: nothing was kept of it. It may be repeated. Fails: unavailable.
   */
  finish: action({ writes: writesOf(finishedWrite) }).returns<{ kept: boolean[] }>(),
  ...moneyActions,
  /** Of a user: the reasons of adjustments. The orders stay. */
  ...erasureActions,
};

export const platformEvents = {
  /** Of the seals of the platform service's audit. */
  "platform.books-sealed": sealedEvent,
};

export const platformBroadcasts = {
  /** An API key was made or revoked: read the keys. Gateways also poll, so it may be lost. */
  "platform.keys-changed": z.object({ revision: integer(0) }),
};
