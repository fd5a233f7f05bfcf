import { setTimeout as pause } from "node:timers/promises";
import { rendezvousNode } from "../../broker/rendezvous-strategy.ts";
import { ServiceNodes } from "../../broker/service-nodes.ts";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { call } from "../contracts.ts";
import type { ReceivedEvent } from "../durable-event.ts";
import type { SettledGift } from "../gift/gift.contract.ts";
import { routerBucketOf } from "../im-buckets.ts";
import type { BattleScores } from "../im-router/im-router.contract.ts";
import type { BattleService } from "./battle-service.ts";
import { type CountedGift, type CountingBattle, counts, sideOf } from "./score.ts";
import { countGifts, countingBattles, currentRevision, liveScores } from "./score-store.ts";

type LiveGift = SettledGift & { readonly recordId: string };

/**
 * The live scores of running battles. All nodes share one durable consumer of `gift.settled`; each gift is counted once
 * by its record id, in the database, so neither a repeat nor the death of a node nor Redis matters. A node has the
 * battles that count gifts in memory, and compares their revision with the database's before each message: the revision
 * changes before a battle's start message is stored, so a gift after the start finds its battle on every node. What is
 * counted is only shown: results come from the gift records.
 */
export class LiveScores {
  private readonly service: BattleService;
  private revision: string | undefined;
  private byRoom = new Map<number, CountingBattle>();
  private byId = new Map<string, CountingBattle>();
  /** The battles whose scores have changed and are to be sent. */
  private changed = new Set<string>();
  private readonly frames: BackgroundLoop;
  private readonly routers: ServiceNodes;
  /** From the acceptance of the newest gift of a message until it is counted, ms; the longest since it was taken. */
  private longestLagMs = 0;

  constructor(service: BattleService) {
    this.service = service;
    this.routers = new ServiceNodes(service.broker, "im-router");
    this.frames = new BackgroundLoop({
      name: "battle scores",
      round: () => this.sendChanged(),
      idleMs: limits.battle.roundMs,
      errorBackoffMs: limits.battle.roundMs,
      log: service.logger,
    });
  }

  async stop(): Promise<void> {
    await this.frames.stop();
  }

  /** The longest lag since the last call, ms. */
  takeLag(): number {
    const lag = this.longestLagMs;
    this.longestLagMs = 0;
    return lag;
  }

  /** Durable when it returns. Gifts without a record id, of an earlier release, are not shown in the scores. */
  async count(gifts: readonly SettledGift[]): Promise<void> {
    await this.refresh();
    if (this.byRoom.size === 0) return;
    const counted: CountedGift[] = [];
    for (const gift of gifts) {
      const battle = this.byRoom.get(gift.roomId);
      if (!battle || gift.status !== "succeeded" || gift.recordId === undefined) continue;
      const one = await this.countedIn(battle, gift as LiveGift);
      if (one) counted.push(one);
    }
    if (counted.length === 0) return;
    await countGifts(this.service.mysql, counted);
    for (const { battleId } of counted) this.changed.add(battleId);
    this.frames.wake();
    const newest = gifts.reduce((latest, { time }) => Math.max(latest, Date.parse(time) || 0), 0);
    this.longestLagMs = Math.max(this.longestLagMs, this.service.clock.now() - newest);
  }

  private async refresh(): Promise<void> {
    const { mysql } = this.service;
    const revision = await currentRevision(mysql);
    if (revision === this.revision) return;
    const battles = await countingBattles(mysql);
    this.byRoom = new Map(battles.flatMap((battle) => battle.sides.map(({ roomId }) => [roomId, battle] as const)));
    this.byId = new Map(battles.map((battle) => [battle.battleId, battle]));
    this.revision = revision;
  }

  private async countedIn(battle: CountingBattle, gift: LiveGift): Promise<CountedGift | undefined> {
    const side = sideOf(battle, gift);
    if (side === undefined) return undefined;
    const times = battle.start === null ? await this.timesOf(battle) : battle;
    if (!counts(Date.parse(gift.time), times)) return undefined;
    const { recordId, count, price } = gift;
    return { battleId: battle.battleId, side, recordId, coins: count * price };
  }

  /** Of a battle whose start this node has not read: where its start message is not stored, this gift was before it. */
  private async timesOf({
    battleId,
    durationMs,
  }: CountingBattle): Promise<{ start: number | null; end: number | null }> {
    const start = (await this.service.clock.find(battleId, "start")) ?? null;
    return { start, end: start === null ? null : start + durationMs };
  }

  /**
   * Sends the scores of battles whose scores have changed (5558), as the database has them now, so a later frame is
   * never older. They may be lost.
   */
  private async sendChanged(): Promise<boolean> {
    if (this.changed.size === 0) return false;
    const ids = [...this.changed].slice(0, limits.battle.battlesPerScoreCall);
    for (const id of ids) this.changed.delete(id);
    const { mysql, broker, clock, logger } = this.service;
    const scores = await liveScores(mysql, ids);
    const now = clock.now();
    // Of each router one of its buckets, by which the call gets there.
    const byRouter = new Map<string | undefined, { bucket: number; battles: BattleScores[] }>();
    for (const battleId of ids) {
      const battle = this.byId.get(battleId);
      if (!battle) continue;
      const end = battle.end ?? now;
      const frame = {
        battleId,
        scores: battle.sides.map(({ userId }, side) => ({ userId, score: scores.get(battleId)?.[side]?.score ?? 0 })),
        endTime: new Date(end).toISOString(),
        remainingMs: Math.max(0, end - now),
      };
      const rooms = Map.groupBy(new Set(battle.sides.map(({ roomId }) => roomId)), (roomId) =>
        rendezvousNode(this.routers.ids(), String(routerBucketOf(roomId))),
      );
      for (const [router, roomIds] of rooms) {
        const own = byRouter.get(router) ?? { bucket: routerBucketOf(roomIds[0] as number), battles: [] };
        own.battles.push({ ...frame, roomIds });
        byRouter.set(router, own);
      }
    }
    const options = { timeout: limits.battle.scoreTimeoutMs };
    const calls = [...byRouter.values()].map((own) => call(broker, "im-router.battleScores", own, options));
    for (const one of await Promise.allSettled(calls))
      if (one.status === "rejected")
        logger.debug({ err: one.reason }, "scores of battles were not sent to their rooms: the next ones are");
    await pause(limits.battle.scoreFrameMs);
    return this.changed.size > 0;
  }
}

/** The consumer of `gift.settled`. */
export async function countSettled(
  this: BattleService,
  { data }: Pick<ReceivedEvent<"gift.settled">, "data">,
): Promise<void> {
  await this.live.count(data.gifts);
}
