import { randomUUID } from "node:crypto";
import zlib, { inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { limits } from "../../../config/limits.ts";
import { businessFrame, numberedFrame, unnumberedFrame } from "../../../services/im-frames.ts";
import { RoomTick } from "../../../services/im-router/room-tick.ts";
import { FrameForms, requestedForm } from "../../../services/im-server/frame-forms.ts";
import { notificationFrameV2, orderTag, roomFrameV2 } from "../../../services/im-server/frames-v2.ts";

const anchorId = "1";
const numbered = { seq: 12, epoch: "912cced3f4e1" };
const frameOf = (message: { msgId: string; userId: string; bizCode: number; data: Record<string, unknown> }) =>
  numberedFrame(unnumberedFrame(5, message), numbered.seq, numbered.epoch);
const giftFrame = (gifts: unknown) => frameOf({ msgId: "m", userId: "0", bizCode: 5556, data: { gifts } as never });
const bodyV2 = (frame: string) => JSON.parse(roomFrameV2(frame, anchorId)).body;

/** Frames of the product for gifts, as a tick of the router makes them. */
function tickFrames(gifts: { orderId: string; senderId: string; receiverId: string; giftId: number; count: number }[]) {
  const tick = new RoomTick(randomUUID);
  tick.addGifts({ roomId: 5, gifts: gifts.map((gift) => ({ ...gift, price: 10, url: "../svga/天使.svga" })) });
  return tick
    .frames({ orders: limits.im.giftsPerFrame, bytes: limits.im.roomFrameBytes })
    .map((frame, i) => numberedFrame(frame, i + 1, "912cced3f4e1"));
}

/** What a client counts of items: the pieces by sender, receiver, gift and tag. */
function counted(items: unknown[]): Map<string, number> {
  const pieces = new Map<string, number>();
  for (const item of items as (string | number | { to?: string })[][]) {
    const [senderId, giftId, ...rest] = item;
    const last = rest.at(-1);
    const to = typeof last === "object" ? last.to : undefined;
    let each = 0;
    for (const part of rest)
      if (typeof part === "number") each = part;
      else if (typeof part === "string") pieces.set(`${senderId} ${to ?? anchorId} ${giftId} ${part}`, each);
  }
  return pieces;
}

test("every order of a gift frame keeps its sender, receiver, gift and pieces, whatever is merged", () => {
  const gift = fc.record({
    orderId: fc.uuid(),
    senderId: fc.constantFrom("383138009967865135", "383138010168813800", "7"),
    receiverId: fc.constantFrom(anchorId, "2"),
    giftId: fc.integer({ min: 1, max: 3 }),
    count: fc.integer({ min: 1, max: 9_999 }),
  });
  fc.assert(
    fc.property(fc.uniqueArray(gift, { selector: ({ orderId }) => orderTag(orderId), maxLength: 60 }), (gifts) => {
      const sent = gifts.map(({ orderId, senderId, receiverId, giftId, count }) => [
        `${senderId} ${receiverId} ${giftId} ${orderTag(orderId)}`,
        count,
      ]);
      const seen = gifts.length === 0 ? [] : tickFrames(gifts).flatMap((frame) => bodyV2(frame).data.gifts);
      expect(Object.fromEntries(counted(seen))).toEqual(Object.fromEntries(sent as [string, number][]));
      expect(new Set(seen.map((item: unknown[]) => JSON.stringify(item.slice(0, 2)))).size).toBeLessThanOrEqual(9);
    }),
  );
});

test("a gift frame has no room, system, urls, prices, order ids and anchor, and is numbered", () => {
  const entry = { senderId: "7", receiverId: "1", giftId: 3, count: 4, price: 90, url: "u", orderIds: ["o1", "o2"] };
  const to = { ...entry, receiverId: "8", count: 5, orderIds: ["f7a151d0-0c52-4d3f-9b0c-0a1b2c3d4e5f"] };
  const other = { ...entry, count: 1, orderIds: ["o3"], price: 91 };
  expect(JSON.parse(roomFrameV2(giftFrame([entry, to, other]), anchorId))).toEqual({
    code: 1003,
    body: {
      bizCode: 5556,
      data: {
        ...numbered,
        gifts: [
          ["7", 3, 2, "o1", "o2", 1, "o3"],
          ["7", 3, 5, "0a1b2c3d4e5f", { to: "8" }],
        ],
      },
    },
  });
});

test("fields that an entry has beside the known ones stay, and entries that differ in them are not merged", () => {
  const entry = { senderId: "7", receiverId: "1", giftId: 3, count: 1, price: 90, url: "u" };
  const gifts = [
    { ...entry, orderIds: ["a"], effect: { id: "c", level: 1 } },
    { ...entry, orderIds: ["b"], effect: { id: "c", level: 2 } },
    { ...entry, orderIds: ["c"] },
    { ...entry, orderIds: ["d"], receiverId: "8", effect: { id: "d", level: 1 } },
    { ...entry, orderIds: ["e"], combo: { id: "c", count: 1, odd: true } },
  ];
  expect(bodyV2(giftFrame(gifts)).data.gifts).toEqual([
    ["7", 3, 1, "a", { effect: { id: "c", level: 1 } }],
    ["7", 3, 1, "b", { effect: { id: "c", level: 2 } }],
    ["7", 3, 1, "c"],
    ["7", 3, 1, "d", { to: "8", effect: { id: "d", level: 1 } }],
    ["7", 3, 1, "e", { combo: { id: "c", count: 1, odd: true } }],
  ]);
});

test("a combo is a last number without tags, and entries that differ in their combos are one item with the highest", () => {
  const entry = { senderId: "7", receiverId: "1", giftId: 3, count: 1, price: 90, url: "u" };
  const gifts = [
    { ...entry, orderIds: ["a"], combo: { id: "s", count: 3 } },
    { ...entry, orderIds: ["b"], count: 2, combo: { id: "s", count: 5 } },
    { ...entry, orderIds: ["c"], receiverId: "8", combo: { id: "s", count: 4 } },
    { ...entry, orderIds: ["d"], giftId: 4, combo: { id: "t", count: 1 } },
    { ...entry, orderIds: ["e"], giftId: 5 },
  ];
  expect(bodyV2(giftFrame(gifts)).data.gifts).toEqual([
    ["7", 3, 1, "a", 2, "b", 5],
    ["7", 3, 1, "c", 4, { to: "8" }],
    ["7", 4, 1, "d", 1],
    ["7", 5, 1, "e"],
  ]);
});

test("an entry or frame of another shape stays as it is: nothing is dropped", () => {
  const entry = { senderId: "7", receiverId: "1", giftId: 3, count: 3, price: 90, url: "u", orderIds: ["a", "b"] };
  const strange = [entry, null, 5, { ...entry, orderIds: [] }, { ...entry, senderId: 7 }, { ...entry, orderIds: [1] }];
  expect(bodyV2(giftFrame(strange)).data.gifts).toEqual(strange);
  expect(bodyV2(giftFrame({ no: "list" })).data.gifts).toEqual({ no: "list" });
  for (const text of ["", "{", "null", "[1]", '{"code":1003}', '{"code":1003,"body":{"data":5}}'])
    expect(roomFrameV2(text, anchorId)).toBe(text);
});

test("chat keeps its id and has its sender once; a message of the system has none", () => {
  const chat = { msgId: "m1", userId: "7", bizCode: 5555, data: { content: "hi", senderId: "7" } };
  expect(bodyV2(frameOf(chat))).toEqual({
    ...{ msgId: "m1", userId: "7", bizCode: 5555 },
    data: { ...numbered, content: "hi" },
  });
  const packet = { packetId: "b", shares: [{ userId: "1", coins: 5 }], remainingMs: 900 };
  expect(bodyV2(frameOf({ msgId: "m2", userId: "0", bizCode: 5560, data: packet }))).toEqual({
    ...{ msgId: "m2", bizCode: 5560 },
    data: { ...numbered, ...packet },
  });
});

const senders = [{ userId: "7", nickName: "ann", avatar: "a.png", coins: 20 }];
const battle = {
  battleId: "9",
  kind: "rooms",
  state: "running",
  sides: [
    { roomId: 5, userId: "1", score: 20, gifts: 2, topSenders: senders },
    { roomId: 6, userId: "2", score: 0, gifts: 0, topSenders: [] },
  ],
  startTime: "2026-11-26T16:00:00.000Z",
  endTime: "2026-11-26T16:05:00.000Z",
  serverTime: "2026-11-26T16:01:00.000Z",
  winner: null,
  excluded: [],
};

test("scores are a list of users and scores without a message id", () => {
  const scores = [
    { userId: "1", score: 5 },
    { userId: "2", score: 0 },
  ];
  const frame = (data: Record<string, unknown>) => frameOf({ msgId: "m", userId: "0", bizCode: 5558, data });
  expect(bodyV2(frame({ battleId: "9", scores, remainingMs: 900 }))).toEqual({
    bizCode: 5558,
    data: { ...numbered, battleId: "9", scores: ["1", 5, "2", 0], remainingMs: 900 },
  });
  for (const odd of [[{ userId: "1", score: 5, more: 1 }], [{ userId: "1" }], "none", undefined])
    expect(bodyV2(frame({ battleId: "9", scores: odd })).data.scores).toEqual(odd);
});

test("the sides of a battle are lists, and what else they have stays", () => {
  const frame = (data: Record<string, unknown>) => frameOf({ msgId: "m", userId: "0", bizCode: 5559, data });
  const { excluded: _none, ...fields } = battle;
  const [first, second] = battle.sides;
  expect(bodyV2(frame(battle))).toEqual({
    msgId: "m",
    bizCode: 5559,
    data: {
      ...{ ...numbered, ...fields },
      sides: [
        [5, "1", 20, 2, ["7", "ann", "a.png", 20]],
        [6, "2", 0, 0],
      ],
    },
  });
  const more = { ...battle, excluded: ["o1"], sides: [{ ...first, lead: 3 }, second] };
  expect(bodyV2(frame(more)).data).toMatchObject({
    excluded: ["o1"],
    sides: [
      [5, "1", 20, 2, ["7", "ann", "a.png", 20], { lead: 3 }],
      [6, "2", 0, 0],
    ],
  });
  for (const sides of [[{ ...first, score: null }, second], [{ ...first, topSenders: [5] }], [5], "odd"])
    expect(bodyV2(frame({ ...battle, sides })).data.sides).toEqual(sides);
});

test("all data of a service's message is in version 2 too", () => {
  fc.assert(
    fc.property(
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.constantFrom(5555, 5559, 5560, 5562),
      (data, bizCode) => {
        const frame = frameOf({ msgId: "m", userId: "0", bizCode, data });
        const { roomId: _room, ...sent } = JSON.parse(frame).body.data;
        if (sent.senderId === "0") delete sent.senderId;
        expect(bodyV2(frame)).toEqual({ msgId: "m", bizCode, data: sent });
      },
    ),
  );
});

test("a notification keeps its id, by which it is acked, and does not name its receiver", () => {
  const frame = businessFrame({
    msgId: "m",
    userId: "7",
    bizCode: 5557,
    data: { orderId: "o", msg: "x", code: 10010 },
  });
  expect(JSON.parse(notificationFrameV2(frame))).toEqual({
    code: 1003,
    body: { msgId: "m", bizCode: 5557, data: { orderId: "o", msg: "x", code: 10010 } },
  });
});

/** A tick of a room with 1000 gifts a second by 50 senders, all of them different. */
const busyTick = () =>
  tickFrames(
    Array.from({ length: 100 }, (_, n) => ({
      orderId: randomUUID(),
      senderId: String(383_138_000_000_000_000n + BigInt(n % 50) * 7_919_003_207_411n),
      receiverId: anchorId,
      giftId: 1 + (n % 5),
      count: 1 + (n % 3),
    })),
  )[0] as string;

const payload = (wire: Buffer) => wire.subarray(wire[1] === 126 ? 4 : wire[1] === 127 ? 10 : 2);

test("a tick of 100 gifts by 50 senders takes 1.5 kB compressed, and is the same text as plain version 2", () => {
  const forms = new FrameForms(busyTick(), anchorId);
  expect(forms.wire("1").length).toBeGreaterThan(15_000);
  expect(forms.wire("2").length).toBeLessThan(3_100);
  expect(forms.wire("2-deflate").length).toBeLessThan(1_500);
  expect([forms.wire("2")[0], forms.wire("2-deflate")[0]]).toEqual([0x81, 0x82]);
  expect(inflateRawSync(payload(forms.wire("2-deflate"))).equals(payload(forms.wire("2")))).toBe(true);
});

test("version 1 is the frame itself, and the bytes of each form are made once for all members", () => {
  const frame = busyTick();
  const forms = new FrameForms(frame, anchorId);
  expect(payload(forms.wire("1")).toString()).toBe(frame);
  for (const form of ["1", "2", "2-deflate"] as const) expect(forms.wire(form)).toBe(forms.wire(form));
});

test("where zlib fails, the frame is text for clients that asked for compressed ones", () => {
  const forms = new FrameForms(busyTick(), anchorId);
  const failing = jest.spyOn(zlib, "deflateRawSync").mockImplementation(() => {
    throw new Error("Z_MEM_ERROR");
  });
  expect(forms.wire("2-deflate").equals(forms.wire("2"))).toBe(true);
  expect(failing).toHaveBeenCalledTimes(1);
  failing.mockRestore();
});

test("small frames are text for clients that asked for compressed ones, too", () => {
  const forms = new FrameForms(frameOf({ msgId: "m", userId: "7", bizCode: 5555, data: { content: "hi" } }), anchorId);
  expect(forms.wire("2-deflate").equals(forms.wire("2"))).toBe(true);
});

test.each([
  ["", "1"],
  ["v=1", "1"],
  ["v=2", "2"],
  ["v=2&compress=deflate-raw", "2-deflate"],
  ["v=", "v must be 1 or 2"],
  ["v=3", "v must be 1 or 2"],
  ["v=02", "v must be 1 or 2"],
  ["v=2.0", "v must be 1 or 2"],
  ["v=2&compress=", "compress must be deflate-raw"],
  ["v=2&compress=gzip", "compress must be deflate-raw"],
  ["compress=deflate-raw", "compress needs v=2"],
])("the query %j asks for: %s", (query, expected) => {
  const form = requestedForm(new URLSearchParams(query));
  expect(form instanceof Error ? form.message : form).toBe(expected);
});
