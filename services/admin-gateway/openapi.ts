import {
  type FaultName,
  failureSchemas,
  faultResponses,
  type Json,
  responsesOf,
  schemaOf,
} from "../../mixins/http/openapi-parts.ts";
import { type StaffEndpoint, staffApiBase } from "./endpoints/endpoint.ts";

const always: readonly FaultName[] = ["BadRequest", "StaffForbidden", "TooLarge", "TooMany", "Internal", "Unavailable"];
const documentedFaults: readonly FaultName[] = [...always, "NotLoggedIn"];

function operation(endpoint: StaffEndpoint): Json {
  const { path, summary, description, right, fields, params, result } = endpoint;
  const names = path.slice(staffApiBase.length + 1).split("/");
  const schema = schemaOf(params, "input");
  const content = { "application/json": { schema }, "application/x-www-form-urlencoded": { schema } };
  const required = Array.isArray(schema.required) && schema.required.length > 0;
  const needs = right === null ? "Needs no session." : `Needs the right \`${right}\`.`;
  return {
    operationId: names.join("."),
    summary,
    description: description === undefined ? needs : `${description} ${needs}`,
    tags: [names.length > 1 ? names[0] : "session"],
    security: right === null ? [] : [{ bearer: [] }, { cookie: [], csrf: [] }],
    ...(fields.length > 0 && { requestBody: { required, content } }),
    responses: responsesOf(endpoint, schemaOf(result, "output"), right === null ? always : documentedFaults),
  };
}

/** The OpenAPI 3.1 document of the staff's API. */
export function staffApiDocument(endpoints: readonly StaffEndpoint[]): Json {
  return {
    openapi: "3.1.0",
    info: {
      title: "Ovation staff API",
      version: "1.0.0",
      description:
        "What the staff's page does, for scripts. Params may be in a JSON body, a form or the query. Business outcomes " +
        "answer HTTP 200 with the outcome in `code`; `msg` follows Accept-Language (zh, en). Every call is in the audit.",
    },
    paths: Object.fromEntries(endpoints.map((one) => [one.path, { post: operation(one) }])),
    components: {
      schemas: failureSchemas,
      responses: faultResponses(documentedFaults),
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer", description: "The token of a session." },
        cookie: { type: "apiKey", in: "cookie", name: "ovation_staff" },
        csrf: {
          type: "apiKey",
          in: "header",
          name: "X-CSRF-Token",
          description: "With the cookie: `csrf` of login and session.",
        },
      },
    },
  };
}
