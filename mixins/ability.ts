import type { Service } from "moleculer";
import { tellAbility } from "../broker/able-nodes.ts";
import { busAnswers } from "../broker/bus/own-subjects.ts";
import { limits } from "../config/limits.ts";
import { type HealthState, type KeptCheck, runCheck } from "./health-checks.ts";

/**
 * Whether a service of this node can do its work: whether each server that it needs has answered this node lately. The
 * other nodes are told where it cannot (broker/able-nodes.ts), and it takes no messages (jetstream/keep-share.ts). What
 * else makes a service not ready, e.g. a full queue, is the same for all nodes, and is no reason to stop.
 *
 *   able    -> unable   a check has not succeeded for `limits.ability.lostAfterMs`
 *   unable  -> able     none has gone without success for so long, for `limits.ability.backAfterMs`
 *
 * A check that succeeds late succeeds: a busy server is no lost one.
 */
export class Ability {
  private readonly service: Service & HealthState;
  private readonly succeededAt = new Map<string, number>();
  private readonly running = new Set<string>();
  private readonly changed: (isAble: boolean) => void;
  private readonly timer: NodeJS.Timeout;
  private readonly now: () => number;
  private isAble = true;
  private lookedAt: number;
  private failedAt = Number.NEGATIVE_INFINITY;

  constructor(
    service: Service & HealthState,
    changed: (isAble: boolean) => void,
    now: () => number = () => performance.now(),
  ) {
    this.service = service;
    this.changed = changed;
    this.now = now;
    this.lookedAt = now();
    this.timer = setInterval(() => this.look(), limits.ability.lookEveryMs);
    this.timer.unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Starts the checks that do not run, and judges by what they said so far. */
  look(): void {
    const now = this.now();
    // A process that stood still has heard nothing meanwhile, which is nobody's fault.
    const stoodStill = now - this.lookedAt > limits.ability.lostAfterMs / 2;
    this.lookedAt = now;
    for (const [name, check] of this.checks()) {
      if (stoodStill || !this.succeededAt.has(name)) this.succeededAt.set(name, now);
      if (!this.running.has(name)) this.run(name, check);
    }
    const oldest = Math.min(...this.succeededAt.values(), now);
    if (now - oldest > limits.ability.lostAfterMs) this.failedAt = now;
    if (this.isAble && now - oldest > limits.ability.lostAfterMs) this.become(false);
    else if (!this.isAble && now - this.failedAt > limits.ability.backAfterMs) this.become(true);
  }

  /** Those that ask a server, and the bus: the connection to it is another than that to JetStream. */
  private checks(): [string, () => Promise<boolean>][] {
    const { broker, healthChecks = new Map<string, KeptCheck>() } = this.service;
    const asking = [...healthChecks].filter(([, { degrades, asksServer }]) => asksServer && !degrades);
    const checks = asking.map(([name, kept]): [string, () => Promise<boolean>] => [
      name,
      async () => typeof (await runCheck(kept)) !== "string",
    ]);
    const bus = () =>
      busAnswers(broker).then(
        () => true,
        () => false,
      );
    return [...checks, ["bus", bus]];
  }

  private run(name: string, check: () => Promise<boolean>): void {
    this.running.add(name);
    void check().then((succeeds) => {
      if (succeeds) this.succeededAt.set(name, this.now());
      this.running.delete(name);
    });
  }

  private become(isAble: boolean): void {
    this.isAble = isAble;
    this.changed(isAble);
  }
}

export interface AbilityState extends HealthState {
  ability?: Ability;
}

/** Begins to look, and tells the other nodes. */
export function watchAbility(service: Service & AbilityState): void {
  // What was told of a service of this name that ran here before is over.
  tellAbility(service.broker, service.name, true);
  service.ability = new Ability(service, (isAble) => {
    const what = isAble
      ? "its servers answer again"
      : "a server that it needs does not answer: calls go to other nodes";
    service.logger.warn({ service: service.name }, what);
    tellAbility(service.broker, service.name, isAble);
  });
}
