import { setTimeout as pause } from "node:timers/promises";
import type { Service } from "moleculer";
import { isUnavailable } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { addHealthCheck } from "../../../mixins/health.mixin.ts";
import { whilePresent } from "../../../mixins/mysql/server-presence.ts";
import type { WalletState } from "../wallet-state.ts";
import { BucketMap } from "./bucket-map.ts";
import { openMoves, readBuckets } from "./bucket-store.ts";
import { compareGates, type Gate, type GateFault, gateFaults } from "./compare-gates.ts";
import { readGates } from "./gate-store.ts";
import type { LedgerServers } from "./ledger-servers.ts";
import { nodesWithout } from "./nodes-without.ts";

const gauge = {
  name: "ovation.wallet.gates.wrong",
  description: "Buckets of users whose gates do not agree with the map, by kind",
} as const;

/** The gauge is there, with 0, where there is one server. */
export function registerGates({ broker, name }: Service): void {
  broker.metrics.register({ type: "gauge", ...gauge, labelNames: ["service", "kind"] });
  for (const kind of gateFaults) broker.metrics.set(gauge.name, 0, { service: name, kind });
}

/** What does not agree, as of about one moment: servers that are away are left out. Fails: unavailable, without the home server. */
async function look(servers: LedgerServers): Promise<GateFault[]> {
  const [home] = servers.all;
  const { buckets, left } = await readBuckets(home.view.mysql);
  const gates = new Map<string, readonly Gate[]>();
  for (const { name, view, presence } of servers.all)
    try {
      gates.set(name, await whilePresent(presence, () => readGates(view.mysql)));
    } catch (error) {
      // That it is away is said by its own check.
      if (presence === undefined || !isUnavailable(error)) throw error;
    }
  // Read last: a move that ends meanwhile leaves a difference to the second look.
  const moving = new Set((await openMoves(home.view.mysql)).map(({ bucket }) => bucket));
  const map = new BucketMap(home.name, buckets, left);
  return compareGates({ map, buckets: limits.wallet.storeBuckets, gates, moving });
}

const keyOf = ({ kind, bucket, about }: GateFault) => `${kind} ${bucket} ${about}`;

/** What two looks in a row find: one alone may be a move that goes on between its readings. */
async function certainFaults(servers: LedgerServers): Promise<GateFault[]> {
  const first = await look(servers);
  if (first.length === 0) return [];
  await pause(limits.wallet.gatesAgainMs);
  const again = new Set((await look(servers)).map(keyOf));
  return first.filter((fault) => again.has(keyOf(fault)));
}

const shown = (faults: readonly GateFault[]): string =>
  faults
    .map(({ kind, bucket, about }) => `bucket ${bucket} ${kind} (${about})`)
    .join("; ")
    .slice(0, limits.log.causeChars);

/**
 * Compares the map of buckets with the gates now and then, on every wallet node: what does not agree is in the log, in the
 * metric `ovation_wallet_gates_wrong` and degrades the wallet. So do nodes on the bus that lack a server: those of
 * release 1, and of builds without several servers, check no gates.
 */
export function watchGates(wallet: Service & WalletState): BackgroundLoop {
  const { servers, logger, broker, name } = wallet;
  let faults: readonly GateFault[] = [];
  let comparedAt = performance.now();
  addHealthCheck(
    wallet,
    "gates",
    async () => {
      if (faults.length > 0) throw new Error(`map and gates of buckets differ: ${shown(faults)}`);
      const without = nodesWithout(
        broker,
        servers.all.map((server) => server.name),
      );
      if (without.length > 0) throw new Error(`WALLET_MYSQL_URLS of ${without.join(", ")} lacks a server: end them`);
      const ms = performance.now() - comparedAt;
      if (ms > limits.wallet.gatesLateMs)
        throw new Error(`map and gates were compared ${Math.round(ms / 1_000)} s ago`);
    },
    { degrades: true },
  );
  return new BackgroundLoop({
    name: "gates of buckets",
    idleMs: limits.wallet.gatesEveryMs,
    errorBackoffMs: limits.wallet.gatesEveryMs,
    log: logger,
    round: async () => {
      const before = new Set(faults.map(keyOf));
      faults = await certainFaults(servers);
      comparedAt = performance.now();
      for (const kind of gateFaults) {
        const count = faults.filter((fault) => fault.kind === kind).length;
        broker.metrics.set(gauge.name, count, { service: name, kind });
      }
      const text = "the map of buckets and the gates of the servers differ: see OvationBucketGates in docs/runbook.md";
      for (const fault of faults) if (!before.has(keyOf(fault))) logger.error(fault, text);
      return false;
    },
  });
}
