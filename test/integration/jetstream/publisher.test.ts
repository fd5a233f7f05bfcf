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
  const started = Date.now();
  await expect(publisher.publish(`${natsPrefix()}nobody.takes`, data("?"), named("nobody"))).rejects.toMatchObject({
    message: expect.stringContaining("no stream has"),
    mayHaveHappened: false,
  });
  expect(Date.now() - started).toBeLessThan(limits.jetstream.publishTimeoutMs);
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
  silent.subscribe(`${natsPrefix()}sink`);
  const closing = silent.subscribe(`${natsPrefix()}closing`);
  const waiting = new Publisher(silent);
  const started = Date.now();
  await expect(waiting.publish(`${natsPrefix()}sink`, data("?"), named("silence"))).rejects.toMatchObject({
    message: expect.stringContaining("in time"),
    mayHaveHappened: true,
  });
  expect(Date.now() - started).toBeGreaterThanOrEqual(limits.jetstream.publishTimeoutMs - 10);
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
  const ack = await publisher.publish(target, data("once"), named("lost-ack"));
  end();
  expect(ack).toMatchObject({ seq: 9, duplicate: true });
  expect(messages).toEqual(Array(2).fill({ text: "once", id: "lost-ack" }));
});

test("what is refused when it was published again may be stored", async () => {
  const target = `${natsPrefix()}lost.refusal`;
  const { end } = answerSecond(target, { stream: "S", error: { code: 503, description: "no room" } });
  await expect(publisher.publish(target, data("?"), named("lost-refusal"))).rejects.toMatchObject({
    message: expect.stringContaining("no room"),
    mayHaveHappened: true,
  });
  end();
});

test("while the first of two is being stored, its ack is waited for", async () => {
  const target = `${natsPrefix()}in.progress`;
  const { messages, end } = answerSecond(target, { stream: "S", error: { code: 409, description: "in progress" } });
  const acked = publisher.publish(target, data("?"), named("in-progress"));
  await expect(acked).rejects.toMatchObject({ message: expect.stringContaining("in time"), mayHaveHappened: true });
  end();
  expect(messages.length).toBe(2);
});
