import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { serverEndpoints } from "../../../services/api-gateway/server/all.ts";
import { referencesOf } from "../../../services/api-gateway/server/people.ts";
import { type ServerEndpoint, serverApiBase } from "../../../services/api-gateway/server/server-endpoint.ts";
import { isUserField } from "../../../services/external-names.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { stopAll } from "../../support/system.ts";
import {
  type Answer,
  backendKey,
  calls,
  checkAgainstContract,
  forget,
  send,
  startGateway,
  startNeighbours,
} from "./neighbours.ts";
import { validServerParams } from "./valid-params.ts";

/** What every endpoint of the server API takes, refuses and answers, and what its document says of that. */

let base = "";

beforeAll(async () => {
  await startNeighbours();
  ({ base } = await startGateway());
});
beforeEach(forget);
afterAll(stopAll);

const nameOf = ({ path }: ServerEndpoint) => path.slice(serverApiBase.length + 1);
const paramsOf = (endpoint: ServerEndpoint) => validServerParams[nameOf(endpoint)] as Record<string, unknown>;
const headersOf = ({ write }: ServerEndpoint): Record<string, string> => ({
  Authorization: `Bearer ${backendKey}`,
  ...(write ? { "Idempotency-Key": `test-${randomUUID()}` } : {}),
});
const post = (endpoint: ServerEndpoint, body: unknown, headers = {}): Promise<Answer> =>
  send(base + endpoint.path, { body, headers: { ...headersOf(endpoint), ...headers } });

const internals = /stack|\bat \w+|node_modules|zod|moleculer|TypeError|Validation|\.ts\b/i;
/** No field of any endpoint takes these. */
const neverTaken: readonly unknown[] = [true, [], {}, { toString: "1" }, 1e30, 1.5, "x".repeat(10 * 1024)];

test("there are valid params of every endpoint, by either id of whom they mean, and the answers are as documented", async () => {
  for (const endpoint of serverEndpoints) {
    const params = paramsOf(endpoint);
    const external = referencesOf(endpoint.refers).map(({ name, external }) => [name, external] as const);
    const byExternalIds = Object.entries(params).map(([name, value]) => {
      const other = external.find(([own]) => own === name)?.[1];
      return other === undefined ? [name, value] : [other, isUserField(name) ? "u-77" : "room-5"];
    });
    for (const body of [params, Object.fromEntries(byExternalIds)]) {
      forget();
      const answer = await post(endpoint, body);
      expect([endpoint.path, answer.status, answer.code]).toEqual([endpoint.path, 200, 200]);
      expect(endpoint.result.safeParse(answer.data).error).toBeUndefined();
      calls.forEach(checkAgainstContract);
    }
  }
});

test("every endpoint refuses what its fields are not: 400, and calls nobody", async () => {
  for (const endpoint of serverEndpoints)
    for (const field of Object.keys(paramsOf(endpoint)))
      for (const value of neverTaken) {
        forget();
        const answer = await post(endpoint, { ...paramsOf(endpoint), [field]: value });
        expect([endpoint.path, field, value, answer.status]).toEqual([endpoint.path, field, value, 400]);
        expect([endpoint.path, (answer.data as { field: string }).field.split(".")[0]]).toEqual([endpoint.path, field]);
        expect(calls.filter(({ action }) => !action.startsWith("platform."))).toEqual([]);
      }
});

test.each(serverEndpoints.map((endpoint) => [nameOf(endpoint), endpoint] as const))(
  "whatever JSON comes, %s answers with an envelope that shows nothing of the inside",
  async (_name, endpoint) => {
    await fc.assert(
      fc.asyncProperty(fc.oneof(strangeJson(...endpoint.fields), strangeObject(endpoint.fields)), async (text) => {
        const answer = await post(endpoint, text, { "Content-Type": "application/json" });
        expect([200, 400, 413]).toContain(answer.status);
        expect(JSON.parse(answer.text)).toEqual({ code: answer.code, msg: expect.any(String), data: answer.data });
        expect(answer.text).not.toMatch(internals);
      }),
      { numRuns: 60 },
    );
  },
);

