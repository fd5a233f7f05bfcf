import { fail } from "../../../broker/failure.ts";
import type { MysqlState } from "../../../mixins/mysql.mixin.ts";
import { call, type ParamsOf, type ResultOf } from "../../../services/contracts.ts";
import { purgeStaffMoves } from "../../../services/platform/money/moved-store.ts";
import { carryOut } from "../../../services/staff/proposals/carry-out.ts";
import { proposalStates } from "../../../services/staff/proposals/proposal-state.ts";
import { decideProposal, proposalById } from "../../../services/staff/proposals/proposal-store.ts";
import type { ProposalsState } from "../../../services/staff/proposals/proposals-state.ts";
import { expectBooksBalanced } from "../../support/books.ts";
import { eventually } from "../../support/system.ts";
import { expectOrdersAndLedgersAgree } from "../../support/whole-books.ts";
import { statusOf } from "../payment/provider-nodes.ts";
import { change, tradesOf } from "../platform/money-books.ts";
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

/** What persons of the staff move, and who must approve it, over two nodes of the staff service. */

const nodes = useMoneyNodes();

/** Sessions of finance persons ada and bob, of the support person sam, and of the viewer vera. */
let ada: string;
let bob: string;
let sam: string;
let vera: string;

beforeAll(async () => {
  await addPerson("ada", "finance");
  await addPerson("bob", "finance");
  await addPerson("sam", "support");
  await addPerson("vera", "viewer");
  [ada, bob, sam, vera] = (await Promise.all(["ada", "bob", "sam", "vera"].map(sessionOf))) as [
    string,
    string,
    string,
    string,
  ];
});
afterEach(async () => {
  await expectBooksBalanced();
  await expectOrdersAndLedgersAgree();
});

let next = 0;
const newId = () => `by-hand-${next++}`;
const reason = "a complaint";
const on = (at: number) => ({ nodeID: nodes.staffs[at % 2 === 0 ? 0 : 1].nodeID });
const move = (session: string, one: Move, at = 0) =>
  call(nodes.caller, "staff.moveMoney", { session, move: one }, on(at));
const adjust = (session: string, userId: string, coins: number, at = 0, adjustId = newId()) =>
  move(session, { kind: "adjust", userId, coins, adjustId, reason }, at);
const refund = (session: string, orderId: string, at = 0) => move(session, { kind: "refund", orderId, reason }, at);
const decide = (session: string, proposalId: string, approve = true, at = 0) =>
  call(nodes.caller, "staff.decide", { session, proposalId, approve, reason: "looked at" }, on(at));
const keyAdjust = (params: Omit<ParamsOf<"platform.adjust">, "apiKey" | "reason">) =>
  call(nodes.caller, "platform.adjust", { apiKey: nodes.apiKey, reason, ...params });
const balanceOf = async (userId: string) => (await call(nodes.caller, "wallet.balance", { userId })).balance;
const list = (session: string, over: Partial<ParamsOf<"staff.proposals">> = {}) =>
  call(nodes.caller, "staff.proposals", { session, limit: 50, ...over });
const staffOn = (at: 0 | 1) => nodes.staffs[at].getLocalService("staff") as unknown as ProposalsState;

type Answer = ResultOf<"staff.moveMoney">;
const idOf = (answer: Answer): string => {
  if (!("proposalId" in answer)) throw new Error(`no proposal: ${JSON.stringify(answer)}`);
  return answer.proposalId;
};
/** An adjustment above the bound, by ada. */
const proposed = async (userId: string, coins = bound + 1) => idOf(await adjust(ada, userId, coins));

