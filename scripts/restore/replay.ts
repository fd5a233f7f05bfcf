import type { NatsConnection } from "nats";
import { limits } from "../../config/limits.ts";
import { archivedTrades } from "../../services/archived-tables.ts";
import { restoredCoinsId } from "../../services/wallet/business-ids.ts";
import type { Command, Outcome } from "../../services/wallet/posting.ts";
import { type EventSpan, eventsFrom, type StoredEvent, type Trust } from "./events.ts";
import { ReplayLedger, type ReplayServers } from "./replay-ledger.ts";
import { replayPayments } from "./replay-payments.ts";
import { type Note, passes, type ReplayedRecord, seenIds, type Write, writesOf } from "./replay-plan.ts";
import { ReplayTables } from "./replay-tables.ts";
import type { ReportData } from "./report.ts";

/** Writes what happened after the backup into the restored databases, from the events. */

export interface ReplayOptions {
  readonly mysqlUrl: string;
  /** Where ledgers and gift records are on several servers. */
  readonly servers: ReplayServers | undefined;
  readonly nats: NatsConnection;
  /** The events: from `from` on, without those that were stored at `until` or later. */
  readonly span: EventSpan;
  readonly from: number;
  readonly until: Date | null;
  readonly trust: Trust;
  /** Orders that were paid at this time or later are made from stream PAY. What is paid is paid, also after `until`. */
  readonly paidSince: Date;
  readonly progress: (line: string) => void;
}

export type Replayed = Pick<ReportData, "events" | "written" | "there" | "lent" | "lostSeals" | "notes">;

/** The highest id that an event has seen, by `SERVICE TABLE SERVER`. */
export type HighestIds = Map<string, bigint>;

type Counts = Record<string, number>;
const count = (counts: Counts, what: string, n: number) => {
  counts[what] = (counts[what] ?? 0) + n;
};

const namesOfCommands: Readonly<Record<Command["kind"], string>> = {
  gift: "charges of gifts",
  recharge: "credits of paid orders",
  credit: "credits by the platform",
  adjust: "adjustments",
  refund: "refunds",
  freeze: "accounts frozen",
  unfreeze: "accounts unfrozen",
  close: "accounts closed",
};

/** One run over the events. */
class Replay {
  private readonly options: ReplayOptions;
  private readonly ledger: ReplayLedger;
  private readonly tables: ReplayTables;
  private readonly written: Counts = {};
  private readonly there: Counts = {};
  private readonly notes: Note[] = [];
  private commands: Command[] = [];
  private records: ReplayedRecord[] = [];
  /** Of gifts whose records are not written yet: the server of the charge, where there are several. */
  private readonly chargedAt = new Map<string, string>();
  private lostSeals = 0;
  private events = 0;

  constructor(options: ReplayOptions, ledger: ReplayLedger, tables: ReplayTables) {
    this.options = options;
    this.ledger = ledger;
    this.tables = tables;
  }

  async run(): Promise<Replayed> {
    await this.pass("credits", passes.credits, false);
    await this.pass("other events", passes.others, true);
    const rooms = await this.tables.writeRooms();
    count(this.written, "rooms", rooms.written);
    const { nats, mysqlUrl, paidSince } = this.options;
    const orders = await replayPayments(nats, mysqlUrl, paidSince);
    count(this.written, "paid orders", orders.written);
    count(this.there, "paid orders", orders.there);
    const notes = await this.withoutSettledPayments([...this.notes, ...rooms.notes, ...orders.notes]);
    return {
      ...{ events: this.events, written: this.written, there: this.there, lostSeals: this.lostSeals },
      ...{ lent: await this.lent(), notes },
    };
  }

  private async pass(what: string, wanted: (write: Write) => boolean, isLast: boolean): Promise<void> {
    const { nats, span, from, until, trust, progress } = this.options;
    let shownAt = performance.now();
    for await (const event of eventsFrom(nats, { from, to: span.last, trust })) {
      // Times are those of stream leaders, and another leader's clock may be behind.
      if (until && event.storedAt >= until) continue;
      if (isLast) this.events++;
      if (event.name === undefined) {
        const { subject, problem, sequence } = event;
        if (isLast)
          this.notes.push({ kind: "unreadable", subject: `event ${sequence}`, detail: `${subject}: ${problem}` });
        continue;
      }
      for (const write of writesOf(event.name, event.data, event.time)) if (wanted(write)) await this.take(write);
      if (performance.now() - shownAt < limits.backup.progressEveryMs) continue;
      shownAt = performance.now();
      progress(`${what}: event ${event.sequence.toLocaleString("en")} of ${span.last.toLocaleString("en")} ...`);
    }
    await this.flushCommands();
    await this.flushRecords();
  }

  private async take(write: Write): Promise<void> {
    switch (write.to) {
      case "ledger":
        this.commands.push(write.command);
        if (this.commands.length >= limits.backup.replayBatch) await this.flushCommands();
        return;
      case "records":
        this.records.push(write.record);
        if (this.records.length >= limits.backup.replayBatch) await this.flushRecords();
        return;
      case "users": {
        const { written, note } = await this.tables.writeUser(write.user);
        this.tally("users", written);
        if (note) this.notes.push(note);
        return;
      }
      case "restrictions":
        if (write.placed) this.tally("restrictions", await this.tables.writeRestriction(write.placed));
        if (write.lifted) this.tally("lifted restrictions", await this.tables.writeLift(write.lifted));
        return;
      case "rooms":
        this.tables.noteRoom(write.roomId, write);
        return;
      case "seals":
        this.lostSeals++;
        return;
      case "person":
        this.notes.push(write.note);
    }
  }

