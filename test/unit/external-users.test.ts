import { setTimeout as pause } from "node:timers/promises";
import { fail, failureName } from "../../broker/failure.ts";
import { limits } from "../../config/limits.ts";
import { ExternalUsers } from "../../services/external-users.ts";
import { externalId } from "../../services/fields.ts";

const people = new Map([
  ["a", "1"],
  ["A", "2"],
  ["a ", "3"],
]);

function counted() {
  const list = [...people].map(([externalId, userId]) => ({ externalId, userId }));
  const idsOfExternal = jest.fn(async (ids: string[]) => ({
    list: list.filter((one) => ids.includes(one.externalId)),
  }));
  const externalIdsOf = jest.fn(async (ids: string[]) => ({ list: list.filter((one) => ids.includes(one.userId)) }));
  return { idsOfExternal, externalIdsOf, users: new ExternalUsers({ idsOfExternal, externalIdsOf }) };
}

test("ids that are asked for together share a call, and what is known needs none, in either direction", async () => {
  const { users, idsOfExternal, externalIdsOf } = counted();
  expect(await users.userIdsOf(["a", "A", "a", "b"])).toEqual(new Map([...people].slice(0, 2)));
  expect(await Promise.all([users.userIdOf("a"), users.userIdOf("b")])).toEqual(["1", undefined]);
  expect(await users.externalIdsOf(["1", "2"])).toEqual(
    new Map([
      ["1", "a"],
      ["2", "A"],
    ]),
  );
  // Nobody has b, which is asked for each time.
  expect(idsOfExternal.mock.calls).toEqual([[["a", "A", "b"]], [["b"]]]);
  expect(externalIdsOf).not.toHaveBeenCalled();
  expect(await users.externalIdsOf(["3", "9"])).toEqual(new Map([["3", "a "]]));
  expect(users.knownUserIdOf("a ")).toBe("3");
});

test("a call has at most a hundred ids", async () => {
  const { users, idsOfExternal } = counted();
  await users.userIdsOf(Array.from({ length: 250 }, (_, n) => `x${n}`));
  expect(idsOfExternal.mock.calls.map(([ids]) => ids.length)).toEqual([100, 100, 50]);
});

test("a user is found as soon as she is there, by her external id, and one that is learnt is known at once", async () => {
  const { users, idsOfExternal } = counted();
  expect(await users.userIdOf("new")).toBeUndefined();
  idsOfExternal.mockResolvedValueOnce({ list: [{ externalId: "new", userId: "7" }] });
  expect(await users.userIdOf("new")).toBe("7");
  expect(await users.userIdOf("other")).toBeUndefined();
  users.learn({ externalId: "other", userId: "8" });
  expect(await users.userIdOf("other")).toBe("8");
  expect(idsOfExternal).toHaveBeenCalledTimes(3);
});

test("a user without an external id is kept as such for a second at most", async () => {
  const { users, externalIdsOf } = counted();
  for (const _time of [1, 2]) expect(await users.externalIdsOf(["9"])).toEqual(new Map());
  expect(externalIdsOf).toHaveBeenCalledTimes(1);
  await pause(limits.user.externalIdUnknownMs + 50);
  await users.externalIdsOf(["9"]);
  expect(externalIdsOf).toHaveBeenCalledTimes(2);
});

test("where the user service is away the failure is the caller's, and nothing is remembered", async () => {
  const { users, idsOfExternal } = counted();
  idsOfExternal.mockRejectedValueOnce(fail("unavailable"));
  expect(await users.userIdOf("a").catch(failureName)).toBe("unavailable");
  expect(await users.userIdOf("a")).toBe("1");
});

describe("an external id", () => {
  test.each(["a", " ", "a ", "x".repeat(64), "😀".repeat(64), "e\u0301", "\u00e9", "line\nbreak", "123", "__proto__"])(
    "%j is one",
    (id) => {
      expect(externalId.parse(id)).toBe(id);
    },
  );

  test.each(["", "x".repeat(65), "😀".repeat(65), "\0", "a\0b", "\ud83d", "\ude00\ud83d", 123, null, ["a"], {}])(
    "%j is none",
    (value) => {
      expect(externalId.safeParse(value).success).toBe(false);
    },
  );
});

test("an erased user is asked for again, in both directions: who comes with the same id is another one", async () => {
  const { users, idsOfExternal, externalIdsOf } = counted();
  expect(await users.userIdOf("a")).toBe("1");
  users.forgetUser("1");
  users.forgetUser("99");
  idsOfExternal.mockResolvedValueOnce({ list: [{ externalId: "a", userId: "7" }] });
  externalIdsOf.mockResolvedValueOnce({ list: [] });
  expect([await users.userIdOf("a"), (await users.externalIdsOf(["1"])).size]).toEqual(["7", 0]);
});
