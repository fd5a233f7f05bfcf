import type { Context, Service } from "moleculer";
import { failureName, mayHaveHappened } from "../../../broker/failure.ts";
import { type AcceptancePorts, accept } from "../../../services/gift/acceptance.ts";
import { acceptancePorts } from "../../../services/gift/acceptance-ports.ts";
import type { GiftState } from "../../../services/gift/gift-state.ts";

const request = { userId: "11", giftId: 22, roomId: 5, receiverId: "77", type: 0, count: 3 };
const shelfGift = {
  ...{ giftId: 22, price: 90, giftName: "x", status: 1, coverImgUrl: "", svgaUrl: "" },
  ...{ createTime: "", updateTime: "" },
};

/** Acceptance on a queue that has the gift already, since the ack of the first try was lost, and cannot be read. */
function onUnreadableQueue() {
  const published: string[] = [];
  const getMessage = jest.fn(() => Promise.reject(new Error("TIMEOUT")));
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
    gift: async () => shelfGift,
    anchorOf: async () => "77",
    sharePercentOf: async () => 50,
    mayReceive: async () => true,
    funds: async () => "enough",
    remember: async () => {},
  };
  return { ports, published, getMessage };
}

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
