import type { JsMsg } from "nats";
import { limits } from "../../../config/limits.ts";
import { dataOfItem, type MessageSplit, messageOfItem, readItems } from "../../../mixins/jetstream/split.ts";

const bytes = (data: unknown) => new TextEncoder().encode(typeof data === "string" ? data : JSON.stringify(data));
const text = (data: Uint8Array) => new TextDecoder().decode(data);

const info = { timestampNanos: 1_764_000_000_123_999_700 } as JsMsg["info"];

/** Messages of letters; "bad" is refused. */
const split: MessageSplit = {
  items(data) {
    if (!Array.isArray(data)) throw new Error("it is no list");
    return data;
  },
  alone: (item) => [item],
  leastBytes: 1_000,
};
const parse = (data: unknown) => {
  if (data === "bad") throw new Error("it is bad");
  return { letter: data };
};
const key = ({ letter }: { letter: string }) => letter;
const reading = { split, parse, key };

test("a message is as many items as it has, in their order, each with its key; one that cannot be read is marked alone", () => {
  expect(readItems(bytes(["a", "bad", "b"]), reading, "S:d:7")).toEqual([
    { index: 0, key: "a", data: { letter: "a" } },
    { index: 1, unreadable: "it is bad" },
    { index: 2, key: "b", data: { letter: "b" } },
  ]);
});

test("without a key each item is a key of its own", () => {
  const items = readItems(bytes(["a", "a"]), { split }, "S:d:7");
  expect(items.map((item) => "key" in item && item.key)).toEqual(["S:d:7:0", "S:d:7:1"]);
});

test("a message with one item, or of a channel that does not split, is that item itself", () => {
  expect(readItems(bytes(["a"]), reading, "S:d:7")).toEqual([{ index: undefined, key: "a", data: { letter: "a" } }]);
  expect(readItems(bytes("7"), {}, "S:d:7")).toEqual([{ index: undefined, key: "S:d:7", data: 7 }]);
  const raw = bytes('[ "a" ]');
  expect(messageOfItem({ data: raw, info }, undefined, undefined)).toBe(raw);
});

test.each<[string, string]>([
  ["{broken", "Expected"],
  ["7", "it is no list"],
  ["[]", "it has no items"],
  [`[${"1,".repeat(limits.bus.maxPayloadBytes / 1_000)}1]`, "more than fit into a message"],
])("a message that cannot be taken apart is unreadable as a whole: %.20s", (message, why) => {
  expect(readItems(bytes(message), reading, "S:d:7")).toEqual([
    { index: undefined, unreadable: expect.stringContaining(why) },
  ]);
});

test("an item is written as a message of its own, from which it is read again; its data is what `parse` returns", () => {
  const message = { data: bytes(["a", "bad", { b: 1 }]), info };
  const alone = messageOfItem(message, split, 2);
  expect(text(alone)).toBe('[{"b":1}]');
  expect(readItems(alone, { split }, "S:d:8")).toEqual([{ index: undefined, key: "S:d:8", data: { b: 1 } }]);
  expect(dataOfItem(message, reading, 0)).toEqual({ letter: "a" });
  expect(() => dataOfItem(message, reading, 1)).toThrow("it is bad");
  expect(dataOfItem({ data: bytes(["z"]) }, reading, undefined)).toEqual({ letter: "z" });
});

test("an item that fails takes the time of its message along, floored to ms, also where it is the only one", () => {
  const timed: MessageSplit = { ...split, alone: (item, ms) => [item, ms] };
  for (const [items, index] of [[["a"], undefined] as const, [["b", "a"], 1] as const])
    expect(text(messageOfItem({ data: bytes(items), info }, timed, index))).toBe('["a",1764000000123]');
});

test("a message that cannot be taken apart is copied as it is", () => {
  for (const raw of [bytes("{broken"), bytes("7")])
    expect(messageOfItem({ data: raw, info }, split, undefined)).toBe(raw);
});

test("a message of which every item is a dead letter is parsed once for all of them", () => {
  const data = bytes(Array.from({ length: 1_000 }, (_, n) => n));
  let reads = 0;
  const message = {
    info,
    get data() {
      reads++;
      return data;
    },
  };
  for (let n = 0; n < 1_000; n++) {
    expect(text(messageOfItem(message, split, n))).toBe(`[${n}]`);
    expect(dataOfItem(message, reading, n)).toEqual({ letter: n });
  }
  expect(reads).toBe(1);
});
