import { z } from "zod";
import { battleActions, battleId, battleView } from "../../battle/battle.contract.ts";
import { call } from "../../contracts.ts";
import { userId as anyUserId, spelledOut } from "../../fields.ts";
import { endpoint } from "./endpoint.ts";
import { fromHttp, pageOf } from "./fields.ts";

const base = "/live/api/pk";
const living = "/live/api/living";

const named = z.object({ battleId });

export const pkEndpoints = [
  endpoint({
    path: `${base}/invite`,
    summary: "An anchor invites another room to a battle",
    description:
      "The invitation expires after 30 s. 10007 where a side is invited or in a battle already: also where both rooms " +
      "invite each other at once: then one invitation is stored, and the other anchor can accept it. A repeat " +
      "while the invitation is open is answered with the same battle.",
    access: "login",
    params: fromHttp(battleActions.invite, "userId"),
    result: named,
    failures: ["alreadyLinked", "roomNotLive", "notYourBattle", "battleWithSelf", "accountUnusable"],
    run: (ctx, params, { userId }) => call(ctx, "battle.invite", { ...params, userId }),
  }),

  endpoint({
    path: `${base}/accept`,
    summary: "The invited anchor accepts: the battle runs",
    access: "login",
    params: fromHttp(battleActions.accept, "userId"),
    result: named,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.accept", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/decline`,
    summary: "The invited anchor declines",
    access: "login",
    params: fromHttp(battleActions.decline, "userId"),
    result: named,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.decline", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/cancel`,
    summary: "The inviting anchor withdraws the invitation",
    access: "login",
    params: fromHttp(battleActions.cancel, "userId"),
    result: named,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.cancel", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/end`,
    summary: "A side ends the battle early; the score decides",
    access: "login",
    params: fromHttp(battleActions.end, "userId"),
    result: named,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.end", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/show`,
    summary: "A battle by its id, or the newest of a room",
    description:
      "While the battle runs, scores are those of the gifts that are settled and counted. serverTime is the current time. " +
      "All times are by the clock that gives gifts their times.",
    access: "login",
    params: fromHttp(battleActions.show),
    result: battleView,
    failures: ["battleUnknown"],
    run: (ctx, params) => call(ctx, "battle.show", params),
  }),

  endpoint({
    path: `${base}/history`,
    summary: "The battles of a user, newest first; without userId one's own",
    access: "login",
    params: {
      ...fromHttp(battleActions.history, "userId"),
      userId: z.preprocess(spelledOut, anyUserId.optional()),
    },
    result: pageOf(battleView),
    run: (ctx, params, caller) => call(ctx, "battle.history", { ...params, userId: params.userId ?? caller.userId }),
  }),

  endpoint({
    path: `${living}/onlinePk`,
    summary: "A viewer of a room of type 2 joins its anchor as guest: the battle runs",
    description: "While it runs the guest receives gifts in the room. A guest who is not in the room for 60 s loses.",
    access: "login",
    params: fromHttp(battleActions.join, "userId"),
    result: named,
    failures: ["alreadyLinked", "roomNotLive", "roomNotPk", "battleWithSelf", "accountUnusable"],
    run: (ctx, { roomId }, { userId }) => call(ctx, "battle.join", { roomId, userId }),
  }),

  endpoint({
    path: `${living}/offlinePk`,
    summary: "The guest or the anchor ends the guest's battle; the score decides",
    access: "login",
    params: fromHttp(battleActions.leave, "userId"),
    result: named,
    failures: ["battleUnknown", "notYourBattle"],
    run: (ctx, { roomId }, { userId }) => call(ctx, "battle.leave", { roomId, userId }),
  }),
];
