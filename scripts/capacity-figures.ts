/** What the benches measured, as the capacity page needs it. Pure. */

/** A figure with where it comes from. */
export interface Figure {
  readonly value: number;
  /** `measured`: of a bench's JSON; `assumed`: of docs/performance.md, or a guess that docs/capacity.md explains. */
  readonly from: "measured" | "assumed";
  /** For people: the bench with its time and machine, or why it is assumed so. */
  readonly source: string;
}

/** In CPU time of one core of the machine that was measured. */
export interface Figures {
  /** CPU of services for one gift, from its request to its frame being handed over, µs. */
  readonly servicesMicros: Figure;
  readonly natsMicros: Figure;
  readonly redisMicros: Figure;
  readonly mysqlMicros: Figure;
  readonly statementsPerGift: Figure;
  /** Resident memory of a connection at an im-server, with its garbage, bytes. */
  readonly connectionBytes: Figure;
  /** CPU of an im-server for a connection that only beats, µs a second. */
  readonly idleMicros: Figure;
  /** CPU of an im-server for one frame to one viewer, µs. */
  readonly frameMicros: Figure;
  /** In a busy room. */
  readonly framesPerViewerPerSecond: Figure;
  readonly bytesPerViewerPerSecond: Figure;
  /** Connects that one im-server takes in a second. */
  readonly connectsPerSecond: Figure;
  /** Tables and indexes of wallet and gift for one gift, bytes. */
  readonly storedBytesPerGift: Figure;
  /** Resident memory of a node of services under load, MB. */
  readonly nodeMb: Figure;
}

export type FigureName = keyof Figures;

const assumed = (value: number, source: string): Figure => ({ value, from: "assumed", source });

/** Where no bench's JSON has a figure. Each is explained in docs/capacity.md. */
export const assumptions: Figures = {
  servicesMicros: assumed(430, "burst: 656 µs a gift in all, of which services take about two thirds"),
  natsMicros: assumed(40, "the same, by the shares of settle"),
  redisMicros: assumed(46, "the same, by the shares of settle"),
  mysqlMicros: assumed(140, "the same, by the shares of settle"),
  statementsPerGift: assumed(0.2, "batches of hundreds of gifts share their statements"),
  connectionBytes: assumed(7_100, "idle: 15,000 connections, with garbage"),
  idleMicros: assumed(10, "a heartbeat each 30 s, its answer, and the share of the sweeps"),
  frameMicros: assumed(8, "a WebSocket write of a shared buffer: about 128,000 frames a second and core"),
  framesPerViewerPerSecond: assumed(10, "a tick of 100 ms: a busy room gets one frame in each"),
  bytesPerViewerPerSecond: assumed(14_200, "fanout: 1000 gifts/s of 50 senders, version 2 compressed"),
  connectsPerSecond: assumed(430, "storm: 5,000 clients back in 11.6 s on a loaded machine"),
  storedBytesPerGift: assumed(
    900,
    "a row each in ledger and records with their indexes, and shares of seals and outbox",
  ),
  nodeMb: assumed(300, "a node of one service under load"),
};

/** Which bench measures a figure. */
export const benchOf: Readonly<Record<FigureName, string>> = {
  ...{ servicesMicros: "burst", natsMicros: "burst", redisMicros: "burst", mysqlMicros: "burst" },
  ...{ statementsPerGift: "burst", nodeMb: "burst", connectionBytes: "idle", idleMicros: "idle" },
  ...{ frameMicros: "fanout", framesPerViewerPerSecond: "fanout", bytesPerViewerPerSecond: "fanout" },
  ...{ connectsPerSecond: "idle", storedBytesPerGift: "scale" },
};

type Json = Readonly<Record<string, unknown>>;

const isObject = (value: unknown): value is Json =>
  typeof value === "object" && value !== null && !Array.isArray(value);
const objectOf = (value: unknown): Json => (isObject(value) ? value : {});
const listOf = (value: unknown): Json[] => (Array.isArray(value) ? value.filter(isObject) : []);
const numberOf = (value: unknown): number | undefined =>
  typeof value === "number" && Number.isFinite(value) && value >= 0 ? value : undefined;

type Found = Partial<Record<FigureName, number>>;

const servers = { nats: /^nats/, redis: /^redis/, mysql: /^(mysql|mariadb)/ } as const;
/** What the benches run beside the system. */
const outside = /^(viewers|generator|people|load)/;

