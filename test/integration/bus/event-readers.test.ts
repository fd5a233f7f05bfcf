/** @jest-environment ./test/support/own-nats-environment.cjs */
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import type { ServiceBroker } from "moleculer";
import {
  AckPolicy,
  type ConsumerConfig,
  connect,
  consumerOpts,
  DeliverPolicy,
  type JetStreamManager,
  type NatsConnection,
} from "nats";
import { inboxPrefixOf, mirrorUserOf, natsUser } from "../../../broker/nats-names.ts";
import { natsOptions } from "../../../broker/nats-options.ts";
import { config, natsPrefix, serviceUrlName } from "../../../config/config.ts";
import { projectRoot } from "../../../config/root.ts";
import type { HealthReport } from "../../../mixins/health.mixin.ts";
import { streamNames } from "../../../mixins/jetstream/definitions.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import { ensureNatsLogin, removeNatsLogins } from "../../../scripts/stack/nats-logins.ts";
import { eventReaderImports, eventReaderPermissions, mirrorImports } from "../../../services/event-readers.ts";
import { everyConsumer } from "../../../services/provisioner/provisioned.ts";
import provisioner from "../../../services/provisioner/provisioner.service.ts";
import { allStreams } from "../../../services/stream-access.ts";
import { RawNats } from "../../support/raw-nats.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

/** Other systems read stream EVENTS by consumers of their own, on a mirror in an account of its own. */

jest.setTimeout(60_000);

const { NAMESPACE } = config();
const stackDir = dirname(process.env.TEST_STACK_ENV as string);
const p = natsPrefix();
const stream = `${p}EVENTS`;
const subject = `${p}event.room.opened`;
const healWithinMs = 10_000;

let admin: NatsConnection;
let manager: JetStreamManager;
/** The administrator in the mirror's account: what it publishes is published there as nats-server would. */
let inside: NatsConnection;
let mirrors: JetStreamManager;
/** With the options that a stranger to this project gives. */
let reader: NatsConnection;
let readers: JetStreamManager;
let url: URL;
let node: ServiceBroker;
let published = 0;

const plain = () => ({
  servers: url.host,
  user: decodeURIComponent(url.username),
  pass: decodeURIComponent(url.password),
});
const publish = () => admin.jetstream().publish(subject, JSON.stringify({ id: `room.opened:${++published}` }));
const health = async () => (await node.call<HealthReport, object>("provisioner.health", {})).events;
const gauge = (what: string) => {
  const metric = node.metrics.getMetric(`ovation.events.mirror.${what}`) as unknown as {
    get(labels: Record<string, string>): { value: number } | null;
  };
  return metric.get({ service: "provisioner" })?.value;
};
const isMirrored = async () => {
  const [mirror, source] = [await mirrors.streams.info(stream), await manager.streams.info(stream)];
  return mirror.state.last_seq === source.state.last_seq && mirror.state.messages === source.state.messages;
};
const mirrored = () => eventually("the mirror has every event", () => isMirrored().catch(() => false), healWithinMs);

beforeAll(async () => {
  admin = await connect(natsOptions("readers-test"));
  manager = await admin.jetstreamManager();
  await ensureStreams(manager, allStreams);
  const login = await ensureNatsLogin(stackDir, { role: "events", namespace: NAMESPACE });
  url = new URL(login.env.NATS_URL as string);
  const { env } = await ensureNatsLogin(stackDir, { role: "provisioner", namespace: NAMESPACE });
  process.env[serviceUrlName("NATS_URL", "provisioner")] = env.NATS_URL;
  node = await startNode("maker", [provisioner], "provisioner");
  delete process.env.PROVISIONER_NATS_URL;
  const user = mirrorUserOf(natsUser("admin", NAMESPACE));
  inside = await connect({ ...natsOptions("inside"), user, inboxPrefix: inboxPrefixOf(user) });
  mirrors = await inside.jetstreamManager();
  reader = await connect(plain());
  readers = await reader.jetstreamManager();
  for (let n = 0; n < 3; n++) await publish();
  await mirrored();
});

