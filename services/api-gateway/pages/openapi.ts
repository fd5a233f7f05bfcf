import {
  type FaultName,
  failureSchemas,
  faultNames,
  faultResponses,
  type Json,
  reference,
  responsesOf,
  schemaOf,
} from "../../../mixins/http/openapi-parts.ts";
import { providers, webhookPath } from "../../payment/providers.contract.ts";
import type { Access, Endpoint } from "../endpoints/endpoint.ts";
import { gateFailures, gateSchemas } from "./openapi-gate.ts";

/** Scopes belong to the server API, rights to the staff's. */
const elsewhere: readonly FaultName[] = ["Forbidden", "StaffForbidden"];
const documentedFaults = faultNames.filter((name) => !elsewhere.includes(name));

const security: Readonly<Record<Access, Json[]>> = {
  public: [],
  login: [{ bearer: [] }, { cookie: [] }],
};

/** An endpoint may answer these. */
function faultsOf(access: Access): FaultName[] {
  return documentedFaults.filter((name) => {
    if (name === "NotLoggedIn") return access !== "public";
    return name !== "NotFound";
  });
}

function operation(endpoint: Endpoint): Json {
  const [, , area = "", ...names] = endpoint.path.split("/");
  const schema = schemaOf(endpoint.params, "input");
  const content = { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } };
  const required = Array.isArray(schema.required) && schema.required.length > 0;
  return {
    operationId: [area, ...names].join("."),
    summary: endpoint.summary,
    ...(endpoint.description && { description: endpoint.description }),
    tags: [names[0] ?? area],
    security: security[endpoint.access],
    ...(endpoint.fields.length > 0 && { requestBody: { required, content } }),
    responses: responsesOf(endpoint, schemaOf(endpoint.result, "output"), faultsOf(endpoint.access), gateFailures),
  };
}

const answer = (description: string, contentType: string): Json => ({
  description,
  content: { [contentType]: { schema: contentType === "application/json" ? { type: "object" } : { type: "string" } } },
});

/** The webhooks that the payment providers declare. Their pages are for people, not part of the API. */
function webhookPaths(): Json {
  const responses = { 200: answer("Taken", "text/plain"), 404: reference("responses", "NotFound") };
  const entries = providers.map((provider) => {
    const { path, summary } = provider.webhook;
    const post = { operationId: `bank.payNotify.${path}`, summary, tags: ["payNotify"], security: [], responses };
    return [webhookPath(provider), { post }];
  });
  return Object.fromEntries(entries);
}

/** The paths that are not POST endpoints with an envelope. */
function otherPaths(): Json {
  const get = (operationId: string, summary: string, responses: Json, tag = "operations"): Json => ({
    get: { operationId, summary, tags: [tag], security: [], responses },
  });
  const ok = answer("ok", "application/json");
  return {
    ...webhookPaths(),
    "/health/live": get("health.live", "Whether the process is running", { 200: ok }),
    "/health/ready": get(
      "health.ready",
      "Whether this gateway and a node of every service are ready, or only `service` on `host`",
      {
        200: ok,
        503: answer("not ready", "application/json"),
      },
    ),
    "/metrics": get("metrics", "Metrics of every node for Prometheus", { 200: answer("0.0.4", "text/plain") }),
  };
}

/** The OpenAPI 3.1 document of all endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Ovation",
      version: "1.0.0",
      description:
        "Gifts and coins of a live-streaming platform. Params may be in a JSON body, a form or the query. " +
        "Business outcomes answer HTTP 200 with the outcome in `code`; `msg` follows Accept-Language (zh, en).",
    },
    paths: { ...Object.fromEntries(endpoints.map((one) => [one.path, { post: operation(one) }])), ...otherPaths() },
    components: {
      schemas: { ...failureSchemas, ...gateSchemas },
      responses: faultResponses(documentedFaults),
      securitySchemes: {
        bearer: {
          type: "http",
          scheme: "bearer",
          description: "The token of userLogin/login, or a JWT of the platform where the operator allows them.",
        },
        cookie: { type: "apiKey", in: "cookie", name: "qytk" },
      },
    },
  };
}
