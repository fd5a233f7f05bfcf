import type { Service } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { BackgroundLoop } from "../../../mixins/background-loop.ts";
import { DatabaseLease } from "../../../mixins/mysql/database-lease.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import type { OutboxState } from "../../../mixins/outbox.mixin.ts";
import type { BookKeys } from "../../book-keys.ts";
import { checkpointDigest } from "../../book-seals.ts";
import { durableEvent } from "../../durable-event.ts";
import { firstCheckpoint, headsSince, insertCheckpoint, latestCheckpoints } from "./seal-store.ts";

const { checkpointEveryMs, checkpointLeaseMs, checkpointHeads, checkpointOverlapMs, checkpointsCompared } =
  limits.books;

/** Settings that tests override; the defaults are in config/limits.ts. */
export interface CheckpointSettings {
  checkpointEveryMs: number;
}

type Wallet = Service & MysqlState & OutboxState & { bookKeys: BookKeys };

/**
 * Joins the heads of the chains of seals that grew, every minute and on one node at a time, into a row of
 * t_ledger_checkpoint and the event `books.sealed`, both in one transaction. What other systems have read of the event
 * shows afterwards which seals there were: whoever rewrites the tables cannot rewrite that.
 */
export class Checkpoints {
  private readonly wallet: Wallet;
  private readonly lease: DatabaseLease;
  private readonly loop: BackgroundLoop;

  constructor(wallet: Wallet) {
    this.wallet = wallet;
    const { mysql, broker, logger, settings } = wallet;
    const everyMs = (settings as CheckpointSettings).checkpointEveryMs ?? checkpointEveryMs;
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
      this.wallet.logger.warn({ err: error }, "the lease of the checkpoints was not freed: it expires by itself");
    });
  }

  /** Whether more heads are to be joined at once. */
  private async round(): Promise<boolean> {
    if (!(await this.lease.hold())) return false;
    const { outbox, bookKeys } = this.wallet;
    const joined = await this.lease.fenced(async (tx) => {
      const latest = await latestCheckpoints(tx, checkpointsCompared);
      const last = latest[0] ?? firstCheckpoint;
      const known = new Map<string, number>();
      for (const { heads } of latest.toReversed())
        for (const { writer, number } of heads) known.set(writer, Math.max(number, known.get(writer) ?? 0));
      const since = new Date(Math.max(0, last.time.getTime() - checkpointOverlapMs));
      const grown = (await headsSince(tx, since)).filter(({ writer, number }) => number > (known.get(writer) ?? 0));
      if (grown.length === 0) return 0;
      const heads = grown.slice(0, checkpointHeads);
      const fields = { number: last.number + 1, previous: last.digest, heads };
      const { id: keyName } = bookKeys.signing;
      const digest = checkpointDigest(bookKeys.signing, fields);
      await insertCheckpoint(tx, { ...fields, keyName, digest });
      const time = new Date();
      const data = { ...fields, key: keyName, digest, time: time.toISOString() };
      await outbox.add(tx, { ...durableEvent("books.sealed", String(fields.number), data, time), orderKey: "books" });
      return grown.length;
    });
    if (joined) outbox.wake();
    return joined !== undefined && joined > checkpointHeads;
  }
}
