import { actionCallers, mayCall } from "../../../services/access.ts";
import { contracts } from "../../support/contracts.ts";

const forOperators = Object.entries(contracts).flatMap(([service, actions]) =>
  Object.entries(actions)
    .filter(([, { params }]) => "operator" in (params as unknown as { shape: object }).shape)
    .map(([name]) => `${service}.${name}`),
);

test("what takes an operator is called by the staff's gateway, the staff service and people at consoles, by no other door", () => {
  expect(forOperators.length).toBeGreaterThan(20);
  for (const action of forOperators) {
    const others = (actionCallers.get(action) ?? []).filter(
      (caller) => !["admin-gateway", "staff", "console"].includes(caller),
    );
    expect([action, others]).toEqual([action, []]);
  }
});

test("the staff's gateway calls nothing by which a user, a provider or the platform moves money", () => {
  for (const action of [
    ...["wallet.consumeForSendGift", "wallet.platformOrder", "wallet.payout", "gift.send", "gift.sendMany"],
    ...["payment.pay", "payment.webhook", "platform.credit", "platform.adjust", "platform.payout"],
  ])
    expect([action, mayCall("admin-gateway", action)]).toEqual([action, false]);
});

test("the users' gateway asks the staff service nothing but whether it is well", () => {
  const asked = [...actionCallers.keys()].filter((action) => action.startsWith("staff."));
  expect(asked.filter((action) => mayCall("api-gateway", action))).toEqual(["staff.health"]);
});
