import type { Context } from "moleculer";
import { z } from "zod";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { call } from "../../contracts.ts";
import { endpoint } from "./endpoint.ts";

interface ImConfig {
  token: string;
  wsImServerAddress: string;
}

/** The token comes from the server that was picked: it has just answered, which others that are listed may not. */
async function imConfig(ctx: Pick<Context, "call">, userId: string): Promise<ImConfig> {
  const { address, nodeId } = await call(ctx, "im-router.pickServer", {});
  const options = { nodeID: nodeId, timeout: limits.im.tokenTimeoutMs, tracking: false } as const;
  const { token } = await call(ctx, "im-server.token", { userId }, options);
  return { token, wsImServerAddress: address };
}

export const imEndpoints = [
  endpoint({
    path: "/live/api/im/getImConfig",
    summary: "A token for one WebSocket connection (5 minutes, works once) and the address of a live im-server",
    access: "login",
    params: {},
    result: z.object({ token: z.string(), wsImServerAddress: z.string() }),
    async run(ctx, _params, { userId }) {
      try {
        return await imConfig(ctx, userId);
      } catch (error) {
        // It may have died in between. A token too many hurts nobody, so another one is asked at once.
        if (!isUnavailable(error)) throw error;
        return imConfig(ctx, userId);
      }
    },
  }),
];
