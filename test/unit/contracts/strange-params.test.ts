import fc from "fast-check";
import { type ActionContract, checkParams } from "../../../services/action-contract.ts";
import { defineService } from "../../../services/define-service.ts";
import { bizCodes } from "../../../services/im-frames.ts";
import { imRouterActions } from "../../../services/im-router/im-router.contract.ts";
import { notificationActions } from "../../../services/notification/notification.contract.ts";
import { userActions } from "../../../services/user/user.contract.ts";
import { contracts } from "../../support/contracts.ts";
import { strangeJson, strangeObject } from "../../support/strange-values.ts";

const actions = Object.entries(contracts).flatMap(([service, offered]) =>
  Object.entries(offered).map(([name, contract]) => [`${service}.${name}`, contract] as const),
);

/** The failure that params are refused with, `undefined` where they pass. */
function refusal({ params: schema }: ActionContract, params: unknown): unknown {
  try {
    checkParams(schema, params);
    return undefined;
  } catch (error) {
    return error;
  }
}

test.each(actions)("%s: strange params from another node pass or are refused, and break nothing", (_name, contract) => {
  const names = Object.keys((contract.params as unknown as { shape: object }).shape);
  fc.assert(
    fc.property(fc.oneof(strangeObject(names), strangeJson(...names)), (text) => {
      const error = refusal(contract, JSON.parse(text));
      if (error === undefined) return;
      expect((error as { type: string }).type).toMatch(/^(invalidParam|roomTypeMissing)$/);
      // What is answered and logged holds no value that was sent, and can be written.
      expect(Object.keys((error as { data: object }).data).sort()).toEqual(["field", "problem"]);
      expect(JSON.stringify((error as { data: object }).data).length).toBeLessThan(1_000);
    }),
    { numRuns: 25 },
  );
});

const strangeValues: [string, unknown][] = [
  ["a value that no message can show", { toString: 1 }],
  ["a value in a value that none can show", [{ toString: 1 }]],
  ["a value whose length is none", { length: { valueOf: 1, toString: 1 } }],
  ["20,000 levels", JSON.parse(`${"[".repeat(20_000)}${"]".repeat(20_000)}`)],
];

test.each(strangeValues)("%s is refused like any other", (_what, userId) => {
  expect(refusal(userActions.profile, { userId })).toMatchObject({ type: "invalidParam" });
});

/** A schema as Moleculer has it merged. */
interface Merged {
  merged(schema: Merged): void;
  actions: { sendLoginCode: { handler(ctx: { params: object }): unknown } };
}

test("a service's refusal names its action and the field, before its handler runs", () => {
  const handler = jest.fn(() => ({ shownToCaller: false }));
  const schema = defineService<"notification">({
    name: "notification",
    contract: notificationActions,
    actions: { sendLoginCode: { handler } },
  }) as unknown as Merged;
  schema.merged(schema);
  const call = (params: object) => () => schema.actions.sendLoginCode.handler({ params });
  const data = { field: "code", problem: "too_small", refusedBy: "notification.sendLoginCode" };
  expect(call({ phone: "1", code: "1" })).toThrow(expect.objectContaining({ type: "invalidParam", data }));
  expect(handler).not.toHaveBeenCalled();
  expect(call({ phone: "1", code: "1234" })()).toEqual({ shownToCaller: false });
});

test("a number is a safe integer", () => {
  const passes = (roomId: unknown) => refusal(imRouterActions.closeRoom, { roomId }) === undefined;
  expect([5, 1e300, Number.NaN, 1.5, "5"].map(passes)).toEqual([true, false, false, false, false]);
});

test("what a frame shows may have levels, and not so many that it cannot be written", () => {
  const deep = (levels: number) => JSON.parse(`${'{"a":'.repeat(levels)}1${"}".repeat(levels)}`) as object;
  const passes = (data: object) =>
    refusal(imRouterActions.sendToRoom, { roomId: 1, senderId: "7", msgId: "m", bizCode: 5555, data }) === undefined;
  expect([deep(20), deep(21), deep(20_000)].map(passes)).toEqual([true, false, false]);
});

test("an im-server sends chat of users to a room, and no gift, closing or other message of the system", () => {
  const chat = { roomId: 1, senderId: "7", msgId: "m", bizCode: 5555, data: {} };
  const passes = (changed: object) => refusal(imRouterActions.sendToRoom, { ...chat, ...changed }) === undefined;
  expect(passes({})).toBe(true);
  const others = Object.values(bizCodes).filter((code) => code !== bizCodes.chat);
  expect([...others.map((bizCode) => ({ bizCode })), { senderId: "0" }].filter(passes)).toEqual([]);
});