  private tally(what: string, isNew: boolean): void {
    count(isNew ? this.written : this.there, what, 1);
  }

  /** Before the records: a record has its charge. */
  private async flushCommands(): Promise<void> {
    const commands = this.commands.splice(0);
    if (commands.length === 0) return;
    const outcomes = await this.ledger.submit(commands);
    for (const [at, outcome] of outcomes.entries()) this.noteOutcome(commands[at] as Command, outcome);
  }

  private noteOutcome(command: Command, outcome: Outcome): void {
    if (command.kind === "gift" && outcome.server !== undefined) this.chargedAt.set(command.bizId, outcome.server);
    this.tally(namesOfCommands[command.kind], !outcome.repeated);
    const answer = outcome.status === "done" ? "succeeded" : outcome.reason;
    if (answer === (command.kind === "gift" ? command.settledAs : "succeeded")) return;
    const subject = "bizId" in command ? command.bizId : command.userId;
    const asked = command.kind === "gift" ? `settled as ${command.settledAs}` : command.kind;
    this.notes.push({ kind: "gift", subject, detail: `${asked}, and the ledger answers ${answer}` });
  }

  private async flushRecords(): Promise<void> {
    await this.flushCommands();
    const records = this.records.splice(0);
    const orders = new Set(records.map(({ gift }) => gift.orderId)).size;
    const placed = records.map((record) => ({ ...record, server: this.chargedAt.get(record.gift.orderId) }));
    const written = await this.tables.writeRecords(placed);
    this.chargedAt.clear();
    count(this.written, "gift records", written);
    count(this.there, "gift records", orders - written);
  }

  /** The coins of this restore and of its earlier runs. */
  private async lent(): Promise<number> {
    const { table, archive } = archivedTrades;
    const lentIn = (from: string) => `SELECT num FROM ${from} WHERE type = 3 AND biz_id LIKE ?`;
    let coins = 0;
    for (const db of this.tables.onEach("wallet")) {
      const [row] = await db.query<{ coins: string }>(
        `SELECT COALESCE(SUM(num), 0) AS coins FROM (${lentIn(table)} UNION ALL ${lentIn(archive)}) t`,
        [`${restoredCoinsId("")}%`, `${restoredCoinsId("")}%`],
      );
      coins += Number(row?.coins);
    }
    return coins;
  }

  /** Leaves out notes of payments and refunds that the payment service knows. */
  private async withoutSettledPayments(notes: readonly Note[]): Promise<Note[]> {
    const wanted = { payment: [2, 5], refund: [5] } as const;
    const orders = notes.filter(({ kind }) => kind in wanted).map(({ subject }) => subject);
    const states = new Map<string, number>();
    for (let at = 0; at < orders.length; at += limits.backup.replayBatch) {
      const rows = await this.tables
        .on("payment")
        .query<{ order_id: string; status: number }>("SELECT order_id, status FROM t_pay_order WHERE order_id IN (?)", [
          orders.slice(at, at + limits.backup.replayBatch),
        ]);
      for (const { order_id, status } of rows) states.set(order_id, Number(status));
    }
    return notes.flatMap((note): Note[] => {
      if (note.kind !== "payment" && note.kind !== "refund") return [note];
      const state = states.get(note.subject);
      if (state !== undefined && (wanted[note.kind] as readonly number[]).includes(state)) return [];
      const known = state === undefined ? "the payment service does not know the order" : "the order is known";
      return [{ ...note, detail: `${note.detail} (${known})` }];
    });
  }
}

/**
 * Replays the events. Everything has a business id, so a repeat, whole or in part, changes nothing. Durable when it
 * resolves. @throws Error; then a part may be written, and the replay is begun again
 */
export async function replay(options: ReplayOptions): Promise<Replayed> {
  const { mysqlUrl, servers } = options;
  const ledger = await ReplayLedger.open(mysqlUrl, servers);
  const tables = new ReplayTables(mysqlUrl, servers?.further);
  try {
    return await new Replay(options, ledger, tables).run();
  } finally {
    await ledger.close();
    await tables.close();
  }
}

/** The highest ids that events have seen, all of them, also those after `until`: they were given out. */
export async function highestIds({
  nats,
  span,
  from,
  trust,
}: Pick<ReplayOptions, "nats" | "span" | "from" | "trust">): Promise<HighestIds> {
  const highest: HighestIds = new Map();
  for await (const event of eventsFrom(nats, { from, to: span.last, trust })) {
    if (event.name === undefined) continue;
    const { name, data } = event as StoredEvent;
    for (const { service, table, server, id } of seenIds(name, data)) {
      const key = `${service} ${table} ${server}`;
      const known = highest.get(key);
      if (known === undefined || id > known) highest.set(key, id);
    }
  }
  return highest;
}
