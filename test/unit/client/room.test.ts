import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { type WebSocket as Socket, WebSocketServer } from "ws";
import {
  type ImState,
  OvationError,
  type RoomConnection,
  type RoomEvents,
  type RoomOptions,
  roomConnection,
} from "../../../clients/typescript/src/index.ts";
import { eventually } from "../../support/eventually.ts";

/** The IM server's part is played by this test: real ones do not close with a code on request. */
let server: WebSocketServer;
let sockets: { socket: Socket; query: URLSearchParams }[] = [];
let rooms: RoomConnection[] = [];
let tickets = 0;

beforeEach(async () => {
  [sockets, rooms, tickets] = [[], [], 0];
  server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  server.on("connection", (socket, request) => {
    sockets.push({ socket, query: new URL(request.url!, "ws://x").searchParams });
  });
  await once(server, "listening");
});

afterEach(async () => {
  for (const room of rooms) room.close();
  for (const socket of server.clients) socket.terminate();
  server.close();
  await once(server, "close");
});

const ticket = async () => {
  const { port } = server.address() as AddressInfo;
  return { token: `t${++tickets}`, wsImServerAddress: `ws://127.0.0.1:${port}/im` };
};

function enter(options: RoomOptions & { ticket?: typeof ticket } = {}) {
  const { ticket: own = ticket, ...rest } = options;
  const room = roomConnection(own, 7, { backoffBaseMs: 1, backoffCapMs: 2, ...rest });
  rooms.push(room);
  const states: ImState[] = [];
  room.on("state", (state) => states.push(state));
  return { room, states };
}

/** The connection of this number, greeted. */
async function greeted(number = 1, greeting: object = {}): Promise<Socket> {
  const { socket } = await eventually(`connection ${number}`, () => sockets[number - 1]);
  socket.send(
    JSON.stringify({ code: 1001, body: { userId: "5", nodeId: "n", epoch: "e", seq: 1, v: 2, ...greeting } }),
  );
  return socket;
}

const send = (socket: Socket, bizCode: number, data: object, more: object = {}) =>
  socket.send(JSON.stringify({ code: 1003, body: { bizCode, data, ...more } }));

test("what happens in the room comes as one event a kind, with the fields of version 1 in both", async () => {
  const { room } = enter({ compress: false });
  const seen: Partial<Record<keyof RoomEvents, unknown>> = {};
  const names = [
    "online",
    "gifts",
    "chat",
    "battle",
    "scores",
    "giftFailed",
    "payment",
    "roomClosed",
    "other",
  ] as const;
  for (const name of names)
    room.on(name, (event) => {
      seen[name] = event;
    });
  const socket = await greeted(1, { anchorId: "9" });
  expect(sockets[0]?.query.get("v")).toBe("2");
  send(socket, 5556, { seq: 2, epoch: "e", gifts: [["8", 22, 2, "0a1b2c3d4e5f", 2]] });
  send(socket, 5555, { content: "hello" }, { msgId: "c", userId: "8" });
  send(socket, 5559, { battleId: "3", sides: [["7", "9", 4, 1]] }, { msgId: "b" });
  send(socket, 5558, { battleId: "3", scores: ["9", 4], remainingMs: 5 });
  send(socket, 5557, { orderId: "o", msg: "余额不足", code: 10010 }, { msgId: "f" });
  send(socket, 5561, { orderId: "p", coins: 10, balance: 20, msg: "m" }, { msgId: "p" });
  send(socket, 5562, {}, { msgId: "r" });
  send(socket, 5560, { any: 1 }, { msgId: "x" });
  await eventually("all of it", () => seen.other);
  expect(seen.online).toMatchObject({ userId: "5", epoch: "e" });
  expect(seen.gifts).toEqual({
    gifts: [
      {
        senderId: "8",
        receiverId: "9",
        giftId: 22,
        count: 2,
        combo: { id: "s1", count: 2 },
        orderTags: ["0a1b2c3d4e5f"],
      },
    ],
  });
  expect(seen.chat).toEqual({ msgId: "c", senderId: "8", content: "hello" });
  expect(seen.battle).toMatchObject({ sides: [{ roomId: "7", userId: "9", score: 4 }], excluded: [] });
  expect(seen.scores).toEqual({ battleId: "3", scores: [{ userId: "9", score: 4 }], remainingMs: 5 });
  expect(seen.giftFailed).toMatchObject({ orderId: "o", name: "balanceShort", msgId: "f" });
  expect(seen.payment).toMatchObject({ orderId: "p", coins: 10, msgId: "p" });
  expect(seen.roomClosed).toEqual({ msgId: "r" });
  expect(seen.other).toMatchObject({ bizCode: 5560, data: { any: 1 } });
});

