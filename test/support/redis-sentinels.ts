import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Redis } from "ioredis";
import { claimFreePort } from "../../scripts/stack/ports.ts";
import { eventually } from "./eventually.ts";

const password = "of-redis";
const sentinelPassword = "of-the-sentinels";
const name = "main";

export interface RedisMember {
  readonly port: number;
  signal(signal: "SIGSTOP" | "SIGCONT" | "SIGKILL"): void;
}

export interface RedisSentinels {
  /** As the product takes it; its first sentinel is down. */
  readonly url: string;
  /** The member that the sentinel takes for the master. */
  master(): Promise<RedisMember>;
  /** Resolves once the sentinel knows a replica that could become the master. */
  replicated(): Promise<void>;
  close(): Promise<void>;
}

/** A master, two replicas and a sentinel that decides alone, within a second or two. */
export async function redisSentinels(): Promise<RedisSentinels> {
  const dir = mkdtempSync(join(tmpdir(), "redis-sentinels-"));
  const taken = new Set<number>();
  const ports: number[] = [];
  for (let n = 0; n < 4; n++) ports.push(await claimFreePort(21_000 + Math.floor(Math.random() * 8_000), taken));
  const [first, second, third, sentinel] = ports as [number, number, number, number];
  const children: ChildProcess[] = [];
  const run = (port: number, lines: readonly string[], ...args: string[]): ChildProcess => {
    const own = join(dir, String(port));
    mkdirSync(own);
    const file = join(own, "redis.conf");
    writeFileSync(file, `bind 127.0.0.1\nport ${port}\ndir ${own}\n${lines.join("\n")}\n`);
    const child = spawn("redis-server", [file, ...args], { stdio: "ignore" });
    children.push(child);
    return child;
  };
  const logins = [`requirepass ${password}`, `masterauth ${password}`, 'save ""', "repl-diskless-sync-delay 0"];
  const member = (port: number, child: ChildProcess): RedisMember => ({ port, signal: (one) => void child.kill(one) });
  const members = [
    member(first, run(first, logins)),
    ...[second, third].map((port) => member(port, run(port, [...logins, `replicaof 127.0.0.1 ${first}`]))),
  ];
  const lines = [
    `sentinel monitor ${name} 127.0.0.1 ${first} 1`,
    `sentinel auth-pass ${name} ${password}`,
    `sentinel down-after-milliseconds ${name} 1000`,
    `sentinel failover-timeout ${name} 3000`,
    `requirepass ${sentinelPassword}`,
  ];
  run(sentinel, lines, "--sentinel");
  const asked = new Redis({ host: "127.0.0.1", port: sentinel, password: sentinelPassword });
  asked.on("error", () => {});
  const replicated = () =>
    eventually(
      "the sentinel knows a healthy replica",
      async () => {
        const replicas = (await asked.call("SENTINEL", "REPLICAS", name).catch(() => [])) as string[][];
        return replicas.some((fields) => {
          const field = (key: string) => fields[fields.indexOf(key) + 1];
          return field("flags") === "slave" && field("master-link-status") === "ok";
        });
      },
      20_000,
    );
  await replicated();
  return {
    url: `redis-sentinel://:${password}@127.0.0.1:1,127.0.0.1:${sentinel}/${name}?sentinelPassword=${sentinelPassword}`,
    async master() {
      const [, port] = (await asked.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", name)) as [string, string];
      return members.find((one) => one.port === Number(port)) as RedisMember;
    },
    replicated: async () => void (await replicated()),
    async close() {
      asked.disconnect();
      for (const child of children) {
        if (child.exitCode !== null || child.signalCode !== null) continue;
        const ended = once(child, "exit");
        child.kill("SIGCONT");
        child.kill("SIGKILL");
        await ended;
      }
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
