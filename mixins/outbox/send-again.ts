import { limits } from "../../config/limits.ts";
import type { StreamDefinition } from "../jetstream/definitions.ts";
import { allConsumers, type StreamGeneration } from "../jetstream/positions.ts";
import type { Queryable } from "../mysql/database.ts";

/**
 * Marks as unsent what was sent to a stream that is gone, or to a place beyond the end of one that went back in time, and
 * was not read there by all its consumers, as far as the looks at them tell; how many rows. It is published under its own
 * message id: the stream does not know it, and consumers know a repeat by its business id.
 *
 * A statement's worth at a time, each committed by itself: the relay, and what writes messages, go on in between. Each row
 * is looked at once, since the relay may have sent it to a place beyond that end once more.
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
