import { setTimeout as pause } from "node:timers/promises";
import type { ServiceBroker, ServiceSchema } from "moleculer";
import { databaseName } from "../../../config/config.ts";
import { archivedRecords } from "../../../services/archived-tables.ts";
import { call } from "../../../services/contracts.ts";
import giftService from "../../../services/gift/gift.service.ts";
import rank from "../../../services/rank/rank.service.ts";
import { startNode, stopAll } from "../../support/system.ts";
import { TestMover } from "../auditor/archiving.ts";
import { Books, ended, gift, newId, verified } from "./records.ts";

/** Ranks and results of battles are made again from the records of all months, while these are moved too. */

jest.setTimeout(60_000);

let books: Books;
let caller: ServiceBroker;
let mover: TestMover;
const day = 24 * 3_600_000;
const [anchor, room] = [String(newId()), newId()];
const begin = Date.now() - 40 * day;
const at = (n: number) => new Date(begin + n * 1_000).toISOString();

beforeAll(async () => {
  const settings = { ...rank.settings, jobLeaseMs: 2_000, secondLookMs: 100 } as object;
  await startNode("gift", [giftService]);
  caller = await startNode("caller", []);
  await caller.waitForServices(["gift"]);
  books = await Books.open();
  const old = Array.from({ length: 60 }, (_, n) =>
    gift({
      receiverId: anchor,
      roomId: room,
      count: 1 + n,
      time: at(n),
      ...(n % 10 === 0 ? { status: "failed" } : {}),
    }),
  );
  // Segments end between INSERTs, which are told apart by their milliseconds.
  for (let from = 0; from < old.length; from += 6) {
    await books.record(old.slice(from, from + 6));
    await pause(5);
  }
  await startNode("rank", [{ ...rank, settings } as ServiceSchema]);
  await caller.waitForServices(["rank"]);
  await ended(caller, "rebuild");
  mover = new TestMover(archivedRecords, { segmentRows: 20, sliceRows: 7 });
});
afterAll(async () => {
  await mover?.close();
  await books?.close();
  await stopAll();
});

/** What the battle service asks for to compare a result. */
const totals = () =>
  call(caller, "gift.totals", {
    ...{ sides: [{ roomId: room, receiverId: anchor }], from: at(5), until: at(50), without: ["order-nobody"] },
    topSenders: true,
  });

const archived = async () => {
  const [rows] = await books.database.query(`SELECT COUNT(*) AS n FROM ${databaseName("gift")}.t_gift_record_archive`);
  return Number((rows as { n: string }[])[0]?.n);
};

test("sums of a battle's span are the same before its records are moved, between two slices, and afterwards", async () => {
  const before = await totals();
  expect(before.sides[0]?.gifts).toBe(41);
  await mover.until("emptying");
  expect([await archived(), await totals()]).toEqual([expect.any(Number), before]);
  expect(await archived()).toBeGreaterThan(0);
  await mover.until("emptying");
  expect(await totals()).toEqual(before);
  await mover.until("closed");
  expect(await totals()).toEqual(before);
});

test("ranks are verified, and counted anew to the same sums, from archived and hot records", async () => {
  await mover.until("emptying");
  const found = await verified(caller);
  expect([found.state, found.differences, found.shown]).toEqual(["done", 0, []]);
  await call(caller, "rank.rebuild", { anew: true });
  expect(await ended(caller, "rebuild")).toMatchObject({ state: "done", gifts: 60, counted: 60 });
  await mover.until("nothing");
  const afterwards = await verified(caller);
  expect([afterwards.state, afterwards.differences]).toEqual(["done", 0]);
  // More than two segments; the newest INSERT is never moved.
  expect(await archived()).toBeGreaterThan(40);
});
