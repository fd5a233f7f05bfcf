import { join } from "node:path";
import { Redis, type RedisOptions } from "ioredis";
import { replaceFile } from "../files.ts";
import { LOOPBACK } from "../ports.ts";
import { probeRedis, redisLaunch } from "../redis.ts";
import { adminPassword } from "../redis-logins.ts";
import { type HaPorts, type MemberNumber, members } from "./ports.ts";
import { type HaPlace, type HaServer, haSite } from "./server.ts";

/** The name by which the sentinels know the master. */
const masterName = "ovation";

/**
 * A sentinel counts a server that is silent for so long as down, ms. Less would take a server that the machine is too
 * busy for as dead.
 */
const downAfterMs = 2000;
/** After so long without a result a failover is tried again, ms; a former master that comes back is a replica by then. */
const failoverTimeoutMs = 6000;
const answerMs = 2000;

/** As whom clients ask the sentinels: it may ask for the master and hear of changes, and change nothing. */
const sentinelUser = "client";
const clientCommands = [
  ...["auth", "client|setname", "hello", "info", "ping", "role"],
  ...["subscribe", "unsubscribe", "psubscribe", "punsubscribe"],
  ...["get-master-addr-by-name", "master", "masters", "replicas", "slaves", "sentinels", "myid"].map(
    (name) => `sentinel|${name}`,
  ),
].map((command) => `+${command}`);

/** Where passwords and users of all servers are, those of the single server of this folder too. */
export const redisDirOf = (stackDir: string) => join(stackDir, "redis");

const sentinelPassword = (stackDir: string) => adminPassword(join(redisDirOf(stackDir), "sentinels"));

/** The administrator's URL of the master, wherever it is. */
export function sentinelUrl(stackDir: string, ports: HaPorts): string {
  const sentinels = members.map((n) => `${LOOPBACK}:${ports[`sentinel-${n}`]}`).join(",");
  const login = `default:${adminPassword(redisDirOf(stackDir))}`;
  const query = `sentinelUsername=${sentinelUser}&sentinelPassword=${sentinelPassword(stackDir)}`;
  return `redis-sentinel://${login}@${sentinels}/${masterName}?${query}`;
}

/** Runs a task on one server or sentinel as its administrator. Rejects where it does not answer. */
async function onRedis<T>(password: string, port: number, task: (redis: Redis) => Promise<T>): Promise<T> {
  const options: RedisOptions = {
    host: LOOPBACK,
    port,
    password,
    lazyConnect: true,
    maxRetriesPerRequest: 0,
    retryStrategy: () => null,
    connectTimeout: answerMs,
    commandTimeout: answerMs,
  };
  const redis = new Redis(options);
  // It is the reason of the command's rejection too.
  redis.on("error", () => {});
  try {
    await redis.connect();
    return await task(redis);
  } finally {
    redis.disconnect();
  }
}

/** The lines `field:value` of INFO, and those of the sentinels' lists of fields and values. */
const fieldsOf = (text: string) => new Map(text.split("\r\n").map((line) => line.split(/:(.*)/s) as [string, string]));
const pairsOf = (list: string[]) =>
  new Map(list.flatMap((field, i) => (i % 2 === 0 ? [[field, list[i + 1] ?? ""] as const] : [])));

/** The port of the master as most sentinels that answer know it; `undefined` where none answers. */
export async function masterPort(stackDir: string, ports: HaPorts): Promise<number | undefined> {
  const password = adminPassword(redisDirOf(stackDir));
  const asked = members.map((n) =>
    onRedis(password, ports[`sentinel-${n}`], async (sentinel) => {
      const address = (await sentinel.call("SENTINEL", "GET-MASTER-ADDR-BY-NAME", masterName)) as string[] | null;
      return address === null ? [] : [Number(address[1])];
    }).catch(() => []),
  );
  const told = (await Promise.all(asked)).flat();
  const times = (port: number) => told.filter((other) => other === port).length;
  return told.toSorted((one, other) => times(other) - times(one))[0];
}

