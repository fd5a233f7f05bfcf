import { isRepaired, shownRepair } from "../../../../scripts/shown-repair.ts";
import { type FoundGate, planRepair } from "../../../../services/wallet/buckets/plan-repair.ts";
import type { GatesRepaired } from "../../../../services/wallet/buckets.contract.ts";

const map = { bucket: 1, server: "b", revision: 2 };
const open = (revision: number): FoundGate => ({ isOpen: true, revision });
const closed = (revision: number): FoundGate => ({ isOpen: false, revision });

function planned(gates: Record<string, FoundGate>, newest = 2) {
  const { steps, revision } = planRepair(map, new Map(Object.entries(gates)), newest);
  return { ...Object.fromEntries(steps), revision };
}

describe("the repair of a bucket's gates", () => {
  test("does nothing where the map's server alone is open, at the map's revision", () => {
    expect(planned({ home: closed(1), b: open(2) })).toEqual({ home: "none", b: "none", revision: 2 });
  });

  test("closes what is open elsewhere, and leaves a right gate as it is", () => {
    expect(planned({ home: open(1), b: open(2) })).toEqual({ home: "close", b: "none", revision: 2 });
  });

  test.each<[string, Record<string, FoundGate>]>([
    ["closed", { home: closed(1), b: closed(2) }],
    ["at another revision", { home: closed(1), b: open(1) }],
    ["missing", { home: closed(1), b: null }],
  ])("opens a gate that is %s at a revision that nothing has had", (_, gates) => {
    expect(planned(gates)).toEqual({ home: "none", b: "open", revision: 3 });
  });

  test("gives a new revision also where another gate or a move has one that the map did not reach", () => {
    expect(planned({ home: closed(7), b: open(2) })).toEqual({ home: "none", b: "open", revision: 8 });
    expect(planned({ home: closed(1), b: open(2) }, 5)).toEqual({ home: "none", b: "open", revision: 6 });
  });

  test("has no step for a server that could not be read", () => {
    expect(planned({ home: open(1) })).toEqual({ home: "close", revision: 3 });
  });
});

const server = (name: string, over: Partial<GatesRepaired["servers"][number]>) => ({
  ...{ name, gate: { isOpen: true, revision: 1 }, outcome: "right" as const, why: null, users: [], isCut: false },
  ...over,
});

test("a repair is shown by server, with the users that have something where they are not", () => {
  const servers = [
    server("b", { gate: null, outcome: "opened" }),
    server("home", { outcome: "closed", users: ["7", "258"], isCut: true }),
    server("c", { gate: null, outcome: "failed", why: "it is away" }),
  ];
  const text = shownRepair({ servers, revision: 3 }, 1);
  expect(text.split("\n").map((line) => line.replace(/ {2,}/g, " | "))).toEqual([
    "bucket 1 is at b by the map",
    "server | gate was | done | why",
    expect.stringMatching(/^-/),
    "b | missing | opened at 3",
    "home | open at 1 | closed",
    "c | unknown | failed | it is away",
    "users with coins, a debt or new rows at home: 7, 258; there may be more",
    expect.stringContaining("npm run verify"),
  ]);
});

test("it is done once nothing is left to close, nor to open unless it was not to be opened", () => {
  const of = (outcome: GatesRepaired["servers"][number]["outcome"], closeOnly = false) =>
    isRepaired({ servers: [server("b", { outcome }), server("home", {})], revision: 1 }, closeOnly);
  expect([of("right"), of("closed"), of("opened"), of("toOpen", true)]).toEqual([true, true, true, true]);
  expect([of("failed"), of("failed", true), of("toClose"), of("toOpen")]).toEqual([false, false, false, false]);
});
