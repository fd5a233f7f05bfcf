import { z } from "zod";
import { type FailureName, failures } from "../../../config/errors.ts";
import { providers, webhookPath } from "../../payment/providers.contract.ts";
import type { Access, Endpoint } from "../endpoints/endpoint.ts";
import { gateWords } from "../gift-sending.ts";
import { successCode, successText } from "../wording.ts";

type Json = Record<string, unknown>;

const jsonBody = (schema: Json): Json => ({ "application/json": { schema } });
const reference = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });

/** A zod schema as the JSON schema of its input or output. */
function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema, ...json } = z.toJSONSchema(schema, {
    io,
    // Fields may be added at any time, and unknown fields of a request are ignored.
    override: ({ jsonSchema }) => delete jsonSchema.additionalProperties,
  }) as Json;
  return json;
}

/** The faults that any endpoint may answer, by their names among the components. */
const faults = {
  BadRequest: ["badRequest", "invalidParam"],
  NotLoggedIn: ["notLoggedIn"],
  NotFound: ["notFound"],
  TooLarge: ["tooLarge"],
  TooMany: ["tooMany"],
  Internal: ["internal"],
  Unavailable: ["unavailable"],
} as const satisfies Record<string, readonly FailureName[]>;

const meaning = (name: FailureName) => `${failures[name].code} ${failures[name].zh} (${failures[name].en})`;

const retryAfter = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };

function faultResponses(): Json {
  const entries = Object.entries(faults).map(([name, rows]) => {
    const timed = name === "TooMany" || name === "Unavailable";
    const description = rows.map(meaning).join("; ");
    const content = jsonBody(reference("schemas", "Failure"));
    return [name, timed ? { description, content, headers: retryAfter } : { description, content }];
  });
  return Object.fromEntries(entries);
}

function faultsOf(access: Access): Json {
  const names = (Object.keys(faults) as (keyof typeof faults)[]).filter((name) => {
    if (name === "NotLoggedIn") return access !== "public";
    return name !== "NotFound" || access === "operator";
  });
  return Object.fromEntries(names.map((name) => [failures[faults[name][0]].http, reference("responses", name)]));
}

/** The 503 of an endpoint that may have been carried out: `data` names what the client can query. */
function unsureResponse(data: z.ZodType): Json {
  const properties = { code: { const: failures.unavailable.code }, msg: { type: "string" } };
  const shown = { anyOf: [schemaOf(data, "output"), { type: "null" }] };
  const schema = { type: "object", properties: { ...properties, data: shown }, required: ["code", "msg", "data"] };
  const description = `${meaning("unavailable")}; with \`data\` where it may have been carried out`;
  return { 503: { description, content: jsonBody(schema), headers: retryAfter } };
}

const security: Readonly<Record<Access, Json[]>> = {
  public: [],
  login: [{ bearer: [] }, { cookie: [] }],
  operator: [{ operator: [] }],
};

function envelope(data: Json): Json {
  const properties = { code: { const: successCode }, msg: { type: "string" }, data };
  return { type: "object", properties, required: ["code", "msg", "data"] };
}

function operation(endpoint: Endpoint): Json {
  const [, , area = "", ...names] = endpoint.path.split("/");
  const rows = [`${successCode} ${successText.zh} (${successText.en})`, ...endpoint.failures.map(meaning)];
  const outcomes = [envelope(schemaOf(endpoint.result, "output")), reference("schemas", "Failure")];
  if (endpoint.failures.includes("giftGated")) outcomes.push(reference("schemas", "GiftGated"));
  const outcome = { oneOf: outcomes };
  const schema = schemaOf(endpoint.params, "input");
  const content = { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } };
  const required = Array.isArray(schema.required) && schema.required.length > 0;
  return {
    operationId: [area, ...names].join("."),
    summary: endpoint.summary,
    ...(endpoint.description && { description: endpoint.description }),
    tags: [area === "admin" ? "operators" : (names[0] ?? area)],
    security: security[endpoint.access],
    ...(endpoint.fields.length > 0 && { requestBody: { required, content } }),
    responses: {
      200: { description: rows.join("; "), content: jsonBody(outcome) },
      ...faultsOf(endpoint.access),
      ...(endpoint.unsure && unsureResponse(endpoint.unsure)),
    },
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

/** A gift that the platform's gate refused: `msg` is the platform's text where it gave one. */
function giftGated(): Json {
  const properties = {
    code: { const: failures.giftGated.code },
    msg: { type: "string" },
    data: schemaOf(gateWords, "output"),
  };
  return { type: "object", properties, required: ["code", "msg", "data"] };
}

/** The OpenAPI 3.1 document of all endpoints. */
export function openApiDocument(endpoints: readonly Endpoint[]): Json {
  const failure = {
    type: "object",
    properties: { code: { type: "integer" }, msg: { type: "string" }, data: { type: "null" } },
    required: ["code", "msg", "data"],
  };
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
      schemas: { Failure: failure, GiftGated: giftGated() },
      responses: faultResponses(),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "The token of userLogin/login." },
        cookie: { type: "apiKey", in: "cookie", name: "qytk" },
        operator: { type: "http", scheme: "bearer", description: "OPERATOR_TOKEN." },
      },
    },
  };
}
