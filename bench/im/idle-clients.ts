/** Clients that only send heartbeats, in a separate process. */
import { WebSocket } from "ws";
import { limits } from "../../config/limits.ts";
import type { FromIdleClients, ToIdleClients } from "./idle-messages.ts";

const connectsAtOnce = 100;
/** Each address has its own range of ports. */
const sourceAddresses = 8;
const heartbeat = JSON.stringify({ code: 1004, body: {} });
const slices = 100;

const sockets: WebSocket[] = [];
const faults: string[] = [];

const send = (message: FromIdleClients) => process.send?.(message);

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

/** Every client sends a heartbeat once in `limits.im.heartbeatMs`, spread over that time. */
let slice = 0;
setInterval(() => {
  slice = (slice + 1) % slices;
  for (let at = slice; at < sockets.length; at += slices)
    if (sockets[at]?.readyState === WebSocket.OPEN) sockets[at]?.send(heartbeat);
}, limits.im.heartbeatMs / slices);

process.on("message", (message: ToIdleClients) => {
  if (message.do === "connect")
    connect(message.urls).then(
      () => send({ kind: "connected" }),
      (error: Error) => {
        faults.push(error.message);
        send({ kind: "connected" });
      },
    );
  else {
    const open = sockets.filter(({ readyState }) => readyState === WebSocket.OPEN).length;
    send({ kind: "report", open, faults });
  }
});
process.on("disconnect", () => process.exit());
