/** @jest-environment ./test/support/own-nats-environment.cjs */
import { dirname } from "node:path";
import { connect, createInbox, headers, type JetStreamManager, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { serviceNames } from "../../../broker/service-names.ts";
import { config, natsPrefix } from "../../../config/config.ts";
import { type ConsumerDefinition, consumersOf, streamNames } from "../../../mixins/jetstream/definitions.ts";
import { ensureStreams } from "../../../mixins/jetstream/ensure-streams.ts";
import { Provisioner } from "../../../mixins/jetstream/provisioner.ts";
import { Publisher } from "../../../mixins/jetstream/publisher.ts";
import { identityOf } from "../../../mixins/jetstream/streams.ts";
import { ensureNatsLogin, type NatsUrls, removeNatsLogins } from "../../../scripts/stack/nats-logins.ts";
import { everyConsumer } from "../../../services/provisioner/provisioned.ts";
import { allStreams, streamAccess } from "../../../services/stream-access.ts";
import { servicePermissions } from "../../../services/stream-permissions.ts";
import { RawNats } from "../../support/raw-nats.ts";
import { eventually, stopAll } from "../../support/system.ts";

/** What logins at NATS may do, tried with raw clients on a server of this file alone. */

jest.setTimeout(60_000);

const { NAMESPACE } = config();
const stackDir = dirname(process.env.TEST_STACK_ENV as string);
const p = natsPrefix();
const api = (request: string) => `$JS.API.${request}`;

let admin: NatsConnection;
let manager: JetStreamManager;
const urls = new Map<string, NatsUrls>();
const open: RawNats[] = [];

async function raw(url: string): Promise<RawNats> {
  const client = await RawNats.open(url);
  open.push(client);
  return client;
}
const at = (role: string, where: "NATS_URL" | "bus" = "NATS_URL") => {
  const { busUrl, env } = urls.get(role) as NatsUrls;
  return raw(where === "bus" ? busUrl : (env.NATS_URL as string));
};

beforeAll(async () => {
  admin = await connect(natsOptions("rights-test"));
  manager = await admin.jetstreamManager();
  await ensureStreams(manager, allStreams);
  const provisioner = new Provisioner(manager);
  for (const consumer of everyConsumer()) {
    const stream = identityOf(await manager.streams.info(consumer.stream));
    await provisioner.makeConsumer({ consumer, name: consumer.durable, stream, start: "first" });
  }
  // At first all at once, so that the server reads its configuration twice and not for each.
  for (const role of ["all", ...serviceNames])
    urls.set(role, await ensureNatsLogin(stackDir, { role, namespace: NAMESPACE }));
});

afterAll(async () => {
  await Promise.all(open.map((client) => client.close()));
  await admin?.close();
  await stopAll();
  await removeNatsLogins(stackDir, NAMESPACE);
});

/** Pulls a consumer's next message; resolves with the subject of its ack. */
async function ackOfNext(client: NatsConnection, { stream, durable }: ConsumerDefinition, prefix?: string) {
  const inbox = createInbox(prefix);
  const pulled = new Promise<string>((resolve) => {
    client.subscribe(inbox, { max: 1, callback: (_error, message) => resolve(message.reply as string) });
  });
  client.publish(api(`CONSUMER.MSG.NEXT.${stream}.${durable}`), "1", { reply: inbox });
  return pulled;
}

const messagesIn = async (stream: string) => (await manager.streams.info(p + stream)).state.messages;

describe("who is no service", () => {
  test.each(["", "nobody:guess@", `${NAMESPACE}.gift:guess@`])("is not let in as %p", async (user) => {
    const { host } = new URL(config().NATS_URL);
    await expect(RawNats.open(`nats://${user}${host}`)).rejects.toThrow("Authorization Violation");
  });
});

describe("a compromised im-server", () => {
  test("hears nothing that is not for it", async () => {
    const client = await at("im-server");
    const others = [">", "*", "*.>", "_INBOX.>", "_INBOX_*.>", `_INBOX_${NAMESPACE}~gift.>`, "$JS.>", "$JS.API.>"];
    const streams = [`${p}gift.send.*`, `${p}pay.*`, `${p}event.>`, `${p}notification.*`, `${p}dead.>`];
    for (const subject of [...others, ...streams, "$SYS.>", "$JS.EVENT.ADVISORY.>"])
      expect([subject, await client.subscribe(subject)]).toEqual([subject, "refused"]);
    const bus = await at("im-server", "bus");
    for (const subject of [...others, `MOL-${NAMESPACE}.>`, `MOL-${NAMESPACE}.REQ.user.*.>`])
      expect([subject, await bus.subscribe(subject)]).toEqual([subject, "refused"]);
  });

  test("puts nothing into a stream, and does not act as another service on the bus", async () => {
    const before = await Promise.all(["GIFTS-0", "PAY", "EVENTS", "NOTIFICATIONS", "DEAD"].map(messagesIn));
    const client = await at("im-server");
    const subjects = [
      "gift.send.0",
      "pay.recharge",
      "pay.refund",
      "event.gift.settled",
      "notification.1",
      "dead.gift-settler",
    ];
    for (const subject of subjects)
      expect([subject, await client.publish(p + subject, "{}")]).toEqual([subject, "refused"]);
    expect(await Promise.all(["GIFTS-0", "PAY", "EVENTS", "NOTIFICATIONS", "DEAD"].map(messagesIn))).toEqual(before);
    const bus = await at("im-server", "bus");
    const node = "im-server.one";
    for (const subject of [
      `MOL-${NAMESPACE}.REQ.wallet.one.${node}.wallet.payout`,
      `MOL-${NAMESPACE}.REQ.provisioner.one.${node}.provisioner.markLoss`,
      `MOL-${NAMESPACE}.INFO.all-nodes.all-nodes.user.one`,
      `MOL-${NAMESPACE}.RES.gift.one.wallet.one`,
      `${p}pay.recharge`,
    ])
      expect([subject, await bus.publish(subject, "{}")]).toEqual([subject, "refused"]);
  });

  test("has no request of JetStream's API but those of its job", async () => {
    const client = await at("im-server");
    for (const stream of ["GIFTS-0", "PAY", "EVENTS", "DEAD", "NOTIFICATIONS"].map((name) => p + name))
      for (const request of [
        ...["CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT", "RESTORE"].map((what) => `STREAM.${what}.${stream}`),
        ...(stream === `${p}NOTIFICATIONS` ? [] : ["GET", "DELETE"].map((what) => `STREAM.MSG.${what}.${stream}`)),
        `DIRECT.GET.${stream}`,
        `CONSUMER.CREATE.${stream}`,
        `CONSUMER.CREATE.${stream}.mine`,
        `CONSUMER.CREATE.${stream}.mine.${p}pay.recharge`,
        `CONSUMER.DURABLE.CREATE.${stream}.mine`,
        ...["LIST", "NAMES"].map((what) => `CONSUMER.${what}.${stream}`),
      ])
        expect([request, await client.publish(api(request), "{}")]).toEqual([request, "refused"]);
    for (const request of ["STREAM.LIST", "STREAM.NAMES", "STREAM.TEMPLATE.CREATE.x", "ACCOUNT.PURGE.JS"])
      expect([request, await client.publish(api(request), "{}")]).toEqual([request, "refused"]);
  });

  test("neither pulls nor acks for another service, also by the reply of what it may ask", async () => {
    await admin.jetstream().publish(`${p}pay.recharge`, "{}", { msgID: "rights-1" });
    const wallet = await at("wallet");
    const recharges = { durable: "wallet-recharge", stream: `${p}PAY`, kind: "log" } as const;
    const ack = await ackOfNext(wallet.connection, recharges, `_INBOX_${NAMESPACE}~wallet`);
    const pending = async () => (await manager.consumers.info(`${p}PAY`, "wallet-recharge")).num_ack_pending;
    expect(await pending()).toBe(1);
    for (const role of ["im-server", "gift", "payment"]) {
      const client = await at(role);
      expect(await client.publish(ack, "+ACK")).toBe("refused");
      expect(await client.publish(api(`CONSUMER.MSG.NEXT.${p}PAY.wallet-recharge`), "1")).toBe("refused");
      expect(await client.publish(api(`CONSUMER.DELETE.${p}PAY.wallet-recharge`), "")).toBe("refused");
      await client.publish(api("INFO"), "", ack);
      await client.publish(api(`STREAM.INFO.${p}DEAD`), "", ack);
    }
    // An empty pull answers with a status that has no body, which would be an ack.
    const gift = await at("gift");
    await gift.publish(api(`CONSUMER.MSG.NEXT.${p}GIFTS-0.gift-settler-0`), JSON.stringify({ no_wait: true }), ack);
    await gift.connection.flush();
    expect(await pending()).toBe(1);
  });

  test("reaches nobody on the bus from JetStream: they are accounts of their own", async () => {
    const heard: string[] = [];
    const { busUrl } = await ensureNatsLogin(stackDir, { role: "admin", namespace: "ovation" });
    const bus = await raw(busUrl);
    bus.connection.subscribe(`MOL-${NAMESPACE}.>`, { callback: (_error, { subject }) => heard.push(subject) });
    await bus.connection.flush();
    const gift = await at("gift");
    const forged = `MOL-${NAMESPACE}.REQ.wallet.one.payment.one.wallet.payout`;
    await gift.publish(api("INFO"), "", forged);
    await gift.publish(api(`CONSUMER.MSG.NEXT.${p}GIFTS-0.gift-settler-0`), JSON.stringify({ no_wait: true }), forged);
    await gift.connection.flush();
    await bus.connection.flush();
    expect(heard).toEqual([]);
  });
});

describe.each(serviceNames)("%s", (service) => {
  const { publishes, streams, consumers } = streamAccess[service];

  test("does its job at JetStream and no other's", async () => {
    const client = await at(service);
    expect(await client.ask(api("INFO"))).toHaveProperty("streams");
    for (const stream of streams)
      if (!stream.partitions) expect(await client.ask(api(`STREAM.INFO.${p}${stream.name}`))).toHaveProperty("state");
    for (const { durable, stream } of everyConsumer()) {
      const isOwn = consumers.some((own) => durable === own.durable || durable.startsWith(`${own.durable}-`));
      const info = api(`CONSUMER.INFO.${stream}.${durable}`);
      const answer = service === "provisioner" ? undefined : await client.ask(info);
      if (answer !== undefined) expect([durable, answer === "refused"]).toEqual([durable, !isOwn]);
      const next = await client.publish(api(`CONSUMER.MSG.NEXT.${stream}.${durable}`), "{}", "nowhere");
      expect([durable, next]).toEqual([durable, isOwn ? "done" : "refused"]);
      const again = await client.publish(api(`CONSUMER.MSG.NEXT.${stream}.${durable}~1`), "{}", "nowhere");
      expect([durable, again]).toEqual([durable, isOwn ? "done" : "refused"]);
      const ack = await client.publish(`$JS.ACK.${stream}.${durable}.1.1.1.1.1`, "+WPI");
      expect([durable, ack]).toEqual([durable, isOwn ? "done" : "refused"]);
    }
    const everything = Object.values(streamAccess).flatMap((access) => access.publishes);
    for (const subject of new Set(everything)) {
      const concrete = p + subject.replace("*", "0");
      // The provisioner puts dead letters back to where consumers read.
      const mayPublish = publishes.includes(subject) || service === "provisioner";
      const outcome = mayPublish ? undefined : await client.publish(concrete, "{}");
      if (outcome !== undefined) expect([subject, outcome]).toEqual([subject, "refused"]);
    }
  });

  test("changes no stream or consumer, unless it is the provisioner", async () => {
    const client = await at(service);
    for (const request of ["STREAM.UPDATE", "STREAM.CREATE"].map((what) => `${what}.${p}EVENTS`))
      expect((await client.publish(api(request), "{}")) === "refused").toBe(service !== "provisioner");
    for (const request of ["STREAM.PURGE", "STREAM.DELETE", "STREAM.SNAPSHOT"].map((what) => `${what}.${p}EVENTS`))
      expect([request, await client.publish(api(request), "{}")]).toEqual([request, "refused"]);
  });
});

test("a service whose publication is refused learns it at once, and that it is not stored", async () => {
  const { env } = urls.get("user") as NatsUrls;
  const options = natsOptions("publisher", env.NATS_URL);
  const connection = await connect(options);
  try {
    const { inboxPrefix } = options as { inboxPrefix?: string };
    const publisher = new Publisher(connection, undefined, inboxPrefix);
    const data = new TextEncoder().encode("{}");
    let messages = 0;
    const head = () => {
      const one = headers();
      one.set("Nats-Msg-Id", `rights-user-${++messages}`);
      return one;
    };
    // Where the refusal is late, and the message was published again meanwhile, nobody knows of the first one.
    const refused = await eventually("a refusal before the message is published again", async () => {
      const error = await publisher.publish(`${p}pay.recharge`, data, head()).catch((failure: unknown) => failure);
      return (error as { mayHaveHappened?: boolean }).mayHaveHappened === false ? error : undefined;
    });
    expect(refused).toHaveProperty("message", expect.stringContaining("refuses this login to publish"));
    expect(await publisher.publish(`${p}event.user.registered`, data, head())).toMatchObject({ stream: `${p}EVENTS` });
  } finally {
    await connection.close();
  }
});

const pulling = serviceNames.filter((service) => streamAccess[service].consumers.length > 0);

// Whoever pulls names the reply subject, and the server answers there with its own rights: a status has an empty body.
describe.each(pulling)("a compromised %s that gives its pulls the reply subject of a request", (service) => {
  const [consumer] = streamAccess[service].consumers.flatMap(consumersOf) as [ConsumerDefinition];
  const next = api(`CONSUMER.MSG.NEXT.${consumer.stream}.${consumer.durable}`);
  const subject = p + (consumer.subject ?? "gift.send.0");
  const victim = service === "wallet" ? "auditor-wallet-sealed" : "wallet-recharge";
  const victims = everyConsumer().find(({ durable }) => durable === victim) as ConsumerDefinition;
  let client: RawNats;

  /** What all streams and consumers hold. */
  const state = async () => {
    const held: unknown[] = [];
    for (const name of allStreams.flatMap(streamNames)) {
      const { created, state: now } = await manager.streams.info(name);
      held.push([name, created, now.messages, now.last_seq, now.consumer_count]);
    }
    return [...held, (await manager.consumers.info(victims.stream, victim)).num_ack_pending];
  };
  /** The answers of a consumer keep their order, so that those to others are out once its own pull is answered. */
  const answered = () => client.ask(next, { no_wait: true });
  const readAll = async () => {
    while ((await manager.consumers.info(consumer.stream, consumer.durable)).num_pending > 0) await answered();
  };

  let ack = "";
  beforeAll(async () => {
    client = await at(service);
    await admin.jetstream().publish(p + victims.subject, "{}");
    ack = await ackOfNext(admin, victims);
    await readAll();
  });

  const targets = [
    ...[`STREAM.PURGE.${p}PAY`, `STREAM.DELETE.${p}GIFTS-0`, `STREAM.DELETE.${p}PAY`].map(api),
    api(`CONSUMER.DELETE.${p}EVENTS.gift-effects`),
    "an ack of another's message",
    ...["gift.send.0", "pay.recharge", "dead.gift-settler"].map((name) => p + name),
  ];
  // What it may publish itself it may also have copied there.
  const { publish } = servicePermissions(service, NAMESPACE);
  const own = publish.allow.map((name) => name.replace(/\*$/, "0"));

  test.each(targets.filter((target) => !own.includes(target)))("changes nothing by %s", async (target) => {
    const reply = target.startsWith("an ack") ? ack : target;
    for (const body of ['{"no_wait":true}', "{{{", "1"]) {
      if (body === "1") await admin.jetstream().publish(subject, "{}");
      const before = await state();
      await client.publish(next, body, reply);
      await answered();
      expect([body, await state()]).toEqual([body, before]);
      await readAll();
    }
  });
});
