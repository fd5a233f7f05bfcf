import { Errors } from "moleculer";
import { fail, mayHaveHappened } from "../../../broker/failure.ts";

const about = { action: "gift.send", nodeID: "n" };

test.each([
  ["a call that nobody answered in time", new Errors.RequestTimeoutError(about), true],
  ["a call to a node that went away meanwhile", new Errors.RequestRejectedError(about), true],
  ["a service that says that it does not know", fail("unavailable", { mayHaveHappened: true }), true],
  ["a service that says no", fail("unavailable", { mayHaveHappened: false }), false],
  ["a service that says nothing of it", fail("unavailable"), false],
  ["a refusal", fail("balanceShort", { mayHaveHappened: true }), false],
  ["a service that is not there", new Errors.ServiceNotFoundError(about), false],
  ["a service that is not available", new Errors.ServiceNotAvailableError(about), false],
  ["a fault", new TypeError("x"), false],
  ["an error whose type is no text", Object.assign(new Error("x"), { type: { valueOf: 1, toString: 1 } }), false],
  ["nothing at all", undefined, false],
])("%s: whether it may have happened all the same is known", (_what, error, expected) => {
  expect(mayHaveHappened(error)).toBe(expected);
});
