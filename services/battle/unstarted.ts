import { limits } from "../../config/limits.ts";
import { type BattleService, settingsOf } from "./battle-service.ts";
import { deleteBattles } from "./battle-store.ts";
import { unstartedBattles } from "./rest-store.ts";
import { deleteExclusions } from "./score-store.ts";
import { deleteSides } from "./side-store.ts";

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
    const { mysql } = this.service;
    const ids = await unstartedBattles(mysql, { ms, limit });
    if (ids.length === 0) return;
    await mysql.transaction(async (tx) => {
      await deleteExclusions(tx, ids);
      await deleteSides(tx, ids);
      await deleteBattles(tx, ids);
    });
    // A full page: there may be more.
    if (ids.length === limit) this.nextAt = performance.now();
  }
}