function ofBurst(json: Json): Found {
  const parts = Object.entries(objectOf(json.cpuMicrosPerGiftBy)).filter(([name]) => !outside.test(name));
  if (parts.length === 0) return {};
  const sum = (is: (name: string) => boolean) =>
    parts.filter(([name]) => is(name)).reduce((all, [, micros]) => all + (numberOf(micros) ?? 0), 0);
  const isServer = (name: string) => Object.values(servers).some((server) => server.test(name));
  const nodes = Object.entries(objectOf(json.peakMb)).filter(([name]) => !isServer(name) && !outside.test(name));
  const nodeMb = Math.max(0, ...nodes.map(([, mb]) => numberOf(mb) ?? 0));
  return {
    servicesMicros: sum((name) => !isServer(name)),
    natsMicros: sum((name) => servers.nats.test(name)),
    redisMicros: sum((name) => servers.redis.test(name)),
    mysqlMicros: sum((name) => servers.mysql.test(name)),
    statementsPerGift: numberOf(json.statementsPerGift),
    ...(nodeMb > 0 && { nodeMb }),
  };
}

function ofIdle(json: Json): Found {
  const connections = numberOf(json.connections);
  const percent = numberOf(json.cpuPercent);
  return {
    connectionBytes: numberOf(json.withGarbage) ?? numberOf(json.bytesPerConnection),
    connectsPerSecond: numberOf(json.connectsPerSecond),
    ...(connections && percent !== undefined && { idleMicros: (percent * 10_000) / connections }),
  };
}

/** Of the run with the most frames: there the fixed costs count least. Compressed frames, where they were measured. */
function ofFanout(json: Json): Found {
  const busiest = (runs: Json[]) =>
    runs.toSorted((a, b) => (numberOf(b.deliveriesPerSecond) ?? 0) - (numberOf(a.deliveriesPerSecond) ?? 0))[0];
  const run = busiest(listOf(json.runs));
  if (!run) return {};
  const micros = (numberOf(objectOf(run.serverCpu).imServer) ?? 0) * 10_000;
  const frames = numberOf(run.deliveriesPerSecond) ?? 0;
  const compressed = busiest(listOf(json.version2Compressed)) ?? run;
  return {
    ...(micros > 0 && frames > 0 && { frameMicros: micros / frames }),
    framesPerViewerPerSecond: numberOf(run.framesPerViewerPerSecond),
    bytesPerViewerPerSecond: numberOf(compressed.bytesPerViewerPerSecond),
  };
}

/** Of the largest books. */
function ofScale(json: Json): Found {
  const [run] = listOf(json.runs).toSorted((a, b) => (numberOf(b.trades) ?? 0) - (numberOf(a.trades) ?? 0));
  const [bytes, trades] = [(numberOf(run?.gigabytes) ?? 0) * 1e9, numberOf(run?.trades) ?? 0];
  return bytes > 0 && trades > 0 ? { storedBytesPerGift: bytes / trades } : {};
}

const readers: Readonly<Record<string, (json: Json) => Found>> = {
  burst: ofBurst,
  idle: ofIdle,
  fanout: ofFanout,
  scale: ofScale,
};

/**
 * The JSON of a bench in a text: all of it, or its last line (`--json`). @throws Error where there is none, or it is of a
 * bench that measures none of the figures
 */
export function readBench(text: string): Json {
  const lines = text.trim().split("\n");
  for (const candidate of [text, lines.at(-1) ?? ""])
    try {
      const json: unknown = JSON.parse(candidate);
      if (isObject(json) && typeof json.bench === "string") {
        if (json.bench in readers) return json;
        throw new RangeError(
          `bench ${json.bench} measures no figure of the capacity: give ${Object.keys(readers).join(", ")}`,
        );
      }
    } catch (error) {
      if (error instanceof RangeError) throw error;
    }
  throw new Error("no JSON of a bench: npm run bench -- NAME --json");
}

/** The figures by these benches, a later one before an earlier one, and by assumptions where they have none. */
export function figuresOf(benches: readonly Json[]): Figures {
  const figures: Record<FigureName, Figure> = { ...assumptions };
  for (const json of benches) {
    const source = `${json.bench}, ${String(json.when ?? "time unknown").slice(0, 16)}, ${json.cores ?? "?"} cores, Node ${json.node ?? "?"}`;
    for (const [name, value] of Object.entries(readers[json.bench as string]?.(json) ?? {}))
      if (value !== undefined) figures[name as FigureName] = { value, from: "measured", source };
  }
  return figures;
}
