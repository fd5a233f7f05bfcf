import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { SettledGift } from "../gift/gift.contract.ts";
import type { BattleView } from "./battle.contract.ts";
import type { Battle, StepTimes } from "./battle-state.ts";
import type { BattleClock } from "./clock.ts";

/** Settings that tests override; the defaults are in config/limits/battle.ts. */
export interface BattleSettings extends StepTimes {
  readonly roundMs: number;
  readonly leaseMs: number;
  readonly clockEveryMs: number;
  readonly attendanceEveryMs: number;
  readonly attendanceGapMs: number;
  readonly forgetEveryMs: number;
}

const { inviteMs, startWithinMs, awayMs, roundMs, leaseMs, clockEveryMs } = limits.battle;
const { attendanceEveryMs, attendanceGapMs, forgetEveryMs } = limits.battle;

export const usualSettings: BattleSettings = {
  ...{ inviteMs, startWithinMs, awayMs, roundMs, leaseMs, clockEveryMs, attendanceEveryMs, attendanceGapMs },
  forgetEveryMs,
};

export interface BattleParts extends MysqlState, JetStreamState, OutboxState {
  clock: BattleClock;
  /** battle-views.ts */
  views: {
    one(battle: Battle): Promise<BattleView>;
    of(battles: readonly Battle[]): Promise<BattleView[]>;
  };
  /** live-scores.ts */
  live: { count(events: readonly (readonly SettledGift[])[]): Promise<void>; takeLag(): number; stop(): Promise<void> };
  /** scheduler.ts */
  scheduler: { wake(): void; stop(): Promise<void> };
}

export type BattleService = Service & BattleParts;

export function settingsOf(service: Pick<Service, "settings">): BattleSettings {
  return service.settings as BattleSettings;
}
