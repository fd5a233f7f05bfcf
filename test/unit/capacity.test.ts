import { readFileSync } from "node:fs";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { assumptions, figuresOf, readBench } from "../../scripts/capacity-figures.ts";
import { capacityOf, usualTarget } from "../../scripts/capacity-model.ts";

const about = { when: "2026-11-26T10:00:00.000Z", cores: 2, node: "v24.21.0" };
const burst = {
  ...{ bench: "burst", ...about, statementsPerGift: 0.31 },
  cpuMicrosPerGiftBy: {
    gateway: 200,
    "gift-1": 100,
    wallet: 50,
    mysql: 120,
    nats: 30,
    redis: 20,
    viewers: 900,
    "generator-1": 500,
  },
  peakMb: { gateway: 250, "gift-1": 310, mysql: 900, viewers: 2_000 },
};
const idle = {
  bench: "idle",
  ...about,
  connections: 10_000,
  withGarbage: 7_000,
  bytesPerConnection: 4_000,
  cpuPercent: 20,
  connectsPerSecond: 2_000,
};

test("the figures of the benches are taken with their source, the others are assumed, and a later bench counts", () => {
  const figures = figuresOf([burst, { ...burst, statementsPerGift: 0.4 }, idle]);
  const { servicesMicros, mysqlMicros, natsMicros, redisMicros, nodeMb, statementsPerGift } = figures;
  // The generator and the viewers are none of the system.
  expect([servicesMicros, mysqlMicros, natsMicros, redisMicros].map(({ value }) => value)).toEqual([350, 120, 30, 20]);
  expect([nodeMb.value, statementsPerGift.value]).toEqual([310, 0.4]);
  expect(servicesMicros).toMatchObject({ from: "measured", source: "burst, 2026-11-26T10:00, 2 cores, Node v24.21.0" });
  // 20 % of a core for 10,000 connections.
  expect([figures.connectionBytes.value, figures.idleMicros.value]).toEqual([7_000, 20]);
  expect(figures.frameMicros).toEqual(assumptions.frameMicros);
});

test("frames cost what the busiest run shows, bytes are those of compressed frames, and books what the largest ones take", () => {
  const run = (deliveriesPerSecond: number, imServer: number, bytesPerViewerPerSecond: number) => ({
    ...{
      deliveriesPerSecond,
      framesPerViewerPerSecond: 9.8,
      bytesPerViewerPerSecond,
      serverCpu: { imServer, imRouter: 9 },
    },
  });
  const fanout = {
    bench: "fanout",
    ...about,
    runs: [run(500, 5, 1), run(50_000, 40, 30_000)],
    version2Compressed: [run(50_000, 60, 14_000)],
  };
  const scale = {
    bench: "scale",
    ...about,
    runs: [
      { trades: 1e5, gigabytes: 0.2 },
      { trades: 1e7, gigabytes: 8 },
    ],
  };
  const figures = figuresOf([fanout, scale]);
  expect(figures.frameMicros.value).toBe(8);
  expect(figures.bytesPerViewerPerSecond.value).toBe(14_000);
  expect(figures.storedBytesPerGift.value).toBe(800);
});

test("a bench's JSON is read alone or as the last line of its output, and nothing else is", () => {
  expect(readBench(JSON.stringify(burst, null, 2))).toMatchObject({ bench: "burst" });
  expect(readBench(`[   0.1 s] starting\n${JSON.stringify(idle)}\n`)).toMatchObject({ bench: "idle" });
  expect(() => readBench("{}")).toThrow("no JSON of a bench");
  expect(() => readBench("")).toThrow("no JSON of a bench");
  expect(() => readBench(JSON.stringify({ bench: "storm" }))).toThrow("measures no figure");
});

describe("the capacity", () => {
  const figures = figuresOf([burst, idle]);
  const found = capacityOf(figures, { ...usualTarget, booksFactor: 1, usable: 0.5 });

  test("is computed from CPU time a gift and the share of a core that is planned for", () => {
    // 100,000 senders within 10 s.
    expect(found.peakGifts).toBe(10_000);
    expect(found.cores.services).toBeCloseTo((10_000 * 350) / 1e6 / 0.5);
    expect(found.nodes.services).toBe(7);
    expect(found.cpuSecondsPerMillion).toBe(520);
    expect(found.costPerMillion).toBeCloseTo((520 / 0.5 / 3_600) * 0.04);
    expect(found.database.statementsPerSecond).toBeCloseTo(3_100);
  });

  test("needs im-servers for their connections and for their CPU, whichever are more", () => {
    const quiet = capacityOf(figures, { ...usualTarget, busyShare: 0.000_001, connectionsPerNode: 10_000 });
    expect(quiet.nodes.imServers).toBe(50);
    const busy = capacityOf(figures, { ...usualTarget, busyShare: 1, connectionsPerNode: 500_000 });
    expect(busy.nodes.imServers).toBe(Math.ceil(busy.cores.imServers));
    expect(busy.networkGbitPerSecond).toBeCloseTo((500_000 * 14_200 * 8) / 1e9);
  });

  test("names what breaks first, with the gifts a second at which it does", () => {
    const [first, ...others] = found.limits;
    for (const { used } of others) expect(first?.used).toBeGreaterThanOrEqual(used);
    const mysql = found.limits.find(({ name }) => name.startsWith("MySQL"));
    // 16 cores, of which half are planned for, at 120 µs a gift.
    expect(mysql?.giftsPerSecond).toBe(66_666);
  });

  test("of a faster core is less, and a target that makes no sense is refused", () => {
    expect(capacityOf(figures, { ...usualTarget, coreSpeed: 2 }).cores.services).toBeCloseTo(
      capacityOf(figures, usualTarget).cores.services / 2,
    );
    for (const wrong of [0, -1, Number.NaN, Number.POSITIVE_INFINITY])
      expect(() => capacityOf(figures, { ...usualTarget, online: wrong })).toThrow("online must be above 0");
  });
});

test("docs/capacity.md has the figures that are assumed and what comes of them", () => {
  const text = readFileSync(join(projectRoot(), "docs/capacity.md"), "utf8");
  for (const [name, { value }] of Object.entries(assumptions)) {
    const row = text.split("\n").find((line) => line.startsWith(`| \`${name}\``));
    expect([name, row?.split("|")[2]?.trim()]).toEqual([name, value.toLocaleString("en")]);
  }
  const { nodes, totalCores, peakGifts } = capacityOf(assumptions, usualTarget);
  for (const number of [nodes.services, nodes.imServers, totalCores, peakGifts])
    expect(text).toMatch(new RegExp(`\\| +${number.toLocaleString("en")}\\b`));
});
