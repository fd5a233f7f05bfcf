import { fail, failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { ServerPresence } from "../../../mixins/mysql/server-presence.ts";
import { silentLog } from "../../support/silent-log.ts";

const { presenceLookMs, presenceLostMs } = limits.mysql;

/** A server whose answers the test decides. */
async function server(begin = true) {
  let now = 0;
  const answer = {
    prepare: () => Promise.resolve(),
    probe: () => Promise.resolve(),
  };
  const changes: boolean[] = [];
  const presence = new ServerPresence({
    name: "b",
    log: silentLog,
    prepare: () => answer.prepare(),
    probe: () => answer.probe(),
    changed: (isPresent) => changes.push(isPresent),
    now: () => now,
  });
  /** Looks until then, as the timer would. */
  const until = async (at: number) => {
    while (now < at) {
      now += presenceLookMs;
      void presence.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const jump = (ms: number) => {
    now += ms;
  };
  if (begin) await presence.begin();
  presence.stop();
  return { presence, answer, changes, until, jump, now: () => now };
}

const never = () => new Promise<never>(() => {});
const away = () => Promise.reject(fail("unavailable", { cause: "no route" }));
const failed = (work: Promise<unknown>) => work.then(() => undefined, failureName);

describe("a further server", () => {
  test("is used once it was prepared; before that what needs it fails at once", async () => {
    const { presence, answer, until, changes } = await server(false);
    answer.prepare = away;
    await until(presenceLookMs);
    expect(() => presence.require()).toThrow(/unavailable/);
    expect(await failed(presence.during(() => Promise.resolve(1)))).toBe("unavailable");
    answer.prepare = () => Promise.resolve();
    await until(2 * presenceLookMs);
    expect([await presence.during(() => Promise.resolve(1)), changes]).toEqual([1, [true]]);
  });

  test("that is another one than its name says ends the start; found so later it stays unused", async () => {
    const wrong = () => Promise.reject(new Error("the server of b is c"));
    const { presence, answer, until } = await server(false);
    answer.prepare = wrong;
    await expect(presence.begin()).rejects.toThrow("the server of b is c");
    presence.stop();
    await until(presenceLookMs);
    expect(await failed(presence.during(() => Promise.resolve()))).toBe("unavailable");
  });

  test("is away after a silence, and what waits for it fails then; it is back with its next answer", async () => {
    const { presence, answer, until, changes, now } = await server();
    answer.probe = never;
    const waiting = failed(presence.during(never));
    await until(presenceLostMs - presenceLookMs);
    expect(presence.isPresent).toBe(true);
    await until(now() + 3 * presenceLookMs);
    expect([await waiting, presence.isPresent]).toEqual(["unavailable", false]);
    presence.heard();
    expect([presence.isPresent, changes]).toEqual([true, [true, false, true]]);
  });

  test("is there while it answers the service's statements, however late looks are answered", async () => {
    const { presence, answer, until, now } = await server();
    answer.probe = never;
    for (let n = 0; n < 5; n++) {
      await until(now() + presenceLostMs - presenceLookMs);
      presence.heard();
    }
    expect(presence.isPresent).toBe(true);
  });

  test("is not away since the process stood still", async () => {
    const { presence, jump } = await server();
    await presence.look();
    jump(10 * presenceLostMs);
    await presence.look();
    expect(presence.isPresent).toBe(true);
  });
});
