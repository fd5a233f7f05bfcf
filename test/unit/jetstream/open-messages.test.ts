import type { Delivered, OpenMessage } from "../../../mixins/jetstream/message.ts";
import { OpenMessages } from "../../../mixins/jetstream/open-messages.ts";
import { FakeMessage } from "./fake-messages.ts";

/** Messages of these keys, one for each item. */
function open(...messages: string[][]) {
  const held = new OpenMessages();
  const added = messages.map((keys, n) =>
    held.add(new FakeMessage(n, "", "d", `S-${n}`).real, `place-${n}`, keys.length),
  );
  const items: Delivered[] = messages.flatMap((keys, n) =>
    keys.map((key, index) => ({ key, of: added[n] as OpenMessage, index, data: {}, tries: 0, faults: 0 })),
  );
  return { held, added: added as [OpenMessage, ...OpenMessage[]], items };
}

test("a message ends with the last of its items; open items are counted, not messages", () => {
  const { held, added } = open(["a", "b", "c"], ["d"]);
  expect([held.openItems, [...held].length]).toEqual([4, 2]);
  expect([held.itemEnded(added[0]), held.itemEnded(added[0])]).toEqual([false, false]);
  expect([held.openItems, held.has("place-0"), held.holds("S-0")]).toEqual([2, true, true]);
  expect(held.itemEnded(added[0])).toBe(true);
  expect([held.openItems, held.has("place-0"), held.holds("S-0"), held.holds("S-1")]).toEqual([1, false, false, true]);
});

test("a message that is given back is no longer counted with its open items, once", () => {
  const { held, added } = open(["a", "b", "c"], ["d"]);
  held.itemEnded(added[0]);
  held.remove(added[0]);
  held.remove(added[0]);
  expect([held.openItems, [...held].map(({ place }) => place)]).toEqual([1, ["place-1"]]);
});

describe("what can be given back now", () => {
  /** What waits in the channel, and the keys of which something is in work. */
  const among = (waiting: Delivered[], isBusy: (key: string) => boolean = () => false) =>
    Object.assign(waiting, { isBusy });
  const places = (messages: OpenMessage[]) => messages.map(({ place }) => place);

  test("is a message that waits as a whole and has no busy key", () => {
    const { held, items } = open(["a", "b"], ["c"], ["d", "e"]);
    // e is in work.
    const waiting = items.filter(({ key }) => key !== "e");
    expect(places(held.givable(among(waiting, (key) => key === "c")))).toEqual(["place-0"]);
  });

  test("is not a message that follows, in the order of a key, a message that stays, across any number of messages", () => {
    const { held, items } = open(["a", "x"], ["a", "b"], ["b", "c"], ["c"], ["d"]);
    const waiting = items.filter(({ key }) => key !== "x");
    expect(places(held.givable(among(waiting)))).toEqual(["place-4"]);
  });

  test("is an earlier message of a key although a later one stays", () => {
    const { held, items } = open(["a"], ["a", "x"]);
    const waiting = items.filter(({ key }) => key !== "x");
    expect(places(held.givable(among(waiting)))).toEqual(["place-0"]);
  });
});
