import { execFile } from "node:child_process";
import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";

/** The short drill, as `npm run drill -- --short` runs it: in processes of its own, on three servers of each kind. */

/** About two minutes on two free cores. */
const endAfterMs = 600_000;
jest.setTimeout(endAfterMs + 60_000);

interface Row {
  name: string;
  [figure: string]: unknown;
}

interface Ended {
  code: number;
  report: { problems: string[]; rows: Row[] } | undefined;
  errors: string;
}

function drill(...args: string[]): Promise<Ended> {
  const dir = join(projectRoot(), ".stack/test-drill");
  const all = [join(projectRoot(), "drill/drill.ts"), ...args, "--json", "--dir", dir];
  // What belongs to this test file is not for the drill, which has a namespace and keys of its own.
  const { PATH, HOME, NODE_COMPILE_CACHE } = process.env;
  const env = { PATH, HOME, NODE_COMPILE_CACHE } as NodeJS.ProcessEnv;
  return new Promise((resolve) => {
    execFile(process.execPath, all, { env, cwd: projectRoot(), timeout: endAfterMs }, (error, stdout, errors) => {
      const line = stdout.trim().split("\n").at(-1) ?? "";
      const report = line.startsWith("{") ? JSON.parse(line) : undefined;
      resolve({ code: error ? Number(error.code ?? 1) : 0, report, errors });
    });
  });
}

test("a service killed, the writer of MySQL killed, the leader of EVENTS lost with its disk: nothing is lost, doubled or missed in silence", async () => {
  const { code, report, errors } = await drill("--short");
  const shown = code === 0 ? "" : `${errors}\n${JSON.stringify(report?.rows, null, 1)}`;
  expect({ code, shown }).toEqual({ code: 0, shown: "" });
  expect(report?.rows.map(({ name }) => name)).toEqual(["kill-wallet", "kill-mysql-writer", "wipe-nats-leader"]);
  for (const row of report?.rows ?? []) {
    expect(row).toMatchObject({ lost: 0, doubled: 0, missedInSilence: 0, overdrafts: 0, ok: true });
    expect(row.gifts).toBeGreaterThan(100);
    expect(row.payments).toBeGreaterThan(0);
  }
  expect(report?.problems).toEqual([]);
});
