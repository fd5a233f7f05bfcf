import type { ServiceBroker, ServiceSchema } from "moleculer";
import { failureName } from "../../../broker/failure.ts";
import { call, type ParamsOf } from "../../../services/contracts.ts";
import platform from "../../../services/platform/platform.service.ts";
import staff from "../../../services/staff/staff.service.ts";
import { tokenMacs } from "../../../services/staff/token-macs.ts";
import { newSessionToken, tokenHash } from "../../../services/staff/tokens.ts";
import type { StaffRole } from "../../../services/staff-roles.ts";
import user from "../../../services/user/user.service.ts";
import { rows } from "../../support/books.ts";
import { startNode, waitForNode } from "../../support/system.ts";
import {
  deliver,
  expectCoins,
  opened,
  type PlacedOrder,
  type ProviderNodes,
  paidWebhook,
  pay,
  useProviderNodes,
} from "../payment/provider-nodes.ts";
import { change, newKey } from "../platform/money-books.ts";

/** Two nodes of the staff service with everything whose money they move, each service on a broker of its own. */

/** FOUR_EYES_COINS of these nodes. A paid order has 300 coins. */
export const bound = 500;

export interface MoneyNodes {
  readonly providers: ProviderNodes;
  readonly caller: ServiceBroker;
  readonly staffs: readonly [ServiceBroker, ServiceBroker];
  readonly platformNode: ServiceBroker;
  readonly apiKey: string;
}

export const startStaff = (label: string) =>
  startNode(label, [
    { ...staff, settings: { ...(staff.settings as object), proposalsEveryMs: 100 } as ServiceSchema["settings"] },
  ]);

export const startPlatform = (label: string) =>
  startNode(label, [
    { ...platform, settings: { ...(platform.settings as object), ordersEveryMs: 100 } as ServiceSchema["settings"] },
  ]);

/** The nodes of a test file, open before its first test. */
export function useMoneyNodes({ summed = true } = {}): MoneyNodes {
  const providers = useProviderNodes({ summed });
  const nodes = { providers } as { -readonly [Name in keyof MoneyNodes]: MoneyNodes[Name] };
  beforeAll(async () => {
    process.env.FOUR_EYES_COINS = String(bound);
    nodes.platformNode = await startPlatform("platform");
    await startNode("user", [user]);
    nodes.staffs = [await startStaff("staff-1"), await startStaff("staff-2")];
    nodes.caller = providers.gateway;
    for (const node of nodes.staffs) {
      await waitForNode(nodes.caller, "staff", node.nodeID);
      await node.waitForServices(["platform", "wallet", "payment", "user"]);
    }
    await nodes.caller.waitForServices(["platform", "wallet", "payment", "user"]);
    nodes.apiKey = await newKey(nodes.caller);
  });
  return nodes;
}

/** Makes a person who has enrolled. */
export async function addPerson(name: string, role: StaffRole): Promise<void> {
  await change(
    "staff",
    `INSERT INTO t_staff_person (name, role, state, password, totp_secret, create_time)
     VALUES (?, ?, 'active', 'none', 'none', UTC_TIMESTAMP(3))`,
    [name, role],
  );
}

/** A new session of a person. */
export async function sessionOf(name: string): Promise<string> {
  const token = newSessionToken();
  const expires = new Date(Date.now() + 3_600_000);
  await change(
    "staff",
    `INSERT INTO t_staff_session (token_hash, mac, name, address, create_time, expires_time)
     VALUES (?, ?, ?, '127.0.0.1', UTC_TIMESTAMP(3), ?)`,
    [tokenHash(token), tokenMacs().session({ token, name, expires }), name, expires],
  );
  return token;
}

let users = 0;
/** A new user that the user service knows. */
export async function newUser({ caller }: MoneyNodes): Promise<string> {
  return (await call(caller, "user.ofExternal", { externalId: `four-eyes-${users++}` })).userId;
}

/** An order of 300 coins that the user has paid and that is credited; `before`: what she has without it. */
export async function paidOrder({ providers, caller }: MoneyNodes, userId: string, before = 0): Promise<PlacedOrder> {
  const { orderId, payUrl } = await call(caller, "payment.pay", {
    ...{ userId, productId: 6, paySource: 1, payChannel: 3 },
  });
  const order = opened(providers, { channel: "cashier", userId, orderId, payUrl });
  await pay(providers, order);
  await deliver(providers, "cashier", paidWebhook(providers, order));
  await expectCoins(providers, order, before + 300);
  return order;
}

export const answerOf = (answer: Promise<unknown>) => answer.then(() => "done", failureName);
export type Move = ParamsOf<"staff.moveMoney">["move"];

/** The row of a proposal of staff. */
export async function proposalRow(proposalId: string) {
  const [row] = await rows<{ state: number; refusal: string | null; counted: number; move_id: string; tries: number }>(
    "staff",
    `SELECT s.state, s.refusal, s.counted, s.tries, p.move_id FROM t_staff_proposal p
     JOIN t_staff_proposal_state s ON s.proposal_id = p.id WHERE p.id = ?`,
    [proposalId.slice(1)],
  );
  return row;
}
