import { fail } from "../../../broker/failure.ts";
import { isDuplicateKey, type Transaction } from "../../../mixins/mysql/database.ts";
import type { OutboxMessage } from "../../../mixins/outbox.mixin.ts";
import type { Sealing } from "../../../mixins/seals/seal-chains.ts";
import { durableEvent } from "../../durable-event.ts";
import { storeBucketOf } from "../../wallet-buckets.ts";
import type { BucketMap } from "../buckets/bucket-map.ts";
import { lockGates } from "../buckets/gate-store.ts";
import type { LedgerServer, LedgerServers } from "../buckets/ledger-servers.ts";
import { postingsOfOrder } from "../income/income-store.ts";
import type { AffectedIncome, HoldOrder } from "../income.contract.ts";
import { wholeCoins } from "../points.ts";
import { lockAccounts } from "../wallet-store.ts";
import { BucketElsewhere } from "../writer-ports.ts";
import { type AnchorPart, decideHold, type HoldMove, type HoldRow } from "./hold-decision.ts";
import { insertHolds, noteCarriedOut, readReleaseList, wasCarriedOut, writeReleaseList } from "./hold-store.ts";
import { type AttributedRefund, anchorsBy, attributedRefund, describe } from "./holds.ts";
import { type PlacedPosting, postingsOn } from "./refunds.ts";

type To = "held" | "released";
type Order = Omit<HoldOrder, "operator">;

function eventOf({ orderId, reason }: Order, to: To, { anchorId, points: signed }: HoldMove): OutboxMessage {
  const time = new Date();
  const points = Math.abs(signed);
  const data = { orderId, anchorId, coins: wholeCoins(points), points, reason, time: time.toISOString() };
  const event = durableEvent(`income.${to}`, `${orderId}:${anchorId}`, data, time);
  return { ...event, orderKey: `user:${anchorId}` };
}

const anchorsMeant = ({ anchorId, anchorIds }: Order) => anchorIds ?? (anchorId === undefined ? undefined : [anchorId]);

/**
 * Holds back the anchors' shares of an order's gifts, or releases these holds; committed when it resolves. A repeat or
 * a concurrent call changes nothing, one of the same `moveId` also where the shares have moved on since. Shares whose state
 * does not allow the move stay as they are. Fails: refundUnknown; holdState, where no share may make the move and none has
 * made it; unavailable, where a server is away or an anchor's bucket moves for too long: a part of the shares may have made
 * the move then, and a repeat makes the others do it.
 */
export async function moveHolds(servers: LedgerServers, to: To, order: Order): Promise<AffectedIncome> {
  const attributed = await attributedRefund(servers, order.orderId);
  return servers.isSeveral
    ? moveOnServers(servers, to, order, attributed)
    : moveHere(servers.all[0], to, order, attributed);
}

async function moveHere(
  { view }: LedgerServer,
  to: To,
  order: Order,
  attributed: AttributedRefund,
): Promise<AffectedIncome> {
  const { orderId, moveId } = order;
  const answer = await view.seals.transaction(view.mysql, async (tx, sealing) => {
    // Read before the commit: a node of a database cluster may show a commit of another one a little later.
    const present = async () => describe(attributed, anchorsBy(attributed, await postingsOfOrder(tx, orderId)));
    // One decision at a time about the payer's refunds. The rows of the ledgers are not locked: nothing may change them.
    await lockAccounts(tx, [attributed.refund.userId], sealing);
    if (moveId !== undefined && (await wasCarriedOut(tx, moveId, orderId))) return present();
    const anchorIds = anchorsMeant(order);
    const moves = decideHold(orderId, anchorsBy(attributed, await postingsOfOrder(tx, orderId)), to, anchorIds);
    if (!moves) throw fail("holdState", { orderId, anchorIds, to });
    if (moveId !== undefined && moves.length > 0) await noteCarriedOut(tx, moveId, orderId);
    await write(tx, sealing, view, { to, order, moves });
    return present();
  });
  view.outbox.wake();
  return answer;
}

async function write(
  tx: Transaction,
  sealing: Sealing,
  { outbox }: LedgerServer["view"],
  { to, order, moves }: { to: To; order: Order; moves: readonly HoldMove[] },
): Promise<void> {
  await insertHolds(tx, order.orderId, moves, order.reason, sealing);
  await outbox.addAll(
    tx,
    moves.map((move) => eventOf(order, to, move)),
  );
}

/** The next attempts are for an id that another transaction wrote between our read and our write. */
const maxAttempts = 3;

/**
 * The same on several servers, one after the other. A hold is decided and written on the server of its anchor, as a payout
 * is, and a release on that of its hold. Business ids make each of them one for ever, and what other servers have is read
 * once the map is known: while an anchor's gate is open at that revision, no other server writes any of hers. So a call
 * that ends between two servers is repaired by its repeat, which is about the same shares (`anchorsToMove`).
 */
