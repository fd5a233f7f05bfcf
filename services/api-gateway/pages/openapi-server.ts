import {
  type FaultName,
  failureSchemas,
  faultNames,
  faultNaming,
  faultResponses,
  type Json,
  jsonBody,
  reference,
  responsesOf,
  schemaOf,
} from "../../../mixins/http/openapi-parts.ts";
import { apiScopes } from "../../api-scopes.ts";
import { type ServerEndpoint, serverApiBase } from "../server/server-endpoint.ts";
import { gateFailures, gateSchemas } from "./openapi-gate.ts";
import { webhookSection, withExternalFields } from "./openapi-webhooks.ts";

/** There is no page of the server API. */
const documentedFaults: readonly FaultName[] = faultNames.filter(
  (name) => name !== "NotFound" && name !== "StaffForbidden",
);

/** Exactly one set of fields of each group is there. */
function withAlternatives(schema: Json, groups: ServerEndpoint["alternatives"]): Json {
  const properties = schema.properties as Json;
  const having = (required: readonly string[]): Json => ({
    ...{ type: "object", required },
    properties: Object.fromEntries(required.map((name) => [name, properties[name]])),
  });
  const allOf = groups.map((group) => ({ oneOf: group.map(having) }));
  return allOf.length === 0 ? schema : { ...schema, allOf };
}

function operation(endpoint: ServerEndpoint): Json {
  const name = endpoint.path.slice(serverApiBase.length + 1);
  const schema = withAlternatives(schemaOf(endpoint.params, "input"), endpoint.alternatives);
  const description = [
    `Scope \`${endpoint.scope}\`.`,
    ...(endpoint.write ? ["A repeat with the same Idempotency-Key gets the first answer."] : []),
    ...(endpoint.description === undefined ? [] : [endpoint.description]),
  ];
  const result = withExternalFields(schemaOf(endpoint.result, "output"));
  return {
    operationId: name.replaceAll("/", "."),
    summary: endpoint.summary,
    description: description.join(" "),
    tags: [name.split("/")[0]],
    security: [{ apiKey: [endpoint.scope] }],
    ...(endpoint.write && { parameters: [reference("parameters", "IdempotencyKey")] }),
    ...(endpoint.fields.length > 0 && { requestBody: { required: true, content: jsonBody(schema) } }),
    responses: responsesOf(endpoint, result, documentedFaults, gateFailures),
  };
}

/** The OpenAPI 3.1 document of the server API. */
export function serverApiDocument(endpoints: readonly ServerEndpoint[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Ovation server API",
      version: "1.0.0",
      description:
        "For the platform's own backends. Business outcomes answer HTTP 200 with the outcome in `code`; `msg` follows " +
        "Accept-Language (zh, en). Wherever a user or a room is meant, its id or the platform's own id will do; answers " +
        "have the platform's id beside each id for which there is one.",
    },
    paths: Object.fromEntries(endpoints.map((one) => [one.path, { post: operation(one) }])),
    webhooks: webhookSection(),
    components: {
      schemas: {
        ...failureSchemas,
        ...gateSchemas,
        FieldWrong: faultNaming("field", "The field that is wrong, or `Idempotency-Key`."),
        ScopeMissing: faultNaming("scope", "The scope that the key lacks."),
      },
      responses: faultResponses(documentedFaults, { BadRequest: "FieldWrong", Forbidden: "ScopeMissing" }),
      parameters: {
        IdempotencyKey: {
          ...{ name: "Idempotency-Key", in: "header", required: true },
          description: "Of this write, chosen by the caller: the same in every repeat, another one for another write.",
          schema: { type: "string", pattern: "^[A-Za-z0-9_-]{8,64}$" },
        },
      },
      securitySchemes: {
        apiKey: {
          ...{ type: "http", scheme: "bearer" },
          description: `An API key (\`npm run api-key\`). Its scopes are some of ${apiScopes.join(", ")}.`,
        },
      },
    },
  };
}