test("after a lost connection it comes back with a new ticket, from where it was", async () => {
  const { room } = enter();
  const gaps: unknown[] = [];
  room.on("gap", (gap) => gaps.push(gap));
  const socket = await greeted();
  send(socket, 5556, { seq: 6, epoch: "e", gifts: [["8", 22, 1, "0a1b2c3d4e5f"]] });
  socket.close(4503);
  await greeted(2, { recovered: false });
  await eventually("the gap", () => gaps.length === 1);
  const { query } = sockets[1]!;
  expect([query.get("token"), query.get("since"), query.get("epoch")]).toEqual(["t2", "6", "e"]);
});

test.each([4403, 4404, 4409, 4410, 4422, 4429])("it stops at %i", async (code) => {
  const { room, states } = enter();
  (await greeted()).close(code, "because");
  await eventually("the stop", () => room.state === "stopped");
  expect(states.at(-1)).toMatchObject({ state: "stopped", code, reason: "because" });
});

test("a token that is refused is replaced once, and again after a connection that worked", async () => {
  const { room, states } = enter();
  const refuse = async (number: number) =>
    (await eventually(`connection ${number}`, () => sockets[number - 1])).socket.close(4401);
  await refuse(1);
  const socket = await greeted(2);
  await eventually("it is online", () => room.state === "online");
  socket.close(4503);
  await refuse(3);
  await refuse(4);
  await eventually("the stop", () => room.state === "stopped");
  expect(states.at(-1)).toMatchObject({ code: 4401 });
  expect(tickets).toBe(4);
});

test("a refused ticket stops it, one that is not answered does not", async () => {
  const failure = (status: number | undefined) => new OvationError("no", { name: "network", status, answered: true });
  const failures = [failure(503), failure(429), failure(undefined), new Error("any"), failure(401)];
  const { room, states } = enter({ ticket: () => Promise.reject(failures.shift()) });
  await eventually("the stop", () => room.state === "stopped");
  expect(failures).toEqual([]);
  expect(states.at(-1)).toMatchObject({ error: { status: 401 } });
});

test("its signal closes it, and before its beginning it never connects", async () => {
  const ended = new AbortController();
  const { room } = enter({ signal: ended.signal });
  const socket = await greeted();
  await eventually("it is online", () => room.state === "online");
  ended.abort();
  await once(socket, "close");
  expect(room.state).toBe("idle");
  const never = enter({ signal: ended.signal });
  await new Promise((resolve) => setImmediate(resolve));
  expect([never.states, tickets]).toEqual([[], 1]);
});

test("an error of a listener is reported and affects no other listener", async () => {
  const reported: unknown[] = [];
  const { room } = enter({ report: (error) => reported.push(error) });
  const online: unknown[] = [];
  room.on("online", () => {
    throw new Error("mine");
  });
  const off = room.on("online", () => {});
  room.on("online", (greeting) => online.push(greeting));
  off();
  await greeted();
  await eventually("the greeting", () => online.length === 1);
  expect(reported).toEqual([new Error("mine")]);
});

test("without any WebSocket it says so at once", () => {
  expect(() => roomConnection(ticket, 7, { WebSocket: null as never })).toThrow(TypeError);
});

test("a signal that outlives it keeps nothing of a closed room, and closes one that connects again", async () => {
  const ending = new AbortController();
  const removed = jest.spyOn(ending.signal, "removeEventListener");
  const { room } = enter({ signal: ending.signal });
  await greeted();
  room.close();
  expect(removed).toHaveBeenCalledWith("abort", expect.any(Function));
  room.connect();
  await greeted(2);
  ending.abort();
  expect(room.state).toBe("idle");
});
