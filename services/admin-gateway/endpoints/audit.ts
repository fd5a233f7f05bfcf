import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp } from "../../http-fields.ts";
import { staffActions } from "../../staff/staff.contract.ts";
import { staffRole } from "../../staff-roles.ts";
import { staffEndpoint } from "./endpoint.ts";

const params = fromHttp(staffActions.audit, "session", "operator");

export const auditEndpoints = [
  staffEndpoint({
    path: "audit/list",
    summary: "What persons of the staff did, the latest first",
    description:
      "Each filter narrows the list. `outcome` is `succeeded` or the name of a failure; null where none was written, since the node died or is at it.",
    right: "audit",
    params,
    about: ({ about, person }) => about ?? person,
    result: z.object({
      list: z.array(
        z.object({
          ...{ callId: z.string(), time: z.string(), person: z.string(), role: staffRole.nullable() },
          ...{ address: z.string(), route: z.string(), about: z.string().nullable() },
          params: z.record(z.string(), z.unknown()),
          ...{ outcome: z.string().nullable(), outcomeTime: z.string().nullable() },
        }),
      ),
      nextCursor: z.string().nullable(),
    }),
    run: (ctx, filter, { session, operator }) => call(ctx, "staff.audit", { ...filter, session, operator }),
  }),
] as const;
