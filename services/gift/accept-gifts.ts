import type { Context, Service } from "moleculer";
import { failureName } from "../../broker/failure.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { Rate, UserRate } from "../../mixins/user-rate.ts";
import { checkParams } from "../action-contract.ts";
import { accept } from "./acceptance.ts";
import { acceptancePorts } from "./acceptance-ports.ts";
import type { GiftRequest } from "./candidate.ts";
import { type GiftAnswer, giftActions } from "./gift.contract.ts";
import type { GiftState } from "./gift-state.ts";

/** The rate of each sender on this node; `undefined` where there is no limit. */
export function giftRate(): UserRate | undefined {
  const { GIFTS_PER_USER_PER_SECOND: most } = config();
  return most === 0 ? undefined : new UserRate(new Rate(most, most), limits.gift.rateUsers);
}

type Accepting = Service & GiftState;

/**
 * Accepts a group whose gifts are not checked yet: see `gift.sendMany`. The node accepts at most
 * `limits.gift.acceptingGifts` at once; a group beyond that is `unavailable` and certainly not accepted.
 */
export async function acceptGifts(
  service: Accepting,
  ctx: Pick<Context, "call" | "requestID">,
  gifts: readonly unknown[],
): Promise<GiftAnswer[]> {
  if (service.accepting + gifts.length > limits.gift.acceptingGifts) return gifts.map(() => overloaded);
  service.accepting += gifts.length;
  try {
    const read = gifts.map(readGift);
    const valid = read.filter((one): one is GiftRequest => !("failure" in one));
    const answers = valid.length === 0 ? [] : await accept(valid, acceptancePorts(service, ctx));
    let next = 0;
    return read.map((one) => ("failure" in one ? one : (answers[next++] as GiftAnswer)));
  } finally {
    service.accepting -= gifts.length;
  }
}

const overloaded: GiftAnswer = { failure: "unavailable", data: { cause: "this node accepts too many gifts already" } };

function readGift(gift: unknown): GiftRequest | Extract<GiftAnswer, { failure: unknown }> {
  try {
    return checkParams(giftActions.send.params, gift, "gift.sendMany");
  } catch (error) {
    const { data } = error as { data?: Record<string, unknown> };
    return { failure: failureName(error) ?? "invalidParam", ...(data && { data }) };
  }
}
