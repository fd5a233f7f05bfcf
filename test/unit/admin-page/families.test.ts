/** Texts whose keys are put together of a name of the server: each name has one, and no text is of a name that is none. */

import { stepNames, stepStates } from "../../../services/admin-gateway/story/story.ts";
import { parkedReasons } from "../../../services/payment/order.ts";
import { differenceKinds } from "../../../services/payment/payment.contract.ts";
import * as providers from "../../../services/payment/providers/registry.ts";
import { letterDecision } from "../../../services/staff/dead-letters.contract.ts";
import { proposalStates } from "../../../services/staff/proposals/proposal-state.ts";
import { moneyMove } from "../../../services/staff/proposals.contract.ts";

const { strings } = require("../../../admin-page/js/strings.js") as { strings: Record<string, unknown> };
const { STEPS, stepWord, valueWord } = require("../../../admin-page/js/story-words.js") as {
  STEPS: readonly string[];
  stepWord(step: { what: string; service: string }): string | undefined;
  valueWord(what: string, name: string, value: string | number): string | undefined;
};

const states = Object.keys(proposalStates);
const without = (...names: string[]) => states.filter((state) => !names.includes(state));
const kinds = moneyMove.options.map(({ shape }) => shape.kind.value);
const channels = Object.values(providers);

describe("the texts of a family are those of the server's names", () => {
  test.each([
    ["proposalState", states],
    // What a decision finds, and what comes too late to decline.
    ["approved", without("open")],
    ["tooLate", without("open", "declined")],
    // What became of a move by its id; done is answered with what was done, refused is a failure.
    ["moved", without("open", "done", "refused")],
    ["moveKind", kinds],
    ["does", [...kinds, "adjustTake", "platformAdjust", "platformAdjustTake", "eraseGiveUp"]],
    ["channel", ["wallet", ...channels.map(({ name }) => name)]],
    ["stepState", [...stepStates]],
    ["step", [...stepNames, "notification", "coinsTaken"]],
    ["mark", [...parkedReasons, "neverCredited"]],
    ["difference", [...differenceKinds]],
  ])("%s_", (family, names) => {
    const own = Object.keys(strings).filter((key) => key.startsWith(`${family}_`));
    expect(own.sort()).toEqual(names.map((name) => `${family}_${name}`).sort());
  });
});

describe("a story in words", () => {
  test("has every step, and tells the sides of two services apart", () => {
    expect([...STEPS].sort()).toEqual([...stepNames].sort());
    for (const what of stepNames) expect(strings).toHaveProperty(stepWord({ what, service: "payment" }) as string);
    expect(stepWord({ what: "notice", service: "payment" })).toBe("step_notice");
    expect(stepWord({ what: "notice", service: "notification" })).toBe("step_notification");
    expect(stepWord({ what: "refunded", service: "payment" })).toBe("step_refunded");
    expect(stepWord({ what: "refunded", service: "wallet" })).toBe("step_coinsTaken");
    expect(stepWord({ what: "toString", service: "payment" })).toBeUndefined();
  });

  test.each([
    ...channels.map(({ name, payChannel }) => ["created", "payChannel", payChannel, `channel_${name}`] as const),
    ...channels.map(({ name }) => ["notice", "channel", name, `channel_${name}`] as const),
    ...[1, 2].map((source) => ["created", "source", source, `source_${source}`] as const),
    ...["credit", "refund", "coins"].map((effect) => ["message", "effect", effect, `effect_${effect}`] as const),
    ...["open", "held", "released"].map((share) => ["refundedWith", "share", share, `share_${share}`] as const),
    ...["left", "paidOff"].map((change) => ["debt", "change", change, `change_${change}`] as const),
    ...kinds.map((kind) => ["proposal", "kind", kind, `moveKind_${kind}`] as const),
    ...differenceKinds.map((kind) => ["difference", "kind", kind, `difference_${kind}`] as const),
    ...[...parkedReasons, "neverCredited"].map((mark) => ["parked", "mark", mark, `mark_${mark}`] as const),
    ...states.map((state) => ["proposal", "state", state, `proposalState_${state}`] as const),
  ])("%s: %s %s", (what, name, value, key) => {
    expect(valueWord(what, name, value)).toBe(key);
    expect(strings).toHaveProperty(key);
  });

  test("names what a person decided about a dead letter", () => {
    for (const name of ["decision", "doneTime", "decisionReason"]) expect(strings).toHaveProperty(`data_${name}`);
    for (const one of letterDecision.options)
      expect(strings).toHaveProperty(valueWord("deadLetter", "decision", one) as string);
  });

  test("shows what it does not know as it is", () => {
    expect(valueWord("created", "payChannel", 99)).toBeUndefined();
    expect(valueWord("parked", "mark", "constructor")).toBeUndefined();
    expect(valueWord("constructor", "toString", 1)).toBeUndefined();
  });
});