test("every endpoint is closed without a key, and every write without an idempotency key", async () => {
  for (const endpoint of serverEndpoints) {
    const options = { body: paramsOf(endpoint), headers: {} };
    expect(await send(base + endpoint.path, options)).toMatchObject({ status: 401, code: 100_002 });
    const keyed = await post(endpoint, paramsOf(endpoint), { "Idempotency-Key": "" });
    expect(keyed.status).toBe(endpoint.write ? 400 : 200);
    if (endpoint.write) expect(keyed).toMatchObject({ code: 100_001, data: { field: "Idempotency-Key" } });
  }
});

test("the document of the server API has every endpoint with its scope, its key and its answers, and whole references", async () => {
  const document = JSON.parse((await send(`${base}/openapi-server.json`, { method: "GET" })).text);
  expect(Object.keys(document.paths).sort()).toEqual(serverEndpoints.map(({ path }) => path).sort());
  const ids = new Set<string>();
  for (const endpoint of serverEndpoints) {
    const { post: operation } = document.paths[endpoint.path];
    expect(operation.operationId).toBe(nameOf(endpoint).replaceAll("/", "."));
    ids.add(operation.operationId);
    expect(operation.security).toEqual([{ apiKey: [endpoint.scope] }]);
    const parameters = endpoint.write ? [{ $ref: "#/components/parameters/IdempotencyKey" }] : undefined;
    expect(operation.parameters).toEqual(parameters);
    expect(Object.keys(operation.responses)).toEqual(["200", "400", "401", "403", "413", "429", "500", "503"]);
    if (endpoint.fields.length === 0) {
      expect(operation).not.toHaveProperty("requestBody");
      continue;
    }
    const { schema } = operation.requestBody.content["application/json"];
    expect(Object.keys(schema.properties)).toEqual(endpoint.fields);
    const groups = (schema.allOf ?? []).map((group: { oneOf: { required: string[] }[] }) =>
      group.oneOf.map(({ required }) => required),
    );
    const needed = referencesOf(endpoint.refers).flatMap((one) => (one.needed ? [[[one.name], [one.external]]] : []));
    expect(groups).toEqual([
      ...needed,
      ...(endpoint.path.endsWith("/replay") ? [[["deliveryId"], ["from", "to"]]] : []),
    ]);
    expect(Object.keys(operation.requestBody.content)).toEqual(["application/json"]);
  }
  expect(ids.size).toBe(serverEndpoints.length);
  expect(JSON.stringify(document.paths[`${serverApiBase}/users/get`])).toContain('"externalId"');
  for (const [, path = ""] of JSON.stringify(document).matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const target = path.split("/").reduce((node: Record<string, unknown>, key) => node?.[key] as never, document);
    expect([path, typeof target]).toEqual([path, "object"]);
  }
  const page = await send(`${base}/docs/server`, { method: "GET" });
  expect(page.text).toContain("/docs/start-server.js");
  expect((await send(`${base}/docs/start-server.js`, { method: "GET" })).text).toContain("/openapi-server.json");
});

test("the users' document has nothing of the server API", async () => {
  const { text } = await send(`${base}/openapi.json`, { method: "GET" });
  expect(text).not.toContain(serverApiBase);
});

test("requests are counted by API key in the metrics, without the key", async () => {
  const [endpoint] = serverEndpoints as [ServerEndpoint];
  await post(endpoint, paramsOf(endpoint));
  const { text } = await send(`${base}/metrics`, { method: "GET" });
  expect(text).toMatch(/ovation_server_api_requests[a-z_]*\{[^}]*keyId="backend00001"[^}]*\}/);
  expect(text).not.toContain(backendKey);
});
