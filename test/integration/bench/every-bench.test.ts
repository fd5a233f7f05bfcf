import { execFile } from "node:child_process";
import { dirname, join } from "node:path";
import { projectRoot } from "../../../config/root.ts";

/**
 * Each benchmark as `npm run bench` runs it: in a process of its own, whose nodes log in as themselves, on the test
 * stack's servers. The sizes say nothing about speed.
 */

interface Outcome {
  code: number;
  /** The JSON of its last line. */
  result: Record<string, unknown> | undefined;
  errors: string;
}

function bench(args: readonly string[], environment: Record<string, string> = {}): Promise<Outcome> {
  const file = process.env.TEST_STACK_ENV ?? join(projectRoot(), ".stack/test/env");
  const all = [join(projectRoot(), "bench/bench.ts"), ...args, "--json", "--stack", dirname(file)];
  // What belongs to this test file is not for the benchmark, which has a namespace and keys of its own.
  const env = { PATH: process.env.PATH, HOME: process.env.HOME, ...environment } as NodeJS.ProcessEnv;
  return new Promise((resolve) => {
    execFile(process.execPath, all, { env, cwd: projectRoot() }, (error, stdout, errors) => {
      const line = stdout.trim().split("\n").at(-1) ?? "";
      const result = line.startsWith("{") ? JSON.parse(line) : undefined;
      resolve({ code: error ? Number(error.code ?? 1) : 0, result, errors });
    });
  });
}

const deadlineMs = 120_000;

describe("npm run bench", () => {
  jest.setTimeout(deadlineMs);

  it.each<[name: string, args: string[], measured: Record<string, unknown>]>([
    ["settle", ["--gifts", "200"], { books: true, gifts: 200, redelivered: 0, rate: expect.any(Number) }],
    ["settle", ["--gifts", "200", "--no-books"], { books: false, gifts: 200, rate: expect.any(Number) }],
    ["settle", ["--gifts", "200", "--topology", "cluster"], { topology: "cluster", rate: expect.any(Number) }],
    ["accept", ["--quick", "--seconds", "1"], { rate: expect.any(Number), ratio: expect.any(Number) }],
    ["burst", ["--users", "200"], { accepted: 200, refused: 0, acceptRate: expect.any(Number) }],
    ["latency", ["--rates", "50", "--seconds", "1"], { runs: [expect.objectContaining({ offered: 50, lost: 0 })] }],
    ["scale", ["--accounts", "50", "--gifts", "50"], { gifts: 50, runs: [expect.anything(), expect.anything()] }],
    ["idle", ["--connections", "4", "--seconds", "1"], { connections: 4 }],
    ["fanout", ["--quick", "--viewers", "4", "--rates", "5", "--seconds", "1", "--most", "40"], { senders: 50 }],
    ["rooms", ["--rooms", "2", "--viewers", "2", "--rates", "5", "--seconds", "1"], { runs: [expect.anything()] }],
    ["storm", ["--quick", "--connections", "8", "--rooms", "2", "--rates", "5"], { back: 8, missed: 0, duplicates: 0 }],
  ])("%s %j starts, measures and conserves", async (name, args, measured) => {
    const { code, result, errors } = await bench([name, ...args]);
    expect({ code, errors: code === 0 ? "" : errors }).toEqual({ code: 0, errors: "" });
    expect(result).toMatchObject({ bench: name, conserved: true, ...measured });
  });
});
