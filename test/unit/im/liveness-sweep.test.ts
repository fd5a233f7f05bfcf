import { Connection } from "../../../services/im-server/connection.ts";
import { LivenessSweep } from "../../../services/im-server/liveness-sweep.ts";

const bounds = { heartbeatTimeoutMs: 1_000, pingAfterMs: 400, pongTimeoutMs: 200 };
const everyMs = 50;

function connected() {
  const closes: [number, string][] = [];
  let pings = 0;
  const socket = {
    OPEN: 1,
    readyState: 1,
    ping: () => pings++,
    close: (...why: [number, string]) => {
      closes.push(why);
      socket.readyState = 2;
    },
  };
  const host = {
    nodeId: "n",
    limits: { sendQueueBytes: 1_000 },
    messageRate: { take: () => true },
    sent: { frames: 0, bytes: 0 },
  };
  const connection = new Connection(socket as never, host, {
    connectionId: "c",
    userId: "7",
    roomId: 1,
    generation: 1,
    anchorId: "1",
    form: "1",
  });
  return { connection, closes, pings: () => pings, start: connection.receivedAt };
}

/** Sweeps as the node does, all the time until `untilMs`. */
function sweeps(sweep: LivenessSweep, connection: Connection, fromMs: number, untilMs: number): void {
  for (let at = fromMs; at <= untilMs; at += everyMs) sweep.sweep([connection], at);
}

test("a line that answers no ping is closed, long before the heartbeat times out", () => {
  const { connection, closes, pings, start } = connected();
  const sweep = new LivenessSweep(bounds, everyMs, start);
  sweeps(sweep, connection, start, start + 550);
  expect([pings(), closes]).toEqual([1, []]);
  sweeps(sweep, connection, start + 600, start + 600);
  expect(closes).toEqual([[4504, "no answer to a ping"]]);
});

test("a node that was paused closes nobody for that time: what the clients sent is still to be read", () => {
  const { connection, closes, start } = connected();
  const sweep = new LivenessSweep(bounds, everyMs, start);
  sweeps(sweep, connection, start, start + 450);
  // Stopped for a minute: whether the ping was answered is not known yet.
  expect(sweep.sweep([connection], start + 60_450)).toBe(true);
  expect(closes).toEqual([]);
  sweeps(sweep, connection, start + 60_500, start + 61_000);
  expect(closes).toEqual([]);
  // Later it is judged like any other.
  sweeps(sweep, connection, start + 61_050, start + 61_100);
  expect(closes).toEqual([[4504, "no answer to a ping"]]);
});
