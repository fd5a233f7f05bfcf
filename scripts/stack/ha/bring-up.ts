import { findProgram } from "../run.ts";
import { becomesTrue, messageOf } from "../wait.ts";
import type { GaleraServer } from "./galera-node.ts";
import { HaStack } from "./ha-stack.ts";
import { claimPorts, keptPorts } from "./ports.ts";
import type { HaPlace, HaServer } from "./server.ts";

const replicasWithinMs = 30_000;
const pollMs = 50;

/** Whether any server of several runs in this folder. */
export async function haRuns(stackDir: string): Promise<boolean> {
  return ((await HaStack.of(stackDir)?.running()) ?? []).length > 0;
}

/**
 * Makes sure that all servers of the folder run and have joined each other; those that do not run are started. Returns
 * whether any was. If one cannot be started, those that were started here are ended. @throws Error that names each
 * that failed; ProgramsMissing
 */
export async function bringUpHa(place: HaPlace, preferredPort: number): Promise<{ stack: HaStack; started: boolean }> {
  const ports = (await haRuns(place.stackDir)) ? keptPorts(place.stackDir) : undefined;
  const stack = new HaStack(place, ports ?? (await claimPorts(place.stackDir, preferredPort)));
  const before = await stack.running();
  for (const { name } of before) await stack.resume(name);
  const absent = stack.servers.filter((server) => !before.includes(server));
  if (absent.length === 0) return { stack, started: false };
  await stack.programs();
  const isAbsent = (server: HaServer) => absent.includes(server);
  const outcomes = await Promise.allSettled([
    bringUpNats(stack, isAbsent),
    bringUpRedis(stack, isAbsent),
    bringUpGalera(stack, isAbsent),
  ]);
  const failures = outcomes.flatMap((one) => (one.status === "rejected" ? [messageOf(one.reason)] : []));
  if (failures.length === 0) return { stack, started: true };
  await endHa(stack, absent);
  throw new Error(`the HA stack could not be started.\n${failures.join("\n")}`);
}

const launchAll = (stack: HaStack, servers: readonly HaServer[]) =>
  Promise.all(servers.map((server) => stack.launch(server)));

const allJoin = async (stack: HaStack, servers: readonly HaServer[]) =>
  void (await Promise.all(servers.map(({ name }) => stack.waitUntilJoined(name))));

async function bringUpNats(stack: HaStack, isAbsent: (server: HaServer) => boolean): Promise<void> {
  await launchAll(stack, stack.ofKind("nats").filter(isAbsent));
  await allJoin(stack, stack.ofKind("nats"));
}

async function bringUpRedis(stack: HaStack, isAbsent: (server: HaServer) => boolean): Promise<void> {
  const servers = stack.ofKind("redis");
  await launchAll(stack, servers.filter(isAbsent));
  // A sentinel asks a master for its replicas as soon as it starts, and then every ten seconds.
  const areAllSeen = async () => {
    const parts = await Promise.all(servers.map(({ plan }) => plan.part()));
    return parts.includes(`master of ${servers.length - 1}`);
  };
  if (!(await becomesTrue(areAllSeen, replicasWithinMs, pollMs)))
    throw new Error("Redis: the replicas do not follow one master");
  await launchAll(stack, stack.ofKind("sentinel").filter(isAbsent));
  await allJoin(stack, [...servers, ...stack.ofKind("sentinel")]);
}

/** The nodes start one after the other: each gets a copy of the data, or what it missed, from one that is synced. */
async function bringUpGalera(stack: HaStack, isAbsent: (server: HaServer) => boolean): Promise<void> {
  const running = stack.galera.filter((node) => !isAbsent(node));
  const arePrimary = await Promise.all(running.map((node) => node.isPrimary().catch(() => false)));
  let waiting = stack.galera.filter(isAbsent);
  if (!arePrimary.includes(true)) {
    // Those that are left over lost the majority.
    for (const { name } of running) await stack.end(name);
    waiting = [...stack.galera];
    const first = await mostAdvanced(stack.galera);
    first.bootstrapNext();
    await stack.launch(first);
    waiting.splice(waiting.indexOf(first), 1);
  }
  const proxy = stack.ofKind("proxy").filter(isAbsent);
  await Promise.all([launchAll(stack, proxy), launchInTurn(stack, waiting)]);
  await allJoin(stack, [...stack.galera, ...proxy]);
}

async function launchInTurn(stack: HaStack, servers: readonly HaServer[]): Promise<void> {
  for (const server of servers) await stack.launch(server);
}

/** Of the nodes, all of which are stopped, the one that has the last write; the first node where none has any. */
async function mostAdvanced(nodes: readonly GaleraServer[]): Promise<GaleraServer> {
  const last = nodes.find((node) => node.leftLast());
  if (last) return last;
  const positions = await Promise.all(
    nodes.map((node) => {
      const program = findProgram(node.plan.programs, node.site.env);
      return program === undefined ? undefined : node.position(program);
    }),
  );
  const histories = new Set(positions.flatMap((position) => (position === undefined ? [] : [position.history])));
  if (histories.size > 1)
    throw new Error(
      `MySQL: the nodes have data of different clusters. Choose one: remove the folders of the others (${nodes.map(({ site }) => site.dir).join(", ")})`,
    );
  const writes = positions.map((position) => position?.write ?? -1);
  return nodes[writes.indexOf(Math.max(...writes))] as GaleraServer;
}

/** Ends these servers, by default all. The nodes of MariaDB leave one after the other: the last one begins again. */
export async function endHa(stack: HaStack, servers: readonly HaServer[] = stack.servers): Promise<void> {
  const names = (kinds: readonly string[]) =>
    servers.filter(({ kind }) => kinds.includes(kind)).map(({ name }) => name);
  const endAll = (kinds: readonly string[]) => Promise.all(names(kinds).map((name) => stack.end(name)));
  await endAll(["proxy", "sentinel"]);
  const inTurn = async () => {
    for (const name of names(["mysql"]).toReversed()) await stack.end(name);
  };
  await Promise.all([inTurn(), endAll(["nats", "redis"])]);
}
