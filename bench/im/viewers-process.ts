import { WebSocket } from "ws";
import { type Command, latenciesMs, type Received } from "./viewers.ts";

/** A room frame, read once however many viewers of this process get it. */
interface RoomFrame {
  text: Buffer;
  msgId: string;
  sum: number;
  /** When its orders were sent, ms. */
  sentAt: number[];
}

const heartbeatMs = 25_000;
const connectsAtOnce = 50;
const retryMs = 200;
const recentFrames = 32;
const heartbeat = JSON.stringify({ code: 1004, body: {} });

const sockets: WebSocket[] = [];
const seen: Set<string>[] = [];
let recent: RoomFrame[] = [];
let knownOrders = new Set<string>();
let received: Received = nothing();

function nothing(): Received {
  const sums = new Array<number>(sockets.length).fill(0);
  return { frames: 0, bytes: 0, orders: 0, sums, faults: [], latencies: new Uint32Array(latenciesMs) };
}

/** The frame that the bytes are; `undefined` where they show no gifts. The whole text is compared: nothing is assumed. */
function read(text: Buffer): RoomFrame | undefined {
  const known = recent.find((frame) => frame.text.equals(text));
  if (known) return known;
  const { code, body } = JSON.parse(text.toString());
  if (code !== 1003 || body.bizCode !== 5556) return undefined;
  const gifts = body.data.gifts as { orderIds: string[]; count: number }[];
  const frame: RoomFrame = { text, msgId: body.msgId, sum: 0, sentAt: [] };
  for (const { orderIds, count } of gifts) {
    frame.sum += count;
    for (const orderId of orderIds) {
      if (knownOrders.has(orderId)) received.faults.push(`order ${orderId} came in two frames`);
      knownOrders.add(orderId);
      frame.sentAt.push(Number(orderId.split("-")[0]));
    }
  }
  recent.unshift(frame);
  recent.length = Math.min(recent.length, recentFrames);
  return frame;
}

function take(viewer: number, text: Buffer): void {
  const now = Date.now();
  const frame = read(text);
  const ids = seen[viewer] as Set<string>;
  if (!frame) return;
  received.frames++;
  received.bytes += text.length;
  if (ids.has(frame.msgId)) return;
  ids.add(frame.msgId);
  received.orders += frame.sentAt.length;
  received.sums[viewer] = (received.sums[viewer] ?? 0) + frame.sum;
  for (const sentAt of frame.sentAt) {
    const took = Math.min(latenciesMs - 1, Math.max(0, now - sentAt));
    received.latencies[took] = (received.latencies[took] as number) + 1;
  }
}

/** A node that takes nobody for the moment says so before it looks at the token: the same address is tried again. */
async function open(url: string): Promise<void> {
  while (!(await opened(url))) await new Promise((resolve) => setTimeout(resolve, retryMs));
}

async function opened(url: string): Promise<boolean> {
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  const greeted = await new Promise<boolean>((resolve, reject) => {
    socket.once("message", () => resolve(true));
    socket.once("error", reject);
    socket.once("close", (code) => {
      if (code === 4503) resolve(false);
      else reject(new Error(`closed with ${code} instead of greeted`));
    });
  });
  if (!greeted) return false;
  const viewer = sockets.push(socket) - 1;
  seen.push(new Set());
  socket.on("message", (data) => take(viewer, data as Buffer));
  socket.on("close", (code) => received.faults.push(`viewer ${viewer} was closed with ${code}`));
  return true;
}

async function carryOut(command: Command): Promise<unknown> {
  if (command.do === "report") return received;
  if (command.do === "connect") {
    const { urls } = command;
    for (let at = 0; at < urls.length; at += connectsAtOnce)
      await Promise.all(urls.slice(at, at + connectsAtOnce).map(open));
    return undefined;
  }
  recent = [];
  knownOrders = new Set();
  for (const ids of seen) ids.clear();
  received = nothing();
  return undefined;
}

setInterval(() => {
  for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(heartbeat);
}, heartbeatMs);

process.on("message", (command: Command) => {
  carryOut(command).then(
    (result) => process.send?.({ result }),
    (error: Error) => process.send?.({ error: error.message }),
  );
});
process.on("disconnect", () => process.exit());
