import { admit } from "../../../services/im-server/admission.ts";
import type { Connection } from "../../../services/im-server/connection.ts";
import { Roster } from "../../../services/im-server/roster.ts";

/** A node whose Redis answers a join when the test says so. */
function nodeThatWaits() {
  const roster = new Roster<Connection>();
  const joined = Promise.withResolvers<object | null>();
  const caughtUp: unknown[] = [];
  const node = {
    roster,
    nodeId: "n",
    settings: { connectionsPerNode: 10, sendQueueBytes: 1_000 },
    draining: false,
    redis: { eval: async () => ["7", 1] },
    liveRooms: { anchorOf: async () => "1" },
    connectRate: { take: () => true, takeUser: () => true },
    presence: { join: () => joined.promise },
    rooms: { start: () => undefined },
    notices: { catchUp: (connection: unknown) => caughtUp.push(connection) },
    log: { warn: jest.fn() },
    enter: (connection: Connection) => roster.add(connection),
    leave: (connection: Connection) => roster.remove(connection),
  };
  const socket = {
    OPEN: 1,
    readyState: 1,
    bufferedAmount: 0,
    connection: undefined as Connection | undefined,
    sent: 0,
    sendWire: () => socket.sent++,
    close: () => {
      socket.readyState = 2;
    },
  };
  const query = new URLSearchParams({ token: "t".repeat(32), roomId: "1" });
  const admitted = () => admit(node as never, socket as never, query, 1);
  const answer = () => joined.resolve({ position: { epoch: "e", seq: 0 }, replay: undefined, replaced: undefined });
  return { roster, socket, admitted, answer, caughtUp };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("who is let in is the user's connection, is greeted, and its notices are looked up", async () => {
  const { roster, socket, admitted, answer, caughtUp } = nodeThatWaits();
  answer();
  await admitted();
  expect(roster.ofUser("7")).toBe(socket.connection);
  expect([socket.sent, caughtUp]).toEqual([1, [socket.connection]]);
});

test.each(["closed", "closing"])(
  "who is %s before Redis has answered leaves nothing behind on the node",
  async (how) => {
    const { roster, socket, admitted, answer } = nodeThatWaits();
    const done = admitted();
    while (roster.size === 0) await turn();
    socket.readyState = how === "closed" ? 3 : 2;
    if (how === "closed") roster.remove(socket.connection as Connection);
    answer();
    await done;
    expect([roster.size, roster.ofUser("7"), roster.claimed(), socket.sent]).toEqual([0, undefined, [], 0]);
  },
);

test("for who went away before they were known Redis is not even asked", async () => {
  const { roster, socket, admitted } = nodeThatWaits();
  socket.readyState = 3;
  await admitted();
  expect([roster.size, socket.connection]).toEqual([0, undefined]);
});
