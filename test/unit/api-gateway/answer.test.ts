import { Errors } from "moleculer";
import { ErrorCode, NatsError } from "nats";
import { fail } from "../../../broker/failure.ts";
import { failShowing, shownAs, shownOf } from "../../../services/api-gateway/answer.ts";

test.each([
  ["a failure of the table", fail("balanceShort"), "balanceShort"],
  ["a service that is not there", new Errors.ServiceNotFoundError({ action: "a.b" }), "unavailable"],
  ["a service that is not available", new Errors.ServiceNotAvailableError({ action: "a.b" }), "unavailable"],
  ["a call that took too long", new Errors.RequestTimeoutError({ action: "a.b", nodeID: "n" }), "unavailable"],
  ["a node that went away", new Errors.RequestRejectedError({ action: "a.b", nodeID: "n" }), "unavailable"],
  [
    "a broker that lost its transporter",
    new (Errors.BrokerDisconnectedError as unknown as new () => Error)(),
    "unavailable",
  ],
  ["a connection that is closed", new NatsError("x", ErrorCode.ConnectionClosed), "unavailable"],
  ["params that a service refused", fail("invalidParam", { field: "after" }), "invalidParam"],
  ["an error of the language", new TypeError("x"), "internal"],
  ["a failure that this version does not know", new Errors.MoleculerError("x", 500, "newerFailure"), "internal"],
  ["nothing at all", undefined, "internal"],
])("%s is shown as what it is to a client", (_what, error, name) => {
  expect(shownAs(error)).toBe(name);
});

test("a failure shows what the gateway itself decided to show, and never what a service put into its own", () => {
  expect(shownOf(failShowing("unavailable", { orderId: "o1" }))).toEqual({ orderId: "o1" });
  expect(shownAs(failShowing("unavailable", { orderId: "o1" }))).toBe("unavailable");
  expect(shownOf(fail("unavailable", { orderId: "o1", mayHaveHappened: true }))).toBeUndefined();
  expect(shownOf(undefined)).toBeUndefined();
});