describe("a move below the bound", () => {
  test("is carried out at once, and a repeat gets the first outcome on every node", async () => {
    const userId = await newUser(nodes);
    const [adjustId, answer] = [newId(), { state: "done", result: { userId, balanceAfter: 200 } }];
    for (const at of [0, 1, 0]) expect(await adjust(ada, userId, 200, at, adjustId)).toEqual(answer);
    expect(await answerOf(adjust(bob, userId, 201, 0, adjustId))).toBe("idempotencyConflict");
    expect(await tradesOf(userId)).toEqual([[3, 200]]);
    const [row] = (await list(vera, { subject: adjustId })).list;
    expect(row).toMatchObject({ kind: "adjust", coins: 200, state: "done", proposedBy: "ada", mayDecide: false });
  });

  test("whose row the database shows only later is not refused, and is moved once under its id", async () => {
    const [userId, adjustId] = [await newUser(nodes), newId()];
    const { mysql } = staffOn(0);
    const query = mysql.query.bind(mysql);
    const blind = jest
      .spyOn(mysql, "query")
      .mockImplementation(((sql: string, params: never) =>
        sql.includes("WHERE p.id = ?") ? Promise.resolve([]) : query(sql, params)) as typeof mysql.query);
    const answer = await answerOf(adjust(ada, userId, 7, 0, adjustId)).finally(() => blind.mockRestore());
    expect(answer).toBe("unavailable");
    expect(await adjust(ada, userId, 7, 0, adjustId)).toMatchObject({ state: "done" });
    expect(await balanceOf(userId)).toBe(7);
  });

  test("that is asked for many times at once is one move, and its attempts do not add up to a proposal", async () => {
    const userId = await newUser(nodes);
    const adjustId = newId();
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => adjust(ada, userId, 400, at, adjustId)));
    for (const answer of answers) expect(answer).toEqual({ state: "done", result: { userId, balanceAfter: 400 } });
    expect(await tradesOf(userId)).toEqual([[3, 400]]);
    expect(await adjust(ada, userId, 100)).toMatchObject({ state: "done" });
  });

  test("that is refused moves nothing, keeps its outcome and counts no longer", async () => {
    const userId = await newUser(nodes);
    const adjustId = newId();
    for (const at of [0, 1]) expect(await answerOf(adjust(ada, userId, -400, at, adjustId))).toBe("balanceShort");
    expect(await adjust(bob, userId, 450)).toMatchObject({ state: "done" });
    expect(await answerOf(adjust(ada, userId, -400, 0, adjustId))).toBe("balanceShort");
    expect(await balanceOf(userId)).toBe(450);
  });

  test("that is done stays done and counts, also where an attempt is refused after it", async () => {
    const userId = await newUser(nodes);
    const adjustId = newId();
    const answer = await adjust(ada, userId, 400, 0, adjustId);
    const [row] = (await list(vera, { subject: adjustId })).list;
    const proposal = await proposalById(staffOn(0).mysql, row?.proposalId.slice(1) ?? "");
    if (!proposal) throw new Error("no proposal");
    const [staff] = nodes.staffs;
    const late = {
      // The services have moved on meanwhile, and refuse the repeat.
      call: (name: string, params: unknown) =>
        name === "platform.adjustByStaff" ? Promise.reject(fail("balanceShort")) : staff.call(name, params),
    };
    expect(await staffOn(0).proposals.carryOut(late as typeof staff, proposal)).toMatchObject(answer);
    expect(await proposalRow(`s${proposal.id}`)).toMatchObject({ state: proposalStates.done, counted: 1 });
    expect(await adjust(bob, userId, bound - 399)).toMatchObject({ state: "proposed" });
  });

  test("of many that ask for one refund at once is one refund", async () => {
    const { orderId, userId, ...order } = await paidOrder(nodes, await newUser(nodes));
    const answers = await Promise.all(Array.from({ length: 8 }, (_, at) => answerOf(refund(sam, orderId, at))));
    // Who asks again gets the outcome, since an answer may be lost; another person hears how the order is.
    expect(new Set(answers)).toEqual(new Set(["done"]));
    expect(await refund(sam, orderId, 1)).toMatchObject({ state: "done", result: { orderId, status: 5 } });
    expect(await answerOf(refund(ada, orderId))).toBe("payOrderState");
    await change(
      "staff",
      `UPDATE t_staff_proposal_state SET update_time = update_time - INTERVAL 1 HOUR
       WHERE proposal_id IN (SELECT id FROM t_staff_proposal WHERE subject = ?)`,
      [orderId],
    );
    expect(await answerOf(refund(sam, orderId))).toBe("payOrderState");
    expect(await statusOf(nodes.providers, { orderId, userId, ...order })).toBe(5);
    await eventually("the coins are gone", async () => (await balanceOf(userId)) === 0);
    expect(await tradesOf(userId)).toEqual([
      [1, 300],
      [2, -300],
    ]);
  });

  test("needs the right and a session: a viewer, a support person, and nobody move nothing", async () => {
    const userId = await newUser(nodes);
    for (const session of [vera, sam]) expect(await answerOf(adjust(session, userId, 1))).toBe("roleMissing");
    expect(await answerOf(adjust("nobody's", userId, 1))).toBe("notLoggedIn");
    expect(await answerOf(decide(sam, await proposed(userId)))).toBe("roleMissing");
    expect(await answerOf(adjust(ada, "123456789", 1))).toBe("userUnknown");
    expect(await balanceOf(userId)).toBe(0);
  });
});

