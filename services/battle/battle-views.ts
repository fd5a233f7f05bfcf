import { setTimeout as pause } from "node:timers/promises";
import { LRUCache } from "lru-cache";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import { ranksAreOn } from "../rank-settings.ts";
import { UserNames, unnamed } from "../user-names.ts";
import type { BattleView, TopSender } from "./battle.contract.ts";
import type { BattleService } from "./battle-service.ts";
import type { Battle } from "./battle-state.ts";
import { excludedOf, liveScores } from "./score-store.ts";
import { resultsOf } from "./side-store.ts";

type Sender = { userId: string; coins: number };

/** The top senders of both sides of a running battle, as this node read them last. */
interface RunningTops {
  sides: readonly (readonly Sender[])[];
  /** When they are read again, by `performance.now()`. */
  againAt: number;
  reading: Promise<void> | undefined;
}

const iso = (ms: number | null) => (ms === null ? null : new Date(ms).toISOString());

/**
 * Makes the views of battles. Names and, while a battle runs, top senders come from other services: they are cached, an
 * answer waits for them `limits.battle.namePatienceMs` at most, and without them it is incomplete.
 */
export class BattleViews {
  private readonly service: BattleService;
  /** With RANKS=off no givers are listed: none are read, and none that are stored are shown. */
  private readonly listsGivers = ranksAreOn();
  private readonly names: UserNames;
  private readonly tops = new LRUCache<string, RunningTops>({ max: limits.battle.topSendersKept });
  private readings = 0;
  /** The readings that wait for their turn: one of each battle at the most. */
  private readonly turns: (() => void)[] = [];

  constructor(service: BattleService) {
    this.service = service;
    const load = async (userIds: string[]) => (await call(service.broker, "user.profiles", { userIds })).list;
    this.names = new UserNames({ load, log: service.logger });
  }

  async one(battle: Battle): Promise<BattleView> {
    const [view] = await this.of([battle]);
    return view as BattleView;
  }

  /** Fails: unavailable, where the database is away. */
  async of(battles: readonly Battle[]): Promise<BattleView[]> {
    const { mysql, clock } = this.service;
    const ended = battles.filter(({ state }) => state === "ended").map(({ id }) => id);
    const open = battles.filter(({ state }) => state === "running" || state === "settling");
    const [results, excluded, live] = await Promise.all([
      resultsOf(mysql, ended),
      excludedOf(mysql, ended),
      liveScores(
        mysql,
        open.map(({ id }) => id),
      ),
    ]);
    const deadline = pause(limits.battle.namePatienceMs, undefined, { ref: false });
    const tops = new Map<string, readonly (readonly Sender[])[]>(
      await Promise.all(
        (this.listsGivers ? open : []).map(
          async (battle) => [battle.id, await this.runningTops(battle, deadline)] as const,
        ),
      ),
    );
    for (const [id, sides] of this.listsGivers ? results : [])
      tops.set(
        id,
        sides.map(({ topSenders }) => topSenders),
      );
    const names = await this.names.of(
      [...tops.values()].flat(2).map(({ userId }) => userId),
      deadline,
    );
    const named = ({ userId, coins }: Sender): TopSender => ({ userId, ...(names.get(userId) ?? unnamed), coins });
    const serverTime = new Date(clock.now()).toISOString();
    return battles.map((battle) => {
      const scores = results.get(battle.id) ?? live.get(battle.id);
      return {
        battleId: battle.id,
        kind: battle.kind,
        state: battle.state,
        sides: battle.sides.map(({ roomId, userId }, side) => ({
          ...{ roomId, userId },
          score: scores?.[side]?.score ?? 0,
          gifts: scores?.[side]?.gifts ?? 0,
          topSenders: (tops.get(battle.id)?.[side] ?? []).map(named),
        })),
        startTime: iso(battle.start),
        endTime: iso(battle.end ?? battle.plannedEnd),
        serverTime,
        winner: battle.winner,
        excluded: (excluded.get(battle.id) ?? []).slice(0, limits.battle.excludedShown),
      };
    });
  }

  private async runningTops(battle: Battle, deadline: Promise<unknown>): Promise<readonly (readonly Sender[])[]> {
    const kept = this.tops.get(battle.id) ?? { sides: [], againAt: 0, reading: undefined };
    this.tops.set(battle.id, kept);
    if (!kept.reading && performance.now() >= kept.againAt)
      kept.reading = this.inTurn(() => this.readTops(battle, kept));
    if (kept.reading && kept.sides.length === 0) await Promise.race([kept.reading, deadline]);
    return kept.sides;
  }

  /** However many battles are shown, a few are read at once: each reading costs the gift service the whole battle so far. */
  private async inTurn(read: () => Promise<void>): Promise<void> {
    if (this.readings >= limits.battle.topSendersReadings)
      await new Promise<void>((resolve) => this.turns.push(resolve));
    else this.readings++;
    await read();
    const next = this.turns.shift();
    if (next) next();
    else this.readings--;
  }

  /** Never rejects. A long reading is followed by a long rest, so it costs the gift service a bounded part of its time. */
  private async readTops({ id, sides, start, plannedEnd, end }: Battle, kept: RunningTops): Promise<void> {
    const began = performance.now();
    try {
      const { broker } = this.service;
      const answer = await call(broker, "gift.totals", {
        sides: sides.map(({ roomId, userId }) => ({ roomId, receiverId: userId })),
        from: iso(start) as string,
        until: iso(end ?? plannedEnd) as string,
      });
      kept.sides = answer.sides.map(({ topSenders }) => topSenders);
    } catch (error) {
      this.service.logger.debug({ battleId: id, err: error }, "the top senders of a battle cannot be read now");
    }
    const { topSendersEveryMs, topSendersRestFactor } = limits.battle;
    const took = performance.now() - began;
    kept.againAt = performance.now() + Math.max(topSendersEveryMs, took * topSendersRestFactor);
    kept.reading = undefined;
  }
}
