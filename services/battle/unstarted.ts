import { limits } from "../../config/limits.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import { deleteUnstarted } from "./rest-store.ts";

/** Deletes battles that never started, a day after they ended. */
export class Unstarted {
  private readonly service: BattleService;
  private nextAt = Number.NEGATIVE_INFINITY;

  constructor(service: BattleService) {
    this.service = service;
  }

  /** Where it is time to; safe on two nodes at once. Fails: unavailable; a later round tries again. */
  async forget(): Promise<void> {
    if (performance.now() < this.nextAt) return;
    const { forgetAfterMs: ms, forgetBattles: limit } = limits.battle;
    this.nextAt = performance.now() + settingsOf(this.service).forgetEveryMs;
    // A full page: there may be more.
    if ((await deleteUnstarted(this.service.mysql, { ms, limit })) === limit) this.nextAt = performance.now();
  }
}
