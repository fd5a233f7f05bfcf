import type { ServerResponse } from "node:http";
import { fail } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { sendJson, sendText } from "../../mixins/http/answer.ts";
import { livenessPath, readinessPath } from "../../mixins/http/front-door.ts";
import { parseForm, queryOf } from "../../mixins/http/request/fields.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import { keptAnswer, singleFlight } from "../../mixins/http/single-flight.ts";
import { smsLoginIsOn } from "../sms-login.ts";
import { carriesToken, serveEndpoint } from "./dispatch.ts";
import { endpoints } from "./endpoints/all.ts";
import type { Gateway, Route, Serve } from "./gateway.ts";
import { docsRoutes } from "./pages/docs.ts";
import { collectMetrics } from "./pages/metrics.ts";
import { openApiDocument } from "./pages/openapi.ts";
import { serverApiDocument } from "./pages/openapi-server.ts";
import { providerRoutes } from "./pages/payment.ts";
import { isReadyAt, placeAskedFor, readiness, withoutNodes } from "./pages/readiness.ts";
import { vendoredRoutes } from "./pages/vendored.ts";
import { serverEndpoints } from "./server/all.ts";
import { serveServerEndpoint } from "./server/serve.ts";

const serveLive: Serve = (_gateway, request, response) => {
  sendJson(response, request.context, 200, { status: "ok" });
};

/**
 * Whether the caller may see the nodes and their problems, which reveal hosts, processes and accounts. With a token in
 * the settings: callers with that token. Without one: everybody in the local profile, nobody in production.
 */
function mayWatch(request: GatewayRequest): boolean {
  const { METRICS_TOKEN: token, PROFILE: profile } = config();
  return token === undefined ? profile === "local" : carriesToken(request, token);
}

function serveReady(): Serve {
  const asked = new WeakMap<Gateway, () => ReturnType<typeof readiness>>();
  return async (gateway, request, response) => {
    const ask = asked.get(gateway) ?? keptAnswer(() => readiness(gateway.broker), limits.http.healthKeptMs);
    asked.set(gateway, ask);
    const place = placeAskedFor(parseForm(queryOf(request)));
    const { ready: all, services } = await ask();
    const ready = place ? isReadyAt(gateway.broker, services, place) : all;
    if (!ready) response.setHeader("Retry-After", limits.http.retryAfterSeconds);
    const shown = mayWatch(request) ? services : withoutNodes(services);
    const status = ready ? "ok" : "unavailable";
    sendJson(response, request.context, ready ? 200 : 503, place ? { status } : { status, services: shown });
  };
}

function serveMetrics(): Serve {
  const asked = new WeakMap<Gateway, () => Promise<string>>();
  return async (gateway, request, response) => {
    if (!mayWatch(request)) throw fail("notLoggedIn");
    const ask = asked.get(gateway) ?? singleFlight(() => collectMetrics(gateway.broker));
    asked.set(gateway, ask);
    const contentType = "text/plain; version=0.0.4; charset=utf-8";
    sendText(response, request.context, { contentType, body: await ask() });
  };
}

function serveOpenApi(make: () => object): Serve {
  let document: string | undefined;
  return (_gateway, request, response) => {
    document ??= JSON.stringify(make());
    sendText(response, request.context, { contentType: "application/json; charset=utf-8", body: document });
  };
}

/** What the web page has to know of the settings. */
const servePageSettings: Serve = (_gateway, request, response) => {
  sendJson(response, request.context, 200, { smsLogin: smsLoginIsOn() });
};

/** All routes. Any other path is a file of the web page, or answered 404. */
const routes: readonly Route[] = [
  ...endpoints.map((endpoint): Route => [`POST ${endpoint.path}`, serveEndpoint(endpoint)]),
  ...serverEndpoints.map((endpoint): Route => [`POST ${endpoint.path}`, serveServerEndpoint(endpoint)]),
  ...providerRoutes,
  [`GET ${livenessPath}`, serveLive],
  [`HEAD ${livenessPath}`, serveLive],
  [`GET ${readinessPath}`, serveReady()],
  ["GET /metrics", serveMetrics()],
  ["GET /openapi.json", serveOpenApi(() => openApiDocument(endpoints))],
  ["GET /openapi-server.json", serveOpenApi(() => serverApiDocument(serverEndpoints))],
  ["GET /page.json", servePageSettings],
  ...Object.entries(vendoredRoutes).map(([path, serve]): Route => [`GET ${path}`, serve]),
  ...Object.entries(docsRoutes).map(([path, serve]): Route => [`GET ${path}`, serve]),
];

/** @throws Error where two routes have one name: none may stand for another, e.g. a provider's page for an endpoint. */
function byName(all: readonly Route[]): Readonly<Record<string, Serve>> {
  const names = all.map(([name]) => name);
  const twice = names.find((name, at) => names.indexOf(name) !== at);
  if (twice) throw new Error(`two routes of the gateway are ${twice}: an endpoint's, a page's or a provider's`);
  return Object.fromEntries(all);
}

type AliasHandler = (this: Gateway, request: GatewayRequest, response: ServerResponse) => void;

function aliasHandler(path: string, serve: Serve): AliasHandler {
  return function answer(request, response) {
    request.context.route = path;
    // A function of its own, so that a synchronous error becomes a rejection too.
    const served = async () => serve(this, request, response);
    served().catch((error) => this.answerFailure(request, response, error));
  };
}

/** The routes as moleculer-web's aliases. */
export const aliases: Readonly<Record<string, AliasHandler>> = Object.fromEntries(
  Object.entries(byName(routes)).map(([name, serve]) => [name, aliasHandler(name.split(" ")[1] as string, serve)]),
);
