import type { Service } from "moleculer";
import { fail } from "../broker/failure.ts";
import { cutList } from "../broker/parts.ts";
import { limits } from "../config/limits.ts";
import { BackgroundLoop } from "./background-loop.ts";
import { type Gauge, keepGauges } from "./gauges.ts";
import type { HealthState } from "./health.mixin.ts";
import type { JetStreamState, StreamDefinition } from "./jetstream.mixin.ts";
import type { Queryable, Transaction } from "./mysql/database.ts";
import type { MysqlState } from "./mysql.mixin.ts";
import { type RefusingStreams, relayRound } from "./outbox/relay-round.ts";
import { sendAgain } from "./outbox/send-again.ts";

export interface OutboxMessage {
  /** JetStream subject, without the namespace's prefix. */
  subject: string;
  /** The business id of the message: it always has one row and is one message. */
  msgId: string;
  payload: unknown;
  /** The payload as JSON whose very bytes count, e.g. since they are signed; `payload` is not read then. */
  text?: string;
  /** The id under which JetStream gets it, where `msgId` could be guessed: it would drop a message whose id it has seen. */
  publishId?: string;
  /** Messages of one key, e.g. an order id, are published in the order in which they were written. */
  orderKey: string;
  requestId?: string | null;
}

export interface OutboxState {
  outbox: {
    /**
     * Writes the message in the business transaction: it is published if and only if that commits. Fails:
     * messageTooLarge, where NATS would not accept it.
     */
    add(tx: Transaction, message: OutboxMessage): Promise<void>;
    /** `add` for many messages, in their order, with as few statements as their bytes allow. */
    addAll(tx: Transaction, messages: readonly OutboxMessage[]): Promise<void>;
    /** Starts the relay's next round at once. Call it after the commit. */
    wake(): void;
    /** The keys that have unpublished messages. */
    unsent(orderKeys: readonly string[]): Promise<Set<string>>;
    /** The messages of a key, oldest first: unpublished ones, and published ones for `limits.outbox.keepSentMs`. */
    messagesOf(orderKey: string): Promise<KeptMessage[]>;
    /** The number of unpublished messages, at most `limits.metrics.countedRows`, and the age of the oldest in ms. */
    lag(): Promise<{ rows: number; oldestMs: number }>;
  };
}

/** A message of the outbox. */
export interface KeptMessage {
  readonly subject: string;
  readonly writtenTime: Date;
  /** When its stream acked it, and its sequence there; `null` before that. */
  readonly sentTime: Date | null;
  readonly sequence: number | null;
}

interface NewRow extends Omit<OutboxMessage, "payload" | "text"> {
  payload: string;
  bytes: number;
}

function rowOf({ payload: value, text, ...message }: OutboxMessage): NewRow {
  const payload = text ?? JSON.stringify(value);
  const bytes = Buffer.byteLength(payload);
  const most = limits.bus.listBytes;
  if (bytes > most) throw fail("messageTooLarge", { subject: message.subject, msgId: message.msgId, bytes, most });
  return { ...message, payload, bytes };
}

async function addRows(tx: Queryable, messages: readonly OutboxMessage[]): Promise<void> {
  const { insertRows: count, insertBytes: bytes } = limits.outbox;
  const tooLarge = ({ msgId }: NewRow) => {
    throw fail("messageTooLarge", { msgId, most: bytes });
  };
  for (const rows of cutList(messages.map(rowOf), { count, bytes, bytesOf: (row) => row.bytes }, tooLarge))
    await tx.run(
      `INSERT INTO t_outbox (subject, msg_id, publish_id, order_key, payload, request_id, create_time)
       VALUES ${rows.map(() => "(?, ?, ?, ?, ?, ?, UTC_TIMESTAMP(3))").join(", ")} ON DUPLICATE KEY UPDATE id = id`,
      rows.flatMap(({ subject, msgId, publishId, orderKey, payload, requestId }) => [
        ...[subject, msgId, publishId ?? null, orderKey, payload, requestId ?? null],
      ]),
    );
}

async function unsentOf(db: Queryable, orderKeys: readonly string[]): Promise<Set<string>> {
  if (orderKeys.length === 0) return new Set();
  const rows = await db.query<{ order_key: string }>(
    "SELECT DISTINCT order_key FROM t_outbox WHERE order_key IN (?) AND sent_time IS NULL",
    [orderKeys],
  );
  return new Set(rows.map(({ order_key }) => order_key));
}

async function messagesOf(db: Queryable, orderKey: string): Promise<KeptMessage[]> {
  const rows = await db.query<{
    subject: string;
    create_time: Date;
    sent_time: Date | null;
    sent_sequence: string | null;
  }>(
    `SELECT subject, create_time, sent_time, sent_sequence FROM t_outbox WHERE order_key = ?
     ORDER BY order_key, sent_time, id LIMIT ?`,
    [orderKey, limits.lookup.storyRows],
  );
  return rows
    .map((row) => ({
      ...{ subject: row.subject, writtenTime: row.create_time, sentTime: row.sent_time },
      sequence: row.sent_sequence === null ? null : Number(row.sent_sequence),
    }))
    .toSorted((a, b) => a.writtenTime.getTime() - b.writtenTime.getTime());
}

