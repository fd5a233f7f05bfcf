import type { Writable } from "node:stream";
import * as ws from "ws";
import { guardedListeners, ImSocket, type SocketHandlers } from "../../../services/im-server/im-socket.ts";
import { wireText } from "../../../services/im-server/wire-frame.ts";

const { Receiver } = ws as unknown as { Receiver: new (options: { isServer: boolean }) => Writable };

/** What a client reads of the bytes. */
function readAs(wire: Buffer): Promise<{ text: string; isBinary: boolean }> {
  const receiver = new Receiver({ isServer: false });
  return new Promise((resolve, reject) => {
    receiver.on("message", (data: Buffer, isBinary: boolean) => resolve({ text: data.toString(), isBinary }));
    receiver.on("error", reject);
    receiver.write(wire);
  });
}

test.each([0, 1, 125, 126, 127, 65_535, 65_536, 70_000])(
  "a text of %i bytes is read as it was written",
  async (bytes) => {
    const text = "x".repeat(bytes);
    expect(await readAs(wireText(text))).toEqual({ text, isBinary: false });
  },
);

test("lengths are counted in bytes, not in characters", async () => {
  const text = "礼物".repeat(30);
  expect((await readAs(wireText(text))).text).toBe(text);
});

/** Emits each event that ws emits. */
function emitAll(socket: ImSocket): void {
  socket.emit("message", Buffer.from("hi"), false);
  socket.emit("ping", Buffer.from("p"));
  socket.emit("pong", Buffer.from("p"));
  socket.emit("error", new Error("cut"));
  socket.emit("close", 1006, Buffer.alloc(0));
}

test("every event of every socket goes to the node's one set of handlers, with its socket, and to no closure of its own", () => {
  const seen: unknown[] = [];
  const listeners = guardedListeners({
    message: (socket, data, isBinary) => seen.push([socket, "message", data.toString(), isBinary]),
    ping: (socket, data) => seen.push([socket, "ping", data.toString()]),
    pong: (socket) => seen.push([socket, "pong"]),
    error: (socket, error) => seen.push([socket, "error", error.message]),
    close: (socket) => seen.push([socket, "close"]),
    handlerThrew: (socket, event, error) => seen.push([socket, "threw", event, error]),
  });
  const sockets = [1, 2].map(() => new ImSocket(null as never, undefined, {}));
  for (const socket of sockets) socket.listen(listeners);
  for (const socket of sockets) {
    emitAll(socket);
    const own = [["message", "hi", false], ["ping", "p"], ["pong"], ["error", "cut"], ["close"]];
    expect(seen.splice(0)).toEqual(own.map((event) => [socket, ...event]));
  }
  for (const [event, listener] of listeners)
    expect(sockets.map((socket) => socket.listeners(event))).toEqual([[listener], [listener]]);
});

test("what is thrown at an event goes no further than to the node, with the socket and the event's name", () => {
  const broken = new Error("a frame that cannot be handled");
  const thrown: unknown[] = [];
  const fail = () => {
    throw broken;
  };
  const handlerThrew: SocketHandlers["handlerThrew"] = (...what) => thrown.push(what);
  const socket = new ImSocket(null as never, undefined, {});
  socket.listen(guardedListeners({ message: fail, ping: fail, pong: fail, error: fail, close: fail, handlerThrew }));
  emitAll(socket);
  expect(thrown).toEqual(["message", "ping", "pong", "error", "close"].map((event) => [socket, event, broken]));
});
