import fc from "fast-check";
import { type ServiceBroker as Broker, Errors, type Service } from "moleculer";
import { failureName, mayHaveHappened } from "../../../broker/failure.ts";
import { natsPrefix } from "../../../config/config.ts";
import { DeadLetters } from "../../../mixins/jetstream/dead-letters.ts";
import type { JetStreamState } from "../../../mixins/jetstream.mixin.ts";
import { call } from "../../../services/contracts.ts";
import { durableEvent } from "../../../services/durable-event.ts";
import notification from "../../../services/notification/notification.service.ts";
import { SmsNotTaken, type SmsProvider, SmsUnanswered } from "../../../services/notification/sms-provider.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";
import { eventually, startNode, stopAll } from "../../support/system.ts";

interface Notice {
  userId: string;
  msgId: string;
  bizCode: number;
  data: Record<string, unknown>;
}

/** A fake router on another node: records the notifications, and can be away. */
const notices: Notice[] = [];
let refused = 0;
let routerAway = false;
const fakeRouter = {
  name: "im-router",
  actions: {
    sendToUser(ctx: { params: Notice }) {
      if (routerAway) {
        refused++;
        throw new Errors.MoleculerRetryableError("away", 503, "unavailable");
      }
      notices.push(ctx.params);
      return { delivered: 1 };
    },
  },
};

let caller: Broker;
let node: Broker;

beforeAll(async () => {
  caller = await startNode("caller", [fakeRouter]);
  node = await startNode("notification-1", [notification]);
  await startNode("notification-2", [notification]);
  await caller.waitForServices(["notification"]);
  await node.waitForServices(["im-router"]);
});

afterAll(stopAll);

const credited = (orderId: string) => ({
  userId: "272345678901234567",
  orderId,
  coins: 100,
  balanceAfter: 250,
  time: "2026-01-01T00:00:00.000Z",
});
const publish = (orderId: string, msgId = `wallet.credited:${orderId}`) => {
  const { jetstream } = node.getLocalService("notification") as unknown as Service & JetStreamState;
  const { subject, payload } = durableEvent("wallet.credited", orderId, credited(orderId));
  return jetstream.publish(subject, payload, { msgId });
};
const noticesOf = (orderId: string) => notices.filter(({ data }) => data.orderId === orderId);

describe("the notification of a payment", () => {
  test("goes to the payer as 5561 once the coins are in the account, from one of the nodes", async () => {
    await publish("order-1");
    await eventually("the notice arrived", () => noticesOf("order-1").length);
    // A later order's notification has arrived: a second one of the first order would have arrived too.
    await publish("order-2");
    await eventually("the next notice arrived", () => noticesOf("order-2").length);
    expect(noticesOf("order-1")).toEqual([
      {
        userId: "272345678901234567",
        msgId: "paid-order-1",
        bizCode: 5561,
        data: { orderId: "order-1", coins: 100, balance: 250, msg: expect.stringContaining("100") },
      },
    ]);
  });

  test("of an event that comes twice has the same id, so that the client shows it once", async () => {
    await publish("order-3", "first copy");
    await publish("order-3", "second copy");
    await eventually("both were handled", () => noticesOf("order-3").length === 2);
    expect(new Set(noticesOf("order-3").map(({ msgId }) => msgId))).toEqual(new Set(["paid-order-3"]));
  });

  test("of an event that cannot be read goes to the dead letters at once, and holds up no other", async () => {
    const { jetstream } = node.getLocalService("notification") as unknown as Service & JetStreamState;
    const fields = strangeObject(["userId", "orderId", "coins", "balanceAfter"]);
    const events = fc.oneof(
      fields.map((data) => `{"id":"e","name":"wallet.credited","data":${data}}`),
      strangeJson("id", "data"),
      fc.string({ unit: "binary" }),
    );
    const strange = fc.sample(events, 30);
    for (const [at, text] of strange.entries()) {
      await jetstream.client.publish(`${natsPrefix()}event.wallet.credited`, Buffer.from(text));
      if (at % 10 === 9) await publish(`order-beside-${at}`);
    }
    await eventually("those beside are told", () => [9, 19, 29].every((at) => noticesOf(`order-beside-${at}`).length));
    const letters = await DeadLetters.open(jetstream.connection);
    const dead = () => letters.countByChannel().then((counts) => counts.get("notification-payment-received") ?? 0);
    await eventually("the others are put aside", async () => (await dead()) === strange.length);
  });

  test("waits for a router that is away", async () => {
    routerAway = true;
    await publish("order-4");
    await eventually("the router was asked", () => refused > 0);
    expect(noticesOf("order-4")).toEqual([]);
    routerAway = false;
    await eventually("the notice arrived", () => noticesOf("order-4").length);
  });
});

describe("a login code", () => {
  const provider = (sms: SmsProvider) => {
    (node.getLocalService("notification") as unknown as { sms: SmsProvider }).sms = sms;
  };
  const send = () =>
    call(caller, "notification.sendLoginCode", { phone: "13800138000", code: "042137" }, { nodeID: node.nodeID });

  test("is shown to the caller where the provider is the console", async () =>
    expect(await send()).toEqual({ shownToCaller: true }));

  test("is not shown where another provider took it", async () => {
    provider({ shownToCaller: false, sendLoginCode: async () => {} });
    expect(await send()).toEqual({ shownToCaller: false });
  });

  test("that the provider did not take fails as unavailable on the caller's node", async () => {
    provider({
      shownToCaller: false,
      sendLoginCode: async () => {
        throw new SmsNotTaken("answered 500");
      },
    });
    const refused = await send().catch((error: unknown) => error);
    expect([failureName(refused), mayHaveHappened(refused)]).toEqual(["unavailable", false]);
  });

  test("that nobody knows of fails as unavailable too, and the caller's node knows that it may have been sent", async () => {
    provider({
      shownToCaller: false,
      sendLoginCode: async () => {
        throw new SmsUnanswered("did not answer");
      },
    });
    const unsure = await send().catch((error: unknown) => error);
    expect([failureName(unsure), mayHaveHappened(unsure)]).toEqual(["unavailable", true]);
  });

  test("stands in no log", async () => {
    const lines: unknown[][] = [];
    const service = node.getLocalService("notification") as unknown as Service;
    for (const level of ["info", "warn", "error"] as const)
      jest.spyOn(service.logger, level).mockImplementation((...line: unknown[]) => void lines.push(line));
    await send().catch(failureName);
    provider({ shownToCaller: false, sendLoginCode: async () => {} });
    await send();
    const ofCodes = lines.filter(([about]) => "phoneEnd" in (about as object));
    expect(ofCodes).toHaveLength(2);
    expect(JSON.stringify(lines)).not.toMatch(/042137|13800138000/);
  });
});
