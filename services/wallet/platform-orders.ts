import type { Context, Service } from "moleculer";
import { fail } from "../../broker/failure.ts";
import { type SignatureFault, signatureFaults } from "../../mixins/jetstream/signatures.ts";
import { safeParse } from "../safe-parse.ts";
import { postPayout } from "./income/payouts.ts";
import {
  type PlatformOrder,
  type PlatformOrderOutcome,
  type PlatformRefusal,
  platformBizId,
  platformOrder,
  platformOrderSubject,
  platformRefusals,
} from "./platform-orders.contract.ts";
import type { Command } from "./posting.ts";
import type { WalletState } from "./wallet-state.ts";

type Wallet = Service & WalletState;

const forgedCounter = {
  name: "ovation.wallet.orders.forged",
  description: "Orders of the platform that the wallet refused for their signature or their content",
  labelNames: ["service", "reason"],
} as const;

/** Registers the metric of forged orders, which is there with 0 as long as none came. */
export function registerForgedOrders({ broker, name }: Service): void {
  broker.metrics.register({ type: "counter", ...forgedCounter, labelNames: [...forgedCounter.labelNames] });
  for (const reason of [...signatureFaults, "unreadable"])
    broker.metrics.increment(forgedCounter.name, { service: name, reason }, 0);
}

/** Refuses an order of which nothing was carried out. */
function refuseForged({ broker, logger, name }: Wallet, reason: SignatureFault | "unreadable", sender: unknown): never {
  broker.metrics.increment(forgedCounter.name, { service: name, reason });
  const toDo =
    reason === "unknownKey"
      ? "compare PLATFORM_KEYS of platform and wallet nodes: a key was removed too early, or the order is forged"
      : "find who sent it: the platform service signs every order";
  logger.error({ reason, sender, toDo }, "an order of the platform is refused as forged: nothing was moved");
  throw fail("orderForged", { reason });
}

/**
 * Carries out a signed order of the platform, once by its business id: a repeat, or a replay, gets the first outcome.
 * Committed when it resolves. `sender`: the node that sent it, for the log. Fails: orderForged, where nothing was moved;
 * unavailable, where it is not known whether the order was carried out: repeat it.
 */
async function carryOutOrder(wallet: Wallet, signed: string, sender: unknown): Promise<PlatformOrderOutcome> {
  const opened = wallet.platformSignatures.open(platformOrderSubject, signed);
  if ("fault" in opened) return refuseForged(wallet, opened.fault, sender);
  const order = orderIn(opened.body);
  if (!order) return refuseForged(wallet, "unreadable", sender);
  return order.kind === "payout" ? payOutOrder(wallet, order) : moveCoins(wallet, order);
}

/** The order of a genuine text; `undefined` where another release signed one that this one does not know. */
function orderIn(text: string): PlatformOrder | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = safeParse(platformOrder, value);
  return parsed.success ? parsed.data : undefined;
}

/** The handler of the action. */
export function takePlatformOrder(this: Wallet, { params, nodeID }: Context<{ order: string }>) {
  return carryOutOrder(this, params.order, nodeID);
}

async function payOutOrder(
  wallet: Wallet,
  { id, ...payout }: Extract<PlatformOrder, { kind: "payout" }>,
): Promise<PlatformOrderOutcome> {
  const answer = await postPayout(wallet.servers, { ...payout, bizId: platformBizId("payout", id) });
  return answer === "paid" ? { status: "done", balanceAfter: null } : { status: "refused", reason: answer };
}

function toCommand(order: Exclude<PlatformOrder, { kind: "payout" }>): Command {
  const { kind, id, userId, coins } = order;
  return { kind, bizId: platformBizId(kind, id), userId, coins };
}

async function moveCoins(
  { writer }: Wallet,
  order: Exclude<PlatformOrder, { kind: "payout" }>,
): Promise<PlatformOrderOutcome> {
  if (!writer.hasRoomFor(1)) throw fail("unavailable", { waiting: writer.waiting });
  const outcome = await writer.submit(toCommand(order));
  if (outcome.status === "done") return { status: "done", balanceAfter: outcome.balanceAfter };
  const reason = platformRefusals.find((one): one is PlatformRefusal => one === outcome.reason);
  if (reason === undefined) throw new Error(`the ledger refused an order of the platform: ${outcome.reason}`);
  return { status: "refused", reason };
}
