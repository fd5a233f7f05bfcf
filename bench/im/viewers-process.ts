import { WebSocket } from "ws";
import { latenciesMs, noneReceived, type Received } from "./received.ts";
import { SentFrames } from "./sent-frames.ts";
import type { Command, Wire } from "./viewers.ts";
import { cameIn, wires } from "./wires.ts";

const heartbeatMs = 25_000;
const connectsAtOnce = 50;
const retryMs = 200;

const sockets: WebSocket[] = [];
const rooms: number[] = [];
let speech = wires.im;
let frames = new SentFrames(0, speech.gifts);
let received: Received = noneReceived([]);

/** Bytes of a message on the wire: a server's WebSocket frames are not masked. */
function wireBytes(length: number): number {
  return length + (length < 126 ? 2 : length < 65_536 ? 4 : 10);
}

function take(viewer: number, data: Buffer, isBinary: boolean): void {
  const answer = isBinary ? undefined : speech.answer(data);
  if (answer !== undefined) return void sockets[viewer]?.send(answer);
  const frame = frames.shown(viewer, data, isBinary);
  if (!frame) return;
  const now = Date.now();
  const { sums, latencies } = received;
  received.lastAt = now;
  received.frames++;
  received.bytes += wireBytes(data.length);
  received.orders += frame.sentAt.length;
  sums[viewer] = (sums[viewer] ?? 0) + frame.sum;
  for (const sentAt of frame.sentAt) {
    const took = Math.min(latenciesMs, Math.max(0, now - sentAt));
    latencies[took] = (latencies[took] as number) + 1;
  }
}

/** A node that takes no connections refuses before it redeems the token: the same address is tried again. */
async function open(url: string): Promise<void> {
  const roomId = Number(new URL(url).searchParams.get("roomId"));
  while (!(await opened(url, roomId))) await new Promise((resolve) => setTimeout(resolve, retryMs));
}

async function opened(url: string, roomId: number): Promise<boolean> {
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  if (!(await cameIn(socket, speech))) return false;
  const viewer = sockets.push(socket) - 1;
  rooms.push(roomId);
  socket.on("message", (data, isBinary) => take(viewer, data as Buffer, isBinary));
  socket.on("close", (code) => received.faults.push(`viewer ${viewer} was closed with ${code}`));
  return true;
}

async function connect(urls: readonly string[], wire: Wire): Promise<void> {
  speech = wires[wire];
  for (let at = 0; at < urls.length; at += connectsAtOnce)
    await Promise.all(urls.slice(at, at + connectsAtOnce).map(open));
}

async function carryOut(command: Command): Promise<unknown> {
  if (command.do === "connect") return connect(command.urls, command.wire);
  if (command.do === "orders") return received.orders;
  if (command.do === "report") {
    const repeated = frames.repeated.map((orderId) => `order ${orderId} came in two frames`);
    return { ...received, faults: [...received.faults, ...repeated] };
  }
  frames = new SentFrames(sockets.length, speech.gifts);
  received = noneReceived(rooms);
  return undefined;
}

setInterval(() => {
  const { heartbeat } = speech;
  if (heartbeat === undefined) return;
  for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(heartbeat);
}, heartbeatMs);

process.on("message", (command: Command) => {
  carryOut(command).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on("disconnect", () => process.exit());
