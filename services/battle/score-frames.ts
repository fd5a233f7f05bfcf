import { rendezvousNode } from "../../broker/rendezvous-strategy.ts";
import { ServiceNodes } from "../../broker/service-nodes.ts";
import { limits } from "../../config/limits.ts";
import { call } from "../contracts.ts";
import { routerBucketOf } from "../im-buckets.ts";
import type { BattleScores } from "../im-router/im-router.contract.ts";
import type { BattleService } from "./battle-service.ts";
import type { CountingBattle } from "./score.ts";
import { liveScores } from "./score-store.ts";

type RouterId = string | undefined;

/** The scores that one router is to get. */
interface Outgoing {
  /** By battle id: those of its rooms that are of this router. */
  readonly changed: Map<string, ReadonlySet<number>>;
  /** The next call is not made before, ms of `performance.now()`. */
  notBefore: number;
  timer: NodeJS.Timeout | undefined;
  sending: Promise<void> | undefined;
}

/**
 * Brings each router the scores of its rooms' battles (5558), as the database has them when a call is made, so a later
 * frame is never older. A router holds scores until its tick ends, and says in its answer when that is. The next call
 * is made shortly before the tick after it ends: so scores wait for one tick alone, and a router gets one call a tick.
 * Scores may be lost.
 *
 * States of a router's scores, and the moves between them:
 *
 *     idle → sending       a score changes, and the next call may be made
 *     idle → waiting       a score changes before that time
 *     waiting → sending    the time has come
 *     sending → idle       the router has answered, or failed, and nothing has changed meanwhile
 *     sending → waiting    the same, and more scores have changed; or the scores cannot be read: the same ones wait
 */
export class ScoreFrames {
  private readonly service: Pick<BattleService, "mysql" | "broker" | "clock" | "logger">;
  private readonly battleOf: (battleId: string) => CountingBattle | undefined;
  private readonly routers: ServiceNodes;
  private readonly outgoing = new Map<RouterId, Outgoing>();
  private stopping = false;

  /** @param battleOf what the node knows of a battle; scores of other battles are not sent */
  constructor(
    service: Pick<BattleService, "mysql" | "broker" | "clock" | "logger">,
    battleOf: (battleId: string) => CountingBattle | undefined,
  ) {
    this.service = service;
    this.battleOf = battleOf;
    this.routers = new ServiceNodes(service.broker, "im-router");
  }

  /** The scores of these battles have changed. Returns at once. */
  changed(battleIds: Iterable<string>): void {
    const ids = this.routers.ids();
    for (const battleId of battleIds) {
      const rooms = new Set(this.battleOf(battleId)?.sides.map(({ roomId }) => roomId));
      for (const [router, own] of Map.groupBy(rooms, (roomId) => rendezvousNode(ids, String(routerBucketOf(roomId)))))
        this.of(router).changed.set(battleId, new Set(own));
    }
    for (const [router, out] of this.outgoing) this.next(router, out);
  }

  /** Resolves once no call is under way. What waits is not sent. */
  async stop(): Promise<void> {
    this.stopping = true;
    for (const { timer } of this.outgoing.values()) clearTimeout(timer);
    await Promise.all([...this.outgoing.values()].map(({ sending }) => sending));
  }

  private of(router: RouterId): Outgoing {
    let out = this.outgoing.get(router);
    if (!out) {
      out = { changed: new Map(), notBefore: Number.NEGATIVE_INFINITY, timer: undefined, sending: undefined };
      this.outgoing.set(router, out);
    }
    return out;
  }

  private next(router: RouterId, out: Outgoing): void {
    if (this.stopping || out.sending || out.timer) return;
    if (out.changed.size === 0) {
      // A router that is gone does not come back under its id.
      if (!this.routers.ids().includes(router as string)) this.outgoing.delete(router);
      return;
    }
    const send = () => {
      out.timer = undefined;
      out.sending = this.send(out).finally(() => {
        out.sending = undefined;
        this.next(router, out);
      });
    };
    const waitMs = out.notBefore - performance.now();
    if (waitMs <= 0) send();
    else out.timer = setTimeout(send, waitMs);
  }

  /** Never rejects. */
  private async send(out: Outgoing): Promise<void> {
    const { broker, logger } = this.service;
    const { roomTickMs } = limits.im;
    const { scoreLeadMs, scoreTimeoutMs, roundMs } = limits.battle;
    const some = [...out.changed].slice(0, limits.battle.battlesPerScoreCall);
    for (const [battleId] of some) out.changed.delete(battleId);
    let battles: BattleScores[];
    try {
      battles = await this.read(some);
    } catch (error) {
      for (const [battleId, rooms] of some) out.changed.set(battleId, rooms);
      out.notBefore = performance.now() + roundMs;
      logger.warn({ err: error }, "live scores of battles cannot be read: they are sent later");
      return;
    }
    const bucket = battles[0] && routerBucketOf(battles[0].roomIds[0] as number);
    if (bucket === undefined) return;
    let tickEndsInMs = 0;
    try {
      const answer = await call(broker, "im-router.battleScores", { bucket, battles }, { timeout: scoreTimeoutMs });
      // `null` from a router of release 0.1.
      tickEndsInMs = answer?.tickEndsInMs ?? 0;
    } catch (error) {
      logger.debug({ err: error }, "scores of battles were not sent to their rooms: the next ones are");
    }
    // Where more waits than one call takes, the rest is for the same tick.
    const isAll = out.changed.size === 0 || some.length < limits.battle.battlesPerScoreCall;
    out.notBefore = performance.now() + (isAll ? tickEndsInMs + roomTickMs - scoreLeadMs : 0);
  }

  private async read(some: readonly (readonly [string, ReadonlySet<number>])[]): Promise<BattleScores[]> {
    const { mysql, clock } = this.service;
    const scores = await liveScores(
      mysql,
      some.map(([battleId]) => battleId),
    );
    const now = clock.now();
    return some.flatMap(([battleId, rooms]) => {
      const battle = this.battleOf(battleId);
      if (!battle) return [];
      const end = battle.end ?? now;
      return {
        ...{ battleId, roomIds: [...rooms] },
        scores: battle.sides.map(({ userId }, side) => ({ userId, score: scores.get(battleId)?.[side]?.score ?? 0 })),
        endTime: new Date(end).toISOString(),
        remainingMs: Math.max(0, end - now),
      };
    });
  }
}
