import type { Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import type { BackgroundLoop } from "../../../mixins/background-loop.ts";
import type { Skew } from "../../../mixins/clock/skew.ts";
import { watchClock } from "../../../mixins/clock/watch-clock.ts";
import { eventually } from "../../support/eventually.ts";

/** Two services of one node whose clocks are read from a list, each reading at once after the one before it. */
function watched(...readings: readonly (Partial<Skew> | Error)[]) {
  const lines: string[] = [];
  const values: number[] = [];
  const write = (level: string) => (_about: object, text: string) => void lines.push(`${level} ${text.slice(0, 22)}`);
  const logger = { error: write("error"), info: write("info"), warn: write("warn") };
  const broker = { metrics: { register: () => {}, set: (_name: string, value: number) => values.push(value) } };
  const loops: BackgroundLoop[] = [];
  const watch = (name: string, left: (Partial<Skew> | Error)[]) =>
    new Promise<void>((resolve) => {
      const loop = watchClock({ name, broker, logger } as unknown as Service, "mysql", async () => {
        const next = left.shift();
        if (!next) resolve();
        else queueMicrotask(() => loop.wake());
        if (next instanceof Error) throw next;
        return next ? [{ server: "db", ms: 0, uncertainMs: 1, ...next }] : [];
      });
      loops.push(loop);
    });
  return {
    ...{ lines, values },
    run: async () => {
      await Promise.all([watch("wallet", [...readings]), watch("gift", [...readings])]);
      await Promise.all(loops.map((loop) => loop.stop()));
    },
  };
}

test("a wrong clock is reported once a node, and again when it is right", async () => {
  const node = watched({ ms: 30_000 }, { ms: 31_000 }, { ms: 4 }, { ms: 3 });
  await node.run();
  expect(node.lines.filter((line) => line.startsWith("error"))).toHaveLength(1);
  expect(node.lines).toEqual(["error a server's clock and t", "info the clocks of server a"]);
  expect(node.values).toContain(30);
});

test("a reading that is too uncertain is not used, and a server that is away is no line in the log", async () => {
  const node = watched({ ms: 30_000, uncertainMs: 2_000 }, fail("unavailable", { database: "x" }), { ms: 900 });
  await node.run();
  expect(node.lines).toEqual([]);
  expect(node.values).toEqual([0.9, 0.9]);
});

test("what is neither certainly wrong nor certainly right changes nothing", async () => {
  const node = watched({ ms: 5_000 }, { ms: 900, uncertainMs: 400 }, { ms: 1_100, uncertainMs: 400 });
  await node.run();
  await eventually("reported", () => node.lines.length === 1);
  expect(node.lines[0]).toMatch(/^error/);
});
