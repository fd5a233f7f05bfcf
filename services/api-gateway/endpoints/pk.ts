import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { battleActions, battleId, battleView } from "../../battle/battle.contract.ts";
import { call } from "../../contracts.ts";
import { userId as anyUserId, spelledOut } from "../../fields.ts";
import { fromHttp, pageOf } from "../../http-fields.ts";
import { endpoint } from "./endpoint.ts";

const base = "/live/api/pk";
const living = "/live/api/living";

const named = z.object({ battleId });
const changes = { user: limits.http.battleChangesPerUserPerMinute };
const reads = { user: limits.http.battleReadsPerUserPerMinute };

export const pkEndpoints = [
  endpoint({
    path: `${base}/invite`,
    summary: "An anchor invites another room to a battle",
    description:
      "The invitation expires after 30 s. 10007 where a side is invited or in a battle already: also where both rooms " +
      "invite each other at the same moment, then one invitation stands, and the other anchor accepts it. A repeat " +
      "while the invitation is open is answered with the same battle. 10007 also for 60 s after an invitation to the same " +
      "anchor was declined, cancelled or expired; the other side may invite back at once.",
    access: "login",
    params: fromHttp(battleActions.invite, "userId"),
    result: named,
    perMinute: changes,
    failures: ["alreadyLinked", "roomNotLive", "notYourBattle", "battleWithSelf", "accountUnusable"],
    run: (ctx, params, { userId }) => call(ctx, "battle.invite", { ...params, userId }),
  }),

  endpoint({
    path: `${base}/accept`,
    summary: "The invited anchor accepts: the battle runs",
    access: "login",
    params: fromHttp(battleActions.accept, "userId"),
    result: named,
    perMinute: changes,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.accept", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/decline`,
    summary: "The invited anchor declines",
    access: "login",
    params: fromHttp(battleActions.decline, "userId"),
    result: named,
    perMinute: changes,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.decline", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/cancel`,
    summary: "The inviting anchor withdraws the invitation",
    access: "login",
    params: fromHttp(battleActions.cancel, "userId"),
    result: named,
    perMinute: changes,
    failures: ["battleUnknown", "notYourBattle", "battleState"],
    run: (ctx, { battleId: id }, { userId }) => call(ctx, "battle.cancel", { battleId: id, userId }),
  }),

  endpoint({
    path: `${base}/end`,
    summary: "A side ends the battle early; the score decides",
    access: "login",
    params: fromHttp(battleActions.end, "userId"),
    result: named,
    perMinute: changes,
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
    perMinute: reads,
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
    perMinute: reads,
    run: (ctx, params, caller) => call(ctx, "battle.history", { ...params, userId: params.userId ?? caller.userId }),
  }),

  endpoint({
    path: `${living}/onlinePk`,
    summary: "A viewer of a room of type 2 joins its anchor as guest: the battle runs",
    description:
      "While it runs the guest receives gifts in the room. A guest who is not in the room for 60 s loses. 10009 where she " +
      "is not connected to the room; 10007 also for 5 minutes after the anchor ended her battle there.",
    access: "login",
    params: fromHttp(battleActions.join, "userId"),
    result: named,
    perMinute: changes,
    failures: ["alreadyLinked", "roomNotLive", "roomNotPk", "battleWithSelf", "accountUnusable"],
    run: (ctx, { roomId }, { userId }) => call(ctx, "battle.join", { roomId, userId }),
  }),

  endpoint({
    path: `${living}/offlinePk`,
    summary: "The guest or the anchor ends the guest's battle; the score decides",
    access: "login",
    params: fromHttp(battleActions.leave, "userId"),
    result: named,
    perMinute: changes,
    failures: ["battleUnknown", "notYourBattle"],
    run: (ctx, { roomId }, { userId }) => call(ctx, "battle.leave", { roomId, userId }),
  }),
];
