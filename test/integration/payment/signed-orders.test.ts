import { randomUUID } from "node:crypto";
import type { ServiceBroker } from "moleculer";
import { connect, type NatsConnection } from "nats";
import { natsOptions } from "../../../broker/nats-options.ts";
import { limits } from "../../../config/limits.ts";
import { DeadLetters } from "../../../mixins/jetstream/dead-letters.ts";
import { call } from "../../../services/contracts.ts";
import { paySignatures } from "../../../services/signing-keys.ts";
import wallet from "../../../services/wallet/wallet.service.ts";
import { publish, rechargeMessage } from "../../support/recharge.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";
import { newKeys } from "../../support/unit-signatures.ts";
import { expectOrdersCredited } from "./credited-orders.ts";
import { cashierWebhook, makeOrder, type PaymentNode, sendWebhook, startPayment, wakeJobs } from "./payment-node.ts";

/** Orders to the wallet that somebody makes by writing where payment keeps its messages. */

let gateway: ServiceBroker;
let payment: PaymentNode;
let nats: NatsConnection;

beforeAll(async () => {
  nats = await connect(natsOptions("test"));
  payment = (await startPayment("payment")).service;
  await startNode("wallet", [wallet]);
  gateway = await startNode("gateway", []);
  await gateway.waitForServices(["payment", "wallet"]);
});
afterEach(() => jest.restoreAllMocks());
afterAll(async () => {
  try {
    await expectOrdersCredited();
  } finally {
    await nats.close();
    await stopAll();
  }
});

const sql = (text: string, values: unknown[] = []) => payment.mysql.run(text, values);
const balance = async (userId: string) => (await call(gateway, "wallet.balance", { userId })).balance;
// Asking the wallet about a lost message may take the time of a call.
const withinMs = 30_000;
const expectCoins = (userId: string, coins: number) =>
  eventually(`${coins} coins`, async () => (await balance(userId)) === coins, withinMs);

async function paid(userId: string): Promise<string> {
  const { orderId } = await makeOrder(gateway, userId);
  const webhook = cashierWebhook(orderId, { time: new Date().toISOString() });
  expect((await sendWebhook(gateway, webhook)).httpStatus).toBe(200);
  return orderId;
}

async function forgedLetter(text: string) {
  return eventually(
    "the dead letter",
    async () => {
      for await (const letter of (await DeadLetters.open(nats)).all())
        if (Buffer.from(letter.data).toString() === text) return letter;
      return undefined;
    },
    withinMs,
  );
}

test("a row that somebody adds to the outbox is published as it is, and is no order to the wallet", async () => {
  const userId = "501";
  const text = JSON.stringify(rechargeMessage(`row-${randomUUID()}`, userId, 1_000_000));
  await sql(
    `INSERT INTO t_outbox (subject, msg_id, order_key, payload, create_time)
     VALUES ('pay.recharge', ?, 'k', ?, UTC_TIMESTAMP(3))`,
    [randomUUID(), text],
  );
  payment.outbox.wake();
  expect(await forgedLetter(text)).toMatchObject({ channel: "wallet-recharge", forged: "unsigned" });
  await paid(userId);
  await expectCoins(userId, 300);
});

test("nobody can have a paid order's message dropped by using its business id first", async () => {
  const userId = "502";
  const { orderId } = await makeOrder(gateway, userId);
  await publish("pay.recharge", "{}", `pay.recharge:${orderId}`);
  expect((await sendWebhook(gateway, cashierWebhook(orderId))).httpStatus).toBe(200);
  // At once: not after the minutes in which a lost message is found.
  await expectCoins(userId, 300);
});

describe("a message that is to be published again", () => {
  /** A paid order whose message the stream has lost, and whose watch is due. */
  async function lost(userId: string, change: (text: string) => string): Promise<string> {
    // As the stream loses it before the wallet has it.
    const add = payment.outbox.add;
    payment.outbox.add = async (tx, message) => {
      if (!message.subject.startsWith("pay.")) await add(tx, message);
    };
    let orderId: string;
    try {
      orderId = await paid(userId);
    } finally {
      payment.outbox.add = add;
    }
    const [row] = await payment.mysql.query<{ message: string }>(
      "SELECT message FROM t_pay_message_watch WHERE order_id = ?",
      [orderId],
    );
    await sql(
      `UPDATE t_pay_message_watch SET message = ?, asked = ?, next_time = UTC_TIMESTAMP(3), again_time = UTC_TIMESTAMP(3)
       WHERE order_id = ?`,
      [change(row?.message as string), limits.payment.messageLooksBeforeAgain, orderId],
    );
    wakeJobs(payment);
    return orderId;
  }

  test("is not published where it was changed in the database; it is logged, and is published once it is as it was", async () => {
    const error = jest.spyOn(payment.logger, "error");
    const userId = "503";
    const orderId = await lost(userId, (text) => text.replace('"coins":300', '"coins":900'));
    await eventually(
      "the error",
      () => error.mock.calls.some(([about]) => (about as { orderId?: string }).orderId === orderId),
      withinMs,
    );
    expect(error.mock.calls.map(([, text]) => text)).toContainEqual(expect.stringContaining("not signed by payment"));
    expect(await balance(userId)).toBe(0);
    await sql(
      `UPDATE t_pay_message_watch SET message = REPLACE(message, '"coins":900', '"coins":300'), asked = ?,
         next_time = UTC_TIMESTAMP(3), again_time = UTC_TIMESTAMP(3) WHERE order_id = ?`,
      [limits.payment.messageLooksBeforeAgain, orderId],
    );
    wakeJobs(payment);
    await expectCoins(userId, 300);
  });

  test("is signed by the key that signs now, since its own may be about to be removed", async () => {
    const userId = "504";
    const before = payment.signatures;
    const [former = ""] = (process.env.PAY_KEYS as string).split(",");
    const later = newKeys("later");
    const keysAre = (keys: string) => {
      process.env.PAY_KEYS = keys;
      payment.signatures = paySignatures();
    };
    try {
      keysAre(`${later},${former}`);
      // The message was signed by the former key.
      const orderId = await lost(userId, (text) => {
        const opened = payment.signatures.open("pay.recharge", text);
        return before.sign("pay.recharge", "body" in opened ? opened.body : "");
      });
      const again = await eventually(
        "the message again",
        async () => {
          const [row] = await payment.mysql.query<{ payload: string }>(
            "SELECT payload FROM t_outbox WHERE msg_id = ?",
            [`pay.recharge:${orderId}:again:1`],
          );
          return row?.payload;
        },
        withinMs,
      );
      expect(JSON.parse(again)).toMatchObject({ orderId, keyId: expect.stringMatching(/^later\./) });
      const [watch] = await payment.mysql.query<{ message: string }>(
        "SELECT message FROM t_pay_message_watch WHERE order_id = ?",
        [orderId],
      );
      expect(watch?.message).toBe(again);
      // The wallet of this test does not have that key: it names it.
      const letter = await forgedLetter(again);
      expect(letter).toMatchObject({ forged: "unknownKey", reason: expect.stringContaining("named later") });
      // By the key that the wallet has it is genuine, and credits the order.
      await publish("pay.recharge", before.sign("pay.recharge", JSON.stringify(rechargeMessage(orderId, userId, 300))));
      await expectCoins(userId, 300);
    } finally {
      keysAre(former);
    }
  });
});
