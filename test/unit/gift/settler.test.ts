import { fail, failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { SomeNotHandled } from "../../../mixins/jetstream/some-not-handled.ts";
import { settle } from "../../../services/gift/settler.ts";
import type { GiftCharge } from "../../../services/wallet/wallet.contract.ts";
import { bucketOf } from "../../../services/wallet-buckets.ts";

test("a gift whose charge fits into no message fails its batch, which makes it a dead letter; it is not acked unsettled", async () => {
  const calls: unknown[] = [];
  const service = {
    broker: { call: async (...args: unknown[]) => calls.push(args) },
    records: { isSeveral: false },
    logger: { error: () => {} },
  };
  const gift = { orderId: "x".repeat(limits.bus.listBytes), senderId: "1", receiverId: "2", price: 1, count: 1 };
  const settling = settle(service as never, [{ data: gift }] as never, () => {});
  expect(failureName(await settling.catch((error: unknown) => error))).toBe("messageTooLarge");
  expect(calls).toEqual([]);
});

interface World {
  /** Senders of whom the wallet says that they are away. */
  readonly away?: readonly string[];
  /** The server of a gift's charge. */
  readonly serverOf?: (charge: GiftCharge) => string;
  /** Servers that are away when records are written. */
  readonly lost?: readonly string[];
}

/** Settles gifts, by sender and order. What was charged, recorded and published, and the orders that were not handled. */
async function settled(
  gifts: readonly (readonly [string, string])[],
  { away = [], serverOf = () => "home", lost = [] }: World,
) {
  const seen = { charged: [] as string[], recorded: [] as string[], published: [] as string[] };
  const service = {
    broker: {
      call: async (_action: string, { gifts: charges, apart }: { gifts: GiftCharge[]; apart?: true }) => {
        expect(apart).toBe(true);
        const held = charges.filter(({ senderId }) => away.includes(senderId));
        const decided = charges.filter(({ senderId }) => !away.includes(senderId));
        seen.charged.push(...charges.map(({ orderId }) => orderId));
        return {
          outcomes: decided.map((charge) => ({
            ...{ orderId: charge.orderId, status: "succeeded", income: 0, incomePoints: 0, server: serverOf(charge) },
          })),
          ...(held.length > 0 && { away: [...new Set(held.map(({ senderId }) => senderId))] }),
        };
      },
    },
    records: {
      isSeveral: true,
      async at(server: string, work: (db: unknown) => Promise<unknown>) {
        if (lost.includes(server)) throw fail("unavailable");
        let inserted: string[] = [];
        return work({
          query: async (_sql: string, [asked]: [string[]]) =>
            asked.map((order_id) => ({ order_id, id: inserted.indexOf(order_id) + 1, send_time: new Date(0) })),
          run: async (_sql: string, values: unknown[]) => {
            const orders = (values.flat(2) as unknown[]).filter((one) => typeof one === "string" && /^g\d/.test(one));
            inserted = orders as string[];
            seen.recorded.push(...inserted);
            return { insertId: 1, affectedRows: orders.length };
          },
        });
      },
    },
    redis: { unlink: async () => 0 },
    jetstream: {
      publish: async (_subject: string, { data }: { data: { gifts: { orderId: string }[] } }) =>
        seen.published.push(...data.gifts.map(({ orderId }) => orderId)),
    },
    metrics: { settled: () => {} },
    logger: { warn: () => {}, error: () => {} },
  };
  const messages = gifts.map(([senderId, orderId]) => ({
    ...{ subject: "s", sequence: 1, storedAtMs: 1_000, requestId: undefined, traces: [] },
    data: {
      orderId,
      senderId,
      receiverId: "9",
      roomId: 1,
      giftId: 1,
      count: 1,
      price: 1,
      sharePercent: 50,
      type: 0,
      url: "",
    },
  }));
  const error = await settle(service as never, messages as never, () => {}).catch((thrown: unknown) => thrown);
  if (error !== undefined && !(error instanceof SomeNotHandled)) throw error;
  const unhandled = error ? [...error.why.keys()].map(({ data }) => (data as { orderId: string }).orderId) : [];
  return { ...seen, unhandled };
}

describe("where only some senders need what is away", () => {
  test("the gifts of the others are settled, and theirs are named as not handled", async () => {
    const gifts = [
      ["1", "g1"],
      ["2", "g2"],
      ["1", "g3"],
      ["3", "g4"],
    ] as const;
    const { recorded, published, unhandled } = await settled(gifts, { away: ["1"] });
    expect([recorded.toSorted(), published, unhandled]).toEqual([
      ["g2", "g4"],
      ["g2", "g4"],
      ["g1", "g3"],
    ]);
  });

  test("no gift of a sender is published before an earlier one of hers is recorded", async () => {
    const gifts = [
      ["1", "g1"],
      ["2", "g2"],
      ["1", "g3"],
    ] as const;
    const serverOf = ({ orderId }: GiftCharge) => (orderId === "g1" ? "b" : "home");
    const { published, unhandled } = await settled(gifts, { serverOf, lost: ["b"] });
    expect([published, unhandled]).toEqual([["g2"], ["g1", "g3"]]);
  });

  test("no gift of a sender is charged after an earlier one of hers that has no outcome", async () => {
    const most = limits.wallet.commandsPerCall;
    const bucket = bucketOf("1");
    const other = Array.from({ length: 1_000 }, (_, n) => String(n + 2)).find(
      (id) => bucketOf(id) === bucket,
    ) as string;
    const gifts = Array.from({ length: most + 2 }, (_, n) => [n % 2 === 0 ? "1" : other, `g${n}`] as const);
    const { charged, published, unhandled } = await settled(gifts, { away: ["1"] });
    const late = gifts
      .slice(most)
      .filter(([sender]) => sender === "1")
      .map(([, order]) => order);
    expect(late).toHaveLength(1);
    expect(charged).not.toContain(late[0]);
    expect(published).toEqual(gifts.filter(([sender]) => sender === other).map(([, order]) => order));
    expect(unhandled).toEqual(gifts.filter(([sender]) => sender === "1").map(([, order]) => order));
  });
});
