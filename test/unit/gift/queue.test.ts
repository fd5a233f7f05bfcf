import type { Context, Service } from "moleculer";
import { failureName, mayHaveHappened } from "../../../broker/failure.ts";
import { type AcceptancePorts, accept } from "../../../services/gift/acceptance.ts";
import { acceptancePorts } from "../../../services/gift/acceptance-ports.ts";
import { contentHashOf } from "../../../services/gift/accepted-gift.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";
import { orderIdOf } from "../../../services/gift-order-id.ts";

const request = { userId: "11", giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3 };
const giftOnSale = {
  ...{ giftId: 22, price: 90, giftName: "x", status: 1, coverImgUrl: "", svgaUrl: "" },
  ...{ createTime: "", updateTime: "" },
};

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

/** Acceptance on a queue that has the gift already, since the ack of the first try was lost. */
function onQueueThatKnows(look: () => Promise<unknown>) {
  const published: string[] = [];
  const getMessage = jest.fn(look);
  const remember = jest.fn();
  const jetstream = {
    async publish(_subject: string, _gift: unknown, { msgId }: { msgId: string }) {
      published.push(msgId);
      return { stream: "GIFTS-3", seq: 8, duplicate: true };
    },
    manager: { streams: { getMessage } },
  };
  const service = { jetstream, logger: { warn() {} } } as unknown as Service & GiftState;
  const ports: AcceptancePorts = {
    ...acceptancePorts(service, { requestID: "r" } as Context<unknown>),
    knownOrder: async () => undefined,
    gift: async () => giftOnSale,
    anchorOf: async () => "77",
    sharePercentOf: async () => 50,
    mayReceive: async () => true,
    funds: async () => "enough",
    remember,
  };
  return { ports, published, getMessage, remember };
}

const onUnreadableQueue = () => onQueueThatKnows(() => Promise.reject(new Error("TIMEOUT")));

describe("a gift that JetStream has already, while it does not say what stands there", () => {
  test("without a request id is accepted: it can only be the gift itself, and the client would send another", async () => {
    const { ports, published, getMessage } = onUnreadableQueue();
    const { orderId } = (await accept(request, ports, new Date())) as { orderId: string };
    expect(published).toEqual([orderId]);
    expect(getMessage).not.toHaveBeenCalled();
  });

  test("with a request id is not: other content may stand there, it may be settled, and a repeat is the same order", async () => {
    const { ports } = onUnreadableQueue();
    const error = await accept({ ...request, requestId: "click-0001" }, ports, new Date()).catch((reason) => reason);
    expect([failureName(error), mayHaveHappened(error)]).toEqual(["unavailable", true]);
  });
});

describe("a repeat of a gift that stands in the queue at the price of its time", () => {
  const { userId: senderId, ...asked } = request;
  const stored = {
    ...{ ...asked, senderId, orderId: orderIdOf(senderId, "click-0001"), contentHash: contentHashOf(request) },
    ...{ price: 10, sharePercent: 40, url: "x.svga", acceptedAt: new Date(0).toISOString() },
  };

  test("is remembered as what stands there: put back, that price would be charged", async () => {
    const { ports, remember } = onQueueThatKnows(async () => ({ json: () => stored }));
    expect(await accept({ ...request, requestId: "click-0001" }, ports, new Date())).toEqual({
      orderId: stored.orderId,
    });
    expect(remember.mock.calls).toEqual([[stored]]);
  });
});
