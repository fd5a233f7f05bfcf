import { isUnavailable } from "../../broker/failure.ts";
import { messageOf } from "../../broker/unknown-values.ts";
import { NotLoaded } from "../../mixins/batch-loader.ts";
import { type Checked, type CheckPorts, check } from "./acceptance-checks.ts";
import { Candidate, type GiftRequest, type PassedGift, type Terms } from "./candidate.ts";
import type { GiftAnswer } from "./gift.contract.ts";
import type { NodeOrders } from "./node-orders.ts";
import type { OrderOf } from "./record-server.ts";

/** What acceptance depends on. */
export interface AcceptancePorts extends CheckPorts {
  readonly orders: NodeOrders;
  /**
   * The content hashes of those orders that were accepted or settled, as far as Redis and the books have them. On several
   * servers an order whose books cannot be read has the error. Fails: unavailable, where there is one server and it is away.
   */
  knownOrders(orders: readonly OrderOf[]): Promise<ReadonlyMap<string, string | NotLoaded>>;
  /** Whether a lookup found a reservation of the order in Redis: then it may be in the queue. */
  isReserved(orderId: string): boolean;
  /** Counts a gift of the user. False, and nothing is counted, where the user's rate is exceeded. */
  mayGive(userId: string): boolean;
  /** Takes a gift off the user's count: it is a repeat. */
  uncount(userId: string): void;
  /**
   * Reserves, publishes and remembers the gifts; of those that the gate is asked about the ones that it allows. Each has its
   * answer when it resolves. Never rejects.
   */
  publish(gifts: readonly PassedGift[]): Promise<void>;
  /** Whether the group has taken so long that its caller may give up before a publication is acked. */
  isStale(): boolean;
  /** Whether the partition of the user's gifts does not ack publications at the moment. */
  isSilent(userId: string): boolean;
}

/**
 * Accepts gifts together, each on its own, and answers in their order: with the order id once the gift is durably in the
 * queue, else with the failure. `unavailable` means that the gift is certainly not accepted, unless `mayHaveHappened` is
 * true in its data: then this or an earlier request may be accepted. Rejects only for a fault of this system, before
 * anything is published.
 *
 * A known order gets its first answer, even if the room, the gift or the balance has changed since. So an order is looked
 * up before a refusal counts, and once more after it: of two concurrent requests with one request id, one may fail the
 * check of coins or room only because the other was accepted after the first lookup.
 *
 * Gifts are counted for the sender's rate before the checks, since a refused gift costs as much as another. Repeats do
 * not count: those that this node knows are not counted, and those that the lookup finds are taken off the count.
 *
 * A repeat gets the same answer. A reuse, the same request id with other content, is a conflict. They are detected by:
 * 1. the orders that this node is publishing, of this and other groups: the later request waits for the earlier one;
 * 2. this node's memory of what it accepted, for `limits.gift.ordersRememberedMs`;
 * 3. Redis: accepted orders until they are settled, and reservations by this or another node;
 * 4. the books, for ever.
 * Without Redis a reuse is not detected where another node accepted the first request and the gift is not settled yet:
 * the ledger charges the order once, with the content that is first in the queue.
 */
export async function accept(requests: readonly GiftRequest[], ports: AcceptancePorts): Promise<GiftAnswer[]> {
  const candidates = requests.map((request) => new Candidate(request));
  const open = candidates.filter((candidate) => !answeredHere(candidate, ports.orders));
  if (open.length > 0) await acceptOpen(open, ports);
  return candidates.map(({ answer }) => answer as GiftAnswer);
}

/** Answers a repeat of what this node accepted. */
function answeredHere(candidate: Candidate, orders: NodeOrders): boolean {
  const outcome = candidate.repeatable ? orders.outcome(candidate.orderId) : undefined;
  if (outcome?.accepted) candidate.answerAs(outcome.contentHash);
  return candidate.answer !== undefined;
}

