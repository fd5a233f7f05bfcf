import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../../mixins/jetstream.mixin.ts";
import type { MysqlState } from "../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../mixins/outbox.mixin.ts";
import type { StepTimes } from "./battle-state.ts";
import type { BattleViews } from "./battle-views.ts";
import type { BattleClock } from "./clock.ts";
import type { LiveScores } from "./live-scores.ts";
import type { BattleScheduler } from "./scheduler.ts";

/** Settings that tests override; the defaults are in config/limits-battle.ts. */
export interface BattleSettings extends StepTimes {
  readonly roundMs: number;
  readonly leaseMs: number;
  readonly clockEveryMs: number;
  readonly attendanceEveryMs: number;
  readonly attendanceGapMs: number;
}

const { inviteMs, startWithinMs, awayMs, roundMs, leaseMs, clockEveryMs } = limits.battle;
const { attendanceEveryMs, attendanceGapMs } = limits.battle;

export const usualSettings: BattleSettings = {
  ...{ inviteMs, startWithinMs, awayMs, roundMs, leaseMs, clockEveryMs, attendanceEveryMs, attendanceGapMs },
};

export interface BattleParts extends MysqlState, JetStreamState, OutboxState {
  clock: BattleClock;
  views: BattleViews;
  live: LiveScores;
  scheduler: BattleScheduler;
}

export type BattleService = Service & BattleParts;

export function settingsOf(service: Pick<Service, "settings">): BattleSettings {
  return service.settings as BattleSettings;
}