afterAll(async () => {
  await reader?.close();
  await inside?.close();
  await admin?.close();
  await stopAll();
  await removeNatsLogins(stackDir, NAMESPACE);
});

/** The first messages, as a client gets them. */
async function first(count: number, messages: AsyncIterable<{ subject: string; seq: number; string(): string }>) {
  const seen: [string, number, string][] = [];
  for await (const message of messages) {
    seen.push([message.subject, message.seq, message.string()]);
    if (seen.length === count) break;
  }
  return seen;
}

describe("a plain client", () => {
  const events = [1, 2, 3].map((seq) => [subject, seq, JSON.stringify({ id: `room.opened:${seq}` })]);
  const js = () => reader.jetstream();

  test("sees the stream, with the sequences and times of the original", async () => {
    const { state, config: settings } = await readers.streams.info(stream);
    expect([state.first_seq, state.last_seq, settings.max_bytes]).toEqual([1, 3, config().EVENTS_MAX_BYTES]);
    expect(await readers.streams.find(subject)).toBe(stream);
    const [theirs, ours] = [readers, manager].map((one) => one.streams.getMessage(stream, { seq: 2 }));
    expect(await theirs).toEqual(await ours);
  });

  test("pulls by a durable consumer of its own, and acks", async () => {
    await readers.consumers.add(stream, {
      durable_name: "mine",
      ack_policy: AckPolicy.Explicit,
      filter_subject: subject,
    });
    const consumer = await js().consumers.get(stream, "mine");
    const message = await consumer.next({ expires: 5_000 });
    expect([message?.seq, await message?.ackAck()]).toEqual([1, true]);
    expect((await readers.consumers.info(stream, "mine")).ack_floor.stream_seq).toBe(1);
    expect(await readers.consumers.delete(stream, "mine")).toBe(true);
  });

  test("reads by the lines of docs/events.md, as they stand there", async () => {
    const page = readFileSync(join(projectRoot(), "docs/events.md"), "utf8");
    const [, code = ""] = /## Reading events[\s\S]*?```js\n([\s\S]*?)```/.exec(page) ?? [];
    const env = { ...process.env, EVENTS_NATS_URL: url.href, EVENTS_STREAM: stream };
    const args = ["--input-type=module", "--eval", code];
    const child = spawn(process.execPath, args, { cwd: projectRoot(), env, stdio: ["ignore", "pipe", "inherit"] });
    try {
      let output = "";
      for await (const chunk of child.stdout) {
        output += String(chunk);
        if (output.includes("room.opened:3")) break;
      }
      expect(output).toBe([1, 2, 3].map((n) => `${subject} room.opened:${n}\n`).join(""));
    } finally {
      child.kill("SIGKILL");
    }
    await readers.consumers.delete(stream, "statistics");
  });

  test("pulls by an ephemeral and by an ordered consumer", async () => {
    const { name } = await readers.consumers.add(stream, { ack_policy: AckPolicy.None });
    expect(await first(3, await (await js().consumers.get(stream, name)).consume())).toEqual(events);
    expect(await first(3, await (await js().consumers.get(stream)).consume())).toEqual(events);
  });

  test.each(["an inbox", "a subject of its own", "an ordered consumer"])("is pushed to: %s", async (kind) => {
    const options = consumerOpts();
    if (kind === "an ordered consumer") options.orderedConsumer();
    else {
      options.deliverTo(kind === "an inbox" ? "_INBOX.somewhere" : "deliver.mine");
      options.deliverAll();
      options.ackExplicit();
      options.manualAck();
    }
    const subscription = await js().subscribe(`${p}event.room.*`, options);
    expect(await first(3, subscription)).toEqual(events);
    await subscription.destroy().catch(() => undefined);
  });
});

