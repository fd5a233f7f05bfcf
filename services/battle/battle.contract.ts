import { z } from "zod";
import { limits } from "../../config/limits.ts";
import { action } from "../action-contract.ts";
import { amount, cursor, eventTime, id, integer, isoTime, limit, orderId, userId } from "../fields.ts";

/** The actions and events of battles (docs/decisions/0060-a-battle-has-one-clock.md) for other services. */

/** A battle's id: a decimal string. */
export const battleId = z
  .string()
  .regex(/^[1-9]\d{0,18}$/)
  .meta({ description: "A battle's id: a decimal string." });

export const battleKinds = ["rooms", "guest"] as const;
export type BattleKind = (typeof battleKinds)[number];

/** The moves between them are in battle-state.ts. */
export const battleStates = ["invited", "running", "settling", "ended", "declined", "cancelled", "expired"] as const;
export type BattleState = (typeof battleStates)[number];

const topSender = z.object({ userId, nickName: z.string(), avatar: z.string(), coins: amount });
export type TopSender = z.infer<typeof topSender>;

const viewedSide = z.object({
  roomId: id,
  userId,
  /** Coins of the gifts to this side; while the battle runs, of those that are settled and counted. */
  score: amount,
  /** The number of gift orders. */
  gifts: amount,
  /** By coins, the most first; a name that is not known yet is empty. */
  topSenders: z.array(topSender).max(limits.battle.topSenders),
});

/** A battle as clients see it: the answer of `pk/show` and the data of 5559. */
export const battleView = z.object({
  battleId,
  kind: z.enum(battleKinds),
  state: z.enum(battleStates),
  /** First the side that invited; of kind `guest`, the anchor and then the guest. */
  sides: z.array(viewedSide).length(2),
  /** `null` until the battle has started. */
  startTime: isoTime.nullable(),
  /** While the battle runs: the planned end. */
  endTime: isoTime.nullable(),
  /** JetStream's clock, as the node that made this view knows it. */
  serverTime: isoTime,
  /** `null` until the result is stored, and where nobody wins. */
  winner: userId.nullable(),
  /** The dead letters that the result leaves out: the first `limits.battle.excludedShown`. */
  excluded: z.array(orderId).max(limits.battle.excludedShown),
});
export type BattleView = z.infer<typeof battleView>;

const { durationMinS, durationMaxS, durationDefaultS } = limits.battle;
const named = { userId, battleId };
const inRoom = { userId, roomId: id };

export const battleActions = {
  /**
   * The anchor of `roomId` invites another room. A repeat while the invitation is open returns the same battle. Fails:
   * notYourRoom; roomNotLive (the opponent's); alreadyLinked, where a side is invited or in a battle, also by the other
   * side's invitation of this moment, and for `limits.battle.inviteAgainMs` after her invitation to the same anchor ended
   * without acceptance; battleWithSelf; accountUnusable; unavailable.
   */
  invite: action({
    ...inRoom,
    opponentRoomId: id,
    durationS: integer(durationMinS, durationMaxS).default(durationDefaultS),
  }).returns<{ battleId: string }>(),
  /**
   * The invited anchor accepts: the battle runs when it returns. A repeat returns the same. Fails: battleUnknown;
   * notYourBattle; battleState, where the invitation is declined, cancelled or expired; unavailable, after which the
   * battle may start nevertheless: repeat it.
   */
  accept: action(named).returns<{ battleId: string }>(),
  /** The invited anchor declines. A repeat returns the same. Fails: battleUnknown, notYourBattle, battleState. */
  decline: action(named).returns<{ battleId: string }>(),
  /** The inviting anchor withdraws the invitation. A repeat returns the same. Fails: as decline. */
  cancel: action(named).returns<{ battleId: string }>(),
  /**
   * A side ends the running battle early; the score decides. A repeat, and a call after the end, returns the same.
   * Fails: battleUnknown; notYourBattle; battleState, where it never ran; unavailable: it ends soon nevertheless.
   */
  end: action(named).returns<{ battleId: string }>(),
  /**
   * A viewer of a room of type 2 joins its anchor as guest: the battle runs when it returns. A repeat returns the same.
   * Fails: roomNotLive, also where she is certainly not connected to the room; roomNotPk; battleWithSelf (the anchor);
   * alreadyLinked, also for `limits.battle.joinAgainMs` after the anchor ended a battle of hers there; accountUnusable;
   * unavailable, after which it may start nevertheless: repeat it.
   */
  join: action(inRoom).returns<{ battleId: string }>(),
  /**
   * The guest or the anchor of a room ends the guest's battle; the score decides. A repeat returns the same. Fails:
   * battleUnknown, where the room had none; notYourBattle.
   */
  leave: action(inRoom).returns<{ battleId: string }>(),
  /** A battle by its id, or the newest of a room. Fails: battleUnknown; invalidParam without either. */
  show: action({ battleId: battleId.optional(), roomId: id.optional() }).returns<BattleView>(),
  /** The battles of a user that have started, newest first; `cursor` is a battle id. */
  history: action({ userId, cursor, limit }).returns<{ list: BattleView[]; nextCursor: string | null }>(),
  /** The battles that are invited, running or settling, of these rooms; other rooms are left out. */
  ofRooms: action({ roomIds: z.array(id).min(1).max(limits.battle.roomsPerCall) }).returns<{
    rooms: { roomId: number; battle: BattleView }[];
  }>(),
  /** Battles with a result, by id, for operators; `after` is the id before the page. */
  ended: action({ since: isoTime.optional(), after: battleId.optional(), limit }).returns<{
    list: BattleView[];
    nextAfter: string | null;
  }>(),
  /**
   * Computes the results of battles again from the gift records, without the excluded orders. `differences` are those
   * from the stored results; unknown battles and those without a result are left out. Fails: unavailable.
   */
  verify: action({ battleIds: z.array(battleId).min(1).max(limits.battle.verifiedPerCall) }).returns<{
    verified: number;
    differences: { battleId: string; what: string; stored: string; records: string }[];
  }>(),
};

const side = z.object({ roomId: id, userId });

export const battleEvents = {
  "battle.started": z.object({
    battleId,
    kind: z.enum(battleKinds),
    sides: z.array(side).length(2),
    startTime: isoTime,
    /** The planned end. */
    endTime: isoTime,
    time: eventTime,
  }),
  "battle.ended": z.object({
    battleId,
    kind: z.enum(battleKinds),
    sides: z.array(side.extend({ score: amount, gifts: amount })).length(2),
    startTime: isoTime,
    endTime: isoTime,
    winner: userId.nullable(),
    /** The order ids that the result leaves out: the first `limits.battle.excludedShown`. */
    excluded: z.array(orderId).max(limits.battle.excludedShown),
    time: eventTime,
  }),
};
