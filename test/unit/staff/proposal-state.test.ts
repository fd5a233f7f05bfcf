import {
  coinsOfPoints,
  type Instruction,
  isOf,
  keyOf,
  onceKeyOf,
  openKeyOf,
  proposalKinds,
  rightFor,
  subjectOf,
} from "../../../services/staff/proposals/instruction.ts";
import {
  endedUnmoved,
  type ProposalState,
  proposalStates,
  stateOf,
  statesBefore,
} from "../../../services/staff/proposals/proposal-state.ts";
import type { MoneyMove } from "../../../services/staff/proposals.contract.ts";
import { roleHas } from "../../../services/staff-roles.ts";

const states = Object.keys(proposalStates) as ProposalState[];

describe("the states of a move of staff", () => {
  test("only an open one is approved, declined or expires; only an approved one is done or refused", () => {
    expect(Object.fromEntries(states.map((state) => [state, statesBefore(state).map(stateOf)]))).toEqual({
      open: [],
      approved: ["open"],
      done: ["approved"],
      refused: ["approved"],
      declined: ["open"],
      expired: ["open"],
    });
  });

  test("have their numbers, and no other number is one", () => {
    for (const state of states) expect(stateOf(proposalStates[state])).toBe(state);
    expect(() => stateOf(6)).toThrow(RangeError);
  });

  test("count for four eyes while money moved or may", () => {
    expect(states.filter((state) => !endedUnmoved(state))).toEqual(["open", "approved", "done"]);
  });
});

describe("a move of staff", () => {
  const reason = "why";
  const moves: readonly MoneyMove[] = [
    { kind: "refund", orderId: "o-1", reason },
    { kind: "release", orderId: "o-1", reason },
    { kind: "adjust", userId: "7", coins: -5, adjustId: "a-1", reason },
    { kind: "payout", userId: "7", points: 5, payoutId: "a-1", reason },
    { kind: "hold", orderId: "o-1", reason },
    { kind: "hold", orderId: "o-1", anchorId: "8", reason },
    { kind: "releaseHold", orderId: "o-1", reason },
    { kind: "holdFree", userId: "7", points: 5, holdId: "a-1", reason },
    { kind: "releaseFree", holdId: "a-1", reason },
  ];

  test("has a key of its own, for ever or while it is open, which no other move has", () => {
    const keys = moves.map((move) => [onceKeyOf(move), openKeyOf(move)]);
    for (const pair of keys) expect(pair.filter((key) => key !== null)).toHaveLength(1);
    expect(moves.map(keyOf)).toEqual(keys.map(([once, open]) => once ?? open));
    expect(new Set(keys.flat().filter((key) => key !== null)).size).toBe(moves.length);
  });

  test("of a given id is the same where user and amount are, whatever the reason", () => {
    const adjust: Instruction = { kind: "adjust", userId: "7", coins: -5, adjustId: "a-1" };
    const move: MoneyMove = { kind: "adjust", userId: "7", coins: -5, adjustId: "a-1", reason: "another" };
    expect(isOf(adjust, move)).toBe(true);
    for (const over of [{ coins: 5 }, { userId: "8" }]) expect(isOf(adjust, { ...move, ...over })).toBe(false);
    const payout: Instruction = { kind: "payout", userId: "7", points: 5, payoutId: "a-1" };
    expect(isOf(payout, { kind: "payout", userId: "7", points: 6, payoutId: "a-1", reason })).toBe(false);
    expect(isOf(payout, { kind: "payout", userId: "7", points: 5, payoutId: "a-1", reason })).toBe(true);
    expect(subjectOf(payout)).toBe("a-1");
  });

  test("counts points as coins, rounded up", () => {
    expect([1, 99, 100, 101, 2 ** 53 - 1].map(coinsOfPoints)).toEqual([1, 1, 1, 2, 90_071_992_547_410]);
  });

  test("needs a right: a viewer may move nothing, a support person refunds alone, an admin alone erases", () => {
    const allowed = (role: "viewer" | "support" | "finance" | "admin") =>
      proposalKinds.filter((kind) => roleHas(role, rightFor[kind]));
    expect(allowed("viewer")).toEqual([]);
    expect(allowed("support")).toEqual(["refund"]);
    expect(allowed("finance")).toEqual(proposalKinds.filter((kind) => kind !== "erase"));
    expect(allowed("admin")).toEqual(proposalKinds);
  });
});
