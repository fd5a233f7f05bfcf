import { type ConsumerInfo, DeliverPolicy, type JetStreamManager, RetentionPolicy, type StreamInfo } from "nats";

/**
 * nats-server writes a stream's messages into a snapshot, and after them what each consumer has read and acked. Of a
 * stream in use a consumer may so have read messages that the snapshot lacks. Their sequences are given to the next
 * messages, which the consumer would never get; and a queue would keep what is acked there and not yet removed.
 */

async function readersOf(manager: JetStreamManager, stream: string): Promise<ConsumerInfo[]> {
  const list: ConsumerInfo[] = [];
  for await (const reader of manager.consumers.list(stream)) list.push(reader);
  return list;
}

/** Gives a reader of a log messages again, from the first one on that it has not acked. */
async function readAgain(manager: JetStreamManager, { config, state }: StreamInfo, reader: ConsumerInfo) {
  const { name, config: former, ack_floor } = reader;
  const { opt_start_time: _, ...kept } = former;
  await manager.consumers.delete(config.name, name);
  await manager.consumers.add(config.name, {
    ...kept,
    deliver_policy: DeliverPolicy.StartSequence,
    opt_start_seq: Math.min(ack_floor.stream_seq, state.last_seq) + 1,
  });
}

/**
 * Makes the readers of a stream fit for it, after it was made from its snapshot. Those of a queue are deleted: the
 * nodes make them again, and they get what is in it. Those of a log that are ahead of it read again from their last ack
 * on. Either may get again what it had acked. Returns the names. A repeat changes nothing more.
 */
export async function mendReaders(manager: JetStreamManager, made: StreamInfo): Promise<string[]> {
  const { config, state } = made;
  const isQueue = config.retention === RetentionPolicy.Workqueue;
  const readers = await readersOf(manager, config.name);
  const late = readers.filter(
    ({ delivered, ack_floor }) => isQueue || Math.max(delivered.stream_seq, ack_floor.stream_seq) > state.last_seq,
  );
  for (const reader of late) {
    if (isQueue) await manager.consumers.delete(config.name, reader.name);
    else await readAgain(manager, made, reader);
  }
  return late.map(({ name }) => name);
}
