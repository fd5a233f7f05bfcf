import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import { type Battle, isFinal, type Step, stepOf } from "./battle-state.ts";
import { battlesWithWork, markDone } from "./battle-store.ts";
import { Presence } from "./presence.ts";
import { settle } from "./result.ts";
import { purgeLiveScore } from "./score-store.ts";
import { showState } from "./show-state.ts";
import { begin, desert, expire, finish, ring, unlink } from "./steps.ts";

/**
 * Does what is due for every battle, on one node at a time: it expires invitations, completes starts and ends that a
 * dead node left, ends battles, stores results, shows states that were not shown, and unlinks guests. All state is in
 * the database, so any node continues; each step is safe on two nodes at once. A battle whose step fails does not hold
 * up the others, and is tried again in the next round.
 */
export class BattleScheduler {
  private readonly service: BattleService;
  private readonly lease: DatabaseLease;
  private readonly presence: Presence;
  private readonly loop: BackgroundLoop;
  private stopping = false;
  /** When this node has renewed its lease; minus infinity where it does not hold it. */
  private renewedAt = Number.NEGATIVE_INFINITY;
  private alarm: NodeJS.Timeout | undefined;

  constructor(service: BattleService) {
    this.service = service;
    const { mysql, broker, logger: log } = service;
    const { roundMs, leaseMs } = settingsOf(service);
    this.lease = new DatabaseLease({ mysql, name: "battles", holder: broker.nodeID, ms: leaseMs });
    this.presence = new Presence(service, this.lease);
    const [idleMs, errorBackoffMs] = [roundMs, roundMs];
    this.loop = new BackgroundLoop({ name: "battles", round: () => this.round(), idleMs, errorBackoffMs, log });
  }

  /** Another round follows at once, where this node has the lease. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves once the running round has ended and the lease is free. */
  async stop(): Promise<void> {
    this.stopping = true;
    clearTimeout(this.alarm);
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.service.logger.warn({ err: error }, "the lease of the battles was not freed: it expires by itself");
    });
  }

  private async round(): Promise<boolean> {
    const { clock, logger } = this.service;
    // Every node reads the clock, since every node answers with the time, also those without the lease.
    if (clock.age() > settingsOf(this.service).clockEveryMs) await clock.read();
    if (!(await this.holdsLease())) return false;
    const battles = await this.battles();
    const running = battles.filter(({ state }) => state === "running");
    if (running.length > 0)
      await this.presence.check(running).catch((error: unknown) => {
        logger.warn({ err: error }, "presence of the sides of battles cannot be read: a later round asks again");
      });
    // One reading proves the end of all battles that are due.
    const now = clock.now();
    const due = battles.some((battle) => this.step(battle, now) === "bell");
    const time = due ? await clock.read() : now;
    await this.handleAll(battles, time);
    this.setAlarm(running, clock.now());
    return false;
  }

  private step(battle: Battle, now: number): Step | undefined {
    return stepOf(battle, now, settingsOf(this.service));
  }

  private async holdsLease(): Promise<boolean> {
    const { leaseMs } = settingsOf(this.service);
    if (performance.now() - this.renewedAt < leaseMs / 3) return true;
    const held = !this.stopping && (await this.lease.hold());
    if (held && this.renewedAt === Number.NEGATIVE_INFINITY) this.presence.restart();
    this.renewedAt = held ? performance.now() : Number.NEGATIVE_INFINITY;
    return held;
  }

  private async battles(): Promise<Battle[]> {
    const battles: Battle[] = [];
    for (let after = "0"; ; ) {
      const page = await battlesWithWork(this.service.mysql, after, limits.battle.pageBattles);
      battles.push(...page);
      if (page.length < limits.battle.pageBattles) return battles;
      after = page.at(-1)?.id ?? after;
    }
  }

  private async handleAll(battles: readonly Battle[], time: number): Promise<void> {
    const waiting = [...battles];
    const work = async () => {
      for (let battle = waiting.shift(); battle && !this.stopping; battle = waiting.shift()) {
        const { id: battleId, state } = battle;
        await this.handle(battle, time).catch((error: unknown) => {
          const about = { battleId, state, err: error };
          this.service.logger.warn(about, "a step of a battle failed: the next round tries again");
        });
      }
    };
    await Promise.all(Array.from({ length: limits.battle.stepsInFlight }, work));
  }

  private async handle(battle: Battle, time: number): Promise<void> {
    const { service } = this;
    const { id } = battle;
    switch (this.step(battle, time)) {
      case "expire":
        await expire(service, id);
        break;
      case "begin":
        await begin(service, id);
        break;
      case "finish":
        await finish(service, id);
        break;
      case "bell":
        await ring(service, id, time);
        break;
      case "desert":
        if (await this.presence.isDeserted(battle)) await desert(service, id);
        break;
      case "settle":
        await settle(service, battle);
        break;
      default:
    }
    if (battle.shownVersion < battle.version) await showState(service, id);
    if (isFinal(battle.state) || battle.state === "settling") await this.tidy(battle);
  }

  /** The guest is unlinked when the battle stops counting; the rest is left until the result is some time old. */
  private async tidy(battle: Battle): Promise<void> {
    const { service } = this;
    if (battle.linked) await unlink(service, battle);
    if (!isFinal(battle.state)) return;
    const { purgeAfterMs, purgeRows } = limits.battle;
    if (battle.endedMs !== null && battle.endedMs < purgeAfterMs) return;
    if (battle.start !== null && (await purgeLiveScore(service.mysql, battle.id, purgeRows))) return;
    await markDone(service.mysql, battle.id, battle.version);
  }

  /** A round begins when the next battle ends, not only at the regular time. */
  private setAlarm(running: readonly Battle[], now: number): void {
    clearTimeout(this.alarm);
    const next = Math.min(...running.map(({ plannedEnd }) => plannedEnd ?? Number.POSITIVE_INFINITY));
    const { roundMs } = settingsOf(this.service);
    if (next - now > roundMs) return;
    this.alarm = setTimeout(() => this.wake(), Math.max(1, next - now + 1));
  }
}
