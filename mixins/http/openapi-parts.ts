import { z } from "zod";
import { type FailureName, failures } from "../../config/errors.ts";
import { failureHeader } from "./answer.ts";
import type { EndpointForm } from "./endpoint-form.ts";
import { successCode, successText } from "./wording.ts";

/** What the OpenAPI documents of the users' API, the server API and the staff's API have in common. */

export type Json = Record<string, unknown>;

export const jsonBody = (schema: Json): Json => ({ "application/json": { schema } });
export const reference = (kind: string, name: string): Json => ({ $ref: `#/components/${kind}/${name}` });

/** A zod schema as the JSON schema of its input or output. */
export function schemaOf(schema: z.ZodType, io: "input" | "output"): Json {
  const { $schema, ...json } = z.toJSONSchema(schema, {
    io,
    // Fields may be added at any time, and unknown fields of a request are ignored.
    override: ({ jsonSchema }) => delete jsonSchema.additionalProperties,
  }) as Json;
  return json;
}

/** The faults that endpoints may answer, by their names among the components. */
const faults = {
  BadRequest: ["badRequest", "invalidParam"],
  NotLoggedIn: ["notLoggedIn"],
  Forbidden: ["scopeMissing"],
  StaffForbidden: ["roleMissing", "requestForged"],
  NotFound: ["notFound"],
  TooLarge: ["tooLarge"],
  TooMany: ["tooMany"],
  Internal: ["internal"],
  Unavailable: ["unavailable"],
} as const satisfies Record<string, readonly FailureName[]>;
export type FaultName = keyof typeof faults;
export const faultNames = Object.keys(faults) as FaultName[];

export const meaning = (name: FailureName) => `${failures[name].code} ${failures[name].zh} (${failures[name].en})`;

const retryAfter = { "Retry-After": { description: "Seconds", schema: { type: "integer" } } };

/** The components of these faults; `shown`: those whose envelope is another component than `Failure`. */
export function faultResponses(names: readonly FaultName[], shown: { [Name in FaultName]?: string } = {}): Json {
  const entries = names.map((name) => {
    const timed = name === "TooMany" || name === "Unavailable";
    const description = faults[name].map((failure: FailureName) => meaning(failure)).join("; ");
    const content = jsonBody(reference("schemas", shown[name] ?? "Failure"));
    return [name, timed ? { description, content, headers: retryAfter } : { description, content }];
  });
  return Object.fromEntries(entries);
}

/** The responses of faults, by HTTP status. */
export function faultReferences(names: readonly FaultName[]): Json {
  return Object.fromEntries(names.map((name) => [failures[faults[name][0]].http, reference("responses", name)]));
}

/** The envelope of a fault whose `data` names something of the request, or is null. */
export function faultNaming(field: string, description: string): Json {
  const named = { type: "object", properties: { [field]: { type: "string", description } }, required: [field] };
  const properties = {
    ...{ code: { type: "integer" }, msg: { type: "string" } },
    data: { anyOf: [named, { type: "null" }] },
  };
  return { type: "object", properties, required: ["code", "msg", "data"] };
}

/** The 503 of an endpoint that may have been carried out: `data` names what the client can query. */
function unsureResponse(data: z.ZodType): Json {
  const properties = { code: { const: failures.unavailable.code }, msg: { type: "string" } };
  const shown = { anyOf: [schemaOf(data, "output"), { type: "null" }] };
  const schema = { type: "object", properties: { ...properties, data: shown }, required: ["code", "msg", "data"] };
  const description = `${meaning("unavailable")}; with \`data\` where it may have been carried out`;
  return { 503: { description, content: jsonBody(schema), headers: retryAfter } };
}

function envelope(data: Json): Json {
  const properties = { code: { const: successCode }, msg: { type: "string" }, data };
  return { type: "object", properties, required: ["code", "msg", "data"] };
}

/** The header of a refusal for a business reason. */
function failureNames(names: readonly FailureName[]): Json {
  if (names.length === 0) return {};
  const schema = { type: "string", enum: names };
  return { headers: { [failureHeader]: { description: "The name of the reason, where `code` is not 200", schema } } };
}

/**
 * The responses of an endpoint: its outcomes, and the faults. `result` is the schema of a success's `data`; `withData`
 * names the component of each failure whose envelope has data.
 */
export function responsesOf(
  endpoint: EndpointForm,
  result: Json,
  names: readonly FaultName[],
  withData: Partial<Record<FailureName, string>> = {},
): Json {
  const rows = [`${successCode} ${successText.zh} (${successText.en})`, ...endpoint.failures.map(meaning)];
  const outcomes = [envelope(result), reference("schemas", "Failure")];
  for (const failure of endpoint.failures) {
    const component = withData[failure];
    if (component !== undefined) outcomes.push(reference("schemas", component));
  }
  return {
    200: { description: rows.join("; "), content: jsonBody({ oneOf: outcomes }), ...failureNames(endpoint.failures) },
    ...faultReferences(names),
    ...(endpoint.unsure && unsureResponse(endpoint.unsure)),
  };
}

/** The components of the envelopes of what was not carried out. */
export const failureSchemas: Json = {
  Failure: {
    type: "object",
    properties: { code: { type: "integer" }, msg: { type: "string" }, data: { type: "null" } },
    required: ["code", "msg", "data"],
  },
};
