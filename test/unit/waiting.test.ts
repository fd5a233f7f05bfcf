import { connect } from "node:net";
import { Errors } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { eventually } from "../support/eventually.ts";
import { expectTook, expectWithin } from "../support/in-time.ts";

const natsError = (code: string) => Object.assign(new Error(code), { name: "NatsError", code });

const outages: [string, () => Error][] = [
  ["unavailable, as a service says it", () => fail("unavailable")],
  ["no node with the service", () => new Errors.ServiceNotFoundError({ action: "a.b" })],
  ["no answer of another node", () => new Errors.RequestTimeoutError({ action: "a.b", nodeID: "n" })],
  ["no leader in JetStream", () => natsError("503")],
  ["no answer of NATS", () => natsError("TIMEOUT")],
  ["a database that cannot be reached", () => Object.assign(new Error("x"), { code: "ER_CON_COUNT_ERROR" })],
];

test.each(outages)("who waits for a condition waits on after %s", async (_what, outage) => {
  let checks = 0;
  const check = () => {
    if (++checks < 3) throw outage();
    return "there";
  };
  expect(await eventually("it is there", check)).toBe("there");
  await expect(eventually("it is there", () => Promise.reject(outage()), 1)).rejects.toThrow(
    /^not within 1 ms: it is there \(last: \w+: .+\)$/,
  );
});

test("a socket that is refused is an outage", async () => {
  const dial = () =>
    new Promise((resolve, reject) => connect(1, "127.0.0.1").once("connect", resolve).once("error", reject));
  await expect(eventually("a server", dial, 1)).rejects.toThrow(/ECONNREFUSED/);
});

test.each([
  ["another failure of a service", fail("accountUnusable")],
  ["a message that NATS refuses for what it is", natsError("BAD_JSON")],
  [
    "a statement that is wrong",
    Object.assign(new Error("x"), { code: "ER_PARSE_ERROR", errno: 1064, sqlState: "42000" }),
  ],
  ["an assertion", new Error("expect(received).toBe(expected)")],
])("%s: thrown at once, unchanged", async (_what, error) => {
  const check = jest.fn(() => Promise.reject(error));
  await expect(eventually("never", check)).rejects.toBe(error);
  expect(check).toHaveBeenCalledTimes(1);
});

test("a condition that does not come true tells its last value, and so does what took too long", async () => {
  await expect(eventually("all", () => 0, 1)).rejects.toThrow("not within 1 ms: all (last: 0)");
  expect(() => expectTook("a stop", 100, 100.4)).toThrow(new Error("not within 100 ms: a stop (last: 100)"));
  expect(() => expectWithin("a stop", 100, performance.now() - 100)).toThrow(/^not within 100 ms: a stop/);
  expect(() => expectTook("a stop", 100, Number.NaN)).toThrow(/^not within/);
  expectWithin("a stop", 60_000, performance.now());
});
