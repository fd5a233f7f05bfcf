import type { ReceivedEvent } from "../durable-event.ts";
import type { BattleService } from "./battle-service.ts";
import { battleById, lockBattle } from "./battle-store.ts";
import { type EndedBattle, totalsOf } from "./result.ts";
import { counts } from "./score.ts";
import { addDeadGift, battlesAt, deadGiftsOf, exclude, excludedOf } from "./score-store.ts";
import { resultsOf, type SideResult } from "./side-store.ts";

/**
 * Keeps the gifts of the queue that became dead letters, for the results of the battles to which they belong. Where the
 * result is stored already it is decided here whether it contains the gift: if the sum of the records without the gift
 * is the result, it does not, and the gift is excluded; otherwise it was replayed and counted before. The result stays.
 */
export async function keepDeadGifts(
  this: BattleService,
  { data }: Pick<ReceivedEvent<"gift.deadLettered">, "data">,
): Promise<void> {
  for (const { orderId, roomId, receiverId, time } of data.gifts) {
    const at = new Date(time);
    for (const battleId of await battlesAt(this.mysql, { roomId, receiverId, time: at })) {
      const late = await this.mysql.transaction(async (tx) => {
        const battle = await lockBattle(tx, battleId);
        await addDeadGift(tx, { battleId, orderId, time: at });
        return battle?.state === "ended";
      });
      if (late) await excludeLate(this, battleId, { orderId, time: at.getTime() });
    }
  }
}

/** Several late ones are tried together: the records may have replays of all of them. */
async function excludeLate(
  service: BattleService,
  battleId: string,
  { orderId, time }: { orderId: string; time: number },
): Promise<void> {
  const { mysql } = service;
  const battle = await battleById(mysql, battleId);
  if (!battle || battle.start === null || battle.end === null || !counts(time, battle)) return;
  const ended: EndedBattle = { ...battle, start: battle.start, end: battle.end };
  const known = (await excludedOf(mysql, [battleId])).get(battleId) ?? [];
  if (known.includes(orderId)) return;
  const stored = (await resultsOf(mysql, [battleId])).get(battleId) ?? [];
  const undecided = (await deadGiftsOf(mysql, battleId, ended.start, ended.end)).filter((id) => !known.includes(id));
  for (const some of [undecided, [orderId]]) {
    const totals = await totalsOf(service, ended, [...known, ...some]);
    const same = ({ score, gifts }: SideResult, side: number) =>
      totals[side]?.score === score && totals[side]?.gifts === gifts;
    if (!stored.every(same)) continue;
    await mysql.transaction((tx) => exclude(tx, battleId, some));
    service.logger.info({ battleId, orderIds: some }, "dead letters that came after a result are excluded from it");
    return;
  }
}
