import { connect, headers, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import { Publisher } from "../../../mixins/jetstream/publisher.ts";
import { eventStream } from "../../../services/streams.ts";
import { eventually } from "../../support/system.ts";

const data = (text: string) => new TextEncoder().encode(text);
const named = (msgId: string) => {
  const head = headers();
  head.set("Nats-Msg-Id", msgId);
  return head;
};
const subject = `${natsPrefix()}event.test`;

const { publishAgainMs, publishTimeoutMs } = limits.jetstream;
/** The publisher's time, ms: it stands still but for the tests, or a late answer would be one to a repeat. */
let now: number;
let looks: jest.SpyInstance;
beforeEach(() => {
  now = 0;
  looks = jest.spyOn(performance, "now").mockImplementation(() => now);
});
afterEach(() => jest.restoreAllMocks());

/** Until the publishers have looked several times for what is overdue. */
async function severalLooks(): Promise<void> {
  const before = looks.mock.calls.length;
  await eventually("several looks", () => looks.mock.calls.length > before + 4);
}

let connection: NatsConnection;
let publisher: Publisher;

beforeAll(async () => {
  connection = await connect(natsOptions("publisher-test"));
  await ensureStreams(await connection.jetstreamManager(), [eventStream]);
  publisher = new Publisher(connection);
});
afterAll(() => connection.close());

test("each of many publications gets the ack of its own message, a repeat that of the first", async () => {
  const acks = await Promise.all(
    Array.from({ length: 500 }, (_, n) => publisher.publish(subject, data(String(n)), named(`many-${n}`))),
  );
  expect(acks.map(({ seq }) => seq)).toEqual(acks.map((_, n) => (acks[0]?.seq ?? 0) + n));
  expect(acks.filter(({ duplicate }) => duplicate)).toEqual([]);
  const repeat = await publisher.publish(subject, data("again"), named("many-7"));
  expect(repeat).toMatchObject({ seq: acks[7]?.seq, duplicate: true });
});

test("what no stream takes is rejected at once, and is not stored", async () => {
  await expect(publisher.publish(`${natsPrefix()}nobody.takes`, data("?"), named("nobody"))).rejects.toMatchObject({
    message: expect.stringContaining("no stream has"),
    mayHaveHappened: false,
  });
});

test("what JetStream refuses is rejected with its reason, and is not stored", async () => {
  const head = named("refused");
  head.set("Nats-Expected-Last-Sequence", "1");
  await expect(publisher.publish(subject, data("?"), head)).rejects.toMatchObject({
    message: expect.stringContaining("wrong last sequence"),
    mayHaveHappened: false,
  });
});

test("what is not acked in time is rejected, and so is what is on its way when the connection closes: both may be stored", async () => {
  const silent = await connect(natsOptions("publisher-silent-test"));
  const sink = silent.subscribe(`${natsPrefix()}sink`);
  const closing = silent.subscribe(`${natsPrefix()}closing`);
  const waiting = new Publisher(silent);
  const late = waiting.publish(`${natsPrefix()}sink`, data("?"), named("silence"));
  const rejected = jest.fn();
  late.catch(rejected);
  now += publishAgainMs;
  await eventually("it is published again", () => sink.getReceived() === 2);
  now = publishTimeoutMs - 1;
  await severalLooks();
  expect(rejected).not.toHaveBeenCalled();
  now = publishTimeoutMs;
  await expect(late).rejects.toMatchObject({ message: expect.stringContaining("in time"), mayHaveHappened: true });
  expect(sink.getReceived()).toBe(2);
  const last = waiting.publish(`${natsPrefix()}closing`, data("?"), named("closing"));
  const outcome = expect(last).rejects.toMatchObject({
    message: expect.stringContaining("closed"),
    mayHaveHappened: true,
  });
  await eventually("it arrived", () => closing.getReceived() > 0);
  await silent.close();
  await outcome;
});

/** Answers the second message on a subject, as JetStream would where the first one or its ack was lost. */
function answerSecond(subject: string, answer: object) {
  const messages: { text: string; id: string | undefined }[] = [];
  const subscription = connection.subscribe(subject, {
    callback: (_, message) => {
      messages.push({ text: message.string(), id: message.headers?.get("Nats-Msg-Id") });
      if (messages.length === 2) message.respond(data(JSON.stringify(answer)));
    },
  });
  return { messages, end: () => subscription.unsubscribe() };
}

test("what is not acked is published again with its id, before its time is over", async () => {
  const target = `${natsPrefix()}lost.ack`;
  const { messages, end } = answerSecond(target, { stream: "S", seq: 9, duplicate: true });
  const acked = publisher.publish(target, data("once"), named("lost-ack"));
  await eventually("it arrived", () => messages.length === 1);
  now += publishAgainMs - 1;
  await severalLooks();
  expect(messages.length).toBe(1);
  now += 1;
  const ack = await acked;
  end();
  expect(ack).toMatchObject({ seq: 9, duplicate: true });
  expect(messages).toEqual(Array(2).fill({ text: "once", id: "lost-ack" }));
});

test("what is refused when it was published again may be stored", async () => {
  const target = `${natsPrefix()}lost.refusal`;
  const { end } = answerSecond(target, { stream: "S", error: { code: 503, description: "no room" } });
  const refused = publisher.publish(target, data("?"), named("lost-refusal"));
  now += publishAgainMs;
  await expect(refused).rejects.toMatchObject({
    message: expect.stringContaining("no room"),
    mayHaveHappened: true,
  });
  end();
});

test("while the first of two is being stored, its ack is waited for", async () => {
  const target = `${natsPrefix()}in.progress`;
  const { messages, end } = answerSecond(target, { stream: "S", error: { code: 409, description: "in progress" } });
  const acked = publisher.publish(target, data("?"), named("in-progress"));
  const rejected = jest.fn();
  acked.catch(rejected);
  now += publishAgainMs;
  await eventually("it is published again", () => messages.length === 2);
  // The answer has come then, too: it went over the same connection.
  await connection.flush();
  expect(rejected).not.toHaveBeenCalled();
  now += publishTimeoutMs;
  await expect(acked).rejects.toMatchObject({ message: expect.stringContaining("in time"), mayHaveHappened: true });
  end();
  expect(messages.length).toBe(2);
});
