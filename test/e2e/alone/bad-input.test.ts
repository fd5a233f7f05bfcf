import { request } from "node:http";
import { adminUrl, apiUrl } from "../../support/client.ts";
import { each } from "../../support/crowd.ts";
import {
  documented,
  type HarmlessCalls,
  harmlessCalls,
  type Operation,
  type Params,
} from "../../support/documented-api.ts";
import { type Fingerprint, fingerprint, quietFingerprint } from "../../support/tables.ts";
import { expectWholeBooksBalanced } from "../../support/whole-books.ts";

// Thousands of requests a test: a busy machine takes its time for them.
jest.setTimeout(240_000);

/** The rows that maintenance jobs, the check of rooms and health checks write. */
const jobs = [
  "t_stream_position",
  "t_pay_watch",
  "t_pay_message_watch",
  "t_lease",
  "t_living_room_check",
  "t_heartbeat",
  ...["t_book_checkpoint", "t_book_finding", "t_book_head", "t_book_pass", "t_book_round", "t_ledger_checkpoint"],
  // Live scores are removed some time after a battle; what would begin one is in t_battle_side and t_battle_slot.
  ...["t_battle", "t_battle_gift", "t_battle_score", "t_rank_job"],
  // The figures of gifts a minute follow the gifts.
  ...["t_gift_minute", "t_gift_minute_position"],
];
/** Rows that every call may leave: who was sent a code, who called, which webhooks came, and the seals of these rows. */
const journals = ["t_sms", "t_operator_audit", "t_staff_audit", "t_pay_webhook", "t_ledger_seal", ...jobs];

/** The codes and HTTP statuses of the contract that a request may be answered with; a fault of the system is none. */
const contract: ReadonlySet<string> = new Set([
  ...["200 200", "200 501", "400 400", "400 100001", "401 100002", "413 413", "429 -10001"],
  ...["200 10001", "200 10002", "200 10003", "200 10004", "200 10005", "200 10006", "200 10007", "200 10008"],
  ...["200 10009", "200 10010", "200 10011", "200 10012"],
  ...["403 100003", "200 10013", "200 10014"],
]);
const smsTooOften = "短信发送太频繁，请稍后再试";

