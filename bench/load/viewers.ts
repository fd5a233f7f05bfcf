import { once } from "node:events";
import { WebSocket } from "ws";
import { bizCodes, frameCodes } from "../../services/im-frames.ts";
import type { WatchJob, WatchReport } from "./jobs.ts";
import type { Sightings } from "./sightings.ts";

const heartbeatMs = 25_000;
const connectedTogether = 20;

interface GiftFrame {
  code: number;
  body: { bizCode?: number; data?: { gifts?: { orderIds: string[] }[] } };
}

const connected = new Set<WebSocket>();

/** Connects the viewers; `sightings` records every gift that they are shown. */
export async function watch({ viewers }: WatchJob, sightings: Sightings): Promise<WatchReport> {
  for (let from = 0; from < viewers.length; from += connectedTogether) {
    const some = viewers.slice(from, from + connectedTogether);
    await Promise.all(some.map(({ roomId, url }, i) => connectViewer(from + i, roomId, url, sightings)));
  }
  return { viewers: connected.size };
}

/** Disconnects all viewers; `sightings` stays. */
export async function leave(): Promise<WatchReport> {
  for (const socket of connected) {
    socket.removeAllListeners("close");
    socket.terminate();
  }
  connected.clear();
  return { viewers: 0 };
}

async function connectViewer(viewer: number, roomId: number, url: string, sightings: Sightings): Promise<void> {
  const socket = new WebSocket(url);
  // The greeting is the first frame; `once` rejects where the socket fails before it.
  const [greeting] = (await once(socket, "message")) as [Buffer];
  const { code } = JSON.parse(greeting.toString()) as GiftFrame;
  if (code !== frameCodes.login) throw new Error(`viewer ${viewer} was not greeted: ${greeting.toString()}`);
  connected.add(socket);
  sightings.addViewer(viewer, roomId);
  socket.on("message", (data: Buffer) => {
    const at = performance.now();
    const { code, body } = JSON.parse(data.toString()) as GiftFrame;
    if (code !== frameCodes.business || body.bizCode !== bizCodes.gift) return;
    for (const { orderIds } of body.data?.gifts ?? [])
      for (const orderId of orderIds) sightings.seen(orderId, viewer, at);
  });
  socket.on("close", (code, reason) => {
    connected.delete(socket);
    process.stderr.write(`viewer ${viewer} was closed: ${code} ${String(reason)}\n`);
  });
  socket.on("error", (error) => process.stderr.write(`viewer ${viewer}: ${error.message}\n`));
}

/** The server closes a socket that sends nothing for long. */
setInterval(() => {
  for (const socket of connected) socket.send(JSON.stringify({ code: frameCodes.heartbeat, body: {} }));
}, heartbeatMs).unref();
