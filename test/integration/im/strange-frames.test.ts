/** What viewers may send to a node: whatever it is, it costs the sender's connection at the most. */
import fc from "fast-check";
import type { ServiceBroker } from "moleculer";
import { restrictionsFake } from "../../support/restrictions-fake.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { eventually, stopAll } from "../../support/system.ts";
import {
  cutClients,
  livingRoomFake,
  openClient,
  postToRoom,
  startRouter,
  type TestClient,
  ticketOf,
} from "./im-nodes.ts";
import { type ImServerChild, startImServerChild } from "./im-server-child.ts";

jest.setTimeout(60_000);

const roomId = 900;
let router: ServiceBroker;
let server: ImServerChild;
let bystander: TestClient;
let ended: unknown;
let users = 9_000;

async function addressFor(userId: string): Promise<string> {
  const { token } = await ticketOf(router, userId);
  return `${server.address}?${new URLSearchParams({ token, roomId: String(roomId) })}`;
}

const enter = async () => openClient(await addressFor(String(++users))).greeted();

/** The node runs, the bystander is connected to it, and what is for the room reaches it. */
async function expectServed(): Promise<void> {
  const msgId = `served-${++users}`;
  await postToRoom(router, { roomId, senderId: "0", msgId, bizCode: 5560, data: {} });
  await eventually(
    "the bystander is served",
    () => ended ?? bystander.business(5560).some((body) => body.msgId === msgId),
  );
  expect([ended, bystander.closed]).toEqual([undefined, undefined]);
}

beforeAll(async () => {
  router = await startRouter("router", livingRoomFake, restrictionsFake);
  server = await startImServerChild(router, "im-strange", { closeGraceMs: 500 }, (child) => {
    child.exited.then((exit) => (ended = exit));
  });
  bystander = await enter();
});
afterAll(async () => {
  cutClients();
  await server.child.stop(10_000);
  await stopAll();
});

test.each([
  ["a bizCode that cannot be converted", '{"code":1003,"body":{"bizCode":{"valueOf":1,"toString":1}}}'],
  [
    "20,000 arrays in each other",
    `{"code":1003,"body":{"bizCode":${"[".repeat(20_000)}${"]".repeat(20_000)},"data":{"content":"x"}}}`,
  ],
])("%s closes its sender with 4422, and nobody else", async (_what, frame) => {
  const sender = await enter();
  sender.say(frame);
  expect((await sender.closing()).code).toBe(4422);
  await expectServed();
});

test("chat that may not be shown is refused in an ack, and stands in no history", async () => {
  const sender = await enter();
  const { seq, epoch } = bystander.greeting as unknown as { seq: number; epoch: string };
  for (const content of ["half \ud83d", "nul \u0000 esc \u001b[2J", "\udc00\ud800", "two\u2028lines"])
    sender.say(`{"code":1003,"body":{"msgId":"m","bizCode":5555,"data":${JSON.stringify({ content })}}}`);
  await eventually("four refusals", () => sender.frames.filter(({ code }) => code === 1005).length === 4);
  for (const { body } of sender.frames.filter(({ code }) => code === 1005))
    expect(body).toEqual({ msgId: "m", bizCode: 5555, code: 100001, error: expect.stringContaining("Unicode") });
  await expectServed();
  const cursor = `&since=${seq}&epoch=${epoch}`;
  const back = await openClient((await addressFor(String(++users))) + cursor).greeted();
  await eventually("what was missed", () => back.business(5560).length > 0);
  expect([...back.business(5555), ...bystander.business(5555), ...sender.business(5555)]).toEqual([]);
});

type Act = (client: TestClient) => void;

const frameText = fc.oneof(
  strangeJson("code", "body", "magic"),
  fc
    .tuple(fc.constantFrom(1001, 1002, 1003, 1004, 1005), strangeObject(["bizCode", "msgId", "data"]))
    .map(([code, body]) => `{"code":${code},"body":${body}}`),
  strangeObject(["content"]).map((data) => `{"code":1003,"body":{"bizCode":5555,"msgId":"m","data":${data}}}`),
);
const bytes = fc.uint8Array({ maxLength: 200 }).map((array) => Buffer.from(array));
const lineOf = (client: TestClient) => (client.socket as unknown as { _socket: { write(data: Buffer): void } })._socket;

const acts: fc.Arbitrary<Act> = fc.oneof(
  {
    weight: 5,
    arbitrary: frameText.map(
      (text): Act =>
        ({ socket }) =>
          socket.send(text),
    ),
  },
  frameText.map(
    (text): Act =>
      ({ socket }) => {
        const half = Math.floor(text.length / 2);
        socket.send(text.slice(0, half), { fin: false });
        socket.send(text.slice(half), { fin: true });
      },
  ),
  bytes.map(
    (data): Act =>
      ({ socket }) =>
        socket.send(data, { binary: true }),
  ),
  bytes.map(
    (data): Act =>
      ({ socket }) =>
        socket.send(data, { binary: false }),
  ),
  bytes.map(
    (data): Act =>
      ({ socket }) =>
        socket.ping(data.subarray(0, 125)),
  ),
  bytes.map(
    (data): Act =>
      ({ socket }) =>
        socket.pong(data.subarray(0, 125)),
  ),
  fc.constant<Act>(({ socket }) => socket.send(`{"code":1004,"body":{"x":"${"y".repeat(70_000)}"}}`)),
  // Bytes that are no frames of a WebSocket, on the line under it.
  bytes.map(
    (data): Act =>
      (client) =>
        lineOf(client).write(data),
  ),
  fc.constant<Act>(({ socket }) => socket.close(1000)),
);

test("after any sequence of strange frames the node runs and a bystander is served", async () => {
  const property = fc.asyncProperty(
    fc.array(acts, { minLength: 1, maxLength: 8 }),
    fc.boolean(),
    async (sequence, beforeTheGreeting) => {
      const client = openClient(await addressFor(String(++users)));
      if (!beforeTheGreeting) await client.greeted();
      else await eventually("a socket", () => client.socket.readyState === client.socket.OPEN);
      for (const act of sequence) if (client.socket.readyState === client.socket.OPEN) act(client);
      await expectServed();
      if (client.closed) expect([1000, 1005, 1006, 4422, 4429]).toContain(client.closed.code);
      client.socket.terminate();
    },
  );
  await fc.assert(property, { numRuns: 40 }).catch((error: Error) => {
    // A deadline that was missed is no counterexample.
    throw /^not within/.test((error.cause as Error | undefined)?.message ?? "") ? error.cause : error;
  });
});
