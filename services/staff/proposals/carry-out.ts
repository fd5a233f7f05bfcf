import type { Context, ServiceBroker } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import type { FailureName } from "../../../config/errors.ts";
import { call } from "../../contracts.ts";
import type { Instruction } from "./instruction.ts";
import type { Proposal } from "./proposal-store.ts";

/** The business outcomes that a move keeps for ever: nothing was moved. After anything else it is tried again. */
const refusals: ReadonlySet<FailureName> = new Set([
  ...(["payOrderUnknown", "payOrderState", "refundUnknown", "holdState", "userUnknown"] as const),
  ...(["balanceShort", "accountUnusable", "idempotencyConflict", "invalidParam", "erasureBlocked"] as const),
]);

/** The refusal of a move; `undefined` of an error after which it is tried again. */
export function refusalOf(error: unknown): FailureName | undefined {
  const name = failureName(error);
  return name !== undefined && refusals.has(name) ? name : undefined;
}

interface Carried extends Pick<Proposal, "moveId" | "person" | "reason"> {
  readonly instruction: Exclude<Instruction, { kind: "erase" }>;
}

/**
 * Has an approved move carried out by the service that can, which does it once: a repeat succeeds and moves nothing. The
 * operator of its audit is the person who asked for it. Resolves to the service's answer. Fails as that service does.
 */
export async function carryOut(
  caller: Pick<Context, "call"> | Pick<ServiceBroker, "call">,
  { moveId, person, reason, instruction }: Carried,
): Promise<Record<string, unknown>> {
  const operator = `staff:${person}`;
  switch (instruction.kind) {
    case "refund": {
      const { orderId } = instruction;
      return { ...(await call(caller, "payment.refund", { orderId, reason, operator, moveId })) };
    }
    case "release": {
      const { orderId } = instruction;
      return { ...(await call(caller, "payment.releaseOrder", { orderId, reason, operator, moveId })) };
    }
    case "adjust": {
      const { userId, coins } = instruction;
      return { ...(await call(caller, "platform.adjustByStaff", { moveId, userId, coins, reason, operator })) };
    }
    case "payout": {
      const { userId, points, payoutId } = instruction;
      return { ...(await call(caller, "wallet.payout", { userId, points, payoutId, reason, operator })) };
    }
    case "hold":
    case "releaseHold": {
      const { orderId, anchorIds } = instruction;
      const action = instruction.kind === "hold" ? "wallet.holdIncome" : "wallet.releaseHold";
      return { ...(await call(caller, action, { orderId, anchorIds, reason, operator, moveId })) };
    }
    case "holdFree": {
      const { userId, points, holdId } = instruction;
      return { ...(await call(caller, "wallet.holdFree", { userId, points, holdId, reason, operator })) };
    }
    case "releaseFree":
      return { ...(await call(caller, "wallet.releaseFree", { holdId: instruction.holdId, reason, operator })) };
  }
}
