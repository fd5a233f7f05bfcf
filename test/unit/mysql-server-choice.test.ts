import { limits } from "../../config/limits.ts";
import { ServerChoice } from "../../mixins/mysql/server-choice.ts";
import { ServerLooks } from "../../mixins/mysql/server-looks.ts";
import { type Answered, type MysqlServer, mysqlServers } from "../../mixins/mysql/servers.ts";

/** What each server says when it is asked; `undefined`: nothing. */
let says: Record<string, Answered | undefined>;
let asked: string[];
let moves: [from: string, to: string, isSilent: boolean][];
let choice: ServerChoice;

const servers = mysqlServers("mysql://u:p@one,two,three");
const [one, two] = servers as unknown as [MysqlServer, MysqlServer];

function choose(reads = false, of = servers): ServerChoice {
  choice?.stop();
  return new ServerChoice(of, {
    reads,
    moved: (from, to, _why, isSilent) => void moves.push([from.host, to.host, isSilent]),
    async standing({ host }) {
      asked.push(host);
      const standing = says[host];
      if (standing === undefined) throw new Error(`${host} is silent`);
      return standing;
    },
  });
}

beforeEach(() => {
  jest.useFakeTimers();
  says = { one: "writable", two: "writable", three: "writable" };
  asked = [];
  moves = [];
  choice = choose();
});
afterEach(() => {
  choice.stop();
  jest.useRealTimers();
});

const used = async () => (await choice.current()).host;
const looks = (count: number) => jest.advanceTimersByTimeAsync(count * limits.mysql.lookAtServersMs);

test("of one server nothing is asked", async () => {
  choice = choose(false, mysqlServers("mysql://one"));
  says = {};
  expect(await used()).toBe("one");
  expect(await choice.isLeft(one)).toBe(false);
  choice.reconsider();
  await looks(3);
  expect([await used(), asked]).toEqual(["one", []]);
});

test.each<[string, Record<string, Answered | undefined>, string]>([
  ["the first", {}, "one"],
  ["the second, where the first is silent", { one: undefined }, "two"],
  ["the third, where the first takes no writes and the second is silent", { one: "readOnly", two: undefined }, "three"],
  ["the first that answers, where none takes writes", { one: undefined, two: "readOnly", three: "readOnly" }, "two"],
  ["the first, where it is full: others have its connections", { one: "full" }, "one"],
  ["the second, where the first is silent and the second slow", { one: undefined, two: "slow" }, "two"],
  ["the second, where the first gives another node a copy", { one: "notSynced" }, "two"],
  [
    "one that is not Synced, before one that takes no writes",
    { one: undefined, two: "readOnly", three: "notSynced" },
    "three",
  ],
])("used is %s", async (_which, differs, expected) => {
  Object.assign(says, differs);
  expect(await used()).toBe(expected);
});

test("a reader takes the first that answers", async () => {
  choice = choose(true);
  says.one = "readOnly";
  expect(await used()).toBe("one");
});

test("where none answers, its error is thrown, and the next use asks again", async () => {
  says = {};
  await expect(used()).rejects.toThrow("three is silent");
  says = { two: "writable" };
  expect(await used()).toBe("two");
});

test("while the first answers no other is asked", async () => {
  await used();
  asked = [];
  await looks(4);
  expect(asked).toEqual(["one", "one", "one", "one"]);
});

test("a used server that is silent is left by itself, at once", async () => {
  await used();
  says.one = undefined;
  await looks(1);
  expect(moves).toEqual([["one", "two", true]]);
  expect(await used()).toBe("two");
});

test("a used server is left as read-only where a second look says so too, and not for a moment of it", async () => {
  await used();
  says.one = "readOnly";
  await looks(1);
  says.one = "writable";
  await looks(1);
  says.one = "readOnly";
  await looks(1);
  // A second one at once is no later look.
  choice.reconsider();
  expect([await used(), moves]).toEqual(["one", []]);
  await looks(1);
  expect(moves).toEqual([["one", "two", false]]);
});

test("a used server that lets no more connections in is kept for as long as that takes", async () => {
  await used();
  says.one = "full";
  await looks(10 * limits.mysql.slowLooks);
  choice.reconsider();
  expect([await used(), moves]).toEqual(["one", []]);
});

test("a used server that is slow is kept, and is silent once several looks in a row got no further than its greeting", async () => {
  await used();
  says.one = "slow";
  await looks(limits.mysql.slowLooks - 1);
  says.one = "writable";
  await looks(1);
  says.one = "slow";
  await looks(limits.mysql.slowLooks - 1);
  expect(moves).toEqual([]);
  await looks(1);
  expect(moves).toEqual([["one", "two", true]]);
});

test("a server that was left as silent does not come back by being full", async () => {
  says.one = undefined;
  await used();
  says.one = "full";
  await looks(10 * limits.mysql.returnAfterLooks);
  expect(await used()).toBe("two");
});

test("a node that is not Synced is not taken by a failover where another one is Synced, and left where it is used", async () => {
  await used();
  Object.assign(says, { one: undefined, two: "notSynced" });
  await looks(1);
  expect(moves).toEqual([["one", "three", true]]);
  says.three = "notSynced";
  says.two = "writable";
  await looks(1);
  expect(moves.at(-1)).toEqual(["three", "two", false]);
});

test("where no node is Synced writes go on at the one that is used", async () => {
  await used();
  Object.assign(says, { one: "notSynced", two: undefined, three: undefined });
  await looks(5);
  expect([await used(), moves]).toEqual(["one", []]);
});

test("of a server of which nothing is known a full one counts as writable, a read-only one as read-only", () => {
  const found = new ServerLooks();
  expect(found.countsAs("a", "full", false)).toBe("writable");
  expect(found.countsAs("b", "readOnly", true)).toBe("readOnly");
  expect(found.countsAs("b", "full", true)).toBe("readOnly");
});

test("a connection that fails makes one look for all, and moves only where another server is better", async () => {
  await used();
  await jest.advanceTimersByTimeAsync(limits.mysql.emptyEveryMs);
  asked = [];
  expect(await Promise.all([choice.isLeft(one), choice.isLeft(one)])).toEqual([false, false]);
  expect(await choice.isLeft(one)).toBe(false);
  expect(asked).toEqual(["one"]);
  // The look that comes by itself was between.
  await jest.advanceTimersByTimeAsync(2 * limits.mysql.emptyEveryMs);
  says.one = undefined;
  expect(await Promise.all([choice.isLeft(one), choice.isLeft(one)])).toEqual([true, true]);
  expect(moves).toHaveLength(1);
});

test("an earlier server is used again once it has answered several looks in a row", async () => {
  says.one = undefined;
  await used();
  says.one = "writable";
  await looks(limits.mysql.returnAfterLooks - 1);
  expect(await used()).toBe("two");
  says.one = undefined;
  await looks(1);
  says.one = "writable";
  await looks(limits.mysql.returnAfterLooks - 1);
  expect(await used()).toBe("two");
  await looks(1);
  expect(await used()).toBe("one");
  expect(moves.at(-1)).toEqual(["two", "one", false]);
});

test("after a refusal all are asked before the next use", async () => {
  await used();
  says.one = undefined;
  choice.reconsider();
  expect(await used()).toBe("two");
  expect(await choice.isLeft(two)).toBe(false);
});
