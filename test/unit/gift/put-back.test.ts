import { natsPrefix } from "../../../config/config.ts";
import { limits } from "../../../config/limits.ts";
import { type AcceptedGift, contentHashOf, partitionOf } from "../../../services/gift/accepted-gift.ts";
import { giftRecovery } from "../../../services/gift/put-back.ts";
import { unitSignatures } from "../../support/unit-signatures.ts";

Object.assign(process.env, {
  ...{ NATS_URL: "nats://127.0.0.1:1", REDIS_URL: "redis://127.0.0.1:1", MYSQL_URL: "mysql://127.0.0.1:1" },
  ...{ PROFILE: "local", SMS_PROVIDER: "console", NAMESPACE: "unit" },
});

const signatures = unitSignatures();
const senderId = "11";
const streamOf = () => `${natsPrefix()}GIFTS-${partitionOf(senderId)}`;

function accepted(orderId: string, over: Partial<AcceptedGift> = {}): AcceptedGift {
  const asked = { receiverId: "77", roomId: 5, giftId: 22, count: 3, type: 0 };
  const fixed = { price: 10, sharePercent: 50, url: "x.svga", acceptedAt: new Date().toISOString() };
  return { orderId, senderId, ...asked, ...fixed, contentHash: contentHashOf({ ...asked, ...over }), ...over };
}

/** A text is stored as it is, a gift as a gift node stores it. */
const storedText = (key: string, value: unknown) =>
  typeof value === "string" ? value : signatures.sign(key, JSON.stringify(value));

/** What is put back of what Redis has, and what is logged as an error. */
async function putBack(
  remembered: Record<string, unknown>,
  again: string,
  lost = [streamOf()],
  { created = "2030-01-01T00:00:00Z", isFirst = false } = {},
) {
  const stream = streamOf();
  const published: { subject: string; msgId: string; gifts: readonly AcceptedGift[] }[] = [];
  const error = jest.fn();
  const keys = Object.keys(remembered);
  const service = {
    signatures,
    redis: {
      options: { keyPrefix: "test:" },
      scan: async () => ["0", keys.map((key) => `test:${key}`)],
      mget: async (asked: string[]) => asked.map((key) => storedText(key, remembered[key])),
    },
    records: { contentHashes: async () => new Map() },
    jetstream: {
      async publishText(subject: string, text: string, { msgId }: { msgId: string }) {
        const opened = signatures.open(subject, text);
        const { gifts } = JSON.parse("body" in opened ? opened.body : "") as { gifts: AcceptedGift[] };
        published.push({ subject, msgId, gifts });
        return { stream, seq: published.length, duplicate: false };
      },
    },
    logger: { warn: jest.fn(), error },
  };
  const { signal } = new AbortController();
  const streams = lost.map((name) => ({ stream: name, created, again, isFirst }));
  await giftRecovery(service as never).run(streams, signal);
  const gifts = published.flatMap((message) => message.gifts);
  return { published, gifts, errors: error.mock.calls as [{ key?: string; gifts?: number }, string][] };
}

const many = (count: number, sender: (n: number) => string = () => senderId) =>
  Object.fromEntries(
    Array.from({ length: count }, (_, n) => {
      const acceptedAt = new Date(Date.now() - 60_000 + n).toISOString();
      return [`gift:accepted:o${n}`, accepted(`o${n}`, { senderId: sender(n), acceptedAt })];
    }),
  );
const idsOf = (published: readonly { msgId: string }[]) => published.map(({ msgId }) => msgId);

