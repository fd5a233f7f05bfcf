/** The work lists of the staff page: what waits for whom, what a mark allows, and what the page knows of the server. */
import { limits } from "../../../config/limits.ts";
import { apiScopes } from "../../../services/api-scopes.ts";
import { kindNames, neverAccepted } from "../../../services/auditor/differences.ts";
import { parkedReasons, uncredited } from "../../../services/payment/order.ts";
import type { OrderState } from "../../../services/payment/order-state.ts";
import { parkedActions } from "../../../services/payment/parked-actions.ts";
import { differenceKinds } from "../../../services/payment/payment.contract.ts";
import { stateAfter } from "../../../services/staff/person-state.ts";
import { right, rightsOf, staffRole } from "../../../services/staff-roles.ts";
import { webhookEventNames } from "../../../services/webhook-events.ts";

interface WorkList {
  name: string;
  count: number | null;
}
interface Work {
  workFor(rights: readonly string[], counts: Record<string, unknown>): { mine: WorkList[]; others: WorkList[] };
  allDone(lists: { count: number | null }[]): boolean;
}
interface Parked {
  marks: readonly string[];
  uncredited: readonly string[];
  actionsOf(
    mark: { actions: readonly string[] },
    rights: readonly string[],
  ): { mine: { action: string; say: string }[]; others: { action: string }[] };
}
interface Roles {
  rights: readonly string[];
  roles: Record<string, readonly string[]>;
  personActions(person: { name: string; state: string; sessions: number }, me: string): string[];
}
interface Offered {
  scopes: readonly string[];
  moneyScopes: readonly string[];
  webhookEvents: readonly string[];
  neverAccepted: readonly string[];
}

const { workFor, allDone } = require("../../../admin-page/js/work-lists.js") as Work;
const parked = require("../../../admin-page/js/parked-actions.js") as Parked;
const roles = require("../../../admin-page/js/roles.js") as Roles;
const offered = require("../../../admin-page/js/offered.js") as Offered;
const { bounds } = require("../../../admin-page/js/bounds.js") as { bounds: Record<string, number> };
const { strings } = require("../../../admin-page/js/strings.js") as { strings: Record<string, unknown> };

const names = (lists: { name: string }[]) => lists.map(({ name }) => name);

describe("what waits", () => {
  const counts = { parked: 2, openProposals: 0, deadLetters: null, differences: 1 };

  test("finance work on parked orders, proposals, differences and books, and see the dead letters of others", () => {
    const { mine, others } = workFor(rightsOf("finance"), counts);
    expect(names(mine)).toEqual(["parked", "openProposals", "differences", "findings"]);
    expect(names(others)).toEqual(["deadLetters"]);
  });

  test("support have no list of their own, admins have all", () => {
    expect(workFor(rightsOf("support"), counts).mine).toEqual([]);
    expect(workFor(rightsOf("admin"), counts).others).toEqual([]);
  });

  test("a count that nobody answered is unknown, and not 0", () => {
    const { mine } = workFor(rightsOf("admin"), counts);
    expect(mine.filter(({ count }) => count === null).map(({ name }) => name)).toEqual(["deadLetters", "findings"]);
    expect(allDone([{ count: 0 }, { count: null }])).toBe(false);
    expect(allDone([{ count: 0 }, { count: 0 }])).toBe(true);
  });
});

describe("a mark of a parked order", () => {
  const states: OrderState[] = ["waiting", "paid", "cancelled", "refunded"];

  test("the page knows every mark and every action that the server may name, with a text for each", () => {
    expect([...parked.marks].sort()).toEqual([...parkedReasons].sort());
    expect([...parked.uncredited].sort()).toEqual([...uncredited].sort());
    for (const mark of [...parkedReasons, "neverCredited"]) {
      expect(strings).toHaveProperty(`mark_${mark}`);
      expect(strings).toHaveProperty(`markWhy_${mark}`);
    }
    for (const mark of parkedReasons)
      for (const state of states) {
        const actions = parkedActions(mark, state);
        const { mine, others } = parked.actionsOf({ actions }, rightsOf("admin"));
        expect(mine.map(({ action }) => action)).toEqual(actions);
        expect(others).toEqual([]);
        for (const { say } of mine) expect(strings).toHaveProperty(say);
      }
  });

  test("what another role must do is told, and is no button", () => {
    const mark = { actions: ["setTopic", "refund"] };
    const byFinance = parked.actionsOf(mark, rightsOf("finance"));
    expect(byFinance.mine.map(({ action }) => action)).toEqual(["refund"]);
    expect(byFinance.others.map(({ action }) => action)).toEqual(["setTopic"]);
    expect(parked.actionsOf(mark, rightsOf("viewer")).mine).toEqual([]);
  });

  test("an action that the page does not know is left out", () => {
    expect(parked.actionsOf({ actions: ["burn", "toString"] }, rightsOf("admin"))).toEqual({ mine: [], others: [] });
  });
});

describe("a person of the staff", () => {
  const person = (state: string, sessions = 0) => ({ name: "ada", state, sessions });

  test("the page shows the server's table of roles", () => {
    expect(roles.rights).toEqual(right.options);
    expect(roles.roles).toEqual(Object.fromEntries(staffRole.options.map((role) => [role, rightsOf(role)])));
    for (const one of right.options) expect(strings).toHaveProperty(`right_${one}`);
  });

  test.each(["invited", "active", "disabled"] as const)(
    "of a person who is %s the server's moves are offered",
    (state) => {
      const offeredMoves = roles.personActions(person(state), "bob");
      for (const move of ["reset", "disable", "enable"] as const)
        expect(offeredMoves.includes(move)).toBe(stateAfter(state, move, true) !== undefined);
    },
  );

  test("sessions are ended where there are some, and nobody does anything to themselves", () => {
    expect(roles.personActions(person("active", 2), "bob")).toContain("endSessions");
    expect(roles.personActions(person("active"), "bob")).not.toContain("endSessions");
    expect(roles.personActions(person("active", 2), "ada")).toEqual([]);
  });
});

describe("what the page knows of the server", () => {
  test("the scopes of keys, with a text each", () => {
    expect(offered.scopes).toEqual(apiScopes);
    for (const scope of apiScopes) expect(strings).toHaveProperty(`scope_${scope.replace(":", "_")}`);
    for (const scope of offered.moneyScopes) expect(apiScopes).toContain(scope);
  });

  test("the events of webhooks", () => {
    expect([...offered.webhookEvents].sort()).toEqual([...webhookEventNames].sort());
  });

  test("the differences of reconciliation and of the books, with a text each", () => {
    for (const kind of differenceKinds) expect(strings).toHaveProperty(`difference_${kind}`);
    for (const kind of kindNames) expect(strings).toHaveProperty(`book_${kind}`);
    expect(new Set(offered.neverAccepted)).toEqual(neverAccepted);
  });

  test("the bounds of its fields are those of the server", () => {
    expect(bounds).toEqual({
      ...{ giftNameChars: limits.gift.nameChars, giftPrice: limits.gift.priceMaxCoins },
      ...{ giftUrlChars: limits.gift.urlChars, productNameChars: limits.payment.productNameChars },
      ...{ productFen: limits.payment.productFen, productCoins: limits.payment.productCoins },
      ...{ topicChars: 64, remarkChars: limits.payment.reasonChars, bizCode: limits.payment.bizCode },
      ...{ keyNameChars: limits.platform.keyNameChars, keyPerMinute: limits.platform.requestsPerKeyPerMinuteMax },
      webhookUrlChars: limits.webhook.urlChars,
      webhookDescriptionChars: limits.webhook.descriptionChars,
    });
  });
});
