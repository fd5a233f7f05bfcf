import { limits } from "../../config/limits.ts";
import type { ResultOf } from "../contracts.ts";
import type { BattleService } from "./battle-service.ts";
import { battlesById } from "./battle-store.ts";
import { winnerOf } from "./score.ts";
import { excludedOf } from "./score-store.ts";
import { resultsOf } from "./side-store.ts";
import { type EndedBattle, sumsOf } from "./sums.ts";

type Verified = ResultOf<"battle.verify">;

/** Computes results again from the gift records, without the excluded orders, and compares them with those stored. */
export async function verify(service: BattleService, battleIds: readonly string[]): Promise<Verified> {
  const { mysql } = service;
  const battles = (await battlesById(mysql, battleIds)).filter(({ state }) => state === "ended");
  const ids = battles.map(({ id }) => id);
  const [results, excluded] = await Promise.all([resultsOf(mysql, ids), excludedOf(mysql, ids)]);
  const differences: Verified["differences"] = [];
  for (const battle of battles) {
    const { id: battleId, start, end, sides, winner } = battle;
    const differ = (what: string, stored: unknown, records: unknown) => {
      if (stored !== records) differences.push({ battleId, what, stored: String(stored), records: String(records) });
    };
    const [stored, without] = [results.get(battleId) ?? [], excluded.get(battleId) ?? []];
    if (start === null || end === null) {
      differ("start and end", "missing", "unknown");
      continue;
    }
    if (without.length > limits.battle.excludedMax)
      differ("excluded orders", without.length, `at most ${limits.battle.excludedMax} can be left out`);
    const { sides: totals } = await sumsOf(service, { ...battle, start, end } satisfies EndedBattle, without);
    for (const [side, { userId }] of sides.entries()) {
      differ(`score of ${userId}`, stored[side]?.score, totals[side]?.score);
      differ(`gifts of ${userId}`, stored[side]?.gifts, totals[side]?.gifts);
    }
    const [first, second] = sides.map(({ userId, deserted }, side) => ({
      ...{ userId, deserted },
      score: totals[side]?.score ?? 0,
    }));
    if (first && second) differ("winner", winner, winnerOf([first, second]));
  }
  return { verified: battles.length, differences };
}
