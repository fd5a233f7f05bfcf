import { z } from "zod";
import { auditorActions } from "../../auditor/auditor.contract.ts";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf } from "../../http-fields.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { staffEndpoint } from "./endpoint.ts";

const shownFinding = z.object({
  id: z.int(),
  kind: z.string(),
  subject: z.string().meta({ description: "The account, order, row, seal or chain." }),
  detail: z.string(),
  foundTime: z.string(),
  seenTime: z.string().meta({ description: "When it was last found." }),
  accepted: z
    .object({ time: z.string(), by: z.string(), reason: z.string() })
    .nullable()
    .meta({ description: "null: nobody has accepted it as it is." }),
});

export const bookEndpoints = [
  staffEndpoint({
    path: "books/findings",
    summary: "Differences of the books, oldest first; accepted 1 or 0: only those that are accepted, or not",
    right: "read",
    params: fromHttp(auditorActions.findings, "operator"),
    result: pageOf(shownFinding),
    run: (ctx, params, { operator }) => call(ctx, "auditor.findings", { ...params, operator }),
  }),

  staffEndpoint({
    path: "books/accept",
    summary:
      "Accepts a difference of the books with the detail that the list has: it stays listed, and counts again once it changes",
    right: "books",
    params: fromHttp(auditorActions.acceptFinding, "operator"),
    result: shownFinding,
    failures: ["findingUnknown", "findingChanged", "findingRefused"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "acceptFinding", params),
  }),
];
