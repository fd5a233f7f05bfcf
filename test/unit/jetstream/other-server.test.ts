import { Events, NatsError } from "nats";
import { limits } from "../../../config/limits.ts";
import { OtherServer } from "../../../mixins/jetstream/other-server.ts";

/** Another server of NATS is taken where pulls are not answered through this one. */

const { unansweredMs } = limits.jetstream;

function connected(servers: string[]) {
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
  const other = new OtherServer(connection, { warn: () => {} }, () => now);
  return {
    taken,
    other,
    at(ms: number) {
      now = ms;
    },
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

test("of what asks JetStream only answers that did not come count", async () => {
  const { taken, other, at } = connected(["n1", "n2"]);
  const asks = (ms: number, work: () => Promise<unknown>) => {
    at(ms);
    return other.watch("requests", work);
  };
  const fails = (ms: number, error: Error) => expect(asks(ms, () => Promise.reject(error))).rejects.toBe(error);
  const timeout = new NatsError("TIMEOUT", "TIMEOUT");
  const noRight = new NatsError("PERMISSIONS_VIOLATION", "PERMISSIONS_VIOLATION");
  const refused = Object.assign(new NatsError("no", "500"), { api_error: { code: 500, description: "no" } });
  for (const error of [noRight, refused, new Error("a bug")])
    for (const ms of [0, unansweredMs]) await fails(ms, error);
  await fails(0, timeout);
  expect(await asks(1, async () => 7)).toBe(7);
  await fails(unansweredMs, timeout);
  expect(taken).toEqual([]);
  await fails(2 * unansweredMs, timeout);
  expect(taken).toEqual(["n2"]);
});
