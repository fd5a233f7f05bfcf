import { abortedError, type FailureName, OvationError } from "./errors.ts";
import { isOutage, pause, pausesOf, type Repeats, wasTurnedAway } from "./repeats.ts";

/** What came of sending a gift. `requestId` is the idempotency key of the gift, the same in every repeat. */
export type GiftResult<Order> =
  /** It will be settled, once. `order` where the server was asked for it. */
  | { outcome: "accepted"; requestId: string; orderId: string; order?: Order }
  /** Not accepted, for a business reason; nothing is charged. */
  | GiftRefusal
  /**
   * It may have been accepted. Ask for the order later (`outcomeOf`), or send the same gift again with this `requestId`:
   * both lead to one order and one charge. Another request id may be a second charge. Without `orderId` no answer named
   * the order.
   */
  | { outcome: "unsure"; requestId: string; orderId?: string; error: OvationError };

export interface GiftRefusal {
  outcome: "refused";
  requestId: string;
  code: number;
  name: FailureName | "unknownCode";
  /** Of `giftGated`: the code and the text that the platform's gate gave. */
  gate?: { code?: number; msg?: string };
  error: OvationError;
}

export interface GiftDelivery<Order> {
  requestId: string;
  /** Whether the request id was used earlier, as far as is known here: the caller gave it. */
  isAgain: boolean;
  /** One request, without repeats. */
  send(): Promise<{ orderId: string }>;
  /** The order, with one request; rejects with `giftOrderUnknown` where the server does not know it. */
  order(orderId: string): Promise<Order>;
  repeats: Repeats;
  signal: AbortSignal | undefined;
}

/** An idempotency key of the client: 32 characters. Not randomUUID: browsers have it on secure pages alone. */
export function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/**
 * Sends one gift until its acceptance is known or the repeats are used up. Between two requests it asks for the order where
 * a 503 named it. Where an earlier request was not answered it may have been accepted, so a later refusal is no outcome:
 * the gift is `unsure` then. Only a reuse of the request id (idempotencyConflict) is certain: this content was not accepted.
 * So it is where the caller gave the request id, except that a refusal is certain there: the server looked the order up.
 * Where the signal ends it after a request was sent, it is `unsure`. Rejects with the OvationError where the gift was
 * certainly not accepted and not for a business reason, and with the signal's reason where nothing was sent.
 */
export async function deliver<Order>(delivery: GiftDelivery<Order>): Promise<GiftResult<Order>> {
  const { requestId, isAgain, repeats, signal } = delivery;
  const pauseBeforeNext = pausesOf(repeats);
  let unsure = false;
  let orderId: string | undefined;
  let last: OvationError | undefined;
  const unsureFor = (error: OvationError): GiftResult<Order> => ({
    ...{ outcome: "unsure", requestId, error },
    ...(orderId !== undefined && { orderId }),
  });
  for (;;) {
    let error: OvationError;
    try {
      return { outcome: "accepted", requestId, orderId: (await delivery.send()).orderId };
    } catch (reason) {
      if (reason instanceof OvationError) error = reason;
      else if (last === undefined) throw reason;
      else if (signal?.aborted) error = abortedError("a gift", signal);
      // E.g. there is no token for the repeat: what an earlier request did stays open.
      else error = new OvationError(`no repeat: ${reason}`, { name: last.name, answered: false, cause: reason });
    }
    last = error;
    if (error.name === "idempotencyConflict") return refusal(requestId, error);
    const named = orderIdOf(error);
    orderId = named ?? orderId;
    if (named !== undefined || !error.answered) unsure = true;
    const ms = wasTurnedAway(error) || isOutage(error) ? pauseBeforeNext(error) : undefined;
    try {
      if (ms !== undefined) await pause(ms, signal);
    } catch {
      return unsureFor(abortedError("a pause before a repeat", signal as AbortSignal, error));
    }
    const order = orderId === undefined ? undefined : await known(delivery, orderId);
    if (order !== undefined) return { outcome: "accepted", requestId, orderId: orderId as string, order };
    if (ms !== undefined) continue;
    if (unsure) return unsureFor(error);
    if (error.refused) return refusal(requestId, error);
    if (isAgain && !isBadRequest(error)) return unsureFor(error);
    throw error;
  }
}

/** Ovation found the request itself wrong: this content was accepted at no time. */
function isBadRequest({ code, status }: OvationError): boolean {
  return code !== undefined && (status === 400 || status === 413);
}

function refusal(requestId: string, error: OvationError): GiftRefusal {
  const { name, data } = error;
  const gate = name === "giftGated" && { gate: (data ?? {}) as NonNullable<GiftRefusal["gate"]> };
  return { outcome: "refused", requestId, code: error.code as number, name: name as FailureName, ...gate, error };
}

function orderIdOf({ data }: OvationError): string | undefined {
  const orderId = (data as { orderId?: unknown } | null | undefined)?.orderId;
  return typeof orderId === "string" ? orderId : undefined;
}

/** The order; undefined where the server does not know it, or does not answer, or the signal ends the call. */
async function known<Order>({ order, signal }: GiftDelivery<Order>, orderId: string): Promise<Order | undefined> {
  try {
    return await order(orderId);
  } catch (error) {
    if (error instanceof OvationError || signal?.aborted) return undefined;
    throw error;
  }
}

export interface OutcomeOptions {
  signal?: AbortSignal;
  /** The first pause, ms, which grows by half each time up to 10 s: 500. */
  pauseMs?: number;
  /** How long it is asked for, ms: 120,000. */
  totalMs?: number;
}

const PAUSE_MOST_MS = 10_000;

/**
 * Asks for an order until it is settled. Resolves to the order, or to undefined where the server did not know it, or had
 * not settled it, for `totalMs`: an order of an `unsure` gift is unknown until it is settled.
 */
export async function settledOrder<Order extends { status: string }>(
  ask: () => Promise<Order>,
  { signal, pauseMs = 500, totalMs = 120_000 }: OutcomeOptions = {},
): Promise<Order | undefined> {
  const until = Date.now() + totalMs;
  for (let ms = pauseMs; ; ms = Math.min(ms * 1.5, PAUSE_MOST_MS)) {
    let leastMs = 0;
    try {
      const order = await ask();
      if (order.status !== "accepted") return order;
    } catch (error) {
      const waits = wasTurnedAway(error) || isOutage(error);
      if (!waits && !(error instanceof OvationError && error.name === "giftOrderUnknown")) throw error;
      leastMs = (error as OvationError).retryAfterMs ?? 0;
    }
    const wanted = Math.max(ms, leastMs);
    if (Date.now() + wanted > until) return undefined;
    await pause(wanted, signal);
  }
}