describe("accepted gifts that are put back", () => {
  test("go in groups, in the order of their acceptance, each to its sender's partition", async () => {
    const lost = Array.from({ length: limits.gift.partitions }, (_, n) => `${natsPrefix()}GIFTS-${n}`);
    const { published, gifts } = await putBack(
      many(1_000, (n) => String(1 + (n % 20))),
      "",
      lost,
    );
    expect([gifts.length, published.length < 200]).toEqual([1_000, true]);
    for (const message of published) {
      expect(message.gifts.length).toBeLessThanOrEqual(limits.gift.putBackGroupGiftsMax);
      for (const gift of message.gifts) expect(message.subject).toBe(`gift.send.${partitionOf(gift.senderId)}`);
    }
    for (let sender = 1; sender <= 20; sender++) {
      const own = gifts.filter((gift) => gift.senderId === String(sender)).map(({ acceptedAt }) => acceptedAt);
      expect(own).toEqual(own.toSorted());
    }
  });

  test("are not those that wait in the first stream of the name", async () => {
    const created = "2026-01-02T00:00:00.123456789Z";
    const remembered = {
      "gift:accepted:before": accepted("before", { acceptedAt: "2026-01-01T23:59:59.000Z" }),
      "gift:accepted:after": accepted("after", { acceptedAt: "2026-01-02T00:00:01.000Z" }),
    };
    jest.useFakeTimers({ now: Date.parse("2026-01-02T00:00:02.000Z") });
    try {
      const idsIn = async (isFirst: boolean) =>
        (await putBack(remembered, "", [streamOf()], { created, isFirst })).gifts.map(({ orderId }) => orderId);
      expect([await idsIn(true), await idsIn(false)]).toEqual([["before"], ["before", "after"]]);
    } finally {
      jest.useRealTimers();
    }
  });

  test("have the same message ids when they are put back again, so the server drops what it has", async () => {
    const remembered = many(300);
    const [first, again] = [await putBack(remembered, ""), await putBack(remembered, "")];
    expect(idsOf(again.published)).toEqual(idsOf(first.published));
    expect(new Set(idsOf(first.published)).size).toBe(first.published.length);
  });

  test("with one gift more or less are the same messages, except for the one with that gift, which has another id", async () => {
    const remembered = many(1_000);
    const { "gift:accepted:o500": _settled, ...rest } = remembered;
    const [first, later] = [await putBack(remembered, ""), await putBack(rest, "")];
    const known = new Set(idsOf(first.published));
    const fresh = later.published.filter(({ msgId }) => !known.has(msgId));
    expect(fresh.length).toBe(1);
    const before = first.published.filter(({ msgId }) => !idsOf(later.published).includes(msgId));
    expect(before.map(({ gifts }) => gifts.some(({ orderId }) => orderId === "o500"))).toContain(true);
  });

  test("into a stream that was purged or rolled back have ids that its duplicate window does not have", async () => {
    const remembered = many(100);
    const [fresh, purged] = [await putBack(remembered, ""), await putBack(remembered, "p7")];
    expect(idsOf(purged.published)).toEqual(idsOf(fresh.published).map((id) => `${id}:again:p7`));
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
    ["a gift from the future", accepted("a", ago(-acceptedClockMarginMs - 60_000))],
    ["a gift of long ago", accepted("a", ago(acceptedMemoryMs + acceptedClockMarginMs + 5_000))],
    ["what is no gift", { orderId: "a" }],
    ["a gift without a signature", JSON.stringify(accepted("a"))],
    ["a gift that was signed for another order", signatures.sign("gift:accepted:b", JSON.stringify(accepted("a")))],
    ["a gift with another price than was signed", storedText("gift:accepted:a", accepted("a")).replace("10", "1")],
    ["a gift that another key has signed", unitSignatures().sign("gift:accepted:a", JSON.stringify(accepted("a")))],
    ["a gift of the queue", signatures.sign("gift.send.3", JSON.stringify(accepted("a")))],
  ])("%s", async (_what, value) => {
    const { gifts, errors } = await putBack({ "gift:accepted:a": value, "gift:accepted:good": good }, "");
    expect(gifts.map(({ orderId }) => orderId)).toEqual(["good"]);
    expect(errors[0]).toEqual([expect.objectContaining({ key: "gift:accepted:a" }), expect.any(String)]);
  });

  test("but a gift of any price, and one whose node's clock is a little off, is", async () => {
    const remembered = {
      "gift:accepted:a": accepted("a", { price: 999 }),
      "gift:accepted:b": accepted("b", ago(acceptedClockMarginMs / -2)),
      "gift:accepted:c": accepted("c", ago(acceptedMemoryMs - 5_000)),
    };
    expect((await putBack(remembered, "")).gifts.map(({ orderId }) => orderId)).toEqual(["c", "a", "b"]);
  });
});
