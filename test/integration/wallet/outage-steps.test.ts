import { randomUUID } from "node:crypto";
import { ReplyError } from "ioredis";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { connect, ErrorCode, NatsError } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { natsPrefix } from "../../../config/config.ts";
import { contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import gift from "../../../services/gift/gift.service.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { settledOrders } from "../../support/outcomes.ts";
import { recharge } from "../../support/recharge.ts";
import { type RefusingServer, refusing } from "../../support/refusing-server.ts";
import { signedText } from "../../support/signed-messages.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { fundedUsers, retriesOn } from "./traffic.ts";

jest.setTimeout(90_000);

// A single fault makes a dead letter, so every error that counts as a fault is detected.
jest.mock("../../../config/limits.ts", () => {
  const { limits } = jest.requireActual("../../../config/limits.ts");
  return { limits: { ...limits, jetstream: { ...limits.jetstream, maxAttempts: 1, retryMaxDelayMs: 200 } } };
});

let mysql: RefusingServer;
let caller: ServiceBroker;
let walletNode: ServiceBroker;
/** The errors that the router throws at its next calls. */
let routerErrors: unknown[] = [];
const answer = () => {
  const error = routerErrors.shift();
  if (error) throw error;
  return null;
};
const router = {
  name: "im-router",
  actions: { roomGifts: answer, sendToUsers: answer, sendToUser: answer },
} as unknown as ServiceSchema;

beforeAll(async () => {
  mysql = await refusing(process.env.MYSQL_URL as string);
  process.env.MYSQL_URL = mysql.url;
  // Separate nodes, so that errors cross NATS.
  await startNode("router", [router]);
  walletNode = await startNode("wallet", [wallet]);
  await startNode("gift", [gift]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["wallet", "gift", "im-router"]);
});
afterAll(async () => {
  await stopAll();
  await mysql.close();
});
afterEach(async () => {
  expect(await deadLetters()).toBe(0);
  await expectBooksBalanced();
});

async function deadLetters(): Promise<number> {
  const connection = await connect(natsOptions("test"));
  try {
    const info = async () => (await connection.jetstreamManager()).streams.info(`${natsPrefix()}DEAD`);
    return (await eventually("an answer about the dead letters", info, 20_000)).state.messages;
  } finally {
    await connection.close();
  }
}

async function acceptGift(senderId: string): Promise<string> {
  const connection = await connect(natsOptions("test"));
  const orderId = randomUUID();
  const request = { giftId: 24, roomId: 5, receiverId: "77", type: 0, count: 1 };
  const message = {
    ...request,
    orderId,
    senderId,
    price: 10,
    sharePercent: 50,
    url: "",
    acceptedAt: new Date().toISOString(),
  };
  const subject = `gift.send.${partitionOf(senderId)}`;
  const body = signedText(subject, { ...message, contentHash: contentHashOf(request) });
  const put = () => connection.jetstream().publish(natsPrefix() + subject, body, { msgID: orderId });
  await eventually("the gift is in the queue", put, 20_000);
  await connection.close();
  return orderId;
}

const trades = "INSERT INTO t_qiyu_currency_trade";
const errors: [string, number, string][] = [
  ["a cluster without a quorum", 1047, "08S01"],
  ["a demoted primary", 1290, "HY000"],
  ["an account without rights", 1142, "42000"],
  ["an error that nobody has heard of", 9999, "HY000"],
];
const steps: [string, { at: string; after?: string }][] = [
  ["the accounts are locked", { at: "FOR UPDATE" }],
  ["the trades are written", { at: trades }],
  ["the balances are written", { at: "INSERT INTO t_qiyu_currency_account", after: trades }],
  ["the incomes are written", { at: "INSERT INTO t_anchor_income_pending", after: trades }],
  ["the charge is committed", { at: "COMMIT", after: trades }],
  ["the records are written", { at: "INSERT INTO t_gift_record" }],
];

type Step = (typeof steps)[number];

/** Each step with one of the errors in turn. */
const withErrors = (of: readonly Step[]) =>
  of.map(([step, where], n) => {
    const [what, errno, sqlState] = errors[n % errors.length] as (typeof errors)[number];
    return [step, what, { ...where, errno, sqlState, times: 2 }] as const;
  });

describe("an outage in a step of a gift's settlement makes no dead letter, and the gift is settled once", () => {
  test.each(withErrors(steps))("when %s: %s", async (_step, _what, refusal) => {
    const [user] = (await fundedUsers(caller, 1, 1)) as [string];
    const refused = mysql.refuse(refusal);
    const orderId = await acceptGift(user);
    await refused;
    expect(await settledOrders([orderId], 30_000)).toMatchObject([{ orderId, status: "succeeded" }]);
  });

  test("a deadlock at the commit, as of a cluster: the transaction is run again", async () => {
    const [user] = (await fundedUsers(caller, 1, 1)) as [string];
    const retries = retriesOn(walletNode);
    const refused = mysql.refuse({ at: "COMMIT", after: trades, errno: 1213, sqlState: "40001", times: 3 });
    const orderId = await acceptGift(user);
    await refused;
    expect(await settledOrders([orderId], 30_000)).toMatchObject([{ orderId, status: "succeeded" }]);
    expect(retriesOn(walletNode) - retries).toBe(3);
  });

  test.each<[string, unknown]>([
    ["of Redis", new (ReplyError as new (text: string) => Error)("NOREPLICAS Not enough good replicas to write.")],
    ["of NATS", new NatsError("timeout", ErrorCode.Timeout)],
    ["of a name", Object.assign(new Error("getaddrinfo EAI_AGAIN"), { code: "EAI_AGAIN", syscall: "getaddrinfo" })],
  ])("when the room is told: an outage %s on another node", async (_of, error) => {
    const [user] = (await fundedUsers(caller, 1, 1)) as [string];
    routerErrors = [error, error, error];
    const orderId = await acceptGift(user);
    expect(await settledOrders([orderId], 30_000)).toMatchObject([{ orderId, status: "succeeded" }]);
    while (routerErrors.length > 0) await new Promise((resolve) => setTimeout(resolve, 20));
  });
});

describe("an outage in a step of a payment's credit makes no dead letter, and it is credited once", () => {
  const creditSteps: Step[] = [
    ["the account is locked", { at: "FOR UPDATE" }],
    ["the trade is written", { at: trades }],
    ["the event is written", { at: "INSERT INTO t_outbox", after: trades }],
    ["it is committed", { at: "COMMIT", after: trades }],
  ];
  test.each(withErrors(creditSteps))("when %s: %s", async (_step, _what, refusal) => {
    const refused = mysql.refuse(refusal);
    const user = String(9_300_000_000_000_000_000n + BigInt(Math.floor(Math.random() * 1e9)));
    // Resolves once the ledger has it.
    await recharge(caller, `outage-${user}`, user, 10);
    await refused;
  });
});
