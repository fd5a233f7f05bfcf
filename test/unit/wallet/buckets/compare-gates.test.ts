import { BucketMap } from "../../../../services/wallet/buckets/bucket-map.ts";
import { compareGates, type Gate } from "../../../../services/wallet/buckets/compare-gates.ts";

const map = new BucketMap("home", [{ bucket: 1, server: "b", revision: 1 }], []);

/** Gates of home and b for two buckets; undefined: the server is away. */
function compared(home: Gate[] | undefined, b: Gate[] | undefined, moving: number[] = []) {
  const gates = new Map(Object.entries({ ...(home && { home }), ...(b && { b }) }));
  return compareGates({ map, buckets: 2, gates, moving: new Set(moving) });
}

const gate = (bucket: number, isOpen: boolean, revision: number): Gate => ({ bucket, isOpen, revision });
const right = {
  home: [gate(0, true, 0), gate(1, false, 0)],
  b: [gate(0, false, 0), gate(1, true, 1)],
};

describe("map and gates of buckets", () => {
  test("agree where each bucket is open once, on the server of the map and at its revision", () => {
    expect(compared(right.home, right.b)).toEqual([]);
  });

  test("two open gates of a bucket are the gravest, also while it moves", () => {
    const twice = [gate(0, true, 0), gate(1, true, 0)];
    for (const moving of [[], [1]])
      expect(compared(twice, right.b, moving)).toEqual([{ kind: "openTwice", bucket: 1, about: "b 1, home 0, b 1" }]);
  });

  test("an open gate on another server than the map's is one, also where that server is away", () => {
    const elsewhere = [gate(0, true, 0), gate(1, true, 0)];
    const fault = { kind: "openElsewhere", bucket: 1, about: "b 1, home 0" };
    expect(compared(elsewhere, [gate(0, false, 0), gate(1, false, 0)])).toEqual([fault]);
    expect(compared(elsewhere, undefined)).toEqual([fault]);
  });

  test("a closed bucket is one unless it moves; of a server that is away nothing is said", () => {
    const closed = [gate(0, false, 0), gate(1, false, 0)];
    expect(compared(right.home, closed)).toEqual([{ kind: "closed", bucket: 1, about: "b 1" }]);
    expect(compared(right.home, [])).toEqual([{ kind: "closed", bucket: 1, about: "b 1" }]);
    expect(compared(right.home, closed, [1])).toEqual([]);
    expect(compared(right.home, undefined)).toEqual([]);
  });

  test("another revision than the map's is one: nobody may write there", () => {
    const other = [gate(0, false, 0), gate(1, true, 2)];
    expect(compared(right.home, other)).toEqual([{ kind: "revision", bucket: 1, about: "b 1, b 2" }]);
  });
});
