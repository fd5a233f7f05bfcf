import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { BackgroundLoop } from "../background-loop.ts";
import type { Transaction } from "../mysql/database.ts";
import { DatabaseLease } from "../mysql/database-lease.ts";
import type { MysqlState } from "../mysql.mixin.ts";
import type { OutboxMessage, OutboxState } from "../outbox.mixin.ts";
import type { Sealer } from "./seal-chains.ts";
import { type CheckpointFields, checkpointDigest, noDigest, verdictOf } from "./seal-form.ts";
import { type DatedCheckpoint, hasCheckpoint, headsSince, insertCheckpoint, latestCheckpoints } from "./seal-store.ts";

const { checkpointEveryMs, checkpointLeaseMs, checkpointHeads, checkpointOverlapMs } = limits.books;
const { checkpointsCompared, checkpointsPassed } = limits.books;

/** Beyond every BIGINT UNSIGNED. */
const endOfNumbers = "18446744073709551616";

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface CheckpointSettings {
  checkpointEveryMs: number;
}

type Sealing = Service & MysqlState & OutboxState;

/** What is published of a checkpoint. */
export interface SealedData extends Omit<CheckpointFields, "service"> {
  /** The name of its key. */
  readonly key: string;
  readonly digest: string;
  readonly time: string;
}

/** The message of a checkpoint for stream EVENTS. */
export type MessageOf = (data: SealedData, time: Date) => Omit<OutboxMessage, "orderKey">;

/**
 * Joins the heads of the chains of seals that grew, every minute and on one node at a time, into a row of
 * t_ledger_checkpoint and an event, both in one transaction. What other systems have read of the event
 * shows afterwards which seals there were: whoever rewrites the tables cannot rewrite that.
 */
export class Checkpoints {
  private readonly service: Sealing;
  private readonly sealer: Sealer;
  private readonly messageOf: MessageOf;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(service: Sealing, sealer: Sealer, messageOf: MessageOf) {
    this.service = service;
    this.sealer = sealer;
    this.messageOf = messageOf;
    const { mysql, broker, logger, settings } = service;
    const everyMs = (settings as Partial<CheckpointSettings>).checkpointEveryMs ?? checkpointEveryMs;
    this.lease = new DatabaseLease({ mysql, name: "checkpoints", holder: broker.nodeID, ms: checkpointLeaseMs });
    this.loop = new BackgroundLoop({
      name: "checkpoints of the books",
      idleMs: everyMs,
      errorBackoffMs: limits.outbox.errorBackoffMs,
      log: logger,
      round: () => this.round(),
    });
  }

  /** Resolves once the running round has ended and the lease is free. */
  async stop(): Promise<void> {
    await this.loop.stop();
    await this.lease.giveBack().catch((error: Error) => {
      this.service.logger.warn({ err: error }, "the lease of the checkpoints was not freed: it expires by itself");
    });
  }

  /**
   * The latest checkpoints, newest first, that a key of the service has made: whoever may INSERT can have written the
   * others. Where none has such a key, it may have been removed from BOOK_KEYS, and all that can be read count.
   */
  private async ownCheckpoints(tx: Transaction): Promise<DatedCheckpoint[]> {
    const { service, keys } = this.sealer;
    const readable: DatedCheckpoint[] = [];
    let below: string | null = endOfNumbers;
    for (let passed = 0; below !== null && passed < checkpointsPassed; passed += checkpointsCompared) {
      const page: Awaited<ReturnType<typeof latestCheckpoints>> = await latestCheckpoints(
        tx,
        below,
        checkpointsCompared,
      );
      const own = page.checkpoints.filter(
        (one) =>
          verdictOf(keys, one.keyName, one.digest, (key) => checkpointDigest(key, { service, ...one })) === "right",
      );
      if (own.length > 0) return own;
      readable.push(...page.checkpoints);
      below = page.next;
    }
    return readable;
  }

  /** Whether more heads are to be joined at once. */
  private async round(): Promise<boolean> {
    if (!(await this.lease.hold())) return false;
    const { outbox } = this.service;
    const { service, keys } = this.sealer;
    const joined = await this.lease.fenced(async (tx) => {
      const latest = await this.ownCheckpoints(tx);
      const [last] = latest;
      const known = new Map<string, number>();
      for (const { heads } of latest)
        for (const { writer, number } of heads) known.set(writer, Math.max(number, known.get(writer) ?? 0));
      const since = new Date(last ? Math.max(0, last.time.getTime() - checkpointOverlapMs) : 0);
      const grown = (await headsSince(tx, since)).filter(({ writer, number }) => number > (known.get(writer) ?? 0));
      if (grown.length === 0) return 0;
      const heads = grown.slice(0, checkpointHeads);
      let number = (last?.number ?? 0) + 1;
      // Of a number that somebody else's row has, nothing but the gap tells: the digest names the checkpoint before it.
      for (let tried = 0; tried < checkpointsPassed && (await hasCheckpoint(tx, number)); tried++) number++;
      const fields = { number, previous: last?.digest ?? noDigest, heads };
      const { id: keyName } = keys.signing;
      const digest = checkpointDigest(keys.signing, { service, ...fields });
      await insertCheckpoint(tx, { ...fields, keyName, digest });
      const time = new Date();
      const data = { ...fields, key: keyName, digest, time: time.toISOString() };
      await outbox.add(tx, { ...this.messageOf(data, time), orderKey: "books" });
      return grown.length;
    });
    if (joined) outbox.wake();
    return joined !== undefined && joined > checkpointHeads;
  }
}
