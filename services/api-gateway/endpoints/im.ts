import type { Context } from "moleculer";
import { z } from "zod";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { endpoint } from "./endpoint.ts";

/** Any router may answer: one that has just died is still listed for some seconds. An unused ticket does no harm. */
async function ticketFor(ctx: Pick<Context, "call">, userId: string): Promise<{ address: string; token: string }> {
  const options = { timeout: limits.im.tokenTimeoutMs, tracking: false } as const;
  try {
    return await call(ctx, "im-router.ticket", { userId }, options);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return call(ctx, "im-router.ticket", { userId }, options);
  }
}

export const imEndpoints = [
  endpoint({
    path: "/live/api/im/getImConfig",
    summary: "A token for one WebSocket connection (5 minutes, works once) and the address of a live im-server",
    access: "login",
    params: {},
    result: z.object({ token: z.string(), wsImServerAddress: z.string() }),
    perMinute: { user: limits.http.imConfigsPerUserPerMinute },
    async run(ctx, _params, { userId }) {
      const { address, token } = await ticketFor(ctx, userId);
      return { token, wsImServerAddress: address };
    },
  }),
];
