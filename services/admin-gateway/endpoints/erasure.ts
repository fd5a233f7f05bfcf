import { z } from "zod";
import { action } from "../../action-contract.ts";
import { call } from "../../contracts.ts";
import { erasureObstacles } from "../../erasure.contract.ts";
import { integer, reason, userId } from "../../fields.ts";
import { fromHttp, shownUserId } from "../../http-fields.ts";
import { staffEndpoint } from "./endpoint.ts";

/** The erasure of a user: a person with the right asks, another one approves, and the staff service has it done. */

const state = z.enum(["closing", "erasing", "erased"]);

const asked = z.union([
  z.object({
    userId: shownUserId,
    state: state.meta({ description: "It was approved before." }),
  }),
  z.object({
    state: z.enum(["proposed", "approved", "declined", "expired"]),
    proposalId: z.string(),
    expiresTime: z.string().nullable(),
  }),
]);

export const erasureEndpoints = [
  staffEndpoint({
    path: "user/erase",
    summary: "Proposes to erase a user; another person must approve it",
    description:
      "Phone, names, the id at the platform, logins, chat and what was written about the user go; the id, postings, " +
      "orders and gifts stay. It cannot be undone. `giveUp` 1: the coins and the income that are left are given up, and " +
      "stay in the books. Refused while money, a room or a move is open (`user/erasure` says what).",
    right: "erase",
    params: fromHttp(action({ userId, giveUp: integer(0, 1).default(0), reason }).returns<never>()),
    result: asked,
    failures: ["userUnknown", "erasureBlocked", "idempotencyConflict"],
    async run(ctx, { giveUp, ...params }, { session }) {
      const move = { kind: "erase", ...params, giveUp: giveUp === 1 } as const;
      const answer = await call(ctx, "staff.moveMoney", { session, move });
      return answer.state === "done" ? (answer.result as { userId: string; state: z.infer<typeof state> }) : answer;
    },
  }),
  staffEndpoint({
    path: "user/erasure",
    summary: "How far the erasure of a user is, or what keeps the user from being erased",
    right: "read",
    params: fromHttp(action({ userId }).returns<never>()),
    result: z.object({
      state: z.enum(["erasing", "erased"]).nullable().meta({ description: "null: none has begun." }),
      obstacles: z.array(z.enum(erasureObstacles)).meta({
        description:
          "Before it begins, if nothing is given up. payment: an order is open, parked or being refunded; debt; coins; " +
          "income: not paid out, held back too; room: a live one; move: a proposal or an order to move money.",
      }),
      problem: z.string().nullable().meta({ description: "The service that is asked again, and what it waits for." }),
      beganTime: z.string().nullable(),
      erasedTime: z.string().nullable(),
    }),
    run: (ctx, params, { session }) => call(ctx, "staff.erasure", { ...params, session }),
  }),
];
