import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { addHealthCheck } from "../../../mixins/health.mixin.ts";
import { LeasedLoop } from "../../../mixins/leased-loop.ts";
import type { WalletState } from "../wallet-state.ts";
import { type BucketMove, noteClosed, noteDone, noteMoved, openMoves, writeBucket } from "./bucket-store.ts";
import { carryAccounts, forgetStatuses } from "./carry-accounts.ts";
import { hasAccounts } from "./carry-store.ts";
import { closeGateIfFree, isBefore, isClosedAt, openGate } from "./gate-store.ts";
import type { LedgerServers, ServerView } from "./ledger-servers.ts";
import type { MoveBreakpoint } from "./move-state.ts";
import { requireNoneWithout } from "./nodes-without.ts";

/**
 * Locks a gate between two transactions, as `attempt` does where it finds it free: whoever waits for a lock has others wait
 * behind it. Fails: unavailable, where one transaction or another always held it.
 */
export async function onceFree(bucket: number, attempts: number, attempt: () => Promise<boolean>): Promise<void> {
  for (let count = 1; !(await attempt()); count++) {
    if (count >= attempts)
      throw fail("unavailable", { cause: `the gate of bucket ${bucket} was held at ${count} attempts to lock it` });
    await pause(limits.wallet.closeRetryMs * (0.5 + Math.random()));
  }
}

/** Closes a gate that is open at this revision. Fails: unavailable, where it was always held, or is at another revision. */
export async function closeGate(
  { mysql }: Pick<ServerView, "mysql">,
  bucket: number,
  revision: number,
  attempts: number = limits.wallet.closeAttempts,
): Promise<void> {
  await onceFree(bucket, attempts, () => closeGateIfFree(mysql, bucket, revision));
  if (!(await isClosedAt(mysql, bucket, revision)))
    throw fail("unavailable", { cause: `the gate of bucket ${bucket} is not at revision ${revision}` });
}

/**
 * Moves a bucket from where its state stands (move-state.ts). Each step is durable and may be done again, by several nodes
 * at once too: gates tell an old step from a new one by their revisions, postings by their business ids. Fails:
 * unavailable, where a server is away; then the next round goes on.
 */
export async function carryOutMove(
  { servers, broker }: Pick<WalletState, "servers"> & Pick<Service, "broker">,
  move: BucketMove,
  reached: MoveBreakpoint,
): Promise<void> {
  const home = servers.all[0].view.mysql;
  const [source, target] = [servers.named(move.source).view, servers.named(move.target).view];
  const { id, bucket, revision } = move;
  let { state } = move;
  if (state === "planned") {
    // A node may have come since the move was planned.
    requireNoneWithout(broker, [move.source, move.target]);
    if (!(await isBefore(target.mysql, bucket, revision)))
      throw new Error(`the gate of bucket ${bucket} on ${move.target} has a revision that this move does not open`);
    await closeGate(source, bucket, revision - 1);
    await reached("closed");
    await noteClosed(home, id, await hasAccounts(source.mysql, bucket));
    state = "closed";
  }
  if (state === "closed") {
    const accounts = await carryAccounts({ move, source, target }, reached);
    await noteMoved(home, id, accounts);
    await reached("moved");
  }
  await forgetStatuses({ move, source, target });
  await writeBucket(home, { bucket, server: move.target, revision });
  await reached("mapped");
  await openGate(target.mysql, bucket, revision);
  await reached("opened");
  await noteDone(home, id);
}

/** Rejects where a bucket has been closed for too long: the wallet is degraded, for the bucket's users alone. */
async function requireNoneLate(servers: LedgerServers): Promise<void> {
  for (const { bucket, target, state, createTime, closedTime } of await openMoves(servers.all[0].view.mysql)) {
    // One that stays planned may have closed the gate too, before its node ended.
    const takenMs = Date.now() - (closedTime ?? createTime).getTime();
    if (takenMs > limits.wallet.bucketClosedLateMs)
      throw new Error(
        `bucket ${bucket} has been on its way to ${target}, ${state}, for ${Math.round(takenMs / 1_000)} s`,
      );
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
      // One that cannot go on, since its server is away or a person must look, does not keep the others.
      let failure: { error: unknown } | undefined;
      for (const move of await openMoves(servers.all[0].view.mysql)) {
        const about = { move: move.id, bucket: move.bucket, from: move.source, to: move.target };
        try {
          logger.info({ ...about, state: move.state }, "a bucket of users moves to another server");
          await carryOutMove(wallet, move, wallet.moveBreakpoint ?? (() => {}));
          logger.info(about, "a bucket of users has moved");
        } catch (error) {
          logger.warn({ ...about, err: error }, "a bucket of users cannot be moved: it is tried again");
          failure ??= { error };
        }
      }
      if (failure) throw failure.error;
      return false;
    },
  });
}
