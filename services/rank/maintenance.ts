import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import type { Database } from "../../mixins/mysql/database.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import { call } from "../contracts.ts";
import { type Limits, limitsOf } from "../limits-of.ts";
import { kinds, passingKinds } from "./boards.ts";
import { removeOldChunks } from "./counted-store.ts";
import type { GiftCounter } from "./gift-counter.ts";
import { forgetRoom, lockQuiet, quietRooms, sawLive } from "./rooms-store.ts";
import { databaseTimeMs, findState, holdState, type RankState } from "./state-store.ts";
import { removeBoard, removeOldPeriods, removeOldTotals } from "./totals-store.ts";

type Ranks = Service & MysqlState & { counter: GiftCounter };

/** Removes old boards in small steps, on one node at a time; the bounds are in limits.rank. */
export class RankMaintenance {
  private readonly ranks: Ranks;
  private readonly bounds: Limits<typeof limits.rank>;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(ranks: Ranks) {
    this.ranks = ranks;
    const { mysql, broker, logger } = ranks;
    this.bounds = limitsOf(limits.rank, ranks);
    const { maintenanceLeaseMs: ms, maintenanceEveryMs } = this.bounds;
    this.lease = new DatabaseLease({ mysql, name: "maintenance", holder: broker.nodeID, ms });
    this.loop = new BackgroundLoop({
      name: "maintenance of the ranks",
      idleMs: maintenanceEveryMs,
      errorBackoffMs: maintenanceEveryMs / 10,
      log: logger,
      round: () => this.round(),
    });
  }

  /** Resolves once the running step has ended and the lease is free. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((err: Error) => {
      this.ranks.logger.warn({ err }, "the lease of the ranks' maintenance was not freed: it expires by itself");
    });
  }

  /** One step of each kind; returns whether there is more. */
  private async round(): Promise<boolean> {
    const { mysql } = this.ranks;
    if (!(await this.lease.hold())) return false;
    const state = await findState(mysql);
    if (!state) return false;
    const nowMs = await databaseTimeMs(mysql);
    const more = [
      await removeOldTotals(mysql, state.generation),
      await removeOldChunks(mysql, state.generation, this.bounds.removedRows),
      await this.removePeriods(state, nowMs),
      // The last one: it fails while the service of the rooms is away.
      await this.removeRooms(nowMs),
    ];
    return more.includes(true);
  }

  private async removePeriods({ generation, zone }: RankState, nowMs: number): Promise<boolean> {
    const calendar = this.ranks.counter.calendarOf(zone);
    let more = false;
    for (const { kind, span } of passingKinds)
      more = (await removeOldPeriods(this.ranks.mysql, generation, kind, calendar.oldestKept(span, nowMs))) || more;
    return more;
  }

  private async removeRooms(nowMs: number): Promise<boolean> {
    const { mysql, broker } = this.ranks;
    const { roomsKeptMs, roomsPerRound, liveRoomAgainMs } = this.bounds;
    const rooms = await quietRooms(mysql, nowMs - roomsKeptMs, roomsPerRound);
    let more = rooms.length === roomsPerRound;
    for (const roomId of rooms) {
      if ((await call(broker, "living-room.find", { roomId })) !== null)
        await sawLive(mysql, roomId, nowMs - roomsKeptMs + liveRoomAgainMs);
      else if (await removeRoom(mysql, roomId, nowMs - roomsKeptMs)) more = true;
    }
    return more;
  }
}

/**
 * Removes sums of the board of a room that is still without a gift since a time, and then the room; returns whether there
 * are more. Counting locks in the same order: the state, the room, its sums.
 */
export function removeRoom(
  mysql: Pick<Database, "transaction">,
  roomId: number,
  quietSinceMs: number,
): Promise<boolean> {
  return mysql.transaction(async (tx) => {
    const { generation } = await holdState(tx);
    if (!(await lockQuiet(tx, roomId, quietSinceMs))) return false;
    const isLeft = await removeBoard(tx, generation, { kind: kinds.room.all, period: 0, scope: String(roomId) });
    if (!isLeft) await forgetRoom(tx, roomId);
    return isLeft;
  });
}
