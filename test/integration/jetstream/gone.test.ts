import type { ServiceBroker } from "moleculer";
import { connect, type JetStreamManager, type NatsConnection, type PubAck, type StreamInfo } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { Conditions, noRoomCodes } from "../../../mixins/jetstream/conditions.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import { LossWatch } from "../../../mixins/jetstream/loss-watch.ts";
import { PassedMessages } from "../../../mixins/jetstream/passed-messages.ts";
import { PositionKeeper } from "../../../mixins/jetstream/position-keeper.ts";
import { Positions, type StreamGeneration } from "../../../mixins/jetstream/positions.ts";
import { Provisioner } from "../../../mixins/jetstream/provisioner.ts";
import type { Recoveries } from "../../../mixins/jetstream/recoveries.ts";
import { errorCode, identityOf, lossOf, streamNames } from "../../../mixins/jetstream/streams.ts";
import type { StreamDefinition } from "../../../mixins/jetstream.mixin.ts";
import { rows } from "../../support/books.ts";
import { silentLog } from "../../support/silent-log.ts";
import { eventually, startNode, stopAll, stopNode } from "../../support/system.ts";
import { whileRunning } from "../../support/while-running.ts";
import { Handled, jobs, news, sampleOn, sampleService, streamHealth } from "./sample.ts";

/** Streams and consumers that are deleted while two nodes work with them. */

jest.setTimeout(60_000);

const healWithinMs = 5_000;

let connection: NatsConnection;
let manager: JetStreamManager;
let nodes: ServiceBroker[];
const handled = new Handled();
const full = (name: string) => natsPrefix() + name;

/** The mark of a stream's last loss; "" where there was none. */
const lossIn = async (stream: string) => lossOf(await manager.streams.info(full(stream)));
/** What the nodes' recoveries of the queue got. */
let recovered: StreamGeneration[][];

/** A stream that was made again gives its consumers names of their own. */
async function namesOn(stream: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name } of manager.consumers.list(full(stream))) names.push(name);
  return names;
}
async function deleteConsumers(stream: string): Promise<void> {
  for (const name of await namesOn(stream)) await manager.consumers.delete(full(stream), name);
}

beforeAll(async () => {
  connection = await connect(natsOptions("gone-test"));
  manager = await connection.jetstreamManager();
  nodes = await Promise.all(["one", "two"].map((label) => startNode(label, [sampleService(handled)])));
  recovered = nodes.map((node) => {
    const got: StreamGeneration[] = [];
    const run = async (streams: readonly StreamGeneration[]) => void got.push(...streams);
    sampleOn(node).jetstream.recover({ name: `test ${node.nodeID}`, stream: jobs, run });
    return got;
  });
  await eventually("both pull", async () => {
    const infos = await Promise.all([0, 1].map((n) => manager.consumers.info(full(`JOBS-${n}`), `jobs-reader-${n}`)));
    return infos.every(({ num_waiting }) => num_waiting > 0);
  });
});
afterEach(() => {
  handled.release();
  jest.restoreAllMocks();
});
afterAll(async () => {
  await connection.close();
  await stopAll();
});

let made = 0;
const newIds = (count: number) => Array.from({ length: count }, () => `m-${++made}`);

const publishOn = (node: ServiceBroker, subject: string, id: string) =>
  sampleOn(node).jetstream.publish(subject, { id }, { msgId: id });
/** On either node, until it is taken. */
async function publish(subject: string, id: string): Promise<PubAck> {
  const refusals: unknown[] = [];
  const take = () =>
    publishOn(nodes[made % 2] as ServiceBroker, subject, id).catch((error: { data?: unknown }) => {
      refusals.push(error.data);
    });
  return eventually(`${id} is taken`, take, healWithinMs).catch((error: Error) => {
    throw new Error(`${error.message}: ${JSON.stringify(refusals)}`);
  }) as Promise<PubAck>;
}
const publishAll = (subject: string, ids: readonly string[]) => Promise.all(ids.map((id) => publish(subject, id)));
const times = (list: readonly string[], ids: readonly string[]) =>
  ids.map((id) => list.filter((one) => one === id).length);
