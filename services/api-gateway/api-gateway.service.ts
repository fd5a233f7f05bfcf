import type { IncomingMessage, ServerResponse } from "node:http";
import { join } from "node:path";
import type { CallingOptions, Context, ServiceSchema } from "moleculer";
import ApiGateway from "moleculer-web";
import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { projectRoot } from "../../config/root.ts";
import { healthMixin } from "../../mixins/health.mixin.ts";
import { FrontDoor } from "../../mixins/http/front-door.ts";
import type { GatewayRequest, RequestContext } from "../../mixins/http/request-context.ts";
import { answerFailure, requestLog } from "../../mixins/http/request-log.ts";
import { rateLimitMixin } from "../../mixins/rate-limit.mixin.ts";
import { optionalRedisMixin } from "../../mixins/redis.mixin.ts";
import { checkEvents } from "../define-service.ts";
import { drainMs, gatewaySettings, requireSettings } from "../door-settings.ts";
import { restrictionsMixin } from "../restrictions.mixin.ts";
import type { Gateway } from "./gateway.ts";
import { loginsMixin } from "./logins/logins.mixin.ts";
import { pageHeaders } from "./pages/security.ts";
import { aliases } from "./routes.ts";
import { registerKeyMetrics } from "./server/key-metrics.ts";
import { serverApiMixin } from "./server/server-api.mixin.ts";

interface WebService extends Gateway {
  aliases: { method: string; fullPath: string }[];
  aliasByRoute: Map<string, { alias: unknown; params: object }>;
  httpHandler(request: IncomingMessage, response: ServerResponse): Promise<void>;
}

// Its one event regenerates aliases from other services' schemas; there are no such aliases here.
const { events: _events, ...web } = ApiGateway as ServiceSchema;

const noQuery = Object.freeze({});
const routes = new Map(Object.entries(aliases));

/** The path of the URL, as it was sent. */
function pathOf({ url = "/" }: IncomingMessage): string {
  const at = url.indexOf("?");
  return at < 0 ? url : url.slice(0, at);
}

/** The context of the calls that a request makes. */
function contextFor(gateway: WebService, { requestId }: RequestContext): Context {
  const ctx = new gateway.broker.ContextFactory(gateway.broker);
  ctx.service = gateway;
  ctx.requestID = requestId;
  return ctx;
}

/** The entry for clients: REST, logins, limits, the web page. It contains no business rule. */
const gateway = {
  name: "api-gateway",
  // Moleculer starts the last mixin first.
  mixins: [web, loginsMixin, restrictionsMixin, serverApiMixin, healthMixin, rateLimitMixin, optionalRedisMixin],

  settings: {
    $secureSettings: ["routes", "assets", "rootCallOptions"],
    // The front door is the HTTP server. moleculer-web serves the page's files, and routes paths that end with a slash.
    server: false,
    routes: [{ path: "/", aliases, mappingPolicy: "restrict", bodyParsers: false, logging: false }],
    assets: {
      folder: join(projectRoot(), "public"),
      options: {
        redirect: false,
        setHeaders(response: ServerResponse) {
          for (const [name, value] of Object.entries(pageHeaders)) response.setHeader(name, value);
        },
      },
    },
    rootCallOptions(options: CallingOptions, request: GatewayRequest) {
      options.requestID = request.context.requestId;
    },
    logRouteRegistration: null,
  },

  merged: checkEvents,

  actions: { listAliases: false, addRoute: false, removeRoute: false },

  methods: {
    /** The routes read the fields themselves, since they know the names. */
    parseQueryString(request: IncomingMessage) {
      return { url: pathOf(request), query: noQuery };
    },

    /** Paths are matched exactly. */
    resolveAlias(this: WebService, url: string, method: string) {
      return this.aliasByRoute.get(`${method} ${url}`) ?? false;
    },

    /** The only place where errors become answers. */
    answerFailure(this: WebService, request: GatewayRequest, response: ServerResponse, error: unknown) {
      answerFailure(this.logger, request, response, error);
    },

    errorHandler(this: WebService, request: GatewayRequest, response: ServerResponse, error: unknown) {
      this.answerFailure(request, response, error);
    },

    send404(this: WebService, request: GatewayRequest, response: ServerResponse) {
      this.answerFailure(request, response, fail("notFound"));
    },
  },

  created(this: WebService) {
    requireSettings(gatewaySettings);
    this.aliasByRoute = new Map(
      this.aliases.map((alias) => [`${alias.method} ${alias.fullPath}`, { alias, params: noQuery }]),
    );
    const log = requestLog(this.broker, this.logger);
    const countKey = registerKeyMetrics(this.broker);
    const failed = (error: unknown) =>
      this.logger.error(
        { err: error },
        "a request or its connection failed outside of its route: the connection is closed",
      );
    this.door = new FrontDoor({
      serve: (request, response) => {
        const route = routes.get(`${request.method} ${pathOf(request)}`);
        if (route) {
          // moleculer-web would call an action for the request, which costs a fifth of the gateway's CPU time.
          request.$ctx = contextFor(this, request.context);
          route.call(this, request, response);
          return;
        }
        this.httpHandler(request, response).catch((error: unknown) => {
          failed(error);
          response.destroy();
        });
      },
      failed,
      done: (request, response) => {
        log(request, response);
        const { route, keyId } = request.context;
        countKey({ route, keyId, status: response.statusCode });
      },
    });
    // Requests end before any service of this node stops, since they may still need one.
    const lingerMs = drainMs();
    const drain = () => this.door.drain(limits.rpc.shutdownTimeoutMs, lingerMs);
    this.broker.middlewares.add({ name: "GatewayDrain", stopping: drain } as never);
  },

  async started(this: WebService) {
    const { API_HOST: host, API_PORT: port, API_PORT_SEARCH: search } = config();
    const bound = await this.door.listen(host, port, search);
    this.logger.info({ host, port: bound }, `HTTP listens on port ${bound}`);
  },

  async stopped(this: WebService) {
    await this.door.drain(limits.rpc.shutdownTimeoutMs);
    await this.door.close();
  },
};

export default gateway as unknown as ServiceSchema;
