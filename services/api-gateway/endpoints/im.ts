import type { Context } from "moleculer";
import { z } from "zod";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { endpoint } from "./endpoint.ts";

/**
 * From any im-server: one that has just died is still listed for some seconds, and that is when everybody asks. A token
 * too many hurts nobody, so another one is asked soon.
 */
async function tokenFor(ctx: Pick<Context, "call">, userId: string): Promise<{ token: string }> {
  const options = { timeout: limits.im.tokenTimeoutMs };
  try {
    return await call(ctx, "im-server.token", { userId }, options);
  } catch (error) {
    if (!isUnavailable(error)) throw error;
    return call(ctx, "im-server.token", { userId }, options);
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
      const [{ token }, { address }] = await Promise.all([
        tokenFor(ctx, userId),
        call(ctx, "im-router.pickServer", {}),
      ]);
      return { token, wsImServerAddress: address };
    },
  }),
];
