import { Events, NatsError } from "nats";
import { limits } from "../../../config/limits.ts";
import { OtherServer } from "../../../mixins/jetstream/other-server.ts";

/** Another server of NATS is taken where pulls are not answered through this one. */

const { unansweredMs } = limits.jetstream;

function connected(servers: string[], withinMs: number = unansweredMs) {
  let now = 0;
  const taken: string[] = [];
  let at = servers.shift() as string;
  const connection = {
    getServer: () => at,
    async reconnect() {
      at = servers.shift() ?? at;
      taken.push(at);
    },
    async *status() {
      yield { type: Events.Reconnect, data: at };
    },
    isClosed: () => false,
    isDraining: () => false,
  };
  const other = new OtherServer(connection, { warn: () => {} }, () => now, withinMs);
  return {
    taken,
    other,
    pulled: (durable: string) => other.answered(durable),
    async refused(durable: string, atMs: number) {
      now = atMs;
      const error = new NatsError("consumer not found", "404");
      error.api_error = { code: 404, err_code: 10014, description: "consumer not found" };
      other.failed(durable, error);
      await new Promise((resolve) => setImmediate(resolve));
    },
    async fails(durable: string, atMs: number) {
      now = atMs;
      other.unanswered(durable);
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

test("once pulls of a consumer have failed for long, and not before", async () => {
  const { taken, fails } = connected(["n1", "n2"]);
  await fails("d", 1_000);
  await fails("d", 1_000 + unansweredMs - 1);
  expect(taken).toEqual([]);
  await fails("d", 1_000 + unansweredMs);
  expect(taken).toEqual(["n2"]);
  await fails("d", 1_000 + unansweredMs + 1);
  expect(taken).toEqual(["n2"]);
});

test("the next one where the client comes back to the same", async () => {
  const { taken, fails } = connected(["n1", "n1", "n3"]);
  await fails("d", 0);
  await fails("d", unansweredMs);
  expect(taken).toEqual(["n1", "n3"]);
});

test("a pull that is answered ends the count of its consumer alone", async () => {
  const { taken, fails, pulled } = connected(["n1", "n2"]);
  await fails("d", 0);
  await fails("e", 0);
  pulled("d");
  await fails("d", unansweredMs);
  expect(taken).toEqual([]);
  await fails("e", unansweredMs);
  expect(taken).toEqual(["n2"]);
});

test("not where JetStream answers with an error, nor for failures that lie far apart", async () => {
  const { taken, fails, refused } = connected(["n1", "n2"]);
  await refused("d", 0);
  await refused("d", unansweredMs);
  await fails("e", 0);
  await fails("e", 3 * unansweredMs);
  expect(taken).toEqual([]);
});

test("after the first time-out of a connection that asks rarely; what fails otherwise changes nothing", async () => {
  const { taken, other } = connected(["n1", "n2"], 0);
  const failing = (error: Error) => other.watch("requests", () => Promise.reject(error));
  await expect(failing(new Error("a bug"))).rejects.toThrow("a bug");
  const refused = Object.assign(new NatsError("no", "500"), { api_error: { code: 500, description: "no" } });
  await expect(failing(refused)).rejects.toBe(refused);
  expect(await other.watch("requests", async () => 7)).toBe(7);
  expect(taken).toEqual([]);
  const timeout = new NatsError("TIMEOUT", "TIMEOUT");
  await expect(failing(timeout)).rejects.toBe(timeout);
  expect(taken).toEqual(["n2"]);
});
