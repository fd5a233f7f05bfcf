import type { ReceivedEvent } from "../durable-event.ts";
import type { BattleService } from "./battle-service.ts";
import { battleById, lockBattle } from "./battle-store.ts";
import { counts } from "./score.ts";
import { addDeadGift, battlesAt, deadGiftsOf, exclude, excludedOf } from "./score-store.ts";
import { resultsOf } from "./side-store.ts";
import { type EndedBattle, type Sums, sumsOf } from "./sums.ts";

/**
 * Keeps the gifts of the queue that became dead letters, for the results of the battles to which they belong. Where the
 * result stands already it is decided here whether it contains the gift. Without a record it does not, and the gift is
 * excluded. With one, it was replayed: if the records without it still sum up to the result, that was later, and it is
 * excluded; otherwise it counts. Either way the result stays.
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
  const exclusion = async (orderIds: readonly string[]) => {
    await mysql.transaction((tx) => exclude(tx, battleId, orderIds));
    service.logger.info({ battleId, orderIds }, "dead letters that were not known at a result are excluded");
  };
  const asked = await sumsOf(service, ended, [...known, ...undecided]);
  const unrecorded = undecided.filter((id) => !asked.leftOut.includes(id));
  if (unrecorded.length > 0) await exclusion(unrecorded);
  if (unrecorded.includes(orderId)) return;
  const same = ({ sides }: Sums) =>
    stored.every(({ score, gifts }, side) => sides[side]?.score === score && sides[side]?.gifts === gifts);
  const recorded = undecided.filter((id) => asked.leftOut.includes(id));
  if (same(asked)) await exclusion(recorded);
  else if (same(await sumsOf(service, ended, [...known, ...unrecorded, orderId]))) await exclusion([orderId]);
}