const once = (ids: readonly string[]) => ids.map(() => 1);

const expectHandled = (list: readonly string[], ids: readonly string[]) =>
  eventually("all are handled", () => ids.every((id) => list.includes(id)), healWithinMs);
async function expectHealthy(): Promise<void> {
  let reports: unknown[] = [];
  const areHealthy = async () => {
    reports = await Promise.all(nodes.map(streamHealth));
    return reports.every((health) => health === true);
  };
  await eventually("the nodes are healthy", areHealthy, 20_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${reports.join(" | ")}`);
  });
}

const positionRows = (reader: string) =>
  rows<{ stream_created: string; sequence: string }>(
    "sample",
    "SELECT stream_created, sequence FROM t_stream_position WHERE reader = ? ORDER BY stream_created",
    [reader],
  );
const positionOf = async (reader: string, created: string) =>
  Number((await positionRows(reader)).find(({ stream_created }) => stream_created === created)?.sequence ?? 0);

/** Until every node has checked its streams again. */
const aLook = () =>
  Promise.all(
    nodes.map((node) => {
      const { manager: theirs } = sampleOn(node).jetstream;
      const looked = jest.spyOn(theirs.streams, "info");
      const looks = () => looked.mock.calls.filter(([name]) => name === full("JOBS-0")).length;
      return eventually("a look has ended", () => looks() > 1).finally(() => looked.mockRestore());
    }),
  );

/** Sends jobs without a pause until it is told to stop; those that were acked. */
const traffic = (acked: string[]) => (isOver: () => boolean) =>
  Promise.all(
    [0, 1].map(async (lane) => {
      while (!isOver()) {
        const [id] = newIds(1) as [string];
        await publish(`job.${lane}`, id).then(
          () => acked.push(id),
          () => {},
        );
        await new Promise((resolve) => setTimeout(resolve, 2));
      }
    }),
  );

describe("a stream that is made", () => {
  const shared: StreamDefinition = { ...{ name: "SHARED", subjects: ["shared.*"], kind: "queue", partitions: 4 } };

  test("has its share of the bound, also where many nodes make it at once, and none deletes what another took", async () => {
    const bound = { ...shared, maxMessages: 1_000_000 };
    const acked: number[] = [];
    let sent = 0;
    const publishing = async (isOver: () => boolean) => {
      while (!isOver()) {
        sent++;
        const ack = await connection
          .jetstream()
          .publish(full("shared.2"), "x")
          .catch(() => undefined);
        if (ack) acked.push(ack.seq);
      }
    };
    await whileRunning(publishing, async () => {
      await Promise.all(Array.from({ length: 8 }, () => ensureStreams(manager, [bound])));
      await eventually("some are taken", () => acked.length > 20);
    });
    const { config, state } = await manager.streams.info(full("SHARED-2"));
    expect([config.max_msgs, config.subjects]).toEqual([250_000, [full("shared.2")]]);
    // One whose ack did not come may be stored.
    expect(state.messages).toBeGreaterThanOrEqual(acked.length);
    expect(state.messages).toBeLessThanOrEqual(sent);
    expect(streamNames(bound)).toHaveLength(4);
  });

  test("refuses what exceeds its share of the bytes, however few messages it has, and keeps what it has", async () => {
    await ensureStreams(manager, [{ ...shared, maxMessages: 1_000_000, maxBytes: 40_000 }]);
    const publish = async (): Promise<number | undefined> => {
      const sent = connection.jetstream().publish(full("shared.1"), "x".repeat(1_000));
      return sent.then(
        () => undefined,
        (error: unknown) => {
          const code = errorCode(error);
          // No answer is no refusal: it may be stored.
          if (code === undefined) throw error;
          return code;
        },
      );
    };
    const answers = await Promise.all(Array.from({ length: 20 }, publish));
    const taken = answers.filter((code) => code === undefined).length;
    for (const code of answers) expect(code === undefined || noRoomCodes.has(code)).toBe(true);
    const { config, state } = await manager.streams.info(full("SHARED-1"));
    expect([config.max_bytes, state.messages, state.bytes <= 10_000]).toEqual([10_000, taken, true]);
    expect(taken).toBeGreaterThan(5);
    await manager.streams.purge(full("SHARED-1"));
    expect(await publish()).toBeUndefined();
  });

  test("gets no bound that would delete waiting messages, and gets it at the next start once there is room", async () => {
    const grown: StreamDefinition = { name: "GROWN", subjects: ["grown"], kind: "queue" };
    const bounded = { ...grown, maxMessages: 100, maxBytes: 10_000 };
    const state = async () => {
      const { config, state: now } = await manager.streams.info(full("GROWN"));
      return [config.max_msgs, config.max_bytes, config.discard, now.messages];
    };
    const warned = jest.fn();
    await ensureStreams(manager, [grown]);
    await Promise.all(
      Array.from({ length: 20 }, () => connection.jetstream().publish(full("grown"), "x".repeat(1_000))),
    );
    await ensureStreams(manager, [bounded], { log: { ...silentLog, warn: warned } });
    expect(await state()).toEqual([100, -1, "new", 20]);
    expect(warned.mock.calls).toEqual([
      [
        expect.objectContaining({ stream: full("GROWN"), bound: "max_bytes", from: -1, to: 10_000 }),
        expect.any(String),
      ],
    ]);
    await manager.streams.purge(full("GROWN"), { keep: 4 });
    await ensureStreams(manager, [bounded]);
    expect(await state()).toEqual([100, 10_000, "new", 4]);
    await manager.streams.delete(full("GROWN"));
  });

  test("is brought to its definition where it has other settings, and keeps its place", async () => {
    const before = await manager.streams.info(full("SHARED-3"));
    await ensureStreams(manager, [{ ...shared, maxMessages: 400 }]);
    const { config, created } = await manager.streams.info(full("SHARED-3"));
    expect([config.max_msgs, config.description, created]).toEqual([100, before.config.description, before.created]);
  });
});

describe("a queue", () => {
  test("whose consumer is deleted under traffic goes on within 5 s, and nothing is left behind", async () => {
    const acked: string[] = [];
    await whileRunning(traffic(acked), async () => {
      await eventually("jobs are handled", () => handled.jobs.length > 50);
      await Promise.all(["JOBS-0", "JOBS-1"].map(deleteConsumers));
      const [after] = newIds(1) as [string];
      await publish("job.0", after);
      await expectHandled(handled.jobs, [after]);
    });
    await expectHandled(handled.jobs, acked);
    await eventually(
      "the queue is empty",
      async () => (await manager.streams.info(full("JOBS-0"))).state.messages === 0,
    );
    await expectHealthy();
  });

  test("that is deleted with messages in progress accepts new ones, which no old ack removes, and reports how many are lost", async () => {
    const errors = nodes.map((node) => jest.spyOn(sampleOn(node).logger, "error"));
    // A stream that nothing was published to yet, so that the sequences in progress are the first ones.
    await manager.streams.delete(full("JOBS-1"));
    await eventually("it is there", async () => (await namesOn("JOBS-1").catch(() => [])).length > 0);
    handled.hold();
    const old = newIds(30);
    await publishAll("job.1", old);
    const [reader] = (await namesOn("JOBS-1")) as [string];
    const inHand = async () => (await manager.consumers.info(full("JOBS-1"), reader)).num_ack_pending;
    await eventually("all are in hand", async () => (await inHand()) === 30);
    await aLook();
    const { state } = await manager.streams.info(full("JOBS-1"));
    expect(state.messages).toBe(30);
    await manager.streams.delete(full("JOBS-1"));
    const fresh = newIds(30);
    const acks = await publishAll("job.1", fresh);
    // The same sequences mean other messages.
    expect([Math.min(...acks.map(({ seq }) => seq)), state.first_seq]).toEqual([1, 1]);
    handled.release();
    await expectHandled(handled.jobs, [...old, ...fresh]);
    expect(times(handled.jobs, fresh)).toEqual(once(fresh));
    await eventually("it is empty", async () => (await manager.streams.info(full("JOBS-1"))).state.messages === 0);
    const said = () => errors.flatMap(({ mock }) => mock.calls).filter(([about]) => about?.lost === 30);
    await eventually("both nodes say it", () => said().length === 2);
    const reports = await Promise.all(nodes.map(streamHealth));
    expect(reports).toEqual([1, 2].map(() => expect.stringContaining("30 messages were lost with stream")));
    await expectHealthy();
  });

  test("that is purged loses the undelivered messages, which is detected, and continues", async () => {
    handled.hold();
    const errors = nodes.map((node) => jest.spyOn(sampleOn(node).logger, "error"));
    // More than the nodes hold.
    await publishAll("job.0", newIds(700));
    await aLook();
    const before = await lossIn("JOBS-0");
    await manager.streams.purge(full("JOBS-0"));
    handled.release();
    const [after] = newIds(1) as [string];
    await publish("job.0", after);
    await expectHandled(handled.jobs, [after]);
    await eventually("it is said", () =>
      errors.flatMap(({ mock }) => mock.calls).some(([about, text]) => about?.lost > 0 && /purged/.test(text)),
    );
    // Both nodes run the recoveries for the same mark. Where both mark it at the same time, the later mark stays.
    const mark = await eventually("it is marked, and the recoveries run", async () => {
      const now = await lossIn("JOBS-0");
      return now !== before && recovered.every((list) => list.some(({ again }) => again === now)) && now;
    });
    await eventually("its consumer bears it", async () => {
      const names = await namesOn("JOBS-0");
      return names.length === 1 && names[0] === `jobs-reader-0~${mark}`;
    });
  });

  test("whose consumer is made again passes what was acked before it, and does not call it purged", async () => {
    handled.hold();
    const errors = nodes.map((node) => jest.spyOn(sampleOn(node).logger, "error"));
    const ids = newIds(120);
    const acks = await publishAll("job.0", ids);
    const sequences = acks.map(({ seq }) => seq).sort((a, b) => a - b);
    const last = sequences.at(-1) as number;
    const reached = async () => {
      const [name] = (await namesOn("JOBS-0")) as [string];
      return (await manager.consumers.info(full("JOBS-0"), name)).delivered.stream_seq;
    };
    await eventually("all are in hand", async () => (await reached().catch(() => 0)) >= last);
    // As if they had been acked.
    for (const sequence of sequences.slice(1, -1)) await manager.streams.deleteMessage(full("JOBS-0"), sequence, false);
    await deleteConsumers("JOBS-0");
    handled.release();
    await eventually("the new one is behind them", async () => (await reached().catch(() => 0)) >= last, healWithinMs);
    await expectHandled(handled.jobs, [ids[0] as string]);
    await aLook();
    expect(errors.flatMap(({ mock }) => mock.calls).filter(([, text]) => /purged/.test(text))).toEqual([]);
    await expectHealthy();
  });

  test("that went back in time is detected at a start, gets consumers that no late ack reaches, and its recoveries run", async () => {
    await aLook();
    const info = await manager.streams.info(full("JOBS-1"));
    const { mysql } = sampleOn(nodes[0] as ServiceBroker);
    // As if the store were older than what was seen of it.
    const seenAt = info.state.last_seq + 1_000_000;
    const stream = { stream: full("JOBS-1"), created: info.created };
    await new Positions(mysql).advance("seen", stream, seenAt);
    const late = await startNode("late", [sampleService(handled)]);
    const mark = await eventually("it is marked", () => lossIn("JOBS-1"));
    await eventually("the others run the recoveries", () =>
      recovered.every((list) => list.some(({ again }) => again === mark)),
    );
    await eventually("the consumer has another name", async () => {
      const names = await namesOn("JOBS-1");
      return names.length === 1 && names[0] === `jobs-reader-1~${mark}`;
    });
    await eventually("what was seen follows down", async () => (await positionOf("seen", info.created)) < seenAt);
    const [job] = newIds(1) as [string];
    await publish("job.1", job);
    await expectHandled(handled.jobs, [job]);
    await stopNode(late);
    expect(await lossIn("JOBS-1")).toBe(mark);
    await expectHealthy();
  });

  test("that was purged while no provisioner answers is reported at once and once, and marked when one answers", async () => {
    const info = await manager.streams.info(full("JOBS-1"));
    const mark = lossOf(info);
    const [error, countLost] = [jest.fn(), jest.fn()];
    const provisioner = new Provisioner(manager);
    const markLoss = jest.fn(provisioner.markLoss.bind(provisioner));
    const watch = new LossWatch({
      ...{ manager, conditions: new Conditions(), log: { ...silentLog, error }, countLost },
      provisioning: Object.assign(Object.create(provisioner), { markLoss }),
    });
    const seenBefore = { stream: full("JOBS-1"), created: "c", waiting: 9, deliveries: 1, reached: 1, madeAt: 0 };
    const look = (reached: number) => watch.lookForPurge(info, seenBefore, { ...seenBefore, waiting: 0, reached });
    for (const reached of [8, 8, 10]) {
      markLoss.mockRejectedValueOnce(new Error("nobody offers the provisioner"));
      await expect(look(reached)).rejects.toThrow("nobody offers");
    }
    expect(countLost.mock.calls).toEqual([
      [full("JOBS-1"), 7],
      [full("JOBS-1"), 2],
    ]);
    expect(error).toHaveBeenCalledTimes(2);
    expect(await look(10)).toBe(true);
    expect(countLost).toHaveBeenCalledTimes(2);
    expect(await eventually("it is marked", () => lossIn("JOBS-1"))).not.toBe(mark);
    await expectHealthy();
  });

  test("that went back in time between checks is marked at the second check, a log's recovery gets its end", async () => {
    for (const [name, kind] of [
      ["JOBS-1", "queue"],
      ["NEWS", "log"],
    ] as const) {
      const info = await manager.streams.info(full(name));
      const before = lossOf(info);
      const [again, seen, error, countLost] = [jest.fn(), jest.fn(), jest.fn(), jest.fn()];
      const recoveries = { again, seen } as unknown as Recoveries;
      const watch = new LossWatch({
        manager,
        provisioning: new Provisioner(manager),
        conditions: new Conditions(),
        recoveries,
        log: { ...silentLog, error },
        countLost,
      });
      const higher = { ...info, state: { ...info.state, last_seq: info.state.last_seq + 7 } };
      for (const look of [higher, info]) await watch.look(look, kind, () => []);
      expect([error, countLost, again].map(({ mock }) => mock.calls.length)).toEqual([0, 0, 0]);
      const now = await watch.look(info, kind, () => []);
      expect(countLost).toHaveBeenCalledWith(full(name), 7);
      const told = (kind === "queue" ? seen : again).mock.lastCall?.[0];
      expect(told).toEqual({
        ...{ stream: full(name), created: info.created },
        ...{ again: lossOf(now), lastSequence: info.state.last_seq },
        ...(info.state.last_seq > 0 && { lastTime: new Date(info.state.last_ts) }),
      });
      expect(lossOf(now) === before).toBe(kind === "log");
    }
    await expectHealthy();
  });
});

describe("a log", () => {
  const created = async () => (await manager.streams.info(full("NEWS"))).created;
  const settledAt = (reader: string, sequence: number) =>
    eventually("the position is kept", async () => (await positionOf(reader, await created())) >= sequence);

  test("whose consumer is deleted goes on after the position that its service keeps", async () => {
    const first = newIds(25);
    const acks = await publishAll("news.local", first);
    await expectHandled(handled.news, first);
    await settledAt("news-reader", Math.max(...acks.map(({ seq }) => seq)));
    await deleteConsumers("NEWS");
    const next = newIds(25);
    await publishAll("news.local", next);
    await expectHandled(handled.news, next);
    expect(times(handled.news, [...first, ...next])).toEqual(once([...first, ...next]));
  });

  test("that is deleted is made again, and is read from its beginning, events between stream and consumer included", async () => {
    const before = await created();
    const was = await positionOf("news-reader", before);
    await manager.streams.delete(full("NEWS"));
    const fresh = newIds(10);
    await publishAll("news.local", fresh);
    await expectHandled(handled.news, fresh);
    expect(times(handled.news, fresh)).toEqual(once(fresh));
    expect(await created()).not.toBe(before);
    await settledAt("news-reader", 1);
    expect(await positionOf("news-reader", before)).toBe(was);
  });

  test("and all other streams, the dead letters too, are deleted: everything is there within 5 s", async () => {
    const names = [...streamNames(jobs), ...streamNames(news), full("DEAD")];
    await Promise.all(names.map((name) => manager.streams.delete(name)));
    const there = async (name: string) => (await manager.streams.info(name).catch(() => undefined)) !== undefined;
    await eventually("all are there", async () => (await Promise.all(names.map(there))).every(Boolean), healWithinMs);
    const [job, item] = newIds(2) as [string, string];
    await Promise.all([publish("job.0", job), publish("news.local", item)]);
    await expectHandled(handled.jobs, [job]);
    await expectHandled(handled.news, [item]);
  });

  test("gets again from the outbox what it lost and not all consumers had read, and nothing else", async () => {
    const { outbox, mysql } = sampleOn(nodes[0] as ServiceBroker);
    const write = async (ids: readonly string[], subject: string) => {
      for (const id of ids)
        await mysql.transaction((tx) => outbox.add(tx, { subject, msgId: id, payload: { id }, orderKey: id }));
      outbox.wake();
      await eventually("they are sent", async () => (await outbox.unsent(ids)).size === 0);
    };
    const read = newIds(5);
    await write(read, "news.local");
    await expectHandled(handled.news, read);
    await eventually("that is known", async () => (await positionOf("*", await created())) >= (await lastSequence()));
    handled.hold();
    const unread = newIds(5);
    await write(unread, "news.local");
    await manager.streams.delete(full("NEWS"));
    await eventually("they are sent again", async () => {
      const info = await manager.streams.info(full("NEWS")).catch(() => undefined);
      return info?.state.messages === 5;
    });
    handled.release();
    await expectHandled(handled.news, unread);
    // The second run of the recovery finds nothing more.
    const isOver = async () => {
      const now = await created();
      return (await positionRows("recovery outbox NEWS")).some(({ stream_created }) => stream_created === now);
    };
    await eventually("the recovery is over", isOver, 15_000);
    expect(times(handled.news, read)).toEqual(once(read));
    expect((await manager.streams.info(full("NEWS"))).state.messages).toBe(5);
  });

  const lastSequence = async () => (await manager.streams.info(full("NEWS"))).state.last_seq;

  test("has for each reader a time before which nothing is unread: it never goes back, nor moves without the position", async () => {
    const positions = new Positions(sampleOn(nodes[0] as ServiceBroker).mysql);
    const stream = { stream: full("NEWS"), created: "of this test" };
    const at = (second: number) => new Date(Date.parse("2026-01-01T00:00:00.250Z") + second * 1_000);
    const rows = [];
    const moves = [
      ...[[5, at(10)] as const, [9, at(20)] as const, [9, at(30)] as const, [12, at(5)] as const],
      ...[[15, undefined] as const, [20, at(40)] as const],
    ];
    for (const [sequence, time] of moves) {
      await positions.advance("timed", stream, sequence, time);
      rows.push(await positions.find("timed", stream));
    }
    await positions.takeBack("timed", stream, 20, 3);
    rows.push(await positions.find("timed", stream));
    expect(rows).toEqual([
      ...[
        { sequence: 5, time: at(10) },
        { sequence: 9, time: at(20) },
        { sequence: 9, time: at(20) },
      ],
      ...[
        { sequence: 12, time: at(20) },
        { sequence: 15, time: at(20) },
        { sequence: 20, time: at(40) },
      ],
      { sequence: 3, time: at(40) },
    ]);
    expect(await positions.lastTimeInFormer("timed", { ...stream, created: "later" })).toEqual(at(40));
  });

  test("that was restored from an old backup goes on with what is new in it, and the position follows", async () => {
    const positions = new Positions(sampleOn(nodes[0] as ServiceBroker).mysql);
    const error = jest.fn();
    const keeper = new PositionKeeper(manager, positions, { ...silentLog, error });
    const info = await manager.streams.info(full("NEWS"));
    const stream = { stream: full("NEWS"), created: info.created };
    expect(await keeper.startOf("nobody", info)).toBe("first");
    await keeper.note("restored", info, info.state.last_seq - 1);
    expect(await keeper.startOf("restored", info)).toEqual({ after: info.state.last_seq - 1 });
    await positions.advance("restored", stream, info.state.last_seq + 100);
    await positions.advance("restored", stream, info.state.last_seq);
    const position = await positions.find("restored", stream);
    expect(position?.sequence).toBe(info.state.last_seq + 100);
    expect(await keeper.startOf("restored", info)).toEqual({
      since: new Date((position?.time.getTime() ?? 0) - 60_000),
    });
    expect(error).toHaveBeenCalledTimes(1);
    // A node that has seen the higher one sees the stream end before it.
    const other = new PositionKeeper(manager, positions, { ...silentLog, error });
    await other.note("restored", info, info.state.last_seq);
    expect((await positions.find("restored", stream))?.sequence).toBe(info.state.last_seq + 100);
    await other.note("restored", info, info.state.last_seq);
    expect((await positions.find("restored", stream))?.sequence).toBe(info.state.last_seq);
  });
});

describe("the health report", () => {
  test("names what is missing while it cannot be made, and is true again once it is there", async () => {
    // Until it is faster than the nodes.
    await eventually("somebody else has the subject", async () => {
      await manager.streams.delete(full("NEWS")).catch(() => {});
      return manager.streams.add({ name: full("SQUATTER"), subjects: [full("news.>")] }).catch(() => undefined);
    });
    await eventually("both say it", async () =>
      (await Promise.all(nodes.map(streamHealth))).every((health) =>
        /stream \S*NEWS is missing: /.test(String(health)),
      ),
    );
    await manager.streams.delete(full("SQUATTER"));
    await eventually("neither says it", async () =>
      (await Promise.all(nodes.map(streamHealth))).every((health) => !/missing/.test(String(health))),
    );
    const [item] = newIds(1) as [string];
    await publish("news.local", item);
    await expectHandled(handled.news, [item]);
    await expectHealthy();
  });

  test("reports that a stream is full, and is true again once there is room", async () => {
    handled.hold();
    await manager.streams.update(full("JOBS-1"), { max_msgs: 10 });
    const outcomes = await Promise.allSettled(
      newIds(12).map((id) => publishOn(nodes[0] as ServiceBroker, "job.1", id)),
    );
    expect(outcomes.filter(({ status }) => status === "rejected")).toHaveLength(2);
    // A report is kept for half a second.
    await eventually("the node that was refused says so", async () =>
      /JOBS-1 (refuses messages: maximum messages exceeded|is full)/.test(
        String(await streamHealth(nodes[0] as ServiceBroker)),
      ),
    );
    await eventually("the other node sees it", async () =>
      /JOBS-1 is full: it holds 10 messages/.test(String(await streamHealth(nodes[1] as ServiceBroker))),
    );
    handled.release();
    await eventually("it is drained", async () => (await manager.streams.info(full("JOBS-1"))).state.messages === 0);
    await publishOn(nodes[0] as ServiceBroker, "job.1", newIds(1)[0] as string);
    await expectHealthy();
  });
});

test("a queue whose consumer has passed messages is marked, and another consumer delivers them", async () => {
  handled.hold();
  const [id] = newIds(1) as [string];
  await publish("job.1", id);
  const mark = await lossIn("JOBS-1");
  const look = jest.spyOn(PassedMessages.prototype, "look");
  look.mockImplementation((durable, info) =>
    durable === "jobs-reader-1" && lossOf(info) === mark ? info.state.first_seq : undefined,
  );
  await eventually("it is marked", async () => (await lossIn("JOBS-1")) > mark);
  const marked = await lossIn("JOBS-1");
  await eventually("the consumer has another name", async () => {
    const names = await namesOn("JOBS-1");
    return names.length === 1 && names[0] === `jobs-reader-1~${marked}`;
  });
  await eventually("it has delivered it", async () => {
    const { num_ack_pending } = await manager.consumers.info(full("JOBS-1"), `jobs-reader-1~${marked}`);
    return num_ack_pending > 0;
  });
  handled.release();
  await eventually("it is handled again", () => times(handled.jobs, [id])[0] === 2);
  await eventually("the queue is empty", async () => {
    return (await manager.streams.info(full("JOBS-1"))).state.messages === 0;
  });
  await expectHealthy();
});

describe("a stream that is gone when a service starts", () => {
  test("is told like one that is lost while it runs: an error, the count, the health report", async () => {
    await Promise.all(nodes.map(stopNode));
    await manager.streams.delete(full("NEWS"));
    const node = await startNode("three", [sampleService(handled)]);
    expect(String(await streamHealth(node))).toMatch(/stream \S*NEWS was lost at the start/);
    const counted = node.metrics.list({ includes: "ovation.jetstream.lost" }) as unknown as {
      values: { value: number; labels: { stream: string } }[];
    }[];
    expect(counted[0]?.values).toContainEqual(
      expect.objectContaining({ value: 1, labels: expect.objectContaining({ stream: full("NEWS") }) }),
    );
  });
});

test("the dead letters and the account are asked for less often than the rest", async () => {
  const node = await startNode("four", [sampleService(handled)]);
  const { manager: theirs } = sampleOn(node).jetstream;
  await eventually("it is healthy", async () => (await streamHealth(node)) === true, 20_000);
  const asked = [jest.spyOn(theirs.streams, "info"), jest.spyOn(theirs, "getAccountInfo")] as const;
  const times = (stream: string) => asked[0].mock.calls.filter(([name]) => name === full(stream)).length;
  await eventually("there were looks", () => times("JOBS-0") >= 4);
  expect([times("DEAD") <= 1, asked[1].mock.calls.length <= 1]).toEqual([true, true]);
});

describe("a consumer that is made", () => {
  const wanted = { durable: "maker", stream: full("NEWS"), kind: "log" } as const;

  test("stays where it cannot be asked afterwards which stream it is on, and goes where that is another one", async () => {
    const stream = await manager.streams.info(full("NEWS"));
    const name = "maker~1";
    const provisioner = new Provisioner(manager);
    const make = () => provisioner.makeConsumer({ consumer: wanted, name, stream: identityOf(stream), start: "first" });
    const info = jest.spyOn(manager.streams, "info");
    info.mockResolvedValueOnce(stream).mockRejectedValueOnce(new Error("TIMEOUT"));
    await expect(make()).rejects.toThrow("TIMEOUT");
    expect(await namesOn("NEWS")).toContain(name);
    await manager.consumers.delete(full("NEWS"), name);
    info.mockResolvedValueOnce(stream).mockResolvedValueOnce({ ...stream, created: "another" } as StreamInfo);
    await expect(make()).rejects.toThrow("made again");
    expect((await namesOn("NEWS")).filter((name) => name.startsWith("maker"))).toEqual([]);
  });
});
