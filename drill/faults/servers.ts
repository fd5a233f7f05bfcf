import { setTimeout as pause } from "node:timers/promises";
import { natsPrefix } from "../../config/config.ts";
import { letServersAgree } from "../../mixins/jetstream/agreed-stream.ts";
import { redisOf } from "../../mixins/redis/address.ts";
import { messageOf, probeUntilReady } from "../../scripts/stack/wait.ts";
import { eventStream } from "../../services/streams.ts";
import { type Behind, behindOf } from "./behind.ts";
import type { Drilled, DrillRow, Fault } from "./fault.ts";

/** A nats-server that has not joined by then is helped, as the operating page says, and again where that was not enough. */
const joinsAloneMs = 30_000;
const helpedTimes = 4;
/** Longer than others take to count a silent server as gone: Galera 5 s, sentinels 2 s, NATS 9 s. */
const pausedForMs = 15_000;
/** Of the one server that no other stands in for: until it is started again. */
const proxyAwayMs = 5_000;
const stepDownMs = 5_000;
/** After the fault of the row before, and a server that does not pass requests on. */
const leaderWithinMs = 45_000;

/** A server by its part when the fault begins. */
interface Role {
  readonly name: string;
  readonly title: string;
  find(drilled: Drilled): Promise<string>;
}

/** The leader of stream EVENTS. */
async function eventsLeader({ nats, ha }: Drilled): Promise<string> {
  let leader: string | undefined;
  const ask = async () => {
    const manager = await nats.jetstreamManager();
    const { cluster } = await manager.streams.info(natsPrefix() + eventStream.name);
    leader = ha.ofKind("nats").find(({ site }) => site.mark === cluster?.leader)?.name;
    if (leader === undefined) throw new Error(`stream ${eventStream.name} has no leader`);
  };
  // A server that came back may not be reached through this one (mixins/jetstream/other-server.ts).
  const askOrMove = () =>
    ask().catch(async (error: unknown) => {
      await nats.reconnect();
      throw error;
    });
  await probeUntilReady(askOrMove, async () => undefined, leaderWithinMs);
  return leader as unknown as string;
}

async function mysqlWriter({ ha }: Drilled): Promise<string> {
  const [, name] = /^writes to (mysql-\d)$/.exec(await ha.server("proxy").plan.part()) ?? [];
  if (name === undefined) throw new Error("no node of MySQL takes writes");
  return name;
}

async function redisMaster({ ha }: Drilled): Promise<string> {
  for (const { name, plan } of ha.ofKind("redis")) if ((await plan.part()).startsWith("master of")) return name;
  throw new Error("no Redis is the master");
}

/** The first of a kind that has not the part. */
const otherThan =
  (kind: "nats" | "mysql" | "redis", find: Role["find"]): Role["find"] =>
  async (drilled) => {
    const taken = await find(drilled);
    return drilled.ha.ofKind(kind).find(({ name }) => name !== taken)?.name as string;
  };

const roles: readonly Role[] = [
  { name: "nats-leader", title: "NATS, the leader of EVENTS", find: eventsLeader },
  { name: "nats-other", title: "NATS, another server", find: otherThan("nats", eventsLeader) },
  { name: "mysql-writer", title: "MySQL, the writer", find: mysqlWriter },
  { name: "mysql-other", title: "MySQL, another node", find: otherThan("mysql", mysqlWriter) },
  { name: "proxy", title: "haproxy before MySQL", find: async () => "proxy" },
  { name: "redis-master", title: "Redis, the master", find: redisMaster },
  { name: "redis-replica", title: "Redis, a replica", find: otherThan("redis", redisMaster) },
  { name: "sentinel", title: "a sentinel", find: async () => "sentinel-1" },
];

/** Until the others do without it: gifts flow. Nobody stands in for the proxy. */
async function withoutIt(name: string, flows: () => Promise<boolean>): Promise<void> {
  if (name === "proxy") await pause(proxyAwayMs);
  else await flows();
}

/** Lets the servers agree on a stream with another leader, or makes another one the leader of a consumer. @throws Error */
async function stepDown({ nats }: Drilled, { stream, consumer }: Behind): Promise<void> {
  if (consumer === undefined) return letServersAgree(await nats.jetstreamManager(), nats, stream);
  const subject = `$JS.API.CONSUMER.LEADER.STEPDOWN.${stream}.${consumer}`;
  const answer = await nats.request(subject, undefined, { timeout: stepDownMs });
  const { error } = answer.json<{ error?: { description?: string } }>();
  if (error) throw new Error(`${consumer}: ${error.description}`);
}

