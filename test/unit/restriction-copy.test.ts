import { RestrictionCopy } from "../../services/restriction-copy.ts";
import type { RestrictionFact } from "../../services/user/restrictions.contract.ts";

let ids = 0;
const fact = (more: Partial<RestrictionFact> = {}): RestrictionFact => ({
  ...{ restrictionId: String(++ids), userId: "7", kind: "mute" as const, roomId: null, until: null, lifted: false },
  ...more,
});
const hour = 3_600_000;

function copyAt(databaseMs = Date.now()) {
  const copy = new RestrictionCopy();
  copy.setClock(databaseMs);
  return copy;
}

test("a mute everywhere holds in every room, one in a room in it alone; a mute is no ban", () => {
  const copy = copyAt();
  copy.apply(fact());
  copy.apply(fact({ userId: "8", roomId: 5 }));
  expect([copy.muteOf("7", 5), copy.muteOf("7", 6)]).toEqual([{ until: null }, { until: null }]);
  expect([copy.muteOf("8", 5), copy.muteOf("8", 6), copy.muteOf("9", 5)]).toEqual([
    { until: null },
    undefined,
    undefined,
  ]);
  expect([copy.isBanned("7"), copy.isBanned("8", 5)]).toEqual([false, false]);
});

test("a ban in a room is none elsewhere, and none everywhere", () => {
  const copy = copyAt();
  copy.apply(fact({ kind: "ban", roomId: 5 }));
  expect([copy.isBanned("7", 5), copy.isBanned("7", 6), copy.isBanned("7")]).toEqual([true, false, false]);
  copy.apply(fact({ kind: "ban" }));
  expect([copy.isBanned("7", 6), copy.isBanned("7")]).toEqual([true, true]);
});

test("of several the one that ends last counts, and one for ever is the last", () => {
  const copy = copyAt();
  const now = Date.now();
  copy.apply(fact({ until: now + 2 * hour }));
  copy.apply(fact({ until: now + hour, roomId: 5 }));
  expect(copy.muteOf("7", 5)).toEqual({ until: now + 2 * hour });
  const forEver = fact({ roomId: 5 });
  copy.apply(forEver);
  expect([copy.muteOf("7", 5), copy.muteOf("7", 6)]).toEqual([{ until: null }, { until: now + 2 * hour }]);
  copy.apply({ ...forEver, lifted: true });
  expect(copy.muteOf("7", 5)).toEqual({ until: now + 2 * hour });
});

test("the time of the database decides, not the clock of the node", () => {
  const databaseMs = Date.now() + 10 * hour;
  const copy = copyAt(databaseMs);
  copy.apply(fact({ kind: "ban", until: databaseMs - 1 }));
  expect([copy.isBanned("7"), copy.size]).toEqual([false, 0]);
  copy.apply(fact({ kind: "ban", until: databaseMs + hour }));
  expect(copy.isBanned("7")).toBe(true);
  copy.setClock(databaseMs + hour);
  expect(copy.isBanned("7")).toBe(false);
});

test("a fact that comes many times is held once, and is dropped when it is lifted or over", () => {
  const copy = copyAt();
  const [one, other] = [fact(), fact({ until: Date.now() + hour })];
  for (const each of [one, other, one, other]) copy.apply(each);
  expect(copy.size).toBe(2);
  copy.apply({ ...one, lifted: true });
  copy.apply({ ...one, lifted: true });
  expect(copy.size).toBe(1);
  copy.dropExpired(Date.now() + hour - 1_000);
  expect(copy.size).toBe(1);
  copy.dropExpired(Date.now() + hour + 1_000);
  expect(copy.size).toBe(0);
});

test("what a read of everything does not bring is not in force any more; what comes meanwhile is", () => {
  const copy = copyAt();
  const [kept, lost, meanwhile] = [fact({ userId: "7" }), fact({ userId: "8" }), fact({ userId: "9" })];
  copy.apply(kept);
  copy.apply(lost);
  copy.beginAll();
  copy.apply(kept);
  copy.apply(meanwhile);
  copy.endAll();
  const held = ["7", "8", "9"].map((userId) => copy.muteOf(userId, 1) !== undefined);
  expect([held, copy.size]).toEqual([[true, false, true], 2]);
});

test("a ban is told once, when it becomes known; a mute, a repeat and one that is over are not", () => {
  const copy = copyAt();
  const told: unknown[] = [];
  copy.onBan = (...ban) => told.push(ban);
  const ban = fact({ kind: "ban", roomId: 5 });
  copy.apply(ban);
  copy.apply(ban);
  copy.apply(fact());
  copy.apply(fact({ kind: "ban", until: Date.now() - hour }));
  copy.apply(fact({ kind: "ban", userId: "8" }));
  expect(told).toEqual([
    ["7", 5],
    ["8", null],
  ]);
});
