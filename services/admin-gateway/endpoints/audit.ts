import { z } from "zod";
import { call } from "../../contracts.ts";
import { fromHttp, pageOf } from "../../http-fields.ts";
import { staffActions } from "../../staff/staff.contract.ts";
import { staffRole } from "../../staff-roles.ts";
import { withoutPhones } from "../audit-params.ts";
import { staffEndpoint } from "./endpoint.ts";

const shownCall = z.object({
  ...{ callId: z.string(), time: z.string(), person: z.string(), role: staffRole.nullable() },
  ...{ address: z.string(), route: z.string(), about: z.string().nullable() },
  params: z.record(z.string(), z.unknown()).nullable().meta({ description: "null where they were erased." }),
  ...{ outcome: z.string().nullable(), outcomeTime: z.string().nullable() },
});

export const auditEndpoints = [
  staffEndpoint({
    path: "audit/list",
    summary: "What persons of the staff did, the latest first",
    description:
      "Each filter narrows the list. `outcome` is `succeeded` or the name of a failure; null where none was written, since the node died or is at it.",
    right: "audit",
    params: fromHttp(staffActions.audit, "session", "operator"),
    about: ({ about, person = "" }) => withoutPhones(about ?? person) || undefined,
    result: pageOf(shownCall),
    run: (ctx, params, { session, operator }) => call(ctx, "staff.audit", { ...params, session, operator }),
  }),
];
