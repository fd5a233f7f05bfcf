import { Errors } from "moleculer";
import { ErrorCode, NatsError } from "nats";
import { fail } from "../../../broker/failure.ts";
import { failShowing, refusalOf, shownAs, shownOf } from "../../../mixins/http/answer.ts";

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

test.each([
  [
    "params that an action refused",
    { refusedBy: "gift.send", field: "count" },
    { action: "gift.send", field: "count" },
  ],
  [
    "a field that is none",
    { refusedBy: "gift.send", field: { toString: 1 } },
    { action: "gift.send", field: "an object" },
  ],
  ["params that the gateway refused itself", { field: "count" }, undefined],
  ["an action that is none", { refusedBy: { toString: 1 } }, undefined],
])("%s: the action and the field are known where there are such", (_what, data, refusal) => {
  expect(refusalOf(fail("invalidParam", data))).toEqual(refusal);
});

test.each([undefined, null, "x", new Error("x"), { data: null }])("%p is no refusal of an action", (error) => {
  expect(refusalOf(error)).toBeUndefined();
});
