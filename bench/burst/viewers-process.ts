import { once } from "node:events";
import { WebSocket } from "ws";
import { frameCodes } from "../../services/im-frames.ts";
import { carryOutJobs } from "../support/job-process.ts";
import { type Seen, SeenGifts, type Version } from "./seen-gifts.ts";

/** The viewers of the burst, in a process of their own. */

export interface EnteringViewer {
  roomId: number;
  url: string;
  /** Of the protocol, as `url` asks for it. */
  version: Version;
}

export type ViewersJob =
  | { kind: "enter"; viewers: readonly EnteringViewer[] }
  | { kind: "orders" }
  | { kind: "report" };

export interface ViewersReport {
  seen: readonly Seen[];
  /** When an order was last seen for the first time, Unix ms. */
  lastAt: number;
  /** Lost connections. */
  faults: readonly string[];
}

const heartbeatMs = 25_000;
const enteredTogether = 20;
const heartbeat = JSON.stringify({ code: frameCodes.heartbeat, body: {} });

const sockets: WebSocket[] = [];
const faults: string[] = [];
const seen = new SeenGifts();

async function enter({ roomId, url, version }: EnteringViewer): Promise<void> {
  const socket = new WebSocket(url, { perMessageDeflate: false, skipUTF8Validation: true });
  // The greeting is the first frame; `once` rejects where the socket fails before it.
  const [greeting] = (await once(socket, "message")) as [Buffer];
  const { code } = JSON.parse(greeting.toString()) as { code: number };
  if (code !== frameCodes.login) throw new Error(`a viewer was not greeted: ${greeting.toString()}`);
  const viewer = seen.add(roomId, version);
  sockets.push(socket);
  socket.on("message", (bytes: Buffer, isBinary) => seen.take(viewer, { bytes, isBinary }, Date.now()));
  socket.on("close", (code) => faults.push(`viewer ${viewer} was closed with ${code}`));
  socket.on("error", (error) => faults.push(`viewer ${viewer}: ${error.message}`));
}

async function carryOut(job: ViewersJob): Promise<unknown> {
  if (job.kind === "orders") return seen.orders;
  if (job.kind === "report") return { seen: seen.report(), lastAt: seen.lastAt, faults } satisfies ViewersReport;
  for (let from = 0; from < job.viewers.length; from += enteredTogether)
    await Promise.all(job.viewers.slice(from, from + enteredTogether).map(enter));
  return null;
}

/** The server closes a socket that sends nothing for long. */
setInterval(() => {
  for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(heartbeat);
}, heartbeatMs);

carryOutJobs(carryOut);
