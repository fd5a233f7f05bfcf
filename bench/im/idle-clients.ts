/** Clients that say nothing but their heartbeats, in a process of their own. */
import { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import type { FromIdleClients, ToIdleClients } from "./idle-messages.ts";

const connectsAtOnce = 100;
/** Each has ports of its own. */
const sourceAddresses = 8;
const heartbeat = JSON.stringify({ code: 1004, body: {} });
const slices = 100;

const sockets: WebSocket[] = [];
const faults: string[] = [];

const tell = (message: FromIdleClients) => process.send?.(message);

function open(url: string): Promise<void> {
  const localAddress = `127.0.0.${2 + (sockets.length % sourceAddresses)}`;
  const socket = new WebSocket(url, { perMessageDeflate: false, localAddress });
  sockets.push(socket);
  socket.on("close", (code, reason) => faults.push(`closed with ${code} ${reason}`));
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.once("close", (code, reason) => reject(new Error(`closed with ${code} ${reason} instead of greeted`)));
    socket.once("message", () => resolve());
  });
}

async function connect(urls: readonly string[]): Promise<void> {
  const waiting = urls.values();
  const worker = async () => {
    for (const url of waiting) await open(url);
  };
  await Promise.all(Array.from({ length: connectsAtOnce }, worker));
}

/** Every client beats once in `limits.im.heartbeatMs`, a slice of them at a time, as clients that came one by one do. */
let slice = 0;
setInterval(() => {
  slice = (slice + 1) % slices;
  for (let at = slice; at < sockets.length; at += slices)
    if (sockets[at]?.readyState === WebSocket.OPEN) sockets[at]?.send(heartbeat);
}, limits.im.heartbeatMs / slices);

process.on("message", (message: ToIdleClients) => {
  if (message.do === "connect")
    connect(message.urls).then(
      () => tell({ say: "connected" }),
      (error: Error) => {
        faults.push(error.message);
        tell({ say: "connected" });
      },
    );
  else {
    const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    tell({ say: "report", open, faults });
  }
});
process.on("disconnect", () => process.exit());
