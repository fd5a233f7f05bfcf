import { once } from "node:events";
import { WebSocket } from "ws";
import { bizCodes, frameCodes } from "../../services/im-frames.ts";
import { carryOutJobs } from "../support/job-process.ts";

/** The anchors of the battles as viewers of their own rooms, in a process of their own. */

export type ViewersJob = { kind: "enter"; viewers: readonly { roomId: number; url: string }[] } | { kind: "report" };

/** A frame with scores as one viewer got it. */
export interface ScoreFrame {
  roomId: number;
  battleId: string;
  /** Coins by user id. */
  scores: Record<string, number>;
  /** Unix ms. */
  at: number;
}

export interface ViewersReport {
  frames: readonly ScoreFrame[];
  /** Lost connections. */
  faults: readonly string[];
}

interface Frame {
  code: number;
  body: { bizCode?: number; data?: { battleId: string; scores: { userId: string; score: number }[] } };
}

const heartbeatMs = 25_000;
const enteredTogether = 20;
const heartbeat = JSON.stringify({ code: frameCodes.heartbeat, body: {} });
const scoresCode = `"bizCode":${bizCodes.battleScores}`;

const sockets: WebSocket[] = [];
const faults: string[] = [];
const frames: ScoreFrame[] = [];

function take(roomId: number, text: string): void {
  const at = Date.now();
  // Most frames are of gifts.
  if (!text.includes(scoresCode)) return;
  const { body } = JSON.parse(text) as Frame;
  if (body.bizCode !== bizCodes.battleScores || !body.data) return;
  const { battleId, scores } = body.data;
  frames.push({ roomId, battleId, at, scores: Object.fromEntries(scores.map(({ userId, score }) => [userId, score])) });
}

async function enter({ roomId, url }: { roomId: number; url: string }): Promise<void> {
  const socket = new WebSocket(url);
  // The greeting is the first frame; `once` rejects where the socket fails before it.
  const [greeting] = (await once(socket, "message")) as [Buffer];
  const { code } = JSON.parse(greeting.toString()) as { code: number };
  if (code !== frameCodes.login) throw new Error(`a viewer was not greeted: ${greeting.toString()}`);
  sockets.push(socket);
  socket.on("message", (bytes: Buffer) => take(roomId, bytes.toString()));
  socket.on("close", (code) => faults.push(`the viewer of room ${roomId} was closed with ${code}`));
  socket.on("error", (error) => faults.push(`the viewer of room ${roomId}: ${error.message}`));
}

async function carryOut(job: ViewersJob): Promise<unknown> {
  if (job.kind === "report") return { frames, faults } satisfies ViewersReport;
  for (let from = 0; from < job.viewers.length; from += enteredTogether)
    await Promise.all(job.viewers.slice(from, from + enteredTogether).map(enter));
  return null;
}

/** The server closes a socket that sends nothing for long. */
setInterval(() => {
  for (const socket of sockets) if (socket.readyState === WebSocket.OPEN) socket.send(heartbeat);
}, heartbeatMs).unref();

carryOutJobs(carryOut);
