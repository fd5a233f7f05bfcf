import { isUnavailable } from "../../../broker/failure.ts";
import type { Log } from "../../../broker/log.ts";
import { messageOf } from "../../../broker/unknown-values.ts";
import { NotLoaded } from "../../../mixins/batch-loader.ts";
import type { Candidate, PassedGift } from "../candidate.ts";
import type { NodeOrders } from "../node-orders.ts";
import type { OrderOf } from "../record-server.ts";
import type { GateRefusal } from "./decisions.ts";
import type { GateGift, GateVerdict } from "./gift-gate.ts";

/** The gate, and what becomes of gifts about which it does not answer. */
interface Gate {
  readonly gate: { ask(gifts: readonly GateGift[]): Promise<ReadonlyMap<string, GateVerdict>> };
  readonly onFailure: "accept" | "refuse";
}

/** What acceptance knows of the group: see `AcceptancePorts`. */
interface Ports {
  readonly orders: NodeOrders;
  readonly log: Log;
  knownOrders(orders: readonly OrderOf[]): Promise<ReadonlyMap<string, string | NotLoaded>>;
  isReserved(orderId: string): boolean;
  isStale(): boolean;
  publish(gifts: readonly PassedGift[]): Promise<void>;
}

/**
 * Asks the platform about the gifts of a group, and publishes those that it allows. The others have their answers: refused
 * with the platform's words (`giftGated`), or `unavailable` where it did not answer and nothing is to be accepted then.
 * Both are certainly not accepted, and a repeat is asked about again.
 *
 * A gift that this node may have published is not asked about: the platform allowed it. A refusal of a gift whose order
 * another request reserved or put into the queue meanwhile is answered as acceptance does: see `accept`. Never rejects.
 */
export async function publishAllowed(gifts: readonly PassedGift[], { gate, onFailure }: Gate, ports: Ports) {
  const asked = gifts.filter(({ candidate }) => !perhapsPublished(candidate, ports));
  const verdicts = asked.length > 0 ? await gate.ask(asked.map(question)) : new Map<string, GateVerdict>();
  const isStale = ports.isStale();
  const allowed: PassedGift[] = [];
  const refused: { candidate: Candidate; why: GateRefusal }[] = [];
  for (const gift of gifts) {
    const { candidate } = gift;
    const verdict = perhapsPublished(candidate, ports) ? "allowed" : verdicts.get(candidate.orderId);
    if (typeof verdict === "object") refused.push({ candidate, why: verdict });
    else if (isStale) notPublished(candidate, "the checks took too long", ports);
    else if (verdict === "allowed" || onFailure === "accept") allowed.push(gift);
    else notPublished(candidate, "the gate did not answer", ports);
  }
  const published = allowed.length > 0 ? ports.publish(allowed) : Promise.resolve();
  await Promise.all([published, refuse(refused, ports)]);
}

function perhapsPublished({ repeatable, orderId }: Candidate, { orders }: Ports): boolean {
  return repeatable && orders.outcome(orderId) !== undefined;
}

function question({ candidate, terms }: PassedGift): GateGift {
  const { orderId, request } = candidate;
  const { userId, receiverId, roomId, giftId, count } = request;
  return { orderId, userId, receiverId, roomId, giftId, count, price: terms.price };
}

/** This request does not accept it; an earlier one may have. */
function notPublished(candidate: Candidate, cause: string, ports: Ports): void {
  const perhaps = candidate.repeatable && (ports.isReserved(candidate.orderId) || perhapsPublished(candidate, ports));
  candidate.unavailable(cause, perhaps);
  ended(candidate, ports);
}

/** Refuses the gifts, unless another request with their order was accepted since the lookup of the group. */
async function refuse(refused: readonly { candidate: Candidate; why: GateRefusal }[], ports: Ports): Promise<void> {
  const repeatable = refused.filter(({ candidate }) => candidate.repeatable);
  let known: ReadonlyMap<string, string | NotLoaded> = new Map();
  let failed: unknown;
  try {
    const orders = repeatable.map(({ candidate: { orderId, request } }) => ({ orderId, userId: request.userId }));
    if (orders.length > 0) known = await ports.knownOrders(orders);
  } catch (error) {
    failed = error;
    if (!isUnavailable(error))
      ports.log.error(
        { err: error, gifts: repeatable.length },
        "gifts that the gate refused cannot be looked up: they are answered 503",
      );
  }
  for (const { candidate, why } of refused) {
    const acceptedHash = known.get(candidate.orderId);
    if (acceptedHash instanceof NotLoaded) candidate.unavailable(messageOf(acceptedHash.error), true);
    else if (acceptedHash !== undefined) candidate.answerAs(acceptedHash);
    else if (candidate.repeatable && failed !== undefined) candidate.unavailable(messageOf(failed), true);
    else if (candidate.repeatable && ports.isReserved(candidate.orderId))
      candidate.unavailable("an earlier request with this request id may be accepted", true);
    else candidate.refuse("giftGated", { ...why });
    ended(candidate, ports);
  }
}

function ended(candidate: Candidate, { orders }: Ports): void {
  if (candidate.repeatable) orders.end(candidate);
}
