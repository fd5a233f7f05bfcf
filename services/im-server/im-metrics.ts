import type { ServiceBroker } from "moleculer";
import { type Count, countSeries } from "../../broker/metric-series.ts";
import { limits } from "../../config/limits.ts";
import { closeCodes } from "../im-frames.ts";

const gauges = {
  connections: { name: "ovation.im.connections", description: "Connections of users in rooms" },
  rooms: { name: "ovation.im.rooms", description: "Rooms with connections" },
  most: { name: "ovation.im.connections.most", description: "Connections beyond which new ones are refused" },
} as const;
const counters = {
  frames: { name: "ovation.im.frames", description: "Writes of frames to connections" },
  bytes: { name: "ovation.im.bytes", description: "Bytes of frames that were written to connections", unit: "byte" },
} as const;
const closed = { name: "ovation.im.closed", description: "Closed WebSockets, by close code" } as const;

/** WebSocket's own codes that are told apart: normal, going away, no code, cut. */
const ownCodes: ReadonlySet<number> = new Set([1000, 1001, 1005, 1006, ...Object.values(closeCodes)]);

interface Counted {
  readonly connections: { readonly size: number; readonly roomCount: number };
  readonly limits: { readonly connectionsPerNode: number };
}

/** The connections and frames of one im-server node in GET /metrics. */
export class ImMetrics {
  /** Counted where frames are written, tens of thousands of times a second: plain numbers, passed on every few seconds. */
  readonly sent = { frames: 0, bytes: 0 };
  private readonly broker: ServiceBroker;
  private readonly closes = new Map<number | "other", Count>();
  private timer: NodeJS.Timeout | undefined;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
    for (const gauge of Object.values(gauges)) broker.metrics.register({ type: "gauge", ...gauge });
    for (const counter of Object.values(counters)) broker.metrics.register({ type: "counter", ...counter });
    broker.metrics.register({ type: "counter", ...closed, labelNames: ["code"] });
  }

  /** A WebSocket was closed. Clients choose codes: those that are not known count together. */
  countClosed(code: number): void {
    const label = ownCodes.has(code) ? code : "other";
    const count = this.closes.get(label) ?? countSeries(this.broker, closed.name, { code: label });
    this.closes.set(label, count);
    count(1);
  }

  /** Reads the gauges and passes the counts on, every few seconds until `stop`. */
  start({ connections, limits: { connectionsPerNode } }: Counted): void {
    const { metrics } = this.broker;
    metrics.set(gauges.most.name, connectionsPerNode);
    const passOn = {
      frames: countSeries(this.broker, counters.frames.name, {}),
      bytes: countSeries(this.broker, counters.bytes.name, {}),
    };
    const read = () => {
      metrics.set(gauges.connections.name, connections.size);
      metrics.set(gauges.rooms.name, connections.roomCount);
      passOn.frames(this.sent.frames);
      passOn.bytes(this.sent.bytes);
      this.sent.frames = 0;
      this.sent.bytes = 0;
    };
    read();
    this.timer = setInterval(read, limits.metrics.readEveryMs).unref();
  }

  stop(): void {
    clearInterval(this.timer);
  }
}
