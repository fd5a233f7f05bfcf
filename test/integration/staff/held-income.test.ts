import { call } from "../../../services/contracts.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { eventually } from "../../support/system.ts";
import { giftOf, settle } from "../wallet/traffic.ts";
import {
  addPerson,
  answerOf,
  bound,
  type Move,
  newUser,
  paidOrder,
  proposalRow,
  sessionOf,
  useMoneyNodes,
} from "./money-nodes.ts";

/** Anchors' income that staff holds, gives back and pays out. */

// Coins that the platform credits have no order of payment.
const nodes = useMoneyNodes({ summed: false });
let ada: string;
let bob: string;

beforeAll(async () => {
  await addPerson("ada", "finance");
  await addPerson("bob", "finance");
  [ada, bob] = [await sessionOf("ada"), await sessionOf("bob")];
});
afterEach(expectBooksBalanced);

let next = 0;
const newId = () => `held-${next++}`;
const reason = "a complaint";
const move = (session: string, one: Move) => call(nodes.caller, "staff.moveMoney", { session, move: one });
const decide = (session: string, proposalId: string) =>
  call(nodes.caller, "staff.decide", { session, proposalId, approve: true });
const income = (userId: string) => call(nodes.caller, "wallet.income", { userId });
const holdFree = (userId: string, points: number, holdId = newId(), session = ada) =>
  move(session, { kind: "holdFree", userId, points, holdId, reason });

/** An anchor with so many points of free income more, from a fan who gave twice as many coins / 100. */
async function earned(points: number, known?: string): Promise<string> {
  const [fan, anchor] = [await newUser(nodes), known ?? (await newUser(nodes))];
  const before = (await income(anchor)).incomePoints;
  const coins = points / 50;
  await call(nodes.caller, "platform.credit", { apiKey: nodes.apiKey, userId: fan, coins, externalOrderId: newId() });
  await settle(nodes.caller, [giftOf(fan, { receiverId: anchor, price: coins })]);
  await eventually("the income", async () => (await income(anchor)).incomePoints === before + points);
  return anchor;
}

describe("any free income of an anchor", () => {
  test("is held once for each id, never more than is free, and given back once", async () => {
    const [anchor, holdId] = [await earned(10_000), newId()];
    const refused = newId();
    expect(await answerOf(holdFree(anchor, 10_001, refused))).toBe("balanceShort");
    expect(await call(nodes.caller, "wallet.freeHold", { holdId: refused })).toBeNull();
    expect(await answerOf(move(ada, { kind: "releaseFree", holdId: refused, reason }))).toBe("holdState");
    for (let time = 0; time < 2; time++)
      expect(await holdFree(anchor, 7_000, holdId)).toMatchObject({
        ...{ state: "done", result: { holdId, userId: anchor, points: 7_000, state: "held" } },
      });
    expect(await answerOf(holdFree(anchor, 7_001, holdId))).toBe("idempotencyConflict");
    expect(await answerOf(holdFree(anchor, 3_001))).toBe("balanceShort");
    expect(await income(anchor)).toMatchObject({ incomePoints: 3_000, heldBackPoints: 7_000 });
    const release = () => move(bob, { kind: "releaseFree", holdId, reason });
    for (let time = 0; time < 2; time++)
      expect(await release()).toMatchObject({ state: "done", result: { holdId, state: "released" } });
    expect(await income(anchor)).toMatchObject({ incomePoints: 10_000, heldBackPoints: 0 });
    expect(await answerOf(move(ada, { kind: "releaseFree", holdId: newId(), reason }))).toBe("holdState");
  });

  test("is not held by a call that was late: who was refused stays refused when more is free", async () => {
    const [anchor, holdId] = [await earned(10_000), newId()];
    const late = { userId: anchor, points: 10_100, holdId, reason, operator: "staff:ada" };
    expect(await answerOf(holdFree(anchor, 10_100, holdId))).toBe("balanceShort");
    await earned(10_000, anchor);
    expect(await answerOf(call(nodes.staffs[0], "wallet.holdFree", late))).toBe("balanceShort");
    expect(await income(anchor)).toMatchObject({ incomePoints: 20_000, heldBackPoints: 0 });
  });

  test("is never held twice or paid out while it is held, of many at once", async () => {
    const anchor = await earned(10_000);
    const answers = await Promise.all([
      ...Array.from({ length: 6 }, () => answerOf(holdFree(anchor, 2_600))),
      ...Array.from({ length: 6 }, () =>
        answerOf(move(bob, { kind: "payout", userId: anchor, points: 2_600, payoutId: newId(), reason })),
      ),
    ]);
    expect(answers.filter((one) => one === "done")).toHaveLength(3);
    expect(await income(anchor)).toMatchObject({ incomePoints: 2_200 });
  });

  test("beyond the bound is held when another person approves, and points are rounded up to coins", async () => {
    const anchor = await earned(60_000);
    expect(await holdFree(anchor, bound * 100)).toMatchObject({ state: "done" });
    const answer = await move(bob, { kind: "payout", userId: anchor, points: 1, payoutId: newId(), reason });
    expect(answer).toMatchObject({ state: "proposed" });
    if (!("proposalId" in answer)) throw new Error("no proposal");
    expect(await answerOf(decide(bob, answer.proposalId))).toBe("ownProposal");
    expect(await decide(ada, answer.proposalId)).toMatchObject({ state: "done" });
    expect(await income(anchor)).toMatchObject({ paidOutPoints: 1, heldBackPoints: bound * 100 });
  });
});