describe("the bound of an account", () => {
  test("cannot be split over two persons and two kinds", async () => {
    const userId = await newUser(nodes);
    const { orderId } = await paidOrder(nodes, userId);
    expect(await adjust(ada, userId, 201)).toMatchObject({ state: "done" });
    // 300 coins more are beyond it, whoever asks.
    const answer = await refund(sam, orderId, 1);
    expect(answer).toMatchObject({ state: "proposed", expiresTime: expect.stringMatching(/^20/) });
    expect(await refund(bob, orderId)).toEqual(answer);
    // What is open counts too.
    expect(await adjust(bob, userId, -1)).toMatchObject({ state: "proposed" });
    expect(await balanceOf(userId)).toBe(501);
  });

  test("cannot be split over staff and API keys, in either order", async () => {
    const [first, second] = [await newUser(nodes), await newUser(nodes)];
    await keyAdjust({ userId: first, coins: 300, writeId: newId() });
    expect(await adjust(ada, first, -201)).toMatchObject({ state: "proposed" });
    expect(await adjust(ada, second, 300)).toMatchObject({ state: "done" });
    expect(await keyAdjust({ userId: second, coins: -201, writeId: newId() })).toMatchObject({ state: "proposed" });
    expect([await balanceOf(first), await balanceOf(second)]).toEqual([300, 300]);
  });

  test("holds for many at once on two nodes, of staff and API keys", async () => {
    const userId = await newUser(nodes);
    const answers = await Promise.all([
      ...Array.from({ length: 8 }, (_, at) => adjust(at % 3 ? ada : bob, userId, 130, at)),
      ...Array.from({ length: 8 }, () => keyAdjust({ userId, coins: 130, writeId: newId() })),
    ]);
    const moved = answers.filter((one) => ("state" in one ? one.state === "done" : true)).length;
    // Open ones of staff count too, so it may be less than three; never more.
    expect(moved).toBeLessThanOrEqual(3);
    expect(await balanceOf(userId)).toBe(moved * 130);
    const other = await newUser(nodes);
    const byStaff = await Promise.all(Array.from({ length: 8 }, (_, at) => adjust(at % 3 ? ada : bob, other, 130, at)));
    expect(byStaff.filter(({ state }) => state === "done")).toHaveLength(3);
    expect(await balanceOf(other)).toBe(390);
  });

  test("is of 24 hours: what was moved before does not count", async () => {
    const userId = await newUser(nodes);
    await adjust(ada, userId, bound);
    expect(await adjust(ada, userId, 1)).toMatchObject({ state: "proposed" });
    await change(
      "platform",
      "UPDATE t_money_staff_move SET create_time = create_time - INTERVAL 86401 SECOND WHERE user_id = ?",
      [userId],
    );
    expect(await adjust(bob, userId, bound)).toMatchObject({ state: "done" });
  });
});

