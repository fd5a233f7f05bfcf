/** What other nodes may send to a node over the bus: whatever it is, it costs that packet alone. */
import { join } from "node:path";
import fc from "fast-check";
import type { ServiceBroker } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { instanceOf } from "../../../broker/bus/subjects.ts";
import { busOptions } from "../../../broker/nats-options.ts";
import { config } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";
import { type Child, startChild } from "../../../scripts/children.ts";
import { call } from "../../../services/contracts.ts";
import { eventually } from "../../support/eventually.ts";
import { restrictionsFake } from "../../support/restrictions-fake.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { stopAll } from "../../support/system.ts";
import { livingRoomFake, startRouter } from "../im/im-nodes.ts";
import { type ImServerChild, startImServerChild } from "../im/im-server-child.ts";

jest.setTimeout(60_000);

let router: ServiceBroker;
let server: ImServerChild;
let bus: NatsConnection;
let ended: unknown;
let answersSince: number;
const started: Child[] = [];

beforeAll(async () => {
  router = await startRouter("router", livingRoomFake, restrictionsFake);
  server = await startImServerChild(router, "im-packets", {}, (child) => {
    child.exited.then((exit) => (ended = exit));
  });
  answersSince = performance.now();
  bus = await connect(busOptions("stranger"));
});
afterAll(async () => {
  await bus.close();
  await Promise.all([server.child, ...started].map((child) => child.stop(10_000)));
  await stopAll();
});

/** A node that may call an im-server: a router that nobody knows. */
const stranger = "im-router.stranger";
/** The names with which the subjects of calls and events end. */
const named: Record<string, string> = { REQ: ".im-server.status", EVENT: ".living-room.changed" };

/** With the subject that the node takes from a stranger, or from itself for a packet in its own name. */
const send = (command: string, body: string, { name = named[command] ?? "", from = stranger } = {}) =>
  bus.publish(`MOL-${config().NAMESPACE}.${command}.${server.nodeId}.${from}${name}`, Buffer.from(body));

/** What was sent before is handled by then: the bus keeps the order of one sender, and the node that of its packets. */
async function expectAlive(): Promise<void> {
  await bus.flush();
  const status = await call(router, "im-server.status", {}, { nodeID: server.nodeId });
  expect([ended, status.address]).toEqual([undefined, server.address]);
}

/** Sends a request as another node would, and resolves to the answer's error. */
async function errorOf(action: string, params: string): Promise<Record<string, unknown> | null> {
  const id = `strange-${Math.random()}`;
  const answers = bus.subscribe(`MOL-${config().NAMESPACE}.RES.${stranger}.>`);
  const packet = `{"ver":"5","sender":"${stranger}","id":"${id}","action":"${action}","params":${params}}`;
  send("REQ", packet, { name: `.${action}` });
  try {
    for await (const message of answers) {
      const answer = message.json<{ id: string; error?: Record<string, unknown> }>();
      if (answer.id === id) return answer.error ?? null;
    }
    throw new Error("no answer");
  } finally {
    answers.unsubscribe();
  }
}

test("packets of any kind and content leave the node as it was", async () => {
  const commands = fc.constantFrom("REQ", "RES", "EVENT", "INFO", "DISCOVER", "PING", "PONG");
  const fields = strangeObject([
    "id",
    "action",
    "params",
    "meta",
    "level",
    "event",
    "data",
    "groups",
    "requestID",
    "caller",
  ]);
  const known = fields.map((text) => `{"ver":"5","sender":"${stranger}",${text.slice(1)}`.replace(/,\}$/, "}"));
  const sameAsSubject = known.map((text) =>
    text.replace("{", '{"action":"im-server.status","event":"living-room.changed","broadcast":true,'),
  );
  const packets = fc.oneof(known, sameAsSubject, strangeJson("ver", "sender"), fc.string({ unit: "binary" }));
  const property = fc.asyncProperty(
    fc.array(fc.tuple(commands, packets), { minLength: 5, maxLength: 20 }),
    async (sent) => {
      for (const [command, body] of sent) send(command, body);
      await expectAlive();
    },
  );
  await fc.assert(property, { numRuns: 20 });
});

test("subjects of any form leave the node as it was", async () => {
  const { NAMESPACE } = config();
  const token = fc.constantFrom(
    "REQ",
    "INFO",
    "X",
    stranger,
    server.nodeId,
    "all-nodes",
    "im-server",
    "a",
    "$node",
    "1",
  );
  const subjects = fc.array(token, { minLength: 1, maxLength: 8 }).map((tokens) => tokens.join("."));
  const property = fc.asyncProperty(fc.array(subjects, { minLength: 5, maxLength: 20 }), async (ends) => {
    for (const end of ends)
      for (const start of [`REQ.${server.nodeId}`, "INFO.all-nodes.all-nodes", `X.${server.nodeId}`])
        bus.publish(`MOL-${NAMESPACE}.${start}.${end}`, `{"ver":"5","sender":"${stranger}"}`);
    await expectAlive();
  });
  await fc.assert(property, { numRuns: 20 });
});

test("params that are none are invalid on the node that asked, without their values", async () => {
  for (const params of [
    "{}",
    '{"frames":[{"roomId":1}]}',
    '{"frames":[{"roomId":1,"frame":{"toString":1},"seq":1,"epoch":"e"}]}',
    '{"frames":[{"userId":["7"],"frame":"f","seq":1,"msgId":"m"}]}',
    `{"frames":${"[".repeat(20_000)}${"]".repeat(20_000)}}`,
    '"secret"',
  ]) {
    const error = await errorOf("im-server.deliver", params);
    expect([error?.type, error?.code]).toEqual(["invalidParam", 400]);
    expect(JSON.stringify(error?.data)).not.toMatch(/actual|secret/);
  }
  await expectAlive();
});

test("an answer that cannot be made is missing, and ends nothing", async () => {
  const deep = `${'{"a":'.repeat(20_000)}1${"}".repeat(20_000)}`;
  const request = `"ver":"5","sender":"${stranger}","id":"deep","action":"im-server.status","params":{}`;
  for (const field of [
    `"meta":${deep}`,
    '"requestID":{"toString":1}',
    `"requestID":${deep}`,
    '"caller":{"toString":1}',
  ])
    send("REQ", `{${request},${field}}`);
  await expectAlive();
});

const ofItself = () => ({ from: server.nodeId });

/** From then on no packet in its name ends it. */
const hasBeenUp = () =>
  eventually("it has been up", () => performance.now() - answersSince > limits.bus.sameIdEndsMs, 10_000);

test("a second node with the same id ends at its start, and the first one stays", async () => {
  await hasBeenUp();
  const second = startChild({
    name: "second",
    command: process.execPath,
    args: [join(projectRoot(), "test/support/service-process.ts"), "im-server"],
    cwd: projectRoot(),
    env: { NODE_ID: instanceOf(server.nodeId), NODE_OPTIONS: undefined },
    output: { to: () => undefined },
  });
  started.push(second);
  expect((await second.exited).code).toBe(1);
  expect(second.lastLines().join()).toContain("nodeID conflict");
  await expectAlive();
});

test("a packet in the name of the node, but of another instance, ends nothing once it has been up for a while", async () => {
  await hasBeenUp();
  for (const instance of ['"another"', "null", "{}"])
    send("INFO", `{"ver":"5","sender":"${server.nodeId}","instanceID":${instance},"services":[]}`, ofItself());
  send("INFO", `{"ver":"5","sender":"${server.nodeId}"}`, ofItself());
  await expectAlive();
});
