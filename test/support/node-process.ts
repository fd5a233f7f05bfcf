import { join } from "node:path";
import { projectRoot } from "../../config/root.ts";
import { type Child, startChild } from "../../scripts/children.ts";
import { type GatedServer, gated } from "./gated-server.ts";

/** NATS and MySQL as one kind of process sees them: each a stand-in with a gate. */
export interface GatedServers {
  readonly nats: GatedServer;
  readonly mysql: GatedServer;
  close(): Promise<void>;
}

export async function gatedServers(): Promise<GatedServers> {
  const nats = await gated(process.env.NATS_URL as string);
  const mysql = await gated(process.env.MYSQL_URL as string);
  return {
    nats,
    mysql,
    async close() {
      await nats.close();
      await mysql.close();
    },
  };
}

/** The URLs of servers that a process is to use instead of the test stack's. */
type ServerUrls = Record<"nats" | "mysql", { url: string }> & { redis?: { url: string } };

/** A Moleculer node in a process of its own, as `npm run node` starts it. */
export class NodeProcess {
  private readonly child: Child;
  readonly nodeId: string;
  /** By the name of the listening service. */
  readonly ports: Readonly<Record<string, number>>;

  private constructor(child: Child, { nodeId, ports = {} }: { nodeId: string; ports?: Record<string, number> }) {
    this.child = child;
    this.nodeId = nodeId;
    this.ports = ports;
  }

  /** Resolves once the service answers. */
  static async start(service: string, { nats, mysql, redis }: ServerUrls): Promise<NodeProcess> {
    const child = startChild({
      name: service,
      command: process.execPath,
      args: [join(projectRoot(), "scripts/node.ts"), service],
      cwd: projectRoot(),
      env: { NATS_URL: nats.url, MYSQL_URL: mysql.url, ...(redis && { REDIS_URL: redis.url }) },
      output: { prefix: `${service}|` },
      ready: /^ready (\{.*\})$/,
    });
    const match = await child.ready;
    return new NodeProcess(child, JSON.parse(match?.[1] ?? "{}") as { nodeId: string });
  }

  /** SIGKILL: nothing of it runs any more when this resolves. */
  async kill(): Promise<void> {
    process.kill(this.child.pid as number, "SIGKILL");
    await this.child.exited;
  }

  async stop(): Promise<void> {
    await this.child.stop(10_000);
  }
}
