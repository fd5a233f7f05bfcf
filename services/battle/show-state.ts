import { call } from "../contracts.ts";
import type { BattleService } from "./battle-service.ts";
import type { Battle } from "./battle-state.ts";
import { battleById, markShown } from "./battle-store.ts";

/** The rooms of a battle: one of kind guest, else two. */
export function roomsOf({ sides }: Pick<Battle, "sides">): number[] {
  return [...new Set(sides.map(({ roomId }) => roomId))];
}

/**
 * Sends the rooms of a battle its newest state (5559), where they were not sent it. At least once: a change that cannot
 * be sent is sent by the scheduler later. A change that is followed by another before it is sent is not sent itself.
 */
export async function showState(service: BattleService, battleId: string): Promise<void> {
  const battle = await battleById(service.mysql, battleId);
  if (!battle || battle.shownVersion >= battle.version) return;
  const data = await service.views.one(battle);
  const msgId = `battle-${battleId}-${battle.version}`;
  await call(service.broker, "im-router.battleState", { rooms: roomsOf(battle), msgId, data });
  await markShown(service.mysql, battleId, battle.version);
}

/** The same after a change was committed, without waiting. */
export function showSoon(service: BattleService, battleId: string): void {
  showState(service, battleId).catch((error: unknown) => {
    service.logger.warn({ battleId, err: error }, "the state of a battle was not sent: the scheduler sends it");
  });
}
