import type { PubAck } from "nats";
import { limits } from "../../config/limits.ts";
import type { JetStreamState } from "../jetstream.mixin.ts";
import type { Transaction } from "../mysql/database.ts";
import type { MysqlState } from "../mysql.mixin.ts";

interface Row {
  id: string;
  subject: string;
  /** The id for JetStream. */
  publish_id: string;
  payload: string;
  request_id: string | null;
}

/**
 * Unsent rows whose predecessors of the same key are sent, without those of some streams; rows that another relay has
 * locked are skipped.
 */
const claim = (without: number) => `
  SELECT o.id, o.subject, COALESCE(o.publish_id, o.msg_id) AS publish_id, o.payload, o.request_id FROM t_outbox o
  WHERE o.sent_time IS NULL AND NOT EXISTS (
    SELECT 1 FROM t_outbox p WHERE p.order_key = o.order_key AND p.sent_time IS NULL AND p.id < o.id)
  ${"AND o.subject NOT LIKE ? ".repeat(without)}ORDER BY o.id LIMIT ? FOR UPDATE SKIP LOCKED`;

/** The streams that accepted no message of a round, each by the first token of its subjects, and until when their rows wait. */
export type RefusingStreams = Map<string, number>;

const streamOf = (subject: string) => subject.slice(0, subject.indexOf("."));

/**
 * One round: claim rows, publish, wait for every answer, mark those that were acked as sent, commit. After a crash in
 * between the rows are published again with the same message ids, so consumers must be idempotent. Several nodes may
 * relay one table. Rows of a stream that accepts none of a round wait for a while: so many of them may be the oldest
 * that nothing else would be claimed.
 *
 * @throws the first refusal, when the rest is committed.
 */
export async function relayRound(
  { mysql, jetstream }: MysqlState & JetStreamState,
  refusing: RefusingStreams,
): Promise<number> {
  const now = performance.now();
  for (const [stream, until] of refusing) if (until <= now) refusing.delete(stream);
  const without = [...refusing.keys()].map((stream) => `${stream}.%`);
  const { sent, refusals, accepting } = await mysql.transaction(async (tx) => {
    const rows = await tx.query<Row>(claim(without.length), [...without, limits.outbox.batchRows]);
    const createdOf = jetstream.whoAcks();
    const answers = await Promise.allSettled(
      rows.map(({ subject, payload, publish_id: msgId, request_id: requestId }) =>
        jetstream.publishText(subject, payload, { msgId, requestId }),
      ),
    );
    const acked: { id: string; ack: PubAck }[] = [];
    const accepting = new Set<string>();
    const refusals: { stream: string; error: unknown }[] = [];
    for (const [at, answer] of answers.entries()) {
      const { id, subject } = rows[at] as Row;
      if (answer.status === "fulfilled") {
        acked.push({ id, ack: answer.value });
        accepting.add(streamOf(subject));
      } else refusals.push({ stream: streamOf(subject), error: answer.reason });
    }
    if (acked.length > 0) await markSent(tx, acked, createdOf);
    return { sent: acked.length, refusals, accepting };
  });
  for (const { stream } of refusals)
    if (!accepting.has(stream)) refusing.set(stream, performance.now() + limits.outbox.refusedWaitMs);
  if (refusals[0]) throw refusals[0].error;
  return sent;
}

async function markSent(
  tx: Transaction,
  acked: readonly { readonly id: string; readonly ack: PubAck }[],
  createdOf: (ack: PubAck) => string,
): Promise<void> {
  const ids = acked.map(({ id }) => id);
  await tx.run(
    `UPDATE t_outbox SET sent_time = UTC_TIMESTAMP(3), sent_sequence = ELT(FIELD(id, ?), ?),
       sent_created = ELT(FIELD(id, ?), ?) WHERE id IN (?)`,
    [ids, acked.map(({ ack }) => ack.seq), ids, acked.map(({ ack }) => createdOf(ack)), ids],
  );
}
