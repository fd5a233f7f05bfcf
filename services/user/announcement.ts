import type { Service } from "moleculer";
import { broadcast } from "../contracts.ts";
import type { Revocation } from "./user.contract.ts";

/** Broadcasts revocations to the gateways. A gateway that does not receive them reads their rows. */
export async function announceRevocations(
  { broker, logger }: Pick<Service, "broker" | "logger">,
  list: Revocation[],
): Promise<void> {
  if (list.length === 0) return;
  try {
    await broadcast(broker, "user.tokens-revoked", { list });
  } catch (error) {
    logger.warn(
      { err: error, userId: list[0]?.userId },
      "a revocation was not broadcast: gateways read it within a second",
    );
  }
}
