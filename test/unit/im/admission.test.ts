import { admit } from "../../../services/im-server/admission.ts";
import type { Connection } from "../../../services/im-server/connection.ts";
import { ConnectionRegistry } from "../../../services/im-server/connection-registry.ts";
import { FrameForms } from "../../../services/im-server/frame-forms.ts";
import { RestrictionCopy } from "../../../services/restriction-copy.ts";

/** A node whose Redis answers a join when the test calls `answer`. */
function nodeThatWaits(asked: Record<string, string> = {}, replay?: string[]) {
  const restrictions = new RestrictionCopy();
  restrictions.onBan = (userId) => connections.ofUser(userId)?.close(4414, "you are banned");
  const connections = new ConnectionRegistry<Connection>();
  const joined = Promise.withResolvers<object | null>();
  const caughtUp: unknown[] = [];
  const enteredBattle: unknown[] = [];
  const node = {
    connections,
    nodeId: "n",
    limits: { connectionsPerNode: 10, sendQueueBytes: 1_000 },
    sent: { frames: 0, bytes: 0 },
    restrictions,
    requireRestrictions: () => undefined,
    draining: false,
    redis: { eval: async () => ["7", 1] },
    anchorOf: async () => "1",
    connectRate: { take: () => true, takeUser: () => true, isSuspected: () => false },
    presence: { join: () => joined.promise },
    rooms: {
      start: () => undefined,
      replay: (_room: unknown, _upTo: unknown, frames: string[]) => frames.map((frame) => new FrameForms(frame, "1")),
    },
    notifications: { catchUp: (connection: unknown) => caughtUp.push(connection) },
    battles: { enter: (connection: unknown) => enteredBattle.push(connection) },
    log: { warn: jest.fn() },
    enter: (connection: Connection) => connections.add(connection),
    leave: (connection: Connection) => connections.remove(connection),
  };
  const socket = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    connection: undefined as Connection | undefined,
    sent: 0,
    greeting: "",
    sendWire: (wire: Buffer) => {
      socket.sent++;
      socket.greeting = wire.toString("latin1");
    },
    closedWith: 0,
    close: (code: number) => {
      socket.closedWith ||= code;
      socket.readyState = 2;
    },
  };
  const query = new URLSearchParams({ token: "t".repeat(32), roomId: "1", ...asked });
  const admitted = () => admit(node as never, socket as never, { query, address: "192.0.2.1" }, 1);
  const answer = () => joined.resolve({ position: { epoch: "e", seq: 0 }, replay, replaced: undefined });
  return { connections, restrictions, socket, admitted, answer, caughtUp, enteredBattle };
}

const nextTick = () => new Promise((resolve) => setImmediate(resolve));

test("a client that is let in is its user's connection, is greeted, and gets its notifications", async () => {
  const { connections, socket, admitted, answer, caughtUp, enteredBattle } = nodeThatWaits();
  answer();
  await admitted();
  expect(enteredBattle).toEqual([socket.connection]);
  expect(connections.ofUser("7")).toBe(socket.connection);
  expect([socket.sent, caughtUp]).toEqual([1, [socket.connection]]);
});

test.each(["closed", "closing"])(
  "a client that is %s before Redis has answered leaves nothing behind on the node",
  async (how) => {
    const { connections, socket, admitted, answer } = nodeThatWaits();
    const done = admitted();
    while (connections.size === 0) await nextTick();
    socket.readyState = how === "closed" ? 3 : 2;
    if (how === "closed") connections.remove(socket.connection as Connection);
    answer();
    await done;
    expect([connections.size, connections.ofUser("7"), connections.claimed(), socket.sent]).toEqual([
      0,
      undefined,
      [],
      0,
    ]);
  },
);

test("presence is not written for a client that went away before it was known", async () => {
  const { connections, socket, admitted } = nodeThatWaits();
  socket.readyState = 3;
  await admitted();
  expect([connections.size, socket.connection]).toEqual([0, undefined]);
});

/** A gift as version 1 writes it: version 2 leaves most of it out. */
const giftFrame = (n: number) => {
  const gift = {
    orderIds: [`o-${n}`],
    senderId: "7",
    receiverId: "1",
    giftId: 22,
    count: 1,
    price: 90,
    url: "u".repeat(60),
  };
  return JSON.stringify({ code: 1003, body: { bizCode: 5556, msgId: `m${n}`, data: { seq: n, gifts: [gift] } } });
};

test.each([
  ["1", {}, false],
  ["2", { v: "2" }, true],
])("whether all missed frames are sent follows from their bytes in the client's version: %s", async (_v, form, all) => {
  const { socket, admitted, answer } = nodeThatWaits({ since: "0", epoch: "e", ...form }, [1, 2, 3].map(giftFrame));
  answer();
  await admitted();
  expect([socket.greeting.includes(`"recovered":${all}`), socket.greeting.includes("o-3")]).toEqual([true, all]);
});

const ban = (roomId: number | null) => ({
  ...{ restrictionId: "1", userId: "7", kind: "ban" as const, roomId },
  ...{ until: null, lifted: false },
});

test.each([null, 1])(
  "a user who is banned (room %p) is refused with 4414 before Redis is asked to join",
  async (roomId) => {
    const { restrictions, connections, socket, admitted } = nodeThatWaits();
    restrictions.apply(ban(roomId));
    await admitted();
    expect([socket.closedWith, connections.size]).toEqual([4414, 0]);
  },
);

test("a user who is banned in another room comes in", async () => {
  const { restrictions, socket, admitted, answer } = nodeThatWaits();
  restrictions.apply(ban(2));
  answer();
  await admitted();
  expect([socket.closedWith, socket.sent]).toEqual([0, 1]);
});

test("a ban that comes while the user is being admitted closes the connection: nobody finds it by the user yet", async () => {
  const { restrictions, connections, socket, admitted, answer } = nodeThatWaits();
  const done = admitted();
  await nextTick();
  restrictions.apply(ban(null));
  answer();
  await done;
  expect([socket.closedWith, connections.size, connections.ofUser("7")]).toEqual([4414, 0, undefined]);
});
