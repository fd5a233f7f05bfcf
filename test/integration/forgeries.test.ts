import { execFile } from "node:child_process";
import { hash, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { Service, ServiceBroker, ServiceSchema } from "moleculer";
import { connect, headers, type NatsConnection } from "nats";
import { natsOptions } from "../../broker/nats-options.ts";
import { config, natsPrefix } from "../../config/config.ts";
import { namedKeysIn } from "../../config/named-keys.ts";
import { projectRoot } from "../../config/root.ts";
import { type DeadLetter, DeadLetters } from "../../mixins/jetstream/dead-letters.ts";
import { messageSignatures } from "../../mixins/jetstream/signatures.ts";
import { openRedis } from "../../mixins/redis.mixin.ts";
import { call } from "../../services/contracts.ts";
import { isOriginOfTable } from "../../services/dead-letter-origins.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../services/gift/accepted-gift.ts";
import gift from "../../services/gift/gift.service.ts";
import wallet from "../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../support/books.ts";
import { holdAccounts } from "../support/held-accounts.ts";
import { settledOrders, tradesOfUser } from "../support/outcomes.ts";
import { publish, recharge, rechargeMessage } from "../support/recharge.ts";
import { groupOf, signedText } from "../support/signed-messages.ts";
import { eventually, startNode, stopAll, stopNode, waitForNode } from "../support/system.ts";
import { newKeys } from "../support/unit-signatures.ts";

// A test starts up to five processes.
jest.setTimeout(90_000);

const anchor = "9000000000000000077";
const neighbours = [
  { name: "im-router", actions: { roomGifts: () => null, sendToUsers: () => ({ delivered: 1 }) } },
  {
    name: "living-room",
    actions: { anchorsOf: (ctx: { params: { roomIds: number[] } }) => ctx.params.roomIds.map(() => anchor) },
  },
] as unknown as ServiceSchema[];

let caller: ServiceBroker;
let walletNode: ServiceBroker;
let giftNode: ServiceBroker;
let nats: NatsConnection;
let dead: DeadLetters;
const redis = openRedis("test");

beforeAll(async () => {
  await redis.connect();
  nats = await connect(natsOptions("test"));
  await startNode("neighbours", neighbours);
  walletNode = await startNode("wallet", [wallet]);
  caller = await startNode("caller", []);
  await startGift();
  await caller.waitForServices(["wallet", "im-router"]);
  dead = await DeadLetters.open(nats);
});
afterAll(async () => {
  redis.disconnect();
  await nats.close();
  await stopAll();
});
afterEach(expectBooksBalanced);

async function startGift(): Promise<void> {
  giftNode = await startNode("gift", [gift]);
  await waitForNode(caller, "gift", giftNode.nodeID);
}

let users = 9_300_000_000_000_000_000n;
async function richUser(): Promise<string> {
  const user = String(users++);
  await recharge(caller, `order-${user}`, user, 1_000);
  return user;
}
const balance = async (userId: string) => (await call(caller, "wallet.balance", { userId })).balance;

/** An accepted gift of one coin. */
function accepted(senderId: string, over: Partial<AcceptedGift> = {}): AcceptedGift {
  const asked = { giftId: 24, roomId: 5, receiverId: anchor, type: 0, count: 1, ...over };
  const { giftId, roomId, receiverId, type, count } = asked;
  return {
    ...{ ...asked, orderId: over.orderId ?? randomUUID(), senderId, price: 1, sharePercent: 50, url: "x.svga" },
    ...{
      contentHash: contentHashOf({ giftId, roomId, receiverId, type, count }),
      acceptedAt: new Date().toISOString(),
    },
    ...over,
  };
}
const subjectOf = (user: string) => `gift.send.${partitionOf(user)}`;
const settles = async (user: string) => {
  const one = accepted(user);
  await publish(subjectOf(user), one);
  await settledOrders([one.orderId]);
};

async function letters(channel: string): Promise<DeadLetter[]> {
  const all: DeadLetter[] = [];
  for await (const letter of dead.all()) if (letter.channel === channel) all.push(letter);
  return all;
}
const textOf = ({ data }: DeadLetter) => Buffer.from(data).toString();
/** The dead letter of a message, by its bytes. */
const letterOf = (channel: string, text: string, after = 0) =>
  eventually(`the dead letter of ${text.slice(0, 80)}`, async () =>
    (await letters(channel)).find((letter) => textOf(letter) === text && letter.sequence > after),
  );

function refusals(node: ServiceBroker, labels: object): number {
  const metrics = node.metrics.list({ includes: "ovation.jetstream.forged" }) as unknown as {
    values: { value: number; labels: object }[];
  }[];
  const values = metrics.flatMap((metric) => metric.values);
  return values.find((one) => JSON.stringify(one.labels) === JSON.stringify(labels))?.value ?? 0;
}

function dlq(...args: string[]): Promise<{ code: number; out: string }> {
  const script = join(projectRoot(), "scripts/dlq.ts");
  return new Promise((resolve) => {
    execFile(process.execPath, [script, ...args], { cwd: projectRoot(), env: process.env }, (error, stdout, stderr) => {
      resolve({ code: error ? Number(error.code) : 0, out: stdout + stderr });
    });
  });
}

/** Signatures as somebody would make them who has these keys. */
function signaturesBy(
  setting: "GIFT_KEYS" | "PAY_KEYS",
  over: { keys?: string; namespace?: string; signer?: string } = {},
) {
  const { keys = process.env[setting] as string, ...rest } = over;
  const signer = setting === "GIFT_KEYS" ? "gift" : "payment";
  return messageSignatures({
    ...{ setting, keys: namedKeysIn(keys), signer, namespace: config().NAMESPACE, prefix: natsPrefix(), ...rest },
  });
}

/** Every kind of forgery of a message, by what it is; `change` changes what a genuine one says. */
function forgeries(
  setting: "GIFT_KEYS" | "PAY_KEYS",
  subject: string,
  elsewhere: string,
  body: string,
  change: (text: string) => string,
): [what: string, text: string, reason: string][] {
  const by = (over: Parameters<typeof signaturesBy>[1], where = subject) =>
    signaturesBy(setting, over).sign(where, body);
  const genuine = by({});
  const other = setting === "GIFT_KEYS" ? "PAY_KEYS" : "GIFT_KEYS";
  return [
    ["without a signature", body, "unsigned"],
    ["with an empty signature", `{"v":1,"keyId":"","sig":"",${body.slice(1)}`, "unsigned"],
    ["that is no JSON", "{broken", "unsigned"],
    ["changed after it was signed", change(genuine), "wrongSignature"],
    ["of another namespace", by({ namespace: "another" }), "wrongSignature"],
    ["of another subject", by({}, elsewhere), "wrongSignature"],
    ["of another signer", by({ signer: "living-room" }), "wrongSignature"],
    ["by another key of the same name", by({ keys: newKeys("tests") }), "unknownKey"],
    ["by the keys of other messages", by({ keys: process.env[other] as string }), "unknownKey"],
    ["by a key that nobody knows", by({ keys: newKeys("mine") }), "unknownKey"],
    [
      "by another key that says it is ours",
      by({ keys: newKeys("tests") }).replace(/tests\.[0-9a-f]{4}/, /tests\.[0-9a-f]{4}/.exec(genuine)?.[0] ?? ""),
      "wrongSignature",
    ],
  ];
}

test("forged gifts move no coin: each is a dead letter with its bytes and a mark, and the genuine ones beside them settle", async () => {
  const victim = await richUser();
  const subject = subjectOf(victim);
  const next = `gift.send.${(partitionOf(victim) + 1) % 2}`;
  const stolen = accepted(victim, { price: 500 });
  const cases = forgeries("GIFT_KEYS", subject, next, JSON.stringify(groupOf([stolen])), (text) =>
    text.replace('"price":500', '"price":900'),
  );
  cases.push(["in the form of a single gift", JSON.stringify(stolen), "unsigned"]);
  const labels = (reason: string) => ({ service: "gift", channel: "gift-settler", reason });
  const before = ["unsigned", "wrongSignature", "unknownKey"].map((reason) => refusals(giftNode, labels(reason)));
  const neighbour = await richUser();
  for (const [, text] of cases) {
    await publish(subject, text);
    await publish(subject, accepted(victim));
    await publish(subjectOf(neighbour), accepted(neighbour));
  }
  for (const [what, text, reason] of cases) {
    const letter = await letterOf("gift-settler", text);
    expect([what, letter.forged, letter.item]).toEqual([what, reason, undefined]);
    expect(letter.subject).toBe(natsPrefix() + subject);
  }
  for (const user of [victim, neighbour])
    await eventually("the genuine gifts", async () => (await balance(user)) === 1_000 - cases.length);
  expect((await tradesOfUser(victim)).filter(({ bizId }) => bizId === stolen.orderId)).toEqual([]);
  const now = ["unsigned", "wrongSignature", "unknownKey"].map((reason) => refusals(giftNode, labels(reason)));
  // One that is delivered again counts again.
  for (const [at, count] of [4, 5, 3].entries())
    expect((now[at] as number) - (before[at] as number)).toBeGreaterThanOrEqual(count);
});

test.each([
  ["pay.recharge", "pay.refund", "wallet-recharge"],
  ["pay.refund", "pay.recharge", "wallet-refund"],
])(
  "forged messages on %s make no coin and no debt, and the genuine ones beside them are carried out",
  async (subject, elsewhere, channel) => {
    const user = await richUser();
    const forged = rechargeMessage(`forged-${user}`, user, 1_000_000);
    const cases = forgeries("PAY_KEYS", subject, elsewhere, JSON.stringify(forged), (text) =>
      text.replace("1000000", "9000000"),
    );
    const neighbour = String(users++);
    for (const [at, [, text]] of cases.entries()) {
      await publish(subject, text);
      await publish("pay.recharge", rechargeMessage(`beside-${at}-${neighbour}`, neighbour, 10));
    }
    for (const [what, text, reason] of cases)
      expect([what, (await letterOf(channel, text)).forged]).toEqual([what, reason]);
    await eventually("the neighbour's coins", async () => (await balance(neighbour)) === 10 * cases.length);
    expect(await call(caller, "wallet.balance", { userId: user })).toMatchObject({ balance: 1_000, debt: 0 });
    expect(refusals(walletNode, { service: "wallet", channel, reason: "unsigned" })).toBeGreaterThanOrEqual(3);
  },
);

test("a genuine message is no order in another partition or stream to which it is copied", async () => {
  const user = await richUser();
  const gifts = signedText(subjectOf(user), groupOf([accepted(user)]));
  const paid = signedText("pay.recharge", rechargeMessage(`copied-${user}`, user, 70));
  const elsewhere = `gift.send.${(partitionOf(user) + 1) % 2}`;
  await publish(elsewhere, gifts);
  await publish("pay.refund", paid);
  expect(await letterOf("gift-settler", gifts)).toMatchObject({ forged: "wrongSignature" });
  expect(await letterOf("wallet-refund", paid)).toMatchObject({ forged: "wrongSignature" });
  expect(await balance(user)).toBe(1_000);
});

test("headers of a forger keep his message neither from the dead letters nor pass as the writer's", async () => {
  const user = await richUser();
  const head = headers();
  head.append("Nats-Expected-Stream", `${natsPrefix()}GIFTS-${partitionOf(user)}`);
  for (const name of ["Dead-Reason", "dead-cut", "Dead-Subject", "Dead-Item", "Dead-Replay-Id"]) head.append(name, "7");
  const text = `{"gifts":[{"orderId":"with-headers-${user}"}]}`;
  await nats.jetstream().publish(natsPrefix() + subjectOf(user), text, { headers: head });
  const letter = await letterOf("gift-settler", text);
  expect(letter).toMatchObject({ forged: "unsigned", item: undefined, subject: natsPrefix() + subjectOf(user) });
  expect(letter.reason).toMatch(/^forged: it has no signature$/);
});

test("a forged message with the order of a genuine gift that waits changes nothing about that gift", async () => {
  const user = await richUser();
  const held = await holdAccounts([user]);
  const one = accepted(user, { price: 3 });
  await redis.set(`gift:accepted:${one.orderId}`, "the memory of the order", "PX", 60_000);
  try {
    await publish(subjectOf(user), one);
    const text = JSON.stringify(groupOf([{ ...one, price: 900 }]));
    await publish(subjectOf(user), text);
    await letterOf("gift-settler", text);
    expect(await redis.exists(`gift:accepted:${one.orderId}`)).toBe(1);
  } finally {
    await held.release();
  }
  expect(await settledOrders([one.orderId])).toMatchObject([{ status: "succeeded", price: 3 }]);
});

test("nobody can have a gift dropped by using the id of its message first", async () => {
  const service = giftNode.getLocalService("gift") as unknown as Service & {
    signatures: { idOf(text: string): string };
  };
  const contents = "order-1 content";
  const guessed = hash("sha256", contents, "hex").slice(0, 32);
  expect(service.signatures.idOf(contents)).not.toBe(guessed);
  expect(signaturesBy("GIFT_KEYS", { keys: newKeys("tests") }).idOf(contents)).not.toBe(
    service.signatures.idOf(contents),
  );
  expect(signaturesBy("GIFT_KEYS").idOf(contents)).toBe(service.signatures.idOf(contents));
});

test("what is forged can be given up alone: a replay is refused and changes nothing; the list tells it from what failed", async () => {
  const user = await richUser();
  const forged = JSON.stringify(groupOf([accepted(user, { price: 400 })]));
  const negative = { ...accepted(user), count: -1 };
  await publish(subjectOf(user), forged);
  await publish(subjectOf(user), signedText(subjectOf(user), groupOf([negative])));
  const letter = await letterOf("gift-settler", forged);
  const failed = await eventually("the dead letter of what failed", async () =>
    (await letters("gift-settler")).find((one) => textOf(one).includes(negative.orderId)),
  );
  // With the time of its message, signed again.
  const { storedAt } = (JSON.parse(textOf(failed)) as { gifts: [{ storedAt: string }] }).gifts[0];
  expect(textOf(failed)).toBe(signedText(subjectOf(user), groupOf([{ storedAt, ...negative }])));
  expect(failed.forged).toBeUndefined();

  const refused = await dlq("replay", String(letter.sequence));
  expect(refused).toMatchObject({ code: 1, out: expect.stringContaining("forged: it can only be given up") });
  await expect(dead.replay(letter.sequence, isOriginOfTable, { keyIsBack: true })).rejects.toThrow("forged");
  expect(textOf((await dead.find(letter.sequence)) as DeadLetter)).toBe(forged);
  const { out: list } = await dlq("list");
  expect(list).toMatch(new RegExp(`^${letter.sequence}  \\S+  gift-settler  FORGED \\(unsigned\\)$`, "m"));
  expect(list).toMatch(new RegExp(`^${failed.sequence}  \\S+  gift-settler$`, "m"));

  const given = await dlq("give-up", String(letter.sequence), "--reason", "an attack, ticket 7");
  const written = JSON.parse(given.out.split("\n")[0] as string);
  expect([given.code, written]).toMatchObject([
    0,
    { givenUp: { data: forged, forged: "unsigned" }, why: "an attack, ticket 7" },
  ]);
  expect(await dead.find(letter.sequence)).toBeUndefined();
  await dead.remove(failed.sequence);
  expect(await balance(user)).toBe(1_000);
});

test("replay all leaves forged messages where they are, and does not fail for them", async () => {
  const user = await richUser();
  for (const { sequence } of await letters("gift-settler")) await dead.remove(sequence);
  for (const channel of ["wallet-recharge", "wallet-refund"])
    for (const { sequence } of await letters(channel)) await dead.remove(sequence);
  const text = JSON.stringify(groupOf([accepted(user)]));
  await publish(subjectOf(user), text);
  const letter = await letterOf("gift-settler", text);
  const { code, out } = await dlq("replay", "all");
  expect([code, out]).toEqual([0, "0 of 0 replayed\n1 more is forged and can only be given up\n"]);
  await dead.remove(letter.sequence);
});

test("a replay has an id that nobody can use first, and a genuine message stays genuine", async () => {
  const user = await richUser();
  const one = accepted(user);
  // The ledger has the order with other content, as another price: a genuine dead letter is made by hand of a gift.
  const text = signedText(subjectOf(user), groupOf([one]));
  const head = headers();
  head.set("Dead-Subject", natsPrefix() + subjectOf(user));
  head.set("Dead-Stream", `${natsPrefix()}GIFTS-${partitionOf(user)}`);
  head.set("Dead-Replay-Id", randomUUID());
  const { seq } = await nats.jetstream().publish(`${natsPrefix()}dead.gift-settler`, text, { headers: head });
  const squat = await nats.jetstream().publish(natsPrefix() + subjectOf(user), "{}", { msgID: `replay:${seq}` });
  expect(squat.duplicate).toBe(false);
  expect(await dead.replay(seq, isOriginOfTable)).toBe(true);
  expect(await settledOrders([one.orderId])).toMatchObject([{ status: "succeeded" }]);
});

test("keys are changed while gifts wait; a key that was removed too early makes them dead letters that name it, and they settle once it is back", async () => {
  const user = await richUser();
  const [former, later] = [process.env.GIFT_KEYS as string, newKeys("later")];
  await stopNode(giftNode);
  try {
    const waiting = accepted(user);
    await publish(subjectOf(user), waiting);
    process.env.GIFT_KEYS = `${later},${former}`;
    await startGift();
    await settledOrders([waiting.orderId]);
    const after = accepted(user);
    await publish(subjectOf(user), after);
    await settledOrders([after.orderId]);
    await stopNode(giftNode);

    process.env.GIFT_KEYS = former;
    const early = accepted(user);
    const text = signedText(subjectOf(user), groupOf([early]));
    await publish(subjectOf(user), text);
    process.env.GIFT_KEYS = later;
    await startGift();
    const letter = await letterOf("gift-settler", text);
    expect(letter).toMatchObject({
      forged: "unknownKey",
      reason: expect.stringContaining("GIFT_KEYS has no key named tests"),
    });
    // Where it stays as long as it may (jetstream/bounds.test.ts).
    const stored = await (await nats.jetstreamManager()).streams.getMessage(`${natsPrefix()}DEAD`, {
      seq: letter.sequence,
    });
    expect(stored.subject).toBe(`${natsPrefix()}dead.unknown-key.gift-settler`);
    await settles(user);
    expect(await dlq("replay", String(letter.sequence))).toMatchObject({
      code: 1,
      out: expect.stringContaining("unknown key"),
    });
    // A replay before the key is back changes nothing: it is refused again.
    expect(await dead.replay(letter.sequence, isOriginOfTable, { keyIsBack: true })).toBe(true);
    const again = await letterOf("gift-settler", text, letter.sequence);
    await stopNode(giftNode);

    process.env.GIFT_KEYS = `${later},${former}`;
    await startGift();
    expect(await dlq("replay", String(again.sequence), "--key-is-back")).toMatchObject({ code: 0 });
    expect(await settledOrders([early.orderId])).toMatchObject([{ status: "succeeded" }]);
  } finally {
    process.env.GIFT_KEYS = former;
  }
});

test.each([
  ["gift", "GIFT_KEYS"],
  ["wallet", "PAY_KEYS"],
])("a %s node without %s does not start, and says what is missing", async (name, setting) => {
  const keys = process.env[setting] as string;
  delete process.env[setting];
  try {
    const starting = startNode(`${name}-without-keys`, [name === "gift" ? gift : wallet]);
    await expect(starting).rejects.toThrow(`${setting}: is needed by`);
  } finally {
    process.env[setting] = keys;
  }
});
