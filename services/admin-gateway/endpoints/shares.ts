import { z } from "zod";
import { call } from "../../contracts.ts";
import { cursor, integer, isoTime, limit, userId } from "../../fields.ts";
import { fromHttp, pageOf, shownUserId } from "../../http-fields.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { staffEndpoint } from "./endpoint.ts";

const percent = z.int().nullable().meta({ description: "Whole percent; null: the default (ANCHOR_SHARE_PERCENT)." });

const shownShare = z.object({
  id: z.string(),
  anchorId: shownUserId,
  percent,
  from: z.string().meta({ description: "From when on: of gifts that are accepted then." }),
  operator: z.string(),
  written: z.string(),
  verdict: z
    .enum(["right", "wrong", "unknownKey"])
    .meta({ description: "wrong: the gift service did not write it, and it gives no share." }),
  inForce: z.boolean().meta({ description: "As of now." }),
});

export const shareEndpoints = [
  staffEndpoint({
    path: "share/list",
    summary: "The anchors' own shares with their dates, of all or of one, by anchor and time",
    right: "read",
    params: fromHttp({ params: z.object({ userId: userId.optional(), cursor, limit }) }),
    result: pageOf(shownShare),
    run: (ctx, { userId: anchorId, ...page }) => call(ctx, "gift.shares", { anchorId, ...page }),
  }),

  staffEndpoint({
    path: "share/set",
    summary:
      "Sets an anchor's share of the gifts that are accepted from a time on, or from now on; accepted gifts keep theirs",
    description: "Without `percent` she has the default again.",
    right: "shares",
    params: fromHttp({
      params: z.object({ userId, percent: integer(0, 100).optional(), from: isoTime.optional() }),
    }),
    result: z.object({ from: z.string() }),
    run: (ctx, { userId: anchorId, percent = null, from }, { session }) =>
      carriedOutByStaff(ctx, session, "setShare", { anchorId, percent, from }),
  }),
];