/** Both queries read idx_unsent, in which unsent rows come first, by id; the oldest has the lowest id. */
async function lagOf(db: Queryable): Promise<{ rows: number; oldestMs: number }> {
  const [count] = await db.query<{ waiting: string }>(
    "SELECT COUNT(*) AS waiting FROM (SELECT 1 FROM t_outbox WHERE sent_time IS NULL LIMIT ?) AS counted",
    [limits.metrics.countedRows],
  );
  const [first] = await db.query<{ age: string }>(
    `SELECT TIMESTAMPDIFF(MICROSECOND, create_time, UTC_TIMESTAMP(3)) AS age
     FROM t_outbox WHERE sent_time IS NULL ORDER BY id LIMIT 1`,
  );
  return { rows: Number(count?.waiting), oldestMs: Math.round(Number(first?.age ?? 0) / 1_000) };
}

const gauges = {
  rows: { name: "ovation.outbox.rows", description: "Messages in the outbox that are not published yet" },
  oldest: {
    name: "ovation.outbox.oldest",
    description: "Age of the oldest unpublished message in the outbox",
    unit: "second",
  },
} as const satisfies Record<string, Gauge>;

interface Loops {
  outboxRelay?: BackgroundLoop;
  outboxGauges?: BackgroundLoop;
}

type Relaying = Service & MysqlState & JetStreamState & OutboxState & Loops & HealthState;

/** Deletes up to `limits.outbox.purgeRows` rows that were sent `limits.outbox.keepSentMs` ago; `true` where there may be more. */
async function purge({ mysql }: MysqlState): Promise<boolean> {
  const { affectedRows } = await mysql.run(
    "DELETE FROM t_outbox WHERE sent_time < UTC_TIMESTAMP(3) - INTERVAL ? SECOND ORDER BY sent_time LIMIT ?",
    [limits.outbox.keepSentMs / 1_000, limits.outbox.purgeRows],
  );
  return affectedRows === limits.outbox.purgeRows;
}

/** Sends messages again that a log stream lost, as far as the outbox still has them (`limits.outbox.keepSentMs`). */
function recoverFromOutbox(service: Relaying, definitions: readonly StreamDefinition[]): void {
  service.jetstream.trackAllConsumers();
  for (const definition of definitions)
    service.jetstream.recover({
      // Unique in the service, also where it has outboxes on several servers.
      name: `outbox ${definition.name}${service.healthSuffix === undefined ? "" : ` ${service.healthSuffix}`}`,
      stream: definition,
      run: async (streams) => {
        for (const stream of streams) {
          const messages = await sendAgain(service.mysql, definition, stream);
          if (messages === 0) continue;
          const about = { stream: stream.stream, messages };
          service.logger.error(about, "a stream was lost: its messages that not all consumers had read are sent again");
          service.outbox.wake();
        }
      },
    });
}

function startRelay(service: Relaying): BackgroundLoop {
  let purgeAt = Date.now();
  const refusing: RefusingStreams = new Map();
  return new BackgroundLoop({
    name: "outbox",
    idleMs: limits.outbox.idlePollMs,
    errorBackoffMs: limits.outbox.errorBackoffMs,
    log: service.logger,
    round: async () => {
      const relayed = await relayRound(service, refusing);
      // It also runs while the relay is busy: a purge deletes more rows than a round adds.
      const purging = Date.now() >= purgeAt && (await purge(service));
      if (!purging && Date.now() >= purgeAt) purgeAt = Date.now() + limits.outbox.keepSentMs / 10;
      return relayed > 0 || purging;
    },
  });
}

/**
 * The transactional outbox of a service, for messages to streams of the kind `log`. Needs mysqlMixin (with
 * `mixins/outbox/migrations` and `mixins/jetstream/migrations`) and jetstreamMixin before it.
 */
export const outboxMixin = {
  started(this: Relaying) {
    this.outboxRelay = startRelay(this);
    this.outbox = {
      add: (tx, message) => addRows(tx, [message]),
      addAll: addRows,
      wake: () => this.outboxRelay?.wake(),
      unsent: (orderKeys) => unsentOf(this.mysql, orderKeys),
      messagesOf: (orderKey) => messagesOf(this.mysql, orderKey),
      lag: () => lagOf(this.mysql),
    };
    recoverFromOutbox(this, this.jetstream.logs);
    this.outboxGauges = keepGauges(this, Object.values(gauges), async () => {
      const { rows, oldestMs } = await this.outbox.lag();
      return [
        { name: gauges.rows.name, value: rows },
        { name: gauges.oldest.name, value: oldestMs / 1_000 },
      ];
    });
  },
  async stopped(this: Relaying) {
    await this.outboxGauges?.stop();
    await this.outboxRelay?.stop();
  },
};
