import { limits } from "../../config/limits.ts";
import type { ChannelDefinition } from "../../mixins/jetstream.mixin.ts";
import { call, type DurableEvents } from "../contracts.ts";
import { onEvent } from "../durable-event.ts";
import type { SettledGift } from "../gift/gift.contract.ts";
import { settledSince } from "../settled-gifts.ts";
import type { BattleService } from "./battle-service.ts";
import { type CountedGift, type CountingBattle, counts, sideOf } from "./score.ts";
import { ScoreFrames } from "./score-frames.ts";
import { countGifts, countingBattles, currentRevision } from "./score-store.ts";

type LiveGift = SettledGift & { readonly recordId: string };

/**
 * The live scores of running battles. All nodes share one durable consumer of `gift.settled`; each gift is counted once
 * by its record id, in the database, so neither a repeat nor the death of a node nor Redis matters. A node has the
 * battles that count gifts in memory, and compares their revision with the database's before each batch: the revision
 * changes before a battle's start message is stored, so a gift after the start finds its battle on every node. What is
 * counted is only shown: results come from the gift records.
 */
export class LiveScores {
  private readonly service: BattleService;
  private revision: string | undefined;
  private byRoom = new Map<number, CountingBattle>();
  private byId = new Map<string, CountingBattle>();
  private readonly frames: ScoreFrames;
  /** From the acceptance of the newest gift of an event until it is counted, ms; the longest since it was taken. */
  private longestLagMs = 0;

  constructor(service: BattleService) {
    this.service = service;
    this.frames = new ScoreFrames(service, (battleId) => this.byId.get(battleId));
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

  /**
   * The gifts of each event. Durable when it returns. Gifts without a record id, of an earlier release, are not shown in
   * the scores.
   */
  async count(events: readonly (readonly SettledGift[])[]): Promise<void> {
    await this.refresh();
    if (this.byRoom.size === 0) return;
    const counted: CountedGift[] = [];
    for (const gift of events.flat()) {
      const battle = this.byRoom.get(gift.roomId);
      if (!battle || gift.status !== "succeeded" || gift.recordId === undefined) continue;
      const one = await this.countedIn(battle, gift as LiveGift);
      if (one) counted.push(one);
    }
    const { giftsPerTransaction } = limits.battle;
    for (let from = 0; from < counted.length; from += giftsPerTransaction) {
      const some = counted.slice(from, from + giftsPerTransaction);
      await countGifts(this.service.mysql, some);
      this.frames.changed(new Set(some.map(({ battleId }) => battleId)));
    }
    if (counted.length === 0) return;
    const newest = events.map((gifts) => Math.max(0, ...gifts.map(({ time }) => Date.parse(time) || 0)));
    this.longestLagMs = Math.max(this.longestLagMs, this.service.clock.now() - Math.min(...newest));
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
}

const each = onEvent<"gift.settled", BattleService>(
  "gift.settled",
  async function ({ data }) {
    await this.live.count([data.gifts]);
  },
  { fromBooks: settledSince(({ broker }, next) => call(broker, "gift.settledSince", next)) },
);

/**
 * The consumer of `gift.settled`. While a batch of events is counted the next ones gather, so the more events there are,
 * the more of them share a transaction, and an event that comes alone does not wait.
 */
export const liveScoreEvents: Omit<ChannelDefinition<BattleService>, "durable"> = {
  ...each,
  batch: limits.battle.eventsPerBatch,
  async handler(messages) {
    await this.live.count(messages.map(({ data }) => (data as DurableEvents["gift.settled"]).gifts));
  },
};
