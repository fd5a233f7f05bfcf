import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, constants, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { createServer, type Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { serviceNames } from "../../broker/launch.ts";
import { projectRoot } from "../../config/root.ts";
import { type Child, startChild } from "../../scripts/children.ts";
import type { NodeReady } from "../../scripts/node-child.ts";
import { eventually } from "../support/eventually.ts";
import { startNode, stopAll, waitForNode } from "../support/system.ts";

/** Nodes that end by themselves, and what becomes of everything when npm, a supervisor or a log goes. */
jest.setTimeout(120_000);

const dir = mkdtempSync(join(tmpdir(), "ovation-supervision-"));
const started: Child[] = [];

afterEach(async () => {
  await Promise.all(started.splice(0).map((child) => child.stop(25_000)));
});
afterAll(async () => {
  await stopAll();
  rmSync(dir, { recursive: true, force: true });
});

interface Run {
  child: Child;
  /** What it has said so far. */
  lines: string[];
}

/** On the test's servers, with a folder and ports of its own. */
function run(
  command: string,
  args: readonly string[],
  ready: RegExp,
  env: Record<string, string | undefined> = {},
): Run {
  const lines: string[] = [];
  const child = startChild({
    name: `${command} ${args.join(" ")}`,
    command,
    args,
    cwd: projectRoot(),
    env: {
      NODE_OPTIONS: undefined,
      STACK_DIR: dir,
      ...{ API_PORT: undefined, ADMIN_PORT: undefined },
      LOG_LEVEL: "info",
      ...env,
    },
    output: { to: (line) => lines.push(line) },
    ready,
    readyDeadlineMs: 90_000,
  });
  started.push(child);
  return { child, lines };
}

const clusterReady = /^ready (\{.*\})$/;
const nothingElse = serviceNames.filter((name) => name !== "notification").map((name) => `${name}=0`);
const clusterArgs = ["--logs", join(dir, "logs"), "notification=1", ...nothingElse];

async function nodePids({ child }: Run): Promise<number[]> {
  const { nodes } = JSON.parse((await child.ready)?.[1] ?? "{}") as { nodes: NodeReady[] };
  return nodes.map(({ pid }) => pid);
}

function parentOf(pid: number): number {
  return Number(execFileSync("ps", ["-o", "ppid=", "-p", String(pid)], { encoding: "utf8" }));
}

const gone = (pid: number) => eventually(`process ${pid} is gone`, () => !isAlive(pid), 20_000);

function isAlive(pid: number): boolean {
  try {
    // A zombie is still there for kill().
    return !execFileSync("ps", ["-o", "stat=", "-p", String(pid)], { encoding: "utf8" }).startsWith("Z");
  } catch {
    return false;
  }
}

/** The capture of the nth line that matches, once it has been said. */
function said({ lines }: Run, pattern: RegExp, nth = 1): Promise<string> {
  const found = () => lines.map((line) => pattern.exec(line)).filter((match) => match !== null)[nth - 1];
  return eventually(`line ${nth} like ${pattern}`, () => found()?.[1], 90_000).catch((error: Error) => {
    throw new Error(`${error.message}; it said:\n${lines.join("\n")}`);
  });
}

describe("npm start", () => {
  test("services that are killed come back at the same addresses; SIGTERM to npm alone ends everything", async () => {
    const system = run("npm", ["start"], /^Ovation is at (http:\S+)\/ /);
    const url = (await system.child.ready)?.[1] as string;
    const up = /^services: all \d+ are up \(pid (\d+),/;
    const first = Number(await said(system, up));
    process.kill(first, "SIGKILL");
    expect(await said(system, /^services \(pid (\d+)\) ended by itself, with SIGKILL\./)).toBe(String(first));
    expect(await said(system, /^services is started again in 0.5 s \((restart 1 of 5)/)).toBe("restart 1 of 5");
    const second = Number(await said(system, up, 2));
    expect(second).not.toBe(first);
    const address = /^(Ovation is at .*)$/;
    expect(await said(system, address, 2)).toBe(await said(system, address, 1));
    const isReady = () =>
      fetch(`${url}/health/ready`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually("ready again", isReady, 20_000);

    const supervisor = parentOf(second);
    process.kill(system.child.pid as number, "SIGTERM");
    await Promise.all([system.child.exited, gone(second), gone(supervisor)]);
    expect(await said(system, /^stopping \((SIGTERM)\)/)).toBe("SIGTERM");
  });
});

describe("npm run cluster", () => {
  test("a node that is killed is started again, up to the limit, and each restart is reported with its pid", async () => {
    const cluster = run("npm", ["run", "cluster", "--", "--restarts", "1", ...clusterArgs], clusterReady);
    const [first] = (await nodePids(cluster)) as [number];
    process.kill(first, "SIGKILL");
    const again = Number(await said(cluster, /^notification-1 +pid (\d+) /, 2));
    expect(again).not.toBe(first);
    process.kill(again, "SIGKILL");
    await said(cluster, /^(notification-1 is not started again \(restarts: 1 within 10 minutes\))/);
    await said(cluster, /^(no node is left, and some ended too often)/);
    expect((await cluster.child.exited).code).toBe(1);
  });

  test("whose port is taken does not start: its API_URL would lead to whoever has the port", async () => {
    const occupied = createServer().listen(0, "0.0.0.0") as Server;
    await once(occupied, "listening");
    const { port } = occupied.address() as { port: number };
    const gatewayAlone = [...clusterArgs, "notification=0", "api-gateway=1"];
    const cluster = run("npm", ["run", "cluster", "--", ...gatewayAlone], clusterReady, { API_PORT: String(port) });
    cluster.child.ready.catch(() => undefined);
    expect((await cluster.child.exited).code).toBe(1);
    expect(cluster.lines.join("\n")).toContain("EADDRINUSE");
    occupied.close();
  });

  test("a node that is asked to end stays down; SIGINT to npm alone ends the others and the supervisor", async () => {
    const cluster = run("npm", ["run", "cluster", "--", ...clusterArgs, "notification=2"], clusterReady);
    const [told, other] = await nodePids(cluster);
    process.kill(told as number, "SIGTERM");
    await said(cluster, /^(notification-1 \(pid \d+\) ended with exit code 0, as asked)$/);
    const supervisor = parentOf(other as number);
    process.kill(cluster.child.pid as number, "SIGINT");
    await Promise.all([cluster.child.exited, gone(other as number), gone(supervisor)]);
    expect(cluster.lines.filter((line) => line.startsWith("notification-1 "))).toHaveLength(2);
  });

  test("npm that is killed takes the supervisor and its nodes with it", async () => {
    const cluster = run("npm", ["run", "cluster", "--", ...clusterArgs], clusterReady);
    const [pid] = (await nodePids(cluster)) as [number];
    const supervisor = parentOf(pid);
    process.kill(cluster.child.pid as number, "SIGKILL");
    await Promise.all([gone(pid), gone(supervisor)]);
  });

  test("nodes whose supervisor is killed end as if asked to", async () => {
    const args = [join(projectRoot(), "scripts/cluster.ts"), ...clusterArgs];
    const cluster = run(process.execPath, args, clusterReady);
    const [pid] = (await nodePids(cluster)) as [number];
    process.kill(cluster.child.pid as number, "SIGKILL");
    await gone(pid);
  });
});

describe("one node", () => {
  const node = (names: string[], env: Record<string, string | undefined>) =>
    run(process.execPath, [join(projectRoot(), "scripts/node.ts"), ...names], clusterReady, env);

  test("on a full log disk it works, reports it once, and SIGTERM ends it with 0", async () => {
    const { child, lines } = node(["notification"], { LOG_FILE: "/dev/full", LOG_LEVEL: "trace" });
    await child.ready;
    const stoppedAt = Date.now();
    expect(await child.stop(20_000)).toEqual({ code: 0, signal: null });
    expect(Date.now() - stoppedAt).toBeLessThan(10_000);
    expect(lines.filter((line) => line.includes("/dev/full cannot be written (ENOSPC"))).toHaveLength(1);
  });

  test("with an output that nobody reads it starts, works, and SIGTERM ends it with 0", async () => {
    const full = fullPipe();
    const nodeId = `unread-${process.pid}`;
    const child = spawn(process.execPath, [join(projectRoot(), "scripts/node.ts"), "notification"], {
      cwd: projectRoot(),
      env: { ...process.env, NODE_OPTIONS: "", NODE_ID: nodeId, LOG_LEVEL: "trace" },
      stdio: ["ignore", full, full],
    });
    try {
      const watcher = await startNode("watcher", []);
      await waitForNode(watcher, "notification", `notification.${nodeId}`);
      const ended = once(child, "exit");
      child.kill("SIGTERM");
      expect(await ended).toEqual([0, null]);
    } finally {
      child.kill("SIGKILL");
      closeSync(full);
    }
  });

  test("a service that cannot start leaves no half node behind", async () => {
    const occupied = createServer().listen(0, "0.0.0.0") as Server;
    await once(occupied, "listening");
    const { port } = occupied.address() as { port: number };
    const { child, lines } = node(["notification", "api-gateway"], { API_PORT: String(port), API_HOST: "0.0.0.0" });
    expect(await child.exited).toEqual({ code: 1, signal: null });
    expect(lines.filter((line) => line.includes("EADDRINUSE") && !line.startsWith("{"))).toHaveLength(1);
    occupied.close();
  });

  test("while it waits for a server to start it can be asked to end", async () => {
    const { child, lines } = node(["notification"], { NATS_URL: "nats://127.0.0.1:1" });
    await eventually(
      "it looks for NATS",
      () => lines.some((line) => line.includes("Connecting to the transporter")),
      20_000,
    );
    expect(await child.stop(20_000)).toEqual({ code: 0, signal: null });
  });
});

/** A pipe that is full and stays so: both ends are open here, and nobody reads. A write to it waits for ever. */
function fullPipe(): number {
  const fifo = join(dir, "full");
  execFileSync("mkfifo", [fifo]);
  const fd = openSync(fifo, constants.O_RDWR | constants.O_NONBLOCK);
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
  }
  const blocking = openSync(fifo, "r+");
  closeSync(fd);
  return blocking;
}
