import { call } from "../contracts.ts";
import type { ReceivedEvent } from "../durable-event.ts";
import type { BattleService } from "./battle-service.ts";
import type { Battle } from "./battle-state.ts";
import { lockBattle, moveBattle } from "./battle-store.ts";
import { showSoon } from "./show-state.ts";
import { markGone } from "./side-store.ts";
import { openBattleIdsOfRooms, openBattleIdsOfUser } from "./slot-store.ts";

/**
 * A side whose room is closed or whose account is frozen cannot come back: a closed room never opens again. Its
 * invitation is cancelled. In a running battle it counts as away from now on, so the battle ends after
 * `limits.battle.awayMs`, and the other side wins.
 */
async function depart(service: BattleService, battleId: string, isGone: (battle: Battle, side: 0 | 1) => boolean) {
  const cancelled = await service.mysql.transaction(async (tx) => {
    const battle = await lockBattle(tx, battleId);
    if (!battle) return false;
    const sides = ([0, 1] as const).filter((side) => isGone(battle, side));
    if (sides.length === 0) return false;
    if (battle.state === "invited" && battle.startingMs === null) {
      await moveBattle(tx, battleId, "cancelled");
      return true;
    }
    await markGone(
      tx,
      sides.map((side) => ({ battleId, side })),
    );
    return false;
  });
  if (cancelled) showSoon(service, battleId);
}

/** Of kind guest, the room is the anchor's. */
export async function roomClosed(
  this: BattleService,
  { data: { roomId } }: Pick<ReceivedEvent<"room.closed">, "data">,
): Promise<void> {
  for (const { battleId } of await openBattleIdsOfRooms(this.mysql, [roomId]))
    await depart(
      this,
      battleId,
      ({ kind, sides }, side) => sides[side].roomId === roomId && (kind === "rooms" || side === 0),
    );
}

/** The event may come late or again: what the wallet has now decides. Fails: unavailable; then the event comes again. */
export async function accountFrozen(
  this: BattleService,
  { data: { userId } }: Pick<ReceivedEvent<"account.frozen">, "data">,
): Promise<void> {
  const { userIds } = await call(this.broker, "wallet.unusableOf", { userIds: [userId] });
  if (!userIds.includes(userId)) return;
  for (const battleId of await openBattleIdsOfUser(this.mysql, userId))
    await depart(this, battleId, ({ sides }, side) => sides[side].userId === userId);
}
