import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import { giftRecovery } from "../../../services/gift/put-back.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const senderId = "11";
const streamOf = () => `${natsPrefix()}GIFTS-${partitionOf(senderId)}`;

function accepted(orderId: string, over: Partial<AcceptedGift> = {}): AcceptedGift {
  const asked = { receiverId: "77", roomId: 5, giftId: 22, count: 3, type: 0 };
  const fixed = { price: 10, sharePercent: 50, url: "x.svga", acceptedAt: new Date().toISOString() };
  return { orderId, senderId, ...asked, ...fixed, contentHash: contentHashOf({ ...asked, ...over }), ...over };
}

/** What is put back of what Redis has, and what is logged as an error. */
async function putBack(remembered: Record<string, unknown>, again: string) {
  const stream = streamOf();
  const published: { msgId: string; gift: AcceptedGift }[] = [];
  const error = jest.fn();
  const keys = Object.keys(remembered);
  const service = {
    redis: {
      options: { keyPrefix: "test:" },
      scan: async () => ["0", keys.map((key) => `test:${key}`)],
      mget: async (asked: string[]) => asked.map((key) => JSON.stringify(remembered[key])),
    },
    mysql: { query: async () => [] },
    jetstream: {
      async publish(_subject: string, gift: AcceptedGift, { msgId }: { msgId: string }) {
        published.push({ msgId, gift });
        return { stream, seq: published.length, duplicate: false };
      },
    },
    logger: { warn: jest.fn(), error },
  };
  const { signal } = new AbortController();
  await giftRecovery(service as never).run([{ stream, created: "2030-01-01T00:00:00Z", again }], signal);
  return { published, errors: error.mock.calls as [{ key?: string; gifts?: number }, string][] };
}

describe("an accepted gift that is put back", () => {
  const remembered = { "gift:accepted:a": accepted("a") };

  test("into a new stream goes under its order id", async () => {
    const { published } = await putBack(remembered, "");
    expect(published).toEqual([{ msgId: "a", gift: accepted("a", { acceptedAt: expect.any(String) as never }) }]);
  });

  test("into a stream that was purged or rolled back goes under an id that its duplicate window does not know", async () => {
    const { published } = await putBack(remembered, "p7");
    expect(published.map(({ msgId }) => msgId)).toEqual(["a:again:p7"]);
  });
});

describe("what Redis has and acceptance cannot have written is logged with its key and not put back:", () => {
  const { acceptedMemoryMs, acceptedClockMarginMs } = limits.gift;
  const ago = (ms: number) => ({ acceptedAt: new Date(Date.now() - ms).toISOString() });
  const good = accepted("good");

  test.each<[string, unknown]>([
    ["a gift under the key of another order", accepted("b")],
    ["a gift whose content was changed", { ...accepted("a"), count: 9 }],
    ["a gift to its sender", accepted("a", { receiverId: senderId })],
    ["a gift from the future", accepted("a", ago(-acceptedClockMarginMs - 5_000))],
    ["a gift of long ago", accepted("a", ago(acceptedMemoryMs + acceptedClockMarginMs + 5_000))],
    ["what is no gift", { orderId: "a" }],
  ])("%s", async (_what, value) => {
    const { published, errors } = await putBack({ "gift:accepted:a": value, "gift:accepted:good": good }, "");
    expect(published.map(({ msgId }) => msgId)).toEqual(["good"]);
    expect(errors[0]).toEqual([expect.objectContaining({ key: "gift:accepted:a" }), expect.any(String)]);
  });

  test("but a gift of any price, and one whose node's clock is a little off, is", async () => {
    const remembered = {
      "gift:accepted:a": accepted("a", { price: 999 }),
      "gift:accepted:b": accepted("b", ago(acceptedClockMarginMs / -2)),
      "gift:accepted:c": accepted("c", ago(acceptedMemoryMs - 5_000)),
    };
    expect((await putBack(remembered, "")).published.map(({ msgId }) => msgId)).toEqual(["c", "a", "b"]);
  });
});
