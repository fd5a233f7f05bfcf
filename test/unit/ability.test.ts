import type { Service } from "moleculer";
import { limits } from "../../config/limits.ts";
import { Ability } from "../../mixins/ability.ts";
import { addHealthCheck, Degraded, type HealthState } from "../../mixins/health.mixin.ts";

/** When a service of a node counts as cut off from a server that it needs. */

const { lookEveryMs, lostAfterMs, backAfterMs } = limits.ability;

const abilities: Ability[] = [];
afterEach(() => {
  for (const one of abilities.splice(0)) one.stop();
});

function watched(answer: () => Promise<unknown>, degrades = false) {
  const service = { broker: { transit: null } } as unknown as Service & HealthState;
  addHealthCheck(service, "mysql", answer, { degrades, asksServer: true });
  // Such as a full queue: every node says so, and it has to be emptied.
  addHealthCheck(service, "jetstream", refused);
  let now = 0;
  const told: [number, boolean][] = [];
  const ability = new Ability(
    service,
    (isAble) => told.push([now, isAble]),
    () => now,
  );
  abilities.push(ability);
  /** Looks once a second until then. */
  const until = async (at: number) => {
    while (now < at) {
      now += lookEveryMs;
      ability.look();
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const jump = (ms: number) => {
    now += ms;
    ability.look();
  };
  return { told, until, jump, service };
}

const never = new Promise(() => {});
const refused = () => Promise.reject(new Error("no connection"));

test("a server that does not answer is lost after a time, and back once it has answered for a time", async () => {
  let answer: () => Promise<unknown> = async () => true;
  const { told, until } = watched(() => answer());
  await until(10_000);
  expect(told).toEqual([]);
  answer = refused;
  await until(10_000 + lostAfterMs);
  expect(told).toEqual([]);
  await until(10_000 + lostAfterMs + 2 * lookEveryMs);
  expect(told.map(([, isAble]) => isAble)).toEqual([false]);
  await until(40_000);
  answer = async () => true;
  await until(40_000 + backAfterMs);
  expect(told).toHaveLength(1);
  await until(40_000 + backAfterMs + 4 * lookEveryMs);
  expect(told.map(([, isAble]) => isAble)).toEqual([false, true]);
});

test("a check that hangs is no answer, and is not started again", async () => {
  let started = 0;
  const { told, until } = watched(() => {
    started++;
    return never;
  });
  await until(20_000);
  expect([told.length, started]).toEqual([1, 1]);
});

test("a service that works without the server, or with less of it, can do its work", async () => {
  const without = watched(refused, true);
  const less = watched(() => Promise.reject(new Degraded("slow")));
  await without.until(20_000);
  await less.until(20_000);
  expect([without.told, less.told]).toEqual([[], []]);
});

test("a node whose bus does not answer cannot do its work, whatever its other servers say", async () => {
  const { told, until, service } = watched(async () => true);
  await until(5_000);
  Object.assign(service.broker, { transit: { tx: { client: { flush: () => never } } } });
  await until(20_000);
  expect(told.map(([, isAble]) => isAble)).toEqual([false]);
});

test("a process that stood still has heard nothing, which counts for nothing", async () => {
  const { told, until, jump } = watched(async () => true);
  await until(5_000);
  jump(60_000);
  await until(70_000);
  expect(told).toEqual([]);
});
