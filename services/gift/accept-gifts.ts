import { setTimeout as pause } from "node:timers/promises";
import type { Context, Service } from "moleculer";
import { failureName, isUnavailable } from "../../broker/failure.ts";
import { ServiceNodes } from "../../broker/service-nodes.ts";
import { during, Spans } from "../../broker/tracing/spans.ts";
import { config } from "../../config/config.ts";
import { limits } from "../../config/limits.ts";
import { NotLoaded } from "../../mixins/batch-loader.ts";
import { SparseLog } from "../../mixins/sparse-log.ts";
import { Rate, UserRate } from "../../mixins/user-rate.ts";
import { checkParams } from "../action-contract.ts";
import { call } from "../contracts.ts";
import { accept } from "./acceptance.ts";
import { acceptancePorts, question, roomCache, roomLoader } from "./acceptance-ports.ts";
import { Candidate, type GiftRequest } from "./candidate.ts";
import { openGate } from "./gate/open-gate.ts";
import { type GiftAnswer, giftActions } from "./gift.contract.ts";
import type { GiftState } from "./gift-state.ts";
import { NodeOrders } from "./node-orders.ts";
import { ShareCache } from "./share-cache.ts";
import { readShares } from "./share-store.ts";
import { SilentPartitions } from "./silent-partitions.ts";
import { UsableAccounts } from "./usable-accounts.ts";

type Accepting = Service & GiftState;

/** Makes the caches and the memory of acceptance, when the service is created. */
export function openAcceptance(service: Accepting): void {
  const { ANCHOR_SHARE_PERCENT: share, GIFTS_PER_USER_PER_SECOND: perSecond } = config();
  service.roomReceivers = roomCache();
  service.roomsAsked = roomLoader(service.broker);
  const forged = new SparseLog<object>((about) =>
    service.logger.error(
      about,
      "a written share of an anchor is not signed by gift and is not in force: find who wrote it",
    ),
  );
  service.shares = new ShareCache(
    (ids) =>
      readShares(service.mysql, service.bookKeys, ids, ({ anchorId, percent, operator, written }) =>
        forged.add({ anchorId, percent, operator, written }),
      ),
    share,
  );
  service.receivers = new UsableAccounts((userIds) =>
    call(service.broker, "wallet.unusableOf", { userIds, apart: true }, question()),
  );
  service.orders = new NodeOrders();
  service.silent = new SilentPartitions();
  service.rate = perSecond === 0 ? undefined : new UserRate(new Rate(perSecond, perSecond), limits.gift.rateUsers);
  service.walletNodes = new ServiceNodes(service.broker, "wallet");
  service.gate = openGate(service);
  service.accepting = 0;
}

/**
 * Accepts a group whose gifts are not checked yet: see `gift.sendMany`. The node accepts at most
 * `limits.gift.acceptingGifts` at once; a group beyond that is `unavailable` and certainly not accepted.
 */
export async function acceptGifts(
  service: Accepting,
  ctx: Pick<Context, "call" | "requestID">,
  gifts: readonly unknown[],
): Promise<GiftAnswer[]> {
  if (service.accepting + gifts.length > limits.gift.acceptingGifts)
    return counted(
      service,
      gifts.map(() => overloaded),
    );
  service.accepting += gifts.length;
  try {
    const read = gifts.map(readGift);
    const valid = read.filter((one): one is GiftRequest => !("failure" in one));
    const answers = valid.length === 0 ? [] : await acceptValid(service, ctx, valid);
    let next = 0;
    return counted(
      service,
      read.map((one) => ("failure" in one ? one : (answers[next++] as GiftAnswer))),
    );
  } finally {
    service.accepting -= gifts.length;
  }
}

function counted({ metrics }: Accepting, answers: GiftAnswer[]): GiftAnswer[] {
  metrics.answered(answers);
  return answers;
}

function* tracedIn(gifts: readonly GiftRequest[]) {
  for (const [at, { traceparent }] of gifts.entries()) if (traceparent) yield { key: String(at), traceparent };
}

/** Each gift that is traced has a span of its own, which its publication follows. */
function acceptValid(
  service: Accepting,
  ctx: Pick<Context, "call" | "requestID">,
  gifts: readonly GiftRequest[],
): Promise<GiftAnswer[]> {
  const spans = Spans.start(service.broker, "gift.accept", "server", tracedIn(gifts), {
    "ovation.group": gifts.length,
  });
  const own = spans ? gifts.map((gift, at) => ({ ...gift, traceparent: spans.of(String(at)) })) : gifts;
  return during(spans, () => accept(own, acceptancePorts(service, ctx)));
}

/**
 * Accepts a gift that is no part of a group: see `gift.send`. Where another node has reserved its order for other content,
 * it waits a moment for the outcome. In a group nobody waits for that, since the other gifts would wait too.
 */
export async function acceptAlone(
  service: Accepting,
  ctx: Pick<Context, "call" | "requestID">,
  gift: GiftRequest,
): Promise<GiftAnswer> {
  const [answer] = (await acceptGifts(service, ctx, [gift])) as [GiftAnswer];
  if (!("failure" in answer) || answer.data?.reservedElsewhere !== true) return answer;
  const candidate = new Candidate(gift);
  const { knownOrders } = acceptancePorts(service, ctx);
  for (let look = 0; look < limits.gift.reservedLooks; look++) {
    await pause(limits.gift.reservedLookEveryMs);
    try {
      const asked = { orderId: candidate.orderId, userId: candidate.request.userId };
      const contentHash = (await knownOrders([asked])).get(candidate.orderId);
      if (contentHash === undefined) continue;
      if (contentHash instanceof NotLoaded) throw contentHash.error;
      candidate.answerAs(contentHash);
      return candidate.answer as GiftAnswer;
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      // The books are away: whether the other content was accepted stays unknown.
      return answer;
    }
  }
  return answer;
}

const overloaded: GiftAnswer = {
  failure: "unavailable",
  data: { cause: "this node accepts too many gifts already", beforeLookup: true },
};

function readGift(gift: unknown): GiftRequest | Extract<GiftAnswer, { failure: unknown }> {
  try {
    return checkParams(giftActions.send.params, gift, "gift.sendMany");
  } catch (error) {
    const { data } = error as { data?: Record<string, unknown> };
    return { failure: failureName(error) ?? "invalidParam", ...(data && { data }) };
  }
}