/** A Redis server: the first is master of a new stack, and the sentinels choose another when it is away. */
export function redisNode(place: HaPlace, ports: HaPorts, n: MemberNumber): HaServer {
  const name = `redis-${n}` as const;
  const site = haSite(place, name);
  const port = ports[name];
  const redisDir = redisDirOf(place.stackDir);
  const replication = async () =>
    fieldsOf(await onRedis(adminPassword(redisDir), port, (redis) => redis.info("replication")));

  return {
    name,
    kind: "redis",
    port,
    site,
    plan: {
      title: `Redis ${n}`,
      programs: ["redis-server"],
      readyDeadlineMs: 30_000,
      stopDeadlineMs: 10_000,
      async prepareProcess() {
        const master = (await masterPort(place.stackDir, ports)) ?? ports["redis-1"];
        const more = [
          "masteruser default",
          `masterauth ${adminPassword(redisDir)}`,
          `replica-announce-ip ${LOOPBACK}`,
          `replica-announce-port ${port}`,
          "repl-diskless-sync yes",
          "repl-diskless-sync-delay 0",
          "repl-ping-replica-period 1",
          ...(master === port ? [] : [`replicaof ${LOOPBACK} ${master}`]),
        ];
        return redisLaunch(site, { port, redisDir, more });
      },
      probe: (_site, _port, pid) => probeRedis(adminPassword(redisDir), port, pid),
      async part() {
        const fields = await replication();
        const isReplica = fields.get("role") !== "master";
        if (!isReplica) return `master of ${fields.get("connected_slaves")}`;
        return fields.get("master_link_status") === "up" ? "replica" : "replica without master";
      },
      async requireJoined() {
        const [fields, master] = [await replication(), await masterPort(place.stackDir, ports)];
        if (master === undefined) throw new Error("no sentinel answers");
        if (fields.get("role") === "master") {
          if (master !== port) throw new Error(`it is a master, and the sentinels know the one at port ${master}`);
          return;
        }
        if (Number(fields.get("master_port")) !== master || fields.get("master_link_status") !== "up")
          throw new Error(`it does not follow the master at port ${master} yet`);
      },
    },
  };
}

/** A sentinel: two of the three decide that the master is away, and which replica takes its place. */
export function sentinelNode(place: HaPlace, ports: HaPorts, n: MemberNumber): HaServer {
  const name = `sentinel-${n}` as const;
  const site = haSite(place, name);
  const port = ports[name];
  const password = () => adminPassword(redisDirOf(place.stackDir));

  return {
    name,
    kind: "sentinel",
    port,
    site,
    plan: {
      title: `Sentinel ${n}`,
      programs: ["redis-server"],
      readyDeadlineMs: 30_000,
      stopDeadlineMs: 10_000,
      async prepareProcess() {
        const master = (await masterPort(place.stackDir, ports)) ?? ports["redis-1"];
        const file = join(site.dir, "sentinel.conf");
        // The sentinel adds what it learns of the others, which it learns anew after a start.
        replaceFile(
          file,
          `bind ${LOOPBACK}
port ${port}
dir ${JSON.stringify(site.dir)}
pidfile ${JSON.stringify(join(site.dir, "pid"))}
daemonize no
requirepass ${password()}
user ${sentinelUser} on >${sentinelPassword(place.stackDir)} allchannels -@all ${clientCommands.join(" ")}
sentinel sentinel-pass ${password()}
sentinel announce-ip ${LOOPBACK}
sentinel announce-port ${port}
sentinel monitor ${masterName} ${LOOPBACK} ${master} 2
sentinel auth-pass ${masterName} ${password()}
sentinel down-after-milliseconds ${masterName} ${downAfterMs}
sentinel failover-timeout ${masterName} ${failoverTimeoutMs}
sentinel parallel-syncs ${masterName} 2
`,
        );
        return { args: [file, "--sentinel"], argv0: `redis-sentinel:${site.mark}` };
      },
      probe: (_site, _port, pid) => probeRedis(password(), port, pid),
      async part() {
        const master = await onRedis(password(), port, (sentinel) => sentinel.call("SENTINEL", "MASTER", masterName));
        const fields = pairsOf(master as string[]);
        const watched = members.find((one) => ports[`redis-${one}`] === Number(fields.get("port")));
        return `watches redis-${watched}, ${Number(fields.get("num-other-sentinels")) + 1} sentinels`;
      },
      async requireJoined() {
        await onRedis(password(), port, async (sentinel) => {
          await sentinel.call("SENTINEL", "CKQUORUM", masterName);
          const fields = pairsOf((await sentinel.call("SENTINEL", "MASTER", masterName)) as string[]);
          const missing = members.length - 1 - Number(fields.get("num-other-sentinels"));
          if (missing > 0) throw new Error(`it does not know ${missing} of the other sentinels yet`);
          if (Number(fields.get("num-slaves")) < members.length - 1)
            throw new Error(`it knows ${fields.get("num-slaves")} replicas`);
        });
      },
    },
  };
}
