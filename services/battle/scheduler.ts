import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../../mixins/background-loop.ts";
import { DatabaseLease } from "../../mixins/mysql/database-lease.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import { type Battle, isFinal, stepOf } from "./battle-state.ts";
import { battlesWithWork, markDone } from "./battle-store.ts";
import { Lane } from "./lane.ts";
import { Presence } from "./presence.ts";
import { settle } from "./result.ts";
import { purgeLiveScore } from "./score-store.ts";
import { showState } from "./show-state.ts";
import { begin, desert, endOnTime, expire, finish, unlink } from "./steps.ts";
import { Unstarted } from "./unstarted.ts";

type Work = () => Promise<unknown>;

/** Kinds of work, by the neighbours on which they wait: a slow one delays its own kind alone. */
const kinds = {
  /** Expiries, starts and ends: the database and JetStream. */
  moves: "moves of battles",
  /** living-room. */
  guests: "unlinking guests",
  /** The router. */
  states: "showing states",
  /** The router and its im-servers. */
  absences: "ends for absence",
  /** The gift service. */
  results: "results",
  cleaning: "cleaning up",
} as const;
type Kind = keyof typeof kinds;

/**
 * Does what is due for every battle, on one node at a time: it expires invitations, completes starts and ends that a
 * dead node left, ends battles whose time is over, stores results, shows states that were not shown, and unlinks guests. All state is in
 * the database, so any node continues; each step is safe on two nodes at once. A round finds the work and awaits none of
 * it. Work that fails does not hold up other work, and is offered again in the next round.
 */
export class BattleScheduler {
  private readonly service: BattleService;
  private readonly lease: DatabaseLease;
  private readonly presence: Presence;
  private readonly lanes: Readonly<Record<Kind, Lane>>;
  /** Work on all battles together. */
  private readonly attendance: Lane;
  private readonly time: Lane;
  private readonly forgetting: Lane;
  private readonly unstarted: Unstarted;
  private readonly loop: BackgroundLoop;
  private readonly stopped = new AbortController();
  /** When this node has renewed its lease; minus infinity where it does not hold it. */
  private renewedAt = Number.NEGATIVE_INFINITY;
  private alarm: NodeJS.Timeout | undefined;

  constructor(service: BattleService) {
    this.service = service;
    const { mysql, broker, logger: log } = service;
    const { roundMs, leaseMs } = settingsOf(service);
    this.lease = new DatabaseLease({ mysql, name: "battles", holder: broker.nodeID, ms: leaseMs });
    this.presence = new Presence(service, this.lease);
    const entries = Object.entries(kinds).map(([kind, what]) => [kind, new Lane({ what, log })] as const);
    this.lanes = Object.fromEntries(entries) as Record<Kind, Lane>;
    this.attendance = new Lane({ what: "who of the sides is away", log });
    this.time = new Lane({ what: "reading JetStream's clock", log });
    this.forgetting = new Lane({ what: "deleting battles that never started", log });
    this.unstarted = new Unstarted(service);
    const [idleMs, errorBackoffMs] = [roundMs, roundMs];
    this.loop = new BackgroundLoop({ name: "battles", round: () => this.round(), idleMs, errorBackoffMs, log });
  }

  /** Another round follows at once, where this node has the lease. */
  wake(): void {
    this.loop.wake();
  }

  /** Resolves once all running work has ended and the lease is free. */
  async stop(): Promise<void> {
    this.stopped.abort();
    clearTimeout(this.alarm);
    await this.loop.stop();
    clearTimeout(this.alarm);
    await Promise.all(
      [...Object.values(this.lanes), this.attendance, this.time, this.forgetting].map((lane) => lane.stop()),
    );
    await this.lease.giveBack().catch((error: Error) => {
      this.service.logger.warn({ err: error }, "the lease of the battles was not freed: it expires by itself");
    });
  }

  private async round(): Promise<boolean> {
    const { clock } = this.service;
    // Every node shows the time, also those without the lease.
    if (clock.age() > settingsOf(this.service).clockEveryMs) this.time.offerOne(() => clock.read());
    const held = await this.holdsLease();
    if (held) this.forgetting.offerOne(() => this.unstarted.forget());
    const battles = held ? await this.battles() : [];
    const running = battles.filter(({ state }) => state === "running");
    if (running.length > 0) this.attendance.offerOne(() => this.presence.check(running));
    const now = clock.now();
    this.offer(battles, now);
    this.setAlarm(running, now);
    return false;
  }

  private async holdsLease(): Promise<boolean> {
    const { leaseMs } = settingsOf(this.service);
    if (performance.now() - this.renewedAt < leaseMs / 3) return true;
    const held = !this.stopped.signal.aborted && (await this.lease.hold());
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

  private offer(battles: readonly Battle[], now: number): void {
    // One reading proves the end of all battles that are due.
    let reading: Promise<number> | undefined;
    const proof = () => {
      reading ??= this.service.clock.read();
      return reading;
    };
    const due = battles.map((battle) => [battle.id, this.dueOf(battle, now, proof)] as const);
    for (const kind of Object.keys(kinds) as Kind[]) {
      const works = due.flatMap(([id, { [kind]: work }]) => (work ? [[id, work] as const] : []));
      this.lanes[kind].offer(new Map(works));
    }
  }

  /** What is due for a battle. The guest is unlinked when it stops counting, whatever becomes of its result. */
  private dueOf(battle: Battle, now: number, proof: () => Promise<number>): Partial<Record<Kind, Work>> {
    const { service } = this;
    const { id, state, version, shownVersion, linked } = battle;
    const due: Partial<Record<Kind, Work>> = {};
    const step = stepOf(battle, now, settingsOf(service));
    if (step === "settle") due.results = () => settle(service, id, this.stopped.signal);
    else if (step === "desert")
      due.absences = async () => {
        const certain = await this.presence.desertedSides(battle);
        if (certain.length > 0) await desert(service, id, certain);
      };
    else if (step === "timeUp") due.moves = async () => this.endOnTime(battle, await proof());
    else if (step) {
      const move = { expire, begin, finish }[step];
      due.moves = () => move(service, id);
    }
    const shown = shownVersion >= version;
    if (!shown) due.states = () => showState(service, id);
    if (linked && (isFinal(state) || state === "settling")) due.guests = () => unlink(service, battle);
    if (isFinal(state) && shown && !linked) due.cleaning = () => this.clean(battle);
    return due;
  }

  private async endOnTime({ id, plannedEnd }: Battle, time: number): Promise<void> {
    await endOnTime(this.service, id, time);
    // This node's clock was fast: the next round sets the alarm by the new reading.
    if (plannedEnd !== null && time < plannedEnd) this.wake();
  }

  /** The rows of a live score are left until the result is some time old. */
  private async clean(battle: Battle): Promise<void> {
    const { mysql } = this.service;
    const { purgeAfterMs, purgeRows } = limits.battle;
    if (battle.endedMs !== null && battle.endedMs < purgeAfterMs) return;
    if (await purgeLiveScore(mysql, battle.id, purgeRows)) return;
    await markDone(mysql, battle.id, battle.version);
  }

  /** A round begins when the next battle ends, not only at the regular time. */
  private setAlarm(running: readonly Battle[], now: number): void {
    clearTimeout(this.alarm);
    const ends = running.map(({ plannedEnd }) => plannedEnd ?? 0).filter((end) => end > now);
    const waitMs = Math.min(...ends) - this.service.clock.now();
    if (waitMs > settingsOf(this.service).roundMs || this.stopped.signal.aborted) return;
    this.alarm = setTimeout(() => this.wake(), Math.max(1, waitMs + 1));
  }
}
