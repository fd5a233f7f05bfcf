import { fail, isUnavailable } from "../../../broker/failure.ts";
import type { Transaction } from "../../../mixins/mysql/database.ts";
import { whilePresent } from "../../../mixins/mysql/server-presence.ts";
import { storeBucketOf } from "../../wallet-buckets.ts";
import type { Command, Outcome, Prior } from "../posting.ts";
import { priorsLeft } from "../priors.ts";
import { allOutcomes, submitByKey } from "../submit-apart.ts";
import { BucketElsewhere, type Elsewhere, type LedgerCommands, NotTheseUsers } from "../writer-ports.ts";
import { lockGates } from "./gate-store.ts";
import type { LedgerServer, LedgerServers } from "./ledger-servers.ts";

/**
 * The ledger writers of several servers as one: each command goes to the server of its user, so no batch and no
 * transaction has users of two. Where a bucket moves meanwhile, what was given for its users is given again to the server
 * that has it then; what was written of it by then is a repeat. Buckets do not wait for each other.
 */
export class SplitWriter implements LedgerCommands {
  private readonly servers: LedgerServers;

  constructor(servers: LedgerServers) {
    this.servers = servers;
  }

  private get writers() {
    return this.servers.all.map(({ view }) => view.writer);
  }

  get waiting(): number {
    return this.writers.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  get counters() {
    const sumOf = (name: "commands" | "splits" | "repeats") =>
      this.writers.reduce((sum, { counters }) => sum + counters[name], 0);
    return { commands: sumOf("commands"), splits: sumOf("splits"), repeats: sumOf("repeats") };
  }

  /** Whether any server's writer has. The room of each is checked when its commands are known. */
  hasRoomFor(commands: number): boolean {
    return this.writers.some((writer) => writer.hasRoomFor(commands));
  }

  async submit(command: Command): Promise<Outcome> {
    const [outcome] = await this.submitAll([command]);
    return outcome as Outcome;
  }

  /** See LedgerWriter.submitAll. */
  async submitAll(commands: readonly Command[]): Promise<Outcome[]> {
    return allOutcomes(await this.byBucket(commands, false));
  }

  /** Of a server or a bucket that cannot write now its own commands alone are rejected, soon. */
  submitApart(commands: readonly Command[]): Promise<PromiseSettledResult<Outcome>[]> {
    return this.byBucket(commands, true);
  }

  private byBucket(commands: readonly Command[], othersWait: boolean): Promise<PromiseSettledResult<Outcome>[]> {
    return submitByKey(
      commands,
      ({ userId }) => storeBucketOf(userId),
      (own, bucket) => this.servers.untilHere(bucket, othersWait, () => this.submitHere(own)),
    );
  }

  /** Commands of one bucket. */
  private async submitHere(commands: readonly [Command, ...Command[]]): Promise<Outcome[]> {
    const { name, view, presence } = this.servers.of(commands[0].userId);
    const { writer } = view;
    if (!writer.hasRoomFor(commands.length)) throw fail("unavailable", { waiting: writer.waiting, server: name });
    const outcomes = await whilePresent(presence, () => writer.submitAll(commands));
    return outcomes.map((outcome) => ({ server: name, ...outcome }));
  }

  async drain(): Promise<void> {
    await Promise.all(this.writers.map((writer) => writer.drain()));
  }
}

/**
 * What a server's writer asks before a batch: the earlier rows of its commands, archived ones too, on servers that their
 * users' buckets have left, and whether the buckets are here. A bucket that never left rows anywhere costs no query elsewhere.
 */
export async function lookElsewhere(
  servers: LedgerServers,
  here: string,
  commands: readonly Command[],
): Promise<Elsewhere> {
  const { map } = servers;
  if (!map) throw new Error("there is one server");
  const wanted = new Map<number, number>();
  const asked = new Map<string, Command[]>();
  const byBucket = Map.groupBy(commands, ({ userId }) => storeBucketOf(userId));
  for (const [bucket, own] of byBucket) {
    wanted.set(bucket, map.revisionOf(bucket));
    // Where the map has another server by now, the gate of this one is closed at that revision.
    for (const name of map.othersOf(bucket)) if (name !== here) asked.set(name, [...(asked.get(name) ?? []), ...own]);
  }
  const priors = new Map<string, Prior>();
  for (const [name, own] of asked) await addPriors(priors, servers.named(name), own);
  const requireHere = async (tx: Transaction) => {
    const closed = await lockGates(tx, wanted);
    if (closed.size === 0) return;
    const users = new Set([...closed].flatMap((bucket) => (byBucket.get(bucket) ?? []).map(({ userId }) => userId)));
    throw new NotTheseUsers(users, new BucketElsewhere([...users][0] as string));
  };
  return { priors, requireHere };
}

async function addPriors(priors: Map<string, Prior>, server: LedgerServer, commands: readonly Command[]) {
  try {
    const { view, presence } = server;
    const found = await whilePresent(presence, () => priorsLeft(view.mysql, commands, view.archive));
    for (const [bizId, prior] of found) priors.set(bizId, { ...prior, server: server.name });
  } catch (error) {
    // Users whose buckets have left nothing there are not concerned.
    if (isUnavailable(error)) throw new NotTheseUsers(new Set(commands.map(({ userId }) => userId)), error);
    throw error;
  }
}
