import type { ServerResponse } from "node:http";
import { fail } from "../../broker/failure.ts";
import type { HealthReport } from "../../mixins/health.mixin.ts";
import { sendJson, sendText } from "../../mixins/http/answer.ts";
import { livenessPath, readinessPath } from "../../mixins/http/front-door.ts";
import type { GatewayRequest } from "../../mixins/http/request-context.ts";
import { serveStaffEndpoint } from "./dispatch.ts";
import { staffEndpoints } from "./endpoints/all.ts";
import type { AdminGateway, Serve } from "./gateway.ts";
import { staffApiDocument } from "./openapi.ts";
import { sendPageFile } from "./page/files.ts";
import { vendoredRoutes } from "./page/vendored.ts";
import { personOf } from "./sessions.ts";

const serveLive: Serve = (_gateway, request, response) => sendJson(response, request.context, 200, { status: "ok" });

/** Whether this node can let anybody in; reasons are in its log and in the users' gateway's readiness. */
const serveReady: Serve = async (gateway, request, response) => {
  const here = { nodeID: gateway.broker.nodeID };
  const report = await gateway.broker.call<HealthReport, object>("admin-gateway.health", {}, here);
  const ready = Object.values(report).every((works) => typeof works !== "string");
  sendJson(response, request.context, ready ? 200 : 503, { status: ready ? "ok" : "unavailable" });
};

function serveDocument(): Serve {
  let document: string | undefined;
  return async (gateway, request, response) => {
    request.context.person = (await personOf(gateway, request)).name;
    document ??= JSON.stringify(staffApiDocument(staffEndpoints));
    sendText(response, request.context, { contentType: "application/json; charset=utf-8", body: document });
  };
}

const toPage: Serve = (_gateway, request, response) => {
  const headers = { Location: "/admin/" };
  sendText(response, request.context, { status: 302, contentType: "text/plain; charset=utf-8", body: "", headers });
};

const routes: ReadonlyMap<string, Serve> = new Map<string, Serve>([
  ...staffEndpoints.map((endpoint) => [`POST ${endpoint.path}`, serveStaffEndpoint(endpoint)] as const),
  [`GET ${livenessPath}`, serveLive],
  [`GET ${readinessPath}`, serveReady],
  ["GET /openapi-admin.json", serveDocument()],
  ["GET /", toPage],
  ["GET /admin", toPage],
  ...Object.entries(vendoredRoutes).map(([path, serve]) => [`GET ${path}`, serve] as const),
]);

const names = staffEndpoints.map(({ path }) => path);
const twice = names.find((name, at) => names.indexOf(name) !== at);
if (twice) throw new Error(`two endpoints of the staff's API have the path ${twice}`);

/** Answers a request by its route, or with a file of the page. Fails: notFound, and as the route. */
export async function serveRoute(
  gateway: AdminGateway,
  request: GatewayRequest,
  response: ServerResponse,
): Promise<void> {
  const { method, url = "/" } = request;
  const [path = "/"] = url.split("?", 1);
  const serve = routes.get(`${method} ${path}`);
  if (serve) {
    request.context.route = path;
    await serve(gateway, request, response);
    return;
  }
  if (method !== "GET") throw fail("notFound");
  request.context.route = "page";
  await sendPageFile(request, response, path);
}
