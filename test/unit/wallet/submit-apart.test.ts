import { fail, failureName } from "../../../broker/failure.ts";
import { SomeNotHandled } from "../../../mixins/jetstream/some-not-handled.ts";
import { creditRecharges } from "../../../services/wallet/pay-topics.ts";
import type { Command, Outcome } from "../../../services/wallet/posting.ts";
import { allOutcomes, submitByKey } from "../../../services/wallet/submit-apart.ts";
import type { LedgerCommands } from "../../../services/wallet/writer-ports.ts";

const command = (userId: string, bizId: string): Command => ({ kind: "recharge", userId, bizId, coins: 1 });
const done = (own: readonly Command[]) => own.map((one) => ({ status: "done", bizId: "bizId" in one && one.bizId }));
const commands = [command("1", "a"), command("2", "b"), command("1", "c"), command("3", "d")];
const userOf = ({ userId }: Command) => userId;

describe("commands that are submitted apart", () => {
  test("have their outcomes in their order; those of a key have none together, and the others do", async () => {
    const seen: string[][] = [];
    const results = await submitByKey(commands, userOf, async (own, key) => {
      seen.push(own.map((one) => ("bizId" in one ? one.bizId : "")));
      if (key === "1") throw fail("unavailable");
      return done(own) as unknown as Outcome[];
    });
    expect(seen).toEqual([["a", "c"], ["b"], ["d"]]);
    expect(results.map(({ status }) => status)).toEqual(["rejected", "fulfilled", "rejected", "fulfilled"]);
    expect(
      results.map((one) => (one.status === "fulfilled" ? (one.value as unknown as { bizId: string }).bizId : "")),
    ).toEqual(["", "b", "", "d"]);
  });

  test("together have the error that no repeat would mend, where there is one", async () => {
    const bug = new Error("bug");
    const results = await submitByKey(commands, userOf, async (own, key) => {
      if (key === "1") throw fail("unavailable");
      if (key === "3") throw bug;
      return done(own) as unknown as Outcome[];
    });
    expect(() => allOutcomes(results)).toThrow(bug);
  });
});

test("of the orders of a batch those of a user whose ledger cannot be written are named, and those that the ledger refused", async () => {
  const writer = {
    submitAll: async (own: readonly Command[]) => {
      if (own[0]?.userId === "1") throw fail("unavailable");
      return own.map(({ userId }) =>
        userId === "3" ? { status: "refused", reason: "balanceShort" } : { status: "done" },
      );
    },
  } as unknown as LedgerCommands;
  const messages = ["1", "2", "1", "3"].map((userId, n) => ({ data: { orderId: `o${n}`, userId, coins: 5 } }));
  const error = await creditRecharges(writer, messages as never).catch((thrown: unknown) => thrown);
  expect(error).toBeInstanceOf(SomeNotHandled);
  const { why } = error as SomeNotHandled;
  expect([...why.keys()]).toEqual([messages[0], messages[2], messages[3]]);
  expect([...why.values()].map(failureName)).toEqual(["unavailable", "unavailable", undefined]);
});
