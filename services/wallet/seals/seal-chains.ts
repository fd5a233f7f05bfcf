import { randomBytes } from "node:crypto";
import { isUnavailable } from "../../../broker/failure.ts";
import { type Database, isDuplicateKey, type Transaction } from "../../../mixins/mysql/database.ts";
import type { BookKeys } from "../../book-keys.ts";
import {
  type ChainHead,
  type LedgerName,
  noDigest,
  type RowValues,
  rowsDigest,
  rowTags,
  rowText,
  type SealFields,
  sealDigest,
  sealedLedgers,
} from "../../book-seals.ts";
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
  cover(ledger: LedgerName, firstId: number | string, values: readonly RowValues[], sum: bigint): void;
}

/** The seals of one transaction, the next of one chain. */
export class TransactionSeals implements Sealing {
  private readonly tx: Transaction;
  private readonly keys: BookKeys;
  private readonly seals: Seal[] = [];
  private known: string | undefined;
  head: ChainHead;

  constructor(tx: Transaction, keys: BookKeys, head: ChainHead) {
    this.tx = tx;
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

  cover(ledger: LedgerName, firstId: number | string, values: readonly RowValues[], sum: bigint): void {
    const texts = values.map(rowText);
    if (this.known === undefined) throw new Error("rows are sealed with the time that they were written with");
    const fields: SealFields = {
      writer: this.head.writer,
      number: this.head.number + 1,
      previous: this.head.digest,
      book: sealedLedgers[ledger].book,
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

  /** Writes the seals: the last statement before the commit. */
  async write(): Promise<void> {
    if (this.seals.length > 0) await insertSeals(this.tx, this.seals);
  }
}

const newChain = (): ChainHead => ({ writer: randomBytes(16).toString("hex"), number: 0, digest: noDigest });

/**
 * The chains of one run of one wallet process. Ids of rows become visible out of order, so no chain runs over ids. Each
 * transaction takes a chain that no other has, and its seals are the next in it: so the seals of a chain become visible
 * in the order of their numbers, and a number that is missing was removed. There are as many chains as transactions at
 * once. A process that ends leaves chains that end.
 */
export class SealChains {
  private readonly keys: BookKeys;
  /** Heads of the chains that no transaction has. */
  private readonly free: ChainHead[] = [];

  constructor(keys: BookKeys) {
    this.keys = keys;
  }

  /**
   * Runs `work` in a transaction of the database and seals the rows that it notes, in the same transaction. As
   * `Database.transaction` otherwise: `work` may run several times.
   */
  async transaction<T>(
    db: Pick<Database, "transaction">,
    work: (tx: Transaction, sealing: Sealing) => Promise<T>,
  ): Promise<T> {
    const before = this.free.pop() ?? newChain();
    let after = before;
    try {
      const result = await db.transaction(async (tx) => {
        const seals = new TransactionSeals(tx, this.keys, before);
        const worked = await work(tx, seals);
        await seals.write();
        after = seals.head;
        return worked;
      });
      this.free.push(after);
      return result;
    } catch (error) {
      // Where the commit may have happened, it is not known how the chain ends. A duplicate key may be a seal that
      // somebody else has put there. Neither chain is continued.
      if (!isUnavailable(error) && !isDuplicateKey(error)) this.free.push(before);
      throw error;
    }
  }
}