/** The leaders of what stands still step down: of what the server says itself, and of streams whose leaders say it. */
async function help(drilled: Drilled, name: string, complaint: string): Promise<string> {
  const { ha, nats } = drilled;
  const manager = await nats.jetstreamManager();
  const mark = ha.server(name).site.mark;
  const still = new Map(behindOf(complaint).map((one) => [one.consumer ?? one.stream, one]));
  for await (const { config, cluster } of manager.streams.list())
    if (cluster?.replicas?.find((one) => one.name === mark)?.current === false)
      still.set(config.name, { stream: config.name });
  const asked = await Promise.allSettled([...still.values()].map((one) => stepDown(drilled, one)));
  const refused = asked.flatMap((one) => (one.status === "rejected" ? [messageOf(one.reason)] : []));
  const had = `the leader of ${[...still.keys()].join(", ") || "nothing"} had to step down`;
  return refused.length === 0 ? had : `${had} (refused: ${refused.join("; ")})`;
}

async function startAgain({ ha }: Drilled, name: string): Promise<string> {
  await ha.kill(name);
  await ha.start(name);
  return "it was started again";
}

/**
 * Resolves when it has joined the others. nats-server 2.9 may never send the rest of a stream to a server that comes back
 * ("Catchup for stream ... stalled"), until all servers agree on the stream and it has another leader, or the server is
 * started again. Returns what was done about that.
 */
export async function joined(drilled: Drilled, name: string): Promise<string> {
  const { ha, progress } = drilled;
  if (ha.server(name).kind !== "nats") {
    await ha.waitUntilJoined(name);
    return "";
  }
  const done: string[] = [];
  for (let times = 0; ; times++)
    try {
      await ha.waitUntilJoined(name, joinsAloneMs);
      return done.length === 0 ? "" : `; after ${(joinsAloneMs * times) / 1_000} s ${done.join(", ")}`;
    } catch (error) {
      if (times === helpedTimes) throw error;
      progress(messageOf(error));
      const repair = times % 2 === 0 ? help(drilled, name, messageOf(error)) : startAgain(drilled, name);
      // Who does not answer now is asked again after the next wait.
      done.push(await repair.catch((why: unknown) => `help failed (${messageOf(why)})`));
    }
}

const away =
  ({ find }: Role, verb: "kill" | "wipe"): Fault =>
  async (underway) => {
    const { ha, flows } = underway;
    const name = await find(underway);
    await ha[verb](name);
    await withoutIt(name, flows);
    await ha.start(name);
    return name + (await joined(underway, name));
  };

const paused =
  ({ find }: Role): Fault =>
  async (underway) => {
    const { ha } = underway;
    const name = await find(underway);
    await ha.pause(name);
    try {
      await pause(pausedForMs);
    } finally {
      await ha.resume(name);
    }
    const helped = await joined(underway, name);
    return `${name}, for ${pausedForMs / 1_000} s${helped}`;
  };

const flushed: Fault = async ({ servers, nodes }) => {
  const redis = redisOf(servers.env.REDIS_URL as string);
  try {
    await redis.flushall();
  } finally {
    redis.disconnect();
  }
  await nodes.untilReady(nodes.all);
  return "FLUSHALL at the master";
};

const shortRows: ReadonlySet<string> = new Set(["kill-mysql-writer", "wipe-nats-leader"]);

/** Servers killed, paused, and lost with their disks, one at a time; each part that a server may have is a row. */
export function serverRows(): DrillRow[] {
  const row = (name: string, title: string, fault: Fault): DrillRow => ({
    ...{ name, title, fault, isShort: shortRows.has(name) },
  });
  return [
    ...roles.map((role) => row(`kill-${role.name}`, `${role.title}, killed`, away(role, "kill"))),
    ...roles.map((role) => row(`pause-${role.name}`, `${role.title}, paused`, paused(role))),
    ...roles.map((role) => row(`wipe-${role.name}`, `${role.title}, lost with its disk`, away(role, "wipe"))),
    row("flush-redis", "Redis flushed", flushed),
  ];
}