describe("a proposal", () => {
  test("that is approved late counts for 24 hours from its approval", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    const late = "UPDATE t_money_staff_move SET create_time = create_time - INTERVAL 71 HOUR WHERE user_id = ?";
    await change("platform", late, [userId]);
    await purgeStaffMoves((nodes.platformNode.getLocalService("platform") as unknown as MysqlState).mysql);
    expect(await decide(bob, proposalId)).toMatchObject({ state: "done" });
    expect(await adjust(bob, userId, 1)).toMatchObject({ state: "proposed" });
  });

  test("that two approve at once on two nodes moves its money once, and a repeat gets the state", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    await addPerson("carol", "admin");
    const carol = await sessionOf("carol");
    const answers = await Promise.all(
      Array.from({ length: 12 }, (_, at) => decide(at % 3 ? bob : carol, proposalId, true, at)),
    );
    for (const { state } of answers) expect(["approved", "done"]).toContain(state);
    expect(await decide(bob, proposalId)).toEqual({ proposalId, state: "done", refusal: null });
    expect(await decide(bob, proposalId, false)).toEqual({ proposalId, state: "done", refusal: null });
    expect(await tradesOf(userId)).toEqual([[3, bound + 1]]);
  });

  test("is never decided on by its own person, by another session or with another role", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    const other = await sessionOf("ada");
    expect(await answerOf(decide(ada, proposalId))).toBe("ownProposal");
    expect(await answerOf(decide(other, proposalId, true, 1))).toBe("ownProposal");
    await change("staff", "UPDATE t_staff_person SET role = 'admin' WHERE name = 'ada'");
    try {
      expect(await answerOf(decide(other, proposalId))).toBe("ownProposal");
      expect(await answerOf(decide(await sessionOf("ada"), proposalId, false))).toBe("ownProposal");
    } finally {
      await change("staff", "UPDATE t_staff_person SET role = 'finance' WHERE name = 'ada'");
    }
    const mayDecide = async (session: string) =>
      (await list(session, { open: true })).list.find((one) => one.proposalId === proposalId)?.mayDecide;
    expect([await mayDecide(ada), await mayDecide(bob), await mayDecide(sam)]).toEqual([false, true, false]);
    expect(await balanceOf(userId)).toBe(0);
  });

  test("is not decided on by who gave its person the last setup code, nor by who got theirs from its person", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    await addPerson("eve", "finance");
    const eve = await sessionOf("eve");
    const setUp = (name: string, by: string | null) =>
      change("staff", "UPDATE t_staff_person SET setup_by = ? WHERE name = ?", [by, name]);
    const mayDecide = async () =>
      (await list(eve, { open: true })).list.find((one) => one.proposalId === proposalId)?.mayDecide;
    try {
      for (const [name, by] of [
        ["eve", "staff:ada"],
        ["ada", "staff:eve"],
      ] as const) {
        await setUp(name, by);
        expect(await mayDecide()).toBe(false);
        for (const approve of [true, false])
          expect(await answerOf(decide(eve, proposalId, approve))).toBe("ownProposal");
        await setUp(name, null);
      }
      expect(await balanceOf(userId)).toBe(0);
      // Others who are set up by the same person, or at a console, are others.
      for (const name of ["ada", "eve"]) await setUp(name, "staff:carol");
      expect(await mayDecide()).toBe(true);
      await setUp("eve", "console:ada");
      expect(await decide(eve, proposalId)).toMatchObject({ state: "done" });
    } finally {
      await setUp("ada", null);
    }
  });

  test("that is declined moves nothing and counts no longer; nobody approves it afterwards", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    const answers = await Promise.all(Array.from({ length: 6 }, (_, at) => decide(bob, proposalId, false, at)));
    for (const answer of answers) expect(answer).toEqual({ proposalId, state: "declined", refusal: null });
    expect(await decide(bob, proposalId)).toMatchObject({ state: "declined" });
    expect(await adjust(ada, userId, bound)).toMatchObject({ state: "done" });
    expect(await tradesOf(userId)).toEqual([[3, bound]]);
  });

  test("expires when nobody decides, moves nothing and counts no longer", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    await change("staff", "UPDATE t_staff_proposal_state SET expires_time = UTC_TIMESTAMP(3) WHERE proposal_id = ?", [
      proposalId.slice(1),
    ]);
    // Nobody can approve it from then on, also before the job has been there.
    expect((await decide(bob, proposalId)).state).not.toBe("done");
    await eventually("it has expired", async () => (await proposalRow(proposalId))?.state === proposalStates.expired);
    await eventually("it counts no longer", async () => Number((await proposalRow(proposalId))?.counted) === 0);
    expect(await adjust(ada, userId, bound)).toMatchObject({ state: "done" });
    expect(await balanceOf(userId)).toBe(bound);
  });

  test("of a person who was disabled meanwhile can be approved, and declined", async () => {
    const userId = await newUser(nodes);
    await addPerson("dan", "finance");
    const dan = await sessionOf("dan");
    const [first, second] = [idOf(await adjust(dan, userId, 600)), idOf(await adjust(dan, userId, 700))];
    await change("staff", "UPDATE t_staff_person SET state = 'disabled' WHERE name = 'dan'");
    expect(await answerOf(adjust(dan, userId, 1))).toBe("notLoggedIn");
    expect(await decide(bob, first)).toMatchObject({ state: "done" });
    expect(await decide(bob, second, false)).toMatchObject({ state: "declined" });
    expect(await balanceOf(userId)).toBe(600);
  });

  test("whose node died after the approval is finished by another node", async () => {
    const userId = await newUser(nodes);
    const proposalId = await proposed(userId);
    const { mysql } = staffOn(0);
    // What the node did before it died.
    await decideProposal(mysql, proposalId.slice(1), "approved", { person: "bob", reason: null });
    await mysql.run("UPDATE t_staff_proposal_state SET next_try_time = UTC_TIMESTAMP(3) WHERE proposal_id = ?", [
      proposalId.slice(1),
    ]);
    await eventually("it is done", async () => (await proposalRow(proposalId))?.state === proposalStates.done);
    expect(await tradesOf(userId)).toEqual([[3, bound + 1]]);
  });

  test("that is approved is carried out, also while nothing can be taken off the sums", async () => {
    const [first, second] = [await newUser(nodes), await newUser(nodes)];
    const [expiring, approved] = [await proposed(first), await proposed(second)];
    const { mysql } = staffOn(0);
    await decideProposal(mysql, approved.slice(1), "approved", { person: "bob", reason: null });
    const hanging = Promise.withResolvers<boolean>();
    const hang = ([0, 1] as const).map((at) =>
      jest.spyOn(staffOn(at).proposals, "stopCounting").mockReturnValue(hanging.promise),
    );
    try {
      await mysql.run(
        `UPDATE t_staff_proposal_state SET expires_time = UTC_TIMESTAMP(3),
           next_try_time = IF(state = ?, UTC_TIMESTAMP(3), next_try_time) WHERE proposal_id IN (?)`,
        [proposalStates.approved, [expiring.slice(1), approved.slice(1)]],
      );
      await eventually("it is done", async () => (await proposalRow(approved))?.state === proposalStates.done);
    } finally {
      for (const spy of hang) spy.mockRestore();
      hanging.resolve(false);
    }
    await eventually("the other counts no longer", async () => Number((await proposalRow(expiring))?.counted) === 0);
    expect([await balanceOf(first), await balanceOf(second)]).toEqual([0, bound + 1]);
  });

  test("whose node died after its refund is done, not refused, and moved its money once", async () => {
    const userId = await newUser(nodes);
    await adjust(ada, userId, 201);
    const { orderId } = await paidOrder(nodes, userId, 201);
    const proposalId = idOf(await refund(ada, orderId));
    const { mysql } = staffOn(0);
    await decideProposal(mysql, proposalId.slice(1), "approved", { person: "bob", reason: null });
    const proposal = await proposalById(mysql, proposalId.slice(1));
    if (!proposal) throw new Error("no proposal");
    const { instruction } = proposal;
    if (instruction.kind === "erase") throw new Error("no move of money");
    expect(await carryOut(nodes.staffs[0], { ...proposal, instruction })).toMatchObject({ orderId, status: 5 });
    await mysql.run("UPDATE t_staff_proposal_state SET next_try_time = UTC_TIMESTAMP(3) WHERE proposal_id = ?", [
      proposalId.slice(1),
    ]);
    await eventually("it has ended", async () => (await proposalRow(proposalId))?.state !== proposalStates.approved);
    expect(await proposalRow(proposalId)).toMatchObject({ state: proposalStates.done, refusal: null });
    await eventually("the coins are gone", async () => (await balanceOf(userId)) === 201);
  });

  test("of a refund is carried out when it is approved; of one that was refunded meanwhile it ends as refused", async () => {
    const userId = await newUser(nodes);
    await adjust(ada, userId, 400);
    const [first, second] = [await paidOrder(nodes, userId, 400), await paidOrder(nodes, userId, 700)];
    const proposals = [idOf(await refund(ada, first.orderId)), idOf(await refund(sam, second.orderId))] as const;
    await call(nodes.caller, "payment.refund", { orderId: second.orderId, reason: "elsewhere", operator: "provider" });
    expect(await decide(bob, proposals[0])).toMatchObject({ state: "done" });
    expect(await decide(bob, proposals[1])).toEqual({
      ...{ proposalId: proposals[1], state: "refused", refusal: "payOrderState" },
    });
    const [row] = (await list(vera, { subject: second.orderId })).list;
    expect(row).toMatchObject({ kind: "refund", coins: 300, state: "refused", decidedBy: "bob", userId });
    await eventually("both are taken back once", async () => (await balanceOf(userId)) === 400);
  });
});

