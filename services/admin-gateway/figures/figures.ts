import type { ServiceBroker } from "moleculer";
import { limits } from "../../../config/limits.ts";
import { keptAnswer } from "../../../mixins/http/single-flight.ts";
import { type ActionName, call, type ParamsOf, type ResultOf } from "../../contracts.ts";
import type { GiftMinute } from "../../gift/work.contract.ts";
import type { PaidMinute } from "../../payment/operators.contract.ts";
import { nodeFigures, type ServiceFigures } from "./node-figures.ts";

/** The system in numbers, for people to look at. */

export type Minute = GiftMinute & PaidMinute;

export interface Figures {
  /** When they were read. */
  time: string;
  services: ServiceFigures[];
  /** Of users at im-servers. */
  connections: number;
  rooms: number;
  queue: { gifts: number; oldestMs: number | null; partitions: { partition: number; gifts: number }[] };
  deadLetters: number;
  parked: number;
  openProposals: number;
  /** Of the reconciliation, and of the books. */
  differences: number;
  findings: number;
  perMinute: Minute[];
  /** The services that did not answer: what they know is 0 or empty here, and is not known. */
  missing: string[];
}

/** Asks one service; notes it as missing where it does not answer in time. */
type Ask = <N extends ActionName>(action: N, params: ParamsOf<N>, nodeID?: string) => Promise<ResultOf<N> | undefined>;

function asking(broker: ServiceBroker, missing: Set<string>): Ask {
  return async (action, params, nodeID) => {
    try {
      const options = { timeout: limits.admin.figuresPartMs, ...(nodeID === undefined ? {} : { nodeID }) };
      return await call(broker, action, params, options);
    } catch (err) {
      broker.logger.warn({ err, action, node: nodeID }, "a service is missing from the figures");
      missing.add(action.slice(0, action.indexOf(".")));
      return undefined;
    }
  };
}

/** The connections of all im-servers together. */
async function connectionsOf(broker: ServiceBroker, ask: Ask): Promise<number> {
  const present = broker.registry.getServiceList({ onlyAvailable: true }) as unknown as {
    name: string;
    nodeID: string;
  }[];
  const servers = present.filter(({ name }) => name === "im-server");
  const all = await Promise.all(servers.map(({ nodeID }) => ask("im-server.status", {}, nodeID)));
  return all.reduce((sum, status) => sum + (status?.connections ?? 0), 0);
}

/** The minutes of both, by minute, oldest first; where one is missing its numbers are 0. */
export function joinMinutes(gifts: readonly GiftMinute[] = [], paid: readonly PaidMinute[] = []): Minute[] {
  const none = { gifts: 0, coins: 0, paidOrders: 0, chargedCoins: 0 };
  const byMinute = new Map<string, Minute>();
  for (const row of [...gifts, ...paid]) byMinute.set(row.minute, { ...none, ...byMinute.get(row.minute), ...row });
  return [...byMinute.values()].sort((a, b) => (a.minute < b.minute ? -1 : 1)).slice(-limits.metrics.minutesShown);
}

/** Asks every part at once. Never rejects. */
async function readFigures(broker: ServiceBroker): Promise<Figures> {
  const missing = new Set<string>();
  const ask = asking(broker, missing);
  const [services, connections, room, depth, gift, payment, dead, auditor, staff, platform] = await Promise.all([
    nodeFigures(broker),
    connectionsOf(broker, ask),
    ask("living-room.figures", {}),
    ask("gift.queueDepth", {}),
    ask("gift.figures", {}),
    ask("payment.figures", {}),
    ask("provisioner.countDeadLetters", {}),
    ask("auditor.figures", {}),
    ask("staff.figures", {}),
    ask("platform.figures", {}),
  ]);
  return {
    ...{ time: new Date().toISOString(), services, connections, rooms: room?.rooms ?? 0 },
    queue: {
      gifts: (depth?.waiting ?? 0) + (depth?.inFlight ?? 0),
      oldestMs: depth?.oldestMs ?? null,
      partitions: depth?.partitions ?? [],
    },
    ...{ deadLetters: dead?.count ?? 0, parked: payment?.parked ?? 0, differences: payment?.differences ?? 0 },
    openProposals: (staff?.openProposals ?? 0) + (platform?.openProposals ?? 0),
    findings: auditor?.findings ?? 0,
    perMinute: joinMinutes(gift?.perMinute, payment?.perMinute),
    missing: [...missing].sort(),
  };
}

const kept = new WeakMap<ServiceBroker, () => Promise<Figures>>();

/** The figures, as old as `limits.admin.figuresKeptMs` at the most: ten open pages cost as much as one. */
export function figuresOf(broker: ServiceBroker): Promise<Figures> {
  const read = kept.get(broker) ?? keptAnswer(() => readFigures(broker), limits.admin.figuresKeptMs);
  kept.set(broker, read);
  return read();
}
