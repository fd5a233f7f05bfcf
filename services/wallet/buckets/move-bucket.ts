import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { addHealthCheck } from "../../../mixins/health.mixin.ts";
import { LeasedLoop } from "../../../mixins/leased-loop.ts";
import type { WalletState } from "../wallet-state.ts";
import {
  type BucketMove,
  closeGate,
  hasAccounts,
  noteClosed,
  noteDone,
  noteMoved,
  openGate,
  openMoves,
  writeBucket,
} from "./bucket-store.ts";
import { carryAccounts } from "./carry-accounts.ts";
import type { LedgerServers } from "./ledger-servers.ts";
import type { MoveBreakpoint } from "./move-state.ts";

/**
 * Moves a bucket from where its state stands (move-state.ts). Each step is durable and may be done again, by several nodes
 * at once too: gates tell an old step from a new one by their revisions, postings by their business ids. Fails:
 * unavailable, where a server is away; then the next round goes on.
 */
export async function carryOutMove(servers: LedgerServers, move: BucketMove, reached: MoveBreakpoint): Promise<void> {
  const home = servers.all[0].view.mysql;
  const [source, target] = [servers.named(move.source).view, servers.named(move.target).view];
  const { id, bucket, revision } = move;
  let { state } = move;
  if (state === "planned") {
    await closeGate(source.mysql, bucket, revision - 1);
    await reached("closed");
    await noteClosed(home, id, await hasAccounts(source.mysql, bucket));
    state = "closed";
  }
  if (state === "closed") {
    const accounts = await carryAccounts({ move, source, target }, reached);
    await noteMoved(home, id, accounts);
    await reached("moved");
  }
  await writeBucket(home, { bucket, server: move.target, revision });
  await reached("mapped");
  await openGate(target.mysql, bucket, revision);
  await reached("opened");
  await noteDone(home, id);
}

/** Rejects where a bucket has been closed for too long: the wallet is degraded, for the bucket's users alone. */
async function requireNoneLate(servers: LedgerServers): Promise<void> {
  for (const { bucket, target, closedTime } of await openMoves(servers.all[0].view.mysql)) {
    const closedMs = closedTime === null ? 0 : Date.now() - closedTime.getTime();
    if (closedMs > limits.wallet.bucketClosedLateMs)
      throw new Error(`bucket ${bucket} has been on its way to ${target} for ${Math.round(closedMs / 1_000)} s`);
  }
}

/** Carries out the moves of buckets, one after the other, on one node at a time. */
export function movingBuckets(wallet: Service & WalletState): LeasedLoop {
  const { servers, logger } = wallet;
  addHealthCheck(wallet, "buckets", () => requireNoneLate(servers), { degrades: true });
  return new LeasedLoop(wallet, {
    lease: "bucket-moves",
    leaseMs: limits.wallet.moveLeaseMs,
    name: "moves of buckets",
    everyMs: limits.wallet.moveEveryMs,
    round: async () => {
      const [move] = await openMoves(servers.all[0].view.mysql);
      if (!move) return false;
      const about = { move: move.id, bucket: move.bucket, from: move.source, to: move.target };
      logger.info({ ...about, state: move.state }, "a bucket of users moves to another server");
      await carryOutMove(servers, move, wallet.moveBreakpoint ?? (() => {}));
      logger.info(about, "a bucket of users has moved");
      return true;
    },
  });
}
