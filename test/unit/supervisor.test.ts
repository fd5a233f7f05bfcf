import { startChild } from "../../scripts/children.ts";
import { Supervised } from "../../scripts/supervisor.ts";

jest.setTimeout(30_000);

const limits = { most: 2, withinMs: 600_000, firstPauseMs: 10, maxPauseMs: 10 };

let told: string[];
let sample: Supervised<string> | undefined;
beforeEach(() => {
  told = [];
});
afterEach(() => sample?.stop());

/** A child that runs the first of these shell scripts at its first start, and the second at every other. */
function supervise(first: string, later: string): Supervised<string> {
  const start = (former: string | undefined) =>
    startChild({
      name: "sample",
      command: "sh",
      args: ["-c", former === undefined ? first : later],
      output: { to: () => undefined },
      ready: /^ready (.*)$/,
      readyDeadlineMs: former === undefined ? 20_000 : 500,
    });
  const read = (match: RegExpMatchArray | undefined) => match?.[1] ?? "";
  sample = new Supervised({ name: "sample", start, read, limits, tell: (line) => told.push(line) });
  return sample;
}

const linesLike = (pattern: RegExp) => told.filter((line) => pattern.test(line));

test("one that is never ready after a restart is started again up to the limit, although it ends with 0 when asked to", async () => {
  const { over } = supervise("echo ready 1; exit 1", `trap "exit 0" TERM; while :; do sleep 0.05; done`);
  expect(await over).toBe("givenUp");
  expect(linesLike(/^sample did not come back: sample was not ready within 0\.5 s/)).toHaveLength(2);
  expect(linesLike(/^sample \(pid \d+\) was ended, since it was not ready in time, with exit code 0\./)).toHaveLength(
    2,
  );
  expect(linesLike(/^sample is started again in 0\.01 s/)).toHaveLength(2);
  expect(told.at(-1)).toBe("sample is not started again (restarts: 2 within 10 minutes)");
});

test("one that is asked to end while it starts again stays down", async () => {
  const { over } = supervise("echo ready 1; exit 1", "exit 0");
  expect(await over).toBe("ended");
  expect(told.at(-1)).toMatch(/^sample \(pid \d+\) ended with exit code 0, as asked$/);
  expect(linesLike(/did not come back/)).toEqual([]);
});
