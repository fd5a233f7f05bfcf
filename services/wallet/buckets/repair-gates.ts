import type { Service } from "moleculer";
import { fail, isUnavailable } from "../../../broker/failure.ts";
import { messageOf } from "../../../broker/unknown-values.ts";
import { limits } from "../../../config/limits.ts";
import { whilePresent } from "../../../mixins/mysql/server-presence.ts";
import type { GatesRepaired } from "../buckets.contract.ts";
import type { WalletState } from "../wallet-state.ts";
import { BucketMap, type BucketRow } from "./bucket-map.ts";
import { movesOf, raiseRevision, readBuckets } from "./bucket-store.ts";
import { addGate, gateOn, openGateIfFree } from "./gate-store.ts";
import type { LedgerServer } from "./ledger-servers.ts";
import { closeGate, onceFree } from "./move-bucket.ts";
import { type FoundGate, planRepair } from "./plan-repair.ts";
import { type Strays, straysOf } from "./stray-store.ts";

export interface RepairOrder {
  readonly bucket: number;
  readonly closeOnly: boolean;
  readonly dryRun: boolean;
  readonly operator: string;
}

type Wallet = Pick<WalletState, "servers"> & Pick<Service, "logger">;
type OnServer = GatesRepaired["servers"][number];

const attempts = limits.wallet.repairAttempts;
const noStrays: Strays = { users: [], isCut: false };

const whyOf = (error: unknown): string => {
  const { data } = error as { data?: { cause?: unknown } };
  return String(data?.cause ?? messageOf(error)).slice(0, limits.log.causeChars);
};

/**
 * Makes a bucket's gates what the map says: see `repairGates` of the contract. What is closed is closed at the revision that
 * was read, and what is opened gets a new one, which the map has first: so nothing here undoes a step of a move that was
 * planned meanwhile. A server that cannot be asked, or whose gate cannot be closed, keeps that of the map from being opened.
 */
export async function repairGates(wallet: Wallet, order: RepairOrder): Promise<GatesRepaired> {
  const { servers, logger } = wallet;
  const { bucket, dryRun, closeOnly, operator } = order;
  const home = servers.all[0];
  const found = new Map<string, FoundGate>();
  const failures = new Map<string, string>();
  /** What fails on a server is said of it, and keeps none of the others. */
  const on = async (server: LedgerServer, work: () => Promise<void>) => {
    try {
      await whilePresent(server.presence, work);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      failures.set(server.name, whyOf(error));
    }
  };
  await Promise.all(
    servers.all.map((server) =>
      on(server, async () => {
        found.set(server.name, await foundOn(server, bucket));
      }),
    ),
  );
  // Read after the gates: what opened one as a move does is in the map by then.
  const { buckets, left } = await readBuckets(home.view.mysql);
  const known = new BucketMap(home.name, buckets, left);
  const map: BucketRow = { bucket, server: known.serverOf(bucket), revision: known.revisionOf(bucket) };
  const moves = await movesOf(home.view.mysql, bucket);
  const open = moves.find(({ state }) => state !== "done");
  if (open) throw fail("unavailable", { cause: `bucket ${bucket} is on its way to ${open.target}, ${open.state}` });
  const own = servers.named(map.server);
  const others = servers.all.filter((server) => server !== own);
  const newest = Math.max(0, ...moves.map(({ revision }) => revision));
  const { steps, revision } = planRepair(map, found, newest);
  const outcomes = new Map<string, OnServer["outcome"]>();
  const tell = (server: LedgerServer, outcome: OnServer["outcome"], about: object = {}) => {
    outcomes.set(server.name, outcome);
    const text = `the gate of a bucket of users was ${outcome} by an operator`;
    logger.warn({ bucket, server: server.name, gate: found.get(server.name), operator, ...about }, text);
  };

  const strays = new Map<string, Strays>();
  const putRight = async (server: LedgerServer) => {
    const gate = found.get(server.name);
    if (gate === undefined) return;
    if (steps.get(server.name) === "close" && !dryRun) {
      await closeGate(server.view, bucket, gate?.revision ?? 0, attempts);
      tell(server, "closed");
    }
    const leftAt = moves.findLast(({ source }) => source === server.name)?.doneTime ?? undefined;
    strays.set(server.name, await straysOf(server.view.mysql, bucket, leftAt).catch(notLooked));
  };
  await Promise.all(others.map((server) => on(server, () => putRight(server))));

  const isToOpen = steps.get(own.name) === "open" && !dryRun && !closeOnly && failures.size === 0;
  if (isToOpen && !(await raiseRevision(home.view.mysql, map, revision)))
    throw fail("unavailable", { cause: `bucket ${bucket} moves or has just moved, or was repaired beside this` });
  if (isToOpen)
    await on(own, async () => {
      await openOwn(own, bucket, revision, found.get(own.name) === null);
      tell(own, "opened", { revision });
    });

  const shown = (server: LedgerServer): OnServer => {
    const { name } = server;
    const step = steps.get(name);
    const due = step === "close" ? "toClose" : step === "open" ? "toOpen" : "right";
    const outcome = outcomes.get(name) ?? (failures.has(name) ? "failed" : due);
    const about = { why: failures.get(name) ?? null, ...(strays.get(name) ?? noStrays) };
    return { name, gate: found.get(name) ?? null, outcome, ...about };
  };
  return { servers: [own, ...others].map(shown), revision };
}

async function foundOn({ view }: LedgerServer, bucket: number): Promise<FoundGate> {
  const gate = await gateOn(view.mysql, bucket);
  return gate ? { isOpen: gate.isOpen, revision: gate.revision } : null;
}

/** What takes too long to look for keeps no gate from being opened: the answer says that there may be more. */
function notLooked(error: unknown): Strays {
  if (!isUnavailable(error)) throw error;
  return { users: [], isCut: true };
}

/** Fails: unavailable, where it is always held, or somebody else has given it another revision. */
async function openOwn(own: LedgerServer, bucket: number, revision: number, isMissing: boolean): Promise<void> {
  const { mysql } = own.view;
  if (isMissing) await addGate(mysql, bucket);
  await onceFree(bucket, attempts, () => openGateIfFree(mysql, bucket, revision));
  const gate = await foundOn(own, bucket);
  if (!gate?.isOpen || gate.revision !== revision)
    throw fail("unavailable", { cause: `the gate of bucket ${bucket} was changed beside this: repeat it` });
}