describe("the readers' login", () => {
  let client: RawNats;
  /** What all streams and consumers hold. */
  async function state(): Promise<unknown[]> {
    const held: unknown[] = [];
    for (const name of allStreams.flatMap(streamNames)) {
      const { created, state: now, config: settings } = await manager.streams.info(name);
      const consumers: string[] = [];
      for await (const one of manager.consumers.list(name)) consumers.push(one.name);
      held.push([name, created, now, settings, consumers]);
    }
    const { created, state: now, config: settings } = await mirrors.streams.info(stream);
    const { consumer_count: _count, ...contents } = now;
    return [...held, created, contents, settings];
  }

  beforeAll(async () => {
    client = await RawNats.open(url.href);
  });
  afterAll(() => client.close());

  test("may not write, change, purge or delete the stream, or ask about another", async () => {
    const before = await state();
    const requests = ["CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT", "RESTORE", "MSG.DELETE"];
    for (const denied of [
      subject,
      ...requests.map((request) => `$JS.API.STREAM.${request}.${stream}`),
      ...["STREAM.INFO", "STREAM.MSG.GET", "CONSUMER.CREATE", "CONSUMER.LIST", "DIRECT.GET"].map(
        (request) => `$JS.API.${request}.${p}PAY`,
      ),
      `source.${stream}.CONSUMER.CREATE.${stream}`,
      `copy.${stream}.x`,
      `$JS.ACK.${p}PAY.wallet-recharge.1.1.1.1.1`,
    ])
      expect([denied, await client.publish(denied, "{}")]).toEqual([denied, "refused"]);
    for (const heard of [">", `${p}event.>`, "$JS.>", "copy.>", "_R_.>"])
      expect([heard, await client.subscribe(heard)]).toEqual([heard, "refused"]);
    expect(await state()).toEqual(before);
  });

  const ofConsumer = (own: Partial<ConsumerConfig>) => ({
    stream_name: stream,
    config: { ack_policy: "none", ...own },
  });
  const create = `$JS.API.CONSUMER.CREATE.${stream}`;

  // nats-server sends there with its own rights: a heartbeat, which has no body, would delete a stream.
  test.each([
    `$JS.API.STREAM.DELETE.${p}EVENTS`,
    `$JS.API.STREAM.PURGE.${p}EVENTS`,
    `$JS.API.STREAM.UPDATE.${p}EVENTS`,
    ...mirrorImports(NAMESPACE).map((one) => (one.to ?? one.subject).replace(">", "x")),
    subject,
    "_INBOX_admin-mirror.x",
    "deliver",
    "deliver.>",
  ])("makes no consumer that delivers to %s", async (target) => {
    const before = await state();
    for (const request of [create, `${create}.bad`, `$JS.API.CONSUMER.DURABLE.CREATE.${stream}.bad`]) {
      const named = request === create ? {} : request.includes("DURABLE") ? { durable_name: "bad" } : { name: "bad" };
      for (const body of [
        ofConsumer({ ...named, deliver_subject: target, idle_heartbeat: 100_000_000 }),
        { stream_name: stream, config: { ...named, Deliver_Subject: target } },
        { ...ofConsumer(named), Config: { deliver_subject: target } },
      ])
        expect(await client.ask(request, body)).toHaveProperty("error.code", 400);
    }
    await expect(readers.consumers.info(stream, "bad")).rejects.toThrow("not found");
    expect(await state()).toEqual(before);
  });

  test("has neither Ovation's own consumers nor another account's messages", async () => {
    for (const { durable } of everyConsumer())
      await expect(readers.consumers.info(stream, durable)).rejects.toThrow("not found");
    const streams: string[] = [];
    for await (const one of readers.streams.list()) streams.push(one.config.name);
    expect(streams).toEqual([stream]);
  });

  test("a request for a consumer that cannot be read is answered", async () => {
    for (const body of [
      "",
      "{",
      "null",
      "[]",
      '"x"',
      JSON.stringify({ stream_name: `${p}PAY`, config: {} }),
      "x".repeat(70_000),
    ])
      expect(await client.ask(create, body)).toHaveProperty("error.code", 400);
  });

  // The reply subject of a pull or a request is the caller's choice, and nats-server publishes there with its own rights.
  const reached = eventReaderPermissions(NAMESPACE)
    .publish.allow.map((one) => one.replace(/[*>]$/, "x"))
    .concat([`$JS.API.STREAM.DELETE.${stream}`, `$JS.API.STREAM.PURGE.${stream}`, subject, `copy.${stream}.x`])
    .concat(mirrorImports(NAMESPACE).map((one) => (one.to ?? one.subject).replace(">", "x")))
    .concat(eventReaderImports(NAMESPACE).map((one) => one.subject.replace(/[*>]$/, "x")));

  test.each([...new Set(reached)])("changes nothing by the reply subject %s", async (reply) => {
    await readers.consumers.add(stream, { durable_name: "puller", ack_policy: AckPolicy.None });
    const before = await state();
    const next = `$JS.API.CONSUMER.MSG.NEXT.${stream}.puller`;
    // The body of an event, a status without a body, and answers with one.
    await client.publish(next, "1", reply);
    await client.publish(next, JSON.stringify({ batch: 9, no_wait: true }), reply);
    await client.publish(next, "{{{", reply);
    await client.publish(`$JS.API.STREAM.MSG.GET.${stream}`, JSON.stringify({ seq: 1 }), reply);
    const made = { durable_name: "puller", deliver_subject: "deliver.x", ack_policy: "none" };
    await client.publish(`${create}.puller`, JSON.stringify({ stream_name: stream, config: made }), reply);
    await client.ask(next, { no_wait: true });
    await client.ask(`$JS.API.STREAM.INFO.${stream}`);
    expect(await state()).toEqual(before);
    await readers.consumers.delete(stream, "puller").catch(() => undefined);
  });

  test.each(mirrorImports(NAMESPACE).map((one) => (one.to ?? one.subject).replace(">", "x")))(
    "what the mirror's account takes is harmless where nats-server publishes an event or nothing: %s",
    async (target) => {
      const before = await state();
      for (const body of ["", JSON.stringify({ id: "room.opened:1", name: "room.opened", data: {} }), "{}", "null"])
        inside.publish(target, body);
      await inside.flush();
      await manager.streams.info(stream);
      expect(await state()).toEqual(before);
    },
  );
});

