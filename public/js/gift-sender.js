/**
 * Sending gifts and learning how they ended; one module without imports, for this page and for others, with types beside
 * it. An order has one request id, which every repeat carries, so that a repeat can never be charged twice. The outcome
 * comes over IM, or else the sender asks gift/order for it.
 *
 * Where it is not known whether a gift was accepted (a 503 with an order id), the sender asks for that order, and repeats
 * the same request where the order is unknown. Where that does not settle it, the sender asks a few times more and then
 * reports the outcome "unknown". A try that was not answered at all may have been accepted as well; a refusal of a later
 * one does not change that.
 */
const REMEMBERED = 200;

/** The tag of an order, by which IM names it in version 2; the tag of a tag is the tag. */
const tagOf = (orderId) => orderId.slice(-12);

/** Not crypto.randomUUID: that is missing where the page is served over plain HTTP from another host. */
export function newRequestId() {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function createGiftSender({
  api,
  roomId,
  receiverId,
  signal,
  onOutcome,
  retries = 2,
  retryMs = 600,
  retryMostMs = 4_000,
  outcomeFirstMs = 2_500,
  outcomeTries = 8,
}) {
  const waiting = new Map(); // tag of the order → the order, until its outcome is known
  const early = new Map(); // outcomes that came before the answer to the request did
  const doubts = new Map(); // request id → order id, or undefined: what a try, of any submit, may have had accepted

  function order(gift, count, receiver = receiverId) {
    return { requestId: newRequestId(), giftId: gift.giftId, roomId, receiverId: receiver, type: 0, count };
  }

  /**
   * Returns "settled" where `onOutcome` was called already, "accepted", or "unsure" where acceptance is not known; in
   * the last two cases `onOutcome` follows, with "unknown" at worst. "unanswered" where acceptance is not known and there
   * is no order id to ask for: nothing follows, and the same content may be submitted again, while another order may be a
   * second charge. Throws when the gift was refused, or not accepted, for certain.
   */
  async function submit(content) {
    const { orderId, found, state } = await deliver(content);
    if (orderId === undefined) return state;
    if (found) settle(orderId, found);
    const tag = tagOf(orderId);
    const known = early.get(tag);
    if (known) {
      early.delete(tag);
      onOutcome(content, known);
      return "settled";
    }
    if (!signal.aborted && !waiting.has(tag)) {
      waiting.set(tag, content);
      ask(orderId, outcomeFirstMs, outcomeTries);
    }
    return state;
  }

  async function deliver(content) {
    const { requestId } = content;
    for (let tries = 0; ; tries += 1) {
      try {
        const { orderId } = await api.sendGift(content);
        doubts.delete(requestId);
        return { orderId, state: "accepted" };
      } catch (error) {
        if (error.orderId !== undefined || !error.answered) doubt(requestId, error.orderId);
        // An earlier try may be in the queue, although this repeat is refused.
        const last = !error.retryable || tries >= retries || signal.aborted;
        if (last && !doubts.has(requestId)) throw error;
        const unsure = doubts.get(requestId);
        if (last) return { orderId: unsure, state: unsure === undefined ? "unanswered" : "unsure" };
        await new Promise((resolve) => setTimeout(resolve, Math.min(error.retryAfterMs ?? retryMs, retryMostMs)));
        const found = unsure === undefined ? undefined : await fetchOrder(unsure);
        if (found) {
          doubts.delete(requestId);
          return { orderId: unsure, state: "accepted", found: outcomeOf(found) };
        }
      }
    }
  }

  function doubt(requestId, orderId = doubts.get(requestId)) {
    doubts.set(requestId, orderId);
    if (doubts.size > REMEMBERED) doubts.delete(doubts.keys().next().value);
  }

  /** The order from the server; undefined where the server does not know it, or does not answer. */
  function fetchOrder(orderId) {
    return api.giftOrder(orderId).catch(() => undefined);
  }

  /** Handles the outcome of one of the user's own orders from IM, which names it by its id or its tag. */
  function settle(orderId, outcome) {
    const tag = tagOf(orderId);
    const content = waiting.get(tag);
    if (content) {
      waiting.delete(tag);
      onOutcome(content, outcome);
    } else {
      early.set(tag, outcome);
      if (early.size > REMEMBERED) early.delete(early.keys().next().value);
    }
  }

  function ask(orderId, waitMs, triesLeft) {
    const timer = setTimeout(async () => {
      if (!waiting.has(tagOf(orderId))) return;
      const outcome = outcomeOf(await fetchOrder(orderId));
      if (!waiting.has(tagOf(orderId)) || signal.aborted) return;
      if (outcome) settle(orderId, outcome);
      else if (triesLeft > 1) ask(orderId, waitMs * 1.5, triesLeft - 1);
      else settle(orderId, { status: "unknown" });
    }, waitMs);
    signal.addEventListener("abort", () => clearTimeout(timer), { once: true });
  }

  return { order, submit, settle };
}

/** The outcome of an order; undefined where it is not settled, or not known. */
function outcomeOf(found) {
  if (!found || found.status === "accepted") return undefined;
  return { status: found.status, msg: found.reason, code: found.reasonCode };
}