async function acceptOpen(open: readonly Candidate[], ports: AcceptancePorts): Promise<void> {
  const { counted, over } = countGifts(open, ports);
  const within = open.filter((candidate) => !over.has(candidate)).map(({ request }) => request);
  const [known, checked] = await Promise.all([
    lookUp(open, ports).finally(() => uncountRepeats(counted, ports)),
    within.length > 0 ? check(within, ports) : [],
  ]);
  // A fault ends the group here, before anything is published.
  if (known.fault) throw known.fault;
  const passed: PassedGift[] = [];
  const refused: { candidate: Candidate; why: Exclude<Checked, Terms> }[] = [];
  let next = 0;
  for (const candidate of open) {
    const outcome = over.has(candidate) ? tooMany : (checked[next++] as Checked);
    if (candidate.answer) continue;
    if ("price" in outcome) passed.push({ candidate, terms: outcome });
    else refused.push({ candidate, why: outcome });
  }
  // These begin first, so that a refused gift finds that another one with its order is being published.
  const published = publishPassed(passed, ports);
  await Promise.all([published, answerRefused(refused, ports)]);
  uncountRepeats(counted, ports);
}

const tooMany = { refused: "tooMany", data: { waitMs: 1_000 } } as const;

/**
 * Counts the gifts, except for repeats of orders that this node is publishing or may have published, and repeats of
 * earlier gifts of the group. `over`: those beyond their sender's rate, and their repeats.
 */
function countGifts(open: readonly Candidate[], ports: AcceptancePorts): Record<"counted" | "over", Set<Candidate>> {
  const { orders } = ports;
  const [counted, over] = [new Set<Candidate>(), new Set<Candidate>()];
  const firsts = new Map<string, Candidate>();
  for (const candidate of open) {
    const { orderId, contentHash, request } = candidate;
    if (candidate.repeatable) {
      const here = [orders.publishing(orderId), orders.outcome(orderId)];
      if (here.some((known) => known?.contentHash === contentHash)) continue;
      const first = firsts.get(`${orderId} ${contentHash}`);
      if (first && over.has(first)) over.add(candidate);
      if (first) continue;
      firsts.set(`${orderId} ${contentHash}`, candidate);
    }
    if (ports.mayGive(request.userId)) counted.add(candidate);
    else over.add(candidate);
  }
  return { counted, over };
}

/** Takes repeats off the count: gifts that are accepted, and not by their own publication. */
function uncountRepeats(counted: Set<Candidate>, ports: AcceptancePorts): void {
  for (const candidate of counted) {
    if (!candidate.answer || !("orderId" in candidate.answer) || candidate.published) continue;
    counted.delete(candidate);
    ports.uncount(candidate.request.userId);
  }
}

/**
 * Answers the gifts whose order is known. Where the lookup fails it answers all with unavailable, since they may be
 * repeats of accepted gifts. `fault`: the error, where it is no outage.
 */
async function lookUp(candidates: readonly Candidate[], ports: AcceptancePorts): Promise<{ fault?: unknown }> {
  const asked = candidates.filter(({ repeatable }) => repeatable);
  if (asked.length === 0) return {};
  try {
    const known = await ports.knownOrders(asked.map(({ orderId, request: { userId } }) => ({ orderId, userId })));
    for (const candidate of asked) {
      const contentHash = known.get(candidate.orderId);
      if (contentHash instanceof NotLoaded) candidate.unavailable(messageOf(contentHash.error), true);
      else if (contentHash !== undefined) candidate.answerAs(contentHash);
    }
    return {};
  } catch (error) {
    for (const candidate of asked) candidate.unavailable(messageOf(error), true);
    return isUnavailable(error) ? {} : { fault: error };
  }
}