describe("the mirror", () => {
  const position = async () => (await readers.consumers.info(stream, "system")).ack_floor.stream_seq;

  beforeAll(async () => {
    await readers.consumers.add(stream, { durable_name: "system", ack_policy: AckPolicy.Explicit });
    const consumer = await reader.jetstream().consumers.get(stream, "system");
    for (let n = 0; n < 2; n++) await (await consumer.next())?.ackAck();
    expect(await position()).toBe(2);
    await readers.consumers.add(stream, { durable_name: "later", ack_policy: AckPolicy.None });
    await eventually("the provisioner has seen both", () => gauge("consumers") === 2);
  });

  test("is made again where it is deleted, with the readers' durable consumers at their position", async () => {
    await mirrors.streams.delete(stream);
    await eventually(
      "the consumer is there",
      () => readers.consumers.info(stream, "system").catch(() => false),
      healWithinMs,
    );
    await mirrored();
    const message = await (await reader.jetstream().consumers.get(stream, "system")).next({ expires: 5_000 });
    expect(message?.seq).toBe(3);
    await message?.ackAck();
    await eventually("it is healthy", async () => (await health()) === true);
  });

  test("is degraded while EVENTS is missing, and that of a stream made again has its events", async () => {
    await manager.streams.delete(stream);
    await eventually("readiness says so", async () => /EVENTS is missing/.test(JSON.stringify(await health())));
    expect(gauge("broken")).toBe(1);
    await ensureStreams(manager, allStreams);
    await publish();
    await mirrored();
    const message = await (await reader.jetstream().consumers.get(stream, "system")).next({ expires: 5_000 });
    expect([message?.seq, message?.json<{ id: string }>().id]).toEqual([1, `room.opened:${published}`]);
    await eventually("it is healthy", async () => (await health()) === true);
  });

  test("follows the bounds of EVENTS", async () => {
    await mirrors.streams.update(stream, { max_bytes: 5_000_000 });
    await eventually(
      "it has the bound",
      async () => (await mirrors.streams.info(stream)).config.max_bytes === config().EVENTS_MAX_BYTES,
      healWithinMs,
    );
    const { deliver_policy } = (await readers.consumers.info(stream, "system")).config;
    expect(deliver_policy).toBe(DeliverPolicy.All);
  });
});
