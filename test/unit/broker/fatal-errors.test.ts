import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { ServiceBroker } from "moleculer";
import { logDestination, logMetrics } from "../../../broker/log-destination.ts";
import { limits } from "../../../config/limits.ts";
import { projectRoot } from "../../../config/root.ts";

jest.setTimeout(30_000);

const dir = mkdtempSync(join(tmpdir(), "ovation-fatal-errors-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const urlOf = (path: string) => JSON.stringify(pathToFileURL(join(projectRoot(), path)).href);

/** A node's process, without its servers, in which `fault` happens shortly after its start. */
function endedBy(fault: string, logFile: string) {
  const script = `import { ServiceBroker } from "moleculer";
    import { endOnUncaughtErrors, logUncaughtErrorsTo } from ${urlOf("broker/fatal-errors.ts")};
    import { brokerOptions } from ${urlOf("broker/options.ts")};
    endOnUncaughtErrors();
    logUncaughtErrorsTo(new ServiceBroker({ ...brokerOptions({ role: "all" }), transporter: null }));
    setInterval(() => {}, 1000);
    setTimeout(() => { ${fault} }, 10);`;
  const { status, stderr } = spawnSync(process.execPath, ["--input-type=module", "-e", script], {
    cwd: projectRoot(),
    encoding: "utf8",
    timeout: 20_000,
    env: {
      ...process.env,
      NODE_OPTIONS: "",
      PROFILE: "local",
      NATS_URL: "nats://127.0.0.1:1",
      REDIS_URL: "redis://127.0.0.1:1",
      MYSQL_URL: "mysql://nobody@127.0.0.1:1",
      SMS_PROVIDER: "console",
      LOG_LEVEL: "info",
      LOG_FILE: logFile,
    },
  });
  return { status, stderr };
}

function fatalLines(file: string): { msg: string; err: { message: string; stack: string } }[] {
  const lines = readFileSync(file, "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line)).filter(({ level }) => level === 60);
}

test.each([
  ["an exception", `throw new Error("boom")`, /^an uncaught exception ends this process$/, "boom"],
  ["a rejection", `Promise.reject(new Error("boom"))`, /^a rejected promise that nobody handled ends/, "boom"],
  ["something thrown that is no error", `throw { toString: 1, valueOf: 1 }`, /uncaught exception/, "cannot be shown"],
])("%s that nobody catches ends the process, with the error in the log and on stderr", (name, fault, msg, message) => {
  const file = join(dir, name.replaceAll(" ", "-"));
  const { status, stderr } = endedBy(fault, file);
  expect(status).toBe(1);
  expect(fatalLines(file)).toEqual([
    expect.objectContaining({
      msg: expect.stringMatching(msg),
      err: expect.objectContaining({ message: expect.stringContaining(message) }),
    }),
  ]);
  expect(stderr).toContain(message);
});

test("on a full disk the error is on stderr, and the process ends all the same", () => {
  const { status, stderr } = endedBy(`throw new Error("boom")`, "/dev/full");
  expect(status).toBe(1);
  expect(stderr).toContain("boom");
});

test("log lines that had to be dropped are counted in the metrics", async () => {
  const metrics = { enabled: true, reporter: [] };
  const broker = new ServiceBroker({ logger: false, metrics, middlewares: [logMetrics("/dev/full")] });
  const dropped = () => {
    const list = broker.metrics.list({ includes: "ovation.log.lines.dropped" });
    return (list[0]?.values as { value: number }[] | undefined)?.[0]?.value;
  };
  expect(dropped()).toBe(0);
  const log = logDestination("/dev/full");
  const line = `${"x".repeat(1023)}\n`;
  for (let bytes = 0; bytes < limits.log.waitingBytes + 5 * 1024; bytes += line.length) log.write(line);
  expect(dropped()).toBe(5);
  await broker.stop();
});
