import { limits } from "../../config/limits.ts";
import { bizCodes, type UnnumberedFrame, unnumberedFrame } from "../im-frames.ts";
import type { BattleScores } from "./im-router.contract.ts";

interface Waiting {
  battle: BattleScores;
  /** When the battle ends, ms of `performance.now()`. */
  endsAt: number;
}

/**
 * The scores of battles that wait for the end of a tick: the newest of each room. So a room gets one frame a tick,
 * however many gifts its battle gets. Scores never wait longer than that: a room whose gifts are spread over many ticks
 * gets the newest ones in each of them.
 */
export class WaitingScores {
  private rooms = new Map<number, Waiting>();
  private readonly newMsgId: () => string;

  constructor(newMsgId: () => string) {
    this.newMsgId = newMsgId;
  }

  /** `now`: ms of `performance.now()`. Beyond `limits.im.roomsWithScores` the scores of further rooms are dropped. */
  set(battles: readonly BattleScores[], now: number): void {
    for (const battle of battles) {
      const { endTime, remainingMs = Date.parse(endTime) - Date.now() } = battle;
      for (const roomId of battle.roomIds)
        if (this.rooms.size < limits.im.roomsWithScores || this.rooms.has(roomId))
          this.rooms.set(roomId, { battle, endsAt: now + remainingMs });
    }
  }

  /** The frames of the tick that ends now, one for each room. */
  take(now: number): UnnumberedFrame[] {
    const rooms = this.rooms;
    if (rooms.size > 0) this.rooms = new Map();
    return [...rooms].map(
      ([
        roomId,
        {
          battle: { battleId, scores },
          endsAt,
        },
      ]) => {
        const data = { battleId, scores, remainingMs: Math.max(0, Math.round(endsAt - now)) };
        const message = { msgId: this.newMsgId(), userId: "0", bizCode: bizCodes.battleScores, data };
        return { ...unnumberedFrame(roomId, message), replaces: true as const };
      },
    );
  }
}
