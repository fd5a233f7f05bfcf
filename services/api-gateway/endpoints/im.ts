import { z } from "zod";
import { call } from "../../contracts.ts";
import { endpoint } from "./endpoint.ts";

export const imEndpoints = [
  endpoint({
    path: "/live/api/im/getImConfig",
    summary: "A token for one WebSocket connection (5 minutes, works once) and the address of a live im-server",
    access: "login",
    params: {},
    result: z.object({ token: z.string(), wsImServerAddress: z.string() }),
    async run(ctx, _params, { userId }) {
      const [{ token }, { address }] = await Promise.all([
        call(ctx, "im-server.token", { userId }),
        call(ctx, "im-router.pickServer", {}),
      ]);
      return { token, wsImServerAddress: address };
    },
  }),
];