describe("the shares of a refunded order", () => {
  test("are held and released as they were when a person asked, also above the bound", async () => {
    const [fan, first, second] = [await newUser(nodes), await newUser(nodes), await newUser(nodes)];
    const { orderId } = await paidOrder(nodes, fan);
    await settle(nodes.caller, [
      giftOf(fan, { receiverId: first, price: 200 }),
      giftOf(fan, { receiverId: second, price: 100 }),
    ]);
    await move(ada, { kind: "refund", orderId, reason });
    const affected = () => call(nodes.caller, "wallet.affectedGifts", { orderId, limit: 1, operator: "test" });
    await eventually("the refund", () => answerOf(affected()).then((answer) => answer === "done"));
    // The first anchor's account is used up, so that holding her share needs another person.
    await call(nodes.caller, "platform.countStaffMove", {
      ...{
        moveId: "6f2c1a52-6f3e-4a8e-9a39-0a3a2c5b7d11",
        key: "payout:earlier",
        moves: [{ userId: first, coins: bound }],
      },
    });
    const hold = await move(ada, { kind: "hold", orderId, reason });
    if (!("proposalId" in hold)) throw new Error("no proposal");
    expect(await move(bob, { kind: "hold", orderId, reason })).toEqual(hold);
    expect(await move(ada, { kind: "hold", orderId, anchorId: second, reason })).toMatchObject({ state: "done" });
    expect(await decide(bob, hold.proposalId)).toMatchObject({ state: "done" });
    const states = async () => new Map((await affected()).anchors.map(({ anchorId, state }) => [anchorId, state]));
    expect(await states()).toEqual(
      new Map([
        [first, "held"],
        [second, "held"],
      ]),
    );
    const release = await move(ada, { kind: "releaseHold", orderId, anchorId: first, reason });
    if (!("proposalId" in release)) throw new Error("no proposal");
    expect(await decide(bob, release.proposalId)).toMatchObject({ state: "done" });
    expect(await states()).toEqual(
      new Map([
        [first, "released"],
        [second, "held"],
      ]),
    );
    expect(await answerOf(move(ada, { kind: "hold", orderId, anchorId: first, reason }))).toBe("holdState");
    // A repeat of the hold that was carried out succeeds and holds nothing; nobody else may hold what was released.
    const moveId = (await proposalRow(hold.proposalId))?.move_id ?? "";
    const again = { orderId, anchorIds: [first], reason, operator: "staff:ada" };
    expect(await answerOf(call(nodes.staffs[0], "wallet.holdIncome", { ...again, moveId }))).toBe("done");
    expect(await answerOf(call(nodes.staffs[0], "wallet.holdIncome", again))).toBe("holdState");
    expect((await states()).get(first)).toBe("released");
  });
});
