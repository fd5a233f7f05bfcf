import type { Writable } from "node:stream";
import * as ws from "ws";
import { ImSocket, type SocketEvents, wireText } from "../../../services/im-server/im-socket.ts";

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

test("what a socket says goes to the node's one handler, and no listeners are needed for it", () => {
  const heard: unknown[] = [];
  const events: SocketEvents = {
    said: (_socket, data, isBinary) => heard.push(["said", data.toString(), isBinary]),
    pinged: (_socket, data) => heard.push(["pinged", data.toString()]),
    ponged: () => heard.push(["ponged"]),
    failed: (_socket, error) => heard.push(["failed", error.message]),
    closed: () => heard.push(["closed"]),
    handlerThrew: (_socket, event, error) => heard.push(["broke", event, error]),
  };
  const socket = new ImSocket(null as never, undefined, {});
  socket.events = events;
  socket.emit("message", Buffer.from("hi"), false);
  socket.emit("ping", Buffer.from("p"));
  socket.emit("pong", Buffer.from("p"));
  socket.emit("error", new Error("cut"));
  socket.emit("close", 1006, Buffer.alloc(0));
  expect(heard).toEqual([["said", "hi", false], ["pinged", "p"], ["ponged"], ["failed", "cut"], ["closed"]]);
  expect(socket.eventNames()).toEqual([]);
});

test("what is thrown at an event goes no further than to the node, with the socket and the event's name", () => {
  const broken = new Error("a frame that cannot be handled");
  const heard: unknown[] = [];
  const fail = () => {
    throw broken;
  };
  const socket = new ImSocket(null as never, undefined, {});
  const handlerThrew: SocketEvents["handlerThrew"] = (of, event, error) => heard.push([of === socket, event, error]);
  socket.events = { said: fail, pinged: fail, ponged: fail, failed: fail, closed: fail, handlerThrew };
  const events = ["message", "ping", "pong", "error", "close"];
  for (const event of events) socket.emit(event, Buffer.alloc(0));
  expect(heard).toEqual(events.map((event) => [true, event, broken]));
});
