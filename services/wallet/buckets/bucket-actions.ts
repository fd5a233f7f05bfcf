import type { Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { serversOfNode } from "../../../broker/releases.ts";
import { limits } from "../../../config/limits.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import type { bucketActions as contract } from "../buckets.contract.ts";
import type { WalletState } from "../wallet-state.ts";
import { newestMoves, planMove } from "./bucket-store.ts";

type Wallet = Service & WalletState;

/** The services whose nodes write rows of users. */
const writers = ["wallet", "gift"];

interface Offered {
  readonly name: string;
  readonly nodeID: string;
}

/** The nodes that do not use all of these servers: they would write a user's rows where she is not. */
function nodesWithout({ broker }: Wallet, names: readonly string[]): string[] {
  const offered = broker.registry.getServiceList({ onlyAvailable: true }) as unknown as readonly Offered[];
  const lacking = offered.filter(({ name, nodeID }) => {
    if (!writers.includes(name)) return false;
    const known = serversOfNode(broker, nodeID, name);
    return names.some((one) => !known.includes(one));
  });
  return [...new Set(lacking.map(({ nodeID }) => nodeID))];
}

/** What operators do with the buckets of users. */
export const bucketActions: ActionDefinitions<Wallet, typeof contract> = {
  buckets: {
    async handler() {
      const { servers } = this;
      if (!servers.isSeveral) return { servers: [], moves: [] };
      const map = servers.map;
      const all = Array.from({ length: limits.wallet.storeBuckets }, (_, bucket) => bucket);
      const moves = await newestMoves(servers.all[0].view.mysql, limits.http.pageSizeMax);
      return {
        servers: servers.all.map(({ name }) => ({
          ...{ name, buckets: all.filter((bucket) => map?.serverOf(bucket) === name) },
        })),
        moves: moves.map(({ createTime, closedTime, doneTime, revision: _revision, ...move }) => ({
          ...move,
          createTime: createTime.toISOString(),
          closedMs: closedTime && (doneTime ?? new Date()).getTime() - closedTime.getTime(),
          doneTime: doneTime?.toISOString() ?? null,
        })),
      };
    },
  },

  moveBucket: {
    operator: true,
    async handler(ctx) {
      const { bucket, server, operator } = ctx.params;
      const { servers } = this;
      if (!servers.isSeveral || !servers.has(server)) throw fail("invalidParam", { field: "server" });
      await this.openServers.refresh();
      const source = servers.map?.serverOf(bucket) as string;
      if (source === server) return { planned: false };
      const without = nodesWithout(this, [source, server]);
      if (without.length > 0)
        throw fail("unavailable", { cause: `WALLET_MYSQL_URLS of ${without.join(", ")} lacks a server` });
      const revision = (servers.map?.revisionOf(bucket) ?? 0) + 1;
      if (!(await planMove(this.mysql, { bucket, source, target: server, revision }, operator)))
        throw fail("unavailable", { cause: "the bucket moves already" });
      return { planned: true };
    },
  },
};
