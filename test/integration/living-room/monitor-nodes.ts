/** Nodes for the tests of absent anchors and watch numbers: real living-room, router and im-servers. */
import type { ServiceBroker, ServiceSchema } from "moleculer";
import imRouter from "../../../services/im-router/im-router.service.ts";
import type { ImLimits } from "../../../services/im-server/im-node.ts";
import imServer from "../../../services/im-server/im-server.service.ts";
import livingRoom from "../../../services/living-room/living-room.service.ts";
import type { MonitorSettings } from "../../../services/living-room/room-monitor.ts";
import { admitting, restrictionsFake } from "../../support/restrictions-fake.ts";
import { startNode } from "../../support/system.ts";

/** Longer than a test takes: tests change times in the database instead of waiting. */
export const awayMs = 60_000;
const defaults: MonitorSettings = {
  ...{ anchorAwayMs: awayMs, checkEveryMs: 100, leaseMs: 1_500, gapMs: 10_000, accountsEveryMs: 60_000 },
};
export const quick: Partial<ImLimits> = { presenceLeaseMs: 30_000, presenceRefreshMs: 300, watchFlushMs: 50 };
/** Writes to Redis only when users connect and disconnect. */
export const slow: Partial<ImLimits> = { presenceLeaseMs: 60_000, presenceRefreshMs: 60_000, watchFlushMs: 60_000 };

const user = {
  name: "user",
  actions: {
    profile: (ctx: { params: { userId: string } }) => ({ userId: ctx.params.userId, nickName: "小鱼", avatar: "" }),
    bannedAmong: () => ({ userIds: [] }),
    ...restrictionsFake.actions,
  },
};

/** Every account is usable. */
const wallet = { name: "wallet", actions: { unusableOf: () => ({ userIds: [] }) } };

export function startRooms(label: string, settings: Partial<MonitorSettings> = {}): Promise<ServiceBroker> {
  return startNode(label, [{ ...livingRoom, settings: { ...defaults, ...settings } as ServiceSchema["settings"] }]);
}

export function startRouter(label: string): Promise<ServiceBroker> {
  return startNode(label, [{ ...imRouter, settings: { newEpochMs: 500 } as ServiceSchema["settings"] }, user, wallet]);
}

export async function startServer(label: string, settings = quick): Promise<ServiceBroker> {
  const server = { ...imServer, settings: settings as ServiceSchema["settings"] };
  return admitting(await startNode(label, [server, restrictionsFake]));
}
