import type { ServiceBroker } from "moleculer";
import { fail, isUnavailable } from "../../broker/failure.ts";
import { ServiceNodes } from "../../broker/service-nodes.ts";
import { limits } from "../../config/limits.ts";
import { BatchLoader } from "../../mixins/batch-loader.ts";
import { call } from "../contracts.ts";
import type { Ticket } from "../im-router/im-router.contract.ts";

/** The routers in turn; one on this node is asked alone. */
class Routers {
  private readonly broker: ServiceBroker;
  private readonly nodes: ServiceNodes;
  private turn = 0;

  constructor(broker: ServiceBroker) {
    this.broker = broker;
    this.nodes = new ServiceNodes(broker, "im-router");
  }

  /**
   * One ticket for each user, in their order. Any router may answer: one that has just died is still listed for some
   * seconds. One that fails is left out for `limits.im.routerLeftOutMs`, so that neither the second try nor the calls
   * that follow wait for it. An unused ticket does no harm. Fails: unavailable.
   */
  async tickets(userIds: string[]): Promise<Ticket[]> {
    try {
      return await this.ask(userIds);
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      return await this.ask(userIds);
    }
  }

  private async ask(userIds: string[]): Promise<Ticket[]> {
    const nodeID = this.next();
    const options = { ...(nodeID === undefined ? {} : { nodeID }), timeout: limits.im.tokenTimeoutMs } as const;
    try {
      return (await call(this.broker, "im-router.tickets", { userIds }, { ...options, tracking: false })).tickets;
    } catch (error) {
      if (nodeID !== undefined && isUnavailable(error)) this.nodes.leaveOut(nodeID, limits.im.routerLeftOutMs);
      throw error;
    }
  }

  /** `undefined` where there is none: the call fails with Moleculer's error. */
  private next(): string | undefined {
    const ids = this.nodes.ids();
    const { nodeID: own } = this.broker;
    return ids.includes(own) ? own : ids[this.turn++ % ids.length];
  }
}

interface Asked {
  readonly userId: string;
  /** By `performance.now()`. */
  readonly at: number;
  /** Ends the wait for a call. */
  readonly timer: NodeJS.Timeout;
}

/**
 * Tickets for IM connections. Users who ask while calls to the routers run share the next call: when an im-server dies,
 * thousands ask at once, and with a call for each the last ones would wait longer than a call may take. Where the routers
 * are too slow for them all, those who have waited `limits.im.ticketWaitMs` are rejected without a call, so that the
 * routers work for clients that still wait; and beyond `limits.im.ticketsWaiting` all are rejected at once.
 */
export class ImTickets {
  private readonly loader: BatchLoader<Ticket>;
  /** By the number of the request: a token works once, so two requests of a user need two. */
  private readonly asked = new Map<string, Asked>();
  private requests = 0;

  constructor(broker: ServiceBroker) {
    const routers = new Routers(broker);
    const load = async (keys: string[]) => {
      const due = this.due(keys);
      if (due.length === 0) return new Map<string, Ticket>();
      const tickets = await routers.tickets(due.map(({ userId }) => userId));
      return new Map(due.map(({ key }, i) => [key, tickets[i] as Ticket]));
    };
    this.loader = new BatchLoader(load, { keys: limits.im.ticketsPerCall, queries: limits.im.ticketCallsInFlight });
  }

  /** Fails: unavailable. */
  async get(userId: string): Promise<Ticket> {
    if (this.asked.size >= limits.im.ticketsWaiting) throw tooMany();
    const key = String(this.requests++);
    const tooLate = Promise.withResolvers<undefined>();
    const timer = setTimeout(() => tooLate.resolve(undefined), limits.im.ticketWaitMs);
    this.asked.set(key, { userId, at: performance.now(), timer });
    try {
      const ticket = await Promise.race([this.loader.get(key), tooLate.promise]);
      if (!ticket) throw tooMany();
      return ticket;
    } finally {
      clearTimeout(timer);
      this.asked.delete(key);
    }
  }

  /** Those of the requests that still wait, and have not waited too long. From here on their call bounds their time. */
  private due(keys: string[]): { key: string; userId: string }[] {
    const since = performance.now() - limits.im.ticketWaitMs;
    return keys.flatMap((key) => {
      const asked = this.asked.get(key);
      if (!asked || asked.at < since) return [];
      clearTimeout(asked.timer);
      return [{ key, userId: asked.userId }];
    });
  }
}

function tooMany(): Error {
  return fail("unavailable", { what: "im-router", why: "too many wait for a token" });
}

const ofBroker = new WeakMap<ServiceBroker, ImTickets>();

/** The tickets of a gateway. */
export function imTickets(broker: ServiceBroker): Pick<ImTickets, "get"> {
  let tickets = ofBroker.get(broker);
  if (!tickets) {
    tickets = new ImTickets(broker);
    ofBroker.set(broker, tickets);
  }
  return tickets;
}
