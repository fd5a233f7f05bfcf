import type { Service } from "moleculer";
import { fail } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { whilePresent } from "../../../mixins/mysql/server-presence.ts";
import type { ActionDefinitions } from "../../define-service.ts";
import type { bucketActions as contract } from "../buckets.contract.ts";
import type { WalletState } from "../wallet-state.ts";
import { newestMoves, planMove } from "./bucket-store.ts";
import { gateOn } from "./gate-store.ts";
import { closeGate } from "./move-bucket.ts";
import { requireNoneWithout } from "./nodes-without.ts";
import { repairGates } from "./repair-gates.ts";
import { requireMovable } from "./require-movable.ts";

type Wallet = Service & WalletState;

const allBuckets = Array.from({ length: limits.wallet.storeBuckets }, (_, bucket) => bucket);

/** Where the buckets of users are, and what operators do with them. */
export const bucketActions: ActionDefinitions<Wallet, typeof contract> = {
  bucketServers: {
    async handler() {
      const { all, map } = this.servers;
      if (!map) return { servers: [] };
      const has = (name: string) => (bucket: number) =>
        map.serverOf(bucket) === name || map.othersOf(bucket).includes(name);
      return { servers: all.map(({ name }) => ({ name, buckets: allBuckets.filter(has(name)) })) };
    },
  },

  buckets: {
    async handler() {
      const { servers } = this;
      if (!servers.isSeveral) return { servers: [], moves: [] };
      // `spread` would pick the bucket again that has just moved.
      await this.openServers.refresh();
      const map = servers.map;
      const moves = await newestMoves(servers.all[0].view.mysql, limits.http.pageSizeMax);
      return {
        servers: servers.all.map(({ name }) => ({
          name,
          buckets: allBuckets.filter((bucket) => map?.serverOf(bucket) === name),
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
      requireNoneWithout(this.broker, [source, server]);
      const revision = (servers.map?.revisionOf(bucket) ?? 0) + 1;
      await requireMovable({ bucket, source: servers.named(source), target: servers.named(server), revision });
      if (!(await planMove(this.mysql, { bucket, source, target: server, revision }, operator)))
        throw fail("unavailable", {
          cause: "the bucket moves or has just moved, or the home server no longer names the target",
        });
      return { planned: true };
    },
  },

  repairGates: {
    operator: true,
    outcomeOf: ({ servers }) => (servers.some(({ outcome }) => outcome === "failed") ? "partlyFailed" : undefined),
    async handler(ctx) {
      if (!this.servers.isSeveral) throw fail("invalidParam", { field: "bucket" });
      const repaired = await repairGates(this, ctx.params);
      await this.openServers.refresh();
      return repaired;
    },
  },

  closeGate: {
    operator: true,
    async handler(ctx) {
      const { bucket, server } = ctx.params;
      const { servers } = this;
      if (!servers.isSeveral || !servers.has(server)) throw fail("invalidParam", { field: "server" });
      const { view, presence } = servers.named(server);
      return whilePresent(presence, async () => {
        const gate = await gateOn(view.mysql, bucket);
        // Read after the gate: what opened it as a move does is in the map by then.
        await this.openServers.refresh();
        if (servers.map?.serverOf(bucket) === server) throw fail("invalidParam", { field: "server" });
        if (!gate?.isOpen) return { closed: false };
        await closeGate(view, bucket, gate.revision);
        return { closed: true };
      });
    },
  },
};
