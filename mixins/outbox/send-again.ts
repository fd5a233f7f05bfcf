import { limits } from "../../config/limits.ts";
import type { StreamDefinition } from "../jetstream/definitions.ts";
import { allConsumers, type StreamGeneration } from "../jetstream/positions.ts";
import type { Queryable } from "../mysql/database.ts";

/**
 * Marks lost messages as unsent, so that the relay publishes them again under their own message ids; returns how many.
 * A message is lost where its stream is gone, or ends before the message's sequence, and not all consumers are known to
 * have read it. Consumers recognize a repeat by its business id.
 *
 * Each statement commits by itself, so relay and writers continue in between. Each row is read once, since the relay
 * may send it beyond that end again.
 */
export async function sendAgain(db: Queryable, definition: StreamDefinition, now: StreamGeneration): Promise<number> {
  const subjects = definition.subjects.map((subject) => subject.replace(/[*>]$/, "%").replaceAll("_", "\\_"));
  const end = now.lastSequence ?? Number.MAX_SAFE_INTEGER;
  const isLost = "o.sent_time IS NOT NULL AND (o.sent_created <> ? OR o.sent_sequence > ?)";
  let count = 0;
  for (let after = "0"; ; ) {
    const rows = await db.query<{ id: string }>(
      `SELECT o.id FROM t_outbox o LEFT JOIN t_stream_position p
         ON p.reader = ? AND p.stream = ? AND p.stream_created = o.sent_created
       WHERE o.id > ? AND ${isLost} AND o.sent_sequence > COALESCE(p.sequence, 0)
         AND (${subjects.map(() => "o.subject LIKE ?").join(" OR ")})
       ORDER BY o.id LIMIT ?`,
      [allConsumers, now.stream, after, now.created, end, ...subjects, limits.outbox.sendAgainRows],
    );
    const last = rows.at(-1);
    if (!last) return count;
    const { affectedRows } = await db.run(
      `UPDATE t_outbox o SET o.sent_time = NULL, o.sent_sequence = NULL, o.sent_created = NULL
       WHERE o.id IN (?) AND ${isLost}`,
      [rows.map(({ id }) => id), now.created, end],
    );
    count += affectedRows;
    after = last.id;
  }
}