const internals =
  /node_modules|\.ts\b|\bat \S+ \(|stack|SELECT |INSERT |\bt_[a-z]+_|moleculer|zod|sequelize|mysql|mariadb|redis|\bnats\b|ECONN|Error\b|undefined/i;

/** No field of any endpoint takes these, but a boolean, which takes true. */
const neverTaken: readonly unknown[] = [
  ...[true, [], [1], ["1"], {}, { $gt: 0 }, { toString: "1" }],
  ...[1e30, -1e30, 2 ** 53, -(2 ** 53), 1.5, "x".repeat(10 * 1024), "1".repeat(10 * 1024)],
];

/** Some field takes some of these; whatever is done with them is in the contract and changes nothing. */
const doubtful: readonly unknown[] = [
  ...[null, undefined, 0, -1, "", " ", "0", "-1", "1e3", "0x1", "１", "NaN", "null", "9007199254740992"],
  ...["18446744073709551616", "__proto__", "constructor", "toString", "'; DROP TABLE t_user; --", "\u0000", "\ud800"],
];

let operations: Operation[] = [];
let calls: HarmlessCalls = {};
let operatorToken = "";
let before: Fingerprint = {};

interface Sent {
  query?: string;
  type?: string;
  body?: string | Buffer;
  headers?: Record<string, string>;
}

/** Sends it as the one who may, and checks that the answer is one of the contract. */
async function send({ base, path, access }: Operation, { query = "", type, body, headers }: Sent) {
  const token = access === "staff" ? operatorToken : calls[path]?.caller.token;
  const response = await fetch(base + path + (query && `?${query}`), {
    method: "POST",
    headers: { authorization: `Bearer ${token}`, ...(type ? { "content-type": type } : {}), ...headers },
    body: body as string | undefined,
  });
  const text = await response.text();
  const shown = `${path}?${query.slice(0, 60)} ${String(body).slice(0, 120)} → ${response.status} ${text.slice(0, 200)}`;
  const envelope = JSON.parse(text) as { code: number; msg: string; data: unknown };
  const answer = `${response.status} ${envelope.code}`;
  const known = contract.has(answer) || (answer === "200 500" && envelope.msg === smsTooOften);
  if (!known || Object.keys(envelope).join() !== "code,msg,data") throw new Error(`not of the contract: ${shown}`);
  if (envelope.code !== 200 && (envelope.data !== null || internals.test(text)))
    throw new Error(`says too much: ${shown}`);
  return answer;
}

const json = (value: unknown): Sent => ({ type: "application/json", body: JSON.stringify(value) });
const paramsOf = ({ path }: Operation) => calls[path]?.params ?? {};
const fieldsOf = (list: readonly Operation[]) =>
  list.flatMap((operation) => operation.fields.map((field) => ({ operation, field })));

beforeAll(async () => {
  operatorToken = process.env.OPERATOR_TOKEN ?? "";
  operations = await documented();
  calls = await harmlessCalls();
  before = await quietFingerprint(journals);
  expect(Object.keys(before).length).toBeGreaterThan(20);
});

afterEach(async () => {
  expect(await fingerprint(journals)).toEqual(before);
});

afterAll(async () => {
  expect(await quietFingerprint(journals)).toEqual(before);
  await expectWholeBooksBalanced();
});

test("every documented endpoint is in this file with all of its fields, and its call here changes nothing", async () => {
  const given = Object.entries(calls).map(([path, { params }]) => [path, Object.keys(params).sort()]);
  const wanted = operations.map(({ path, fields }) => [path, [...fields].sort()]);
  expect(Object.fromEntries(given)).toEqual(Object.fromEntries(wanted));
  for (const operation of operations) await send(operation, json(paramsOf(operation)));
});

test("a value that no field can have is an invalid parameter, in every field of every endpoint", async () => {
  const cases = fieldsOf(operations)
    .flatMap((one) => neverTaken.map((value) => ({ ...one, value })))
    .filter(({ operation, field, value }) => value !== true || typeof paramsOf(operation)[field] !== "boolean");
  const taken = await each(cases, 8, async ({ operation, field, value }) => {
    const answer = await send(operation, json({ ...paramsOf(operation), [field]: value }));
    return answer === "400 100001"
      ? []
      : [`${operation.path} ${field}=${JSON.stringify(value).slice(0, 30)}: ${answer}`];
  });
  expect(cases.length).toBeGreaterThan(500);
  expect(taken.flat()).toEqual([]);
});

const accesses = ["public", "login", "staff"] as const;

test.each(accesses)(
  "a doubtful value, in JSON, in a form and in the query, is answered by the contract and changes nothing: %s",
  async (wanted) => {
    const ofAccess = operations.filter(({ access }) => access === wanted);
    expect(ofAccess.length).toBeGreaterThan(1);
    const fields = fieldsOf(ofAccess).map((one, turn) => ({ ...one, turn }));
    await each(fields, 8, async ({ operation, field, turn }) => {
      for (const [at, value] of doubtful.entries()) {
        // Beyond 2^53 there are user ids, as text.
        if (field === "userId" && value === "9007199254740992") continue;
        const params: Params = { ...paramsOf(operation), [field]: value };
        await send(operation, json(params));
        if (typeof value !== "string" || !value.isWellFormed()) continue;
        const form = new URLSearchParams(
          Object.fromEntries(Object.entries(params).map(([name, text]) => [name, String(text)])),
        ).toString();
        // In turn: both ways every other field gets this value, and this field every other value.
        const inForm = { type: "application/x-www-form-urlencoded", body: form };
        await send(operation, (at + turn) % 2 === 0 ? inForm : { query: form });
      }
    });
  },
);

test("two values for one field, in query and body or twice in one of them, are a bad request", async () => {
  // A list has several values.
  const single = fieldsOf(operations).filter(({ operation, field }) => !Array.isArray(paramsOf(operation)[field]));
  const answers = await each(single, 8, async ({ operation, field }) => {
    const value = encodeURIComponent(String(paramsOf(operation)[field]));
    const twice = `${field}=${value}&${field}=${value}`;
    const form = "application/x-www-form-urlencoded";
    return Promise.all([
      send(operation, { query: `${field}=${value}0`, ...json(paramsOf(operation)) }),
      send(operation, { query: twice }),
      send(operation, { type: form, body: twice }),
      send(operation, { type: form, body: `${field}=${value}`, query: `${field}=${value}0` }),
    ]);
  });
  expect(new Set(answers.flat())).toEqual(new Set(["400 400"]));
});

const poison = { userId: "1", admin: true, roomId: 1, price: 1 };
const malformed: [what: string, sent: (params: Params) => Sent, answer: string | undefined][] = [
  ["broken JSON", () => ({ type: "application/json", body: '{"phone":' }), "400 400"],
  ["JSON with something behind it", (params) => ({ ...json(params), body: `${JSON.stringify(params)}x` }), "400 400"],
  ["a JSON array", (params) => json([params]), "400 400"],
  ["a JSON text", () => json("phone"), "400 400"],
  ["JSON null", () => json(null), "400 400"],
  ["JSON thirty thousand levels deep", () => ({ ...json(0), body: "[".repeat(30_000) }), "400 400"],
  ["another content type", (params) => ({ type: "text/plain", body: JSON.stringify(params) }), "400 400"],
  [
    "XML",
    () => ({ type: "application/xml", body: "<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>" }),
    "400 400",
  ],
  ["a multipart form", () => ({ type: "multipart/form-data; boundary=x", body: "--x--" }), "400 400"],
  ["another charset", (params) => ({ ...json(params), type: "application/json; charset=utf-16" }), "400 400"],
  ["bytes that are no UTF-8", () => ({ type: "application/json", body: Buffer.from([0x7b, 0xff, 0x7d]) }), "400 400"],
  [
    "a compression that is not there",
    (params) => ({ ...json(params), headers: { "content-encoding": "br" } }),
    "400 400",
  ],
  [
    "a form with a broken escape",
    () => ({ type: "application/x-www-form-urlencoded", body: "phone=%E0%A4%A" }),
    "400 400",
  ],
  ["a query with a broken escape", () => ({ query: "phone=%zz" }), "400 400"],
  ["70 kB of it", (params) => json({ ...params, padding: "x".repeat(70 * 1024) }), "413 413"],
  [
    "a prototype in it",
    (p) => ({ ...json(0), body: `{"__proto__":${JSON.stringify({ ...p, ...poison })}}` }),
    undefined,
  ],
  ["a constructor in it", () => json({ constructor: { prototype: poison } }), undefined],
  ["nothing in it", () => ({}), undefined],
];

test.each(malformed)(
  "a request with %s is answered by the contract, by every endpoint",
  async (_what, sent, expected) => {
    const answers = await each(operations, 8, async (operation) => send(operation, sent(paramsOf(operation))));
    if (expected) expect(new Set(answers)).toEqual(new Set([expected]));
  },
);

test("a path or a method that there is not is answered 404 with the envelope, and no file of the system is served", async () => {
  const paths = [
    ...["/live/api/nothing", "/LIVE/API/gift/send", "/live/api//gift/send", "/live/admin"],
    ...[
      "/live/api/gift/../../admin/gift/create",
      "/live/api/wallet/consumeForSendGift",
      "/wallet/freeze",
      "/~node/health",
    ],
    ...["/..%2f..%2fpackage.json", "/%2e%2e/config/config.ts", "/js/../../package.json", "/.env", "/.git/config"],
  ];
  for (const base of [apiUrl(), adminUrl()])
    for (const path of paths)
      for (const method of ["GET", "POST", "PUT", "DELETE", "OPTIONS", "PATCH"]) {
        const { status, text } = await unnormalized(base, method, path);
        expect([base, method, path, status]).toEqual([base, method, path, 404]);
        expect(JSON.parse(text)).toMatchObject({ code: 404, data: null });
        expect(text).not.toMatch(internals);
      }
  for (const { base, path } of operations)
    for (const method of ["GET", "PUT", "DELETE"])
      expect([path, (await fetch(base + path, { method })).status]).toEqual([path, 404]);
});

/** fetch would take the dots out of a path; this sends it as it is, with OPERATOR_TOKEN. */
function unnormalized(base: string, method: string, path: string): Promise<{ status: number; text: string }> {
  const { hostname, port } = new URL(base);
  const headers = { authorization: `Bearer ${operatorToken}` };
  return new Promise((resolve, reject) => {
    const asked = request({ hostname, port, method, path, headers }, async (response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of response) chunks.push(chunk as Buffer);
      resolve({ status: response.statusCode ?? 0, text: Buffer.concat(chunks).toString() });
    });
    asked.on("error", reject);
    asked.end();
  });
}
