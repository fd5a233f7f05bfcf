import { z } from "zod";
import { limits } from "../../../config/limits.ts";
import { imTickets } from "../im-tickets.ts";
import { endpoint } from "./endpoint.ts";

export const imEndpoints = [
  endpoint({
    path: "/live/api/im/getImConfig",
    summary: "A token for one WebSocket connection (5 minutes, works once) and the address of a live im-server",
    access: "login",
    params: {},
    result: z.object({ token: z.string(), wsImServerAddress: z.string() }),
    perMinute: { user: limits.http.imConfigsPerUserPerMinute },
    async run(ctx, _params, { userId }) {
      const { address, token } = await imTickets(ctx.broker).get(userId);
      return { token, wsImServerAddress: address };
    },
  }),
];
