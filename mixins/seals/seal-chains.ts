import { randomBytes } from "node:crypto";
import { isUnavailable } from "../../broker/failure.ts";
import type { NamedKeys } from "../../config/named-keys.ts";
import { type Database, isDuplicateKey, type Transaction } from "../mysql/database.ts";
import {
  type ChainHead,
  noDigest,
  type RowValues,
  rowsDigest,
  rowTags,
  rowText,
  type SealedLedger,
  type SealFields,
  sealDigest,
} from "./seal-form.ts";
import { insertSeals, type Seal, timeForRows } from "./seal-store.ts";

/** What a transaction needs to seal the rows that it writes. */
export interface Sealing {
  /** create_time of the rows, which the seal has too: the database's time, `2026-11-26 12:00:00.000`. */
  time(): Promise<string>;
  /** Gives the time where a statement of the transaction has read it. */
  setTime(time: string): void;
  /**
   * Notes rows that one INSERT of several rows has written. `firstId` is its insertId, `values` the sealed columns of
   * each row in the order of the statement, `sum` of what the ledger's seals add up.
   */
  cover(ledger: SealedLedger, firstId: number | string, values: readonly RowValues[], sum: bigint): void;
}

/** Who seals: a service, with keys that no other service has but the auditor. */
export interface Sealer {
  readonly service: string;
  readonly keys: NamedKeys;
}

/** The seals of one transaction, the next of one chain. */
export class TransactionSeals implements Sealing {
  private readonly tx: Transaction;
  private readonly service: string;
  private readonly keys: NamedKeys;
  private readonly seals: Seal[] = [];
  private known: string | undefined;
  head: ChainHead;

  constructor(tx: Transaction, { service, keys }: Sealer, head: ChainHead) {
    this.tx = tx;
    this.service = service;
    this.keys = keys;
    this.head = head;
  }

  async time(): Promise<string> {
    this.known ??= await timeForRows(this.tx);
    return this.known;
  }

  setTime(time: string): void {
    this.known = time;
  }

  cover(ledger: SealedLedger, firstId: number | string, values: readonly RowValues[], sum: bigint): void {
    if (ledger.service !== this.service) throw new Error(`${ledger.table} is sealed by ${ledger.service}`);
    const texts = values.map(rowText);
    if (this.known === undefined) throw new Error("rows are sealed with the time that they were written with");
    const fields: SealFields = {
      service: this.service,
      writer: this.head.writer,
      number: this.head.number + 1,
      previous: this.head.digest,
      book: ledger.book,
      firstId: String(firstId),
      rows: texts.length,
      sum: String(sum),
      rowsTime: this.known,
      rowsDigest: rowsDigest(texts),
    };
    const { signing } = this.keys;
    const digest = sealDigest(signing, fields);
    this.seals.push({ ...fields, tags: rowTags(texts), keyName: signing.id, digest });
    this.head = { writer: fields.writer, number: fields.number, digest };
  }

  /** Writes the seals: the last statement before the commit. @throws PlaceTaken */
  async write(): Promise<void> {
    if (this.seals.length === 0) return;
    try {
      await insertSeals(this.tx, this.seals);
    } catch (error) {
      if (isDuplicateKey(error)) throw new PlaceTaken(this.head.writer, error);
      throw error;
    }
  }
}

/**
 * A seal is already there in the chain, which somebody else wrote. For callers it is no duplicate key: that is a row of
 * theirs.
 */
class PlaceTaken extends Error {
  constructor(writer: string, cause: unknown) {
    super(`chain ${writer} of seals has a seal that this process did not write`, { cause });
  }
}

const newChain = (): ChainHead => ({ writer: randomBytes(16).toString("hex"), number: 0, digest: noDigest });

/**
 * The chains of one run of one process. Ids of rows become visible out of order, so no chain runs over ids. Each
 * transaction takes a chain that no other has, and its seals are the next in it: so the seals of a chain become visible
 * in the order of their numbers, and a number that is missing was removed. There are as many chains as transactions at
 * once. A process that ends leaves chains that end.
 */
export class SealChains {
  private readonly sealer: Sealer;
  /** Heads of the chains that no transaction has. */
  private readonly free: ChainHead[] = [];

  constructor(sealer: Sealer) {
    this.sealer = sealer;
  }

  /**
   * Runs `work` in a transaction of the database and seals the rows that it notes, in the same transaction. As
   * `Database.transaction` otherwise: `work` may run several times. Where somebody else has put a seal at the place in
   * the chain, everything is rolled back and done once more with a new chain, which nobody knows; the auditor names that
   * seal.
   */
  async transaction<T>(
    db: Pick<Database, "transaction">,
    work: (tx: Transaction, sealing: Sealing) => Promise<T>,
  ): Promise<T> {
    try {
      return await this.attempt(db, work, this.free.pop() ?? newChain());
    } catch (error) {
      if (error instanceof PlaceTaken) return this.attempt(db, work, newChain());
      throw error;
    }
  }

  private async attempt<T>(
    db: Pick<Database, "transaction">,
    work: (tx: Transaction, sealing: Sealing) => Promise<T>,
    before: ChainHead,
  ): Promise<T> {
    let after = before;
    try {
      const result = await db.transaction(async (tx) => {
        const seals = new TransactionSeals(tx, this.sealer, before);
        const worked = await work(tx, seals);
        await seals.write();
        after = seals.head;
        return worked;
      });
      this.free.push(after);
      return result;
    } catch (error) {
      // Where the commit may have happened, it is not known how the chain ends. Neither that one nor one in which
      // somebody else has put a seal is continued.
      if (!isUnavailable(error) && !(error instanceof PlaceTaken)) this.free.push(before);
      throw error;
    }
  }
}
