import { execFile } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../../config/root.ts";
import { benchStack } from "./im/tiny.ts";

/**
 * Benchmarks as `npm run bench` runs them: in a process of their own, whose nodes log in as themselves, on servers of its
 * own. The sizes say nothing about speed. Those of rooms are tested beside this (im/).
 */

interface Outcome {
  code: number;
  /** The JSON of its last line. */
  result: Record<string, unknown> | undefined;
  errors: string;
}

/**
 * Shorter than a test's: the benchmark is asked to end, and closes what it opened. Those that start several systems take
 * minutes where other programs want the cores.
 */
const endAfterMs = process.env.EVERY_BENCH ? 600_000 : 150_000;

function bench(args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const all = [join(projectRoot(), "bench/bench.ts"), ...args, "--json", "--stack", benchStack()];
  // What belongs to this test file is not for the benchmark, which has a namespace and keys of its own.
  const { PATH, HOME } = process.env;
  const options = { env: { PATH, HOME, ...environment } as NodeJS.ProcessEnv, cwd: projectRoot(), timeout: endAfterMs };
  return new Promise((resolve) => {
    execFile(process.execPath, all, options, (error, stdout, errors) => {
      const line = stdout.trim().split("\n").at(-1) ?? "";
      const result = line.startsWith("{") ? JSON.parse(line) : undefined;
      resolve({ code: error ? Number(error.code ?? 1) : 0, result, errors });
    });
  });
}

describe("npm run bench", () => {
  jest.setTimeout(endAfterMs + 30_000);

  type Small = [name: string, args: string[], measured: Record<string, unknown>];
  const aRate = expect.any(Number);
  // A batch whose ack is late is delivered again.
  const redelivered = expect.any(Number);
  // They take minutes: with EVERY_BENCH=1 alone.
  const others: Small[] = [
    ["settle", ["--gifts", "200", "--no-books"], { books: false, gifts: 200, redelivered, rate: aRate }],
    ["accept", ["--quick", "--seconds", "1"], { rate: aRate, emptyRate: aRate, withoutSettling: { rate: aRate } }],
    ["accept", ["--quick", "--seconds", "1", "--without", "battle,rank,webhook"], { rate: aRate }],
    ["accept", ["--quick", "--seconds", "1", "--traces"], { ratio: aRate, spans: aRate }],
    [
      "webhooks",
      ["--connections", "4", "--rates", "20", "--seconds", "4"],
      { answered: 40, lost: 0, doubled: 0, killed: { answered: 40, lost: 0 } },
    ],
    ["scale", ["--archived", "--accounts", "200", "--gifts", "200"], { archivedRatio: aRate, rounds: 3 }],
    ["gate", ["--quick", "--seconds", "1", "--connections", "8"], { cases: { "1 ms": { ofOff: aRate } } }],
    ["battle", ["--rooms", "2", "--rates", "20", "--seconds", "1"], { battles: 2, unseen: 0, exact: true }],
    ["burst", ["--users", "20"], { accepted: 20, refused: 0, acceptRate: aRate, baselineRate: aRate }],
  ];
  it.each<Small>([
    ["settle", ["--gifts", "200"], { books: true, gifts: 200, redelivered, rate: aRate, baselineRate: aRate }],
    ...(process.env.EVERY_BENCH ? others : []),
  ])("%s %j starts, measures and conserves", async (name, args, measured) => {
    const { code, result, errors } = await bench([name, ...args]);
    expect({ code, errors: code === 0 ? "" : errors }).toEqual({ code: 0, errors: "" });
    expect(result).toMatchObject({ bench: name, conserved: true, ...measured });
  });

  it("ends with the reason and exit code 1 where a service cannot start", async () => {
    const { code, result, errors } = await bench(["settle", "--gifts", "10"], { JETSTREAM_REPLICAS: "3" });
    expect({ code, result }).toEqual({ code: 1, result: undefined });
    expect(errors).toMatch(/replicas/);
  });
});
