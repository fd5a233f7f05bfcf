import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { rankActions } from "../../rank/rank.contract.ts";
import { ranksAreOn } from "../../rank-settings.ts";
import { type Endpoint, endpoint } from "./endpoint.ts";

const base = "/live/api/rank";

const periods =
  "The day, the week (from Monday) or the month that it is now in the platform's time zone, or all time. A gift belongs " +
  "to the period in which it was accepted. ";
const places =
  "The first 100. Among equal sums, who reached hers first is first. `me` is the caller's own place; `me.rank` is null " +
  "beyond 10,000 and without a gift. A gift is in it within two seconds of its settlement.";

const perMinute = { user: limits.http.rankReadsPerUserPerMinute };

const shownRank = z.object({
  list: z.array(
    z.object({
      rank: z.int(),
      userId: shownUserId,
      nickName: z.string(),
      avatar: z.string(),
      coins: z.int(),
    }),
  ),
  me: z.object({ rank: z.int().nullable(), coins: z.int() }),
});

const endpoints = [
  endpoint({
    path: `${base}/room`,
    summary: "Who has given most in a room, in this broadcast",
    description: places,
    access: "login",
    params: fromHttp(rankActions.room, "userId"),
    result: shownRank,
    perMinute,
    run: (ctx, params, { userId }) => call(ctx, "rank.room", { ...params, userId }),
  }),

  endpoint({
    path: `${base}/anchor`,
    summary: "Who has given most to an anchor",
    description: periods + places,
    access: "login",
    params: fromHttp(rankActions.anchor, "userId"),
    result: shownRank,
    perMinute,
    run: (ctx, params, { userId }) => call(ctx, "rank.anchor", { ...params, userId }),
  }),

  endpoint({
    path: `${base}/global`,
    summary: "The anchors who got most, or the senders who gave most",
    description: periods + places,
    access: "login",
    params: fromHttp(rankActions.global, "userId"),
    result: shownRank,
    perMinute,
    run: (ctx, params, { userId }) => call(ctx, "rank.global", { ...params, userId }),
  }),
];

/** None with RANKS=off: their paths are unknown. */
export const rankEndpoints: readonly Endpoint[] = ranksAreOn() ? endpoints : [];
