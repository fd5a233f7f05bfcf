import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "nats";
import { busUserOf } from "../../broker/nats-names.ts";
import { claimFreePort } from "../../scripts/stack/ports.ts";
import { eventually } from "./eventually.ts";

export interface ClusterMember {
  readonly name: string;
  readonly place: string;
  /** With the login that may do everything. */
  readonly url: string;
  /** SIGKILL; resolves when it has ended. */
  kill(): Promise<void>;
  start(): void;
}

export interface NatsCluster {
  readonly members: readonly ClusterMember[];
  /** The URL that names all members. */
  readonly url: string;
  member(place: string): ClusterMember;
  close(): Promise<void>;
}

const [user, password] = ["admin", "of-this-test-alone"];

function configuration(name: string, ports: readonly number[], routes: readonly number[], at: number, dir: string) {
  return `
server_name: ${name}
host: 127.0.0.1
port: ${ports[at]}
jetstream { store_dir: ${JSON.stringify(join(dir, name))}, max_memory_store: 64MB, max_file_store: 64GB }
cluster {
  name: test
  host: 127.0.0.1
  port: ${routes[at]}
  routes: [${routes.map((port) => `"nats-route://127.0.0.1:${port}"`).join(", ")}]
}
authorization {
  users: [${[user, busUserOf(user)].map((one) => `{user: ${one}, password: ${password}}`).join(", ")}]
}
`;
}

/** Three nats-servers that elect a leader for each stream; they live until `close`. */
export async function natsCluster(): Promise<NatsCluster> {
  const dir = mkdtempSync(join(tmpdir(), "nats-cluster-"));
  const taken = new Set<number>();
  const free = () => claimFreePort(21_000 + Math.floor(Math.random() * 8_000), taken);
  const names = ["n1", "n2", "n3"];
  const ports: number[] = [];
  const routes: number[] = [];
  for (const _name of names) {
    ports.push(await free());
    routes.push(await free());
  }
  const running = new Map<string, ChildProcess>();
  const members = names.map((name, at): ClusterMember => {
    const file = join(dir, `${name}.conf`);
    writeFileSync(file, configuration(name, ports, routes, at, dir));
    return {
      name,
      place: `127.0.0.1:${ports[at]}`,
      url: `nats://${user}:${password}@127.0.0.1:${ports[at]}`,
      start: () => void running.set(name, spawn("nats-server", ["-c", file], { stdio: "ignore" })),
      async kill() {
        const child = running.get(name);
        running.delete(name);
        if (!child || child.exitCode !== null || child.signalCode !== null) return;
        const ended = once(child, "exit");
        child.kill("SIGKILL");
        await ended;
      },
    };
  });
  for (const member of members) member.start();
  const url = members.map((member) => member.url).join(",");
  await eventually("the cluster has a leader", () => answers(members), 20_000);
  return {
    members,
    url,
    member: (place) => members.find((one) => one.place === place) as ClusterMember,
    async close() {
      for (const member of members) await member.kill();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}

/** Whether a stream with three replicas can be made: each server knows the two others and a leader. */
async function answers(members: readonly ClusterMember[]): Promise<boolean> {
  try {
    const servers = members.map(({ place }) => place);
    const connection = await connect({ servers, user, pass: password, timeout: 1_000 });
    try {
      const manager = await connection.jetstreamManager({ timeout: 1_000 });
      await manager.streams.add({ name: "READY", subjects: ["ready"], num_replicas: 3 });
      return await manager.streams.delete("READY");
    } finally {
      await connection.close();
    }
  } catch {
    return false;
  }
}