describe("a proposal of an API key", () => {
  const propose = async (userId: string, writeId = newId()) => {
    const answer = await keyAdjust({ userId, coins: bound + 7, writeId });
    if (!("proposalId" in answer)) throw new Error("no proposal");
    return { writeId, proposalId: `p${answer.proposalId}` };
  };

  test("is listed with those of staff, approved once by a person, and its write gets the balance then", async () => {
    const userId = await newUser(nodes);
    const { proposalId, writeId } = await propose(userId);
    const { list: open } = await list(sam, { open: true });
    expect(open[0]).toMatchObject({
      ...{ proposalId, kind: "platformAdjust", userId, subject: writeId, coins: bound + 7, state: "open" },
      ...{ proposedBy: `key:${nodes.apiKey.split("_")[1]}`, mayDecide: false },
    });
    expect(await answerOf(decide(sam, proposalId))).toBe("roleMissing");
    const answers = await Promise.all(
      Array.from({ length: 8 }, (_, at) => decide(at % 2 ? ada : bob, proposalId, true, at)),
    );
    for (const { state } of answers) expect(["approved", "done"]).toContain(state);
    await eventually("it is done", async () => (await decide(ada, proposalId)).state === "done");
    expect(await tradesOf(userId)).toEqual([[3, bound + 7]]);
    expect(await keyAdjust({ userId, coins: bound + 7, writeId })).toEqual({ userId, balanceAfter: bound + 7 });
    expect((await list(bob)).list.find((one) => one.proposalId === proposalId)).toMatchObject({
      ...{ state: "done", decidedBy: expect.stringMatching(/^(ada|bob)$/), decisionReason: "looked at" },
    });
  });

  test("is not decided on by who made the key, nor by who is too near to them", async () => {
    const userId = await newUser(nodes);
    const { proposalId } = await propose(userId);
    const keyId = nodes.apiKey.split("_")[1];
    const madeBy = (operator: string) =>
      change("platform", "UPDATE t_api_key SET created_by = ? WHERE key_id = ?", [operator, keyId]);
    const setUpBy = (operator: string | null) =>
      change("staff", "UPDATE t_staff_person SET setup_by = ? WHERE name = 'bob'", [operator]);
    const mayDecide = async (session: string) =>
      (await list(session, { open: true })).list.find((one) => one.proposalId === proposalId)?.mayDecide;
    try {
      await madeBy("staff:bob");
      expect([await mayDecide(ada), await mayDecide(bob)]).toEqual([true, false]);
      for (const approve of [true, false]) expect(await answerOf(decide(bob, proposalId, approve))).toBe("ownProposal");
      await madeBy("staff:eve");
      await setUpBy("staff:eve");
      expect(await mayDecide(bob)).toBe(false);
      expect(await answerOf(decide(bob, proposalId))).toBe("ownProposal");
      // Who sets people up at a console may make their keys there too.
      await madeBy("console:eve");
      await setUpBy("console:eve");
      expect(await mayDecide(bob)).toBe(true);
      expect(await balanceOf(userId)).toBe(0);
      await madeBy("staff:bob");
      await eventually("it is done", async () => (await decide(ada, proposalId)).state === "done");
    } finally {
      await setUpBy(null);
      await madeBy("alice");
    }
  });

  test("that is declined moves nothing; pages have every proposal once", async () => {
    const userId = await newUser(nodes);
    const { proposalId, writeId } = await propose(userId);
    expect(await decide(ada, proposalId, false)).toEqual({ proposalId, state: "declined", refusal: null });
    expect(await decide(bob, proposalId)).toMatchObject({ state: "declined" });
    expect(await keyAdjust({ userId, coins: bound + 7, writeId })).toMatchObject({ state: "declined" });
    expect(await balanceOf(userId)).toBe(0);
    const all = (await list(ada)).list.map((one) => one.proposalId);
    const paged: string[] = [];
    for (let cursor: string | undefined = "-"; cursor !== undefined; ) {
      const page: ResultOf<"staff.proposals"> = await list(ada, { limit: 2, cursor });
      paged.push(...page.list.map((one) => one.proposalId));
      cursor = page.nextCursor ?? undefined;
    }
    expect(paged).toEqual(all);
    expect(new Set(paged.map((id) => id[0]))).toEqual(new Set(["s", "p"]));
  });

  test("whose row was changed in the database cannot be approved", async () => {
    const userId = await newUser(nodes);
    const { proposalId } = await propose(userId);
    const amount = (coins: number) =>
      change("platform", "UPDATE t_money_order SET amount = ? WHERE id = ?", [coins, proposalId.slice(1)]);
    await amount(9_000_000);
    expect(await answerOf(decide(bob, proposalId))).toBe("unavailable");
    await amount(bound + 7);
    expect(await decide(bob, proposalId, false)).toMatchObject({ state: "declined" });
    expect(await balanceOf(userId)).toBe(0);
  });

  test("has no id that staff's adjustments have", async () => {
    const userId = await newUser(nodes);
    expect(await answerOf(keyAdjust({ userId, coins: 1, writeId: "staff:s1" }))).toBe("invalidParam");
  });
});
