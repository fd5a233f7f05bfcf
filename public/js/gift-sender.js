/**
 * Sending gifts and learning how they ended. A click makes one request id; every repeat of that click carries it, so
 * that a repeat can never be charged twice. The outcome comes over IM, and where that is silent by asking.
 */
import { api } from "./api.js";

const RETRIES = 2;
const RETRY_MS = 600;
const RETRY_MOST_MS = 4_000;
const OUTCOME_FIRST_MS = 2_500;
const OUTCOME_TRIES = 8;
const REMEMBERED = 200;

/** Not crypto.randomUUID: that is missing where the page is served over plain HTTP from another host. */
export function newRequestId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** @param {{onOutcome: (order: object, outcome: {status: string, msg?: string, code?: number}) => void}} options */
export function createGiftSender({ roomId, receiverId, signal, onOutcome }) {
  const waiting = new Map(); // order id → the order, until its outcome is known
  const early = new Map(); // outcomes that came before the answer to the request did

  function order(gift, count) {
    return { requestId: newRequestId(), giftId: gift.giftId, roomId, receiverId, type: 0, count };
  }

  /**
   * Returns when the gift is accepted, with whether its outcome is known already; throws when it was refused or nobody
   * answered.
   */
  async function submit(content) {
    const { orderId } = await withRetries(content);
    const known = early.get(orderId);
    if (known) {
      early.delete(orderId);
      onOutcome(content, known);
      return true;
    }
    if (!signal.aborted && !waiting.has(orderId)) {
      waiting.set(orderId, content);
      ask(orderId, OUTCOME_FIRST_MS, OUTCOME_TRIES);
    }
    return false;
  }

  async function withRetries(content) {
    for (let tries = 0; ; tries += 1) {
      try {
        return await api.sendGift(content);
      } catch (error) {
        if (!error.retryable || tries >= RETRIES || signal.aborted) throw error;
        await new Promise((resolve) => setTimeout(resolve, Math.min(error.retryAfterMs ?? RETRY_MS, RETRY_MOST_MS)));
      }
    }
  }

  /** What IM told of an order of one's own; of others it is never called. */
  function settle(orderId, outcome) {
    const content = waiting.get(orderId);
    if (content) {
      waiting.delete(orderId);
      onOutcome(content, outcome);
    } else {
      early.set(orderId, outcome);
      if (early.size > REMEMBERED) early.delete(early.keys().next().value);
    }
  }

  function ask(orderId, waitMs, triesLeft) {
    const timer = setTimeout(async () => {
      if (!waiting.has(orderId)) return;
      const found = await api.giftOrder(orderId).catch(() => undefined);
      if (!waiting.has(orderId) || signal.aborted) return;
      if (found && found.status !== "accepted")
        settle(orderId, { status: found.status, msg: found.reason, code: found.reasonCode });
      else if (triesLeft > 1) ask(orderId, waitMs * 1.5, triesLeft - 1);
      else settle(orderId, { status: "unknown" });
    }, waitMs);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  return { order, submit, settle };
}
