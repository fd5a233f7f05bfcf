import { limits } from "../../../config/limits.ts";
import type { UserProfile } from "../../../services/user/user.contract.ts";
import { UserNames, unnamed } from "../../../services/user-names.ts";

const never = new Promise<never>(() => undefined);
const profile = (userId: string): UserProfile => ({ userId, nickName: `n${userId}`, avatar: "a" });
const ids = (many: number) => Array.from({ length: many }, (_, n) => String(n + 1));
const log = { warn: jest.fn() };

test("six hundred users are asked for in calls of a hundred, each user once, and then known", async () => {
  const load = jest.fn(async (userIds: string[]) => userIds.map(profile));
  const names = new UserNames({ load, log });
  const asked = [...ids(600), "1", "2"];
  const [found, again] = await Promise.all([names.of(asked, never), names.of(asked, never)]);
  expect(load.mock.calls.map(([userIds]) => userIds.length)).toEqual(Array(6).fill(limits.user.profilesPerCall));
  expect([found.size, found.get("600"), again.get("1")]).toEqual([
    600,
    { nickName: "n600", avatar: "a" },
    { nickName: "n1", avatar: "a" },
  ]);
  await names.of(asked, never);
  expect(load).toHaveBeenCalledTimes(6);
});

test("who has no profile is not asked for again; a late answer is not waited for, and known later", async () => {
  let answer = (_profiles: UserProfile[]): void => undefined;
  const load = jest.fn(() => new Promise<UserProfile[]>((resolve) => (answer = resolve)));
  const names = new UserNames({ load, log });
  expect(await names.of(["1", "2"], Promise.resolve())).toEqual(
    new Map([
      ["1", unnamed],
      ["2", unnamed],
    ]),
  );
  const waiting = names.of(["1", "2"], never);
  answer([profile("1")]);
  expect((await waiting).get("1")?.nickName).toBe("n1");
  expect((await names.of(["2"], never)).get("2")).toEqual(unnamed);
  expect(load).toHaveBeenCalledTimes(1);
});

test("after the user service failed it is left alone for a moment", async () => {
  const load = jest
    .fn()
    .mockRejectedValueOnce(new Error("away"))
    .mockResolvedValue([profile("1")]);
  const names = new UserNames({ load, log });
  const time = jest.spyOn(performance, "now");
  const start = performance.now();
  time.mockReturnValue(start);
  for (let twice = 0; twice < 2; twice++) expect((await names.of(["1"], never)).get("1")).toEqual(unnamed);
  expect(load).toHaveBeenCalledTimes(1);
  time.mockReturnValue(start + limits.user.namePauseMs + 1);
  expect((await names.of(["1"], never)).get("1")?.nickName).toBe("n1");
  time.mockRestore();
});
