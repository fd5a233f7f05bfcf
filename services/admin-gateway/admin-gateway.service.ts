import type { ServerResponse } from "node:http";
import { LRUCache } from "lru-cache";
import type { Context, ServiceSchema } from "moleculer";
import { limits } from "../../config/limits.ts";
import { addHealthCheck, healthMixin } from "../../mixins/health.mixin.ts";
import { FrontDoor, livenessPath } from "../../mixins/http/front-door.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import { answerFailure, requestLog } from "../../mixins/http/request-log.ts";
import { rateLimitMixin } from "../../mixins/rate-limit.mixin.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { adminListener } from "../admin-settings.ts";
import { checkEvents } from "../define-service.ts";
import { drainMs } from "../door-settings.ts";
import type { AdminGateway } from "./gateway.ts";
import { requireOwnHost } from "./origin.ts";
import { adminHeaders } from "./page/headers.ts";
import { serveRoute } from "./routes.ts";
import { RunningCalls } from "./running-calls.ts";
import { countRequest } from "./sessions.ts";

/** The context of the calls that a request makes. */
function contextFor(gateway: AdminGateway, request: GatewayRequest): Context {
  const ctx = new gateway.broker.ContextFactory(gateway.broker);
  ctx.service = gateway;
  ctx.requestID = request.context.requestId;
  return ctx;
}

/** Whether a live node has the service. */
function isThere({ broker }: AdminGateway, name: string): boolean {
  const list = broker.registry.getServiceList({ onlyAvailable: true, skipInternal: true });
  return (list as unknown as { name: string }[]).some((service) => service.name === name);
}

async function serve(gateway: AdminGateway, request: GatewayRequest, response: ServerResponse): Promise<void> {
  for (const [name, value] of Object.entries(adminHeaders)) response.setHeader(name, value);
  request.$ctx = contextFor(gateway, request);
  if (request.url !== livenessPath) {
    requireOwnHost(request, gateway.listener.hosts);
    await countRequest(gateway, request);
  }
  await serveRoute(gateway, request, response);
}

/**
 * The entry for the staff, on a listener of its own: sessions, CSRF tokens, rights, the audit of every call, the staff
 * page. It contains no business rule, and has no right of its own to move money.
 */
const adminGateway = {
  name: "admin-gateway",
  // Moleculer starts the last mixin first.
  mixins: [healthMixin, rateLimitMixin, optionalRedisMixin],

  merged: checkEvents,

  created(this: AdminGateway) {
    this.listener = adminListener();
    this.sessionsKnown = new LRUCache({ max: limits.admin.sessionsKnown });
    this.runningCalls = new RunningCalls();
    const failed = (err: unknown) =>
      this.logger.error({ err }, "a request or its connection failed outside of its route: the connection is closed");
    this.door = new FrontDoor({
      serve: (request, response) => {
        serve(this, request, response).catch((error) => answerFailure(this.logger, request, response, error));
      },
      failed,
      done: requestLog(this.broker, this.logger),
    });
    // Calls end before any service of this node stops, since they may still need one. Both within one time: a node ends
    // itself a little after it.
    const lingerMs = drainMs();
    const stopping = async () => {
      const endAt = performance.now() + limits.rpc.shutdownTimeoutMs + lingerMs;
      await this.door.drain(limits.rpc.shutdownTimeoutMs, lingerMs);
      await this.runningCalls.ended(Math.max(0, endAt - performance.now()));
    };
    this.broker.middlewares.add({ name: "AdminGatewayDrain", stopping } as never);
    addHealthCheck(this, "staff", async () => {
      if (!isThere(this, "staff")) throw new Error("no node of the service staff: nobody is let in");
    });
  },

  async started(this: AdminGateway) {
    const { host, port, search } = this.listener;
    const bound = await this.door.listen(host, port, search);
    this.logger.info({ host, port: bound }, `the staff's listener is on port ${bound}`);
  },

  async stopped(this: AdminGateway) {
    await this.door.drain(limits.rpc.shutdownTimeoutMs);
    await this.door.close();
  },
};

export default adminGateway as unknown as ServiceSchema;
