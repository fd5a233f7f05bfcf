import { setImmediate as immediate } from "node:timers/promises";
import { failureName } from "../../../broker/failure.ts";
import { limits } from "../../../config/limits.ts";
import { openRedis, sendAlways } from "../../../mixins/redis/client.ts";
import { type CuttableServer, cuttable } from "../../support/cuttable-server.ts";
import { eventually } from "../../support/eventually.ts";
import { expectWithin } from "../../support/in-time.ts";
import { standStill } from "../../support/stand-still.ts";

/** A Redis whose connection hangs: nobody waits for it but the first. */

let address: CuttableServer;
beforeEach(async () => {
  address = await cuttable(process.env.REDIS_URL as string);
});
afterEach(() => address.close());

const outcome = (work: Promise<unknown>) =>
  work.then(
    () => "done",
    (error: Error) => failureName(error) ?? error.message,
  );

test("after one command without an answer others fail at once, until one is answered", async () => {
  const redis = openRedis("test", () => {}, address.url).on("error", () => {});
  await redis.connect();
  const events: string[] = [];
  redis.on("silent", () => events.push("silent")).on("answering", () => events.push("answering"));
  const write = () => outcome(redis.set("silent", "1", "PX", 60_000));
  expect(await write()).toBe("done");

  address.freeze();
  expect(await Promise.all([write(), write()])).toEqual(["unavailable", "unavailable"]);
  const startedAt = performance.now();
  for (let n = 0; n < 200; n++) expect(await write()).toBe("unavailable");
  expectWithin("200 refusals", limits.redis.commandTimeoutMs / 2, startedAt);
  expect(events).toEqual(["silent"]);

  // What must reach the server when it goes on is sent all the same.
  const later = sendAlways(redis, "set", ["later", "1", "PX", 60_000]);
  address.thaw();
  expect(await outcome(later)).toBe("done");
  await eventually("answers", () => events.includes("answering"));
  expect(await write()).toBe("done");
  expect(await redis.get("later")).toBe("1");
  redis.disconnect();
});

test("an answer that came while this process stood still counts, also where it is an error", async () => {
  const redis = openRedis("test").on("error", () => {});
  await redis.connect();
  const events: string[] = [];
  redis.on("silent", () => events.push("silent"));
  await redis.set("stood-still", "text", "PX", 60_000);
  const asked = [outcome(redis.get("stood-still")), outcome(redis.incr("stood-still"))];
  // They are sent by then, and their answers are not read before the next turn.
  await immediate();
  standStill(limits.redis.commandTimeoutMs + 1_500);
  expect(await Promise.all(asked)).toEqual(["done", expect.stringContaining("not an integer")]);
  expect(events).toEqual([]);
  redis.disconnect();
});

test("a new connection is asked again", async () => {
  const redis = openRedis("test", () => {}, address.url).on("error", () => {});
  await redis.connect();
  const write = () => outcome(redis.set("silent", "1", "PX", 60_000));
  address.freeze();
  expect(await write()).toBe("unavailable");
  redis.disconnect(true);
  await eventually("written again", async () => (await write()) === "done");
  redis.disconnect();
});
