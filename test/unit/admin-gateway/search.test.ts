import { fail } from "../../../broker/failure.ts";
import { natsPrefix } from "../../../config/config.ts";
import { peopleEndpoints } from "../../../services/admin-gateway/endpoints/people.ts";
import { search } from "../../../services/admin-gateway/search.ts";
import type { HandledDeadLetter } from "../../../services/staff/dead-letters.contract.ts";
import { lookupAnswers } from "../../support/fake-lookups.ts";

/** Which services a search asks, by the form of the text, and what becomes of their answers. */

type Handler = (params: never) => unknown;

/** A context whose calls are answered as given, else as usual; `asked` has their names. */
function contextOf(answers: Record<string, Handler> = {}) {
  const asked: string[] = [];
  const call = async (action: string, params: never) => {
    asked.push(action);
    const answer = answers[action] ?? (lookupAnswers as Record<string, Handler>)[action];
    if (!answer) throw new Error(`nobody answers ${action}`);
    return answer(params);
  };
  return { ctx: { call } as never, asked };
}

const [giftOrder, payOrder] = ["7b7c0a9e-7c7f-4a44-9a8e-1d4f0c6b8f10", "019abc12-7c7f-7a44-9a8e-1d4f0c6b8f10"];

test.each([
  [giftOrder, ["user.find", "payment.findOrders", "living-room.roomsOfExternal"]],
  [payOrder, ["user.find", "payment.findOrders", "living-room.roomsOfExternal"]],
  ["5678", ["user.find", "living-room.roomForStaff", "living-room.roomsOfExternal"]],
  ["42000012345", ["user.find", "payment.findOrders", "living-room.roomForStaff", "living-room.roomsOfExternal"]],
  ["小鱼的房间", ["user.find", "living-room.roomsOfExternal"]],
  ["99999999999999999999", ["user.find", "payment.findOrders", "living-room.roomsOfExternal"]],
])("%s is asked of those who may have it, and of nobody else", async (q, services) => {
  const { ctx, asked } = contextOf();
  await search(ctx, q, true);
  expect(asked.toSorted()).toEqual(services.toSorted());
});

test("gift is asked for an order that payment does not have, or that it cannot be asked about", async () => {
  const away = () => {
    throw fail("unavailable");
  };
  for (const answer of [() => ({ list: [] }), away]) {
    const { ctx, asked } = contextOf({ "payment.findOrders": answer });
    expect((await search(ctx, giftOrder, true)).list.map(({ kind }) => kind)).toContain("gift");
    expect(asked).toContain("gift.orderStory");
  }
});

test("hits are users, gifts, payments and rooms, each with what tells it apart; a room is found once", async () => {
  const { list: ofGift } = await search(contextOf({ "payment.findOrders": () => ({ list: [] }) }).ctx, giftOrder, true);
  expect(ofGift.slice(1, 2)).toEqual([
    { kind: "gift", id: giftOrder, title: "皇冠 × 1", state: "succeeded", detail: "" },
  ]);
  const { list, incomplete, more } = await search(contextOf().ctx, giftOrder, true);
  expect(list).toEqual([
    { kind: "user", id: "77", title: "n", state: null, detail: "…5678" },
    { kind: "payment", id: "pay-order-1", title: "60", state: "paid", detail: "" },
    { kind: "room", id: "5", title: "r", state: "live", detail: "" },
  ]);
  expect([incomplete, more]).toEqual([[], false]);
  const { list: rooms } = await search(contextOf().ctx, "5", true);
  expect(rooms.filter(({ kind }) => kind === "room")).toHaveLength(1);
});

test("what nobody has is an empty list, not a failure", async () => {
  const { ctx } = contextOf({
    "user.find": () => ({ list: [], more: false }),
    "gift.orderStory": () => {
      throw fail("giftOrderUnknown");
    },
    "payment.findOrders": () => ({ list: [] }),
    "living-room.roomsOfExternal": () => ({ list: [] }),
    "staff.handledDeadLetters": () => ({ list: [], nextCursor: null }),
  });
  expect(await search(ctx, giftOrder, true)).toEqual({ list: [], more: false, incomplete: [] });
});

describe("an order that was given up, of which neither payment nor gift knows anything", () => {
  const handled = (more: Partial<HandledDeadLetter>): HandledDeadLetter => ({
    ...{ handledId: "1", id: 3, time: "2026-01-02T03:04:05.678Z", channel: "gift-settler", deadReason: "odd" },
    ...{ subject: `${natsPrefix()}gift.send.1`, orderId: null, forged: false, unknownKey: false, size: 80 },
    ...{
      decision: "giveUp",
      state: "done",
      by: "ada",
      reason: "twice",
      beginTime: "",
      doneTime: "",
      body: null,
      ...more,
    },
  });
  const searched = (letters: Handler) =>
    search(
      contextOf({
        "user.find": () => ({ list: [], more: false }),
        "gift.orderStory": () => {
          throw fail("giftOrderUnknown");
        },
        "payment.findOrders": () => ({ list: [] }),
        "living-room.roomsOfExternal": () => ({ list: [] }),
        "staff.handledDeadLetters": letters,
      }).ctx,
      giftOrder,
      true,
    );
  const hit = { kind: "gift", id: giftOrder, title: "", state: "givenUp", detail: "" };

  test("is a hit, also where its letter had an unknown key; a forged one proves nothing", async () => {
    for (const [letter, hits] of [
      [handled({}), [hit]],
      [handled({ forged: true, unknownKey: true }), [hit]],
      [handled({ forged: true }), []],
      [handled({ subject: `${natsPrefix()}pay.recharge` }), [{ ...hit, kind: "payment" }]],
    ] as const)
      expect((await searched(() => ({ list: [letter], nextCursor: null }))).list).toEqual(hits);
  });

  test("is not said to be nowhere while the staff service is away", async () => {
    const away = () => {
      throw fail("unavailable");
    };
    expect(await searched(away)).toEqual({ list: [], more: false, incomplete: ["staff"] });
  });
});

test("services that are away are named, and the hits of the others are shown; another failure is none of that", async () => {
  const away = () => {
    throw fail("unavailable");
  };
  const { ctx } = contextOf({
    ...{ "payment.findOrders": away, "living-room.roomForStaff": away },
    "staff.handledDeadLetters": () => ({ list: [], nextCursor: null }),
  });
  const found = await search(ctx, "123456789", true);
  expect(found.incomplete).toEqual(["payment", "living-room"]);
  expect(found.list.map(({ kind }) => kind)).toEqual(["user"]);
  const broken = () => {
    throw fail("callerRefused");
  };
  await expect(search(contextOf({ "user.find": broken }).ctx, "1", true)).rejects.toMatchObject({
    type: "callerRefused",
  });
});

test("the phone is searched for whoever has the right to see phones alone", async () => {
  const given: unknown[] = [];
  const { ctx } = contextOf({
    "user.find": (params) => {
      given.push(params);
      return { list: [], more: false };
    },
  });
  const endpoint = peopleEndpoints.find(({ path }) => path === "/live/admin/search");
  for (const staffRole of ["viewer", "support", "finance", "admin"] as const)
    await endpoint?.carryOut(ctx, { q: "56789" }, { staffRole } as never);
  expect(given).toEqual([false, true, false, true].map((mayPhone) => ({ q: "56789", mayPhone })));
});
