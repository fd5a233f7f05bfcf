import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { apiScope } from "../../api-scopes.ts";
import { call } from "../../contracts.ts";
import { limit } from "../../fields.ts";
import { fromHttp, listedNames, pageOf } from "../../http-fields.ts";
import { platformActions } from "../../platform/platform.contract.ts";
import { carriedOutByStaff } from "../carried-out.ts";
import { staffEndpoint } from "./endpoint.ts";

const shownKey = z.object({
  keyId: z.string(),
  name: z.string(),
  scopes: z.array(apiScope),
  perMinute: z
    .int()
    .nullable()
    .meta({ description: `Requests in a minute; null: ${limits.platform.requestsPerKeyPerMinute}.` }),
  createdBy: z.string(),
  createTime: z.string(),
  revokedTime: z.string().nullable().meta({ description: "null: it is valid." }),
});

const listed = fromHttp({
  params: z.object({
    cursor: z
      .string()
      .regex(/^[a-z0-9]{0,12}$/)
      .default(""),
    limit,
  }),
});

export const keyEndpoints = [
  staffEndpoint({
    path: "keys/list",
    summary: "The API keys of the platform's backends, by id, revoked ones too",
    right: "keys",
    params: listed,
    result: pageOf(shownKey),
    async run(ctx, { cursor, limit: most }) {
      const { list, next } = await call(ctx, "platform.listKeys", { after: cursor, limit: most });
      return { list, nextCursor: next };
    },
  }),

  staffEndpoint({
    path: "keys/create",
    summary: "Makes an API key; no other call shows it, and what is kept is its hash",
    right: "keys",
    params: {
      ...fromHttp(platformActions.createKey, "operator"),
      scopes: listedNames(platformActions.createKey.params.shape.scopes),
    },
    result: z.object({ keyId: z.string(), key: z.string() }),
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "createKey", params),
  }),

  staffEndpoint({
    path: "keys/revoke",
    summary: "Revokes an API key for ever, on every node within a second",
    right: "keys",
    params: fromHttp(platformActions.revokeKey, "operator"),
    result: shownKey,
    failures: ["keyUnknown"],
    run: (ctx, params, { session }) => carriedOutByStaff(ctx, session, "revokeKey", params),
  }),
];
