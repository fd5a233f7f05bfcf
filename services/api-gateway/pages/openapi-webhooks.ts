import { type Json, jsonBody, schemaOf } from "../../../mixins/http/openapi-parts.ts";
import { durableEvents } from "../../contracts.ts";
import { externalRoomNames, externalUserNames } from "../../external-names.ts";
import { externalId } from "../../fields.ts";
import { webhookEventNames } from "../../webhook-events.ts";

const externalNames: Readonly<Record<string, string>> = { ...externalUserNames, ...externalRoomNames };

/**
 * The schema with the external id beside each id of a user or room, as answers and webhooks have it where there is one.
 */
export function withExternalFields<T>(schema: T): T {
  if (Array.isArray(schema)) return schema.map(withExternalFields) as T;
  if (typeof schema !== "object" || schema === null) return schema;
  const entries = Object.entries(schema).map(([key, value]) => [key, withExternalFields(value as unknown)]);
  const shown: Json = Object.fromEntries(entries);
  if (isObject(shown.properties)) shown.properties = withNames(shown.properties);
  return shown as T;
}

const isObject = (value: unknown): value is Json => typeof value === "object" && value !== null;

function withNames(properties: Json): Json {
  const shown: Json = {};
  for (const [name, schema] of Object.entries(properties)) {
    shown[name] = schema;
    const external = Object.hasOwn(externalNames, name) ? externalNames[name] : undefined;
    if (external && !Object.hasOwn(properties, external))
      shown[external] = {
        ...schemaOf(externalId, "output"),
        description: `The platform's own id for \`${name}\`, where it has one.`,
      };
  }
  return shown;
}

const header = (name: string, description: string): Json => ({
  ...{ name, in: "header", required: true, description, schema: { type: "string" } },
});

const headers = [
  header("webhook-id", "The same in every delivery of an event."),
  header("webhook-timestamp", "When it was sent, seconds since 1970."),
  header("webhook-signature", "`v1,` and base64, for each secret in force; separated by spaces."),
];

const responses = {
  "2XX": { description: "Received. Any other answer, or none in time, is a failure: the webhook is sent again." },
  410: { description: "The subscription is switched off." },
};

/** Section `webhooks` of the server API's OpenAPI document: what a receiver gets, by the event's name. */
export function webhookSection(): Json {
  const entries = webhookEventNames.map((name) => {
    const properties = {
      id: { type: "string", description: "`webhook-id`." },
      type: { const: name },
      timestamp: { type: "string", format: "date-time" },
      data: withExternalFields(schemaOf(durableEvents[name], "output")),
    };
    const schema = { type: "object", properties, required: Object.keys(properties) };
    const requestBody = { required: true, content: jsonBody(schema) };
    const summary = `Event ${name}`;
    const post = {
      operationId: `webhook.${name}`,
      summary,
      tags: ["events"],
      parameters: headers,
      requestBody,
      responses,
    };
    return [name, { post }];
  });
  return Object.fromEntries(entries);
}