async function moveOnServers(
  servers: LedgerServers,
  to: To,
  order: Order,
  attributed: AttributedRefund,
  attempt = 1,
): Promise<AffectedIncome> {
  const { orderId } = order;
  try {
    const rows = await servers.untilHere(undefined, false, async () => {
      const map = servers.map as BucketMap;
      const placed = await postingsOn(servers, orderId);
      const known = new Map<string, HoldRow>(placed.map(({ posting }) => [posting.bizId, posting]));
      const anchors = anchorsBy(attributed, [...known.values()]);
      const moves = decideHold(orderId, anchors, to, await anchorsToMove(servers, to, order, anchors)) ?? [];
      for (const [server, own] of byServer(servers, map, to, moves, placed))
        for (const row of await moveAt(server, { map, to, order, attributed, known, anchors: own }))
          known.set(row.bizId, row);
      return [...known.values()];
    });
    return describe(attributed, anchorsBy(attributed, rows));
  } catch (error) {
    if (isDuplicateKey(error) && attempt < maxAttempts)
      return moveOnServers(servers, to, order, attributed, attempt + 1);
    throw error;
  }
}

/**
 * Whose shares a call moves, as the servers have them. A share that was open may be held by another move later, and a
 * release of it would be final; so the first call of a release writes its list on the home server before its first part,
 * and a repeat goes by that list alone. A hold needs none: what it finds open was open for its first call too.
 */
async function anchorsToMove(
  servers: LedgerServers,
  to: To,
  order: Order,
  anchors: readonly AnchorPart[],
): Promise<readonly string[]> {
  const { orderId, moveId } = order;
  const home = servers.all[0].view.mysql;
  const listed = to === "released" ? moveId : undefined;
  if (listed !== undefined) {
    // Noted without a list: carried out as a whole, while there was one server. Read first, since a list precedes its notes.
    const isNoted = await wasCarriedOut(home, listed, orderId);
    const list = await readReleaseList(home, listed, orderId);
    if (list || isNoted) return list ?? [];
  }
  const anchorIds = anchorsMeant(order);
  const moves = decideHold(orderId, anchors, to, anchorIds);
  if (!moves && !(await isNotedAnywhere(servers, order))) throw fail("holdState", { orderId, anchorIds, to });
  const moving = (moves ?? []).map(({ anchorId }) => anchorId);
  if (listed !== undefined) await writeReleaseList(home, listed, orderId, moving);
  return moving;
}

async function isNotedAnywhere(servers: LedgerServers, { moveId, orderId }: Order): Promise<boolean> {
  if (moveId === undefined) return false;
  return (await servers.each((db) => wasCarriedOut(db, moveId, orderId))).includes(true);
}

/** The anchors whose shares move, by the server that writes it. */
function byServer(
  servers: LedgerServers,
  map: BucketMap,
  to: To,
  moves: readonly HoldMove[],
  placed: readonly PlacedPosting[],
): Map<LedgerServer, string[]> {
  const holder = new Map(
    placed.filter(({ posting }) => posting.kind === "hold").map(({ server, posting }) => [posting.anchorId, server]),
  );
  const serverOf = (anchorId: string) =>
    to === "held" ? servers.named(map.serverOf(storeBucketOf(anchorId))) : (holder.get(anchorId) as LedgerServer);
  const groups = new Map<LedgerServer, string[]>();
  for (const { anchorId } of moves) {
    const server = serverOf(anchorId);
    groups.set(server, [...(groups.get(server) ?? []), anchorId]);
  }
  return groups;
}

interface PartOfMove {
  readonly map: BucketMap;
  readonly to: To;
  readonly order: Order;
  readonly attributed: AttributedRefund;
  /** What all servers had, by business ids. */
  readonly known: ReadonlyMap<string, HoldRow>;
  readonly anchors: readonly string[];
}

/** One server's part, in one transaction. Returns the postings that the server has of the order then. */
async function moveAt(
  { view }: LedgerServer,
  { map, to, order, attributed, known, anchors }: PartOfMove,
): Promise<HoldRow[]> {
  const { orderId, moveId } = order;
  const rows = await view.seals.transaction(view.mysql, async (tx, sealing) => {
    if (to === "held") {
      const wanted = new Map(anchors.map(storeBucketOf).map((bucket) => [bucket, map.revisionOf(bucket)]));
      if ((await lockGates(tx, wanted)).size > 0) throw new BucketElsewhere(anchors[0] as string);
    }
    const own: HoldRow[] = await postingsOfOrder(tx, orderId);
    const all = new Map([...known, ...own.map((row) => [row.bizId, row] as const)]);
    const moves = decideHold(orderId, anchorsBy(attributed, [...all.values()]), to, anchors) ?? [];
    if (moves.length === 0) return own;
    if (moveId !== undefined && !(await wasCarriedOut(tx, moveId, orderId))) await noteCarriedOut(tx, moveId, orderId);
    await write(tx, sealing, view, { to, order, moves });
    return [...own, ...moves];
  });
  view.outbox.wake();
  return rows;
}