/** Publishes the gifts. One whose order is being published already gets the answer of that publication. */
async function publishPassed(passed: readonly PassedGift[], ports: AcceptancePorts): Promise<void> {
  const { orders } = ports;
  const isStale = ports.isStale();
  const first: PassedGift[] = [];
  const behind: { candidate: Candidate; leader: Candidate }[] = [];
  for (const one of passed) {
    const { candidate } = one;
    const leader = candidate.repeatable ? orders.publishing(candidate.orderId) : undefined;
    if (leader) behind.push({ candidate, leader });
    else if (mayBegin(candidate, isStale, ports)) {
      if (candidate.repeatable) orders.begin(candidate);
      first.push(one);
    }
  }
  const published = first.length > 0 ? ports.publish(first) : Promise.resolve();
  for (const { candidate } of first) candidate.published = published;
  await Promise.all([published, ...behind.map(({ candidate, leader }) => follow(candidate, leader, orders))]);
}

/** Whether the gift may be published; if not, it has its answer. */
function mayBegin(candidate: Candidate, isStale: boolean, ports: AcceptancePorts): boolean {
  const { userId } = candidate.request;
  const earlier = candidate.repeatable ? ports.orders.outcome(candidate.orderId) : undefined;
  if (earlier?.accepted) candidate.answerAs(earlier.contentHash);
  else if (earlier && earlier.contentHash !== candidate.contentHash) candidate.unavailable(perhapsEarlier, true);
  else if (isStale) candidate.unavailable("the checks took too long", earlier !== undefined);
  else if (ports.isSilent(userId)) candidate.unavailable("the queue does not answer", earlier !== undefined);
  return candidate.answer === undefined;
}

const perhapsEarlier = "an earlier request with this request id may be accepted";

/** Answers a gift as the one with the same order that is being published. */
async function follow(candidate: Candidate, leader: Candidate, orders: NodeOrders): Promise<void> {
  await leader.published;
  const outcome = orders.outcome(candidate.orderId);
  if (outcome?.accepted) candidate.answerAs(outcome.contentHash);
  else if (isGated(leader.answer) && leader.contentHash !== candidate.contentHash)
    candidate.unavailable("the platform refused another gift with this request id", false);
  else candidate.answer = leader.answer;
}

function isGated(answer: GiftAnswer | undefined): boolean {
  return answer !== undefined && "failure" in answer && answer.failure === "giftGated";
}

/**
 * Answers gifts that a check refused, or whose query failed. The answer is this refusal or failure, unless their order
 * was accepted since the first lookup.
 */
async function answerRefused(
  refused: readonly { readonly candidate: Candidate; readonly why: Exclude<Checked, Terms> }[],
  ports: AcceptancePorts,
): Promise<void> {
  const { orders } = ports;
  const leaders = new Map<Candidate, Candidate>();
  const again: Candidate[] = [];
  for (const { candidate, why } of refused) {
    if ("error" in why) {
      const isKnown = orders.publishing(candidate.orderId) ?? orders.outcome(candidate.orderId);
      if (candidate.repeatable && (isKnown || ports.isReserved(candidate.orderId)))
        candidate.unavailable(perhapsEarlier, true);
      else candidate.failed(why.error);
    } else if (!candidate.repeatable) candidate.refuse(why.refused, why.data);
    else {
      const leader = orders.publishing(candidate.orderId);
      if (leader) leaders.set(candidate, leader);
      else if (!answeredHere(candidate, orders)) again.push(candidate);
    }
  }
  await Promise.all([
    lookUp(again, ports),
    ...[...leaders].map(([candidate, leader]) => follow(candidate, leader, orders)),
  ]);
  for (const { candidate, why } of refused) {
    const { answer, orderId } = candidate;
    // The other gift with its order was certainly not accepted either.
    const isOpen = answer === undefined || (leaders.has(candidate) && isCertainNo(answer));
    if (!isOpen || "error" in why) continue;
    if (orders.outcome(orderId) || ports.isReserved(orderId)) candidate.unavailable(perhapsEarlier, true);
    else candidate.refuse(why.refused, why.data);
  }
}

function isCertainNo(answer: GiftAnswer): boolean {
  return "failure" in answer && answer.failure === "unavailable" && answer.data?.mayHaveHappened !== true;
}
